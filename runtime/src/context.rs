//! The context of one coroutine: what running code reads at every call, and the doors to everything else.
//!
//! Never: shared between two coroutines, or used by a thread while its coroutine sleeps. A context is pooled: it serves one
//! cell, task or run of an agent after another. The fields up to `fields` are read by generated code at fixed offsets.

pub mod blocking;
pub mod call;
pub mod crossing;
pub mod door;
pub mod globals;
pub mod outlast;
pub mod output;
pub mod permit;
pub mod person;
pub mod registers;
pub mod scope;
pub mod sink;
pub mod speculation;
pub mod state;
pub mod task;
pub mod time;
pub mod wait;
pub mod waker;

use crate::actor::instance::Instance;
use crate::actor::reference::AgentRef;
use crate::code::{FAULT, OK, Status};
use crate::context::globals::Globals;
use crate::context::registers::RegisterStack;
use crate::context::scope::Scope;
use crate::context::sink::Audience;
use crate::context::speculation::Speculation;
use crate::context::task::Behalf;
use crate::coord::decision::Draft;
use crate::coord::work::{Reason, Work};
use crate::fault::{Fault, Faulted, code};
use crate::ledger::quota::LimitContext;
use crate::sched::control::{CLOSING, Control, ENDED};
use crate::sched::coroutine::Exit;
use crate::telemetry::event::{Actor, MessageId};
use crate::value::dying;
use crate::value::heap;
use crate::world::World;
use std::mem::offset_of;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// Safepoints passed before a coroutine looks whether others wait for its worker: below a millisecond of interpreted code.
const FUEL: i64 = 8192;

/// What a context outside coroutines takes for the native stack below it: half of a thread's smallest usual one.
const THREAD_STACK_BYTES: usize = 1 << 20;

/// Dead objects freed when the fuel is gone: more than a program can make of it, so that they never pile up.
const FREED_PER_TURN: usize = 4 * FUEL as usize;

/// One coroutine's context.
#[repr(C)]
pub struct Cx {
    /// Not 0 when the code is to stop at its next safepoint. Points into `control`, which lives as long as the context.
    pub safepoint: *const AtomicU32,
    /// Safepoints until the slow path is taken anyway, that one included. Not above 0 only while a value is out of its place:
    /// compiled loops look at a few of its bits, and may not miss the end.
    pub fuel: i64,
    /// The value of the last call that ended with `OK`; owned by whoever reads it.
    pub result: u64,
    pub registers: RegisterStack,
    /// The fields of the agent whose message this is (parameters, ports, state), or null.
    pub fields: *mut u64,
    /// The Fault of the last call that did not end with `OK`.
    pub fault: Option<Box<Fault>>,
    pub world: Arc<World>,
    /// The limits in force here (L-96). Requests and tasks carry them on; scopes change and restore them.
    pub limits: LimitContext,
    /// Whose output this is.
    pub audience: Audience,
    /// The message, cell or task this coroutine works on, and what caused it.
    pub serving: Serving,
    pub(crate) globals: Option<Arc<Globals>>,
    pub(crate) scopes: Vec<Box<dyn Scope>>,
    pub(crate) control: Arc<Control>,
    pub(crate) work: Option<Arc<Work>>,
    pub(crate) instance: Option<Box<Instance>>,
    /// The decision that this message is, while it is made.
    pub(crate) decision: Option<Box<Draft>>,
    pub(crate) speculation: Speculation,
    /// In a task of an agent.
    pub(crate) behalf: Option<Behalf>,
    /// How this coroutine leaves its worker; empty outside a coroutine.
    exit: Option<Exit>,
    /// A value is out of its place to be changed: until it is back nothing may fault for another reason than its own,
    /// nor give the worker away.
    holds_place: bool,
    stack_floor: usize,
    steps: u64,
    /// Since when the agent has had its worker, on the trace's clock.
    busy_since_ns: u64,
}

/// What a coroutine is doing, for traces and causes.
#[derive(Clone, Debug)]
pub struct Serving {
    pub agent: Option<AgentRef>,
    /// The agent's type, or the name of the cell or task.
    pub name: Arc<str>,
    pub actor: Actor,
    pub message: MessageId,
    pub cause: MessageId,
    /// The generation of the world that what this stems from was begun in.
    pub born: u64,
}

