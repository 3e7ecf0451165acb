//! The context of one coroutine, as far as builtins need it.

use crate::code::{FAULT, OK, Status};
use crate::fault::{Fault, Faulted, code};

/// One coroutine's context.
#[derive(Default)]
pub struct Cx {
    /// The value of the last call that ended with `OK`; owned by whoever reads it.
    pub result: u64,
    /// The Fault of the last call that did not.
    pub fault: Option<Box<Fault>>,
}

impl Cx {
    /// Ends a call with a Fault: `return cx.fail(..)`.
    pub fn fail(&mut self, code: &'static str, message: &str) -> Status {
        self.fault = Some(Box::new(Fault::new(code, message)));
        FAULT
    }

    /// Where a long-running builtin can be interrupted.
    pub fn safepoint(&mut self) -> Status {
        OK
    }

    /// Calls a function value with arguments it takes over.
    pub fn call(&mut self, _function: u64, _args: &[u64]) -> Result<u64, Faulted> {
        self.fail(code::INTERNAL, "no engine is running");
        Err(Faulted)
    }
}
