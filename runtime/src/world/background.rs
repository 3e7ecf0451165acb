//! Ending what runs without a cell: messages that agents handle, tasks that outlived theirs, whoever asked for them.
//!
//! Never: ends an agent by itself. A generation counts these ends: whatever stems from something begun in an earlier one is
//! over, also what it sends while it is being told, so that messages that keep sending the next one end too.

use crate::actor::message::Message;
use crate::actor::reference::AgentRef;
use crate::coord::work::Reason;
use crate::fault::code;
use crate::world::World;
use std::sync::atomic::Ordering::SeqCst;

impl World {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(SeqCst)
    }

    /// Whether a cell is under way, on any seat.
    fn has_cell(&self) -> bool {
        let cells = self.cells.lock();
        cells.iter().any(|(_, work)| work.upgrade().is_some_and(|work| !work.is_finished()))
    }

    /// Ends every message and task in the background, also the queued ones, unless a cell runs: that one is meant first.
    /// The agents live on. Says how many were under way.
    pub fn interrupt_background(&self) -> usize {
        if self.has_cell() {
            return 0;
        }
        self.end_generation(&Reason::new(code::TIME, "interrupted"))
    }

    pub(in crate::world) fn end_generation(&self, reason: &Reason) -> usize {
        let now = self.generation.fetch_add(1, SeqCst) + 1;
        self.scheduler().end_where(|_, born| born < now, reason)
    }

    /// The message an agent handles ends with R0704: it was asked to stop before and has not come to its end.
    pub(crate) fn end_message(&self, agent: AgentRef, name: &str) {
        let reason = Reason::new(code::AGENT_STOPPED, &format!("`{name}` was stopped"));
        self.scheduler().end_where(|served, _| served == agent.pack(), &reason);
    }

    /// Answers a message that stems from something that was ended; gives it back if it does not.
    pub(crate) fn refuse_ended(&self, message: Message) -> Option<Message> {
        if message.born >= self.generation() {
            return Some(message);
        }
        if let Some(reply) = &message.reply {
            reply.ignore();
            reply.finish(Err(Reason::new(code::TIME, "interrupted").fault()));
        }
        None
    }
}
