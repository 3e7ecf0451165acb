//! The part of a coroutine that other threads may touch: its flags, its state, the work it does.
//!
//! Never: freed while its world lives (contexts are pooled), so a late wake or cancel finds a control, at worst one that
//! serves somebody else now, who then looks once more than needed.
//!
//! States and who moves them:
//! ```text
//! IDLE -> RUNNING          the worker that took it from the pool
//! RUNNING -> NOTIFIED      wake, any thread
//! RUNNING -> SUSPENDED     its worker, after the stack is saved
//! NOTIFIED -> RUNNING      its worker, which resumes it at once
//! SUSPENDED -> QUEUED      wake, any thread: exactly one wins, and puts it into a run queue
//! RUNNING -> QUEUED        its worker, when the fuel is gone
//! QUEUED -> RUNNING        the worker that took it from a run queue
//! RUNNING -> IDLE          its worker, at the end
//! ```
//! All of them are sequentially consistent: a waker that wrote its news before and reads RUNNING here is seen by the
//! exchange to SUSPENDED, which then fails. The body belongs to the worker that made the state RUNNING.

use crate::coord::work::{Reason, Work};
use crate::sched::coroutine::Body;
use crate::sched::scheduler::Scheduler;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::thread::Thread;

/// The work of this coroutine, or the work it was asked for by, is cancelled.
pub const CANCELLED: u32 = 1;
/// The world is closing: nothing waits any more.
pub const CLOSING: u32 = 2;

/// Whatever runs here was ended from outside, whoever asked for it; [`Control::ended`] says why.
pub const ENDED: u32 = 4;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const NOTIFIED: u8 = 2;
const SUSPENDED: u8 = 3;
const QUEUED: u8 = 4;

pub struct Control {
    /// What `cx.safepoint` points to. Written by cancellation and closing, read at every safepoint (relaxed: late is fine).
    pub flags: AtomicU32,
    /// The epoch of the function table its job began in; `u64::MAX` at rest. Written by its worker, read by
    /// whoever frees replaced code.
    pub epoch: AtomicU64,
    state: AtomicU8,
    scheduler: Weak<Scheduler>,
    /// It goes on on the compute threads. Written by its own coroutine, read by whoever makes it runnable.
    is_compute: AtomicBool,
    /// For a context outside any coroutine: the thread that waits.
    thread: Option<Thread>,
    work: Mutex<Option<Arc<Work>>>,
    /// Written by its worker when it begins something, read by whoever ends it from outside.
    served: Mutex<Served>,
    body: UnsafeCell<Body>,
}

/// What a coroutine is busy with, for those who end it without knowing its work: signals have none.
#[derive(Default)]
struct Served {
    /// The agent, packed, or 0.
    agent: u64,
    /// The generation of the world it stems from; 0 at rest.
    born: u64,
    ended: Option<Reason>,
}

// SAFETY: `body` is reached only by the worker that moved the state to RUNNING, one at a time (see the table above); the
// values on a suspended stack move between threads only while suspended, and counted values are made for that.
unsafe impl Send for Control {}
// SAFETY: as above; everything else in it is synchronised.
unsafe impl Sync for Control {}

impl Control {
    pub fn new(scheduler: Weak<Scheduler>) -> Arc<Self> {
        Self::build(scheduler, None)
    }

    /// For a context that belongs to the calling thread and to no coroutine.
    pub fn of_thread(scheduler: Weak<Scheduler>) -> Arc<Self> {
        Self::build(scheduler, Some(std::thread::current()))
    }

    fn build(scheduler: Weak<Scheduler>, thread: Option<Thread>) -> Arc<Self> {
        Arc::new(Self {
            flags: AtomicU32::new(0),
            epoch: AtomicU64::new(u64::MAX),
            state: AtomicU8::new(IDLE),
            scheduler,
            is_compute: AtomicBool::new(false),
            thread,
            work: Mutex::new(None),
            served: Mutex::default(),
            body: UnsafeCell::new(Body::default()),
        })
    }

    pub fn is_detached(&self) -> bool {
        self.thread.is_some()
    }

