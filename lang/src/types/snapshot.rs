//! Globals assigned where only a snapshot of them is seen (L-75): in agents, tasks, and functions that are given to them, by
//! what these call (E0506). An assignment that stands there itself is refused where it is read (`infer::place`).
//!
//! Never: follows a function value through data; assigning by one that was put away is a Fault (R0713).

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::names::cell::ItemKey;
use crate::source::Span;
use crate::syntax::item::ItemKind;
use crate::types::infer::{Called, Facts};
use crate::types::reach::Walk;
use crate::types::ty::Name;

/// In a member of an item.
pub fn in_item<'db>(db: &'db dyn Db, item: ItemKey<'db>, facts: &Facts) -> Vec<Diagnostic> {
    let prelude = item.prelude(db);
    if !matches!(item.tree(db).kind, ItemKind::Agent(_)) {
        return in_tasks(db, facts, prelude);
    }
    let name = item.name(db);
    // Its own functions are told of where they call.
    let calls = facts.calls.iter().filter(|call| call.name != name);
    through(db, calls, prelude, "an agent")
}

/// In tasks and in functions that run in another coroutine.
pub fn in_tasks(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let crosses = |at: Span| facts.refs.crossing.iter().any(|crossing| crossing.encloses(at));
    let own = facts.assigned_at.iter().filter(|(_, at)| crosses(*at)).map(|(name, at)| {
        let message =
            format!("a function that runs in a task or an agent cannot assign the global `{name}`");
        refused(message, *at)
    });
    let calls = facts.calls.iter().filter(|call| crosses(call.span));
    own.chain(through(db, calls, prelude, "a task or an agent")).collect()
}

fn through<'a>(
    db: &dyn Db,
    calls: impl Iterator<Item = &'a Called>,
    prelude: bool,
    who: &str,
) -> Vec<Diagnostic> {
    calls
        .filter_map(|call| {
            let global: Name = Walk::new(db, prelude).from(call).assigns.pop_first()?;
            let message =
                format!("{who} cannot assign the global `{global}`, which `{}` does", call.name);
            Some(refused(message, call.span))
        })
        .collect()
}

fn refused(message: String, at: Span) -> Diagnostic {
    Diagnostic::new(codes::E0506, at, message).note(
        "it sees globals as they were when it started; give the value back and assign what `await` gives",
    )
}
