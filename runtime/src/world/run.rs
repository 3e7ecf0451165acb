//! Starting cells and tasks, waiting for them from outside, and cancelling them.
//!
//! Never: waits on a worker; `join` is for threads outside the world.

use crate::builtin::memory::open_memory;
use crate::code::FnSlot;
use crate::context::Cx;
use crate::context::Serving;
use crate::context::globals::Globals;
use crate::context::sink::{Audience, Sink};
use crate::context::task::{Callee, TaskStart};
use crate::coord::work::{Outcome, Reason, Work};
use crate::fault::{Faulted, code};
use crate::journal::track::Track;
use crate::ledger::quota::LimitContext;
use crate::sched::control::Control;
use crate::sched::coroutine::Job;
use crate::sched::queue::Runnable;
use crate::sched::timer::{Action, TimerId};
use crate::telemetry::event::{Kind, MessageId};
use crate::value::owned::Owned;
use crate::world::World;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// The works of cells under way.
pub(crate) type Cells = Mutex<Vec<(u32, Weak<Work>)>>;

/// A cell to run.
pub struct TaskSpec {
    /// What traces call it: `cell 3`.
    pub name: Arc<str>,
    pub slot: FnSlot,
    pub args: Vec<Owned>,
    pub sink: Arc<dyn Sink>,
    pub limits: LimitContext,
    pub cell: u32,
    /// What it sees of the globals for good; `None`: it sees and sets the current ones.
    pub globals: Option<Arc<Globals>>,
}

/// A cell or task under way.
pub struct TaskHandle {
    work: Arc<Work>,
    world: Arc<World>,
}

impl World {
    /// Runs a cell on a coroutine of its own.
    pub fn run(self: &Arc<Self>, spec: TaskSpec) -> TaskHandle {
        let tape = self.effects().session();
        let track = tape.map(|tape| Track::root(&tape, None));
        let audience = Audience { cell: spec.cell, sink: spec.sink, track };
        let work = Work::new(Arc::clone(&spec.name), audience.clone(), None, 0);
        {
            let mut cells = self.cells.lock();
            cells.retain(|(_, work)| work.strong_count() > 0);
            cells.push((spec.cell, Arc::downgrade(&work)));
        }
        let start = TaskStart {
            callee: Callee::Slot(spec.slot, spec.args),
            audience,
            limits: spec.limits.or_else(|| Some(self.services()?.ledger().cell(spec.cell))),
            globals: spec.globals,
            serving: self.serving(spec.name, MessageId::NONE),
            behalf: None,
            work: Arc::clone(&work),
            is_root: true,
        };
        if self.scheduler().is_closing() {
            work.finish(Err(Reason::new(code::AGENT_STOPPED, "the session is closing").fault()));
        } else {
            self.scheduler().push_root(Runnable::Start(Job::Task(Box::new(start))));
        }
        TaskHandle { work, world: Arc::clone(self) }
    }

    fn serving(&self, name: Arc<str>, cause: MessageId) -> Serving {
        let actor = self.telemetry().next_run();
        self.telemetry().keep_name(actor, Arc::clone(&name));
        let message = self.telemetry().next_message(self.scheduler());
        Serving { agent: None, name, actor, message, cause, born: self.generation() }
    }

    /// Cancels a work and all that was asked for by it: loops stop at their next safepoint, waits end at once.
    pub fn cancel(&self, work: &Work, reason: &Reason) {
        if work.mark_cancelled(reason) {
            // Whoever waits for the end of this work waits for no other coroutine of it.
            work.home().iter().for_each(Control::look_for_cancellation);
            self.scheduler().look_for_cancellation();
        }
    }

    /// Cancels everything that runs for a cell; its agents live on.
    pub fn interrupt(&self, cell: u32) {
        let reason = Reason::new(code::TIME, "interrupted");
        let works: Vec<_> = {
            let cells = self.cells.lock();
            let own = cells.iter().filter(|(number, _)| *number == cell);
            own.filter_map(|(_, work)| work.upgrade()).collect()
        };
        works.iter().for_each(|work| self.cancel(work, &reason));
    }

    /// On a virtual clock: waits until all that cells left running rests, or has had its share, so that what the calling
    /// thread does next finds the same on every run (L-161). `is_over` ends the wait. Not for workers.
    pub fn rest_between(&self, is_over: impl Fn() -> bool) {
        self.scheduler().wait_settled(is_over);
    }

    /// Ends the cells that wait for what can never come; false if there are none left to end.
    pub(crate) fn end_stuck(&self) -> bool {
        let reason = Reason::new(
            code::DEADLOCK,
            "everything waits for something else: nothing can end this",
        );
        let cells = self.cells.lock().clone();
        let waiting = cells.iter().filter_map(|(_, work)| work.upgrade());
        let ended: Vec<Arc<Work>> = waiting.filter(|work| work.mark_cancelled(&reason)).collect();
        if !ended.is_empty() {
            self.scheduler().look_for_cancellation();
        }
        !ended.is_empty()
    }

