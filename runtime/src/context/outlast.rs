//! Waiting for the end of what was cut off, so that what it held is given back before the caller goes on.
//!
//! Never: for something that may take long. A cancelled coroutine cannot wait otherwise, and this wait cannot be cancelled.

use crate::context::Cx;
use crate::context::waker::Waker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

struct Flag {
    // Written once, when the work is dropped; read by the coroutine that waits.
    ended: AtomicBool,
    waker: Waker,
}

/// Held by the work; its drop says that all of it is gone.
pub struct Ending(Arc<Flag>);

/// Held by whoever may have to wait for that.
pub struct Ended(Arc<Flag>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

impl Cx {
    pub(crate) fn ending(&self) -> (Ending, Ended) {
        let flag = Arc::new(Flag { ended: AtomicBool::new(false), waker: self.waker() });
        (Ending(Arc::clone(&flag)), Ended(flag))
    }

    pub(crate) fn outlast(&mut self, work: &Ended) {
        while !work.0.ended.load(Ordering::Acquire) {
            self.suspend();
        }
    }
}
