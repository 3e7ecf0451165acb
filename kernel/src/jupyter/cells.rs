//! Where cells run: the thread that owns the session, and one beside it for each subshell. Never a thread that serves
//! sockets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::jupyter::worker::Worker;
use crate::output::OutputSink;
use crate::session::Session;
use crate::session::options::SetupError;
use crate::session::request::{CellReply, CellRequest};
use crate::session::running::Interrupter;
use crate::session::seat::Beside;

/// The session, or why there is none: then the kernel still runs, and every cell says so.
pub type Opened = Result<Session, SetupError>;

/// What other threads use of the session; set once, when it is open.
pub type Told = Arc<OnceLock<Result<Beside, SetupError>>>;

/// Cells that run one after the other; an interrupt is meant for the one under way.
pub struct Cells<S> {
    worker: Worker<S>,
    interrupter: Arc<OnceLock<Interrupter>>,
    /// Which cell is under way, 0 for none: set before its job is queued, cleared when it is done, by the queue's task.
    under_way: Arc<AtomicU64>,
}

impl<S> Clone for Cells<S> {
    fn clone(&self) -> Cells<S> {
        Cells {
            worker: self.worker.clone(),
            interrupter: Arc::clone(&self.interrupter),
            under_way: Arc::clone(&self.under_way),
        }
    }
}

/// How often an interrupt is repeated until its cell ends.
const INSIST: Duration = Duration::from_millis(5);

/// Two implementations: the session, and what is beside it.
pub trait Evaluates: Send + 'static {
    /// The error says why there is nothing to evaluate in.
    fn evaluate(
        &mut self,
        cell: CellRequest,
        sink: &Arc<dyn OutputSink>,
    ) -> Result<CellReply, SetupError>;
}

impl Evaluates for Opened {
    fn evaluate(
        &mut self,
        cell: CellRequest,
        sink: &Arc<dyn OutputSink>,
    ) -> Result<CellReply, SetupError> {
        match self {
            Ok(session) => Ok(session.evaluate(cell, sink)),
            Err(setup) => Err(setup.clone()),
        }
    }
}

/// A place beside the session, which may not be open yet.
pub struct Side {
    told: Told,
    place: Option<Beside>,
    interrupter: Arc<OnceLock<Interrupter>>,
}

impl Evaluates for Side {
    fn evaluate(
        &mut self,
        cell: CellRequest,
        sink: &Arc<dyn OutputSink>,
    ) -> Result<CellReply, SetupError> {
        let place = match &mut self.place {
            Some(place) => place,
            None => {
                let place = self.told.wait().clone()?;
                let _ = self.interrupter.set(place.interrupter());
                self.place.insert(place)
            }
        };
        let closing = || SetupError { code: "R0704", message: "the session is closing".to_owned() };
        place.evaluate(cell, sink).ok_or_else(closing)
    }
}

impl Cells<Opened> {
    /// Opens the session on its thread; the sockets need not wait for it.
    pub fn start(
        open: impl FnOnce() -> Opened + Send + 'static,
    ) -> std::io::Result<(Cells<Opened>, Told, JoinHandle<()>)> {
        let (interrupter, told) = (Arc::new(OnceLock::new()), Told::default());
        let (tell, tell_interrupter) = (Arc::clone(&told), Arc::clone(&interrupter));
        let open = move || {
            let session = catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
                Err(SetupError { code: "R0999", message: "the session did not open".to_owned() })
            });
            if let Ok(session) = &session {
                let _ = tell_interrupter.set(session.interrupter());
            }
            let _ = tell.set(session.as_ref().map(Session::beside).map_err(Clone::clone));
            session
        };
        let (worker, thread) = Worker::start("ag-cells", open)?;
        Ok((Cells { worker, interrupter, under_way: Arc::default() }, told, thread))
    }
}

impl Cells<Side> {
    pub fn beside(told: &Told) -> std::io::Result<Cells<Side>> {
        let interrupter = Arc::new(OnceLock::new());
        let side =
            Side { told: Arc::clone(told), place: None, interrupter: Arc::clone(&interrupter) };
        let (worker, _) = Worker::start("ag-subshell", move || side)?;
        Ok(Cells { worker, interrupter, under_way: Arc::default() })
    }
}

impl<S: Evaluates> Cells<S> {
    /// Runs a cell; none if it panicked, which is our mistake.
    pub async fn run(
        &self,
        cell: CellRequest,
        sink: Arc<dyn OutputSink>,
    ) -> Option<Result<CellReply, SetupError>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.under_way.store(NEXT.fetch_add(1, Ordering::Relaxed), Ordering::SeqCst);
        let answer = self.worker.run(move |place| place.evaluate(cell, &sink)).await;
        self.under_way.store(0, Ordering::SeqCst);
        answer
    }

    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }

    /// Ends what runs in the background, once the session is open; it does nothing while a cell runs.
    pub fn interrupt_background(&self) {
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.interrupt_background();
        }
    }

    /// Stops the cell under way, also one that has not begun or whose session is still being opened: it is asked again
    /// until it ends. Without one nothing happens.
    pub fn interrupt(&self) {
        let meant = self.under_way.load(Ordering::SeqCst);
        if meant == 0 {
            return;
        }
        let (under_way, interrupter) = (Arc::clone(&self.under_way), Arc::clone(&self.interrupter));
        tokio::spawn(async move {
            while under_way.load(Ordering::SeqCst) == meant {
                if let Some(interrupter) = interrupter.get() {
                    interrupter.interrupt();
                }
                tokio::time::sleep(INSIST).await;
            }
        });
    }
}
