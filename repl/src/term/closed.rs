//! A reader that goes away (`ag run p.ag | head -1`): what runs is interrupted, because nobody sees what it makes any more.
//!
//! Money and files are settled as after Ctrl-C. Never: a message; the reader has what it wanted.

use std::io::{self, ErrorKind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use ag_kernel::session::running::Interrupter;

static CLOSED: AtomicBool = AtomicBool::new(false);
static RUNNING: OnceLock<Interrupter> = OnceLock::new();

/// What is to be interrupted, from then on.
pub fn interrupts(interrupter: Interrupter) {
    // There is one session in a process that writes to a pipe.
    let _ = RUNNING.set(interrupter);
}

/// Every write to stdout passes here.
pub fn written(result: io::Result<()>) {
    if result.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
        && !CLOSED.swap(true, Ordering::Relaxed)
        && let Some(running) = RUNNING.get()
    {
        running.stop();
    }
}

pub fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
