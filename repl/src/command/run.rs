//! `ag run FILE`: a program as one cell, or a notebook's code cells one by one.

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::request::{CellReply, CellRequest, CellStatus};
use ag_lang::diag::codes;
use ag_lang::source::text_of;
use serde_json::{Value, json};

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::refuse;
use crate::term::closed;
use crate::term::interrupt::on_interrupt;
use crate::term::sink::{CommandSink, JsonSink, OwnLines, TerminalSink};

/// What a file holds.
pub enum Program {
    File(CellRequest),
    Cells(Vec<NotebookCell>),
}

/// A code cell of a notebook.
pub struct NotebookCell {
    pub request: CellRequest,
    /// Jupyter's tag `raises-exception`: the cells after a failure of this one run all the same.
    pub may_fail: bool,
}

pub fn run(arguments: &RunArgs) -> Exit {
    let (cells, own) = match read(&arguments.file) {
        Ok(Program::File(request)) => {
            (vec![NotebookCell { request, may_fail: false }], OwnLines::AllAside)
        }
        Ok(Program::Cells(cells)) => (cells, OwnLines::Aside),
        Err(message) => return refuse(message),
    };
    let folder = arguments.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut session = match Session::open(arguments.options(folder.map(Path::to_owned))) {
        Ok(session) => session,
        Err(error) => return refuse(error),
    };
    on_interrupt(&session);
    let json_lines = Arc::new(JsonSink::default());
    let sink: Arc<dyn CommandSink> = match arguments.json {
        true => Arc::clone(&json_lines) as Arc<dyn CommandSink>,
        false => Arc::new(TerminalSink::of_program(own)),
    };
    let shown: Arc<dyn OutputSink> = Arc::clone(&sink) as Arc<dyn OutputSink>;
    for cell in cells {
        let reply = session.evaluate(cell.request, &shown);
        sink.end_cell();
        if closed::is_closed() {
            return Exit::Closed;
        }
        if arguments.json {
            json_lines.line(&reply_line(&reply));
        }
        let exit = exit_of(&reply);
        if exit != Exit::Success && !cell.may_fail {
            return exit;
        }
    }
    // A recording says nothing about itself in a program's output.
    let ended = session.end_taping();
    ended.into_iter().filter(Output::is_warning).for_each(|output| shown.emit(output));
    sink.end_cell();
    Exit::Success
}

pub fn exit_of(reply: &CellReply) -> Exit {
    match reply.status {
        CellStatus::Ok => Exit::Success,
        CellStatus::Faulted => Exit::Fault,
        CellStatus::Rejected => Exit::Diagnostics,
    }
}

/// Ends the outputs of a cell, in the form the outputs have.
fn reply_line(reply: &CellReply) -> Value {
    let status = match reply.status {
        CellStatus::Ok => "ok",
        CellStatus::Faulted => "faulted",
        CellStatus::Rejected => "rejected",
    };
    json!({ "output": "reply", "data": { "cell": reply.count, "status": status, "metadata": reply.metadata } })
}

/// Reads a program or a notebook, or a program from stdin if the path is `-`; the error is a sentence for the person.
pub fn read(path: &Path) -> Result<Program, String> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let text = if is_stdin { stdin() } else { read_text(path, &name) }?;
    if path.extension().is_some_and(|extension| extension == "ipynb") {
        let no_notebook = |why: &dyn Display| format!("{name} is no notebook: {why}");
        let text = text.trim_start_matches('\u{feff}');
        let notebook = serde_json::from_str(text).map_err(|error| no_notebook(&error))?;
        return code_cells(&notebook).map(Program::Cells).map_err(|why| no_notebook(&why));
    }
    Ok(Program::File(CellRequest::file(name, text)))
}

/// All of stdin.
pub fn stdin() -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    text(read.map(|_| bytes), "stdin")
}

fn read_text(path: &Path, name: &str) -> Result<String, String> {
    text(std::fs::read(path), name)
}

/// The text, or why it could not be had, in the same words wherever it comes from.
fn text(bytes: std::io::Result<Vec<u8>>, name: &str) -> Result<String, String> {
    let bytes = bytes.map_err(|error| format!("{name} cannot be read: {error}"))?;
    text_of(bytes).map_err(|why| format!("{}: {name} cannot be read: {why}", codes::E0012))
}

/// The code cells of a notebook (format 4), with their ids; the error says what is wrong with it.
fn code_cells(notebook: &Value) -> Result<Vec<NotebookCell>, &'static str> {
    let is_code = |cell: &&Value| cell.get("cell_type").and_then(Value::as_str) == Some("code");
    let cells = notebook.get("cells").and_then(Value::as_array).ok_or("it has no cells")?;
    let read = |cell: &Value| {
        let cell_id = cell.get("id").and_then(Value::as_str).map(str::to_owned);
        let tags = cell.pointer("/metadata/tags").and_then(Value::as_array);
        let text = source(cell).ok_or("the source of a cell is no text")?;
        Ok(NotebookCell {
            request: CellRequest { cell_id, ..CellRequest::new(text) },
            may_fail: tags.is_some_and(|tags| tags.iter().any(|tag| tag == "raises-exception")),
        })
    };
    cells.iter().filter(is_code).map(read).collect()
}

/// A text, or a list of lines; nothing is empty. Whatever else there is would be left out of what runs.
fn source(cell: &Value) -> Option<String> {
    match cell.get("source") {
        Some(Value::Array(lines)) => lines.iter().map(Value::as_str).collect(),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
        None => Some(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::code_cells;

    #[test]
    fn a_notebook_gives_its_code_cells() {
        let notebook = json!({ "cells": [
            { "cell_type": "markdown", "source": "# x" },
            { "cell_type": "code", "id": "a", "source": ["1 +\n", "1"] },
            { "cell_type": "code", "source": "2", "metadata": { "tags": ["x", "raises-exception"] } },
            { "cell_type": "code" },
        ] });
        let cells = code_cells(&notebook).unwrap();
        let texts: Vec<&str> = cells.iter().map(|cell| cell.request.text.as_str()).collect();
        assert_eq!(texts, ["1 +\n1", "2", ""]);
        assert_eq!(cells[0].request.cell_id.as_deref(), Some("a"));
        let may_fail: Vec<bool> = cells.iter().map(|cell| cell.may_fail).collect();
        assert_eq!(may_fail, [false, true, false]);
        assert!(cells[0].request.is_counted() && code_cells(&json!([])).is_err());
    }
}
