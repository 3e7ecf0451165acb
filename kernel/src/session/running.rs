//! Which cell runs at a seat, and whether somebody asked for its end.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use ag_runtime::world::World;
use parking_lot::Mutex;

use crate::session::program::Program;

#[derive(Default)]
pub struct Running {
    /// The number of the cell under way, 0 for none. Written by the seat, read by interrupters.
    number: AtomicU32,
    /// Somebody asked for the running cell to end. Set by interrupters, cleared by the seat at a cell's start.
    interrupted: Arc<AtomicBool>,
    /// A session that the running cell waits for: a test. Who interrupts the cell means it, too.
    guest: Mutex<Option<Interrupter>>,
}

impl Running {
    /// A cell begins: interrupts from now on are meant for it.
    pub fn begin(&self, number: u32) {
        self.interrupted.store(false, Ordering::SeqCst);
        self.number.store(number, Ordering::SeqCst);
    }

    pub fn end(&self) {
        self.number.store(0, Ordering::SeqCst);
    }

    /// Ends the cell under way at its next safepoint; without one nothing happens.
    pub fn interrupt(&self, world: &World) {
        let number = self.number.load(Ordering::SeqCst);
        if number != 0 {
            self.interrupted.store(true, Ordering::SeqCst);
            world.interrupt(number);
            let guest = self.guest.lock().clone();
            if let Some(guest) = guest {
                guest.interrupt();
            }
        }
    }

    pub fn is_idle(&self) -> bool {
        self.number.load(Ordering::SeqCst) == 0
    }

    /// The session that the running cell waits for, from now on.
    pub fn set_guest(&self, guest: Option<Interrupter>) {
        *self.guest.lock() = guest.clone();
        // Whoever asked before found no guest.
        if let (Some(guest), true) = (guest, self.is_interrupted()) {
            guest.interrupt();
        }
    }

    /// For the moments between two statements of a cell.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.interrupted
    }

    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

/// Interrupts what a seat is running, from any thread.
#[derive(Clone)]
pub struct Interrupter {
    /// Weak: who listens for interrupts until the process ends must not keep the session's world open.
    pub(super) program: Weak<Program>,
    pub(super) running: Arc<Running>,
}

impl Interrupter {
    /// The running cell ends with a Fault at its next safepoint; without one nothing happens.
    pub fn interrupt(&self) {
        if let Some(program) = self.program.upgrade() {
            self.running.interrupt(program.world());
        }
    }

    /// While no cell runs, on any seat: ends what agents and tasks do in the background and says how much that was.
    pub fn interrupt_background(&self) -> usize {
        self.program.upgrade().map_or(0, |program| program.world().interrupt_background())
    }

    /// What a person means who stops a session: the running cell, and without one what runs in the background.
    pub fn stop(&self) {
        match self.running.is_idle() {
            true => {
                self.interrupt_background();
            }
            false => self.interrupt(),
        }
    }
}
