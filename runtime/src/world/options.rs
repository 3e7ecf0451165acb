//! How a world is opened.

use crate::clock::{Clock, SystemClock, VirtualClock};
use crate::context::registers::DEFAULT_DEPTH;
use crate::rng::Seed;
use crate::services::ServiceOptions;
use crate::value::ceiling::ceiling;
use crate::world::outside::Outside;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct WorldOptions {
    pub clock: Arc<dyn Clock>,
    pub seed: Seed,
    /// Worker threads; a virtual clock always has one.
    pub workers: usize,
    pub limits: Limits,
    /// Money, lanes and memory; without them programs that use any of these fault.
    pub services: Option<ServiceOptions>,
    /// The machine around the world.
    pub outside: Outside,
}

/// What one program may use at most; reaching one is a Fault.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Safepoints of one cell, task or message (R0109).
    pub steps: u64,
    /// Nested frames (R0110).
    pub depth: u32,
    /// Bytes of values in the process (R0113).
    pub memory_bytes: u64,
    /// Live agents (R0703).
    pub agents: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: u64::MAX,
            depth: DEFAULT_DEPTH,
            // A program that grows without end must meet a Fault while the person's other programs still have room:
            // what the process needs besides values (code, buffers, copies in output) comes on top.
            memory_bytes: ceiling().bytes / 2,
            agents: 1_000_000,
        }
    }
}

impl WorldOptions {
    /// The machine's clock and all its cores.
    #[must_use]
    pub fn real(seed: Seed) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let clock = Arc::new(SystemClock::new());
        let (limits, outside) = (Limits::default(), Outside::default());
        Self { clock, seed, workers, limits, services: None, outside }
    }

    /// One worker and a clock that passes only when nothing else can happen: every run is the same (L-161).
    #[must_use]
    pub fn seeded(seed: Seed) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let (limits, outside) = (Limits::default(), Outside::default());
        Self { clock, seed, workers: 1, limits, services: None, outside }
    }
}
