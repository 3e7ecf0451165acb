//! What a world offers programs beside running them: money, lanes, memory, and the executor that lanes wait on.
//!
//! Opening touches no file: journal and store are opened by their first use. Never: knows a session, a notebook or a key.

use crate::clock::Clock;
use crate::journal::effect::EffectJournal;
use crate::lane::cache::ReplyCache;
use crate::lane::echo::Echo;
#[cfg(feature = "models")]
use crate::lane::local::Local;
use crate::lane::registry::Lanes;
use crate::lane::request::Provider;
use crate::lane::typed::LaneServices;
use crate::ledger::Ledger;
use crate::ledger::flush::Durability;
use crate::ledger::money::MicroUsd;
use crate::memory::agent::{AgentMemory, MemoryConfig};
use crate::memory::embed::choice::Embedder;
#[cfg(feature = "models")]
use crate::memory::embed::minilm::MiniLm;
use crate::memory::session::Memories;
#[cfg(feature = "models")]
use crate::models::ModelsFolder;
#[cfg(feature = "net")]
use crate::net::Web;
use crate::rng::Seed;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
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
    /// The folder of the models, if this session may use them.
    pub models: Option<PathBuf>,
    /// A test: a preference for lanes that are not configured falls back to echo.
    pub in_test: bool,
}

pub struct Services {
    lanes: LaneServices,
    memories: Arc<Memories>,
    session_memory: Arc<AgentMemory>,
    io: Mutex<Option<Runtime>>,
    #[cfg(feature = "net")]
    web: Web,
}

impl Services {
    #[must_use]
    pub fn open(
        options: &ServiceOptions,
        clock: &Arc<dyn Clock>,
        seed: Seed,
        effects: &Arc<EffectJournal>,
    ) -> Self {
        let ServiceOptions { home, stores, durability, budget, models, in_test } = options;
        let mut providers: Vec<Arc<dyn Provider>> =
            vec![Arc::new(Echo::new(Arc::clone(clock), seed))];
        providers.extend(local_lane(models.as_deref(), clock, seed));
        let lanes = LaneServices {
            ledger: Ledger::open(home, Arc::clone(clock), *durability, *budget),
            lanes: Arc::new(Lanes::new(providers, *in_test)),
            journal: Arc::clone(effects),
            clock: Arc::clone(clock),
            seed: seed.fork("lanes"),
            replies: Arc::new(ReplyCache::of(home)),
        };
        let embedder = embedder(models.as_deref());
        let memories = Memories::with(stores, Arc::clone(clock), *durability, embedder);
        let session_memory = AgentMemory::new(Arc::clone(&memories), MemoryConfig::session());
        Self {
            lanes,
            memories,
            session_memory: Arc::new(session_memory),
            io: Mutex::default(),
            #[cfg(feature = "net")]
            web: Web::default(),
        }
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

    /// Connections to the web, kept between requests.
    #[cfg(feature = "net")]
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.web
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
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        *io = Some(runtime);
        Ok(handle)
    }
}

/// The lane of the model on this machine, if there is one.
#[cfg(feature = "models")]
fn local_lane(
    models: Option<&Path>,
    clock: &Arc<dyn Clock>,
    seed: Seed,
) -> Option<Arc<dyn Provider>> {
    let folder = ModelsFolder::new(models?.to_owned());
    let lane = Local::installed(&folder, clock, seed)?;
    Some(Arc::new(lane))
}

#[cfg(not(feature = "models"))]
fn local_lane(_: Option<&Path>, _: &Arc<dyn Clock>, _: Seed) -> Option<Arc<dyn Provider>> {
    None
}

/// MiniLM if it is installed, else the one that compares words.
fn embedder(models: Option<&Path>) -> Embedder {
    #[cfg(feature = "models")]
    if let Some(models) = models
        && let Some(model) = MiniLm::installed(&ModelsFolder::new(models.to_owned()))
    {
        return Embedder::minilm(model);
    }
    let _ = models;
    Embedder::hashing()
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Some(runtime) = self.io.get_mut().take() {
            // Calls under way were aborted by whoever waited for them; a thread stuck in one must not keep the session.
            runtime.shutdown_background();
        }
    }
}
