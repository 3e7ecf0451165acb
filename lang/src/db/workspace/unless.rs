//! Checking a cell that may be given up meanwhile, and taking it away then. Never: leaves a part of it in force.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{CellId, CheckedCell, Workspace};
use crate::stop::{self, Stopped};

impl Workspace {
    /// As [`Workspace::check`], unless `stop` becomes true: then the cell is to be discarded.
    pub fn check_unless(
        &mut self,
        id: CellId,
        stop: &Arc<AtomicBool>,
    ) -> Result<CheckedCell, Stopped> {
        if let Some(cell) = self.cells.get(&id).copied() {
            stop::unless(stop, || self.checked(id, cell))?;
        }
        // What was found is remembered; the rest changes the session, and is done whole.
        Ok(self.check(id))
    }

    /// Takes a cell away that was not checked to its end: nothing that it says was looked at.
    pub fn discard(&mut self, id: CellId) {
        self.live.retain(|live| *live != id);
        self.publish();
    }
}