impl Serving {
    fn nothing() -> Self {
        Self {
            agent: None,
            name: "".into(),
            actor: Actor::NONE,
            message: MessageId::NONE,
            cause: MessageId::NONE,
            born: 0,
        }
    }
}

impl Cx {
    /// Where compiled code finds the lowest address its native stack may reach.
    pub const STACK_FLOOR_OFFSET: usize = offset_of!(Cx, stack_floor);

    pub(crate) fn new(world: &Arc<World>, control: Arc<Control>) -> Self {
        let mut registers = RegisterStack::default();
        registers.set_max_depth(world.limits().depth);
        Self {
            safepoint: &raw const control.flags,
            fuel: FUEL + 1,
            result: 0,
            registers,
            fields: null_mut(),
            fault: None,
            world: Arc::clone(world),
            limits: None,
            audience: Audience::nobody(),
            serving: Serving::nothing(),
            globals: None,
            scopes: Vec::new(),
            control,
            work: None,
            instance: None,
            decision: None,
            speculation: Speculation::default(),
            behalf: None,
            exit: None,
            holds_place: false,
            stack_floor: 0,
            steps: 0,
            busy_since_ns: 0,
        }
    }

    /// A context of the calling thread, outside any coroutine: waiting blocks the thread. For tests and for code that runs
    /// before or beside the workers; never on a worker.
    #[must_use]
    pub fn detached(world: &Arc<World>) -> Self {
        let scheduler = Arc::downgrade(world.scheduler());
        let mut cx = Self::new(world, Control::of_thread(scheduler));
        let here = 0u8;
        cx.stack_floor = (&raw const here as usize).saturating_sub(THREAD_STACK_BYTES);
        cx
    }

    /// Ends a call with a Fault: `return cx.fail(..)`.
    #[cold]
    pub fn fail(&mut self, code: &'static str, message: impl Into<String>) -> Status {
        self.raise(Box::new(Fault::new(code, message)))
    }

    /// Ends a call with a Fault that exists already.
    #[cold]
    pub fn raise(&mut self, fault: Box<Fault>) -> Status {
        self.fault = Some(fault);
        self.let_go();
        FAULT
    }

    /// Whether to stop: interrupts, limits, fairness. Every loop back-edge and call passes here, and builtins that may run
    /// for a millisecond. It may give the worker to others, so no lock is held across it.
    #[inline(always)]
    pub fn safepoint(&mut self) -> Status {
        self.fuel -= 1;
        if self.control.flags.load(Ordering::Relaxed) == 0 && self.fuel > 0 {
            return OK;
        }
        self.safepoint_slow()
    }

    /// The rest of [`Cx::safepoint`], for compiled code that has counted the fuel and found a flag or no fuel.
    #[cold]
    #[inline(never)]
    pub fn safepoint_slow(&mut self) -> Status {
        if self.holds_place {
            return OK;
        }
        if self.is_cancelled() {
            return self.fail_cancelled();
        }
        if self.fuel > 0 {
            return OK;
        }
        let max_steps = self.world.limits().steps;
        self.refuel();
        if self.steps > max_steps {
            return self.fail(code::STEP_LIMIT, format!("more than {max_steps} steps"));
        }
        dying::free_some(FREED_PER_TURN);
        if !self.has_room(0) {
            return self.fail_memory();
        }
        self.give_turn();
        if self.is_cancelled() { self.fail_cancelled() } else { OK }
    }

    #[cold]
    fn fail_memory(&mut self) -> Status {
        let (limit, held) = (self.world.told_memory_limit(), self.world.told_held());
        let message = format!("the memory limit of {limit} is reached{held}");
        self.fail(code::MEMORY_LIMIT, message)
    }

    /// An agent that waits keeps its stack: one more needs room, or a chain of agents that each ask the next grows for ever.
    pub(crate) fn may_suspend(&mut self) -> Result<(), Faulted> {
        if self.serving.agent.is_none() || self.has_room(0) {
            return Ok(());
        }
        self.fail_memory();
        Err(Faulted)
    }

    fn refuel(&mut self) {
        let slice = FUEL.min(i64::try_from(self.world.limits().steps).unwrap_or(FUEL));
        self.settle_overdrawn();
        self.steps = self.steps.saturating_add_signed(slice);
        self.fuel = slice + 1;
    }

