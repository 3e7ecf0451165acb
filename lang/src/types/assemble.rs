//! An agent as the engine installs it, put together from its checked bodies.
//!
//! Never: checks anything.

use crate::hir::{self, AgentField, AgentFieldKind};
use crate::source::Span;
use crate::syntax::item::ItemTree;
use crate::types::attribute;
use crate::types::check::{FnPath, function_at};
use crate::types::def::AgentDef;
use crate::types::ty::{Name, Ty};

/// `parts` are its bodies by their place; those that are no behaviors go to `private`.
pub fn assemble(
    tree: &ItemTree,
    def: &AgentDef,
    parts: Vec<(FnPath, hir::Function)>,
    private: &mut Vec<hir::Function>,
) -> hir::Agent {
    let field = |kind: AgentFieldKind| {
        move |param: &crate::types::def::Param| AgentField {
            name: param.name.clone(),
            ty: param.ty.clone(),
            kind,
        }
    };
    let fields = def
        .params
        .iter()
        .map(field(AgentFieldKind::Parameter))
        .chain(def.skills.iter().map(field(AgentFieldKind::Skill)))
        .chain(def.tools.iter().map(field(AgentFieldKind::Tool)))
        .chain(def.state.iter().map(field(AgentFieldKind::State)));
    let fields = fields.collect();
    let (mut init, mut config, mut bodies) = (None, None, Vec::new());
    for (path, function) in parts {
        match path {
            FnPath::Init => init = Some(function),
            FnPath::Config => config = Some(function),
            FnPath::Member(at) => bodies.push((at, function)),
            FnPath::Invariant | FnPath::Rule(_) => private.push(function),
            FnPath::Item => {}
        }
    }
    let mut behaviors = Vec::new();
    for (at, function) in bodies {
        match def.behaviors.iter().find(|behavior| behavior.member == at) {
            Some(behavior) => behaviors.push(hir::Behavior {
                name: behavior.name.clone(),
                function,
                attributes: function_at(tree, FnPath::Member(at))
                    .map(|function| attribute::of_behavior(tree, function))
                    .unwrap_or_default(),
                kind: behavior.kind,
            }),
            None => private.push(function),
        }
    }
    hir::Agent {
        name: def.name.clone(),
        fields,
        init: init.unwrap_or_else(|| empty_function(&def.name)),
        config,
        behaviors,
        attributes: attribute::of_agent(tree),
        is_orchestration: def.is_orchestration,
    }
}

/// Only for an agent whose initialiser failed, which `failed` already says.
fn empty_function(name: &Name) -> hir::Function {
    hir::Function {
        key: name.clone(),
        params: 0,
        captures: 0,
        locals: Vec::new(),
        result: Ty::Unit,
        body: crate::types::infer::error(Span::default()),
        effects: Vec::new(),
        item: 0,
        tied: false,
        span: Span::default(),
    }
}
