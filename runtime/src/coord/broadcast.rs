//! `@broadcast`: a message that agents hand on to each other, so that telling n of them takes O(log n) rounds.
//!
//! The receivers stand in an order that the topology gives, and every teller has a stretch of it for which it is responsible.
//! It tells the first agents of at most `fanout` parts of its stretch, each of which takes over the rest of its part, and does
//! so before it handles the message itself. Stretches never overlap, so nobody is told twice; an agent that has stopped or whose
//! mailbox is full is passed over, and its stretch stays with who found that out. Never: waits.

use crate::actor::mailbox::Pushed;
use crate::actor::message::Message;
use crate::actor::reference::AgentRef;
use crate::actor::request::{Posted, rank_of};
use crate::actor::selector::Selector;
use crate::actor::slab::Slot;
use crate::context::{Cx, Serving};
use crate::coord::shard::Topology;
use crate::fault::{Faulted, code};
use crate::journal::track::Track;
use crate::rng::Rng;
use crate::value::owned::Owned;
use crate::world::World;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub struct Broadcast {
    pub topology: Topology,
    pub fanout: i64,
}

/// One broadcast: what every teller needs to know.
pub struct Plan {
    /// The receivers in the order in which stretches are cut.
    order: Vec<u64>,
    fanout: usize,
    selector: Selector,
    payload: Vec<Owned>,
    /// The strand of each receiver inside a recording, which does not depend on the order.
    tracks: FxHashMap<u64, Arc<Track>>,
}

/// What the receiver of a message has still to do: to tell this stretch of the plan.
#[derive(Clone)]
pub struct Relay {
    plan: Arc<Plan>,
    rest: Range<usize>,
}

/// Cuts a stretch into at most `fanout` parts of nearly equal length.
fn parts(rest: Range<usize>, fanout: usize) -> impl Iterator<Item = Range<usize>> {
    let length = rest.len();
    let count = fanout.clamp(1, length.max(1));
    let at = move |part: usize| rest.start + part * length / count;
    (0..count).map(move |part| at(part)..at(part + 1)).filter(|part| !part.is_empty())
}

/// The receivers in the order of the topology. A ring begins behind the sender; a mesh has no order of its own.
fn ordered(mut agents: Vec<u64>, topology: Topology, sender: u64, rng: &mut Rng) -> Vec<u64> {
    match topology {
        Topology::Mesh => {
            for at in (1..agents.len()).rev() {
                let other = usize::try_from(rng.below(at as u64 + 1)).unwrap_or(at);
                agents.swap(at, other);
            }
        }
        Topology::Ring => {
            if let Some(own) = agents.iter().position(|&agent| agent == sender) {
                let count = agents.len();
                agents.rotate_left((own + 1) % count);
            }
        }
        Topology::Star => {}
    }
    agents
}

impl Cx {
    /// Tells the first of them and comes back; they tell the others.
    pub fn broadcast(
        &mut self,
        agents: Vec<u64>,
        selector: Selector,
        payload: Vec<Owned>,
        broadcast: &Broadcast,
    ) -> Result<(), Faulted> {
        let Ok(fanout @ 1..) = usize::try_from(broadcast.fanout) else {
            let message = format!("a fanout of {}: it is at least 1", broadcast.fanout);
            self.fail(code::INVALID_CONVERSION, message);
            return Err(Faulted);
        };
        // A message that the agents' code does not have is the sender's mistake, found before anything is sent.
        let payload = self.all_crossing_whole(payload)?;
        for &agent in &agents {
            self.rank_for(agent, selector, &payload)?;
        }
        if self.is_holding() {
            let broadcast = *broadcast;
            self.hold_back(Box::new(move |cx| cx.broadcast(agents, selector, payload, &broadcast)));
            return Ok(());
        }
        let world = Arc::clone(&self.world);
        let sender = self.serving.agent.map_or(0, AgentRef::pack);
        let track = self.audience.track.as_ref();
        let child = |agent: &u64| Some((*agent, track?.child()?));
        let tracks = agents.iter().filter_map(child).collect();
        let order = world.with_gossip(|rng| ordered(agents, broadcast.topology, sender, rng));
        let all = 0..order.len();
        // The centre of a star is told alone and tells everybody.
        let (first, fanout) = match broadcast.topology {
            Topology::Star => (1, order.len().max(1)),
            _ => (fanout, fanout),
        };
        let plan = Arc::new(Plan { order, fanout, selector, payload, tracks });
        world.tell(&plan, parts(all, first).collect(), &self.serving.clone(), self.own_slot());
        Ok(())
    }

