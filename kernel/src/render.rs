//! From outputs to MIME bundles and to terminal text. The only place that makes either.
//!
//! It never looks at a runtime value and never fails: what cannot be drawn is told in words.

use serde_json::{Map, Value};

use crate::output::Output;

/// What Jupyter shows: one `data` with a form a front end can choose, and its metadata.
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

/// The `error` message of a failing cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub ename: String,
    pub evalue: String,
    pub traceback: Vec<String>,
}

/// The bundle of an output; none for streams, failures and `Clear`, which have messages of their own.
pub fn mime(_output: &Output) -> Option<MimeBundle> {
    None
}

/// The `error` message of an output that says that the cell failed.
pub fn failure(_output: &Output) -> Option<Failure> {
    None
}

/// The text a terminal shows, ending in a newline unless it is the program's own stream.
pub fn terminal(output: &Output, _style: &Style) -> String {
    match output {
        Output::Stdout(text) | Output::Stderr(text) => text.clone(),
        _ => String::new(),
    }
}
