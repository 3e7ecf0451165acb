//! What the workers of a world share: queues, timers, stacks, the pool of contexts, and who is idle.
//!
//! Never: runs anything itself (`sched::worker` does), or wakes a worker for what its own thread will do next.
//!
//! No wake-up is lost: a pusher makes its work visible and then reads the idle mask; a worker sets its bit in the mask and
//! then looks at all queues once more before it parks. Both are sequentially consistent, so one of them sees the other.

use crate::actor::kind::Priority;
use crate::actor::reference::AgentRef;
use crate::clock::Clock;
use crate::coord::work::Reason;
use crate::sched::compute::Compute;
use crate::sched::control::Control;
use crate::sched::coroutine::{self, Job};
use crate::sched::current;
use crate::sched::queue::{LocalQueue, Runnable};
use crate::sched::rest::Rest;
use crate::sched::stack::StackPool;
use crate::sched::sweep::Sweep;
use crate::sched::timer::{Action, NEVER, TimerId, Timers};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;

/// The idle mask has a bit a worker.
pub const MAX_WORKERS: usize = 64;
/// Of a coroutine that waits: the pages of its stack that are touched, its context and its registers.
const COROUTINE_BYTES: u64 = 24 << 10;
/// What agents may do by themselves after the last cell ended, under virtual time: enough to settle, not to run for ever.
const SETTLING_RUNS: u64 = 1 << 16;
/// What a whole turn of something that computes counts for there.
const TURN_RUNS: u64 = 64;

/// How many coroutines are told of a cancellation before it returns, about a millisecond's work, and how many by a worker
/// between two jobs.
const AT_ONCE: usize = 4096;
const SLICE: usize = 256;

pub struct Scheduler {
    this: Weak<Scheduler>,
    clock: Arc<dyn Clock>,
    workers: Box<[WorkerSeat]>,
    injector: Mutex<VecDeque<Runnable>>,
    /// Under virtual time: cells wait here until what earlier ones caused has settled, so that runs are alike.
    roots: Mutex<VecDeque<Runnable>>,
    compute: Compute,
    timers: Timers,
    stacks: StackPool,
    /// All contexts ever made, for cancellation; and those at rest.
    controls: Mutex<Vec<Arc<Control>>>,
    sweep: Sweep,
    rest: Rest,
    resting: Mutex<Vec<Arc<Control>>>,
    // Bits set by their worker before it parks, cleared by whoever wakes it.
    idle: AtomicU64,
    // Completers alive, cells under way, contexts in use: changed by any thread, each a plain count.
    external: AtomicUsize,
    active_roots: AtomicUsize,
    busy: AtomicUsize,
    /// Written by workers: tries for a stack since a coroutine ended.
    stackless: AtomicU32,
    // Written by the one worker of a virtual clock: what it ran since the last cell ended, as a count of jobs.
    settled: AtomicU64,
    closing: AtomicBool,
    stop: AtomicBool,
}

#[derive(Default)]
pub(in crate::sched) struct WorkerSeat {
    pub(in crate::sched) queue: LocalQueue,
    pub(in crate::sched) thread: OnceLock<Thread>,
}