    /// What was spent beyond the fuel there was counts too; afterwards the next safepoint is the slow one.
    fn settle_overdrawn(&mut self) {
        let overdrawn = 1i64.saturating_sub(self.fuel).max(0);
        self.steps = self.steps.saturating_add_signed(overdrawn);
        self.fuel = self.fuel.saturating_add(overdrawn);
    }

    /// A safepoint for work that took as long as so many steps.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> Status {
        self.fuel = self.fuel.saturating_sub_unsigned(steps as u64);
        self.safepoint()
    }

    /// Steps since the cell, task or message began.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.saturating_sub(u64::try_from(self.fuel - 1).unwrap_or(0))
    }

    /// A value leaves its place to be changed: safepoints wait until [`Cx::let_go`] or a Fault.
    pub fn hold(&mut self) {
        self.holds_place = true;
    }

    pub fn let_go(&mut self) {
        self.holds_place = false;
        self.settle_overdrawn();
    }

    /// Does what must not be stopped half way.
    pub fn holding<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.holds_place, true);
        let result = work(self);
        if !before {
            self.let_go();
        }
        result
    }

    /// Whether values of `bytes` more stay within the memory limit; looks again after all that is dead was freed.
    #[must_use]
    pub fn has_room(&self, bytes: u64) -> bool {
        let limit = self.world.memory_limit();
        let bytes = bytes.saturating_add(self.world.scheduler().suspended_bytes());
        if self.holds_place || heap::has_room(bytes, limit) {
            return true;
        }
        dying::finish(|| self.is_cancelled());
        heap::has_room(bytes, limit)
    }

    /// Steps count from here: a cell, a task, or a message begins.
    pub(crate) fn restart_steps(&mut self) {
        self.steps = 0;
        self.fuel = 1;
        self.refuel();
    }

    /// True if whatever this coroutine does is no longer wanted. `try` must let a Fault pass while this holds.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.control.flags.load(Ordering::Acquire) != 0
    }

    /// True if this was ended from outside: a stop, an interrupt, the end of the session. That is no news to anybody.
    pub(crate) fn is_ended(&self) -> bool {
        self.control.flags.load(Ordering::Acquire) & (CLOSING | ENDED) != 0
    }

    pub(crate) fn fail_cancelled(&mut self) -> Status {
        let reason = self.cancel_reason();
        self.raise(reason.fault())
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.control.flags.load(Ordering::Acquire) & CLOSING != 0
    }

    pub(crate) fn cancel_reason(&self) -> Reason {
        if self.is_closing() {
            return Reason::new(code::AGENT_STOPPED, "the session is closing");
        }
        let reason = self.work.as_ref().and_then(|work| work.reason());
        let reason = reason.or_else(|| self.control.ended());
        reason.unwrap_or_else(|| Reason::new(code::TIME, "cancelled"))
    }

    /// The work done here from now on; cancelling it cancels this coroutine. Gives the work before.
    pub(crate) fn set_work(&mut self, work: Option<Arc<Work>>) -> Option<Arc<Work>> {
        if let Some(work) = &work {
            work.perform_on(&self.control);
        }
        self.control.set_work(work.clone());
        std::mem::replace(&mut self.work, work)
    }

    /// What begins here from now on, for those who end it from outside.
    pub(crate) fn begin_serving(&mut self, born: u64) {
        self.serving.born = born;
        self.control.serve(self.serving.agent.map_or(0, AgentRef::pack), born);
    }

    pub(crate) fn set_exit(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    pub(crate) fn begin_on(&mut self, stack_floor: usize) {
        // Before the first look at the table: whoever frees code after this sees the epoch, or this coroutine sees
        // the table as it is after the replacement.
        self.control.epoch.store(self.world.functions().epoch(), Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.stack_floor = stack_floor;
        self.restart_steps();
    }

    /// Leaves nothing of the job behind; called on the coroutine's own stack at its end.
    pub(crate) fn end(&mut self) {
        self.close_scopes(0);
        self.set_work(None);
        self.fault = None;
        self.result = 0;
        self.limits = None;
        self.decision = None;
        self.speculation = Speculation::default();
        self.globals = None;
        self.audience = Audience::nobody();
        self.serving = Serving::nothing();
        self.behalf = None;
        self.fields = null_mut();
        self.exit = None;
        self.holds_place = false;
        self.registers.reset();
        self.control.epoch.store(u64::MAX, Ordering::Release);
    }
}
