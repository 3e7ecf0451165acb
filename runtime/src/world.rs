//! A world: everything the coroutines of one session share, and its beginning and end.
//!
//! Never: reads the operating system's clock or entropy; both come from outside. Dropping the handle ends everything in it:
//! coroutines are cancelled and run out, agents are retired, workers join, and no value is left.

pub mod background;
pub mod close;
pub mod options;
pub mod outside;
pub mod run;

use crate::actor::kind::TypeTable;
use crate::actor::mailbox::Counts;
use crate::actor::slab::{Slab, Slot};
use crate::builtin::generated::Evaluator;
use crate::builtin::invariant::Invariants;
use crate::clock::Clock;
use crate::code::FunctionTable;
use crate::context::globals::GlobalStore;
use crate::coord::Coordination;
use crate::journal::effect::EffectJournal;
use crate::policy::Policies;
use crate::provided::Provided;
use crate::rng::{Rng, Seed};
use crate::sched::scheduler::Scheduler;
use crate::sched::worker;
use crate::services::Services;
use crate::telemetry::Telemetry;
use crate::telemetry::event::Actor;
use crate::telemetry::snapshot::Retired;
use crate::value::ceiling::{ceiling, crowded};
use crate::value::heap;
use crate::world::options::{Limits, WorldOptions};
use crate::world::outside::{Outside, Permissions};
use crate::world::run::Cells;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;

pub struct World {
    options: WorldOptions,
    functions: FunctionTable,
    globals: GlobalStore,
    invariants: Invariants,
    provided: Provided,
    evaluator: Evaluator,
    agent_types: TypeTable,
    agents: Slab,
    scheduler: Arc<Scheduler>,
    telemetry: Telemetry,
    effects: Arc<EffectJournal>,
    services: Option<Services>,
    permissions: Permissions,
    policies: Policies,
    retired: Mutex<Retired>,
    cells: Cells,
    random: Mutex<Rng>,
    coordination: Coordination,
    // Written by `next_display` alone; a name needs no order with anything.
    displays: AtomicU64,
    // Written by whoever changes the setting; a safepoint may read the old or the new one.
    memory_limit: AtomicU64,
    // Raised by whoever ends what runs in the background; what was begun in an earlier generation is over.
    generation: AtomicU64,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Owns a world. Everything that runs in it holds an `Arc<World>`; the handle is what ends it.
pub struct WorldHandle {
    world: Arc<World>,
}

impl std::ops::Deref for WorldHandle {
    type Target = Arc<World>;

    fn deref(&self) -> &Arc<World> {
        &self.world
    }
}

impl Drop for WorldHandle {
    fn drop(&mut self) {
        self.world.close();
    }
}

impl World {
    /// Starts the workers.
    #[must_use]
    pub fn open(options: WorldOptions) -> WorldHandle {
        let scheduler = Scheduler::new(Arc::clone(&options.clock), options.workers);
        let workers = scheduler.worker_count();
        let telemetry = Telemetry::new(Arc::clone(&options.clock), workers);
        let random = options.seed.fork("random").rng();
        let coordination = Coordination::new(options.seed);
        let effects = Arc::new(EffectJournal::default());
        let open = |wanted| Services::open(wanted, &options.clock, options.seed, &effects);
        let services = options.services.as_ref().map(open);
        let permissions = Permissions::new(&options.outside);
        let memory_limit = AtomicU64::new(options.limits.memory_bytes);
        let world = Arc::new(Self {
            options,
            functions: FunctionTable::new(),
            globals: GlobalStore::default(),
            invariants: Invariants::default(),
            provided: Provided::default(),
            evaluator: Evaluator::default(),
            agent_types: TypeTable::default(),
            agents: Slab::default(),
            scheduler,
            telemetry,
            effects,
            services,
            permissions,
            policies: Policies::default(),
            retired: Mutex::default(),
            cells: Cells::default(),
            random: Mutex::new(random),
            coordination,
            displays: AtomicU64::new(0),
            memory_limit,
            generation: AtomicU64::new(1),
            threads: Mutex::default(),
        });
        let threads = (0..workers).filter_map(|number| {
            let world = Arc::clone(&world);
            let builder = std::thread::Builder::new().name(format!("ag-worker-{number}"));
            builder.spawn(move || worker::run(&world, number)).ok()
        });
        let threads: Vec<_> = threads.collect();
        *world.threads.lock() = threads;
        WorldHandle { world }
    }

