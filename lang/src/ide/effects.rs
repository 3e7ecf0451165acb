//! The effects of a definition, function by function, for `:effects` (L-90).

use crate::db::Db;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::types::check::{function_at, function_paths, infer_function};
use crate::types::effects::{effects_of, is_hidden, path};
use crate::types::ty::Name;

/// One function of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionEffects {
    pub function: String,
    /// Each effect with the call that brings it in, if the body does not have it by itself.
    pub effects: Vec<(String, Option<String>)>,
    /// Its `uses`; empty for `uses none`.
    pub bound: Option<Vec<String>>,
}

/// The functions of a definition of the session: `f`, `Agent`, `Agent.behavior`.
pub fn effects(db: &dyn Db, name: &str) -> Option<Vec<FunctionEffects>> {
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
        let own = function.name.name.as_str();
        if member.is_some_and(|member| member != own) {
            continue;
        }
        let facts = &infer_function(db, item, at).facts;
        let all = effects_of(db, facts, item.prelude(db));
        let shown = all.into_iter().filter(|(effect, _)| !is_hidden(effect));
        found.push(FunctionEffects {
            function: if own == owner { own.to_owned() } else { format!("{owner}.{own}") },
            effects: shown
                .map(|(e, call)| (e.to_string(), call.map(|c| c.name.to_string())))
                .collect(),
            bound: function
                .uses
                .as_ref()
                .map(|uses| uses.iter().map(|u| path(u).to_string()).collect()),
        });
    }
    (!found.is_empty()).then_some(found)
}
