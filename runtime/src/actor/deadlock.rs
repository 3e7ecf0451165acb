//! Finds cycles of agents that each wait, without timeout, for one other (L-70).
//!
//! Never: a false alarm. An edge says what its agent waits for, and a cycle is reported only if, on a second walk over all of
//! it, no edge was fulfilled: the agent that looks is busy looking, so the one before it cannot be answered, so neither can the
//! one before that. The second walk is under a lock, so of several that close a cycle at once exactly one faults.
//!
//! Nor misses one: whoever is woken and has to wait on looks again, as those that looked meanwhile took it for going on. Who
//! waits under a time limit has no edge, and is woken when the block is left before its time.

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
            On::Reply(work) => match work.reason() {
                // Its performer may be in this cycle, too, and never come to it.
                Some(reason) => {
                    work.end_unbegun(&reason);
                    true
                }
                None => work.is_finished(),
            },
            On::Lease(resource, fence) => !world.leases().is_held(resource, *fence),
            On::Room(waker) => {
                let slot = world.agents().slot(self.other.slot);
                slot.is_none_or(|slot| !slot.mailbox.makes_wait(self.other.generation, waker))
            }
        }
    }
}

impl Cx {
    /// Says what this agent waits for from now on, or faults if that closes a cycle. To be said before each suspension;
    /// `stop_waiting` ends it.
    pub(crate) fn begin_waiting(&mut self, other: u64, on: On) -> Result<(), Faulted> {
        let (Some(me), Some(other)) = (self.serving.agent, AgentRef::unpack(other)) else {
            return Ok(());
        };
        if self.is_under_limit(me) {
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
        let Some(me) = self.serving.agent else { return };
        self.own_slot().iter().for_each(|slot| slot.set_edge(None));
        self.open_limit().iter().for_each(|limit| limit.forget_inside(me.pack()));
    }

    /// Whether a limit ends this wait; if it is left before, the agent is woken to look again.
    fn is_under_limit(&self, me: AgentRef) -> bool {
        while let Some(limit) = self.open_limit() {
            if limit.wake_when_left(me.pack(), self.waker()) {
                return true;
            }
        }
        false
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
