//! What `@speculative` promises (L-111): nothing it does, by itself or through calls, has to be undone outside.
//!
//! Never: holds anything back; what would have to be held is refused (E0903), what cannot be undone too (E0505).

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::names::cell::ItemKey;
use crate::types::attribute::find;
use crate::types::check::{FnPath, function_at};
use crate::types::effects::effects_of;
use crate::types::infer::finish::Checked;
use crate::types::report::unsupported;

/// What a rollback leaves as it is: nobody outside sees these.
const HARMLESS: &[&str] = &["clock", "random", "memory.read"];
/// What L-111 allows there, and nothing holds back or replays yet.
const TO_BE_HELD: &[&str] = &["send", "memory.write", "llm", "global"];

pub fn check<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path: FnPath,
    checked: &Checked,
) -> Vec<Diagnostic> {
    let Some(function) = function_at(item.tree(db), path) else { return Vec::new() };
    let name = &function.name.name;
    let effects = effects_of(db, &checked.facts, item.prelude(db));
    if find(&function.attrs, "speculative").is_none() {
        let sends = ["send", "memory.write"].iter().any(|effect| effects.contains_key(*effect));
        let warn = |span| {
            Diagnostic::new(codes::W0501, span, "what was sent or remembered before stays so")
                .note("a rollback takes back variables and the state of the agent")
        };
        return checked.facts.rollbacks.iter().filter(|_| sends).map(|at| warn(*at)).collect();
    }
    let mut out = Vec::new();
    let waits_for =
        effects.keys().any(|effect| &**effect != "suspend" && !HARMLESS.contains(&&**effect));
    for (effect, through) in &effects {
        // That it waits is told by what it waits for.
        if HARMLESS.contains(&&**effect) || &**effect == "suspend" && waits_for {
            continue;
        }
        let own = checked.facts.effects.iter().find(|(own, _)| own == effect);
        let span = through.as_ref().map(|call| call.span).or(own.map(|(_, span)| *span));
        let span = span.unwrap_or(function.name.span);
        let call = through.as_ref().map(|call| format!(", through `{}`", call.name));
        let call = call.unwrap_or_default();
        let word = match &**effect {
            "global" => "a `var` of the session",
            "output" => "output",
            effect => effect,
        };
        if TO_BE_HELD.contains(&&**effect) || effect.starts_with("tool.") {
            out.push(unsupported(&format!("`{word}`{call} in a `@speculative` function"), span));
            continue;
        }
        let message = format!(
            "`{name}` is `@speculative` and has the effect `{word}`{call}, which cannot be undone"
        );
        out.push(Diagnostic::new(codes::E0505, span, message));
    }
    out
}
