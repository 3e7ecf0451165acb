//! Subshells (JEP 91): queues of cells beside the main one, each with a thread of its own. What a cell may do there is the
//! session's to say (L-159).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::jupyter::Kernel;
use crate::jupyter::cells::{Cells, Side};
use crate::jupyter::execute;
use crate::jupyter::sockets::Queue;
use crate::jupyter::wire::Request;

/// Each costs a thread; no client needs more, and a runaway one stops here.
const MOST: usize = 64;

#[derive(Default)]
pub struct Subshells {
    all: Mutex<BTreeMap<String, Subshell>>,
}

struct Subshell {
    queue: UnboundedSender<Arc<Request>>,
    cells: Cells<Side>,
    is_deleted: Arc<AtomicBool>,
}

impl Subshells {
    /// The reply to `create_subshell_request`. Cells of the new one are answered on `replies`.
    pub fn create(&self, kernel: &Arc<Kernel>, replies: &Queue) -> Value {
        let mut all = self.all.lock();
        if all.len() >= MOST {
            return error(&format!("there are {MOST} subshells already; delete one first"));
        }
        let cells = match Cells::beside(&kernel.told) {
            Ok(cells) => cells,
            Err(reason) => return error(&format!("no thread for a subshell: {reason}")),
        };
        let id = uuid::Uuid::new_v4().to_string();
        let (queue, requests) = unbounded_channel();
        let is_deleted = Arc::new(AtomicBool::new(false));
        let line = execute::Line {
            cells: cells.clone(),
            requests,
            replies: replies.clone(),
            is_closed: Arc::clone(&is_deleted),
        };
        tokio::spawn(line.serve(Arc::downgrade(kernel)));
        all.insert(id.clone(), Subshell { queue, cells, is_deleted });
        json!({ "status": "ok", "subshell_id": id })
    }

    pub fn list(&self) -> Value {
        let all = self.all.lock();
        json!({ "status": "ok", "subshell_id": all.keys().collect::<Vec<_>>() })
    }

    /// The cell under way there is interrupted; those behind it are answered as aborted.
    pub fn delete(&self, id: &str) -> Value {
        let Some(subshell) = self.all.lock().remove(id) else { return unknown(id) };
        subshell.is_deleted.store(true, Ordering::SeqCst);
        subshell.cells.interrupt();
        json!({ "status": "ok" })
    }

    /// Whether that subshell takes the cell.
    pub fn execute(&self, id: &str, request: Arc<Request>) -> bool {
        self.all.lock().get(id).is_some_and(|subshell| subshell.queue.send(request).is_ok())
    }

    pub fn interrupt(&self, id: &str) {
        if let Some(subshell) = self.all.lock().get(id) {
            subshell.cells.interrupt();
        }
    }

    #[must_use]
    pub fn are_idle(&self) -> bool {
        self.all.lock().values().all(|subshell| subshell.cells.is_idle())
    }

    pub fn interrupt_all(&self) {
        self.all.lock().values().for_each(|subshell| subshell.cells.interrupt());
    }

    /// The kernel leaves: the threads end with their queues.
    pub fn close(&self) {
        self.all.lock().clear();
    }
}

/// The reply to whatever names a subshell that is not there.
pub fn unknown(id: &str) -> Value {
    error(&format!("there is no subshell `{id}`"))
}

fn error(message: &str) -> Value {
    json!({ "status": "error", "ename": "SubshellError", "evalue": message, "traceback": [] })
}
