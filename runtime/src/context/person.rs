//! Waiting for the person behind the cell.
//!
//! The coroutine keeps its place and gives its worker back; limits of time do not count the wait (L-96). Never: reads what
//! a person wrote; whoever asks does.

use crate::context::Cx;
use crate::context::sink::{Answer, Question};
use crate::coord::work::Work;
use crate::fault::Faulted;
use crate::world::World;
use std::sync::{Arc, Weak};

impl Cx {
    /// Puts a question to the person. `Ok(Err(why))`: nobody answered; `Err`: the wait was cancelled.
    pub(crate) fn ask_person(&mut self, prompt: String) -> Result<Answer, Faulted> {
        let audience = self.audience.clone();
        let paused = self.pause_limits();
        let answer = self.wait(|completer| audience.ask(Question::new(prompt, completer)));
        self.resume_limits(&paused);
        answer
    }

    /// The limits of time around this coroutine, to pause them from elsewhere.
    pub(crate) fn pauses(&self) -> Pauses {
        Pauses { work: self.work.clone(), world: Arc::downgrade(&self.world) }
    }
}

/// Limits of time that may have to wait for a person.
#[derive(Clone)]
pub(crate) struct Pauses {
    work: Option<Arc<Work>>,
    world: Weak<World>,
}

impl Pauses {
    /// Time does not count until what this gives is dropped.
    pub(crate) fn begin(&self) -> Paused {
        let now_ns = self.world.upgrade().map(|world| world.clock().monotonic_ns());
        let limits = match (&self.work, now_ns) {
            (Some(work), Some(now_ns)) => work.begin_pause(now_ns),
            _ => Vec::new(),
        };
        Paused { limits, world: Weak::clone(&self.world) }
    }
}

/// While it lives the limits wait.
pub(crate) struct Paused {
    limits: Vec<Arc<Work>>,
    world: Weak<World>,
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(world) = self.world.upgrade() {
            let now_ns = world.clock().monotonic_ns();
            self.limits.iter().for_each(|limit| limit.end_pause(now_ns));
        }
    }
}
