//! Cells and tasks: coroutines that run one function to its end and finish a [`Work`] with what it gave.
//!
//! Never: runs the function of cancelled work.

use crate::actor::config::AgentConfig;
use crate::code::FnSlot;
use crate::context::Cx;
use crate::context::Serving;
use crate::context::globals::Globals;
use crate::context::sink::Audience;
use crate::coord::work::{Outcome, Work};
use crate::fault::{Fault, Faulted, code};
use crate::ledger::quota::LimitContext;
use crate::memory::agent::AgentMemory;
use crate::telemetry::event::Kind;
use crate::value::owned::Owned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a task or cell runs.
pub enum Callee {
    Slot(FnSlot, Vec<Owned>),
    /// A function value and its arguments.
    Value(Owned, Vec<Owned>),
}

/// The agent that a task works for: its rules for lanes and money, its memory.
#[derive(Clone)]
pub struct Behalf {
    pub name: Arc<str>,
    pub config: Option<Arc<AgentConfig>>,
    pub memory: Option<Arc<AgentMemory>>,
}

/// Everything a coroutine needs to begin a cell or task.
pub struct TaskStart {
    pub callee: Callee,
    pub audience: Audience,
    pub limits: LimitContext,
    /// `None` for a cell: it sees and sets the current globals.
    pub globals: Option<Arc<Globals>>,
    pub serving: Serving,
    pub behalf: Option<Behalf>,
    pub work: Arc<Work>,
    /// The outside waits for it: virtual time passes while it runs.
    pub is_root: bool,
}

/// The whole life of a cell or task, on its coroutine.
pub(crate) fn run(cx: &mut Cx, start: TaskStart) {
    let TaskStart { callee, audience, limits, globals, serving, behalf, work, is_root } = start;
    cx.audience = audience;
    cx.limits = limits;
    cx.globals = globals;
    cx.begin_serving(serving.born);
    cx.serving = serving;
    cx.behalf = behalf;
    cx.set_work(Some(Arc::clone(&work)));
    cx.record(Kind::Begin);
    let outcome = catch_unwind(AssertUnwindSafe(|| perform(cx, callee)));
    let outcome = outcome.unwrap_or_else(|_| {
        Err(Box::new(Fault::new(code::INTERNAL, "a mistake in ag; please report it")))
    });
    if outcome.is_err() {
        cx.record(Kind::Fault);
    }
    cx.record(Kind::End);
    // Limits and leases are closed before anybody sees the outcome.
    cx.close_scopes(0);
    cx.set_work(None);
    if is_root {
        // First, so that whoever sees the outcome sees that the cell is over, too.
        cx.world.scheduler().root_ends();
    }
    work.finish(outcome);
}

fn perform(cx: &mut Cx, callee: Callee) -> Outcome {
    let is_wanted = cx.work.as_ref().is_none_or(|work| work.begin());
    if cx.is_cancelled() || !is_wanted {
        return Err(cx.cancel_reason().fault());
    }
    let result = match callee {
        Callee::Slot(slot, args) => cx.call_owned(slot, args),
        Callee::Value(function, args) => {
            let args: Vec<u64> = args.into_iter().map(Owned::into_word).collect();
            cx.call_function(&function, &args)
        }
    };
    match result {
        Ok(value) => cx.crossing_whole(value).map_err(|Faulted| cx.take_fault()),
        Err(_) => Err(cx.take_fault()),
    }
}

impl Cx {
    /// The agent at work here, or that this task works for.
    pub(crate) fn behalf(&self) -> Option<Behalf> {
        let Some(instance) = &self.instance else { return self.behalf.clone() };
        Some(Behalf {
            name: Arc::clone(&self.serving.name),
            config: instance.config.clone(),
            memory: instance.memory.clone(),
        })
    }

    /// Calls a function value that carries its shape.
    pub fn call_function(
        &mut self,
        function: &Owned,
        args: &[u64],
    ) -> Result<Owned, crate::fault::Faulted> {
        use crate::value::shape::{Shape, ShapeId, shape};
        let result = match shape(function.shape()) {
            Shape::Function(signature) => signature.result,
            _ => ShapeId::UNIT,
        };
        let value = self.call(function.value(), args)?;
        Ok(Owned::new(value, result))
    }

    /// The Fault a call just ended with.
    pub fn take_fault(&mut self) -> Box<Fault> {
        self.fault.take().unwrap_or_else(|| {
            Box::new(Fault::new(code::INTERNAL, "a call failed without a Fault"))
        })
    }
}
