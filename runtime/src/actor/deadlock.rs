//! Finds cycles of agents that each wait, without timeout, for one other (L-70).
//!
//! Never: a false alarm. An edge says what its agent waits for, and a cycle is reported only if, on a second walk over all of
//! it, no edge was fulfilled: the agent that looks is busy looking, so the one before it cannot be answered, so neither can the
//! one before that. The second walk is under a lock, so of several that close a cycle at once exactly one faults.

use crate::actor::reference::AgentRef;
use crate::actor::slab::Slot;
use crate::context::Cx;
use crate::context::waker::Waker;
use crate::coord::work::{Reason, Work};
use crate::fault::{Faulted, code};
use crate::world::World;
use parking_lot::Mutex;
use std::sync::Arc;

/// Serialises the second look; taken only when a cycle was seen.
static CLOSING_EDGE: Mutex<()> = Mutex::new(());

/// What an agent waits for, and which agent has to act for it.
#[derive(Clone)]
pub struct Edge {
    pub other: AgentRef,
    pub on: On,
}

#[derive(Clone)]
pub enum On {
    Reply(Arc<Work>),
    /// Room in the other's mailbox; the waker it holds while there is none.
    Room(Waker),
    /// The lease of this name, from the holder with this token.
    Lease(Arc<str>, u64),
}

impl Edge {
    /// Whether the agent can go on already, and has only not done so yet.
    fn is_fulfilled(&self, world: &World) -> bool {
        match &self.on {
            On::Reply(work) => work.is_finished() || work.reason().is_some(),
            On::Lease(resource, fence) => !world.leases().is_held(resource, *fence),
            On::Room(waker) => {
                let slot = world.agents().slot(self.other.slot);
                slot.is_none_or(|slot| !slot.mailbox.makes_wait(self.other.generation, waker))
            }
        }
    }
}

impl Cx {
    /// Says what this agent waits for from now on, or faults if that closes a cycle. `stop_waiting` ends it.
    pub(crate) fn begin_waiting(&mut self, other: u64, on: On) -> Result<(), Faulted> {
        let (Some(me), Some(other)) = (self.serving.agent, AgentRef::unpack(other)) else {
            return Ok(());
        };
        if self.has_time_limit() {
            return Ok(());
        }
        let world = Arc::clone(&self.world);
        let Some(slot) = world.agents().slot(me.slot) else { return Ok(()) };
        slot.set_edge(Some(Edge { other, on }));
        if cycle(&world, me).is_none() {
            return Ok(());
        }
        let _turn = CLOSING_EDGE.lock();
        let Some(members) = cycle(&world, me) else { return Ok(()) };
        if members.iter().any(|(_, edge)| edge.is_fulfilled(&world)) {
            return Ok(());
        }
        slot.set_edge(None);
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        names.extend(names.first().copied());
        let message = format!("agents wait for each other: {}", names.join(" -> "));
        if let Some((_, Edge { on: On::Reply(work), .. })) = members.first() {
            // Performed later it would close the same cycle again.
            work.end_unbegun(&Reason::new(code::DEADLOCK, &message));
        }
        self.fail(code::DEADLOCK, message);
        Err(Faulted)
    }

    pub(crate) fn stop_waiting(&self) {
        if let Some(slot) = self.own_slot() {
            slot.set_edge(None);
        }
    }

    pub(crate) fn own_slot(&self) -> Option<&Slot> {
        self.serving.agent.and_then(|me| self.world.agents().slot(me.slot))
    }
}

/// The names, as traces have them, and edges from `me` back to `me`.
fn cycle(world: &World, me: AgentRef) -> Option<Vec<(String, Edge)>> {
    let mut members = Vec::new();
    let mut current = me;
    // A walk that does not come back to `me` may run into a cycle of others.
    for _ in 0..=world.agents().live() {
        let slot = world.agents().slot(current.slot)?;
        let about = slot.about().filter(|about| about.reference == current)?;
        let edge = slot.edge()?;
        current = edge.other;
        members.push((format!("{}#{}", about.kind.name, about.actor.number()), edge));
        if current == me {
            return Some(members);
        }
    }
    None
}
