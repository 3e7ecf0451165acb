//! The shell socket: cells go to their queues; everything else is answered at once, also while a cell runs.

use std::sync::Arc;
use std::time::Duration;

use ag_lang::diag::codes;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use zeromq::ZmqMessage;

use crate::jupyter::Kernel;
use crate::jupyter::execute::Line;
use crate::jupyter::replies;
use crate::jupyter::sockets::Queue;
use crate::jupyter::subshells;
use crate::jupyter::wire::Request;
use crate::session::seat::Beside;

/// A client whose subscription arrives after its first request would miss that request's idle and wait for ever; so
/// the first request waits for a subscription, but not longer than this, because a client may have none.
const SUBSCRIPTION_LIMIT: Duration = Duration::from_millis(300);

pub async fn serve(
    kernel: Arc<Kernel>,
    mut requests: UnboundedReceiver<ZmqMessage>,
    replies: Queue,
    mut subscribed: watch::Receiver<bool>,
) {
    let (cells, queue) = unbounded_channel();
    let line = Line {
        cells: kernel.cells.clone(),
        requests: queue,
        replies: replies.clone(),
        is_closed: Arc::default(),
    };
    let (others, asked) = unbounded_channel();
    // They hold the kernel; they end with this task, also when that is aborted.
    let _ends = [
        AbortOnDrop(tokio::spawn(line.serve(Arc::downgrade(&kernel)))),
        AbortOnDrop(tokio::spawn(answer_all(Arc::clone(&kernel), asked, replies.clone()))),
    ];
    let mut is_first = true;
    while let Some(request) = kernel.receive(&mut requests).await {
        if std::mem::take(&mut is_first) {
            let _ = tokio::time::timeout(SUBSCRIPTION_LIMIT, subscribed.wait_for(|is| *is)).await;
        }
        dispatch(&kernel, request, &cells, &others, &replies);
    }
}

fn dispatch(
    kernel: &Arc<Kernel>,
    request: Arc<Request>,
    cells: &UnboundedSender<Arc<Request>>,
    others: &UnboundedSender<Arc<Request>>,
    replies: &Queue,
) {
    if let Some(why) = request.problem() {
        kernel.answer(replies, &request, &error(codes::E0012.as_str(), &why));
        return;
    }
    // A queue is closed only while the kernel leaves.
    match (request.kind(), request.subshell()) {
        ("execute_request", None) => {
            let _ = cells.send(request);
        }
        ("execute_request", Some(id)) => {
            if !kernel.subshells.execute(id, Arc::clone(&request)) {
                kernel.answer(replies, &request, &subshells::unknown(id));
            }
        }
        ("kernel_info_request", _) => kernel.answer(replies, &request, &replies::kernel_info()),
        _ => {
            let _ = others.send(request);
        }
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer_all(
    kernel: Arc<Kernel>,
    mut requests: UnboundedReceiver<Arc<Request>>,
    replies: Queue,
) {
    while let Some(request) = requests.recv().await {
        kernel.busy(&request);
        if let Some(content) = answer(&kernel, &request).await {
            kernel.reply(&replies, &request, &content);
        }
        kernel.idle(&request);
    }
}

/// The content of the reply; none for messages that have no reply, or that this kernel does not know.
async fn answer(kernel: &Arc<Kernel>, request: &Arc<Request>) -> Option<Value> {
    let about = |asked: fn(&Beside, &Request) -> Value| ask(kernel, Arc::clone(request), asked);
    match request.kind() {
        "complete_request" => {
            about(|session, request| replies::complete(session.inspector(), request)).await
        }
        "inspect_request" => {
            about(|session, request| replies::inspect(session.inspector(), request)).await
        }
        "is_complete_request" => {
            about(|session, request| replies::is_complete(session.inspector(), request)).await
        }
        "history_request" => about(replies::history).await,
        "comm_info_request" => {
            let target = request.content.get("target_name").and_then(Value::as_str);
            Some(kernel.live.info(target))
        }
        "comm_open" => {
            kernel.live.open(kernel, request).await;
            None
        }
        "comm_msg" => {
            kernel.live.message(kernel, request).await;
            None
        }
        "comm_close" => {
            kernel.live.close(request);
            None
        }
        "connect_request" => {
            let ports = &kernel.connection;
            Some(json!({
                "status": "ok", "shell_port": ports.shell_port, "iopub_port": ports.iopub_port,
                "stdin_port": ports.stdin_port, "control_port": ports.control_port, "hb_port": ports.hb_port,
            }))
        }
        _ => None,
    }
}

fn error(code: &str, message: &str) -> Value {
    json!({ "status": "error", "ename": code, "evalue": message, "traceback": [] })
}

/// A question to the session. Without one the answer is the error that cells give too.
async fn ask(
    kernel: &Kernel,
    request: Arc<Request>,
    asked: fn(&Beside, &Request) -> Value,
) -> Option<Value> {
    let told = Arc::clone(&kernel.told);
    let job = move |_: &mut ()| match told.wait() {
        Ok(session) => asked(session, &request),
        Err(setup) => error(setup.code, &setup.message),
    };
    let answer = kernel.editor.run(job).await;
    Some(answer.unwrap_or_else(|| error("R0999", "an internal error; the session goes on")))
}
