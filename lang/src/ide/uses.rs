//! The names outside itself that a definition uses: what a value computed by it depends on.
//!
//! A name that the definition binds somewhere counts where its bodies were found to read the session's; any other counts
//! as written, for it may be defined later. Fields, members and the names of arguments belong to what they are asked of,
//! which counts itself.

use std::collections::BTreeSet;

use crate::db::Db;
use crate::names::cell::ItemKey;
use crate::syntax::ast::{ExprKind, PatKind, Path, TypeKind};
use crate::syntax::item::{ItemKind, ItemTree};
use crate::syntax::rename::bound_names;
use crate::types::check::{defaults_of, function_paths, infer_function};
use crate::types::infer::Facts;
use crate::types::ty::Name;

/// Sorted.
pub fn uses<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<Name> {
    let tree = item.tree(db);
    let bound = bound_names(tree);
    let mut found = written(tree);
    found.retain(|name| !bound.contains(name));
    found.extend(ports(tree));
    for path in function_paths(tree) {
        resolved(&infer_function(db, item, path).facts, &mut found);
    }
    for checked in defaults_of(db, item) {
        resolved(&checked.facts, &mut found);
    }
    found.into_iter().collect()
}

fn resolved(facts: &Facts, into: &mut BTreeSet<Name>) {
    into.extend(facts.reads.iter().chain(&facts.assigns).cloned());
    let clauses = facts.clauses.iter().flat_map(|clause| &clause.calls);
    let calls = facts.calls.iter().chain(&facts.asked).chain(clauses);
    into.extend(calls.map(|call| call.name.clone()));
}

/// Ports are bound to globals of their name; what a tool provides is a type of the session.
fn ports(tree: &ItemTree) -> Vec<Name> {
    if let ItemKind::Tool(tool) = &tree.kind {
        return tool.provides.iter().map(|base| base.name.text()).collect();
    }
    let agent = tree.kind.as_agent();
    let ports = agent.map(|agent| agent.skills().chain(agent.tools()));
    ports.into_iter().flatten().map(|port| port.name.name.text()).collect()
}

/// Names that may stand for something outside, by their places alone.
fn written(tree: &ItemTree) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for expr in &tree.body.exprs {
        match &expr.kind {
            ExprKind::Name(name) => {
                found.insert(name.text());
            }
            ExprKind::Struct { path, .. } => in_path(path, &mut found),
            _ => {}
        }
    }
    for pat in &tree.body.pats {
        match &pat.kind {
            PatKind::Variant { path, .. } => in_path(path, &mut found),
            PatKind::Record { name, .. } => {
                found.extend(name.iter().map(|name| name.name.text()));
            }
            _ => {}
        }
    }
    for ty in &tree.body.types {
        if let TypeKind::Named { name, .. } = &ty.kind {
            found.insert(name.name.text());
        }
    }
    found
}

fn in_path(path: &Path, found: &mut BTreeSet<Name>) {
    found.insert(path.name.name.text());
    found.extend(path.qualifier.iter().map(|name| name.name.text()));
}
