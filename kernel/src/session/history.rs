//! What was entered, in this session and earlier ones: one JSON line a cell, appended to a file of the home.
//!
//! It never fails a cell: a history that cannot be read is empty, one that cannot be written is only remembered. Of a
//! long file only the last [`KEPT_BYTES`] are read, so a start does not grow with the years.

pub mod glob;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::session::history::glob::matches;

/// About 10,000 cells, read in a few milliseconds.
const KEPT_BYTES: u64 = 4 << 20;

/// One cell that was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub session: u32,
    /// The number of the cell in its session.
    pub line: u32,
    pub input: String,
    /// The result as text, if the cell had one.
    pub output: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryQuery {
    /// The last `n` of all sessions.
    Tail { n: usize },
    /// Cells `start..stop` of one session: 0 is this one, -1 the one before it.
    Range { session: i64, start: u32, stop: Option<u32> },
    /// The last `n` whose input matches a GLOB pattern; `unique` keeps the newest of equal inputs.
    Search { pattern: String, n: Option<usize>, unique: bool },
}

pub struct History {
    path: Option<PathBuf>,
    session: u32,
    entries: Vec<HistoryEntry>,
}

impl History {
    /// Reads what is there; without a path it lasts as long as the session.
    pub fn open(path: Option<PathBuf>) -> History {
        let entries = path.as_deref().map(read_tail).unwrap_or_default();
        let session = entries.iter().map(|entry| entry.session).max().unwrap_or(0) + 1;
        History { path, session, entries }
    }

    /// The number of this session among those remembered.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// Remembers a cell of this session.
    pub fn add(&mut self, line: u32, input: &str, output: Option<String>) {
        let entry = HistoryEntry { session: self.session, line, input: input.to_owned(), output };
        if let Some(path) = &self.path
            && append(path, &entry).is_err()
        {
            // A full disk or a removed home: going on without the file beats an error under every cell.
            self.path = None;
        }
        self.entries.push(entry);
    }

    /// Oldest first, as Jupyter and a terminal want it.
    pub fn query(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        match query {
            HistoryQuery::Tail { n } => {
                let from = self.entries.len().saturating_sub(*n);
                self.entries.get(from..).unwrap_or_default().to_vec()
            }
            HistoryQuery::Range { session, start, stop } => {
                let session = self.resolve(*session);
                let lines = *start..stop.unwrap_or(u32::MAX);
                let wanted = |entry: &&HistoryEntry| {
                    Some(entry.session) == session && lines.contains(&entry.line)
                };
                self.entries.iter().filter(wanted).cloned().collect()
            }
            HistoryQuery::Search { pattern, n, unique } => self.search(pattern, *n, *unique),
        }
    }

    fn resolve(&self, session: i64) -> Option<u32> {
        if session > 0 {
            u32::try_from(session).ok()
        } else {
            u32::try_from(i64::from(self.session) + session).ok()
        }
    }

    fn search(&self, pattern: &str, n: Option<usize>, unique: bool) -> Vec<HistoryEntry> {
        let mut seen = HashSet::new();
        let mut found: Vec<HistoryEntry> = self
            .entries
            .iter()
            .rev()
            .filter(|entry| matches(pattern, &entry.input))
            .filter(|entry| !unique || seen.insert(entry.input.as_str()))
            .take(n.unwrap_or(usize::MAX))
            .cloned()
            .collect();
        found.reverse();
        found
    }
}

/// The whole lines within the last part of the file. A line cut by a crash is skipped.
fn read_tail(path: &Path) -> Vec<HistoryEntry> {
    let Ok(mut file) = File::open(path) else { return Vec::new() };
    let length = file.metadata().map(|data| data.len()).unwrap_or(0);
    let is_cut = length > KEPT_BYTES;
    if is_cut && file.seek(SeekFrom::Start(length - KEPT_BYTES)).is_err() {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    if file.read_to_end(&mut bytes).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let parsed = text.lines().skip(usize::from(is_cut)).map(serde_json::from_str);
    parsed.filter_map(Result::ok).collect()
}

fn append(path: &Path, entry: &HistoryEntry) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut line = serde_json::to_string(entry)?;
    line.push('\n');
    // One write of the whole line: two sessions of one home then never mix theirs.
    OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{History, HistoryQuery};

    fn filled() -> History {
        let mut history = History::open(None);
        for (line, input) in ["let a := 1", "a + 1", "a + 1", "print(a)"].iter().enumerate() {
            history.add(line as u32 + 1, input, (line == 1).then(|| "2".to_owned()));
        }
        history
    }

    fn inputs(history: &History, query: HistoryQuery) -> Vec<(u32, String)> {
        history.query(&query).into_iter().map(|entry| (entry.line, entry.input)).collect()
    }

    #[test]
    fn the_tail_is_the_last_ones_oldest_first() {
        let history = filled();
        let tail = inputs(&history, HistoryQuery::Tail { n: 2 });
        assert_eq!(tail, [(3, "a + 1".to_owned()), (4, "print(a)".to_owned())]);
        assert_eq!(history.query(&HistoryQuery::Tail { n: 99 }).len(), 4);
    }

    #[test]
    fn a_range_excludes_its_end() {
        let history = filled();
        let lines =
            |stop| inputs(&history, HistoryQuery::Range { session: 0, start: 2, stop }).len();
        assert_eq!(lines(Some(4)), 2);
        assert_eq!(lines(None), 3);
        assert!(
            history.query(&HistoryQuery::Range { session: -1, start: 0, stop: None }).is_empty()
        );
    }

    #[test]
    fn unique_keeps_the_newest() {
        let history = filled();
        let query = |unique, n| HistoryQuery::Search { pattern: "a*1".into(), n, unique };
        assert_eq!(inputs(&history, query(false, None)).len(), 2);
        assert_eq!(inputs(&history, query(true, None)), [(3, "a + 1".to_owned())]);
        assert_eq!(inputs(&history, query(false, Some(1))), [(3, "a + 1".to_owned())]);
    }

    #[test]
    fn the_next_session_finds_the_last_one_and_skips_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/history.ndjson");
        History::open(Some(path.clone())).add(1, "first", Some("1".into()));
        let torn = std::fs::read_to_string(&path).unwrap() + "{\"session\":1,\"li";
        std::fs::write(&path, torn).unwrap();
        let next = History::open(Some(path));
        assert_eq!(next.session(), 2);
        let before = next.query(&HistoryQuery::Range { session: -1, start: 0, stop: None });
        assert_eq!(before.iter().map(|entry| entry.input.as_str()).collect::<Vec<_>>(), ["first"]);
    }
}