    /// Joined when the world closes.
    pub(crate) fn keep_threads(&self, threads: Vec<std::thread::JoinHandle<()>>) {
        self.threads.lock().extend(threads);
    }

    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    #[must_use]
    pub fn seed(&self) -> Seed {
        self.options.seed
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Bytes that values may take in this process (R0113), as it is now.
    #[must_use]
    pub fn memory_limit(&self) -> u64 {
        self.memory_limit.load(Relaxed)
    }

    /// What bounds values and who says so: `2.0 GiB (half of the machine's memory)`.
    #[must_use]
    pub fn told_memory_limit(&self) -> String {
        let (limit, ceiling) = (self.memory_limit(), ceiling());
        let whose = match limit {
            _ if limit > ceiling.bytes => ceiling.whole(),
            _ if limit == Limits::default().memory_bytes => ceiling.half(),
            _ => "as `:set memory` says",
        };
        format!("{} ({whose})", heap::size(limit.min(ceiling.bytes)))
    }

    /// What there is of values now, and of address space if that is what is short.
    pub(crate) fn told_held(&self) -> String {
        let held = u64::try_from(heap::live().bytes).unwrap_or(0);
        let mut told = format!("; values hold {}", heap::size(held));
        let (waiting, stacks) = (self.scheduler.busy(), self.scheduler.suspended_bytes());
        if stacks > self.memory_limit() / 2 {
            told.push_str(&format!(
                ", and {waiting} waiting agents and tasks {}",
                heap::size(stacks)
            ));
        }
        if let Some((used, limit)) = crowded(held.saturating_mul(2)) {
            let (used, limit) = (heap::size(used), heap::size(limit));
            told.push_str(&format!(", and the process has {used} of the {limit} of `ulimit -v`"));
        }
        told
    }

    pub fn set_memory_limit(&self, bytes: u64) {
        self.memory_limit.store(bytes, Relaxed);
    }

    #[must_use]
    pub fn functions(&self) -> &FunctionTable {
        &self.functions
    }

    #[must_use]
    pub fn invariants(&self) -> &Invariants {
        &self.invariants
    }

    #[must_use]
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    #[must_use]
    pub fn provided(&self) -> &Provided {
        &self.provided
    }

    #[must_use]
    pub fn globals(&self) -> &GlobalStore {
        &self.globals
    }

    #[must_use]
    pub fn agent_types(&self) -> &TypeTable {
        &self.agent_types
    }

    #[must_use]
    pub fn agents(&self) -> &Slab {
        &self.agents
    }

    #[must_use]
    pub fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// What programs took from outside.
    #[must_use]
    pub fn effects(&self) -> &Arc<EffectJournal> {
        &self.effects
    }

    /// Money, lanes and memory, if the world was opened with them.
    #[must_use]
    pub fn services(&self) -> Option<&Services> {
        self.services.as_ref()
    }

    /// Where paths start and what the program was given.
    #[must_use]
    pub fn outside(&self) -> &Outside {
        &self.options.outside
    }

    /// What programs may reach, as it is now.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// The rules for effects, as they are now.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The next number of the program's own random stream.
    #[must_use]
    pub fn random(&self) -> f64 {
        self.random.lock().next_f64()
    }

    /// What agents share to act together.
    pub(crate) fn coordination(&self) -> &Coordination {
        &self.coordination
    }

    /// A number for something displayed, unique in this world.
    pub(crate) fn next_display(&self) -> u64 {
        self.displays.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn retired(&self) -> &Mutex<Retired> {
        &self.retired
    }

    pub(crate) fn remember_retired(
        &self,
        actor: Actor,
        name: &Arc<str>,
        counts: Counts,
        slot: &Slot,
    ) {
        self.retired.lock().add(actor, name, counts, slot);
    }
}
