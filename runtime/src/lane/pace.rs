//! Letting time pass inside a lane call.
//!
//! On the system clock that is the executor's timer. On a virtual clock nothing waits for real: a call that a coroutine
//! drives ([`drive`]) hands the moment to it, and the scheduler passes the time when nothing else can happen; without
//! one the clock jumps. Never: a thread asleep.

use crate::clock::Clock;
use parking_lot::Mutex;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

thread_local! {
    /// While a coroutine polls a call on this thread: the moment the call waits for.
    static DUE_NS: Cell<Option<u64>> = const { Cell::new(None) };
}

/// What is put there before a poll, to tell a wait from none.
const NOT_WAITING: u64 = u64::MAX;

/// Lets `ns` pass.
pub async fn pass(clock: &dyn Clock, ns: u64) {
    if clock.is_virtual() {
        let since_ns = clock.monotonic_ns();
        Moment { clock, since_ns, ns }.await;
    } else {
        tokio::time::sleep(Duration::from_nanos(ns)).await;
    }
}

/// A moment of a virtual clock.
struct Moment<'a> {
    clock: &'a dyn Clock,
    since_ns: u64,
    ns: u64,
}

impl Future for Moment<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let due_ns = self.since_ns.saturating_add(self.ns);
        if self.clock.monotonic_ns() >= due_ns {
            return Poll::Ready(());
        }
        if DUE_NS.get().is_none() {
            self.clock.pass_ns(self.since_ns, self.ns);
            return Poll::Ready(());
        }
        DUE_NS.set(Some(due_ns));
        Poll::Pending
    }
}

/// What a driven call waits for.
pub enum Wait<'a> {
    /// A moment of the virtual clock.
    Until(u64),
    /// Something that is not time, such as a model on a thread of its own: the bell rings when it is there.
    Outside(&'a Arc<Bell>),
}

/// Rings once when a call can go on, whether somebody listens already or not yet.
#[derive(Default)]
pub struct Bell {
    state: Mutex<Ring>,
}

#[derive(Default)]
enum Ring {
    #[default]
    Silent,
    Rung,
    Heard(Box<dyn FnOnce() + Send>),
}

impl Bell {
    /// Calls `then` at the next ring, or now if it has rung.
    pub fn listen(&self, then: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock();
        match std::mem::take(&mut *state) {
            Ring::Rung => {
                drop(state);
                then();
            }
            _ => *state = Ring::Heard(Box::new(then)),
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let before = std::mem::replace(&mut *self.state.lock(), Ring::Rung);
        if let Ring::Heard(then) = before {
            *self.state.lock() = Ring::Silent;
            then();
        }
    }
}

/// Drives a call to its end on a virtual clock; `wait` passes time or waits for the bell, or gives an error to end the call.
pub fn drive<T, E>(
    call: impl Future<Output = T>,
    mut wait: impl FnMut(Wait<'_>) -> Result<(), E>,
) -> Result<T, E> {
    let mut call = std::pin::pin!(call);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    loop {
        let outer = DUE_NS.replace(Some(NOT_WAITING));
        let polled = call.as_mut().poll(&mut context);
        // Nothing of the thread is kept over the wait: the coroutine may go on on another one.
        let due_ns = DUE_NS.replace(outer).unwrap_or(NOT_WAITING);
        match polled {
            Poll::Ready(value) => return Ok(value),
            Poll::Pending if due_ns == NOT_WAITING => wait(Wait::Outside(&bell))?,
            Poll::Pending => wait(Wait::Until(due_ns))?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Wait, drive, pass};
    use crate::clock::{Clock, VirtualClock};

    #[test]
    fn a_driven_call_names_the_moments_it_waits_for() {
        let clock = VirtualClock::default();
        let mut moments = Vec::new();
        let call = async {
            pass(&clock, 5).await;
            pass(&clock, 7).await;
            "done"
        };
        let result = drive(call, |wait| {
            if let Wait::Until(due_ns) = wait {
                moments.push(due_ns);
                clock.advance_to(due_ns);
            }
            Ok::<_, ()>(())
        });
        assert_eq!(result, Ok("done"));
        assert_eq!(moments, [5, 12]);
    }

    #[test]
    fn a_wait_may_end_the_call() {
        let clock = VirtualClock::default();
        assert_eq!(drive(pass(&clock, 5), |_| Err("cancelled")), Err("cancelled"));
        assert_eq!(drive(std::future::pending::<()>(), |_| Err("tired")), Err("tired"));
    }

    #[test]
    fn an_answer_from_a_thread_is_waited_for() {
        for _ in 0..100 {
            let (send, receive) = tokio::sync::oneshot::channel();
            let thread = std::thread::spawn(move || send.send(7));
            let answer = drive(receive, |wait| {
                if let Wait::Outside(bell) = wait {
                    let (rung, heard) = std::sync::mpsc::channel();
                    bell.listen(move || rung.send(()).unwrap());
                    heard.recv().unwrap();
                }
                Ok::<_, ()>(())
            });
            assert_eq!(answer, Ok(Ok(7)));
            thread.join().unwrap().unwrap();
        }
    }

    #[test]
    fn without_a_driver_a_virtual_clock_jumps() {
        let clock = VirtualClock::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(pass(&clock, 5));
        assert_eq!(clock.monotonic_ns(), 5);
    }
}
