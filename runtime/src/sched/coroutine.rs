//! Runs a job on a pooled stack, from its start to its end, over any number of suspensions.
//!
//! Never: unwinds or drops a suspended coroutine. Cancelled work is run out: whatever it waits for answers with a Fault, so
//! compiled and native frames release what they hold in the ordinary way.
//!
//! A coroutine may go on on another worker. So code that can suspend keeps nothing of the thread across a suspension: no
//! thread-local borrow, no lock, no `Thread`. Functions that read thread-locals are never inlined into ones that suspend.

use crate::actor::activation;
use crate::actor::lifecycle;
use crate::actor::reference::AgentRef;
use crate::context::Cx;
use crate::context::task;
use crate::coord::work::Reason;
use crate::fault::code;
use crate::sched::control::Control;
use crate::sched::queue::Runnable;
use crate::sched::stack::PooledStack;
use crate::value::dying::{self, Waiting};
use crate::value::heap::size;
use crate::world::World;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Why a coroutine left its worker.
pub enum Pause {
    /// It waits and is queued by whoever wakes it.
    Suspended,
    /// It used up its fuel and goes to the end of the queue.
    Preempted,
}

type CoYielder = Yielder<(), Pause>;
type Running = Coroutine<(), Pause, (), PooledStack>;

/// The way out of a coroutine. Made at its start, kept in its context and emptied at its end, so it is used on the
/// coroutine's own stack only.
pub struct Exit(*const CoYielder);

impl Exit {
    /// Leaves the worker; returns when the coroutine is resumed, perhaps on another one.
    pub(crate) fn pause(&self, pause: Pause) {
        // SAFETY: the yielder lives on the coroutine's stack until its end, and the code that calls this runs on it.
        unsafe { (*self.0).suspend(pause) };
    }
}

pub enum Job {
    Agent(AgentRef),
    Task(Box<task::TaskStart>),
}

/// What a control keeps between jobs: context and stack, warm.
#[derive(Default)]
pub struct Body {
    running: Option<Running>,
    stack: Option<PooledStack>,
    cx: Option<Box<Cx>>,
    /// What it has still to free: on the worker while it runs, here while it does not.
    dead: Waiting,
}

impl Body {
    /// The coroutine that will do `job` when it is first resumed.
    fn prepare(&mut self, world: &Arc<World>, control: &Arc<Control>, job: Job) -> Result<(), Job> {
        let stack = match self.stack.take() {
            Some(stack) => stack,
            None => match world.scheduler().stacks().take() {
                Ok(stack) => stack,
                Err(_) => return Err(job),
            },
        };
        let cx = self.cx.get_or_insert_with(|| Box::new(Cx::new(world, Arc::clone(control))));
        cx.begin_on(stack.floor());
        let cx: *mut Cx = &raw mut **cx;
        self.running = Some(Coroutine::with_stack(stack, move |yielder: &CoYielder, ()| {
            // SAFETY: the box lives in the control's body, which outlives the coroutine, and only this coroutine uses it
            // while it runs.
            let cx = unsafe { &mut *cx };
            cx.set_exit(Exit(yielder));
            work(cx, job);
            cx.end();
        }));
        Ok(())
    }
}

/// The outermost frame. A panic is a mistake of ours: it ends this job as R0999 and nothing else.
fn work(cx: &mut Cx, job: Job) {
    match job {
        Job::Agent(agent) => {
            if catch_unwind(AssertUnwindSafe(|| activation::run(cx, agent))).is_err() {
                lifecycle::end(cx, agent);
            }
        }
        Job::Task(start) => task::run(cx, *start),
    }
}

/// Starts `job` on the calling worker and runs it until it pauses or ends.
pub fn start(world: &Arc<World>, job: Job) {
    let control = world.scheduler().take_control();
    control.begin_running();
    // SAFETY: this worker just made it RUNNING.
    let prepared = unsafe { control.body() }.prepare(world, &control, job);
    match prepared {
        Ok(()) => drive(world, control),
        Err(job) => {
            control.rest();
            world.scheduler().give_control(control);
            wait_for_stack(world, Runnable::Start(job));
        }
    }
}

/// How long nothing has to end before a cell or task without a stack ends itself.
const TRIES: u32 = 500;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// There is no memory for a stack: tries again when something may have ended. A cell or task gives up where nothing does; an
/// agent has its messages until somebody stops it.
fn wait_for_stack(world: &Arc<World>, job: Runnable) {
    let tries = world.scheduler().no_stack();
    if tries > TRIES && matches!(job, Runnable::Start(Job::Task(_))) {
        let limit = size(world.memory_limit());
        let message = format!("there is no room for a stack (the memory limit is {limit})");
        return job.end(Reason::new(code::MEMORY_LIMIT, &message));
    }
    std::thread::sleep(BETWEEN_TRIES);
    world.scheduler().push_back(job);
}

/// Goes on with a coroutine taken from a run queue.
pub fn resume(world: &Arc<World>, control: Arc<Control>) {
    drive(world, control);
}

/// After the workers ended: a pooled context holds its control and the world, and the control holds the context.
pub fn forget(resting: &Control) {
    // SAFETY: no worker is left and the coroutine rests, so nobody else has its body.
    *unsafe { resting.body() } = Body::default();
}

fn drive(world: &Arc<World>, control: Arc<Control>) {
    loop {
        control.begin_running();
        // SAFETY: this worker just made it RUNNING; the borrow ends before the state changes.
        let body = unsafe { control.body() };
        let Some(running) = body.running.as_mut() else { return };
        dying::enter(std::mem::take(&mut body.dead));
        let paused = running.resume(());
        body.dead = dying::leave();
        match paused {
            CoroutineResult::Yield(Pause::Suspended) => {
                if control.try_sleep() {
                    return;
                }
            }
            CoroutineResult::Yield(Pause::Preempted) => {
                control.requeue();
                world.scheduler().push_back_woken(control);
                return;
            }
            CoroutineResult::Return(()) => {
                body.stack = body.running.take().map(Coroutine::into_stack);
                world.scheduler().has_stack();
                dying::hand_over(std::mem::take(&mut body.dead));
                control.rest();
                world.scheduler().give_control(control);
                return;
            }
        }
    }
}
