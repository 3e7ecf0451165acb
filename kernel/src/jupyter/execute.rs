//! `execute_request`: cells in the order they came, each from its request to its reply.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::jupyter::Kernel;
use crate::jupyter::cells::{Cells, Evaluates};
use crate::jupyter::sink::{CellSink, Iopub};
use crate::jupyter::sockets::Queue;
use crate::jupyter::wire::Request;
use crate::output::OutputSink;
use crate::render::{Failure, MimeBundle};
use crate::session::options::SetupError;
use crate::session::request::{CellReply, CellRequest, Payload};

/// Cells that wait for one another, and where they are answered.
pub struct Line<S> {
    pub cells: Cells<S>,
    pub requests: UnboundedReceiver<Arc<Request>>,
    pub replies: Queue,
    /// Nothing is to be run here any more.
    pub is_closed: Arc<AtomicBool>,
}

/// The content and metadata of a reply, and whether queued cells are to be aborted.
struct Executed {
    content: Value,
    metadata: Map<String, Value>,
    aborts_queue: bool,
}

impl<S: Evaluates> Line<S> {
    /// One cell after the other, each between busy and idle. Weak: a line of a subshell must not keep the kernel.
    pub async fn serve(mut self, kernel: Weak<Kernel>) {
        let mut aborted_until: Option<Instant> = None;
        while let Some(request) = self.requests.recv().await {
            let Some(kernel) = kernel.upgrade() else { return };
            kernel.executing.begin(&kernel.iopub, &request);
            if self.is_closed.load(Ordering::SeqCst) {
                kernel.reply(&self.replies, &request, &aborted("its subshell was deleted"));
            } else if aborted_until.is_some_and(|until| request.arrived <= until) {
                kernel.reply(&self.replies, &request, &aborted("a cell before this one failed"));
            } else {
                let done = execute(&self.cells, &kernel.iopub, &request).await;
                let reply = kernel.signer.reply(&request, &done.content, &done.metadata);
                let _ = self.replies.send(reply);
                if done.aborts_queue {
                    aborted_until = Some(Instant::now());
                }
            }
            kernel.executing.end(&kernel.iopub, &request);
        }
    }
}

/// Runs the cell; everything it shows has been queued for iopub when this returns.
async fn execute<S: Evaluates>(
    cells: &Cells<S>,
    iopub: &Iopub,
    request: &Arc<Request>,
) -> Executed {
    let cell = read(request);
    let sink = CellSink::new(iopub.clone(), Arc::clone(request), cell.silent, Handle::current());
    let shown: Arc<dyn OutputSink> = Arc::clone(&sink) as Arc<dyn OutputSink>;
    let reply = match cells.run(cell, shown).await {
        Some(Ok(reply)) => reply,
        Some(Err(SetupError { code, message })) => {
            sink.begin(0);
            sink.fail(plain_failure(code, &message));
            CellReply::default()
        }
        None => {
            sink.fail(internal_error());
            CellReply::default()
        }
    };
    let (failure, pages) = sink.end();
    let is_failure = failure.is_some();
    let metadata = reply.metadata.clone();
    let content = reply_content(reply, failure, pages);
    Executed { content, metadata, aborts_queue: is_failure && request.flag("stop_on_error", true) }
}

/// The reply to a cell that stood in the queue when one before it failed.
fn aborted(why: &str) -> Value {
    json!({ "status": "aborted", "ename": "Aborted", "evalue": why, "traceback": [] })
}

fn read(request: &Request) -> CellRequest {
    let expressions = request.content.get("user_expressions").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    CellRequest {
        text: request.text("code").to_owned(),
        cell_id: request.metadata.get("cellId").and_then(Value::as_str).map(str::to_owned),
        deleted_cells: names(request.metadata.get("deletedCells")),
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

fn names(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
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
