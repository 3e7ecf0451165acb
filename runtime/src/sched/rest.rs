//! Where threads outside wait until the worker of a virtual clock rests.
//!
//! Never: decides what rest is, or lets real time decide anything: waiters look again now and then only to see whether they
//! were interrupted.

use parking_lot::{Condvar, Mutex};
use std::time::Duration;

/// How late an interrupt is seen at most.
const LOOK_EVERY: Duration = Duration::from_millis(5);

#[derive(Default)]
pub struct Rest {
    // Guards nothing: it orders a look before the wait that follows it.
    lock: Mutex<()>,
    rests: Condvar,
}

impl Rest {
    pub fn wait_until(&self, is_over: impl Fn() -> bool) {
        let mut guard = self.lock.lock();
        while !is_over() {
            self.rests.wait_for(&mut guard, LOOK_EVERY);
        }
    }

    pub fn tell(&self) {
        let _guard = self.lock.lock();
        self.rests.notify_all();
    }
}