    /// Hands a message on before it is handled.
    pub(crate) fn relay(&self, message: &Message) {
        if let Some(relay) = &message.relay {
            self.world.relay(relay, &self.serving, self.own_slot());
        }
    }
}

impl World {
    /// Also for a message that will not be handled, because its receiver stopped.
    pub(crate) fn relay(&self, relay: &Relay, teller: &Serving, slot: Option<&Slot>) {
        let parts = parts(relay.rest.clone(), relay.plan.fanout).collect();
        self.tell(&relay.plan, parts, teller, slot);
    }

    /// Tells the first agent of each part, which takes over the rest of it.
    fn tell(
        &self,
        plan: &Arc<Plan>,
        mut parts: Vec<Range<usize>>,
        teller: &Serving,
        own: Option<&Slot>,
    ) {
        parts.reverse();
        while let Some(mut part) = parts.pop() {
            let Some(first) = part.next() else { continue };
            let told = plan.order.get(first).copied().and_then(AgentRef::unpack);
            let relay = Relay { plan: Arc::clone(plan), rest: part.clone() };
            if !told.is_some_and(|to| self.tell_one(to, relay, teller, own)) && !part.is_empty() {
                parts.push(part);
            }
        }
    }

    fn tell_one(&self, to: AgentRef, relay: Relay, teller: &Serving, own: Option<&Slot>) -> bool {
        let Some(slot) = self.agents().slot(to.slot) else { return false };
        let track = relay.plan.tracks.get(&to.pack()).cloned();
        let (selector, payload) = (relay.plan.selector, relay.plan.payload.clone());
        let Some((kind, cell)) = slot.kind_of(to) else { return false };
        let Some(rank) = rank_of(&kind, &cell, selector, &payload) else { return false };
        let id = self.telemetry().next_message(self.scheduler());
        let message = Message {
            id,
            cause: teller.message,
            born: if teller.born == 0 { self.generation() } else { teller.born },
            sender: teller.agent,
            selector,
            payload,
            reply: None,
            limits: None,
            track,
            rank,
            sent_ns: self.clock().monotonic_ns(),
            relay: Some(Box::new(relay)),
        };
        let posted = Posted::of(&message);
        match slot.mailbox.push(to.generation, Box::new(message), None) {
            Pushed::Queued { schedule } => {
                self.sent(teller, own, to, &posted, schedule);
                true
            }
            Pushed::Full(..) | Pushed::Gone(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ordered, parts};
    use crate::coord::shard::Topology;
    use crate::rng::Seed;
    use proptest::{prop_assert, prop_assert_eq, proptest};
    use std::ops::Range;

    /// Plays a broadcast in rounds: who is told in one tells in the next. Gives how often each was told, and the rounds.
    fn play(count: usize, fanout: usize) -> (Vec<u32>, u32) {
        let mut told = vec![0; count];
        let mut rounds = 0;
        let all: Range<usize> = 0..count;
        let mut tellers = vec![all];
        while !tellers.is_empty() {
            let mut next = Vec::new();
            for rest in tellers {
                let own: Vec<_> = parts(rest, fanout).collect();
                assert!(own.len() <= fanout, "nobody tells more than the fanout");
                for mut part in own {
                    told[part.next().unwrap()] += 1;
                    next.extend((!part.is_empty()).then_some(part));
                }
            }
            rounds += 1;
            tellers = next;
        }
        (told, rounds)
    }

    proptest! {
        #[test]
        fn everybody_is_told_once_in_logarithmic_rounds(count in 1usize..10_000, fanout in 2usize..6) {
            let (told, rounds) = play(count, fanout);
            prop_assert!(told.iter().all(|&times| times == 1));
            // After r rounds a tree of this fanout has 1 + f + .. + f^r nodes, the sender among them.
            let bound = (count as f64 * (fanout - 1) as f64 + 1.0).log(fanout as f64).ceil() as u32;
            prop_assert!(rounds <= bound + 1, "{rounds} rounds for {count} by {fanout}, {bound} expected");
        }

        #[test]
        fn every_topology_orders_all_receivers(count in 0u64..200, sender in 0u64..200, seed: u64) {
            for topology in [Topology::Mesh, Topology::Ring, Topology::Star] {
                let mut rng = Seed(seed).rng();
                let mut order = ordered((0..count).collect(), topology, sender, &mut rng);
                if topology == Topology::Ring && sender < count {
                    prop_assert_eq!(order.last(), Some(&sender), "a ring ends where it began");
                }
                order.sort_unstable();
                prop_assert_eq!(order, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn ten_thousand_agents_are_told_in_nine_rounds() {
        assert_eq!(play(10_000, 3).1, 9);
    }
}
