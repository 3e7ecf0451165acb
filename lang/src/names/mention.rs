//! Which names an item mentions anywhere, and which it defines: what a redefinition may concern.
//!
//! Purely textual and too large rather than too small: who is found is checked again, which costs little if nothing
//! changed.

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::names::cell::ItemKey;
use crate::syntax::ast::{Body, ExprKind, PatKind, Path, StructElement, TypeKind};
use crate::syntax::item::{ItemKind, ItemTree};
use crate::types::declare::snake_case;
use crate::types::ty::Name;
use std::sync::Arc;

/// Every name in the bodies and types of an item.
#[salsa::tracked]
pub fn mentions<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> FxHashSet<Name> {
    let tree = item.tree(db);
    let mut found = FxHashSet::default();
    in_body(&tree.body, &mut found);
    if let ItemKind::Tool(tool) = &tree.kind {
        found.extend(tool.provides.iter().map(|base| base.name.text()));
    }
    if let Some(agent) = tree.kind.as_agent() {
        // Ports are bound to globals of their name.
        found.extend(agent.skills().chain(agent.tools()).map(|port| port.name.name.text()));
    }
    found
}

fn in_body(body: &Body, found: &mut FxHashSet<Name>) {
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Name(name) => {
                found.insert(name.text());
            }
            ExprKind::Field { name, .. } => {
                found.insert(name.name.text());
            }
            ExprKind::Struct { path, elements } => {
                in_path(path, found);
                for element in elements {
                    if let StructElement::Field(field) = element {
                        found.insert(field.name.name.text());
                    }
                }
            }
            ExprKind::Call { args, .. } => {
                found.extend(args.iter().filter_map(|arg| Some(arg.name.as_ref()?.name.text())));
            }
            _ => {}
        }
    }
    for pat in &body.pats {
        match &pat.kind {
            PatKind::Variant { path, .. } => in_path(path, found),
            PatKind::Record { name, fields, .. } => {
                found.extend(name.iter().map(|name| name.name.text()));
                found.extend(fields.iter().map(|field| field.name.name.text()));
            }
            PatKind::Bind(name) => {
                found.insert(name.text());
            }
            _ => {}
        }
    }
    for ty in &body.types {
        if let TypeKind::Named { name, .. } = &ty.kind {
            found.insert(name.name.text());
        }
    }
}

fn in_path(path: &Path, found: &mut FxHashSet<Name>) {
    found.insert(path.name.name.text());
    found.extend(path.qualifier.iter().map(|name| name.name.text()));
}

/// The names whose meaning an item gives: its own and those of its members.
pub fn defines(tree: &ItemTree) -> Vec<Name> {
    let mut names = vec![tree.name.name.text()];
    match &tree.kind {
        ItemKind::Struct(def) => {
            names.extend(def.fields.iter().map(|field| field.name.name.text()));
            names.extend(def.methods.iter().map(|method| method.name.name.text()));
        }
        ItemKind::Enum(def) => {
            for variant in &def.variants {
                names.push(variant.name.name.text());
                names.push(Arc::from(snake_case(variant.name.name.as_str())));
            }
            names.extend(def.methods.iter().map(|method| method.name.name.text()));
        }
        ItemKind::Tool(def) => {
            names.extend(def.methods.iter().map(|method| method.name.name.text()));
        }
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            names.extend(def.behaviors().map(|behavior| behavior.function.name.name.text()));
        }
        _ => {}
    }
    names
}
