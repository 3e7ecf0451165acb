//! What `@speculative` promises (L-111): nothing it does, by itself or through calls, has to be undone outside.
//!
//! Messages and memory writes are held until it returns, variables of the session come back with a rollback, and money stays
//! spent. What cannot be undone is refused here (E0505). Never: looks into a method of a tool that may be repeated: what it
//! does is its own.

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::names::cell::ItemKey;
use crate::source::Span;
use crate::syntax::item::{Function, ItemKind};
use crate::types::attribute::find;
use crate::types::check::{FnPath, function_at, infer_function};
use crate::types::effects::{called_function, effects_of};
use crate::types::infer::finish::Checked;
use crate::types::infer::{Called, Facts};
use crate::types::tool;
use crate::types::ty::Name;

/// Effects that need no undoing (nobody outside sees them), that are held, or that stay by the rule.
const REVERSIBLE: &[&str] =
    &["clock", "random", "memory.read", "memory.write", "send", "suspend", "llm", "global"];

pub fn is_speculative(function: &Function) -> bool {
    find(&function.attrs, "speculative").is_some()
}

pub fn check<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path: FnPath,
    checked: &Checked,
) -> Vec<Diagnostic> {
    let Some(function) = function_at(item.tree(db), path) else { return Vec::new() };
    if is_speculative(function) {
        return irreversible(db, item, function, checked);
    }
    let effects = effects_of(db, &checked.facts, item.prelude(db));
    let sends = ["send", "memory.write"].iter().any(|effect| effects.contains_key(*effect));
    let warn = |span| {
        Diagnostic::new(codes::W0501, span, "what was sent or remembered before stays so")
            .note("a rollback takes back variables and the state of the agent; in a `@speculative` function messages wait for its return")
    };
    checked.facts.rollbacks.iter().filter(|_| sends).map(|at| warn(*at)).collect()
}

/// One diagnostic for each kind of thing that could not be undone, where it happens or where what does it is called.
fn irreversible<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    function: &Function,
    checked: &Checked,
) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut told: FxHashSet<String> = FxHashSet::default();
    let mut tell = |lasting: Lasting, span: Span, through: Option<&Called>| {
        if !told.insert(lasting.what.clone()) {
            return;
        }
        let call = through.map(|call| format!(", through `{}`", call.name)).unwrap_or_default();
        let message = format!(
            "`{}` is `@speculative` and has {}{call}, which cannot be undone",
            function.name.name, lasting.what
        );
        out.push(Diagnostic::new(codes::E0505, span, message).note(lasting.note));
    };
    for (lasting, span) in lasting_of(db, &checked.facts, true) {
        tell(lasting, span, None);
    }
    let mut seen = FxHashSet::default();
    for call in &checked.facts.calls {
        let mut todo = vec![(call.clone(), item.prelude(db))];
        while let Some((next, prelude)) = todo.pop() {
            let found = called_function(db, &next.name, next.member.as_ref(), prelude);
            let Some((item, path)) = found.filter(|found| seen.insert(*found)) else { continue };
            if is_repeatable(db, item, next.member.as_ref()) {
                continue;
            }
            let facts = &infer_function(db, item, path).facts;
            for (lasting, _) in lasting_of(db, facts, false) {
                tell(lasting, call.span, Some(call));
            }
            todo.extend(facts.calls.iter().map(|call| (call.clone(), item.prelude(db))));
        }
    }
    out
}

/// A method of a tool that only reads, or may be done twice.
fn is_repeatable(db: &dyn Db, item: ItemKey<'_>, method: Option<&Name>) -> bool {
    let is_tool = matches!(item.tree(db).kind, ItemKind::Tool(_));
    is_tool && method.is_some_and(|method| may_repeat(db, &item.name(db), method))
}

fn may_repeat(db: &dyn Db, owner: &Name, method: &str) -> bool {
    ["read_only", "idempotent"].iter().any(|promise| tool::marked(db, owner, method, promise))
}

/// Something that a rollback could not take back.
struct Lasting {
    what: String,
    note: &'static str,
}

/// What a body itself does of that. `is_own`: it is the speculative function's.
fn lasting_of(db: &dyn Db, facts: &Facts, is_own: bool) -> Vec<(Lasting, Span)> {
    let mut out: Vec<(Lasting, Span)> = Vec::new();
    for (effect, span) in &facts.effects {
        out.extend(lasting(db, effect).map(|lasting| (lasting, *span)));
    }
    let blind = facts.blind.iter().filter(|blind| is_own || !blind.is_parameter);
    out.extend(blind.map(|blind| {
        let what = "a function whose effects are not known".to_owned();
        let note = "say in its type what it may do: `((Int) -> Int uses none)`";
        (Lasting { what, note }, blind.span)
    }));
    out
}

fn lasting(db: &dyn Db, effect: &str) -> Option<Lasting> {
    let (what, note) = match effect {
        effect if REVERSIBLE.contains(&effect) => return None,
        "request" => (
            "a request",
            "its answer comes before it is certain that it was wanted; `@signal` waits for the return",
        ),
        "stop" => ("`@stop`", "an agent that stopped does not come back"),
        "channel" => (
            "an operation on a channel",
            "who is at its other end goes on with it; do it when the function has returned",
        ),
        "episode" => (
            "the id of an episode",
            "it is written when the function has returned; before that it has none",
        ),
        "output" => (
            "output",
            "what was shown was seen: give it back, and print it when the function has returned",
        ),
        "spawn" => (
            "the effect `spawn`",
            "what was begun goes on: begin it before, or when the function has returned",
        ),
        effect => {
            if let Some((owner, method)) =
                effect.strip_prefix("tool.").and_then(|path| path.split_once('.'))
            {
                if may_repeat(db, &Name::from(owner), method) {
                    return None;
                }
                let what = format!("the effect `{effect}`");
                return Some(Lasting {
                    what,
                    note: "a method that is `@read_only` or `@idempotent` may be called here",
                });
            }
            let what = format!("the effect `{effect}`");
            return Some(Lasting { what, note: "do it before, or when the function has returned" });
        }
    };
    Some(Lasting { what: what.to_owned(), note })
}
