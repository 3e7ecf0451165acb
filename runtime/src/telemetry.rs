//! What happened, for the trace panel: a ring of 16-byte events a worker, and counters.
//!
//! Never: slows a message by more than two clock readings, or grows: rings overwrite their oldest events. Counts are exact
//! whether events are recorded or not.

pub mod assemble;
pub mod chrome;
pub mod event;
pub mod ring;
pub mod snapshot;

use crate::clock::Clock;
use crate::context::{Cx, Serving};
use crate::sched::current;
use crate::sched::scheduler::Scheduler;
use crate::telemetry::event::{Actor, Event, Kind, MessageId};
use crate::telemetry::ring::Ring;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Names of actors that ended, for traces that still show them.
const NAMES_KEPT: usize = 4096;

pub struct Telemetry {
    clock: Arc<dyn Clock>,
    start_ns: u64,
    // Switched by `:set trace` and `%%trace`, read at every event; late is fine.
    on: AtomicBool,
    /// One a worker, and a last one for threads outside, whose writers take turns by `outside`.
    rings: Box<[Ring]>,
    outside: Mutex<()>,
    /// Message ids are made without sharing: `sequence << SOURCE_BITS | source`.
    sequences: Box<[AtomicU64]>,
    next_agent: AtomicU32,
    next_run: AtomicU32,
    names: Mutex<VecDeque<(Actor, Arc<str>)>>,
}

/// Room for 64 workers and the outside.
const SOURCE_BITS: u32 = 7;

impl Telemetry {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, workers: usize) -> Self {
        let start_ns = clock.monotonic_ns();
        Self {
            clock,
            start_ns,
            on: AtomicBool::new(true),
            rings: (0..=workers).map(|_| Ring::default()).collect(),
            outside: Mutex::new(()),
            sequences: (0..=workers).map(|_| AtomicU64::new(1)).collect(),
            next_agent: AtomicU32::new(1),
            next_run: AtomicU32::new(1),
            names: Mutex::default(),
        }
    }

    pub fn set_on(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Nanoseconds since the world was opened.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.clock.monotonic_ns().saturating_sub(self.start_ns)
    }

    fn source(&self, scheduler: &Scheduler) -> usize {
        current::worker_of(scheduler).unwrap_or(self.rings.len() - 1)
    }

    /// An id no other message of this world has.
    pub fn next_message(&self, scheduler: &Scheduler) -> MessageId {
        let source = self.source(scheduler);
        let sequence =
            self.sequences.get(source).map_or(0, |next| next.fetch_add(1, Ordering::Relaxed));
        MessageId::new(sequence << SOURCE_BITS | source as u64)
    }

    /// An id for an agent; people see its number, so agents count for themselves.
    pub fn next_agent(&self) -> Actor {
        Actor::agent(self.next_agent.fetch_add(1, Ordering::Relaxed))
    }

    /// An id for a cell or task, with the name traces show.
    pub fn next_run(&self) -> Actor {
        Actor::run(self.next_run.fetch_add(1, Ordering::Relaxed))
    }

    /// Keeps the name of an actor that no table shows (any more).
    pub fn keep_name(&self, actor: Actor, name: Arc<str>) {
        let mut names = self.names.lock();
        if names.len() == NAMES_KEPT {
            names.pop_front();
        }
        names.push_back((actor, name));
    }

    pub(crate) fn kept_names(&self) -> Vec<(Actor, Arc<str>)> {
        self.names.lock().iter().cloned().collect()
    }

    pub fn record(&self, scheduler: &Scheduler, kind: Kind, actor: Actor, message: MessageId) {
        self.record_all(scheduler, &[(kind, actor, message)]);
    }

    /// Several events of one moment.
    pub fn record_all(&self, scheduler: &Scheduler, events: &[(Kind, Actor, MessageId)]) {
        if !self.is_on() {
            return;
        }
        let time_ns = self.now_ns();
        let source = self.source(scheduler);
        let Some(ring) = self.rings.get(source) else { return };
        let _turn = (source + 1 == self.rings.len()).then(|| self.outside.lock());
        for &(kind, actor, message) in events {
            ring.push(Event { time_ns, kind, actor, message });
        }
    }

    pub(crate) fn rings(&self) -> &[Ring] {
        &self.rings
    }
}

impl Cx {
    /// Notes that something happened to what this coroutine works on.
    pub fn record(&self, kind: Kind) {
        let Serving { actor, message, .. } = &self.serving;
        self.world.telemetry().record(self.world.scheduler(), kind, *actor, *message);
    }
}
