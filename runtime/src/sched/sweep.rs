//! Which coroutines have still to be told that something was cancelled.
//!
//! Never: tells them itself, or forgets one: a cancellation during a sweep begins a new round at the place the sweep has come
//! to. Coroutines that are made meanwhile look for themselves when they get their work.

use crate::sched::control::Control;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[derive(Default)]
pub struct Sweep {
    round: Mutex<Round>,
    // Whether anything is left of the round; written under its lock, read without.
    pending: AtomicBool,
}

#[derive(Default)]
struct Round {
    at: usize,
    left: usize,
}

impl Sweep {
    /// All `count` there are have to be told, also those that were told of something before.
    pub fn begin(&self, count: usize) {
        let mut round = self.round.lock();
        round.left = count;
        self.pending.store(count > 0, SeqCst);
    }

    pub fn is_pending(&self) -> bool {
        self.pending.load(SeqCst)
    }

    /// The next ones of `all`, at most `most`; from then on they are the caller's to tell.
    pub fn take(&self, all: &[Arc<Control>], most: usize) -> Vec<Arc<Control>> {
        let mut round = self.round.lock();
        let count = round.left.min(most).min(all.len());
        let from = if round.at < all.len() { round.at } else { 0 };
        let (before, after) = all.split_at(from);
        let some = after.iter().chain(before).take(count).cloned().collect();
        round.left = if count == 0 { 0 } else { round.left - count };
        round.at = from + count;
        if round.at >= all.len() {
            round.at -= all.len();
        }
        self.pending.store(round.left > 0, SeqCst);
        some
    }
}

#[cfg(test)]
mod tests {
    use super::Sweep;
    use crate::sched::control::Control;
    use std::sync::{Arc, Weak};

    fn controls(count: usize) -> Vec<Arc<Control>> {
        (0..count).map(|_| Control::new(Weak::new())).collect()
    }

    /// How often each was taken.
    fn counts(all: &[Arc<Control>], taken: &[Arc<Control>]) -> Vec<usize> {
        let same = |one| taken.iter().filter(|other| Arc::ptr_eq(one, other)).count();
        all.iter().map(same).collect()
    }

    #[test]
    fn a_round_meets_each_once_in_bounded_parts() {
        let (sweep, all) = (Sweep::default(), controls(10));
        assert!(!sweep.is_pending() && sweep.take(&all, 3).is_empty());
        sweep.begin(all.len());
        let mut taken = Vec::new();
        while sweep.is_pending() {
            let some = sweep.take(&all, 4);
            assert!((1..=4).contains(&some.len()));
            taken.extend(some);
        }
        assert_eq!(counts(&all, &taken), vec![1; 10]);
    }

    #[test]
    fn a_cancellation_during_a_round_meets_all_again() {
        let (sweep, all) = (Sweep::default(), controls(5));
        sweep.begin(all.len());
        sweep.take(&all, 3);
        sweep.begin(all.len());
        let mut taken = Vec::new();
        while sweep.is_pending() {
            taken.extend(sweep.take(&all, 2));
        }
        assert_eq!(counts(&all, &taken), vec![1; 5]);
    }

    #[test]
    fn a_round_ends_when_all_coroutines_are_gone() {
        let (sweep, all) = (Sweep::default(), controls(3));
        sweep.begin(all.len());
        sweep.take(&all, 2);
        assert!(sweep.take(&[], 2).is_empty() && !sweep.is_pending());
    }
}
