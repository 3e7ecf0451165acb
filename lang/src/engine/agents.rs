//! Agents as the runtime registers them.
//!
//! Never: starts one.

use crate::engine::names::Names;
use crate::hir::{self, AgentFieldKind, BehaviorKind};
use crate::types::ty::Ty;
use ag_runtime::actor::kind::{AgentType, Attributes, Behavior, MAILBOX, Priority};
use ag_runtime::actor::selector::Selector;
use ag_runtime::value::shape::{FieldShape, ShapeId};
use ag_runtime::world::World;

pub fn kind(
    world: &World,
    names: &mut Names,
    agent: &hir::Agent,
    shapes: &dyn Fn(&Ty) -> ShapeId,
) -> AgentType {
    let table = world.functions();
    let inputs = agent.fields.iter().filter(|field| field.kind != AgentFieldKind::State).count();
    let behaviors = agent.behaviors.iter().map(|behavior| {
        let function = &behavior.function;
        let params = function.locals.iter().take(function.params as usize);
        let params = params.map(|local| FieldShape::new(&local.name, shapes(&local.ty)));
        Behavior {
            name: behavior.name.clone(),
            selector: Selector::of(&behavior.name),
            params: params.collect(),
            result: shapes(&function.result),
            function: names.slot(table, &function.key),
            attributes: Attributes {
                priority: behavior.attributes.priority.map(level),
                is_cpu_intensive: behavior.attributes.is_cpu_intensive,
                is_alert: behavior.kind == BehaviorKind::Alert,
                is_decision: behavior.kind == BehaviorKind::Decision,
                is_critical: behavior.kind == BehaviorKind::CriticalSection,
            },
        }
    });
    AgentType {
        name: agent.name.clone(),
        behaviors: behaviors.collect(),
        fields: agent.fields.iter().map(|field| field_shape(agent, field, shapes)).collect(),
        inputs: inputs as u32,
        init: names.slot(table, &agent.init.key),
        config: agent.config.as_ref().map(|config| names.slot(table, &config.key)),
        mailbox: agent.attributes.mailbox.unwrap_or(MAILBOX),
        priority: level(agent.attributes.priority),
        is_predictive: agent.attributes.is_predictive,
        is_orchestration: agent.is_orchestration,
        version: 0,
    }
}

/// State fields have initialisers: an instance of the version before takes them for what it does not have. The statements
/// of an orchestration run once, so its state has none.
fn field_shape(
    agent: &hir::Agent,
    field: &hir::AgentField,
    shapes: &dyn Fn(&Ty) -> ShapeId,
) -> FieldShape {
    let mut shape = FieldShape::new(&field.name, shapes(&field.ty));
    shape.required = field.kind != AgentFieldKind::State || agent.is_orchestration;
    shape
}

fn level(priority: hir::Priority) -> Priority {
    match priority {
        hir::Priority::Low => Priority::Low,
        hir::Priority::Normal => Priority::Normal,
        hir::Priority::High => Priority::High,
    }
}
