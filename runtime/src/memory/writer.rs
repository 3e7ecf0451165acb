//! The one thread that writes a store, with group commit.
//!
//! Protocol: callers queue commands with a callback; the thread takes what is queued (waiting up to 2 ms for more while more
//! keeps coming), writes it in one transaction, makes it searchable, and then calls back. So what was acknowledged is on
//! disk and is found. A lone write never waits for company. Never: blocks a caller.

use crate::memory::episode::{Draft, Edge, EpisodeId};
use crate::memory::error::MemoryError;
use crate::memory::session::Loaded;
use crate::memory::store::{
    Change, Store, change_episode, insert_edge, insert_episode, insert_event, insert_recall,
    insert_vector,
};
use parking_lot::RwLock;
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_millis(2);
const LARGEST_GROUP: usize = 512;
const RECALLS_KEPT: u64 = 1_000;

/// Called once, from the writer's thread.
pub type Done = Box<dyn FnOnce(Result<EpisodeId, MemoryError>) + Send>;

/// A link of a new episode to an older one.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub to: EpisodeId,
    pub kind: &'static str,
    pub weight: f64,
    /// The recall that proves it.
    pub recall: Option<u64>,
}

pub struct Remember {
    pub collection: Arc<str>,
    pub agent: Arc<str>,
    pub draft: Draft,
    /// The embedder that made the vector.
    pub model: &'static str,
    pub vector: Arc<[f32]>,
    pub links: Vec<Link>,
    pub done: Done,
}

/// What became of a stored episode.
pub struct ChangeOf {
    pub id: u64,
    pub change: Change,
    pub agent: Arc<str>,
    pub at_ns: u64,
    pub done: Done,
}

/// A recall that happened; written to the log without anybody waiting for it.
pub struct LogRecall {
    pub number: u64,
    pub at_ns: u64,
    pub agent: Arc<str>,
    pub collection: Arc<str>,
    pub query: Arc<str>,
    pub result: Value,
    pub used: Vec<u64>,
}

pub enum Command {
    Remember(Box<Remember>),
    Change(Box<ChangeOf>),
    Recall(Box<LogRecall>),
    /// Another embedder's vector of an episode.
    Revise {
        id: EpisodeId,
        model: &'static str,
        vector: Arc<[f32]>,
    },
    /// Called when everything queued before is on disk.
    Barrier(Box<dyn FnOnce() + Send>),
}

pub struct Writer {
    queue: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    #[must_use]
    pub fn start(store: Store, loaded: Arc<RwLock<Loaded>>) -> Self {
        let (queue, commands) = channel();
        let state = Thread { store, loaded, recalls: FxHashMap::default() };
        let builder = std::thread::Builder::new().name("ag-memory".to_owned());
        let thread = builder.spawn(move || state.run(&commands)).ok();
        Self { queue: Some(queue), thread }
    }

    /// For a thread that queues on its own; the store closes when it has dropped this.
    #[must_use]
    pub fn sender(&self) -> Option<Sender<Command>> {
        self.queue.clone()
    }

    /// Queues a command. If the thread is gone its callback is told.
    pub fn send(&self, command: Command) {
        let refused = match &self.queue {
            Some(queue) => queue.send(command).err().map(|error| error.0),
            None => Some(command),
        };
        match refused {
            Some(Command::Remember(remember)) => (remember.done)(Err(MemoryError::Closed)),
            Some(Command::Change(change)) => (change.done)(Err(MemoryError::Closed)),
            Some(Command::Barrier(done)) => done(),
            Some(Command::Recall(_) | Command::Revise { .. }) | None => {}
        }
    }
}

impl Drop for Writer {
    /// Everything queued is written before this returns.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there is a bug that its own message has shown.
            let _ = thread.join();
        }
    }
}

struct Thread {
    store: Store,
    loaded: Arc<RwLock<Loaded>>,
    /// The log numbers of this session's latest recalls, for the links that they prove.
    recalls: FxHashMap<u64, u64>,
}

impl Thread {
    fn run(mut self, commands: &Receiver<Command>) {
        while let Ok(first) = commands.recv() {
            let group = gather(first, commands);
            self.write(group);
        }
    }

