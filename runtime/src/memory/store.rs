//! The memory store on disk: `mem.agdb`, one SQLite file that a person can open with any SQLite tool.
//!
//! Here are the tables, and every statement that reads or writes them. Never: threads, locks, searching.

use crate::journal::fingerprint::Fingerprint;
use crate::ledger::flush::Durability;
use crate::memory::corpus::Entry;
use crate::memory::embed::choice::Embedder;
use crate::memory::embed::{DIM, NAME, embed};
use crate::memory::episode::{Draft, Edge, Episode, EpisodeId, Outcome, fingerprint};
use crate::memory::error::MemoryError;
use crate::memory::writer::LogRecall;
use crate::place::FileId;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The layout of the tables. A higher number in a file means it was written by a newer `ag`.
pub const VERSION: u32 = 1;

/// Kinds of events.
const UPDATE: &str = "update";
const FORGET: &str = "forget";

/// How long a write may wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Append-only: what happened, in order. All else follows from it.
CREATE TABLE IF NOT EXISTS event(seq INTEGER PRIMARY KEY AUTOINCREMENT, ts INTEGER NOT NULL, agent TEXT NOT NULL,
  kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS episode(id INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, ts INTEGER NOT NULL,
  agent TEXT NOT NULL, context TEXT NOT NULL, action TEXT NOT NULL, context_text TEXT NOT NULL,
  action_text TEXT NOT NULL, outcome TEXT, hash TEXT NOT NULL UNIQUE, access_count INTEGER NOT NULL DEFAULT 0,
  last_access INTEGER, strength REAL NOT NULL DEFAULT 1.0, valid_from INTEGER NOT NULL, valid_to INTEGER,
  event_seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS vec(id INTEGER NOT NULL, model TEXT NOT NULL, dim INTEGER NOT NULL, blob BLOB NOT NULL,
  PRIMARY KEY(id, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS mention(episode INTEGER NOT NULL, position INTEGER NOT NULL, entity INTEGER NOT NULL,
  PRIMARY KEY(episode, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS edge(id INTEGER PRIMARY KEY, src INTEGER NOT NULL, dst INTEGER NOT NULL, kind TEXT NOT NULL,
  weight REAL NOT NULL, evidence_seq INTEGER);
CREATE TABLE IF NOT EXISTS recall_log(seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, agent TEXT NOT NULL,
  collection TEXT NOT NULL, query TEXT NOT NULL, result TEXT NOT NULL);
";

/// One connection to the store.
pub struct Store {
    pub connection: Connection,
    path: PathBuf,
    /// The file that was opened; a commit to another one would be lost.
    file: Option<FileId>,
}

/// What was read since the last time.
#[derive(Default)]
pub struct News {
    pub episodes: Vec<(Arc<str>, Entry)>,
    pub edges: Vec<Edge>,
    /// What became of episodes read before.
    pub changes: Vec<(EpisodeId, Change)>,
    /// Those without a vector of the embedder, which is not instant, and their texts.
    pub unembedded: Vec<(EpisodeId, String)>,
}

/// How far the tables have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub episode: i64,
    pub edge: i64,
    pub event: i64,
}

/// What can become of a stored episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Concluded(Outcome),
    Forgotten,
}

/// The version that a store was written by, without changing it; none for a file that is no store.
pub fn version_of(path: &Path) -> Option<u32> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags).ok()?;
    let sql = "SELECT value FROM meta WHERE key = 'version'";
    let text: String = connection.query_row(sql, [], |row| row.get(0)).ok()?;
    text.parse().ok()
}

impl Store {
    /// Opens the file, creating it and its folder if need be.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, MemoryError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| MemoryError::from_io(folder, &e))?;
        }
        let fail = |e: rusqlite::Error| MemoryError::from_sqlite(path, &e);
        let connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(PATIENCE).map_err(fail)?;
        let file = FileId::at(path);
        let mut store = Self { connection, path: path.to_owned(), file };
        store.prepare(durability)?;
        Ok(store)
    }

    fn prepare(&mut self, durability: Durability) -> Result<(), MemoryError> {
        // NORMAL would lose acknowledged commits of WAL mode when the power fails.
        let synchronous = match durability {
            Durability::Disk => "FULL",
            Durability::Process => "OFF",
        };
        let has_tables = self.attempt(|c| {
            c.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        })? > 0;
        if has_tables {
            self.check_version()?;
        }
        self.attempt(|c| {
            c.execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = OFF;
                 PRAGMA secure_delete = ON;"
            ))
        })?;
        if !has_tables {
            self.transaction(|c| {
                c.execute_batch(TABLES)?;
                let mut put = c.prepare("INSERT OR IGNORE INTO meta VALUES (?1, ?2)")?;
                put.execute(params!["version", VERSION.to_string()])?;
                put.execute(params!["embedder", NAME])?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn check_version(&mut self) -> Result<(), MemoryError> {
        let read = |c: &mut Connection| -> rusqlite::Result<Option<String>> {
            let has_meta: i64 =
                c.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", [], |row| {
                    row.get(0)
                })?;
            if has_meta == 0 {
                return Ok(None);
            }
            let sql = "SELECT value FROM meta WHERE key = 'version'";
            c.query_row(sql, [], |row| row.get(0)).optional()
        };
        let path = self.path.clone();
        match self.attempt(read)?.and_then(|text| text.parse::<u32>().ok()) {
            Some(version) if version > VERSION => Err(MemoryError::Newer { path }),
            Some(_) => Ok(()),
            None => Err(MemoryError::Corrupt { path, reason: "it is no memory store".to_owned() }),
        }
    }

    /// Runs statements and names the file in the error.
    pub fn attempt<T>(
        &mut self,
        run: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, MemoryError> {
        run(&mut self.connection).map_err(|e| MemoryError::from_sqlite(&self.path, &e))
    }

    /// All or nothing; on disk when it returns.
    pub fn transaction<T>(
        &mut self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, MemoryError> {
        if FileId::at(&self.path) != self.file {
            return Err(MemoryError::Gone { path: self.path.clone() });
        }
        self.attempt(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = run(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }
}

/// Changes whenever another connection has committed.
pub fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// Appends to the log and gives the number.
pub fn insert_event(
    connection: &Connection,
    at_ns: u64,
    agent: &str,
    kind: &str,
    body: &str,
) -> rusqlite::Result<u64> {
    let mut insert =
        connection.prepare("INSERT INTO event(ts, agent, kind, body) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![at_ns.cast_signed(), agent, kind, body])?;
    Ok(connection.last_insert_rowid().cast_unsigned())
}

/// Stores an episode with its vector and entities, and gives its number: that of the one there already if it is the same.
pub fn insert_episode(
    connection: &Connection,
    (collection, agent): (&str, &str),
    draft: &Draft,
    (model, vector): (&str, &[f32]),
) -> rusqlite::Result<u64> {
    let hash = fingerprint(collection, draft).to_string();
    let known: Option<i64> = connection
        .prepare("SELECT id FROM episode WHERE hash = ?1")?
        .query_row([&hash], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id.cast_unsigned());
    }
    let event = insert_event(connection, draft.at_ns, agent, "remember", &hash)?;
    let outcome = match &draft.outcome {
        Outcome::Pending => None,
        Outcome::Known(text) => Some(&**text),
    };
    let at_ns = draft.at_ns.cast_signed();
    connection
        .prepare(
            "INSERT INTO episode(collection, ts, agent, context, action, context_text, action_text, outcome, hash,
             valid_from, event_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?2, ?10)",
        )?
        .execute(params![
            collection,
            at_ns,
            agent,
            draft.context.to_string(),
            draft.action.to_string(),
            &*draft.context_text,
            &*draft.action_text,
            outcome,
            hash,
            event.cast_signed()
        ])?;
    let id = connection.last_insert_rowid();
    let id = id.cast_unsigned();
    insert_vector(connection, EpisodeId::Stored(id), model, vector)?;
    insert_mentions(connection, id.cast_signed(), draft)?;
    Ok(id)
}

/// Stores a vector beside those of other models.
pub fn insert_vector(
    connection: &Connection,
    id: EpisodeId,
    model: &str,
    vector: &[f32],
) -> rusqlite::Result<()> {
    let EpisodeId::Stored(id) = id else { return Ok(()) };
    let blob: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    connection.prepare("INSERT OR REPLACE INTO vec VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        id.cast_signed(),
        model,
        DIM as i64,
        blob
    ])?;
    Ok(())
}

fn insert_mentions(connection: &Connection, id: i64, draft: &Draft) -> rusqlite::Result<()> {
    for (position, entity) in draft.entities.iter().enumerate() {
        connection
            .prepare("INSERT OR IGNORE INTO entity(name) VALUES (?1)")?
            .execute([&**entity])?;
        connection
            .prepare("INSERT INTO mention SELECT ?1, ?2, id FROM entity WHERE name = ?3")?
            .execute(params![id, position as i64, &**entity])?;
    }
    Ok(())
}

pub fn insert_edge(connection: &Connection, edge: &Edge) -> rusqlite::Result<()> {
    let (EpisodeId::Stored(from), EpisodeId::Stored(to)) = (edge.from, edge.to) else {
        return Ok(());
    };
    connection
        .prepare(
            "INSERT INTO edge(src, dst, kind, weight, evidence_seq) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            from.cast_signed(),
            to.cast_signed(),
            &*edge.kind,
            edge.weight,
            edge.evidence_seq.map(u64::cast_signed)
        ])?;
    Ok(())
}

/// Applies a change to an episode, and logs that it happened without what it was about: what is forgotten must be nowhere.
/// False if there is no such episode.
pub fn change_episode(
    connection: &Connection,
    id: u64,
    change: &Change,
    (at_ns, agent): (u64, &str),
) -> rusqlite::Result<bool> {
    let number = id.cast_signed();
    let (kind, changed) = match change {
        Change::Concluded(outcome) => {
            let text = match outcome {
                Outcome::Pending => None,
                Outcome::Known(text) => Some(&**text),
            };
            let sql = "UPDATE episode SET outcome = ?2 WHERE id = ?1";
            (UPDATE, connection.prepare(sql)?.execute(params![number, text])?)
        }
        Change::Forgotten => (FORGET, delete_episode(connection, number)?),
    };
    if changed > 0 {
        insert_event(connection, at_ns, agent, kind, &id.to_string())?;
    }
    Ok(changed > 0)
}

fn delete_episode(connection: &Connection, id: i64) -> rusqlite::Result<usize> {
    let deleted = connection.prepare("DELETE FROM episode WHERE id = ?1")?.execute([id])?;
    connection.prepare("DELETE FROM vec WHERE id = ?1")?.execute([id])?;
    // Not deleted: SQLite would give the number of the last row again, and who has read up to it would miss the next edge.
    connection
        .prepare("UPDATE edge SET src = 0, dst = 0 WHERE src = ?1 OR dst = ?1")?
        .execute([id])?;
    connection
        .prepare(
            "DELETE FROM entity WHERE id IN (SELECT entity FROM mention WHERE episode = ?1)
             AND id NOT IN (SELECT entity FROM mention WHERE episode != ?1)",
        )?
        .execute([id])?;
    connection.prepare("DELETE FROM mention WHERE episode = ?1")?.execute([id])?;
    Ok(deleted)
}

/// Writes a recall to the log; the recalled episodes count one use more. Gives its number in the log of events.
pub fn insert_recall(connection: &Connection, recall: &LogRecall) -> rusqlite::Result<u64> {
    let LogRecall { at_ns, agent, collection, query, result, used, .. } = recall;
    let seq = insert_event(connection, *at_ns, agent, "recall", query)?;
    let at_ns = at_ns.cast_signed();
    connection.prepare("INSERT INTO recall_log VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
        params![seq.cast_signed(), at_ns, &**agent, &**collection, &**query, result.to_string()],
    )?;
    let mut count_use = connection.prepare(
        "UPDATE episode SET access_count = access_count + 1, last_access = ?2 WHERE id = ?1",
    )?;
    for id in used {
        count_use.execute(params![id.cast_signed(), at_ns])?;
    }
    Ok(seq)
}

/// Reads what was added after `position`, and moves it on.
pub fn read_news(
    connection: &Connection,
    position: &mut Position,
    embedder: &Embedder,
) -> rusqlite::Result<News> {
    let mut news = News::default();
    let mut entities = read_mentions(connection, position.episode)?;
    let mut select = connection.prepare(
        "SELECT e.id, e.collection, e.ts, e.agent, e.context, e.action, e.context_text, e.action_text, e.outcome,
         e.access_count, e.event_seq, v.blob, e.hash FROM episode e LEFT JOIN vec v ON v.id = e.id AND v.model = ?2
         WHERE e.id > ?1 ORDER BY e.id",
    )?;
    let mut rows = select.query(params![position.episode, embedder.name()])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let named = entities.remove(&id).unwrap_or_default();
        let (collection, entry, has_vector) = read_episode(row, named, embedder)?;
        if !has_vector {
            news.unembedded.push((entry.episode.id, entry.episode.draft.searched_text()));
        }
        news.episodes.push((collection, entry));
        position.episode = id;
    }
    let mut select = connection.prepare(
        "SELECT id, src, dst, kind, weight, evidence_seq FROM edge WHERE id > ?1 ORDER BY id",
    )?;
    let mut rows = select.query([position.edge])?;
    while let Some(row) = rows.next()? {
        position.edge = row.get(0)?;
        news.edges.push(Edge {
            from: EpisodeId::Stored(row.get::<_, i64>(1)?.cast_unsigned()),
            to: EpisodeId::Stored(row.get::<_, i64>(2)?.cast_unsigned()),
            kind: row.get::<_, String>(3)?.into(),
            weight: row.get(4)?,
            evidence_seq: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        });
    }
    drop(rows);
    news.changes = read_changes(connection, position)?;
    Ok(news)
}

