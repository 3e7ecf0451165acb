//! The thread that owns the session: cells run there, one after the other, and never on a thread that serves sockets.
//!
//! A job that panics is our mistake; it costs that job its answer (R0999) and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::session::options::SetupError;
use crate::session::{Interrupter, Session};

/// The session, or why there is none: then the kernel still runs, and every cell says so.
pub type Opened = Result<Session, SetupError>;

type Job = Box<dyn FnOnce(&mut Opened) + Send>;

#[derive(Clone)]
pub struct Cells {
    jobs: Sender<Job>,
    interrupter: Arc<OnceLock<Interrupter>>,
    /// Which cell is under way, 0 for none: set before its job is queued, cleared when it is done, by the shell's task.
    under_way: Arc<AtomicU64>,
}

/// How often an interrupt is repeated until its cell ends.
const INSIST: Duration = Duration::from_millis(5);

/// Stack of the thread: the session's own work on deeply nested texts; cells run on stacks of their own.
const STACK_BYTES: usize = 16 << 20;

impl Cells {
    /// Opens the session on its thread; the sockets need not wait for it.
    pub fn start(
        open: impl FnOnce() -> Opened + Send + 'static,
    ) -> std::io::Result<(Cells, JoinHandle<()>)> {
        let (jobs, queue) = channel::<Job>();
        let interrupter = Arc::new(OnceLock::new());
        let told = Arc::clone(&interrupter);
        let body = move || {
            let mut session = open();
            if let Ok(session) = &session {
                // Only this thread sets it, once.
                let _ = told.set(session.interrupter());
            }
            for job in queue {
                // A panic leaves the session as it was at that point; the next job may still use it.
                let _ = catch_unwind(AssertUnwindSafe(|| job(&mut session)));
            }
        };
        let thread = std::thread::Builder::new()
            .name("ag-cells".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(body)?;
        Ok((Cells { jobs, interrupter, under_way: Arc::default() }, thread))
    }

    /// Runs a cell: a job that interrupts are meant for.
    pub async fn run_cell<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Opened) -> T + Send + 'static,
    ) -> Option<T> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.under_way.store(NEXT.fetch_add(1, Ordering::Relaxed), Ordering::SeqCst);
        let answer = self.run(job).await;
        self.under_way.store(0, Ordering::SeqCst);
        answer
    }

    /// Runs a job after those before it; none if it panicked or the thread is gone.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Opened) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |session: &mut Opened| {
            let _ = answer.send(job(session));
        });
        self.jobs.send(job).ok()?;
        answered.await.ok()
    }

    /// Stops the cell under way, also one that has not begun or whose session is still being opened: it is asked again
    /// until it ends. Without one nothing happens.
    pub fn interrupt(&self) {
        let meant = self.under_way.load(Ordering::SeqCst);
        if meant == 0 {
            return;
        }
        let me = self.clone();
        tokio::spawn(async move {
            while me.under_way.load(Ordering::SeqCst) == meant {
                if let Some(interrupter) = me.interrupter.get() {
                    interrupter.interrupt();
                }
                tokio::time::sleep(INSIST).await;
            }
        });
    }
}
