//! Signals: Ctrl-C interrupts what a session runs and never ends the process; being asked to end still deletes what is
//! ephemeral.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::term::closed;
use ag_kernel::session::Session;
use ag_kernel::session::running::Interrupter;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often Ctrl-C was pressed. Written by the thread of [`on_interrupt`]; read by whoever waits for a line, who needs no
/// more than that it has changed.
static SEEN: AtomicUsize = AtomicUsize::new(0);

pub fn seen() -> usize {
    SEEN.load(Ordering::Relaxed)
}

/// Takes SIGINT over before it returns, and passes it on from a thread of its own until the process ends. At a prompt the
/// terminal is raw and sends none. Where it cannot be taken over Ctrl-C keeps its usual meaning: worse, but no reason
/// to refuse to run.
///
/// SIGTERM and SIGHUP are taken over only for an ephemeral home: every other one is made to survive an end at any time.
pub fn on_interrupt(session: &Session) {
    let interrupter = session.interrupter();
    closed::interrupts(interrupter.clone());
    let ephemeral = session.home().ephemeral().map(PathBuf::from);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let (taken, ends) = {
        let _inside = runtime.enter();
        let ends = ephemeral.and_then(|folder| Ends::take(folder).ok());
        (signal(SignalKind::interrupt()), ends)
    };
    let Ok(mut interrupts) = taken else { return };
    let body = move || {
        runtime.block_on(async {
            let ending = wait(ends);
            let interrupting = async {
                while interrupts.recv().await.is_some() {
                    SEEN.fetch_add(1, Ordering::Relaxed);
                    interrupter.stop();
                }
            };
            tokio::join!(interrupting, ending);
        });
    };
    let _ = std::thread::Builder::new().name("ag-interrupt".to_owned()).spawn(body);
}

/// What ends the process, with the folder to delete before.
struct Ends {
    terms: Signal,
    hangups: Signal,
    folder: PathBuf,
}

impl Ends {
    fn take(folder: PathBuf) -> std::io::Result<Ends> {
        let terms = signal(SignalKind::terminate())?;
        Ok(Ends { terms, hangups: signal(SignalKind::hangup())?, folder })
    }
}

/// How often deleting is tried.
const TRIES: usize = 50;

/// Exits as a process that the signal ended would be reported by a shell: 128 and the signal's number.
async fn wait(ends: Option<Ends>) {
    let Some(mut ends) = ends else { return };
    let code = tokio::select! {
        Some(()) = ends.terms.recv() => 143,
        Some(()) = ends.hangups.recv() => 129,
        else => return,
    };
    // The cell is not interrupted: its session would end at the same time, with another code. The folder is moved away
    // first, so that what the cell still writes finds no place.
    let moved = ends.folder.with_extension("ended");
    let folder = if std::fs::rename(&ends.folder, &moved).is_ok() { moved } else { ends.folder };
    // A writer that had it open may put a file back between the listing and the deletion.
    for _ in 0..TRIES {
        let _ = std::fs::remove_dir_all(&folder);
        if !folder.exists() {
            break;
        }
    }
    std::process::exit(code);
}

/// The sessions that are running side by side.
#[derive(Clone, Default)]
pub struct Guests(Arc<Mutex<Vec<Interrupter>>>);

impl Guests {
    pub fn add(&self, interrupter: Interrupter) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(interrupter);
    }

    fn interrupt(&self) {
        let guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guests.iter().for_each(Interrupter::interrupt);
    }
}

/// The first SIGINT sets `stop` and interrupts all that run, so that their homes are deleted; the second ends the process.
pub fn on_interrupt_of(guests: Guests, stop: Arc<AtomicBool>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let taken = {
        let _inside = runtime.enter();
        signal(SignalKind::interrupt())
    };
    let Ok(mut interrupts) = taken else { return };
    let body = move || {
        runtime.block_on(async {
            while interrupts.recv().await.is_some() {
                if stop.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                guests.interrupt();
            }
        });
    };
    let _ = std::thread::Builder::new().name("ag-interrupt".to_owned()).spawn(body);
}
