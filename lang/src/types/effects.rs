//! Effects (L-90): what a function does by itself and through what it calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::item::{EffectPath, ItemKind};
use crate::types::check::{FnPath, function_at, function_path, infer_function};
use crate::types::infer::bounded::words;
use crate::types::infer::finish::Checked;
use crate::types::infer::{Called, Facts};
use crate::types::reach::Walk;
use crate::types::ty::Name;
use crate::types::uncounted;
use crate::types::uses;
use std::sync::Arc;

/// `tool.BrokerAPI.execute`.
pub fn path(effect: &EffectPath) -> Name {
    let segments: Vec<&str> = effect.segments.iter().map(|s| s.name.as_str()).collect();
    Arc::from(segments.join("."))
}

/// Inferred for stale marks, rules and rollbacks, never shown.
pub fn is_hidden(effect: &str) -> bool {
    matches!(effect, "output" | "global" | "request" | "stop" | "channel" | "episode")
}

/// All effects of a body, each with the name of the call that brings it in.
pub fn effects_of(db: &dyn Db, facts: &Facts, prelude: bool) -> BTreeMap<Name, Option<Called>> {
    let mut found: BTreeMap<Name, Option<Called>> =
        facts.effects.iter().map(|(effect, _)| (effect.clone(), None)).collect();
    let mut walk = Walk::new(db, prelude);
    for call in &facts.calls {
        for effect in walk.from(call).effects {
            found.entry(effect).or_insert_with(|| Some(call.clone()));
        }
    }
    found
}

/// `uses` is an upper bound (L-90): E0504 names the call that exceeds it.
pub fn exceeded<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path_of: FnPath,
    checked: &Checked,
) -> Vec<Diagnostic> {
    let Some(function) = function_at(item.tree(db), path_of) else { return Vec::new() };
    let Some(uses) = &function.uses else { return Vec::new() };
    let unknown = uses.iter().filter_map(|effect| uses::unknown(db, item.prelude(db), effect));
    let unknown: Vec<Diagnostic> = unknown.collect();
    if !unknown.is_empty() {
        return unknown;
    }
    let bounds: Vec<Name> = uses.iter().map(path).filter(|bound| &**bound != "none").collect();
    let mut out = Vec::new();
    for (effect, through) in effects_of(db, &checked.facts, item.prelude(db)) {
        if is_hidden(&effect) || bounds.iter().any(|bound| covers(bound, &effect)) {
            continue;
        }
        let (span, call) = match through {
            Some(call) => (call.span, format!(", through `{}`", call.name)),
            None => {
                let own = checked.facts.effects.iter().find(|(own, _)| *own == effect);
                (own.map_or(function.name.span, |(_, span)| *span), String::new())
            }
        };
        let message = format!(
            "`{}` has the effect `{effect}`{call}, which its `uses` does not allow",
            function.name.name
        );
        out.push(Diagnostic::new(codes::E0504, span, message));
    }
    out.extend(uncounted::exceeding(db, function, &checked.facts, item.prelude(db)));
    out
}

/// Functions that do more than is allowed where they are given (E0504).
pub fn unbounded(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for given in &facts.given {
        let own = Facts {
            effects: given.effects.clone(),
            calls: given.calls.clone(),
            ..Facts::default()
        };
        for (effect, through) in effects_of(db, &own, prelude) {
            if is_hidden(&effect) || given.bound.iter().any(|bound| covers(bound, &effect)) {
                continue;
            }
            let call = through.map(|call| format!(", through `{}`,", call.name));
            let (call, bound) = (call.unwrap_or_default(), words(&given.bound));
            let message = format!(
                "this function has the effect `{effect}`{call} and only `{bound}` is allowed"
            );
            out.push(Diagnostic::new(codes::E0504, given.span, message));
        }
    }
    out.extend(uncounted::given(db, facts, prelude));
    out
}

