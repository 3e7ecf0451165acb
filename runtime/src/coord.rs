//! Coordination between coroutines: pieces of work that are waited for and cancelled, several at once; leases; acts on
//! many agents.

pub mod broadcast;
pub mod channel;
pub mod decision;
pub mod lease;
pub mod parallel;
pub mod quorum;
pub mod race;
pub mod shard;
pub mod work;

use crate::coord::decision::DecisionLog;
use crate::coord::lease::LeaseTable;
use crate::rng::{Rng, Seed};
use crate::world::World;
use parking_lot::Mutex;

/// What the agents of a world share to act together.
pub(crate) struct Coordination {
    leases: LeaseTable,
    decisions: DecisionLog,
    /// The orders in which broadcasts go through a mesh.
    gossip: Mutex<Rng>,
}

impl Coordination {
    pub fn new(seed: Seed) -> Self {
        let gossip = Mutex::new(seed.fork("gossip").rng());
        Self { leases: LeaseTable::default(), decisions: DecisionLog::default(), gossip }
    }
}

impl World {
    #[must_use]
    pub fn leases(&self) -> &LeaseTable {
        &self.coordination().leases
    }

    /// What orchestrations decided.
    #[must_use]
    pub fn decisions(&self) -> &DecisionLog {
        &self.coordination().decisions
    }

    pub(crate) fn with_gossip<T>(&self, choose: impl FnOnce(&mut Rng) -> T) -> T {
        choose(&mut self.coordination().gossip.lock())
    }
}
