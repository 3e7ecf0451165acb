//! What a front end asks of a session and what it is told: plain data.
//!
//! Positions are byte offsets into the text given; Jupyter's characters are converted at its own door.

use serde_json::{Map, Value};

use crate::render::{Failure, MimeBundle};

/// One cell to evaluate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellRequest {
    pub text: String,
    /// The front end's name of the cell, stable across edits of it (JupyterLab's `cellId`).
    pub cell_id: Option<String>,
    /// Cells the front end no longer has, by its names.
    pub deleted_cells: Vec<String>,
    /// The file the text is, if it is no cell: diagnostics name it, and session commands are refused in it (L-5).
    pub file: Option<String>,
    /// Shows nothing, counts nothing, remembers nothing.
    pub silent: bool,
    /// Whether the cell takes a number and enters the history. A silent cell never does.
    pub store_history: bool,
    /// Names with expressions to evaluate after the cell succeeded.
    pub user_expressions: Vec<(String, String)>,
}

impl CellRequest {
    /// A cell as a person enters it.
    pub fn new(text: impl Into<String>) -> CellRequest {
        CellRequest { text: text.into(), store_history: true, ..CellRequest::default() }
    }

    /// A whole file, run as one cell.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> CellRequest {
        CellRequest { file: Some(name.into()), ..CellRequest::new(text) }
    }

    /// Whether the cell takes a number of its own.
    pub fn is_counted(&self) -> bool {
        self.store_history && !self.silent
    }
}

/// How a cell ended. What it showed went to the sink while it ran.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellReply {
    /// The number of the cell; of the last counted one if this was not counted.
    pub count: u32,
    pub status: CellStatus,
    pub payloads: Vec<Payload>,
    pub user_expressions: Vec<(String, Result<MimeBundle, Failure>)>,
    pub metadata: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CellStatus {
    #[default]
    Ok,
    /// A Diagnostic of severity error: nothing ran.
    Rejected,
    /// A Fault while running.
    Faulted,
}

/// Something for the front end itself to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Show beside the notebook.
    Page(MimeBundle),
    /// Offer this text as the next cell.
    SetNextInput { text: String, replace: bool },
}

/// Whether a text can be submitted as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// More lines are wanted; the next one starts with this.
    Incomplete {
        indent: String,
    },
    Invalid,
}

/// What may stand at a place of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// The part that a candidate replaces, in bytes.
    pub start: usize,
    pub end: usize,
    pub items: Vec<Completion>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    pub text: String,
    /// `function`, `agent`, `keyword`, `command`, `field`: words of the language, shown as they are.
    pub kind: String,
    /// `(symbol: Text) -> MarketAnalysis`; empty where there is none.
    pub signature: String,
    /// The first line of its documentation.
    pub doc: String,
}

/// What is known about the name at a place of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    pub text: String,
    pub markdown: String,
}
