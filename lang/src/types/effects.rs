//! Effects (L-90): what a function does by itself and through what it calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::Db;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::item::EffectPath;
use crate::types::check::{FnPath, function_path, infer_function};
use crate::types::infer::{Called, Facts};
use crate::types::ty::Name;
use std::sync::Arc;

/// `tool.BrokerAPI.execute`.
pub fn path(effect: &EffectPath) -> Name {
    let segments: Vec<&str> = effect.segments.iter().map(|s| s.name.as_str()).collect();
    Arc::from(segments.join("."))
}

/// Inferred for stale marks and rules, never shown.
pub fn is_hidden(effect: &str) -> bool {
    matches!(effect, "output" | "global")
}

/// All effects of a body, each with the name of the call that brings it in.
pub fn effects_of(db: &dyn Db, facts: &Facts, prelude: bool) -> BTreeMap<Name, Option<Called>> {
    let mut found: BTreeMap<Name, Option<Called>> =
        facts.effects.iter().map(|(effect, _)| (effect.clone(), None)).collect();
    let mut seen: BTreeSet<(Name, Option<Name>)> = BTreeSet::new();
    for first in &facts.calls {
        let mut todo = vec![(first.name.clone(), first.member.clone())];
        while let Some(next) = todo.pop() {
            if !seen.insert(next.clone()) {
                continue;
            }
            let Some(facts) = called_facts(db, &next.0, next.1.as_ref(), prelude) else { continue };
            for (effect, _) in &facts.effects {
                found.entry(effect.clone()).or_insert_with(|| Some(first.clone()));
            }
            todo.extend(facts.calls.iter().map(|call| (call.name.clone(), call.member.clone())));
        }
    }
    found
}

/// A global that a body assigns, by itself or through what it calls.
pub fn assigned(db: &dyn Db, facts: &Facts, prelude: bool) -> Option<Name> {
    let mut seen: BTreeSet<(Name, Option<Name>)> = BTreeSet::new();
    let calls = |facts: &Facts| -> Vec<(Name, Option<Name>)> {
        facts.calls.iter().map(|call| (call.name.clone(), call.member.clone())).collect()
    };
    if let Some(name) = facts.assigns.first() {
        return Some(name.clone());
    }
    let mut todo = calls(facts);
    while let Some(next) = todo.pop() {
        if !seen.insert(next.clone()) {
            continue;
        }
        let Some(facts) = called_facts(db, &next.0, next.1.as_ref(), prelude) else { continue };
        if let Some(name) = facts.assigns.first() {
            return Some(name.clone());
        }
        todo.extend(calls(facts));
    }
    None
}

fn called_facts<'db>(
    db: &'db dyn Db,
    name: &Name,
    member: Option<&Name>,
    prelude: bool,
) -> Option<&'db Facts> {
    let scoped = ScopedName::new(db, name.clone(), prelude);
    let Site::Item(item) = resolve(db, scoped, None)? else { return None };
    let path = match member {
        None => FnPath::Item,
        Some(member) => function_path(item.tree(db), member)?,
    };
    Some(&infer_function(db, item, path).facts)
}

/// Whether a bound covers an effect: `memory` covers `memory.read`.
pub fn covers(bound: &str, effect: &str) -> bool {
    effect == bound || effect.strip_prefix(bound).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn prefixes_cover() {
        assert!(covers("memory", "memory.read"));
        assert!(covers("llm", "llm"));
        assert!(!covers("mem", "memory.read"));
    }
}
