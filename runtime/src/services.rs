//! What a world offers programs beside running them: money, lanes, memory, and the executor that lanes wait on.
//!
//! Opening touches no file: journal and store are opened by their first use. Never: knows a session, a notebook or a key.

use crate::clock::Clock;
use crate::journal::effect::EffectJournal;
use crate::lane::echo::Echo;
use crate::lane::registry::Lanes;
use crate::lane::typed::LaneServices;
use crate::ledger::Ledger;
use crate::ledger::flush::Durability;
use crate::ledger::money::MicroUsd;
use crate::memory::agent::{AgentMemory, MemoryConfig};
use crate::memory::session::Memories;
use crate::rng::Seed;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads for sockets and timers of lanes; their work is waiting.
const IO_THREADS: usize = 1;

/// Where the services of a world keep their files, and how it begins.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// The folder of the money journal.
    pub home: PathBuf,
    /// The folder of the memory store, beside the notebook or file.
    pub stores: PathBuf,
    /// `Process` for homes that are deleted at the end.
    pub durability: Durability,
    pub budget: Option<MicroUsd>,
    /// A test: a preference for lanes that are not configured falls back to echo.
    pub in_test: bool,
}

pub struct Services {
    lanes: LaneServices,
    memories: Arc<Memories>,
    session_memory: Arc<AgentMemory>,
    io: Mutex<Option<Runtime>>,
}

impl Services {
    #[must_use]
    pub fn open(
        options: &ServiceOptions,
        clock: &Arc<dyn Clock>,
        seed: Seed,
        effects: &Arc<EffectJournal>,
    ) -> Self {
        let ServiceOptions { home, stores, durability, budget, in_test } = options;
        let echo = Arc::new(Echo::new(Arc::clone(clock), seed));
        let lanes = LaneServices {
            ledger: Ledger::open(home, Arc::clone(clock), *durability, *budget),
            lanes: Arc::new(Lanes::new(vec![echo], *in_test)),
            journal: Arc::clone(effects),
            clock: Arc::clone(clock),
            seed: seed.fork("lanes"),
        };
        let memories = Memories::new(stores, Arc::clone(clock), *durability);
        let session_memory = AgentMemory::new(Arc::clone(&memories), MemoryConfig::session());
        Self { lanes, memories, session_memory: Arc::new(session_memory), io: Mutex::default() }
    }

    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.lanes.ledger
    }

    #[must_use]
    pub fn lanes(&self) -> &Arc<Lanes> {
        &self.lanes.lanes
    }

    /// What a lane call needs.
    #[must_use]
    pub fn calls(&self) -> &LaneServices {
        &self.lanes
    }

    #[must_use]
    pub fn memories(&self) -> &Arc<Memories> {
        &self.memories
    }

    /// The memory of cells, tasks and agents without a `memory` section.
    #[must_use]
    pub fn session_memory(&self) -> &Arc<AgentMemory> {
        &self.session_memory
    }

    /// The executor of lane calls, started at the first.
    pub fn io(&self) -> std::io::Result<Handle> {
        let mut io = self.io.lock();
        if let Some(runtime) = io.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .thread_name("ag-io")
            .enable_time()
            .build()?;
        let handle = runtime.handle().clone();
        *io = Some(runtime);
        Ok(handle)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Some(runtime) = self.io.get_mut().take() {
            // Calls under way were aborted by whoever waited for them; a thread stuck in one must not keep the session.
            runtime.shutdown_background();
        }
    }
}
