//! How the functions of a definition run, for `:tier`: the tier they run on, and the attributes that ask for another.
//!
//! Never: promotes anything.

use crate::db::Db;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::types::attribute::PLANNED;
use crate::types::check::{FnPath, function_at, function_paths, infer_function};
use crate::types::ty::Name;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionPlan {
    pub function: String,
    /// Attributes that wait for the engine, as written: `@inline(always)`.
    pub planned: Vec<String>,
}

/// The functions of a definition of the session: `f`, `Agent`, `Agent.behavior`, `Struct.method`.
pub fn plan(db: &dyn Db, name: &str) -> Option<Vec<FunctionPlan>> {
    let (owner, member) = match name.split_once('.') {
        Some((owner, member)) => (owner, Some(member)),
        None => (name, None),
    };
    let scoped = ScopedName::new(db, Name::from(owner), false);
    let Site::Item(item) = resolve(db, scoped, None)? else { return None };
    let tree = item.tree(db);
    let mut found = Vec::new();
    for at in function_paths(tree) {
        let Some(function) = function_at(tree, at) else { continue };
        if member.is_some_and(|member| function.name.name != *member) {
            continue;
        }
        let function_name = match at {
            FnPath::Item => function.name.name.to_string(),
            _ => format!("{owner}.{}", function.name.name),
        };
        let planned = function.attrs.iter().filter(|a| PLANNED.contains(&a.name.name.as_str()));
        let planned = planned.map(|attr| crate::types::attribute::written(tree, attr));
        let hints = infer_function(db, item, at).facts.hints.iter().map(|hint| hint.to_string());
        let planned = planned.chain(hints).collect();
        found.push(FunctionPlan { function: function_name, planned });
    }
    (!found.is_empty()).then_some(found)
}
