//! A session's memories: the store beside the notebook, opened at the first use, and the latest recalls for `:why`.
//!
//! Never: creates a file for a program that remembers nothing; an error of the store ends the call that met it, not the
//! session.

use crate::clock::Clock;
use crate::ledger::flush::Durability;
use crate::memory::agent::AgentMemory;
use crate::memory::corpus::{Corpus, Entry};
use crate::memory::embed::choice::Embedder;
use crate::memory::episode::{Edge, EpisodeId};
use crate::memory::error::MemoryError;
use crate::memory::explain::Recalled;
use crate::memory::store::{Change, News, Position, Store, data_version, read_news};
use crate::memory::window::Held;
use crate::memory::writer::{Command, Writer};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};

/// The name of the store in its folder.
pub const FILE: &str = "mem.agdb";
/// How many episodes get a new vector before the first recall; at 3 to 6 ms each it waits a tenth of a second.
const AT_ONCE: usize = 32;
/// How many recalls `:why` can still show.
const KEPT: usize = 1_000;

/// The memories of a session.
pub struct Memories {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    durability: Durability,
    embedder: Embedder,
    open: Mutex<Option<Arc<LongTerm>>>,
    recalls: Mutex<VecDeque<Arc<Recalled>>>,
    /// Who has a short-term window, the oldest first. Weak: the window ends with its holder.
    holders: Mutex<Vec<(Arc<str>, Weak<AgentMemory>)>>,
    // Writers: `next_*`, from any thread. They only count.
    next_recall: AtomicU64,
    next_short: AtomicU64,
}

/// An open store: what is in memory, and who writes it.
pub struct LongTerm {
    path: PathBuf,
    loaded: Arc<RwLock<Loaded>>,
    reader: Mutex<Reader>,
    writer: Writer,
    embedder: Embedder,
    // Set by the session's end, read by the thread that embeds again.
    is_closed: Arc<AtomicBool>,
}

struct Reader {
    connection: Connection,
    seen: i64,
}

impl Drop for LongTerm {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

/// Embeds the newest episode that has no vector of this embedder. False if there is none.
fn again(
    loaded: &RwLock<Loaded>,
    embedder: &Embedder,
    writer: &Option<Sender<Command>>,
) -> Result<bool, MemoryError> {
    let Some((id, text)) = loaded.write().unembedded.pop() else { return Ok(false) };
    let vector = match embedder.vector(&text) {
        Ok(vector) => vector,
        Err(error) => {
            loaded.write().unembedded.push((id, text));
            return Err(error);
        }
    };
    loaded.write().revise(id, &vector);
    if let Some(writer) = writer {
        // A store that is closing embeds it again at its next opening.
        let _ = writer.send(Command::Revise { id, model: embedder.name(), vector });
    }
    Ok(true)
}

/// What has been read of a store.
pub struct Loaded {
    position: Position,
    corpora: FxHashMap<Arc<str>, Corpus>,
    /// The collection of each episode, to place edges.
    homes: FxHashMap<EpisodeId, Arc<str>>,
    embedder: Embedder,
    /// Episodes whose vectors another embedder made, the newest last.
    unembedded: Vec<(EpisodeId, String)>,
}

/// One row of `:memory`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionRow {
    pub name: Arc<str>,
    pub episodes: u64,
}

/// A short-term window in `:memory`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowRow {
    pub holder: Arc<str>,
    pub episodes: u64,
    pub capacity: u64,
    pub bytes: u64,
}

impl Memories {
    /// The store will be `folder/mem.agdb`; nothing is opened yet.
    #[must_use]
    pub fn new(folder: &Path, clock: Arc<dyn Clock>, durability: Durability) -> Arc<Self> {
        Self::with(folder, clock, durability, Embedder::hashing())
    }

