//! The effects that a `uses` names (L-90): a closed set, and the methods of tools.

use crate::db::Db;
use crate::diag::{Diagnostic, codes, nearest};
use crate::syntax::item::EffectPath;
use crate::types::effects::path;
use crate::types::rule;

const EFFECTS: [&str; 14] = [
    "none",
    "llm",
    "tool",
    "memory",
    "memory.read",
    "memory.write",
    "clock",
    "random",
    "net",
    "fs",
    "human",
    "spawn",
    "send",
    "suspend",
];

/// E0504 for a bound that is none: a mistyped effect would forbid what it was to allow.
pub fn unknown(db: &dyn Db, prelude: bool, effect: &EffectPath) -> Option<Diagnostic> {
    if effect.segments.iter().any(|segment| segment.name.is_missing()) {
        // The parser has said so.
        return None;
    }
    let named = path(effect);
    match named.split('.').collect::<Vec<_>>().as_slice() {
        // The paths below `human` are whatever is asked.
        ["human", ..] => None,
        ["tool", name, rest @ ..] => {
            rule::wrong_tool(db, prelude, name, rest).map(|(message, notes)| Diagnostic {
                notes,
                ..Diagnostic::new(codes::E0504, effect.span, message)
            })
        }
        _ if EFFECTS.contains(&&*named) => None,
        _ => {
            let message = format!("there is no effect `{named}`");
            let diagnostic = Diagnostic::new(codes::E0504, effect.span, message)
                .note(format!("the effects: {}, `tool.NAME.METHOD`", EFFECTS.join(", ")));
            Some(match nearest(&named, EFFECTS).first() {
                Some(near) => diagnostic.note(format!("did you mean `{near}`?")),
                None => diagnostic,
            })
        }
    }
}