/// What was changed after the position, each episode as it is now.
fn read_changes(
    connection: &Connection,
    position: &mut Position,
) -> rusqlite::Result<Vec<(EpisodeId, Change)>> {
    let mut changes = Vec::new();
    let mut select = connection.prepare(
        "SELECT v.seq, v.body, v.kind, e.id, e.outcome FROM event v LEFT JOIN episode e ON e.id = CAST(v.body AS INTEGER)
         WHERE v.seq > ?1 AND v.kind IN (?2, ?3) ORDER BY v.seq",
    )?;
    let mut rows = select.query(params![position.event, UPDATE, FORGET])?;
    while let Some(row) = rows.next()? {
        position.event = row.get(0)?;
        let Ok(id) = row.get::<_, String>(1)?.parse() else { continue };
        let change = match row.get::<_, Option<i64>>(3)? {
            None => Change::Forgotten,
            Some(_) => Change::Concluded(
                row.get::<_, Option<String>>(4)?
                    .map_or(Outcome::Pending, |known| Outcome::Known(known.into())),
            ),
        };
        changes.push((EpisodeId::Stored(id), change));
    }
    Ok(changes)
}

fn read_mentions(
    connection: &Connection,
    after: i64,
) -> rusqlite::Result<FxHashMap<i64, Vec<Arc<str>>>> {
    let mut select = connection.prepare(
        "SELECT m.episode, t.name FROM mention m JOIN entity t ON t.id = m.entity WHERE m.episode > ?1
         ORDER BY m.episode, m.position",
    )?;
    let mut found: FxHashMap<i64, Vec<Arc<str>>> = FxHashMap::default();
    let mut rows = select.query([after])?;
    while let Some(row) = rows.next()? {
        found.entry(row.get(0)?).or_default().push(row.get::<_, String>(1)?.into());
    }
    Ok(found)
}