    /// The same with an embedder. Vectors of another one in the store are kept beside those of this.
    #[must_use]
    pub fn with(
        folder: &Path,
        clock: Arc<dyn Clock>,
        durability: Durability,
        embedder: Embedder,
    ) -> Arc<Self> {
        Arc::new(Self {
            embedder,
            path: folder.join(FILE),
            clock,
            durability,
            open: Mutex::new(None),
            recalls: Mutex::default(),
            holders: Mutex::default(),
            next_recall: AtomicU64::new(1),
            next_short: AtomicU64::new(1),
        })
    }

    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    #[must_use]
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// How many episodes of the open store still wait for a vector of this embedder.
    #[must_use]
    pub fn unembedded(&self) -> usize {
        let open = self.open.lock();
        open.as_ref().map_or(0, |open| open.loaded.read().unembedded.len())
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store, opened or created now if it was not. A failure is not remembered: the next call tries again.
    pub fn long_term(&self) -> Result<Arc<LongTerm>, MemoryError> {
        let mut open = self.open.lock();
        if let Some(open) = open.as_ref() {
            return Ok(Arc::clone(open));
        }
        let opened = Arc::new(LongTerm::open(&self.path, self.durability, &self.embedder)?);
        *open = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The store for reading: none as long as there is no file.
    pub fn existing(&self) -> Result<Option<Arc<LongTerm>>, MemoryError> {
        let is_open = self.open.lock().is_some();
        if is_open || self.path.exists() { self.long_term().map(Some) } else { Ok(None) }
    }

    /// The collections and how much is in them.
    pub fn collections(&self) -> Result<Vec<CollectionRow>, MemoryError> {
        let Some(store) = self.existing()? else { return Ok(Vec::new()) };
        let loaded = store.read()?;
        let row = |(name, corpus): (&Arc<str>, &Corpus)| CollectionRow {
            name: Arc::clone(name),
            episodes: corpus.len() as u64,
        };
        let mut rows: Vec<CollectionRow> = loaded.corpora.iter().map(row).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
    }

    /// The short-term windows there are now, and how much is in them.
    pub fn windows(&self) -> Vec<WindowRow> {
        let holders = self.holders.lock().clone();
        let row = |(holder, memory): (Arc<str>, Weak<AgentMemory>)| {
            let Held { episodes, capacity, bytes } = memory.upgrade()?.held();
            Some(WindowRow { holder, episodes, capacity, bytes })
        };
        holders.into_iter().filter_map(row).collect()
    }

    /// Makes the window of that memory one that `:memory` shows.
    pub(crate) fn list(&self, holder: Arc<str>, memory: &Arc<AgentMemory>) {
        let mut holders = self.holders.lock();
        holders.retain(|(_, held)| held.strong_count() > 0);
        holders.push((holder, Arc::downgrade(memory)));
    }

    /// A recall of this session by its number, for `:why`.
    #[must_use]
    pub fn recall(&self, number: u64) -> Option<Arc<Recalled>> {
        self.recalls.lock().iter().find(|recalled| recalled.number == number).cloned()
    }

    /// The latest recalls, oldest first.
    #[must_use]
    pub fn recalls(&self) -> Vec<Arc<Recalled>> {
        self.recalls.lock().iter().cloned().collect()
    }

    pub(in crate::memory) fn next_recall(&self) -> u64 {
        self.next_recall.fetch_add(1, Ordering::Relaxed)
    }

    pub(in crate::memory) fn next_short(&self) -> EpisodeId {
        EpisodeId::Short(self.next_short.fetch_add(1, Ordering::Relaxed))
    }

    pub(in crate::memory) fn keep(&self, recalled: Arc<Recalled>) {
        let mut recalls = self.recalls.lock();
        if recalls.len() == KEPT {
            recalls.pop_front();
        }
        recalls.push_back(recalled);
    }
}

impl LongTerm {
    fn open(path: &Path, durability: Durability, embedder: &Embedder) -> Result<Self, MemoryError> {
        let mut store = Store::open(path, durability)?;
        let mut loaded = Loaded::new(embedder.clone());
        store.attempt(|connection| loaded.catch_up(connection))?;
        let mut reading = Store::open(path, durability)?;
        let seen = reading.attempt(|connection| data_version(connection))?;
        let loaded = Arc::new(RwLock::new(loaded));
        let opened = Self {
            path: path.to_owned(),
            loaded: Arc::clone(&loaded),
            reader: Mutex::new(Reader { connection: reading.connection, seen }),
            writer: Writer::start(store, loaded),
            embedder: embedder.clone(),
            is_closed: Arc::default(),
        };
        opened.embed_again(AT_ONCE)?;
        opened.embed_rest();
        Ok(opened)
    }

    /// Gives up to `count` episodes a vector of this embedder, the newest first.
    fn embed_again(&self, count: usize) -> Result<(), MemoryError> {
        for _ in 0..count {
            if !again(&self.loaded, &self.embedder, &self.writer.sender())? {
                break;
            }
        }
        Ok(())
    }

    /// The others follow in the background; until then their words, entities and links find them.
    fn embed_rest(&self) {
        if self.loaded.read().unembedded.is_empty() {
            return;
        }
        let (loaded, embedder) = (Arc::clone(&self.loaded), self.embedder.clone());
        let (sender, is_closed) = (self.writer.sender(), Arc::clone(&self.is_closed));
        let work = move || {
            while !is_closed.load(Ordering::Relaxed)
                && again(&loaded, &embedder, &sender).unwrap_or(false)
            {}
        };
        // Without a thread they wait for the next start.
        let _ = std::thread::Builder::new().name("ag-embed-again".to_owned()).spawn(work);
    }

    /// What is in memory, after taking in what other processes have written.
    pub fn read(&self) -> Result<RwLockReadGuard<'_, Loaded>, MemoryError> {
        let mut reader = self.reader.lock();
        let fail = |e: rusqlite::Error| MemoryError::from_sqlite(&self.path, &e);
        let version = data_version(&reader.connection).map_err(fail)?;
        if version != reader.seen {
            self.loaded.write().catch_up(&reader.connection).map_err(fail)?;
            reader.seen = version;
            drop(reader);
            self.embed_again(AT_ONCE)?;
            self.embed_rest();
        }
        Ok(self.loaded.read())
    }

    /// Counts a use of each at once, so that what follows in the same program sees it; the log brings it to disk.
    pub fn touch(&self, ids: &[EpisodeId]) {
        let mut loaded = self.loaded.write();
        for id in ids {
            let Some(home) = loaded.homes.get(id).cloned() else { continue };
            if let Some(corpus) = loaded.corpora.get_mut(&home) {
                corpus.touch(*id);
            }
        }
    }

    pub fn send(&self, command: Command) {
        self.writer.send(command);
    }

    /// Returns when everything queued so far is on disk.
    pub fn flush(&self) {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        // The end of the channel is the signal; the callback holds it.
        self.send(Command::Barrier(Box::new(move || drop(done))));
        let _ = wait.recv();
    }
}

impl Loaded {
    fn new(embedder: Embedder) -> Self {
        Self {
            position: Position::default(),
            corpora: FxHashMap::default(),
            homes: FxHashMap::default(),
            embedder,
            unembedded: Vec::new(),
        }
    }

