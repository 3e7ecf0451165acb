//! Function values whose effects nobody counted, where effects are bounded: `uses` (L-90), clauses and initial states (L-91).
//!
//! What a lambda or a named function does counts where it is written, and so for whoever hands it on as a parameter. What was
//! put away and comes back, from a global, a field, a list, may do anything that its type allows. Never: guesses what it is.

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::item::Function;
use crate::types::infer::blind::Blind;
use crate::types::infer::bounded::words;
use crate::types::infer::{Called, Facts};
use crate::types::reach::Walk;

const NOTE: &str = "say in its type what it may do: `((Int) -> Int uses none)`";

/// Where such a value is used, and the call through which.
struct Use {
    span: Span,
    through: String,
}

fn through(db: &dyn Db, calls: &[Called], prelude: bool) -> Option<Use> {
    let mut walk = Walk::new(db, prelude);
    let call = calls.iter().find(|call| walk.from(call).is_blind)?;
    Some(Use { span: call.span, through: format!(" through `{}`", call.name) })
}

fn own(facts: &Facts, counts: impl Fn(&Blind) -> bool) -> Option<Use> {
    let blind = facts.blind.iter().find(|blind| counts(blind))?;
    Some(Use { span: blind.span, through: String::new() })
}

/// E0504: a function with `uses` calls what may have any effect. Its own parameters count for its callers.
pub fn exceeding(
    db: &dyn Db,
    function: &Function,
    facts: &Facts,
    prelude: bool,
) -> Vec<Diagnostic> {
    if function.uses.is_none() {
        return Vec::new();
    }
    let found = own(facts, |blind| !blind.is_parameter);
    let found = found.or_else(|| through(db, &facts.calls, prelude));
    let tell = |found: Use| {
        let message = format!(
            "`{}` calls a function{} that may have any effect, which its `uses` does not allow",
            function.name.name, found.through
        );
        Diagnostic::new(codes::E0504, found.span, message).note(NOTE)
    };
    found.map(tell).into_iter().collect()
}

/// E0504: a function that is given where its effects are bounded calls what may have any.
pub fn given(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let each = facts.given.iter().filter_map(|given| {
        let found = own(facts, |blind| given.span.encloses(blind.span));
        let found = found.or_else(|| through(db, &given.calls, prelude))?;
        let message = format!(
            "this function calls one{} that may have any effect, and only `{}` is allowed",
            found.through,
            words(&given.bound)
        );
        Some(Diagnostic::new(codes::E0504, given.span, message).note(NOTE))
    });
    each.collect()
}

/// E0603: a clause hands on, or reaches, what may do anything. One that it calls itself is told where it is read.
pub fn in_clauses(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let each = facts.clauses.iter().filter_map(|clause| {
        let handed_on = |blind: &Blind| !blind.is_called && clause.span.encloses(blind.span);
        let found = own(facts, handed_on).or_else(|| through(db, &clause.calls, prelude))?;
        let word = clause.clause.kind.word();
        let message =
            format!("`{word}` uses a function value{}, which may do anything", found.through);
        Some(Diagnostic::new(codes::E0603, found.span, message).note(NOTE))
    });
    each.collect()
}

/// E0603: the initial value of a state calls what may wait.
pub fn in_initial_state(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let found = own(facts, |_| true).or_else(|| through(db, &facts.calls, prelude));
    let tell = |found: Use| {
        let message = format!(
            "this initial value calls a function{} that may do anything, also wait",
            found.through
        );
        Diagnostic::new(codes::E0603, found.span, message).note(NOTE)
    };
    found.map(tell).into_iter().collect()
}
