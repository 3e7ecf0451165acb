//! What a world offers programs beside running them: money, lanes, memory, and the executor that lanes wait on.
//!
//! Opening touches no file: journal and store are opened by their first use. Never: knows a session, a notebook or a key.

use crate::clock::Clock;
use crate::journal::effect::EffectJournal;
use crate::lane::cache::ReplyCache;
use crate::lane::declared::{LaneSpec, Protocol, predeclared};
use crate::lane::echo::Echo;
#[cfg(feature = "models")]
use crate::lane::local::Local;
use crate::lane::price::Price;
use crate::lane::registry::Lanes;
#[cfg(not(feature = "net"))]
use crate::lane::registry::NO_CLIENT;
#[cfg(feature = "net")]
use crate::lane::remote::Remote;
use crate::lane::request::{LaneCard, Provider};
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
use crate::value::machine::given_back;
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
    io: Io,
    models: Option<PathBuf>,
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
        let session_memory =
            Arc::new(AgentMemory::new(Arc::clone(&memories), MemoryConfig::session()));
        memories.list("the session".into(), &session_memory);
        Self {
            lanes,
            memories,
            session_memory,
            io: Io::default(),
            models: models.clone(),
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

    /// Lets the models go, those of lanes and the embedder's: what the process shrank by. `None` if none was loaded.
    pub fn unload_models(&self) -> Option<u64> {
        let unload = || {
            let is_lane = self.lanes().unload();
            self.memories.embedder().unload() || is_lane
        };
        let (is_any, bytes) = given_back(unload);
        is_any.then_some(bytes)
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
        self.io.handle()
    }

    /// Declares a lane; one of the same name is replaced (L-62).
    pub fn declare_lane(&self, spec: &LaneSpec) {
        let lanes = &self.lanes.lanes;
        match self.provider(spec) {
            Ok(provider) => lanes.add(provider),
            Err(why) => lanes.add_unusable(&spec.name, &why),
        }
    }

    /// The lanes of providers whose keys are in the environment. The others say which variable is not set.
    pub fn declare_providers(&self) {
        predeclared().iter().for_each(|spec| self.declare_lane(spec));
    }

    fn provider(&self, spec: &LaneSpec) -> Result<Arc<dyn Provider>, String> {
        let (clock, seed) = (&self.lanes.clock, self.lanes.seed);
        match spec.protocol {
            Protocol::Echo => {
                let card = LaneCard {
                    model: Arc::clone(&spec.model),
                    price: Price::flat(spec.price_in, spec.price_out),
                    context_tokens: spec.context,
                    ..Echo::card_named(&spec.name)
                };
                Ok(Arc::new(Echo::with(card, Arc::clone(clock), seed)))
            }
            Protocol::Onnx => local_lane_named(&spec.name, self.models.as_deref(), clock, seed),
            _ => remote_lane(spec, clock, &self.io),
        }
    }
}

/// The threads on which lanes wait, started at the first use.
#[derive(Clone, Default)]
pub struct Io {
    runtime: Arc<Mutex<Option<Runtime>>>,
}

impl Io {
    pub fn handle(&self) -> std::io::Result<Handle> {
        let mut io = self.runtime.lock();
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

#[cfg(feature = "net")]
fn remote_lane(
    spec: &LaneSpec,
    clock: &Arc<dyn Clock>,
    io: &Io,
) -> Result<Arc<dyn Provider>, String> {
    if let Some(name) = &spec.key_env
        && std::env::var(&**name).map_or(true, |key| key.trim().is_empty())
    {
        return Err(format!("{name} is not set"));
    }
    Ok(Arc::new(Remote::new(spec, clock, io)))
}

#[cfg(not(feature = "net"))]
fn remote_lane(_: &LaneSpec, _: &Arc<dyn Clock>, _: &Io) -> Result<Arc<dyn Provider>, String> {
    Err(NO_CLIENT.to_owned())
}

/// The same model under another name.
#[cfg(feature = "models")]
fn local_lane_named(
    name: &str,
    models: Option<&Path>,
    clock: &Arc<dyn Clock>,
    seed: Seed,
) -> Result<Arc<dyn Provider>, String> {
    let installed = models
        .and_then(|models| Local::installed(&ModelsFolder::new(models.to_owned()), clock, seed));
    match installed {
        Some(lane) => Ok(Arc::new(lane.named(name))),
        None => Err("not installed: ag models install".to_owned()),
    }
}

#[cfg(not(feature = "models"))]
fn local_lane_named(
    _: &str,
    _: Option<&Path>,
    _: &Arc<dyn Clock>,
    _: Seed,
) -> Result<Arc<dyn Provider>, String> {
    Err("not in this build".to_owned())
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
        if let Some(runtime) = self.io.runtime.lock().take() {
            // Calls under way were aborted by whoever waited for them; a thread stuck in one must not keep the session.
            runtime.shutdown_background();
        }
    }
}
