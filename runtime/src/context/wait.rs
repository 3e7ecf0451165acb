//! Waiting: the coroutine gives its worker back until somebody completes what it waits for.
//!
//! Never: blocks a worker (but for `wait_briefly` on a virtual clock), or loses a completion that comes before the suspension. Works at any depth of native frames, also
//! in a lambda that a builtin calls. What waits may go on on another worker, so nothing of the thread is kept across it.

use crate::actor::slab::Activity;
use crate::context::Cx;
use crate::context::waker::Waker;
use crate::fault::{Faulted, code};
use crate::sched::coroutine::Pause;
use crate::sched::scheduler::Scheduler;
use crate::telemetry::event::Kind;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

impl Cx {
    /// Waits for something outside the scheduler: `start` hands the completer to whatever will call it, once, from any
    /// thread. While a completer is alive a virtual clock stands still.
    pub fn wait<T: Send + 'static>(
        &mut self,
        start: impl FnOnce(Completer<T>),
    ) -> Result<T, Faulted> {
        let scheduler = Arc::clone(self.world.scheduler());
        let cell = Arc::new(Cell::new(Some(self.waker())));
        scheduler.external_begins();
        start(Completer { cell: Arc::clone(&cell), scheduler });
        let answer = self.poll_until(|_| cell.take());
        cell.abandon();
        self.answered(answer?)
    }

    /// As [`wait`](Self::wait), for somebody in this process who answers soon and needs nothing of the scheduler.
    ///
    /// On a virtual clock the worker waits, too: whether the answer came before the first look would show in the trace (L-161).
    pub fn wait_briefly<T: Send + 'static>(
        &mut self,
        start: impl FnOnce(Completer<T>),
    ) -> Result<T, Faulted> {
        if !self.world.clock().is_virtual() {
            return self.wait(start);
        }
        let scheduler = Arc::clone(self.world.scheduler());
        let cell = Arc::new(Cell::new(None));
        scheduler.external_begins();
        start(Completer { cell: Arc::clone(&cell), scheduler });
        self.answered(cell.block())
    }

    fn answered<T>(&mut self, answer: Option<T>) -> Result<T, Faulted> {
        answer.ok_or_else(|| {
            self.fail(code::INTERNAL, "what was waited for was dropped without an answer");
            Faulted
        })
    }

    /// Waits until `ready` gives something. It is asked at least once, and again after each wake of the waker it is shown;
    /// it must hand the waker over before it gives `None`, under the lock of whoever will wake it.
    pub fn poll_until<T>(
        &mut self,
        mut ready: impl FnMut(&Waker) -> Option<T>,
    ) -> Result<T, Faulted> {
        let waker = self.waker();
        loop {
            if let Some(value) = ready(&waker) {
                return Ok(value);
            }
            self.sleep_once()?;
        }
    }

    /// One suspension for code that hands its waker over itself and looks again afterwards.
    pub(crate) fn sleep_once(&mut self) -> Result<(), Faulted> {
        if self.is_cancelled() {
            self.fail_cancelled();
            return Err(Faulted);
        }
        self.suspend();
        Ok(())
    }

    /// The same for an agent between two messages: nothing of the program waits.
    pub(crate) fn rest_until_woken(&mut self) {
        self.show_activity(Activity::Idle);
        self.pause(Pause::Suspended);
        self.show_activity(Activity::Running);
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.control))
    }

    /// Sleeps until woken, perhaps for nothing.
    pub(in crate::context) fn suspend(&mut self) {
        if self.control.is_detached() {
            return std::thread::park();
        }
        self.record(Kind::Suspend);
        self.count_busy();
        self.show_activity(Activity::Waiting);
        self.pause(Pause::Suspended);
        self.show_activity(Activity::Running);
        self.begin_busy();
        self.record(Kind::Resume);
    }

    /// Lets others have the worker if anybody waits for it.
    pub(crate) fn give_turn(&mut self) {
        if self.control.is_detached() || !self.world.scheduler().others_wait() {
            return;
        }
        self.move_over();
    }

    /// Leaves this thread for one of the kind its control says.
    pub(crate) fn move_over(&mut self) {
        self.record(Kind::GiveWay);
        self.count_busy();
        self.pause(Pause::Preempted);
        self.begin_busy();
        self.record(Kind::Resume);
    }

    /// From now on the agent has a worker.
    pub(crate) fn begin_busy(&mut self) {
        if self.serving.agent.is_some() && self.world.telemetry().is_on() {
            self.busy_since_ns = self.world.telemetry().now_ns();
        }
    }

    pub(crate) fn count_busy(&self) {
        if !self.world.telemetry().is_on() {
            return;
        }
        if let Some(slot) = self.own_slot() {
            let busy = self.world.telemetry().now_ns().saturating_sub(self.busy_since_ns);
            slot.busy_ns.fetch_add(busy, Relaxed);
        }
    }

    fn show_activity(&self, activity: Activity) {
        if let Some(slot) = self.own_slot() {
            slot.set_activity(activity);
        }
    }

    fn pause(&self, pause: Pause) {
        if let Some(exit) = &self.exit {
            exit.pause(pause);
        }
    }
}

struct Cell<T> {
    state: Mutex<State<T>>,
    /// `None`: a thread waits for `changed`.
    waker: Option<Waker>,
    changed: Condvar,
}

enum State<T> {
    Waiting,
    Done(T),
    Dropped,
    /// The waiter is gone: cancelled, or it has its answer.
    Abandoned,
}

impl<T> Cell<T> {
    fn new(waker: Option<Waker>) -> Self {
        Self { state: Mutex::new(State::Waiting), waker, changed: Condvar::new() }
    }

    fn block(&self) -> Option<T> {
        let mut state = self.state.lock();
        while matches!(*state, State::Waiting) {
            self.changed.wait(&mut state);
        }
        match std::mem::replace(&mut *state, State::Abandoned) {
            State::Done(value) => Some(value),
            State::Waiting | State::Dropped | State::Abandoned => None,
        }
    }

    fn take(&self) -> Option<Option<T>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Waiting) {
            State::Waiting => None,
            State::Done(value) => Some(Some(value)),
            State::Dropped | State::Abandoned => Some(None),
        }
    }

    fn is_wanted(&self) -> bool {
        !matches!(*self.state.lock(), State::Abandoned)
    }

    fn abandon(&self) {
        let previous = std::mem::replace(&mut *self.state.lock(), State::Abandoned);
        drop(previous);
    }

    fn put(&self, state: State<T>) {
        {
            let mut current = self.state.lock();
            if !matches!(*current, State::Waiting) {
                return;
            }
            *current = state;
        }
        match &self.waker {
            Some(waker) => waker.wake(),
            None => {
                self.changed.notify_one();
            }
        }
    }
}

/// Ends one [`Cx::wait`]. Dropping it without a call ends the wait with R0999.
pub struct Completer<T> {
    cell: Arc<Cell<T>>,
    scheduler: Arc<Scheduler>,
}

impl<T> Completer<T> {
    pub fn complete(self, value: T) {
        self.cell.put(State::Done(value));
    }

    /// False once the waiter was cancelled: the answer would be dropped.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.cell.is_wanted()
    }
}

impl<T: Send + 'static> Completer<T> {
    /// The same question for somebody who cannot complete it.
    pub fn watch(&self) -> impl Fn() -> bool + Send + use<T> {
        let cell = Arc::clone(&self.cell);
        move || cell.is_wanted()
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        // Without effect after `complete`.
        self.cell.put(State::Dropped);
        // After the wake, so that virtual time cannot pass between them.
        self.scheduler.external_ends();
    }
}
