//! The terminal as a place for outputs: values and prints to stdout, mistakes to stderr.
//!
//! What agents print while a person is typing goes above the prompt. It never fails: a closed pipe swallows.

use std::io::{Write, stderr, stdout};
use std::sync::Mutex;

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use rustyline::ExternalPrinter;

pub struct TerminalSink {
    style: Style,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the person may see is at the start of a line; a print without a newline leaves it elsewhere.
    is_mid_line: bool,
    /// Set while a prompt is shown: writing around it would tear the line being edited.
    above_prompt: Option<Box<dyn ExternalPrinter + Send>>,
    is_at_prompt: bool,
}

impl TerminalSink {
    pub fn new(style: Style) -> TerminalSink {
        TerminalSink { style, state: Mutex::default() }
    }

    /// Gives a way to write above the prompt.
    pub fn set_printer(&self, printer: Box<dyn ExternalPrinter + Send>) {
        self.lock().above_prompt = Some(printer);
    }

    /// A prompt is about to be shown: it must start a line.
    pub fn begin_prompt(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.is_mid_line) {
            let _ = writeln!(stdout());
        }
        state.is_at_prompt = true;
    }

    pub fn end_prompt(&self) {
        self.lock().is_at_prompt = false;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic while printing leaves nothing half done that matters here.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl OutputSink for TerminalSink {
    fn emit(&self, output: Output) {
        let text = render::terminal(&output, &self.style);
        if text.is_empty() {
            return;
        }
        let mut state = self.lock();
        if state.is_at_prompt
            && let Some(printer) = &mut state.above_prompt
        {
            let _ = printer.print(text);
            return;
        }
        let is_stream = matches!(output, Output::Stdout(_) | Output::Stderr(_));
        if state.is_mid_line && !is_stream {
            let _ = writeln!(stdout());
        }
        state.is_mid_line = !text.ends_with('\n');
        match output {
            Output::Stderr(_) | Output::Diagnostics(_) | Output::Fault(_) => {
                let _ = stdout().flush();
                let _ = stderr().write_all(text.as_bytes());
            }
            _ => {
                let _ = stdout().write_all(text.as_bytes());
                let _ = stdout().flush();
            }
        }
    }
}

/// One JSON object a line for each output, for scripts.
#[derive(Default)]
pub struct JsonSink {
    lock: Mutex<()>,
}

impl JsonSink {
    /// A line that is no output of a cell.
    pub fn line(&self, value: &serde_json::Value) {
        let _held = self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = writeln!(stdout(), "{value}");
    }
}

impl OutputSink for JsonSink {
    fn emit(&self, output: Output) {
        // Outputs are plain data; one that does not serialise would be a mistake of ours, told as null.
        self.line(&serde_json::to_value(&output).unwrap_or(serde_json::Value::Null));
    }
}
