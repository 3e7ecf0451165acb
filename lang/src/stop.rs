//! Stopping the front end: whoever waits for a huge cell to be checked can have it given up.
//!
//! It unwinds to [`unless`], as salsa's own cancellation does: what was found so far is kept, what was under way is
//! computed anew when it is asked for again. Never: stops anything outside [`unless`], or leaves a cell half defined.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Written by the front end's caller for as long as it may be stopped; the flag itself by anybody.
    static FLAG: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// The work was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

/// Does `work`, unless `stop` becomes true before it is done.
pub fn unless<T>(stop: &Arc<AtomicBool>, work: impl FnOnce() -> T) -> Result<T, Stopped> {
    let before = FLAG.with(|flag| flag.replace(Some(Arc::clone(stop))));
    let result = catch_unwind(AssertUnwindSafe(work));
    FLAG.with(|flag| flag.replace(before));
    match result {
        Ok(value) => Ok(value),
        Err(payload) if payload.is::<Stopped>() => Err(Stopped),
        Err(payload) => resume_unwind(payload),
    }
}

/// Called for each token, node, expression and query.
#[inline]
pub fn look() {
    let is_set = FLAG.with(|flag| {
        // Relaxed: late is fine, and nothing else is read because of it.
        flag.borrow().as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    });
    if is_set {
        // Not a panic: no message is written.
        resume_unwind(Box::new(Stopped));
    }
}

#[cfg(test)]
mod tests {
    use super::{Stopped, look, unless};
    use crate::db::workspace::Workspace;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn only_what_may_be_stopped_is_and_other_panics_go_on() {
        let stop = Arc::new(AtomicBool::new(true));
        assert_eq!(unless(&stop, look), Err(Stopped));
        look();
        assert_eq!(unless(&Arc::default(), || 7), Ok(7));
        let other = std::panic::catch_unwind(|| {
            unless(&Arc::default(), || std::panic::resume_unwind(Box::new(1)))
        });
        assert!(other.is_err());
    }

    #[test]
    fn a_cell_that_was_given_up_leaves_nothing_and_can_be_checked_again() {
        let mut workspace = Workspace::new();
        let first = workspace.add_cell("function f(x : Int) -> Int { return x }\nlet a := f(1)");
        assert!(!workspace.check(first).has_errors());
        let text = "function f(x : Text) -> Text { return x }\nlet b := f(\"1\")";
        let stop = Arc::new(AtomicBool::new(true));
        let second = workspace.add_cell(text);
        assert_eq!(workspace.check_unless(second, &stop), Err(Stopped));
        workspace.discard(second);
        let third = workspace.add_cell("let c := f(2)");
        let checked = workspace.check(third);
        assert!(!checked.has_errors(), "the first `f` is in force: {:?}", checked.diagnostics);
        stop.store(false, Ordering::Relaxed);
        let fourth = workspace.add_cell(text);
        assert!(!workspace.check_unless(fourth, &stop).unwrap().has_errors());
    }
}