    /// Cancels a block after so much time of the clock, that of persons not counted.
    pub(crate) fn limit_time(
        self: &Arc<Self>,
        work: &Arc<Work>,
        reason: Reason,
        after_ns: u64,
    ) -> LimitTimer {
        let deadline_ns = self.clock().monotonic_ns().saturating_add(after_ns);
        let timer = LimitTimer::default();
        let limit = Limit { work: Arc::downgrade(work), reason, deadline_ns };
        self.set_limit(work, limit, deadline_ns, &timer);
        timer
    }

    fn set_limit(self: &Arc<Self>, work: &Arc<Work>, limit: Limit, at_ns: u64, timer: &LimitTimer) {
        let (world, slot) = (Arc::downgrade(self), Arc::clone(timer));
        let call = move || {
            if let (Some(world), Some(work)) = (world.upgrade(), limit.work.upgrade()) {
                world.check_limit(limit, &work, &slot);
            }
        };
        // Whoever leaves the block closes it first and then takes the timer.
        let mut timer = timer.lock();
        if work.is_finished() {
            return;
        }
        *timer = Some(self.scheduler().set_timer(at_ns, Action::Call(Box::new(call))));
    }

    /// The deadline, as it was, is there.
    fn check_limit(self: &Arc<Self>, limit: Limit, work: &Arc<Work>, timer: &LimitTimer) {
        let now_ns = self.clock().monotonic_ns();
        let (paused_ns, is_paused) = work.paused_ns(now_ns);
        let until_ns = limit.deadline_ns.saturating_add(paused_ns);
        if until_ns <= now_ns && !is_paused {
            self.cancel(work, &limit.reason);
        } else {
            let least = if is_paused { now_ns.saturating_add(LOOK_NS) } else { 0 };
            self.set_limit(work, limit, until_ns.max(least), timer);
        }
    }
}

/// The timer of a block under a time limit, which is set anew while a person is waited for.
pub(crate) type LimitTimer = Arc<Mutex<Option<TimerId>>>;

/// How often a limit is looked at while a person is waited for.
const LOOK_NS: u64 = 10_000_000;

struct Limit {
    work: Weak<Work>,
    reason: Reason,
    deadline_ns: u64,
}

impl Cx {
    /// Starts a function value without parameters beside this coroutine (`@task`), within the same limits and for the same
    /// cell. Cancelling this coroutine's work cancels it too.
    pub fn start_task(&mut self, name: &str, function: Owned) -> Result<Arc<Work>, Faulted> {
        let parent = self.work.clone();
        let function = self.crossing(function)?;
        Ok(self.start(Callee::Value(function, Vec::new()), name, parent.as_ref()))
    }

    /// The same on behalf of `parent`, with a callee that is ready to cross.
    pub(crate) fn start(
        &mut self,
        callee: Callee,
        name: &str,
        parent: Option<&Arc<Work>>,
    ) -> Arc<Work> {
        let name: Arc<str> = name.into();
        let work = Work::new(Arc::clone(&name), self.audience.clone(), parent, 0);
        open_memory(self);
        let serving = self.world.serving(name, self.serving.message);
        let serving = Serving { born: self.serving.born, ..serving };
        let event = (Kind::Spawn, serving.actor, self.serving.message);
        self.world.telemetry().record_all(self.world.scheduler(), &[event]);
        let globals = self.globals.clone().unwrap_or_else(|| self.world.globals().snapshot());
        let start = TaskStart {
            callee,
            audience: self.audience.child(),
            limits: self.limits.clone(),
            globals: Some(globals),
            serving,
            behalf: self.behalf(),
            work: Arc::clone(&work),
            is_root: false,
        };
        // Behind what is runnable, so that tasks begin in the order they were started in.
        self.world.scheduler().push_back(Runnable::Start(Job::Task(Box::new(start))));
        work
    }
}

impl TaskHandle {
    /// Blocks the calling thread until the task ended, and takes its value. Not for workers.
    pub fn join(&self) -> Outcome {
        let mut cx = Cx::detached(&self.world);
        match cx.poll_until(|waker| self.work.poll(waker)) {
            Ok(outcome) => {
                self.work.forget_value();
                outcome
            }
            Err(_) => Err(cx.take_fault()),
        }
    }

    /// The outcome if the task has ended.
    #[must_use]
    pub fn try_join(&self) -> Option<Outcome> {
        self.work.peek()
    }

    /// Ends it with a Fault of this code.
    pub fn cancel(&self, code: &'static str) {
        self.world.cancel(&self.work, &Reason::new(code, "cancelled"));
    }

    #[must_use]
    pub fn work(&self) -> &Arc<Work> {
        &self.work
    }
}
