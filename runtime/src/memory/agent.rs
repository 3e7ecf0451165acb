//! The memory of one agent instance (or of the session): its window, its collection, what its current message recalled.
//!
//! Protocol: `recall` answers at once and logs itself in the background; `remember` calls back when the episode is on disk,
//! linked to what the same message recalled before. Never: waits.

use crate::memory::corpus::{Corpus, Entry};
use crate::memory::embed::DIM;
use crate::memory::entity::entities;
use crate::memory::episode::{Draft, Episode, EpisodeId, fingerprint};
use crate::memory::error::MemoryError;
use crate::memory::explain::Recalled;
use crate::memory::recall::{Query, Search, Sources, search};
use crate::memory::session::{LongTerm, Memories};
use crate::memory::store::Change;
use crate::memory::window::{Held, Window};
use crate::memory::writer::{ChangeOf, Command, Done, Link, LogRecall, Remember};
use crate::value::json::parse_duration;
use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;

/// The kinds of edges the runtime makes; both are facts.
const RECALLED: &str = "recalled";
const LINKED: &str = "linked";

/// Messages of the session's own memory run side by side; so many are told apart.
const MESSAGES: usize = 64;

const HOUR_NS: u64 = 3_600_000_000_000;

/// The `memory` section of an agent (L-79).
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryConfig {
    pub capacity: usize,
    pub ttl_ns: u64,
    /// The long-term collection.
    pub collection: Option<Arc<str>>,
    pub half_life_ns: Option<u64>,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { capacity: 50, ttl_ns: HOUR_NS, collection: None, half_life_ns: None }
    }
}

impl MemoryConfig {
    /// The session's own: what an agent without a section uses. Durable, so that `@remember` in a cell is.
    #[must_use]
    pub fn session() -> Self {
        Self { collection: Some("session".into()), ..Self::default() }
    }

    /// Reads the section as JSON (L-121 forms); what is missing or null is the default. Search is exact, so the settings of
    /// an index change nothing; a dimension that no embedder here has is an error.
    pub fn read(section: &Value) -> Result<Self, MemoryError> {
        let mut config = Self::default();
        if let Some(short) = section.get("short_term") {
            let capacity = short.get("capacity").and_then(Value::as_i64);
            config.capacity =
                capacity.map_or(config.capacity, |n| usize::try_from(n.max(0)).unwrap_or(0));
            config.ttl_ns = short.get("ttl").and_then(duration_ns).unwrap_or(config.ttl_ns);
        }
        if let Some(long) = section.get("long_term") {
            let dim = long.get("dim").and_then(Value::as_u64).unwrap_or(DIM as u64);
            if dim != DIM as u64 {
                return Err(MemoryError::NoEmbedder { dim });
            }
            config.collection = long.get("collection").and_then(Value::as_str).map(Arc::from);
            config.half_life_ns =
                long.get("decay").and_then(|decay| decay.get("half_life")).and_then(duration_ns);
        }
        Ok(config)
    }
}

/// A Duration as JSON text: `30d`.
fn duration_ns(value: &Value) -> Option<u64> {
    parse_duration(value.as_str()?).and_then(|ns| u64::try_from(ns).ok())
}

/// Who is asking: for the log, and to link what a message remembers to what it recalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    pub agent: Arc<str>,
    pub cell: u32,
    /// Names the message, cell or task.
    pub message: u64,
}

pub struct AgentMemory {
    memories: Arc<Memories>,
    config: MemoryConfig,
    window: Mutex<Window>,
    trails: Mutex<VecDeque<Trail>>,
}

/// What one message has recalled so far.
struct Trail {
    message: u64,
    recalled: Vec<(EpisodeId, u64)>,
}

impl AgentMemory {
    #[must_use]
    pub fn new(memories: Arc<Memories>, config: MemoryConfig) -> Self {
        let window = Mutex::new(Window::new(config.capacity, config.ttl_ns));
        Self { memories, config, window, trails: Mutex::default() }
    }

