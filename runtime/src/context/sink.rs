//! Where the output of a coroutine goes, and for which cell.
//!
//! Never: renders. What is shown leaves the runtime as values and text; `kernel` turns it into Outputs.

use crate::fault::Fault;
use crate::ledger::report::CallRow;
use crate::value::owned::Owned;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    Out,
    Err,
}

/// One thing a program shows. `id` names a display that later emissions may replace.
#[derive(Debug)]
pub enum Emission {
    Text {
        stream: Stream,
        text: String,
    },
    Value {
        id: u64,
        update: bool,
        value: Owned,
    },
    /// Content the program made itself: `html`, `svg`, `markdown`, `latex`, a Vega-Lite description.
    Media {
        id: u64,
        update: bool,
        mime: &'static str,
        content: String,
    },
    Progress {
        id: u64,
        label: String,
        done: u64,
        total: u64,
    },
    Clear,
    /// The finished calls of an `@measure_cost` block.
    Measured(Vec<CallRow>),
    /// A Fault nobody awaits, from the agent or task called `source`.
    Fault {
        source: Arc<str>,
        fault: Box<Fault>,
    },
}

/// Takes emissions, from any worker and after the cell ended too. Must not block for long: a worker waits meanwhile.
pub trait Sink: Send + Sync {
    fn emit(&self, cell: u32, emission: Emission);
}

/// The cell some work is done for and where its output goes.
#[derive(Clone)]
pub struct Audience {
    pub cell: u32,
    pub sink: Arc<dyn Sink>,
}

impl Audience {
    pub fn emit(&self, emission: Emission) {
        self.sink.emit(self.cell, emission);
    }

    /// For work nobody watches.
    #[must_use]
    pub fn nobody() -> Self {
        Self { cell: 0, sink: Arc::new(Discard) }
    }
}

/// Drops everything.
pub struct Discard;

impl Sink for Discard {
    fn emit(&self, _: u32, _: Emission) {}
}
