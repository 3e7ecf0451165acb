//! From what running code emits to what a front end shows.
//!
//! It is held by agents, too, which may speak long after their cell ended. It keeps no value.

use std::sync::{Arc, Weak};

use ag_runtime::context::sink::{Emission, Sink, Stream};

use crate::output::cost::CostView;
use crate::output::table::ValueView;
use crate::output::{Content, Display, NoteLevel, Output, OutputSink, ProgressView};
use crate::session::program::Program;

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
    fn emit(&self, cell: u32, emission: Emission) {
        if let Some(output) = self.output(cell, emission) {
            self.shown.emit(output);
        }
    }
}

impl SessionSink {
    fn output(&self, cell: u32, emission: Emission) -> Option<Output> {
        Some(match emission {
            Emission::Text { stream: Stream::Out, text } => Output::Stdout(text),
            Emission::Text { stream: Stream::Err, text } => Output::Stderr(text),
            Emission::Value { id, update, value } => {
                display(id, update, Content::Value(ValueView::of(&value)))
            }
            Emission::Media { id, update, mime, content } => {
                display(id, update, media(mime, content))
            }
            Emission::Progress { id, label, done, total } => Output::Progress(ProgressView {
                id: format!("progress-{id}"),
                label,
                done,
                total,
                update: done > 0,
            }),
            Emission::Clear => Output::Clear { wait: false },
            Emission::Measured(calls) => {
                let program = self.program.upgrade()?;
                let report = program.services()?.ledger().report();
                let measured = |call: &_| calls.contains(call);
                Output::Cost(CostView::of(&report, &format!("measured in cell {cell}"), measured))
            }
            Emission::Fault { source, fault } => {
                let program = self.program.upgrade()?;
                self.shown.emit(Output::Note(crate::output::Note {
                    level: NoteLevel::Warning,
                    text: format!("{source} faulted, and nobody awaits it"),
                }));
                Output::FaultCard(program.fault_view(&fault))
            }
        })
    }
}

fn display(id: u64, update: bool, content: Content) -> Output {
    Output::Display(Display { content, id: Some(format!("display-{id}")), update })
}

fn media(mime: &str, content: String) -> Content {
    match mime {
        "text/html" => Content::Html(content),
        "image/svg+xml" => Content::Svg(content),
        "text/latex" => Content::Latex(content),
        "text/markdown" => Content::Markdown(content),
        _ => match serde_json::from_str(&content) {
            Ok(description) => Content::Vega(description),
            Err(_) => Content::Markdown(content),
        },
    }
}
