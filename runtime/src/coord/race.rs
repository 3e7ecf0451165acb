//! `@race`: the first of several futures to end.
//!
//! Never: returns while a loser still runs. Each is told to end, one that nobody has begun ends at once, and the others are
//! waited for; so what they held (reservations, leases) has been given back or charged by then.

use crate::context::Cx;
use crate::coord::work::{Outcome, Reason, Work};
use crate::fault::{Faulted, code};
use crate::value::list::ListRef;
use crate::value::native;
use crate::value::owned::Owned;
use std::sync::Arc;

pub fn run(cx: &mut Cx, futures: ListRef<'_>) -> Result<Owned, Faulted> {
    let works: Vec<Arc<Work>> =
        futures.items().iter().filter_map(|&future| native::payload(future)).collect();
    if works.is_empty() {
        cx.fail(code::DEADLOCK, "a race of no futures never ends");
        return Err(Faulted);
    }
    let first = cx.poll_until(|waker| {
        works.iter().enumerate().find_map(|(at, work)| Some((at, work.poll(waker)?)))
    });
    forget(cx, &works);
    let (winner, outcome): (usize, Outcome) = first?;
    let losers: Vec<Arc<Work>> = works
        .into_iter()
        .enumerate()
        .filter(|(at, _)| *at != winner)
        .map(|(_, work)| work)
        .collect();
    end(cx, &losers, &Reason::new(code::TIME, "another future of the race ended first"))?;
    outcome.map_err(|fault| {
        cx.raise(fault);
        Faulted
    })
}

/// Cancels works and waits until they have ended.
pub(crate) fn end(cx: &mut Cx, works: &[Arc<Work>], reason: &Reason) -> Result<(), Faulted> {
    let world = Arc::clone(&cx.world);
    for work in works {
        work.ignore();
        world.cancel(work, reason);
        work.end_unbegun(reason);
    }
    let ended = cx.poll_until(|waker| {
        works.iter().all(|work| work.is_finished() || work.poll(waker).is_some()).then_some(())
    });
    forget(cx, works);
    ended
}

fn forget(cx: &Cx, works: &[Arc<Work>]) {
    let waker = cx.waker();
    works.iter().for_each(|work| work.forget_waiter(&waker));
}