    /// Makes a suspended coroutine runnable, or lets a running one look again.
    pub fn wake(this: &Arc<Self>) {
        if let Some(thread) = &this.thread {
            return thread.unpark();
        }
        loop {
            let (from, to) = match this.state.load(SeqCst) {
                SUSPENDED => (SUSPENDED, QUEUED),
                RUNNING => (RUNNING, NOTIFIED),
                _ => return,
            };
            if this.state.compare_exchange(from, to, SeqCst, SeqCst).is_err() {
                continue;
            }
            if to == QUEUED
                && let Some(scheduler) = this.scheduler.upgrade()
            {
                scheduler.push_woken(Arc::clone(this));
            }
            return;
        }
    }

    /// From its next pause on it runs on the compute threads, or on the workers again.
    pub fn set_compute(&self, is_compute: bool) {
        self.is_compute.store(is_compute, SeqCst);
    }

    pub fn is_compute(&self) -> bool {
        self.is_compute.load(SeqCst)
    }

    /// The calling worker runs it now.
    pub(in crate::sched) fn begin_running(&self) {
        self.state.store(RUNNING, SeqCst);
    }

    /// After the stack is saved: true if it now sleeps, false if it was woken meanwhile and is to run on.
    pub(in crate::sched) fn try_sleep(&self) -> bool {
        self.state.compare_exchange(RUNNING, SUSPENDED, SeqCst, SeqCst).is_ok()
    }

    pub(in crate::sched) fn requeue(&self) {
        self.state.store(QUEUED, SeqCst);
    }

    pub(in crate::sched) fn rest(&self) {
        self.set_work(None);
        self.serve(0, 0);
        self.state.store(IDLE, SeqCst);
    }

    /// # Safety
    /// Only for the worker that made the state RUNNING, and for one borrow at a time.
    #[allow(clippy::mut_from_ref)]
    pub(in crate::sched) unsafe fn body(&self) -> &mut Body {
        // SAFETY: the caller is the only one with access.
        unsafe { &mut *self.body.get() }
    }

    /// From now on this coroutine is cancelled when `work` is.
    pub fn set_work(&self, work: Option<Arc<Work>>) {
        let mut current = self.work.lock();
        let cancelled = work.as_ref().is_some_and(|work| work.reason().is_some());
        *current = work;
        // Under the lock, so that it does not overwrite what `look_for_cancellation` finds for the new work.
        if cancelled {
            self.flags.fetch_or(CANCELLED, SeqCst);
        } else {
            self.flags.fetch_and(!CANCELLED, SeqCst);
        }
    }

    /// Something else begins here: an end that was meant for what was here before is void.
    pub fn serve(&self, agent: u64, born: u64) {
        let mut served = self.served.lock();
        *served = Served { agent, born, ended: None };
        // Under the lock, so that it does not overwrite what `end_if` finds for the new one.
        self.flags.fetch_and(!ENDED, SeqCst);
    }

    /// Ends what runs here if it is meant; says whether it was.
    pub fn end_if(this: &Arc<Self>, meant: impl Fn(u64, u64) -> bool, reason: &Reason) -> bool {
        {
            let mut served = this.served.lock();
            if served.born == 0 || served.ended.is_some() || !meant(served.agent, served.born) {
                return false;
            }
            served.ended = Some(reason.clone());
            this.flags.fetch_or(ENDED, SeqCst);
        }
        Self::wake(this);
        true
    }

    /// Why what runs here was ended, if it was.
    #[must_use]
    pub fn ended(&self) -> Option<Reason> {
        self.served.lock().ended.clone()
    }

    #[must_use]
    pub fn work(&self) -> Option<Arc<Work>> {
        self.work.lock().clone()
    }

    /// Called for every control after some work was cancelled.
    pub fn look_for_cancellation(this: &Arc<Self>) {
        {
            let work = this.work.lock();
            if work.as_ref().is_none_or(|work| work.reason().is_none()) {
                return;
            }
            this.flags.fetch_or(CANCELLED, SeqCst);
        }
        Self::wake(this);
    }

    pub fn close(this: &Arc<Self>) {
        this.flags.fetch_or(CLOSING, SeqCst);
        Self::wake(this);
    }
}
