//! Scopes of a coroutine: what a block opens and every way out of it must close, innermost first.
//!
//! Never: closed out of order. Code that leaves blocks by a Fault, `return` or `?` calls `close_scopes` with the depth it
//! was given; the end of a job closes the rest.

use crate::context::Cx;
use crate::coord::work::{Reason, Work};
use crate::fault::code;
use crate::world::run::LimitTimer;
use std::sync::Arc;

pub(crate) const TIME_HAS_PASSED: &str = "the time limit of the block has passed";

/// What a block of kind B holds while it runs.
pub trait Scope: Send {
    fn close(self: Box<Self>, cx: &mut Cx);

    /// The resource and the token, if it is a lease.
    fn lease(&self) -> Option<(Arc<str>, u64)> {
        None
    }
}

impl Cx {
    /// Opens a scope and gives the depth to close it with.
    pub fn open_scope(&mut self, scope: Box<dyn Scope>) -> usize {
        self.scopes.push(scope);
        self.scopes.len() - 1
    }

    /// Closes scopes until `depth` of them are left.
    pub fn close_scopes(&mut self, depth: usize) {
        while self.scopes.len() > depth {
            if let Some(scope) = self.scopes.pop() {
                scope.close(self);
            }
        }
    }

    #[must_use]
    pub fn scope_depth(&self) -> usize {
        self.scopes.len()
    }

    /// Opens `@with_time_limit`: after `limit_ns` everything inside ends with R0602, also what it asked others for.
    pub fn open_time_limit(&mut self, limit_ns: u64) -> usize {
        let work = Work::time_limit(self.audience.clone(), self.work.as_ref());
        let reason = Reason::new(code::TIME, TIME_HAS_PASSED);
        let timer = self.world.limit_time(&work, reason, limit_ns);
        let outer = self.set_work(Some(Arc::clone(&work)));
        self.open_scope(Box::new(TimeLimit { work, outer, timer }))
    }

    /// A wait for a person begins: gives the limits that do not count this time, for [`Cx::resume_limits`].
    pub(crate) fn pause_limits(&self) -> Vec<Arc<Work>> {
        let now_ns = self.world.clock().monotonic_ns();
        self.work.as_ref().map(|work| work.begin_pause(now_ns)).unwrap_or_default()
    }

    pub(crate) fn resume_limits(&self, paused: &[Arc<Work>]) {
        let now_ns = self.world.clock().monotonic_ns();
        paused.iter().for_each(|limit| limit.end_pause(now_ns));
    }

    /// Whether nothing but a time limit or a lost lease of a block opened here cancels this coroutine: a `try` around that
    /// block catches it.
    #[must_use]
    pub fn is_only_block_over(&self) -> bool {
        !self.is_ended() && self.work.as_ref().is_some_and(|work| work.is_only_block_over())
    }

    /// The time limit that is in force: a wait under it ends by itself and is no deadlock.
    pub(crate) fn open_limit(&self) -> Option<&Work> {
        self.work.as_ref()?.open_limit()
    }
}

struct TimeLimit {
    work: Arc<Work>,
    outer: Option<Arc<Work>>,
    timer: LimitTimer,
}

impl Scope for TimeLimit {
    fn close(self: Box<Self>, cx: &mut Cx) {
        self.work.close_block();
        // A closed block's timer is not set anew.
        if let Some(timer) = self.timer.lock().take() {
            cx.world.scheduler().timers().cancel(timer);
        }
        cx.set_work(self.outer);
    }
}
