//! Which worker of which scheduler the calling thread is.
//!
//! Never inlined: a coroutine may go on on another thread, and must not keep the address of a thread-local over that.

use crate::sched::scheduler::Scheduler;
use std::cell::Cell;
use std::ptr::null;

thread_local! {
    static CURRENT: Cell<(*const Scheduler, usize)> = const { Cell::new((null(), 0)) };
}

/// From now on the calling thread is this worker.
#[inline(never)]
pub fn become_worker(scheduler: &Scheduler, worker: usize) {
    CURRENT.set((std::ptr::from_ref(scheduler), worker));
}

/// The calling thread's number among the scheduler's workers, if it is one.
#[inline(never)]
pub fn worker_of(scheduler: &Scheduler) -> Option<usize> {
    // The pointer is compared, never followed.
    let (current, worker) = CURRENT.get();
    std::ptr::eq(current, scheduler).then_some(worker)
}
