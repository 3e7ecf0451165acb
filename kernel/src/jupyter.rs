//! The Jupyter kernel: a connection file in, a served session out.
//!
//! Sockets are tasks on one thread, the session has a thread of its own, and so have each subshell and what editors ask;
//! they meet in queues. So everything but another cell is answered while a cell runs. Cells are served in the order they
//! came. It knows the session only through its requests and replies, and never looks at a value.

pub mod broadcast;
pub mod cells;
pub mod connection;
pub mod control;
pub mod execute;
pub mod executing;
pub mod install;
pub mod live;
pub mod offsets;
pub mod parent;
pub mod replies;
pub mod shell;
pub mod sink;
pub mod sockets;
pub mod stdin;
pub mod subshells;
pub mod wire;
pub mod worker;
pub mod zmtp;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jupyter_protocol::{ConnectionInfo, Status};
use serde_json::Map;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use zeromq::ZmqMessage;

use crate::jupyter::cells::{Cells, Opened, Told};
use crate::jupyter::connection::StartError;
use crate::jupyter::executing::Executing;
use crate::jupyter::live::Live;
use crate::jupyter::sink::Iopub;
use crate::jupyter::sockets::Queue;
use crate::jupyter::stdin::Asker;
use crate::jupyter::subshells::Subshells;
use crate::jupyter::wire::{Request, Signer};
use crate::jupyter::worker::Worker;

/// How long the session may take to close its files when the kernel leaves.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// zeromq has written to its own buffers when a writer ends; this lets the system take them.
const LINGER: Duration = Duration::from_millis(20);

/// What the tasks of one kernel share.
pub struct Kernel {
    signer: Signer,
    iopub: Iopub,
    cells: Cells<Opened>,
    told: Told,
    subshells: Subshells,
    executing: Executing,
    live: Live,
    /// Completion, inspection, history: what must not wait for a cell.
    editor: Worker<()>,
    connection: ConnectionInfo,
    leave: Notify,
    /// Messages without a valid signature or shape: dropped, never answered. Written by the readers, read at the end.
    dropped: AtomicU64,
}

/// Serves a client until it asks the kernel to leave, or is gone.
pub fn serve(
    connection_file: &Path,
    open: impl FnOnce() -> Opened + Send + 'static,
) -> Result<(), StartError> {
    let connection = connection::read(connection_file)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::Runtime(error.to_string()))?;
    let no_thread = |error: std::io::Error| StartError::Runtime(error.to_string());
    let (cells, told, thread) = Cells::start(open).map_err(no_thread)?;
    let (editor, _) = Worker::start("ag-editor", || ()).map_err(no_thread)?;
    runtime.block_on(run(connection, cells, told, editor))?;
    // With the runtime go the last tasks that hold the way to the session's thread.
    drop(runtime);
    close(thread);
    Ok(())
}

async fn run(
    connection: ConnectionInfo,
    cells: Cells<Opened>,
    told: Told,
    editor: Worker<()>,
) -> Result<(), StartError> {
    let signals =
        control::Signals::take().map_err(|error| StartError::Runtime(error.to_string()))?;
    let signer = Signer::new(&connection.key);
    sockets::heartbeat(&connection.hb_url()).await?;
    let shell = sockets::router(&connection.shell_url()).await?;
    let control = sockets::router(&connection.control_url()).await?;
    let stdin = sockets::router(&connection.stdin_url()).await?;
    let publisher = broadcast::publisher(&connection.iopub_url(), signer.clone()).await?;
    let (asker, asked) = Asker::new();
    let iopub = Iopub::new(signer.clone(), publisher.queue, asker);
    iopub.publish("status", None, &Status::starting());
    let leave = Notify::new();
    let kernel = Arc::new(Kernel {
        signer,
        iopub,
        cells,
        told,
        subshells: Subshells::default(),
        executing: Executing::default(),
        live: Live::default(),
        editor,
        connection,
        leave,
        dropped: AtomicU64::new(0),
    });
    let tasks = [
        tokio::spawn(shell::serve(
            Arc::clone(&kernel),
            shell.requests,
            shell.replies.clone(),
            publisher.subscribed,
        )),
        tokio::spawn(stdin::serve(Arc::clone(&kernel), asked, stdin.requests, stdin.replies)),
        tokio::spawn(control::serve(
            Arc::clone(&kernel),
            control.requests,
            control.replies,
            shell.replies,
        )),
        tokio::spawn(parent::watch(Arc::clone(&kernel))),
        tokio::spawn(signals.serve(Arc::clone(&kernel))),
    ];
    kernel.leave.notified().await;
    kernel.interrupt(None);
    kernel.subshells.close();
    tasks.iter().for_each(|task| task.abort());
    for task in tasks {
        let _ = task.await;
    }
    // With the tasks gone these are the last queues: each writer ends when its own is written out. A client that does
    // not read must not keep the kernel alive.
    drop(kernel);
    let writers = [control.writer, shell.writer, stdin.writer, publisher.writer];
    let drained = async {
        for writer in writers {
            let _ = writer.await;
        }
    };
    let _ = tokio::time::timeout(CLOSE_LIMIT, drained).await;
    tokio::time::sleep(LINGER).await;
    Ok(())
}

/// Waits for the session's thread, which ends when the last handle to it is gone.
fn close(thread: JoinHandle<()>) {
    let until = Instant::now() + CLOSE_LIMIT;
    while !thread.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Kernel {
    /// The next request that is signed as it should be.
    async fn receive(&self, requests: &mut UnboundedReceiver<ZmqMessage>) -> Option<Arc<Request>> {
        loop {
            match self.signer.decode(requests.recv().await?) {
                Ok(request) => return Some(Arc::new(request)),
                Err(why) => {
                    let count = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
                    // A flood of them must not become a flood of lines.
                    if count.is_power_of_two() {
                        eprintln!("ag: dropped a message ({why:?}); {count} so far");
                    }
                }
            }
        }
    }

    fn busy(&self, request: &Request) {
        self.iopub.publish("status", Some(request), &Status::busy());
    }

    fn idle(&self, request: &Request) {
        self.executing.idle(&self.iopub, request);
    }

    /// Answers a request whose reply is at hand.
    fn answer(&self, to: &Queue, request: &Request, content: &serde_json::Value) {
        self.busy(request);
        self.reply(to, request, content);
        self.idle(request);
    }

    /// Ends the cell under way on that subshell; without one, every cell under way, and if there is none, what runs in the
    /// background: a front end that stops a kernel does not know what runs in it.
    fn interrupt(&self, subshell: Option<&str>) {
        match subshell {
            Some(id) => self.subshells.interrupt(id),
            None if self.cells.is_idle() && self.subshells.are_idle() => {
                self.cells.interrupt_background();
            }
            None => {
                self.cells.interrupt();
                self.subshells.interrupt_all();
            }
        }
    }

    fn reply(&self, to: &Queue, request: &Request, content: &serde_json::Value) {
        // Closed only while the kernel leaves.
        let _ = to.send(self.signer.reply(request, content, &Map::new()));
    }
}
