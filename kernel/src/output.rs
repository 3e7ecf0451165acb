//! What a cell shows, as plain data.
//!
//! A session emits these; the terminal and the notebook are two ways to show them (`crate::render`). Nothing here holds a
//! runtime value, a lock or a handle: every view is rows of numbers and text, so it can be logged, compared and sent.
//! This file never formats for a screen.

pub mod bars;
pub mod cost;
pub mod decisions;
pub mod diagnostic;
pub mod difference;
pub mod lanes;
pub mod media;
pub mod memory;
pub mod recall;
pub mod table;
pub mod test_run;
pub mod trace;
pub mod value;

use ag_runtime::context::sink::Question;
use serde::{Deserialize, Serialize};

use cost::{BudgetView, CostLine, CostView};
use decisions::DecisionsView;
use diagnostic::{DiagnosticView, FaultView};
use recall::RecallView;
use table::{TableView, ValueView};
use test_run::TestsView;
use trace::{AgentsView, TraceView};

/// One thing shown. Each becomes at most one MIME bundle, because a front end shows only the richest form of a bundle:
/// a picture and its table are two outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "output", content = "data", rename_all = "snake_case")]
pub enum Output {
    Stdout(String),
    Stderr(String),
    /// The result of the cell, bound to `_`.
    Value(ValueView),
    /// Shown in the middle of a cell, or a result that may change later.
    Display(Display),
    /// What checking found. With an error among them the cell did not run.
    Diagnostics(Vec<DiagnosticView>),
    /// The Fault that ended the cell.
    Fault(FaultView),
    /// The same Fault when a person asks for it (`:fault`): a card, not a failure.
    FaultCard(FaultView),
    /// The scheduler's timeline (`:trace`).
    Trace(TraceView),
    /// The agents (`:agents`, and after each timeline).
    Agents(AgentsView),
    /// What orchestrations decided (`:decisions`).
    Decisions(DecisionsView),
    /// Who spent what (`:cost`).
    Cost(CostView),
    /// The same as a chart.
    CostChart(CostView),
    /// The limits and what is left of them (`:budget`).
    Budget(BudgetView),
    /// One line under a cell that called a lane.
    CostLine(CostLine),
    /// Why a recall gave what it gave (`:why`).
    Recall(RecallView),
    Table(TableView),
    /// What tests gave (`:test`).
    Tests(TestsView),
    /// Text to read, as Markdown with its plain form; `pager` puts it beside the notebook instead of into it (`?x`).
    Page(Page),
    /// A remark of the session: what a command did, a stale value, an alert.
    Note(Note),
    Progress(ProgressView),
    /// Forget what the cell has shown; with `wait`, when the next output comes.
    Clear {
        wait: bool,
    },
}

/// Where outputs go. The terminal and iopub are its two implementations; both may be called from any worker.
pub trait OutputSink: Send + Sync {
    fn emit(&self, output: Output);

    /// Puts a question of the program to the person, behind those that wait already. Must not block.
    fn ask(&self, question: Question) {
        question.refuse("nobody can be asked here");
    }

    /// A cell begins that shows what it shows here; its number, before anything is shown.
    fn begin(&self, _number: u32) {}
}

/// Something displayed, with the identity that later updates name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Display {
    pub content: Content,
    pub id: Option<String>,
    /// Replaces what was displayed under `id`.
    pub update: bool,
}

/// What is displayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Content {
    Value(Box<ValueView>),
    /// Any other output displayed under an identity, so that it can be updated.
    Output(Box<Output>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub text: String,
    pub markdown: String,
    pub pager: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub level: NoteLevel,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteLevel {
    /// Something was done as asked.
    Info,
    /// Worth a look: a stale value, a made-up answer, a missing model.
    Warning,
    /// An agent's `alert`.
    Alert,
}

/// A bar that replaces itself: all with one `id` are the same bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressView {
    pub id: String,
    pub label: String,
    pub done: u64,
    pub total: u64,
    /// Replaces what was shown under `id`.
    pub update: bool,
}

impl Output {
    pub fn info(text: impl Into<String>) -> Output {
        Output::Note(Note { level: NoteLevel::Info, text: text.into() })
    }

    pub fn warning(text: impl Into<String>) -> Output {
        Output::Note(Note { level: NoteLevel::Warning, text: text.into() })
    }

    pub fn is_warning(&self) -> bool {
        matches!(self, Output::Note(Note { level: NoteLevel::Warning, .. }))
    }

    /// Whether this output says that the cell failed.
    pub fn is_failure(&self) -> bool {
        match self {
            Output::Fault(_) => true,
            Output::Diagnostics(list) => list.iter().any(|diagnostic| diagnostic.is_error),
            _ => false,
        }
    }
}