    fn write(&mut self, group: Vec<Command>) {
        let Self { store, loaded, recalls } = self;
        let result = store.transaction(|connection| {
            group
                .iter()
                .map(|command| write_one(connection, recalls, command))
                .collect::<rusqlite::Result<Vec<Option<EpisodeId>>>>()
        });
        let written = match result {
            Ok(written) => written,
            Err(error) => {
                group.iter().for_each(|command| forget(command, recalls));
                return group.into_iter().for_each(|command| refuse(command, &error));
            }
        };
        // Reading back what was written keeps one way into memory for our rows and for other processes'. If it fails the
        // rows are on disk all the same, and the next read brings them.
        let _ = store.attempt(|connection| loaded.write().catch_up(connection));
        for (command, id) in group.into_iter().zip(written) {
            match (command, id) {
                (Command::Remember(remember), Some(id)) => (remember.done)(Ok(id)),
                (Command::Change(change), Some(id)) => (change.done)(Ok(id)),
                (Command::Change(change), None) => {
                    let id = EpisodeId::Stored(change.id);
                    (change.done)(Err(MemoryError::NoEpisode { id }));
                }
                (Command::Barrier(done), _) => done(),
                _ => {}
            }
        }
    }
}

/// Takes what is queued; while more keeps coming, waits for it up to the window.
fn gather(first: Command, commands: &Receiver<Command>) -> Vec<Command> {
    let mut group = vec![first];
    let start = Instant::now();
    while group.len() < LARGEST_GROUP {
        let next = if group.len() == 1 {
            commands.try_recv().ok()
        } else {
            commands.recv_timeout(WINDOW.saturating_sub(start.elapsed())).ok()
        };
        match next {
            Some(command) => group.push(command),
            None => break,
        }
    }
    group
}

fn refuse(command: Command, error: &MemoryError) {
    match command {
        Command::Remember(remember) => (remember.done)(Err(error.clone())),
        Command::Change(change) => (change.done)(Err(error.clone())),
        Command::Barrier(done) => done(),
        Command::Recall(_) | Command::Revise { .. } => {}
    }
}

/// A number that was rolled back proves nothing.
fn forget(command: &Command, recalls: &mut FxHashMap<u64, u64>) {
    if let Command::Recall(recall) = command {
        recalls.remove(&recall.number);
    }
}

fn write_one(
    connection: &Connection,
    recalls: &mut FxHashMap<u64, u64>,
    command: &Command,
) -> rusqlite::Result<Option<EpisodeId>> {
    match command {
        Command::Remember(remember) => write_episode(connection, recalls, remember).map(Some),
        Command::Change(of) => {
            let by = (of.at_ns, &*of.agent);
            let is_there = change_episode(connection, of.id, &of.change, by)?;
            Ok(is_there.then_some(EpisodeId::Stored(of.id)))
        }
        Command::Recall(recall) => {
            let seq = insert_recall(connection, recall)?;
            recalls.insert(recall.number, seq);
            if let Some(old) = recall.number.checked_sub(RECALLS_KEPT) {
                recalls.remove(&old);
            }
            Ok(None)
        }
        Command::Revise { id, model, vector } => {
            insert_vector(connection, *id, model, vector)?;
            Ok(None)
        }
        Command::Barrier(_) => Ok(None),
    }
}

fn write_episode(
    connection: &Connection,
    recalls: &FxHashMap<u64, u64>,
    remember: &Remember,
) -> rusqlite::Result<EpisodeId> {
    let Remember { collection, agent, draft, model, vector, links, .. } = remember;
    let id =
        EpisodeId::Stored(insert_episode(connection, (collection, agent), draft, (model, vector))?);
    for link in links.iter().filter(|link| link.to != id) {
        let proof = link.recall.and_then(|number| recalls.get(&number).copied());
        let evidence_seq = match proof {
            Some(seq) => seq,
            None => insert_event(connection, draft.at_ns, agent, link.kind, &id.to_string())?,
        };
        let kind = link.kind.into();
        let evidence_seq = Some(evidence_seq);
        let edge = Edge { from: id, to: link.to, kind, weight: link.weight, evidence_seq };
        insert_edge(connection, &edge)?;
    }
    Ok(id)
}