/// An episode, and whether its vector is one of this embedder; if not, it is near nothing yet.
fn read_episode(
    row: &Row<'_>,
    entities: Vec<Arc<str>>,
    embedder: &Embedder,
) -> rusqlite::Result<(Arc<str>, Entry, bool)> {
    let text = |at: usize| row.get::<_, String>(at).map(Arc::<str>::from);
    let collection = text(1)?;
    let outcome: Option<String> = row.get(8)?;
    let draft = Draft {
        context: json(row, 4)?,
        action: json(row, 5)?,
        context_text: text(6)?,
        action_text: text(7)?,
        outcome: outcome.map_or(Outcome::Pending, |known| Outcome::Known(known.into())),
        entities,
        at_ns: row.get::<_, i64>(2)?.cast_unsigned(),
    };
    // A vector of another model is of no use here; the text gives one of this model, at once or later.
    let blob: Option<Vec<u8>> = row.get(11)?;
    let vector = blob.as_deref().and_then(read_vector);
    let has_vector = vector.is_some() || embedder.is_instant();
    let vector = vector.unwrap_or_else(|| match embedder.is_instant() {
        true => embed(&draft.searched_text()),
        false => vec![0.0; DIM],
    });
    // That of the episode as it was remembered; what became of it does not change what it was.
    let hash = Fingerprint::parse(&row.get::<_, String>(12)?);
    let hash = hash.unwrap_or_else(|| fingerprint(&collection, &draft));
    let episode = Episode {
        id: EpisodeId::Stored(row.get::<_, i64>(0)?.cast_unsigned()),
        agent: text(3)?,
        draft,
        event_seq: Some(row.get::<_, i64>(10)?.cast_unsigned()),
        hash,
    };
    let accesses = row.get::<_, i64>(9)?.max(0).cast_unsigned();
    let entry = Entry { episode: Arc::new(episode), vector: vector.into(), accesses };
    Ok((collection, entry, has_vector))
}

fn json(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    let text: String = row.get(at)?;
    serde_json::from_str(&text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(e))
    })
}

fn read_vector(blob: &[u8]) -> Option<Vec<f32>> {
    let (parts, rest) = blob.as_chunks::<4>();
    let fits = rest.is_empty() && parts.len() == DIM;
    fits.then(|| parts.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