impl Scheduler {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, workers: usize) -> Arc<Self> {
        // Virtual time can only pass when all workers agree that nothing runs; one worker always does.
        let workers = if clock.is_virtual() { 1 } else { workers.clamp(1, MAX_WORKERS) };
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            clock,
            workers: (0..workers).map(|_| WorkerSeat::default()).collect(),
            injector: Mutex::default(),
            roots: Mutex::default(),
            compute: Compute::default(),
            timers: Timers::default(),
            stacks: StackPool::default(),
            controls: Mutex::default(),
            sweep: Sweep::default(),
            rest: Rest::default(),
            resting: Mutex::default(),
            idle: AtomicU64::new(0),
            external: AtomicUsize::new(0),
            active_roots: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            stackless: AtomicU32::new(0),
            settled: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        })
    }

    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.workers.len()
    }

    pub fn timers(&self) -> &Timers {
        &self.timers
    }

    pub(in crate::sched) fn compute(&self) -> &Compute {
        &self.compute
    }

    pub(in crate::sched) fn stacks(&self) -> &StackPool {
        &self.stacks
    }

    pub(in crate::sched) fn seat(&self, worker: usize) -> Option<&WorkerSeat> {
        self.workers.get(worker)
    }

    pub(in crate::sched) fn seats(&self) -> &[WorkerSeat] {
        &self.workers
    }

    /// Makes something runnable: next on the calling worker, or on any worker if called from outside.
    pub fn push(&self, runnable: Runnable) {
        match current::worker_of(self).and_then(|worker| self.workers.get(worker)) {
            Some(seat) => {
                if seat.queue.push(runnable) {
                    self.wake_one();
                }
            }
            None => {
                self.injector.lock().push_back(runnable);
                self.wake_one();
            }
        }
    }

    /// Makes a coroutine that was woken runnable, on the kind of thread it wants.
    pub(in crate::sched) fn push_woken(&self, control: Arc<Control>) {
        match control.is_compute() {
            true => self.compute.push(control),
            false => self.push(Runnable::Resume(control)),
        }
    }

    /// The same after all that is runnable now.
    pub(in crate::sched) fn push_back_woken(&self, control: Arc<Control>) {
        match control.is_compute() {
            true => self.compute.push(control),
            false => self.push_back(Runnable::Resume(control)),
        }
    }

    /// An agent that rested got a message.
    pub fn push_message(&self, agent: AgentRef, level: Priority, sent_ns: u64) {
        match current::worker_of(self).and_then(|worker| self.workers.get(worker)) {
            Some(seat) => {
                if seat.queue.push_message(agent, level, sent_ns) {
                    self.wake_one();
                }
            }
            None => self.push(Runnable::Start(Job::Agent(agent))),
        }
    }

    /// Makes something runnable after all that is runnable now.
    pub fn push_back(&self, runnable: Runnable) {
        match current::worker_of(self).and_then(|worker| self.workers.get(worker)) {
            Some(seat) => seat.queue.push_back(runnable),
            None => self.injector.lock().push_back(runnable),
        }
        self.wake_one();
    }

    /// Starts a cell from outside.
    pub fn push_root(&self, runnable: Runnable) {
        if self.clock.is_virtual() {
            self.roots.lock().push_back(runnable);
        } else {
            self.active_roots.fetch_add(1, SeqCst);
            self.injector.lock().push_back(runnable);
        }
        self.wake_one();
    }

    pub fn root_ends(&self) {
        self.settled.store(0, SeqCst);
        self.active_roots.fetch_sub(1, SeqCst);
    }

    pub(in crate::sched) fn pop_injected(&self) -> Option<Runnable> {
        self.injector.lock().pop_front()
    }

    pub(in crate::sched) fn pop_root(&self) -> Option<Runnable> {
        let root = self.roots.lock().pop_front();
        if root.is_some() {
            self.active_roots.fetch_add(1, SeqCst);
        }
        root
    }

    /// Under virtual time agents stop some while after the last cell ended, until the next one begins.
    pub(in crate::sched) fn is_frozen(&self) -> bool {
        self.clock.is_virtual()
            && self.active_roots.load(SeqCst) == 0
            && self.settled.load(SeqCst) >= SETTLING_RUNS
            && !self.is_closing()
    }

    pub(in crate::sched) fn count_run(&self) {
        if self.clock.is_virtual() {
            self.settled.fetch_add(1, SeqCst);
        }
    }

    /// Whether what comes from outside may overtake what is runnable here. Between cells under virtual time it may not: when
    /// it came is the machine's business.
    pub(in crate::sched) fn may_come_between(&self) -> bool {
        !self.clock.is_virtual() || self.active_roots.load(SeqCst) > 0
    }

    /// Under virtual time: all that the cells so far caused is done, or has had its share, so that what the outside does
    /// next is the same on every run. Under a real clock, and while another seat's cell runs, nothing has to be waited for.
    fn is_settled(&self) -> bool {
        !self.clock.is_virtual()
            || self.is_closing()
            || self.active_roots.load(SeqCst) > 0
            || self.is_quiet()
    }

    /// Waits for that on a thread outside, unless `is_over` says that nobody wants it any more.
    pub(crate) fn wait_settled(&self, is_over: impl Fn() -> bool) {
        if self.clock.is_virtual() {
            self.rest.wait_until(|| self.is_settled() || is_over());
        }
    }

    /// The calling worker parks.
    pub(in crate::sched) fn tell_rest(&self) {
        if self.clock.is_virtual() {
            self.rest.tell();
        }
    }

    fn wake_one(&self) {
        loop {
            let idle = self.idle.load(SeqCst);
            if idle == 0 {
                return;
            }
            let worker = idle.trailing_zeros();
            let rest = idle & !(1 << worker);
            if self.idle.compare_exchange(idle, rest, SeqCst, SeqCst).is_ok() {
                self.unpark(worker as usize);
                return;
            }
        }
    }

    fn wake_all(&self) {
        self.idle.store(0, SeqCst);
        (0..self.workers.len()).for_each(|worker| self.unpark(worker));
    }

    fn unpark(&self, worker: usize) {
        if let Some(thread) = self.workers.get(worker).and_then(|seat| seat.thread.get()) {
            thread.unpark();
        }
    }

    pub(in crate::sched) fn set_idle(&self, worker: usize) {
        self.idle.fetch_or(1 << worker, SeqCst);
    }

    pub(in crate::sched) fn clear_idle(&self, worker: usize) {
        self.idle.fetch_and(!(1 << worker), SeqCst);
    }

    /// Whether a worker that found nothing would find something now.
    pub(in crate::sched) fn has_runnable(&self) -> bool {
        if self.is_frozen() {
            return !self.roots.lock().is_empty();
        }
        self.sweep.is_pending()
            || !self.injector.lock().is_empty()
            || !self.roots.lock().is_empty()
            || self.workers.iter().any(|seat| seat.queue.has_stealable())
    }

    /// Asked by a coroutine whose fuel is gone, on its worker: fires what is due, offers what waits behind it to others,
    /// and says whether anything waits.
    pub fn others_wait(&self) -> bool {
        self.fire_due();
        self.go_on_looking();
        if self.clock.is_virtual() {
            self.settled.fetch_add(TURN_RUNS, SeqCst);
            if self.is_frozen() {
                return true;
            }
        }
        let Some(seat) = current::worker_of(self).and_then(|worker| self.workers.get(worker))
        else {
            return self.compute.others_wait();
        };
        if seat.queue.flush() {
            self.wake_one();
            return true;
        }
        !self.injector.lock().is_empty()
    }

    pub fn set_timer(&self, deadline_ns: u64, action: Action) -> TimerId {
        let (timer, earliest) = self.timers.add(deadline_ns, action);
        if earliest {
            // A parked worker may be waiting for a later one.
            self.wake_one();
        }
        timer
    }

    /// Fires the timers that are due; true if there were any.
    pub fn fire_due(&self) -> bool {
        if self.timers.next_ns() == NEVER {
            return false;
        }
        let due = self.timers.take_due(self.clock.monotonic_ns());
        let any = !due.is_empty();
        let own = current::worker_of(self).and_then(|worker| self.workers.get(worker));
        for action in due {
            action.fire();
            // What it woke goes behind the others, so that all go on in the order of their deadlines.
            if let Some(seat) = own {
                seat.queue.flush();
            }
        }
        any
    }

    /// Under virtual time, when nothing is runnable: passes to the next timer, if somebody waits for a cell and nothing
    /// outside is under way.
    pub(in crate::sched) fn pass_time(&self) -> bool {
        if !self.clock.is_virtual()
            || self.external.load(SeqCst) > 0
            || self.active_roots.load(SeqCst) == 0
            || self.has_runnable()
        {
            return false;
        }
        let next = self.timers.next_ns();
        if next == NEVER {
            return false;
        }
        let now = self.clock.monotonic_ns();
        self.clock.pass_ns(now, next.saturating_sub(now));
        self.fire_due()
    }

    /// Under virtual time: a cell waits, and nothing that could ever end its wait runs, is set, or is under way outside.
    pub(in crate::sched) fn is_stuck(&self) -> bool {
        self.clock.is_virtual()
            && self.external.load(SeqCst) == 0
            && self.active_roots.load(SeqCst) > 0
            && self.timers.next_ns() == NEVER
            && !self.has_runnable()
    }

    /// How long an idle worker may sleep: until the next timer of a real clock, else until woken.
    pub(in crate::sched) fn sleep_ns(&self) -> Option<u64> {
        let next = self.timers.next_ns();
        if next == NEVER || self.clock.is_virtual() {
            return None;
        }
        Some(next.saturating_sub(self.clock.monotonic_ns()))
    }

    pub fn external_begins(&self) {
        self.external.fetch_add(1, SeqCst);
    }

    pub fn external_ends(&self) {
        if self.external.fetch_sub(1, SeqCst) == 1 && self.clock.is_virtual() {
            // Time may pass now.
            self.wake_one();
        }
    }

    pub(in crate::sched) fn take_control(&self) -> Arc<Control> {
        self.busy.fetch_add(1, SeqCst);
        if let Some(control) = self.resting.lock().pop() {
            return control;
        }
        let control = Control::new(self.this.clone());
        let mut controls = self.controls.lock();
        controls.push(Arc::clone(&control));
        // Under the lock, so that `close_coroutines` either finds it or is seen here.
        if self.is_closing() {
            Control::close(&control);
        }
        drop(controls);
        control
    }

    pub(in crate::sched) fn give_control(&self, control: Arc<Control>) {
        self.resting.lock().push(control);
        self.busy.fetch_sub(1, SeqCst);
    }

    /// A stack was wanted and there was none; how often in a row, with no coroutine ending in between.
    pub fn no_stack(&self) -> u32 {
        self.stackless.fetch_add(1, SeqCst)
    }

    /// A coroutine ended: its stack is free.
    pub fn has_stack(&self) {
        if self.stackless.load(Relaxed) != 0 {
            self.stackless.store(0, SeqCst);
        }
    }

    /// Contexts in use: running, queued and suspended coroutines.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.busy.load(SeqCst)
    }

    /// What coroutines under way take beside their values.
    #[must_use]
    pub fn suspended_bytes(&self) -> u64 {
        (self.busy() as u64).saturating_mul(COROUTINE_BYTES)
    }

    /// Nothing runs, is runnable or under way outside. Timers may be set.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let all = u64::MAX >> (64 - self.workers.len());
        self.external.load(SeqCst) == 0
            && self.compute.is_quiet()
            && !self.has_runnable()
            && self.idle.load(SeqCst) == all
    }

    /// Some work was cancelled: tells every coroutine that serves it, at least the first before it returns. Rare, so it
    /// looks at all of them; asking for work costs nothing in return.
    pub fn look_for_cancellation(&self) {
        self.sweep.begin(self.controls.lock().len());
        // One worker under virtual time: the order must be the same on every run.
        let at_once = if self.clock.is_virtual() { usize::MAX } else { AT_ONCE };
        self.look_at(at_once);
        if self.sweep.is_pending() {
            self.wake_one();
        }
    }

    /// Goes on with that, a little: called by workers between their jobs and by what runs for long.
    pub(in crate::sched) fn go_on_looking(&self) {
        if self.sweep.is_pending() {
            self.look_at(SLICE);
        }
    }

    fn look_at(&self, most: usize) {
        let some = self.sweep.take(&self.controls.lock(), most);
        some.iter().for_each(Control::look_for_cancellation);
    }

    /// Ends what the meant coroutines run, told by agent (packed, or 0) and generation; says how many there were.
    pub fn end_where(&self, meant: impl Fn(u64, u64) -> bool, reason: &Reason) -> usize {
        let controls = self.controls.lock().clone();
        controls.iter().filter(|control| Control::end_if(control, &meant, reason)).count()
    }

    /// Tells every coroutine to come to its end.
    pub fn close_coroutines(&self) {
        self.closing.store(true, SeqCst);
        let controls = self.controls.lock().clone();
        controls.iter().for_each(Control::close);
        self.wake_all();
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(SeqCst)
    }

    pub fn stop_workers(&self) {
        self.stop.store(true, SeqCst);
        self.compute.wake_all();
        self.wake_all();
    }

    pub fn is_stopping(&self) -> bool {
        self.stop.load(SeqCst)
    }

    /// The lowest epoch that a coroutine under way began in.
    pub fn oldest_epoch(&self) -> u64 {
        let controls = self.controls.lock();
        controls.iter().map(|control| control.epoch.load(SeqCst)).min().unwrap_or(u64::MAX)
    }

    /// After the workers ended: drops everything that could hold the world.
    pub fn clear(&self) {
        self.timers.clear();
        let mut left: Vec<Runnable> = self.injector.lock().drain(..).collect();
        left.extend(self.roots.lock().drain(..));
        left.extend(self.compute.drain());
        left.extend(self.workers.iter().flat_map(|seat| seat.queue.drain()));
        left.into_iter().for_each(Runnable::refuse);
        let resting = std::mem::take(&mut *self.resting.lock());
        let controls = std::mem::take(&mut *self.controls.lock());
        resting.iter().for_each(|control| coroutine::forget(control));
        drop((resting, controls));
    }
}