    /// How much is in the window now.
    #[must_use]
    pub fn held(&self) -> Held {
        self.window.lock().held(self.memories.clock().now_ns())
    }

    #[must_use]
    pub fn config(&self) -> &MemoryConfig {
        &self.config
    }

    /// Makes what `recall` or `remember` of a text will need ready, and calls `done`.
    pub fn prepare(&self, text: &str, done: impl FnOnce() + Send + 'static) {
        self.memories.embedder().prepare(text, done);
    }

    /// Nothing needs to be made ready.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        self.memories.embedder().is_instant()
    }

    /// Searches the window and the collection.
    pub fn recall(&self, query: &Query, asker: &Asker) -> Result<Arc<Recalled>, MemoryError> {
        let now_ns = self.memories.clock().now_ns();
        let store = match &self.config.collection {
            Some(_) => self.memories.existing()?,
            None => None,
        };
        let found = self.search(query, store.as_deref(), now_ns)?;
        let recalled = Arc::new(Recalled {
            number: self.memories.next_recall(),
            at_ns: now_ns,
            query: Arc::clone(&query.text),
            agent: Arc::clone(&asker.agent),
            cell: asker.cell,
            collection: self.config.collection.clone().unwrap_or_default(),
            embedder: self.memories.embedder().name(),
            is_exact: true,
            candidates: found.candidates,
            filtered_out: found.filtered_out,
            results: found.results,
        });
        self.note(&recalled, asker.message);
        if let Some(store) = store {
            log(&store, &recalled);
        }
        self.memories.keep(Arc::clone(&recalled));
        Ok(recalled)
    }

    fn search(
        &self,
        query: &Query,
        store: Option<&LongTerm>,
        now_ns: u64,
    ) -> Result<Search, MemoryError> {
        let vector = self.memories.embedder().vector(&query.text)?;
        let mut in_window = FxHashSet::default();
        let mut only_short = Corpus::default();
        for entry in self.window.lock().live(now_ns) {
            in_window.insert(entry.episode.id);
            if matches!(entry.episode.id, EpisodeId::Short(_)) {
                only_short.add(entry.clone());
            }
        }
        let loaded = store.map(LongTerm::read).transpose()?;
        let name = self.config.collection.as_deref().unwrap_or_default();
        let sources = Sources {
            long_term: loaded.as_ref().and_then(|loaded| loaded.corpus(name)),
            short_term: &only_short,
            in_window: &in_window,
            half_life_ns: self.config.half_life_ns,
            now_ns,
        };
        Ok(search(&sources, query, &vector))
    }

    /// Keeps what the message has recalled, for the links of what it remembers.
    fn note(&self, recalled: &Recalled, message: u64) {
        let mut trails = self.trails.lock();
        if !trails.iter().any(|trail| trail.message == message) {
            if trails.len() == MESSAGES {
                trails.pop_front();
            }
            trails.push_back(Trail { message, recalled: Vec::new() });
        }
        let Some(trail) = trails.iter_mut().find(|trail| trail.message == message) else { return };
        for result in &recalled.results {
            let id = result.episode.id;
            if !trail.recalled.iter().any(|(known, _)| *known == id) {
                trail.recalled.push((id, recalled.number));
            }
        }
    }

    /// Stores an episode; `done` is called when it is on disk (or in the window, without a collection).
    pub fn remember(&self, draft: Draft, links: &[EpisodeId], asker: &Asker, done: Done) {
        let mut draft = draft;
        if draft.entities.is_empty() {
            draft.entities = entities(&draft.searched_text());
        }
        let embedder = self.memories.embedder();
        let vector = match embedder.vector(&draft.searched_text()) {
            Ok(vector) => vector,
            Err(error) => return done(Err(error)),
        };
        let links = self.links(links, asker.message);
        let Some(collection) = self.config.collection.clone() else {
            let id = self.memories.next_short();
            self.push(id, "", draft, vector, asker);
            return done(Ok(id));
        };
        let store = match self.memories.long_term() {
            Ok(store) => store,
            Err(error) => return done(Err(error)),
        };
        let agent = Arc::clone(&asker.agent);
        store.send(Command::Remember(Box::new(Remember {
            collection,
            agent,
            draft,
            model: embedder.name(),
            vector,
            links,
            done,
        })));
    }

    /// Changes an episode in the window and on disk; `done` is called when both are done.
    pub fn change(&self, id: EpisodeId, change: Change, asker: &Asker, done: Done) {
        let mut window = self.window.lock();
        let in_window = match &change {
            Change::Concluded(outcome) => window.conclude(id, outcome),
            Change::Forgotten => window.forget(id),
        };
        drop(window);
        let EpisodeId::Stored(number) = id else {
            return done(if in_window { Ok(id) } else { Err(MemoryError::NoEpisode { id }) });
        };
        let store = match self.memories.existing() {
            Ok(Some(store)) => store,
            Ok(None) => return done(Err(MemoryError::NoEpisode { id })),
            Err(error) => return done(Err(error)),
        };
        store.send(Command::Change(Box::new(ChangeOf {
            id: number,
            change,
            agent: Arc::clone(&asker.agent),
            at_ns: self.memories.clock().now_ns(),
            done,
        })));
    }

    /// Puts a stored episode into the window too. Called with what `remember` gave, by the one who waited for it.
    pub fn remembered(&self, id: EpisodeId) -> Result<(), MemoryError> {
        let Some(name) = &self.config.collection else { return Ok(()) };
        let Some(store) = self.memories.existing()? else { return Ok(()) };
        let loaded = store.read()?;
        let entry =
            loaded.corpus(name).and_then(|corpus| corpus.get(corpus.number_of(id)?)).cloned();
        if let Some(entry) = entry {
            self.window.lock().push(entry, self.memories.clock().now_ns());
        }
        Ok(())
    }

    fn push(
        &self,
        id: EpisodeId,
        collection: &str,
        draft: Draft,
        vector: Arc<[f32]>,
        asker: &Asker,
    ) {
        let hash = fingerprint(collection, &draft);
        let agent = Arc::clone(&asker.agent);
        let episode = Arc::new(Episode { id, agent, draft, event_seq: None, hash });
        let entry = Entry { episode, vector, accesses: 0 };
        self.window.lock().push(entry, self.memories.clock().now_ns());
    }

    /// Explicit links weigh 1 each; what was recalled shares 1, so that recalling much does not make everything near.
    fn links(&self, explicit: &[EpisodeId], message: u64) -> Vec<Link> {
        let link = |to: EpisodeId| Link { to, kind: LINKED, weight: 1.0, recall: None };
        let mut links: Vec<Link> = explicit.iter().copied().map(link).collect();
        let trails = self.trails.lock();
        let Some(trail) = trails.iter().find(|trail| trail.message == message) else {
            return links;
        };
        let weight = 1.0 / trail.recalled.len().max(1) as f64;
        for (to, number) in &trail.recalled {
            if !links.iter().any(|known| known.to == *to) {
                links.push(Link { to: *to, kind: RECALLED, weight, recall: Some(*number) });
            }
        }
        links
    }
}

/// Sends a recall to the log, and counts the uses at once.
fn log(store: &LongTerm, recalled: &Recalled) {
    let ids: Vec<EpisodeId> = recalled.results.iter().map(|found| found.episode.id).collect();
    store.touch(&ids);
    let number = |id: &EpisodeId| match id {
        EpisodeId::Stored(number) => Some(*number),
        EpisodeId::Short(_) => None,
    };
    store.send(Command::Recall(Box::new(LogRecall {
        number: recalled.number,
        at_ns: recalled.at_ns,
        agent: Arc::clone(&recalled.agent),
        collection: Arc::clone(&recalled.collection),
        query: Arc::clone(&recalled.query),
        result: recalled.to_json(),
        used: ids.iter().filter_map(number).collect(),
    })));
}
