//! From what running code emits to what a front end shows.
//!
//! It is held by agents, too, which may speak long after their cell ended. It keeps no value.

use std::sync::{Arc, Weak};

use ag_runtime::context::sink::{Emission, Question, Sink, Stream};
use parking_lot::Mutex;

use crate::output::cost::CostView;
use crate::output::table::ValueView;
use crate::output::{Content, Display, Output, OutputSink, ProgressView};
use crate::session::flood::{self, Say};
use crate::session::program::Program;

/// Keeps what was shown, in order.
#[derive(Default)]
pub struct Collected(Mutex<Vec<Output>>);

impl Collected {
    pub fn take(&self) -> Vec<Output> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl OutputSink for Collected {
    fn emit(&self, output: Output) {
        self.0.lock().push(output);
    }
}

/// What may be shown of an output.
type Look = dyn Fn(Output) -> Option<Output> + Send + Sync;

/// Shows on another sink what a look at each output leaves of it; questions pass.
pub struct Forward {
    to: Arc<dyn OutputSink>,
    look: Box<Look>,
}

impl Forward {
    pub fn new(
        to: &Arc<dyn OutputSink>,
        look: impl Fn(Output) -> Option<Output> + Send + Sync + 'static,
    ) -> Forward {
        Forward { to: Arc::clone(to), look: Box::new(look) }
    }
}

impl OutputSink for Forward {
    fn emit(&self, output: Output) {
        if let Some(output) = (self.look)(output) {
            self.to.emit(output);
        }
    }

    fn ask(&self, question: Question) {
        self.to.ask(question);
    }
}

pub struct SessionSink {
    /// Weak: an agent's sink must not keep alive the world the agent lives in.
    program: Weak<Program>,
    shown: Arc<dyn OutputSink>,
}

impl SessionSink {
    pub fn new(program: &Arc<Program>, shown: &Arc<dyn OutputSink>) -> SessionSink {
        SessionSink { program: Arc::downgrade(program), shown: Arc::clone(shown) }
    }
}

impl Sink for SessionSink {
    fn emit(&self, _: u32, emission: Emission) {
        if let Some(output) = self.output(emission) {
            self.shown.emit(output);
        }
    }

    fn ask(&self, _cell: u32, question: Question) {
        self.shown.ask(question);
    }
}

impl SessionSink {
    fn output(&self, emission: Emission) -> Option<Output> {
        Some(match emission {
            Emission::Text { stream: Stream::Out, text } => Output::Stdout(text),
            Emission::Text { stream: Stream::Err, text } => Output::Stderr(text),
            Emission::Value { id, update, value } => {
                let view = match self.program.upgrade() {
                    Some(program) => program.view_of(&value),
                    None => ValueView::of(&value),
                };
                let content = Content::Value(Box::new(view));
                Output::Display(Display { content, id: Some(display_id(id)), update })
            }
            Emission::Progress { id, label, done, total, update } => {
                let (id, label) = (display_id(id), label.to_string());
                Output::Progress(ProgressView { id, label, done, total, update })
            }
            Emission::Clear { wait } => Output::Clear { wait },
            Emission::Measured(calls) => {
                let program = self.program.upgrade()?;
                let report = program.services()?.ledger().report();
                let measured = |call: &_| calls.contains(call);
                Output::Cost(CostView::of(&report, "what was measured", measured))
            }
            Emission::Fault { source, fault } => {
                let program = self.program.upgrade()?;
                match program.flood.count(&source, &fault) {
                    Say::Nothing => return None,
                    Say::Count(count) => Output::warning(flood::line(&source, fault.code, count)),
                    Say::InFull => {
                        let text = format!("{source} faulted, and nobody awaits it");
                        self.shown.emit(Output::warning(text));
                        Output::FaultCard(program.fault_view(&fault))
                    }
                }
            }
        })
    }
}

/// Unique in the session; a front end that outlives sessions makes it unique among them.
fn display_id(id: u64) -> String {
    format!("display-{id}")
}
