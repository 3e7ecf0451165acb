//! What a redefinition means for what exists already: values of the older type, instances of the older agent (L-152, L-78).
//!
//! It tells; the runtime moves instances to their new code, and nothing is computed again here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ag_lang::hir::Definitions;
use ag_lang::types::ty::{Name, Ty};
use ag_runtime::value::older::{Older, numbered};
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;

use crate::output::Output;
use crate::output::table::ValueView;
use crate::session::program::Program;

/// The types that a name meant in this session, in the order they came.
#[derive(Default)]
pub struct Versions {
    shapes: HashMap<Name, Vec<ShapeId>>,
    older: Arc<Older>,
}

impl Versions {
    /// Types without parameters that are defined now.
    pub fn define(&mut self, types: impl IntoIterator<Item = (Name, ShapeId)>) {
        for (name, shape) in types {
            let known = self.shapes.entry(name).or_default();
            if !known.contains(&shape) {
                known.push(shape);
            }
            if known.len() < 2 {
                continue;
            }
            let older = Arc::make_mut(&mut self.older);
            for (at, other) in known.iter().enumerate() {
                older.insert(*other, u32::try_from(at + 1).unwrap_or(u32::MAX));
            }
            // Changed back it is the first type again.
            older.remove(&shape);
        }
    }

    /// How values of older types are named.
    pub fn older(&self) -> &Arc<Older> {
        &self.older
    }
}

impl Program {
    /// These definitions are in force: which types they make older.
    pub(super) fn note_types<'d>(&self, definitions: impl IntoIterator<Item = &'d Definitions>) {
        let workspace = self.workspace.lock();
        let types = definitions.into_iter().flat_map(|definitions| &definitions.types);
        let nominal =
            types.filter(|defined| matches!(&defined.ty, Ty::Adt(adt) if adt.args.is_empty()));
        let shapes = nominal.map(|defined| (defined.name.clone(), workspace.shape(&defined.ty)));
        self.versions.lock().define(shapes);
    }

    /// A value as this session shows it.
    pub(super) fn view_of(&self, value: &Owned) -> ValueView {
        let older = Arc::clone(self.versions.lock().older());
        numbered(&older, || ValueView::of(value))
    }

    /// What the instances of redefined agents do: who keeps its code and why, which values are dropped.
    pub(super) fn moved_agents<'d>(
        &self,
        definitions: impl IntoIterator<Item = &'d Definitions>,
    ) -> Vec<Output> {
        let agents = definitions.into_iter().flat_map(|definitions| &definitions.agents);
        let mut told = Vec::new();
        for agent in agents {
            let kind = self.world().agent_types().id(&agent.name);
            let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for held_back in self.world().held_back(kind) {
                let instance = format!("{}#{}", agent.name, held_back.actor.number());
                held.entry(held_back.why).or_default().push(instance);
            }
            for (why, instances) in held {
                let (keep, it) =
                    if instances.len() == 1 { ("keeps", "its") } else { ("keep", "their") };
                let instances = instances.join(", ");
                told.push(Output::warning(format!("{instances} {keep} {it} code: {why}")));
            }
            let dropped = self.world().dropped(kind);
            if !dropped.is_empty() {
                let fields: Vec<String> =
                    dropped.iter().map(|field| format!("`{field}`")).collect();
                told.push(Output::warning(format!(
                    "instances of {} lose {}: the new definition does not have it",
                    agent.name,
                    fields.join(", ")
                )));
            }
        }
        told
    }
}
