//! The compute threads: where `@cpu_intensive` behaviors run, so that they hold up no worker.
//!
//! A behavior's coroutine moves here when it begins and back when it ends. Never: starts a job, fires timers, or exists under a
//! virtual clock, where one worker does everything in one order.

use crate::context::Cx;
use crate::sched::control::Control;
use crate::sched::coroutine;
use crate::sched::queue::Runnable;
use crate::sched::scheduler::Scheduler;
use crate::world::World;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

#[derive(Default)]
pub struct Compute {
    state: Mutex<State>,
    news: Condvar,
    /// How many threads there are, once the first was wanted.
    threads: OnceLock<usize>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Control>>,
    /// Coroutines that a thread runs now.
    running: usize,
}

impl Compute {
    pub fn push(&self, control: Arc<Control>) {
        self.state.lock().queue.push_back(control);
        self.news.notify_one();
    }

    pub fn others_wait(&self) -> bool {
        !self.state.lock().queue.is_empty()
    }

    pub fn is_quiet(&self) -> bool {
        let state = self.state.lock();
        state.queue.is_empty() && state.running == 0
    }

    pub fn wake_all(&self) {
        // Under the lock: a thread that has looked and does not wait yet would miss it.
        let _state = self.state.lock();
        self.news.notify_all();
    }

    pub fn drain(&self) -> Vec<Runnable> {
        self.state.lock().queue.drain(..).map(Runnable::Resume).collect()
    }

    fn next(&self, scheduler: &Scheduler) -> Option<Arc<Control>> {
        let mut state = self.state.lock();
        loop {
            if scheduler.is_stopping() {
                return None;
            }
            if let Some(control) = state.queue.pop_front() {
                state.running += 1;
                return Some(control);
            }
            self.news.wait(&mut state);
        }
    }
}

fn run(world: &Arc<World>) {
    let scheduler = Arc::clone(world.scheduler());
    while let Some(control) = scheduler.compute().next(&scheduler) {
        coroutine::resume(world, control);
        scheduler.compute().state.lock().running -= 1;
    }
}

impl World {
    /// False if none could be started. As many as there are workers: each core may compute while another thread of it serves messages.
    fn start_compute(self: &Arc<Self>) -> bool {
        let started = self.scheduler().compute().threads.get_or_init(|| {
            let threads = (0..self.scheduler().worker_count()).filter_map(|number| {
                let world = Arc::clone(self);
                let builder = std::thread::Builder::new().name(format!("ag-compute-{number}"));
                builder.spawn(move || run(&world)).ok()
            });
            let threads: Vec<_> = threads.collect();
            let count = threads.len();
            self.keep_threads(threads);
            count
        });
        *started > 0
    }
}

impl Cx {
    /// The rest of this coroutine runs on the compute threads, until `leave_compute`.
    pub(crate) fn enter_compute(&mut self) {
        if self.world.clock().is_virtual() || self.control.is_detached() {
            return;
        }
        let world = Arc::clone(&self.world);
        // Without a thread to go to it stays where it is.
        if world.start_compute() {
            self.control.set_compute(true);
            self.move_over();
        }
    }

    pub(crate) fn leave_compute(&mut self) {
        if self.control.is_compute() {
            self.control.set_compute(false);
            self.move_over();
        }
    }
}
