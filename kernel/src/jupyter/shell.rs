//! The shell socket: requests in order, each between busy and idle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use zeromq::ZmqMessage;

use crate::jupyter::Kernel;
use crate::jupyter::cells::{Cells, Opened};
use crate::jupyter::execute::{aborted, execute};
use crate::jupyter::replies;
use crate::jupyter::sockets::Queue;
use crate::jupyter::wire::Request;
use crate::session::Session;

/// A client whose subscription arrives after its first request would miss that request's idle and wait for ever; so
/// the first request waits for a subscription, but not longer than this, because a client may have none.
const SUBSCRIPTION_LIMIT: Duration = Duration::from_millis(300);

pub async fn serve(
    kernel: Arc<Kernel>,
    mut requests: UnboundedReceiver<ZmqMessage>,
    replies: Queue,
    mut subscribed: watch::Receiver<bool>,
) {
    // Decoding in a task of its own stamps the arrival of requests while a cell runs.
    let (stamped, mut queue) = unbounded_channel();
    let reader = Arc::clone(&kernel);
    let reading = tokio::spawn(async move {
        while let Some(request) = reader.receive(&mut requests).await {
            if stamped.send(request).is_err() {
                break;
            }
        }
    });
    // The reader holds the kernel; it ends with this task, also when that is aborted.
    let _end = AbortOnDrop(reading);
    let mut is_first = true;
    let mut aborted_until: Option<Instant> = None;
    while let Some(request) = queue.recv().await {
        if std::mem::take(&mut is_first) {
            let _ = tokio::time::timeout(SUBSCRIPTION_LIMIT, subscribed.wait_for(|is| *is)).await;
        }
        kernel.busy(&request);
        let is_execute = request.kind() == "execute_request";
        if is_execute && aborted_until.is_some_and(|until| request.arrived <= until) {
            kernel.reply(&replies, &request, &aborted());
        } else if is_execute {
            let done = execute(&kernel.cells, &kernel.iopub, &request).await;
            let _ = replies.send(kernel.signer.reply(&request, &done.content, &done.metadata));
            if done.aborts_queue {
                aborted_until = Some(Instant::now());
            }
        } else if let Some(content) = answer(&kernel, &request).await {
            kernel.reply(&replies, &request, &content);
        }
        kernel.idle(&request);
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The content of the reply; none for messages that have no reply, or that this kernel does not know.
async fn answer(kernel: &Kernel, request: &Arc<Request>) -> Option<Value> {
    let about =
        |asked: fn(&Session, &Request) -> Value| ask(&kernel.cells, Arc::clone(request), asked);
    match request.kind() {
        "kernel_info_request" => Some(replies::kernel_info()),
        "complete_request" => {
            about(|session, request| replies::complete(&session.inspector(), request)).await
        }
        "inspect_request" => {
            about(|session, request| replies::inspect(&session.inspector(), request)).await
        }
        "is_complete_request" => {
            about(|session, request| replies::is_complete(&session.inspector(), request)).await
        }
        "history_request" => about(replies::history).await,
        "comm_info_request" => Some(json!({ "status": "ok", "comms": {} })),
        "comm_open" => {
            // No target exists: the protocol wants an unknown one closed at once.
            let id = request.text("comm_id");
            kernel.iopub.publish(
                "comm_close",
                Some(request),
                &json!({ "comm_id": id, "data": {} }),
            );
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

/// A question to the session. Without one the answer is the error that cells give too.
async fn ask(
    cells: &Cells,
    request: Arc<Request>,
    asked: fn(&Session, &Request) -> Value,
) -> Option<Value> {
    let error = |code: &str, message: &str| json!({ "status": "error", "ename": code, "evalue": message, "traceback": [] });
    let job = move |session: &mut Opened| match session {
        Ok(session) => asked(session, &request),
        Err(setup) => error(setup.code, &setup.message),
    };
    Some(
        cells
            .run(job)
            .await
            .unwrap_or_else(|| error("R0999", "an internal error; the session goes on")),
    )
}
