//! Run queues: one a worker, with a slot for the newest, and a shared one for what comes from outside.
//!
//! Never: blocks for longer than a push or a pop. The newest slot is private to its worker: what was just woken runs next
//! while its data is warm; others may steal only from the queue behind it.

use crate::coord::work::Reason;
use crate::fault::code;
use crate::sched::control::Control;
use crate::sched::coroutine::Job;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

pub enum Runnable {
    Start(Job),
    Resume(Arc<Control>),
}

impl Runnable {
    /// At the end of a world: a cell or task that never began still has somebody waiting for it.
    pub fn refuse(self) {
        if let Self::Start(Job::Task(start)) = self {
            let reason = Reason::new(code::AGENT_STOPPED, "the session is closing");
            start.work.finish(Err(reason.fault()));
        }
    }
}

/// The newest slot may hold a chain of agents that wake each other: after this many in a row the queue has its turn.
const NEWEST_IN_A_ROW: u32 = 64;

#[derive(Default)]
pub struct LocalQueue {
    inner: Mutex<Local>,
}

#[derive(Default)]
struct Local {
    newest: Option<Runnable>,
    streak: u32,
    queue: VecDeque<Runnable>,
}

impl LocalQueue {
    /// Puts `runnable` into the newest slot; true if something others could take waits behind it.
    pub fn push(&self, runnable: Runnable) -> bool {
        let mut local = self.inner.lock();
        if let Some(older) = local.newest.replace(runnable) {
            local.queue.push_back(older);
        }
        !local.queue.is_empty()
    }

    pub fn push_back(&self, runnable: Runnable) {
        self.inner.lock().queue.push_back(runnable);
    }

    pub fn pop(&self) -> Option<Runnable> {
        let mut local = self.inner.lock();
        if local.streak < NEWEST_IN_A_ROW
            && let Some(runnable) = local.newest.take()
        {
            local.streak += 1;
            return Some(runnable);
        }
        local.streak = 0;
        local.queue.pop_front().or_else(|| local.newest.take())
    }

    /// Moves the newest to where others can take it, before its worker goes on with something long.
    pub fn flush(&self) -> bool {
        let mut local = self.inner.lock();
        if let Some(runnable) = local.newest.take() {
            local.queue.push_back(runnable);
        }
        !local.queue.is_empty()
    }

    /// Half of the queue, the oldest first: one to run and the rest for the thief's own queue.
    pub fn steal_into(&self, thief: &Self) -> Option<Runnable> {
        let stolen: Vec<Runnable> = {
            let mut local = self.inner.lock();
            let half = local.queue.len().div_ceil(2);
            local.queue.drain(..half).collect()
        };
        let mut stolen = stolen.into_iter();
        let first = stolen.next()?;
        thief.inner.lock().queue.extend(stolen);
        Some(first)
    }

    pub fn is_empty(&self) -> bool {
        let local = self.inner.lock();
        local.newest.is_none() && local.queue.is_empty()
    }

    pub fn has_stealable(&self) -> bool {
        !self.inner.lock().queue.is_empty()
    }

    pub fn drain(&self) -> Vec<Runnable> {
        let Local { newest, queue, .. } = std::mem::take(&mut *self.inner.lock());
        newest.into_iter().chain(queue).collect()
    }
}
