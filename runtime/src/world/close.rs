//! The end of a world.
//!
//! Never: drops a suspended coroutine, or waits without bound: one that is stuck in native code is left behind with its stack.

use crate::actor::reference::AgentRef;
use crate::coord::work::Reason;
use crate::fault::code;
use crate::world::World;
use std::time::{Duration, Instant};

/// How long coroutines have to come to their end. They stop at their next safepoint, so only native code takes longer.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_micros(200);

impl World {
    /// Ends everything. Called by the handle's drop; more calls are harmless.
    pub(crate) fn close(&self) {
        self.scheduler.close_coroutines();
        let patience = Instant::now() + PATIENCE;
        while self.scheduler.busy() > 0 && Instant::now() < patience {
            std::thread::sleep(LOOK_EVERY);
        }
        let all_ended = self.scheduler.busy() == 0;
        self.scheduler.stop_workers();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A worker that is stuck, or the calling thread itself, cannot be joined.
            if (all_ended || thread.is_finished())
                && thread.thread().id() != std::thread::current().id()
            {
                let _ = thread.join();
            }
        }
        self.scheduler.clear();
        self.retire_all();
        self.globals.clear();
    }

    /// Retires all agents and drops all globals; the workers, money and memory stay. To be called while no cell runs:
    /// a message or task under way ends at its next safepoint.
    pub fn forget(&self) {
        let all: Vec<AgentRef> =
            self.agents().tenants().map(|(about, _)| about.reference).collect();
        all.into_iter().for_each(|agent| self.stop_agent(agent));
        self.end_generation(&Reason::new(code::AGENT_STOPPED, "the session was reset"));
        self.globals.clear();
    }

    /// Waits until nothing runs or is runnable; timers may be set. For tests and for the end of a batch run.
    pub fn settle(&self) {
        while !self.scheduler.is_quiet() {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
