//! Group commit: many callers who need their line on disk share one flush.
//!
//! Protocol: a caller waits for a number of appended bytes. Who finds no flush under way becomes its leader, flushes
//! everything appended so far without holding the lock, and wakes the rest. After a failed flush the state of the disk
//! is unknown for good, so every later wait fails too. Never: retrying a failed flush.

use crate::ledger::error::LedgerError;
use crate::ledger::journal::broken;
use parking_lot::{Condvar, Mutex};
use std::fs::File;
use std::path::PathBuf;

/// Whether an acknowledged record must survive a loss of power. Without, it survives the process only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    Disk,
    /// For homes that are deleted at the end, and tests.
    Process,
}

#[derive(Debug)]
pub struct Flusher {
    file: File,
    path: PathBuf,
    durability: Durability,
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    appended: u64,
    flushed: u64,
    under_way: bool,
    failed: Option<LedgerError>,
}

/// A point in the journal that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

impl Flusher {
    #[must_use]
    pub fn new(file: File, path: PathBuf, durability: Durability) -> Self {
        Self { file, path, durability, state: Mutex::default(), done: Condvar::new() }
    }

    /// Notes that a record was appended, and gives the point to wait for.
    pub fn appended(&self) -> Mark {
        let mut state = self.state.lock();
        state.appended += 1;
        Mark(state.appended)
    }

    /// Returns when everything up to `mark` is on disk.
    pub fn wait(&self, mark: Mark) -> Result<(), LedgerError> {
        if self.durability == Durability::Process {
            return Ok(());
        }
        let mut state = self.state.lock();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.flushed >= mark.0 {
                return Ok(());
            }
            if state.under_way {
                self.done.wait(&mut state);
                continue;
            }
            state.under_way = true;
            let target = state.appended;
            drop(state);
            let result = self.file.sync_data();
            state = self.state.lock();
            state.under_way = false;
            match result {
                Ok(()) => state.flushed = state.flushed.max(target),
                Err(error) => state.failed = Some(broken(&self.path, &error)),
            }
            self.done.notify_all();
        }
    }

    /// Returns when everything appended so far is on disk.
    pub fn wait_all(&self) -> Result<(), LedgerError> {
        let mark = Mark(self.state.lock().appended);
        self.wait(mark)
    }
}