/// Clauses that do something besides computing (E0603).
pub fn impure(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for found in &facts.clauses {
        let own = Facts {
            effects: found.effects.clone(),
            calls: found.calls.clone(),
            ..Facts::default()
        };
        let effects = effects_of(db, &own, prelude);
        // That it waits follows from what it waits for.
        let worst = effects.iter().find(|(effect, _)| &***effect != "suspend");
        let Some((effect, through)) = worst.or_else(|| effects.iter().next()) else { continue };
        let at = own.effects.iter().find(|(own, _)| own == effect).map(|(_, span)| *span);
        let at = through.as_ref().map(|call| call.span).or(at).unwrap_or(found.span);
        let call = through.as_ref().map(|call| format!(" through `{}`", call.name));
        let what = match &**effect {
            "global" => "reads or assigns a `var` of the session".to_owned(),
            "output" => "prints".to_owned(),
            effect => format!("has the effect `{effect}`"),
        };
        let word = found.clause.kind.word();
        let message = format!("`{word}` {what}{}", call.unwrap_or_default());
        out.push(
            Diagnostic::new(codes::E0603, at, message)
                .note("a contract computes a value and changes nothing"),
        );
    }
    out.extend(uncounted::in_clauses(db, facts, prelude));
    out
}

/// An initialiser of a state waits for something (L-91).
pub fn suspending<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path: FnPath,
    checked: &Checked,
) -> Vec<Diagnostic> {
    let is_state = matches!(item.tree(db).kind, ItemKind::Agent(_));
    if path != FnPath::Init || !is_state {
        return Vec::new();
    }
    let prelude = item.prelude(db);
    let effects = effects_of(db, &checked.facts, prelude);
    let Some((effect, through)) = effects.get_key_value("suspend") else {
        return uncounted::in_initial_state(db, &checked.facts, prelude);
    };
    let own = checked.facts.effects.iter().find(|(own, _)| own == effect);
    let at = through.as_ref().map(|call| call.span).or(own.map(|(_, span)| *span));
    let call = through.as_ref().map(|call| format!(" through `{}`", call.name));
    let message = format!("this initial value waits{}", call.unwrap_or_default());
    vec![
        Diagnostic::new(codes::E0603, at.unwrap_or_default(), message).note(
            "a state begins at once; give the value as a parameter, or ask for it in a behavior",
        ),
    ]
}

/// A global that a body assigns, by itself or through what it calls.
pub fn assigned(db: &dyn Db, facts: &Facts, prelude: bool) -> Option<Name> {
    facts.assigns.first().cloned().or_else(|| assigned_through(db, facts, prelude).pop_first())
}

/// The globals that what a body calls assigns.
pub fn assigned_through(db: &dyn Db, facts: &Facts, prelude: bool) -> BTreeSet<Name> {
    let mut walk = Walk::new(db, prelude);
    facts.calls.iter().flat_map(|call| walk.from(call).assigns).collect()
}

pub fn called_facts<'db>(
    db: &'db dyn Db,
    name: &Name,
    member: Option<&Name>,
    prelude: bool,
) -> Option<&'db Facts> {
    let (item, path) = called_function(db, name, member, prelude)?;
    Some(&infer_function(db, item, path).facts)
}

/// The function of the program that a call names.
pub fn called_function<'db>(
    db: &'db dyn Db,
    name: &Name,
    member: Option<&Name>,
    prelude: bool,
) -> Option<(ItemKey<'db>, FnPath)> {
    let scoped = ScopedName::new(db, name.clone(), prelude);
    let Site::Item(item) = resolve(db, scoped, None)? else { return None };
    match member {
        None => Some((item, FnPath::Item)),
        Some(member) => Some((item, function_path(item.tree(db), member)?)),
    }
}

/// What is waited for wherever it is done: a bound that allows it allows `suspend`.
const WAITED_FOR: [&str; 6] = ["llm", "tool", "memory", "net", "fs", "human"];

/// Whether a bound covers an effect: `memory` covers `memory.read`, and that it is waited for.
pub fn covers(bound: &str, effect: &str) -> bool {
    effect == bound
        || effect.strip_prefix(bound).is_some_and(|rest| rest.starts_with('.'))
        || effect == "suspend" && is_waited_for(bound)
}

/// Whether what has this effect is waited for.
pub fn is_waited_for(bound: &str) -> bool {
    bound.split('.').next().is_some_and(|first| WAITED_FOR.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn prefixes_cover() {
        assert!(covers("memory", "memory.read"));
        assert!(covers("llm", "llm"));
        assert!(!covers("mem", "memory.read"));
        assert!(covers("memory.read", "suspend") && !covers("suspend", "memory.read"));
        assert!(!covers("clock", "suspend") && !covers("none", "suspend"));
    }
}
