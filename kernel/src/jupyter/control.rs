//! The control socket and signals: answered while a cell runs.

use std::sync::Arc;

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use zeromq::ZmqMessage;

use crate::jupyter::Kernel;
use crate::jupyter::replies;
use crate::jupyter::sockets::Queue;

pub async fn serve(
    kernel: Arc<Kernel>,
    mut requests: UnboundedReceiver<ZmqMessage>,
    replies: Queue,
    shell: Queue,
) {
    while let Some(request) = kernel.receive(&mut requests).await {
        kernel.busy(&request);
        let mut leaves = false;
        match request.kind() {
            "kernel_info_request" => kernel.reply(&replies, &request, &replies::kernel_info()),
            "interrupt_request" => {
                kernel.interrupt(request.subshell());
                kernel.reply(&replies, &request, &json!({ "status": "ok" }));
            }
            "create_subshell_request" => {
                let content = kernel.subshells.create(&kernel, &shell);
                kernel.reply(&replies, &request, &content);
            }
            "list_subshell_request" => {
                kernel.reply(&replies, &request, &kernel.subshells.list());
            }
            "delete_subshell_request" => {
                let content = kernel.subshells.delete(request.text("subshell_id"));
                kernel.reply(&replies, &request, &content);
            }
            "shutdown_request" => {
                let content = json!({ "status": "ok", "restart": request.flag("restart", false) });
                kernel.reply(&replies, &request, &content);
                // Other clients of this kernel learn of it here.
                kernel.iopub.publish("shutdown_reply", Some(&request), &content);
                leaves = true;
            }
            _ => {}
        }
        kernel.idle(&request);
        if leaves {
            kernel.leave.notify_one();
        }
    }
}

/// SIGINT interrupts the cell (clients with `interrupt_mode: signal`, Ctrl-C in a terminal), SIGTERM ends the kernel.
pub struct Signals {
    interrupts: Signal,
    terms: Signal,
}

impl Signals {
    /// Takes the signals over at once: before that they would end the process.
    pub fn take() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupts: signal(SignalKind::interrupt())?,
            terms: signal(SignalKind::terminate())?,
        })
    }

    pub async fn serve(mut self, kernel: Arc<Kernel>) {
        loop {
            tokio::select! {
                Some(()) = self.interrupts.recv() => kernel.interrupt(None),
                Some(()) = self.terms.recv() => kernel.leave.notify_one(),
                else => break,
            }
        }
    }
}
