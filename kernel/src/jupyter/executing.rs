//! Busy and idle, so that a front end which follows every status is right about the kernel.
//!
//! A request that is answered while a cell runs ends with its own idle. A front end that shows the last status it saw
//! would then show an idle kernel; so the cell that still runs says busy again.

use std::sync::Arc;

use jupyter_protocol::Status;
use parking_lot::Mutex;

use crate::jupyter::sink::Iopub;
use crate::jupyter::wire::Request;

/// The cells under way, oldest first. Statuses are sent under its lock, so none overtakes another.
#[derive(Default)]
pub struct Executing {
    cells: Mutex<Vec<Arc<Request>>>,
}

impl Executing {
    pub fn begin(&self, iopub: &Iopub, cell: &Arc<Request>) {
        let mut cells = self.cells.lock();
        iopub.publish("status", Some(cell), &Status::busy());
        cells.push(Arc::clone(cell));
    }

    pub fn end(&self, iopub: &Iopub, cell: &Arc<Request>) {
        let mut cells = self.cells.lock();
        cells.retain(|other| !Arc::ptr_eq(other, cell));
        idle(iopub, cell, &cells);
    }

    /// The end of a request that is no cell.
    pub fn idle(&self, iopub: &Iopub, request: &Request) {
        idle(iopub, request, &self.cells.lock());
    }
}

fn idle(iopub: &Iopub, request: &Request, still: &[Arc<Request>]) {
    iopub.publish("status", Some(request), &Status::idle());
    if let Some(cell) = still.first() {
        iopub.publish("status", Some(cell), &Status::busy());
    }
}