    #[must_use]
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    fn revise(&mut self, id: EpisodeId, vector: &Arc<[f32]>) {
        let corpus = self.homes.get(&id).and_then(|home| self.corpora.get_mut(home));
        if let Some(corpus) = corpus {
            corpus.revise(id, vector);
        }
    }

    /// Reads what was added to the tables since the last time.
    pub fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut position = self.position;
        let news = read_news(connection, &mut position, &self.embedder)?;
        self.position = position;
        self.take(news);
        Ok(())
    }

    fn take(&mut self, news: News) {
        self.unembedded.extend(news.unembedded);
        for (collection, entry) in news.episodes {
            self.add(collection, entry);
        }
        for edge in news.edges {
            self.link(&edge);
        }
        for (id, change) in &news.changes {
            self.change(*id, change);
        }
    }

    fn add(&mut self, collection: Arc<str>, entry: Entry) {
        self.homes.insert(entry.episode.id, Arc::clone(&collection));
        self.corpora.entry(collection).or_default().add(entry);
    }

    /// An edge belongs to the collection it starts in.
    fn link(&mut self, edge: &Edge) {
        if let Some(corpus) = self.homes.get(&edge.from).and_then(|home| self.corpora.get_mut(home))
        {
            corpus.link(edge);
        }
    }

    fn change(&mut self, id: EpisodeId, change: &Change) {
        let corpus = self.homes.get(&id).and_then(|home| self.corpora.get_mut(home));
        match (corpus, change) {
            (Some(corpus), Change::Concluded(outcome)) => corpus.conclude(id, outcome),
            (Some(corpus), Change::Forgotten) => {
                corpus.forget(id);
                self.homes.remove(&id);
                self.unembedded.retain(|(waiting, _)| *waiting != id);
            }
            (None, _) => {}
        }
    }

    #[must_use]
    pub fn corpus(&self, collection: &str) -> Option<&Corpus> {
        self.corpora.get(collection)
    }
}
