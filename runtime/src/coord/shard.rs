//! Shards: agents of one kind that share work by key (`@shard`, `@shard_for`).
//!
//! Never: changes after it was made, or keeps its agents alive. A key goes to its shard by jump consistent hashing (Lamping,
//! Veach, 2014): with one more shard one key in n + 1 moves, and only to the new one.

use crate::actor::kind::TypeId;
use crate::actor::supervisor::Supervise;
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::value::native;
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use std::sync::Arc;

/// How messages to all of them travel (`@broadcast`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Topology {
    /// Everybody may tell everybody.
    #[default]
    Mesh,
    /// Each tells those behind it on the ring, at growing distances.
    Ring,
    /// The first one tells all others.
    Star,
}

#[derive(Debug)]
pub struct Shards {
    /// The name of the agents' type.
    pub kind: Arc<str>,
    /// Packed references, in order.
    pub agents: Vec<u64>,
    pub topology: Topology,
}

/// The value of the language.
#[must_use]
pub fn handle(shards: Arc<Shards>) -> u64 {
    native::native(ShapeId::opaque("Shards"), shards)
}

/// Which of `shards` a key with this hash belongs to; `None` if there are none.
#[must_use]
pub fn place(hash: u64, shards: usize) -> Option<usize> {
    let shards = i64::try_from(shards).ok().filter(|&shards| shards > 0)?;
    // The hash of a value may leave bits unused; the generator below wants all of them.
    let mut key = mixed(hash);
    let (mut found, mut next) = (0, 0);
    while next < shards {
        found = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let step = f64::from(1u32 << 31) / ((key >> 33) + 1) as f64;
        next = ((found + 1) as f64 * step) as i64;
    }
    usize::try_from(found).ok()
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014).
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

impl Cx {
    /// `@shard`: all of them or, with R0703, none.
    pub fn shard(
        &mut self,
        kind: TypeId,
        count: i64,
        topology: Topology,
        inputs: Vec<Owned>,
        supervise: Supervise,
    ) -> Result<Arc<Shards>, Faulted> {
        let Ok(count) = u32::try_from(count) else {
            self.fail(code::INVALID_CONVERSION, format!("there cannot be {count} shards"));
            return Err(Faulted);
        };
        let limit = self.world.limits().agents;
        if self.world.agents().live().saturating_add(count) > limit {
            let message = format!("{count} more shards would make more than {limit} agents");
            self.fail(code::AGENT_LIMIT, message);
            return Err(Faulted);
        }
        let name = self.world.agent_types().cell(kind).map(|cell| Arc::clone(cell.name()));
        let inputs = self.all_crossing_whole(inputs)?;
        let mut agents = Vec::with_capacity(count as usize);
        for _ in 0..count {
            match self.spawn(kind, inputs.clone(), supervise) {
                Ok(agent) => agents.push(agent.pack()),
                Err(Faulted) => {
                    // Somebody else took the last places meanwhile.
                    agents.into_iter().for_each(|agent| self.stop_agent(agent));
                    return Err(Faulted);
                }
            }
        }
        let kind = name.unwrap_or_else(|| "?".into());
        Ok(Arc::new(Shards { kind, agents, topology }))
    }
}

#[cfg(test)]
mod tests {
    use super::place;
    use proptest::{prop_assert, proptest};

    proptest! {
        /// Stable: a key stays where it was or goes to the shard that was added.
        #[test]
        fn a_new_shard_takes_keys_and_moves_no_other(hash: u64, shards in 1usize..2000) {
            let before = place(hash, shards);
            let after = place(hash, shards + 1);
            prop_assert!(before.is_some_and(|at| at < shards));
            prop_assert!(after == before || after == Some(shards));
        }
    }

    #[test]
    fn keys_spread_evenly_also_when_their_hashes_are_small_numbers() {
        let mut counts = [0u32; 10];
        for key in 0..10_000 {
            counts[place(key, 10).unwrap()] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
        let moved = (0..10_000).filter(|&key| place(key, 10) != place(key, 11)).count();
        assert!((700..1120).contains(&moved), "{moved} of 10000 moved, 909 is fair");
    }

    #[test]
    fn no_shard_takes_nothing() {
        assert_eq!(place(7, 0), None);
    }
}
