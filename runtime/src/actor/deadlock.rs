//! Finds cycles of agents that each wait, without timeout, for one other (L-70).
//!
//! Never: a false alarm: an edge stands only while its agent cannot do anything but wait, and the cycle is walked again under
//! a lock before it is reported, so of several that close one at the same time exactly one faults.

use crate::actor::reference::AgentRef;
use crate::actor::slab::Slot;
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::world::World;
use parking_lot::Mutex;
use std::sync::atomic::Ordering::SeqCst;

/// Serialises the second look; taken only when a cycle was seen.
static CLOSING_EDGE: Mutex<()> = Mutex::new(());

impl Cx {
    /// Says that this agent waits for `other` from now on, or faults if that closes a cycle. `stop_waiting` ends it.
    pub(crate) fn begin_waiting_for(&mut self, other: u64) -> Result<(), Faulted> {
        let Some(me) = self.serving.agent else { return Ok(()) };
        if other == 0 || self.has_time_limit() {
            return Ok(());
        }
        let world = std::sync::Arc::clone(&self.world);
        let Some(slot) = world.agents().slot(me.slot) else { return Ok(()) };
        slot.waits_for.store(other, SeqCst);
        if cycle(&world, me).is_none() {
            return Ok(());
        }
        let _turn = CLOSING_EDGE.lock();
        let Some(names) = cycle(&world, me) else { return Ok(()) };
        slot.waits_for.store(0, SeqCst);
        let path = names.join(" -> ");
        self.fail(code::DEADLOCK, format!("agents wait for each other: {path}"));
        Err(Faulted)
    }

    pub(crate) fn stop_waiting(&self) {
        if let Some(slot) = self.own_slot() {
            slot.waits_for.store(0, SeqCst);
        }
    }

    pub(crate) fn own_slot(&self) -> Option<&Slot> {
        self.serving.agent.and_then(|me| self.world.agents().slot(me.slot))
    }
}

/// The names along the edges from `me` back to `me`.
fn cycle(world: &World, me: AgentRef) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut current = me;
    // A walk that does not come back to `me` may run into a cycle of others.
    for _ in 0..=world.agents().live() {
        let slot = world.agents().slot(current.slot)?;
        let about = slot.about().filter(|about| about.reference == current)?;
        names.push(about.kind.name.to_string());
        current = AgentRef::unpack(slot.waits_for.load(SeqCst))?;
        if current == me {
            names.push(names.first()?.clone());
            return Some(names);
        }
    }
    None
}
