//! From outputs to MIME bundles and to terminal text. The only place that makes either.
//!
//! It never looks at a runtime value and never fails: what cannot be drawn is told in words. Which form a bundle carries
//! follows what a front end does with it: it shows the richest one and hides the others, and in an untrusted notebook it
//! drops SVG and sanitises HTML. So tables and cards are HTML, charts are Vega-Lite with PNG, pictures are SVG with PNG;
//! each bundle also carries its facts as data and plain text.

mod agents;
mod bundle;
pub mod cost;
mod decisions;
mod diagnostic;
pub mod html;
pub mod lanes;
mod markdown;
mod media;
pub mod memory;
mod message;
pub mod number;
mod recall;
mod table;
pub mod test_run;
pub mod text;
pub mod trace;
mod value;
mod words;

use serde_json::{Map, Value};

use crate::output::{Content, Display, Output};

/// What Jupyter shows: one `data` with a form a front end can choose, and its metadata. Keys are sorted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MimeBundle {
    pub data: Map<String, Value>,
    pub metadata: Map<String, Value>,
}

/// How wide the terminal is and whether it shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub width: usize,
    pub color: bool,
}

impl Style {
    /// What `text/plain`, pipes and files get.
    pub const PLAIN: Style = Style { width: 80, color: false };
}

/// The `error` message of a failing cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub ename: String,
    pub evalue: String,
    pub traceback: Vec<String>,
}

/// The bundle of an output; none for streams, failures and `Clear`, which have messages of their own.
pub fn mime(output: &Output) -> Option<MimeBundle> {
    let bundle = match output {
        Output::Stdout(_) | Output::Stderr(_) | Output::Fault(_) | Output::Clear { .. } => {
            return None;
        }
        Output::Diagnostics(_) if output.is_failure() => return None,
        Output::Diagnostics(list) => diagnostic::mime(list),
        Output::Value(view) => value::mime(view),
        Output::Display(display) => return content_mime(&display.content),
        Output::FaultCard(fault) => diagnostic::card(fault),
        Output::Trace(view) => trace::mime(view),
        Output::Agents(view) => agents::mime(view),
        Output::Decisions(view) => decisions::mime(view),
        Output::Cost(view) => cost::mime(view),
        Output::CostChart(view) => cost::chart::mime(view),
        Output::Budget(view) => cost::budget::mime(view),
        Output::CostLine(view) => cost::line_mime(view),
        Output::Recall(view) => recall::mime(view),
        Output::Table(view) => value::table_mime(view),
        Output::Tests(view) => test_run::mime(view),
        Output::Page(page) => message::page_mime(page),
        Output::Note(note) => message::note_mime(note),
        Output::Progress(view) => message::progress_mime(view),
    };
    Some(bundle)
}

fn content_mime(content: &Content) -> Option<MimeBundle> {
    match content {
        Content::Value(view) => Some(value::mime(view)),
        Content::Output(output) => mime(output),
    }
}

/// The facts of an output as its bundle carries them, without drawing it; none for outputs that live panels do not follow.
pub fn facts(output: &Output) -> Option<Value> {
    match output {
        Output::Agents(view) => Some(agents::facts(view)),
        Output::Decisions(view) => Some(decisions::facts(view)),
        Output::Cost(view) => Some(cost::facts(view)),
        Output::Trace(view) => Some(trace::facts(view)),
        _ => None,
    }
}

/// The `error` message of an output that says that the cell failed.
pub fn failure(output: &Output) -> Option<Failure> {
    match output {
        Output::Fault(fault) => Some(diagnostic::fault_failure(fault)),
        Output::Diagnostics(list) => diagnostic::failure(list),
        _ => None,
    }
}

/// The identity under which an output is displayed, and whether it replaces what is displayed under it.
pub fn display_id(output: &Output) -> Option<(&str, bool)> {
    match output {
        Output::Display(Display { id: Some(id), update, .. }) => Some((id, *update)),
        Output::Progress(view) => Some((&view.id, view.update)),
        _ => None,
    }
}

/// The text a terminal shows. It ends in a newline, except the program's own streams and progress, which is rewritten.
pub fn terminal(output: &Output, style: &Style) -> String {
    match output {
        Output::Stdout(text) | Output::Stderr(text) => text.clone(),
        Output::Clear { .. } => String::new(),
        Output::Diagnostics(list) => diagnostic::terminal(list, style),
        Output::Value(view) => value::terminal(view, style),
        Output::Display(Display { content, update: false, .. }) => content_terminal(content, style),
        Output::Display(Display { content, .. }) => {
            updated(&content_terminal(content, style), style)
        }
        Output::Fault(fault) => diagnostic::fault_terminal(fault, style),
        Output::FaultCard(fault) => diagnostic::card_terminal(fault, style),
        Output::Trace(view) => trace::terminal(view, style),
        Output::Agents(view) => agents::terminal(view, style),
        Output::Decisions(view) => decisions::terminal(view, style),
        Output::Cost(view) => cost::terminal(view, style),
        Output::CostChart(view) => cost::chart::terminal(view, style),
        Output::Budget(view) => cost::budget::terminal(view, style),
        Output::CostLine(line) => style.ink(text::Ink::Muted, &cost::line(line)) + "\n",
        Output::Recall(view) => recall::terminal(view, style),
        Output::Table(view) => table::to_text(view, style, table::PANELS),
        Output::Tests(view) => test_run::terminal(view, style),
        Output::Page(page) => with_newline(text::lines_of(&page.text)),
        Output::Note(note) => message::note_terminal(note, style),
        Output::Progress(view) => message::progress_terminal(view, style),
    }
}

fn content_terminal(content: &Content, style: &Style) -> String {
    match content {
        Content::Value(view) => value::terminal(view, style),
        Content::Output(output) => terminal(output, style),
    }
}

/// Where what is displayed cannot be replaced, its update is told as one.
fn updated(text: &str, style: &Style) -> String {
    let is_line = text.trim_end().lines().nth(1).is_none();
    let mark = style.ink(text::Ink::Muted, "updated:");
    format!("{mark}{}{text}", if is_line { " " } else { "\n" })
}

fn with_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
