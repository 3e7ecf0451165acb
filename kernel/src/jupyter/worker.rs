//! A thread that owns one thing and runs jobs on it, one after the other.
//!
//! A job that panics is our mistake; it costs that job its answer and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// The way to the thread, which ends when the last one is gone and its jobs are done.
pub struct Worker<S> {
    jobs: Sender<Job<S>>,
}

impl<S> Clone for Worker<S> {
    fn clone(&self) -> Worker<S> {
        Worker { jobs: self.jobs.clone() }
    }
}

/// Stack of a thread: the session's own work on deeply nested texts; cells run on stacks of their own.
const STACK_BYTES: usize = 16 << 20;

impl<S: 'static> Worker<S> {
    /// Opens the thing on its thread; nobody waits for it.
    pub fn start(
        name: &str,
        open: impl FnOnce() -> S + Send + 'static,
    ) -> std::io::Result<(Worker<S>, JoinHandle<()>)> {
        let (jobs, queue) = channel::<Job<S>>();
        let body = move || {
            let mut state = open();
            for job in queue {
                // A panic leaves the thing as it was at that point; the next job may still use it.
                let _ = catch_unwind(AssertUnwindSafe(|| job(&mut state)));
            }
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK_BYTES)
            .spawn(body)?;
        Ok((Worker { jobs }, thread))
    }

    /// Runs a job after those before it; none if it panicked or the thread is gone.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |state: &mut S| {
            let _ = answer.send(job(state));
        });
        self.jobs.send(job).ok()?;
        answered.await.ok()
    }
}
