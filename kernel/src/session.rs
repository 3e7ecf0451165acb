//! The state behind a notebook or a terminal, and the one way to evaluate a cell in it.
//!
//! Front ends speak to it in the plain data of [`request`]; they never reach the engine or the runtime past it.

pub mod command;
pub mod graph;
pub mod history;
pub mod home;
pub mod inspect;
pub mod options;
pub mod request;
pub mod state;

use std::sync::Arc;

use crate::output::diagnostic::{DiagnosticView, FaultView};
use crate::output::{Output, OutputSink};
use crate::session::history::{History, HistoryEntry, HistoryQuery};
use crate::session::home::Home;
use crate::session::inspect::Inspector;
use crate::session::options::{SessionOptions, SetupError};
use crate::session::request::{CellReply, CellRequest, CellStatus};

pub struct Session {
    home: Home,
    history: History,
    /// The number of the last counted cell.
    count: u32,
    inspector: Inspector,
}

/// Interrupts what a session is running, from any thread.
#[derive(Clone, Default)]
pub struct Interrupter {}

impl Interrupter {
    /// The running cell ends with a Fault at its next safepoint; without one nothing happens.
    pub fn interrupt(&self) {}
}

impl Session {
    pub fn open(options: SessionOptions) -> Result<Session, SetupError> {
        let home = Home::open(&options)?;
        let history = History::open(Some(home.data().join("history.ndjson")));
        Ok(Session { home, history, count: 0, inspector: Inspector::default() })
    }

    /// Runs one cell to its end and shows what it shows.
    pub fn evaluate(&mut self, request: CellRequest, sink: &Arc<dyn OutputSink>) -> CellReply {
        let is_counted = request.is_counted();
        if is_counted {
            self.count += 1;
            self.history.add(self.count, &request.text, None);
        }
        if request.text.trim().is_empty() {
            return CellReply { count: self.count, ..CellReply::default() };
        }
        let message = "this build has no engine behind its session".to_owned();
        sink.emit(Output::Fault(FaultView::at("R0999", &message, None)));
        CellReply { count: self.count, status: CellStatus::Faulted, ..CellReply::default() }
    }

    /// What checking finds in a text, without running or defining anything.
    pub fn check(&self, _request: &CellRequest) -> Vec<DiagnosticView> {
        Vec::new()
    }

    /// The number the next counted cell gets.
    pub fn next_count(&self) -> u32 {
        self.count + 1
    }

    pub fn interrupter(&self) -> Interrupter {
        Interrupter {}
    }

    pub fn inspector(&self) -> Inspector {
        self.inspector.clone()
    }

    pub fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        self.history.query(query)
    }

    /// Where its ledger, history and stores are.
    pub fn home(&self) -> &Home {
        &self.home
    }
}
