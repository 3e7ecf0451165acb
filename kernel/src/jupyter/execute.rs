//! `execute_request`: one cell from its request to its reply.

use std::sync::Arc;

use jupyter_protocol::{ExecuteInput, ExecutionCount};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use crate::jupyter::cells::{Cells, Opened};
use crate::jupyter::sink::{CellSink, Iopub};
use crate::jupyter::wire::Request;
use crate::output::OutputSink;
use crate::render::{Failure, MimeBundle};
use crate::session::options::SetupError;
use crate::session::request::{CellReply, CellRequest, Payload};

/// The content and metadata of a reply, and whether queued cells are to be aborted.
pub struct Executed {
    pub content: Value,
    pub metadata: Map<String, Value>,
    pub aborts_queue: bool,
}

/// Runs the cell; everything it shows has been queued for iopub when this returns.
pub async fn execute(cells: &Cells, iopub: &Iopub, request: &Arc<Request>) -> Executed {
    let cell = read(request);
    let sink = CellSink::new(iopub.clone(), Arc::clone(request), cell.silent, Handle::current());
    let shown = Arc::clone(&sink);
    let reply = cells.run_cell(move |session| evaluate(session, cell, &shown)).await;
    let reply = reply.unwrap_or_else(|| {
        sink.fail(internal_error());
        CellReply::default()
    });
    let (failure, pages) = sink.end();
    let is_failure = failure.is_some();
    let metadata = reply.metadata.clone();
    let content = reply_content(reply, failure, pages);
    Executed { content, metadata, aborts_queue: is_failure && request.flag("stop_on_error", true) }
}

/// The reply to a cell that stood in the queue when one before it failed.
pub fn aborted() -> Value {
    json!({ "status": "aborted", "ename": "Aborted", "evalue": "a cell before this one failed", "traceback": [] })
}

fn read(request: &Request) -> CellRequest {
    let expressions = request.content.get("user_expressions").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    CellRequest {
        text: request.text("code").to_owned(),
        cell_id: request.metadata.get("cellId").and_then(Value::as_str).map(str::to_owned),
        file: None,
        silent: request.flag("silent", false),
        store_history: request.flag("store_history", true),
        user_expressions: expressions
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    }
}

fn evaluate(session: &mut Opened, cell: CellRequest, sink: &Arc<CellSink>) -> CellReply {
    match session {
        Ok(session) => {
            let next = session.next_count();
            let count = if cell.is_counted() { next } else { next.saturating_sub(1) };
            sink.set_count(count);
            announce(sink, &cell.text, count);
            let shown: Arc<dyn OutputSink> = Arc::clone(sink) as Arc<dyn OutputSink>;
            session.evaluate(cell, &shown)
        }
        Err(SetupError { code, message }) => {
            announce(sink, &cell.text, 0);
            sink.fail(plain_failure(code, message));
            CellReply::default()
        }
    }
}

fn announce(sink: &CellSink, text: &str, count: u32) {
    let count = ExecutionCount::new(usize::try_from(count).unwrap_or(usize::MAX));
    sink.announce(&ExecuteInput { code: text.to_owned(), execution_count: count });
}

fn reply_content(reply: CellReply, failure: Option<Failure>, pages: Vec<MimeBundle>) -> Value {
    let asked: Vec<Value> = reply.payloads.into_iter().map(payload).collect();
    let mut payloads: Vec<Value> =
        pages.into_iter().map(|page| payload(Payload::Page(page))).collect();
    payloads.extend(asked);
    match failure {
        Some(Failure { ename, evalue, traceback }) => json!({
            "status": "error", "execution_count": reply.count, "ename": ename, "evalue": evalue,
            "traceback": traceback, "user_expressions": {}, "payload": payloads,
        }),
        None => {
            let expressions: Map<String, Value> = reply
                .user_expressions
                .into_iter()
                .map(|(name, value)| (name, expression(value)))
                .collect();
            json!({
                "status": "ok", "execution_count": reply.count,
                "user_expressions": expressions, "payload": payloads,
            })
        }
    }
}

fn payload(payload: Payload) -> Value {
    match payload {
        Payload::Page(bundle) => json!({ "source": "page", "data": bundle.data, "start": 0 }),
        Payload::SetNextInput { text, replace } => {
            json!({ "source": "set_next_input", "text": text, "replace": replace })
        }
    }
}

fn expression(value: Result<MimeBundle, Failure>) -> Value {
    match value {
        Ok(bundle) => json!({ "status": "ok", "data": bundle.data, "metadata": bundle.metadata }),
        Err(Failure { ename, evalue, traceback }) => {
            json!({ "status": "error", "ename": ename, "evalue": evalue, "traceback": traceback })
        }
    }
}

fn internal_error() -> Failure {
    plain_failure(
        "R0999",
        "an internal error stopped this cell; the session goes on. Please report it with the cell",
    )
}

fn plain_failure(code: &str, message: &str) -> Failure {
    let traceback = vec![format!("\x1b[31m{code}\x1b[0m: {message}")];
    Failure { ename: code.to_owned(), evalue: message.to_owned(), traceback }
}
