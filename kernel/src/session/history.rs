//! What was entered, in this session and earlier ones: one JSON line a cell, appended to a file of the home.
//!
//! It never fails a cell: a history that cannot be read is empty, one that cannot be written is only remembered. Of a
//! long file only the last [`KEPT_BYTES`] are read, so a start does not grow with the years.
//!
//! Any number of notebooks and terminals write one file. Each line is appended under the file's lock, a cell's before it
//! runs: neither a second session nor a killed one costs an entry. A session takes its number with its first line.

pub mod glob;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::session::history::glob::matches;

/// About 10,000 cells, read in a few milliseconds.
const KEPT_BYTES: u64 = 4 << 20;

/// One cell that was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub session: u32,
    /// The number of the cell in its session.
    pub line: u32,
    pub input: String,
    /// The result as text, if the cell had one.
    pub output: Option<String>,
}

/// A line of the file: a cell that was entered, or later the result of one.
#[derive(Serialize, Deserialize)]
struct Line {
    session: u32,
    line: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<String>,
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
    /// Whether the number is this session's own; before that another one may take it.
    has_number: bool,
    entries: Vec<HistoryEntry>,
}

impl History {
    /// Reads what is there; without a path it lasts as long as the session.
    pub fn open(path: Option<PathBuf>) -> History {
        let file = path.as_deref().and_then(|path| File::open(path).ok());
        let entries = file.map(|mut file| read_tail(&mut file)).unwrap_or_default();
        let session = next_session(&entries);
        History { path, session, has_number: false, entries }
    }

    /// The number of this session among those remembered.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// Remembers a cell of this session that is about to run.
    pub fn begin(&mut self, line: u32, input: &str) {
        self.write(line, Some(input), None);
        let input = input.to_owned();
        self.entries.push(HistoryEntry { session: self.session, line, input, output: None });
    }

    /// Remembers the result of a cell that was begun. Others may have begun since, on subshells.
    pub fn finish(&mut self, line: u32, output: &str) {
        let mut last = self.entries.iter_mut().rev();
        let Some(entry) = last.find(|entry| entry.line == line) else { return };
        entry.output = Some(output.to_owned());
        self.write(line, None, Some(output));
    }

    fn write(&mut self, line: u32, input: Option<&str>, output: Option<&str>) {
        let Some(path) = &self.path else { return };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let line = Line { session: self.session, line, input: owned(input), output: owned(output) };
        // A full disk or a removed home: going on beats an error under every cell. The next line tries again.
        if let Ok(session) = append(path, line, !self.has_number) {
            self.session = session;
            self.has_number = true;
        }
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
fn read_tail(file: &mut File) -> Vec<HistoryEntry> {
    let length = file.metadata().map(|data| data.len()).unwrap_or(0);
    let is_cut = length > KEPT_BYTES;
    if file.seek(SeekFrom::Start(length.saturating_sub(KEPT_BYTES))).is_err() {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    if file.read_to_end(&mut bytes).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut entries: Vec<HistoryEntry> = Vec::new();
    let parsed = text.lines().skip(usize::from(is_cut)).map(serde_json::from_str::<Line>);
    for Line { session, line, input, output } in parsed.filter_map(Result::ok) {
        match input {
            Some(input) => entries.push(HistoryEntry { session, line, input, output }),
            None => {
                let is_its =
                    |entry: &&mut HistoryEntry| (entry.session, entry.line) == (session, line);
                if let Some(entry) = entries.iter_mut().rev().find(is_its) {
                    entry.output = output;
                }
            }
        }
    }
    entries
}

fn next_session(entries: &[HistoryEntry]) -> u32 {
    entries.iter().map(|entry| entry.session).max().unwrap_or(0) + 1
}

/// Appends a line and gives the session's number, which `takes_number` takes from what the file says now.
fn append(path: &Path, mut line: Line, takes_number: bool) -> io::Result<u32> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Closing the file gives the lock back.
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    file.lock()?;
    if takes_number {
        line.session = line.session.max(next_session(&read_tail(&mut file)));
    }
    let mut text = serde_json::to_string(&line)?;
    text.push('\n');
    if !ends_a_line(&mut file)? {
        // Somebody was killed while writing: what comes next is a line of its own.
        text.insert(0, '\n');
    }
    file.write_all(text.as_bytes())?;
    Ok(line.session)
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::{History, HistoryQuery};

    fn filled() -> History {
        let mut history = History::open(None);
        for (line, input) in ["let a := 1", "a + 1", "a + 1", "print(a)"].iter().enumerate() {
            history.begin(line as u32 + 1, input);
            if line == 1 {
                history.finish(2, "2");
            }
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
        let mut first = History::open(Some(path.clone()));
        first.begin(1, "first");
        first.finish(1, "1");
        let torn = std::fs::read_to_string(&path).unwrap() + "{\"session\":1,\"li";
        std::fs::write(&path, torn).unwrap();
        let mut next = History::open(Some(path.clone()));
        assert_eq!(next.session(), 2);
        let before = next.query(&HistoryQuery::Range { session: -1, start: 0, stop: None });
        assert_eq!(before.len(), 1);
        assert_eq!((before[0].input.as_str(), before[0].output.as_deref()), ("first", Some("1")));
        next.begin(1, "after the torn line");
        let last = History::open(Some(path)).query(&HistoryQuery::Tail { n: 1 });
        assert_eq!(last[0].input, "after the torn line");
    }

    #[test]
    fn a_cell_that_never_ended_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson");
        History::open(Some(path.clone())).begin(1, "while true { }");
        assert_eq!(History::open(Some(path)).query(&HistoryQuery::Tail { n: 1 }).len(), 1);
    }

    #[test]
    fn sessions_side_by_side_keep_their_entries_and_have_their_own_numbers() {
        const CELLS: u32 = 50;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson");
        let mut sessions: Vec<History> =
            (0..4).map(|_| History::open(Some(path.clone()))).collect();
        std::thread::scope(|scope| {
            for (at, history) in sessions.iter_mut().enumerate() {
                scope.spawn(move || {
                    for line in 1..=CELLS {
                        history.begin(line, &format!("cell {line} of {at}"));
                        history.finish(line, &format!("result {line} of {at}"));
                    }
                });
            }
        });
        let all = History::open(Some(path)).query(&HistoryQuery::Tail { n: 1000 });
        assert_eq!(all.len(), 4 * CELLS as usize);
        for entry in &all {
            let result = entry.input.replace("cell", "result");
            assert_eq!(entry.output.as_deref(), Some(result.as_str()));
        }
        let mut numbers: Vec<u32> = sessions.iter().map(History::session).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4]);
    }
}
