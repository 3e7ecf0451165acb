//! Timers: wake, cancel or call something at a moment of the session's clock.
//!
//! Never: sleeps or owns a thread. Workers fire what is due between jobs, idle ones park until the next deadline, and a
//! virtual clock jumps to it when nothing else can happen.

use crate::context::waker::Waker;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

pub const NEVER: u64 = u64::MAX;

pub enum Action {
    Wake(Waker),
    /// Runs on a worker between jobs: short, and never waits.
    Call(Box<dyn FnOnce() + Send>),
}

/// Names a timer; ordered by deadline, then by when it was set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimerId {
    deadline_ns: u64,
    sequence: u64,
}

pub struct Timers {
    // Written under the lock of `inner`; read by workers to see without it whether anything is due.
    next_ns: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sequence: u64,
    entries: BTreeMap<TimerId, Action>,
}

impl Default for Timers {
    fn default() -> Self {
        Self { next_ns: AtomicU64::new(NEVER), inner: Mutex::default() }
    }
}

impl Timers {
    /// Returns the timer and whether it is now the earliest.
    pub fn add(&self, deadline_ns: u64, action: Action) -> (TimerId, bool) {
        let mut inner = self.inner.lock();
        inner.sequence += 1;
        let id = TimerId { deadline_ns, sequence: inner.sequence };
        inner.entries.insert(id, action);
        let earliest = deadline_ns < self.next_ns.load(SeqCst);
        self.publish(&inner);
        (id, earliest)
    }

    /// A cancelled timer does not fire and does not move virtual time.
    pub fn cancel(&self, id: TimerId) {
        let mut inner = self.inner.lock();
        let removed = inner.entries.remove(&id);
        self.publish(&inner);
        drop(inner);
        drop(removed);
    }

    pub fn next_ns(&self) -> u64 {
        self.next_ns.load(SeqCst)
    }

    /// Takes what is due at `now_ns`, earliest first.
    pub fn take_due(&self, now_ns: u64) -> Vec<Action> {
        if self.next_ns() > now_ns {
            return Vec::new();
        }
        let mut inner = self.inner.lock();
        let later = inner.entries.split_off(&TimerId { deadline_ns: now_ns, sequence: NEVER });
        let due = std::mem::replace(&mut inner.entries, later);
        self.publish(&inner);
        due.into_values().collect()
    }

    pub fn clear(&self) {
        let mut inner = self.inner.lock();
        let dropped = std::mem::take(&mut inner.entries);
        self.publish(&inner);
        drop(inner);
        drop(dropped);
    }

    fn publish(&self, inner: &Inner) {
        let next = inner.entries.first_key_value().map_or(NEVER, |(id, _)| id.deadline_ns);
        self.next_ns.store(next, SeqCst);
    }
}

impl Action {
    pub fn fire(self) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Call(call) => call(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, NEVER, Timers};
    use std::sync::{Arc, Mutex};

    #[test]
    fn timers_fire_in_order_of_deadline_and_then_of_setting() {
        let timers = Timers::default();
        let fired = Arc::new(Mutex::new(Vec::new()));
        let set = |deadline_ns, name| {
            let fired = Arc::clone(&fired);
            timers
                .add(deadline_ns, Action::Call(Box::new(move || fired.lock().unwrap().push(name))))
        };
        assert!(set(20, "c").1);
        assert!(set(10, "a").1);
        assert!(!set(10, "b").1);
        let (dropped, _) = set(5, "cancelled");
        timers.cancel(dropped);
        assert_eq!(timers.next_ns(), 10);
        assert!(timers.take_due(9).is_empty());
        timers.take_due(20).into_iter().for_each(Action::fire);
        assert_eq!(*fired.lock().unwrap(), ["a", "b", "c"]);
        assert_eq!(timers.next_ns(), NEVER);
    }
}
