//! What a rollback takes back beside the variables of its function (L-111): globals, messages and memory writes that wait.
//!
//! In a `@speculative` function messages and memory writes are held until it returns, the outermost one if one calls another,
//! and then done in the order in which they were written. One that ends by a Fault leaves nothing of what it held. Never: holds
//! what somebody outside could notice missing; that is refused before anything runs (E0505).

use crate::builtin::declare::Outcome;
use crate::context::Cx;
use crate::context::globals::Globals;
use crate::context::scope::Scope;
use crate::fault::{Faulted, code};
use crate::value::native;
use crate::value::shape::ShapeId;
use std::sync::Arc;

/// The type of what a `@checkpoint` keeps, which no program can name.
pub const CHECKPOINT: &str = "Checkpoint";

/// Something to be done when it is certain.
pub(crate) type Held = Box<dyn FnOnce(&mut Cx) -> Result<(), Faulted> + Send>;

/// Where one coroutine is in its speculative functions.
#[derive(Default)]
pub(crate) struct Speculation {
    /// For each function under way: how much was held when it began.
    functions: Vec<usize>,
    held: Vec<Held>,
}

/// A moment to go back to.
struct Mark {
    /// None in a message: it assigns no globals (L-75).
    globals: Option<Arc<Globals>>,
    held: usize,
}

struct Function;

impl Scope for Function {
    /// By a Fault: what it held is dropped. One that returns has taken it out before.
    fn close(self: Box<Self>, cx: &mut Cx) {
        let began = cx.speculation.functions.pop().unwrap_or_default();
        cx.speculation.held.truncate(began);
    }
}

impl Cx {
    /// Enters a `@speculative` function.
    pub(crate) fn speculate(&mut self) -> usize {
        self.speculation.functions.push(self.speculation.held.len());
        self.open_scope(Box::new(Function))
    }

    /// Leaves it by a return: what it held is done now, unless a speculative function called it.
    pub(crate) fn commit(&mut self, scope: usize) -> Outcome<()> {
        let began = self.speculation.functions.last().copied().unwrap_or_default();
        let held = self.speculation.held.split_off(began.min(self.speculation.held.len()));
        self.close_scopes(scope);
        if self.is_holding() {
            self.speculation.held.extend(held);
            return Ok(());
        }
        held.into_iter().try_for_each(|action| action(self))
    }

    /// Whether messages and memory writes wait.
    pub(crate) fn is_holding(&self) -> bool {
        !self.speculation.functions.is_empty()
    }

    pub(crate) fn hold_back(&mut self, action: Held) {
        self.speculation.held.push(action);
    }

    /// `@checkpoint`, beside the variables.
    pub(crate) fn checkpoint(&mut self) -> u64 {
        let globals = self.globals.is_none().then(|| self.world.globals().snapshot());
        let mark = Mark { globals, held: self.speculation.held.len() };
        native::native(ShapeId::opaque(CHECKPOINT), Arc::new(mark))
    }

    pub(crate) fn roll_back(&mut self, mark: u64) -> Outcome<()> {
        let Some(mark) = native::payload::<Mark>(mark) else {
            self.fail(code::INTERNAL, "rolled back to something that is no checkpoint");
            return Err(Faulted);
        };
        if let Some(globals) = &mark.globals {
            self.world.globals().restore(Arc::clone(globals));
        }
        self.speculation.held.truncate(mark.held);
        Ok(())
    }
}
