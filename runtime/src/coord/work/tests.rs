//! Chains of works as deep as agents that each ask the next can make them: what is looked at, and that no stack is needed.

use super::{Reason, Work};
use crate::context::sink::Audience;
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    /// How many works were looked at for whether they are cancelled.
    pub static LOOKED: Cell<usize> = const { Cell::new(0) };
}

const DEPTH: usize = 20_000;

fn chain() -> Vec<Arc<Work>> {
    let mut works: Vec<Arc<Work>> = Vec::with_capacity(DEPTH);
    for _ in 0..DEPTH {
        let work = Work::new("go".into(), Audience::nobody(), works.last(), 0);
        works.push(work);
    }
    works
}

fn looked(act: impl FnOnce()) -> usize {
    let before = LOOKED.get();
    act();
    LOOKED.get() - before
}

/// What a chain costs that is as long as this: a constant for each work, not one for each work above it.
const LINEAR: usize = 4 * DEPTH;

#[test]
fn ending_a_chain_looks_at_each_work_a_few_times() {
    for from_the_top in [true, false] {
        let works = chain();
        let reason = Reason::new("R0602", "interrupted");
        assert!(works[0].mark_cancelled(&reason));
        let count = looked(|| {
            let ask = |work: &Arc<Work>| {
                assert_eq!(work.reason(), Some(reason.clone()));
                work.finish(Err(reason.fault()));
            };
            match from_the_top {
                true => works.iter().for_each(ask),
                false => works.iter().rev().for_each(ask),
            }
        });
        assert!((DEPTH..=LINEAR).contains(&count), "{count}");
    }
}

#[test]
fn a_cancellation_elsewhere_does_not_make_a_chain_be_walked_for_each_of_its_works() {
    let works = chain();
    let other = Work::new("other".into(), Audience::nobody(), works.first(), 0);
    assert!(other.mark_cancelled(&Reason::new("R0602", "late")));
    let count = looked(|| assert!(works.iter().rev().all(|work| work.reason().is_none())));
    assert!((DEPTH..=LINEAR).contains(&count), "{count}");
    assert!(other.reason().is_some());
}

#[test]
fn what_is_cancelled_after_it_was_found_clear_is_found() {
    let works = chain();
    let last = works.last().unwrap();
    assert_eq!(last.reason(), None);
    let reason = Reason::new("R0602", "interrupted");
    assert!(works[DEPTH / 2].mark_cancelled(&reason));
    assert_eq!(last.reason(), Some(reason.clone()));
    assert_eq!(works[DEPTH / 2 - 1].reason(), None);
    assert!(!last.mark_cancelled(&Reason::new("R0704", "again")), "it is over already");
    assert_eq!(last.reason(), Some(reason));
}

/// Sixteen pages: the stack of a coroutine is not deeper for a chain that is.
#[test]
fn a_chain_is_walked_and_dropped_on_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(64 << 10).spawn(|| {
        let works = chain();
        let inside = Work::time_limit(Audience::nobody(), works.last());
        let below = Work::new("below".into(), Audience::nobody(), Some(&inside), 0);
        assert!(works[DEPTH - 1].open_limit().is_none() && below.open_limit().is_some());
        inside.close_block();
        assert!(below.open_limit().is_none(), "the block was left");
        let mut limits = vec![inside];
        for _ in 0..DEPTH {
            let limit = Work::time_limit(Audience::nobody(), limits.last());
            limits.push(limit);
        }
        let above: Vec<_> = limits.iter().map(Arc::downgrade).collect();
        let last = Work::new("last".into(), Audience::nobody(), limits.last(), 0);
        drop(works);
        drop(limits);
        assert!(last.open_limit().is_some());
        drop(last);
        assert!(above[1..].iter().all(|work| work.upgrade().is_none()));
    });
    small.unwrap().join().unwrap();
}
