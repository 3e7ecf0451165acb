//! The slots agents live in: type-stable, found by index without a lock, used again under another generation.
//!
//! Never: freed or moved while the world lives, so a stale reference finds a slot and is told by its generation.

use crate::actor::deadlock::Edge;
use crate::actor::instance::Instance;
use crate::actor::kind::{AgentType, TypeCell};
use crate::actor::mailbox::Mailbox;
use crate::actor::reference::AgentRef;
use crate::context::sink::Audience;
use crate::fault::Fault;
use crate::telemetry::event::Actor;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

const CHUNK: usize = 1024;
const CHUNKS: usize = 4096;

/// What an agent is doing, as the tables show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Activity {
    Idle = 0,
    Running = 1,
    Waiting = 2,
    Stopped = 3,
}

#[derive(Default)]
pub struct Slot {
    pub mailbox: Mailbox,
    /// Taken out by the run that holds the agent.
    instance: Mutex<Option<Box<Instance>>>,
    about: Mutex<Option<About>>,
    /// Why the state of a tenant could not be initialised, by its generation. Stays until the next one moves in.
    failed: Mutex<Option<(u32, Box<Fault>)>>,
    /// What this agent waits for without timeout. Written by its coroutine, read by those that look for cycles; under a
    /// lock, so of two that close a cycle at once one sees the other.
    edge: Mutex<Option<Edge>>,
    // Written by the run that holds the agent, read by snapshots.
    pub busy_ns: AtomicU64,
    pub sent: AtomicU64,
    pub faults: AtomicU64,
    activity: AtomicU8,
}

/// What stays known of an agent while it runs.
#[derive(Clone)]
pub struct About {
    pub reference: AgentRef,
    pub kind: Arc<AgentType>,
    pub cell: Arc<TypeCell>,
    pub actor: Actor,
    pub spawner: Audience,
}

impl Slot {
    pub fn take_instance(&self) -> Option<Box<Instance>> {
        self.instance.lock().take()
    }

    pub fn put_instance(&self, instance: Box<Instance>) {
        *self.instance.lock() = Some(instance);
    }

    pub fn fail(&self, generation: u32, fault: Box<Fault>) {
        *self.failed.lock() = Some((generation, fault));
    }

    /// What requests to a tenant that never began are answered with.
    #[must_use]
    pub fn failure(&self, generation: u32) -> Option<Box<Fault>> {
        let failed = self.failed.lock();
        failed.as_ref().filter(|(failed, _)| *failed == generation).map(|(_, fault)| fault.clone())
    }

    #[must_use]
    pub fn about(&self) -> Option<About> {
        self.about.lock().clone()
    }

    /// The definition the tenant has, and its name's cell, where a newer one may wait to be taken.
    #[must_use]
    pub fn kind_of(&self, agent: AgentRef) -> Option<(Arc<AgentType>, Arc<TypeCell>)> {
        let about = self.about.lock();
        let about = about.as_ref().filter(|about| about.reference == agent)?;
        Some((Arc::clone(&about.kind), Arc::clone(&about.cell)))
    }

    #[must_use]
    pub fn edge(&self) -> Option<Edge> {
        self.edge.lock().clone()
    }

    pub fn set_edge(&self, edge: Option<Edge>) {
        let old = std::mem::replace(&mut *self.edge.lock(), edge);
        drop(old);
    }

    pub fn set_kind(&self, kind: &Arc<AgentType>) {
        if let Some(about) = &mut *self.about.lock() {
            about.kind = Arc::clone(kind);
        }
    }

    #[must_use]
    pub fn activity(&self) -> Activity {
        match self.activity.load(Ordering::Relaxed) {
            1 => Activity::Running,
            2 => Activity::Waiting,
            3 => Activity::Stopped,
            _ => Activity::Idle,
        }
    }

    pub fn set_activity(&self, activity: Activity) {
        self.activity.store(activity as u8, Ordering::Relaxed);
    }
}

/// All agents of a world.
pub struct Slab {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    /// Slots that were left, with the generation of their next tenant.
    left: Vec<AgentRef>,
    /// The first slot never used.
    next: u32,
    live: u32,
}

impl Default for Slab {
    fn default() -> Self {
        Self { chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(), free: Mutex::default() }
    }
}

impl Slab {
    /// A place for a new agent, unless `limit` of them live.
    pub fn reserve(&self, limit: u32) -> Option<AgentRef> {
        let mut free = self.free.lock();
        if free.live >= limit {
            return None;
        }
        let place = match free.left.pop() {
            Some(place) => place,
            None if (free.next as usize) < CHUNK * CHUNKS => {
                free.next += 1;
                AgentRef { slot: free.next - 1, generation: 1 }
            }
            None => return None,
        };
        free.live += 1;
        Some(place)
    }

    /// Gives a place back. The next tenant has another generation.
    pub fn release(&self, agent: AgentRef) {
        let generation = agent.generation.checked_add(1).unwrap_or(1);
        let mut free = self.free.lock();
        free.left.push(AgentRef { slot: agent.slot, generation });
        free.live -= 1;
    }

    #[must_use]
    pub fn live(&self) -> u32 {
        self.free.lock().live
    }

    #[must_use]
    pub fn slot(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        let chunk = self.chunks.get(index / CHUNK)?;
        let slots = chunk.get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        slots.get(index % CHUNK)
    }

    /// Tells who lives in a slot from now on.
    pub fn introduce(&self, about: About) {
        if let Some(slot) = self.slot(about.reference.slot) {
            slot.set_edge(None);
            *slot.failed.lock() = None;
            for counter in [&slot.busy_ns, &slot.sent, &slot.faults] {
                counter.store(0, Ordering::Relaxed);
            }
            slot.set_activity(Activity::Idle);
            *slot.about.lock() = Some(about);
        }
    }

    pub fn forget(&self, agent: AgentRef) {
        if let Some(slot) = self.slot(agent.slot) {
            let about = slot.about.lock().take();
            drop(about);
        }
    }

    /// The slots of agents that live, in the order of their numbers.
    pub fn tenants(&self) -> impl Iterator<Item = (About, &Slot)> {
        let used = self.free.lock().next;
        (0..used).filter_map(|index| {
            let slot = self.slot(index)?;
            Some((slot.about()?, slot))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn a_slot_is_used_again_under_another_generation() {
        let slab = Slab::default();
        let first = slab.reserve(2).unwrap();
        let second = slab.reserve(2).unwrap();
        assert_ne!(first.slot, second.slot);
        assert_eq!(slab.reserve(2), None, "the limit holds");
        slab.release(first);
        let third = slab.reserve(2).unwrap();
        assert_eq!(third.slot, first.slot);
        assert_ne!(third.generation, first.generation);
        assert_eq!(slab.live(), 2);
    }
}
