//! Values on their way to another coroutine: messages, channel items, arguments of agents and tasks, results, globals.
//!
//! The last check of L-81. The checker refuses what must stay (E0502); what still gets here (a function was redefined while
//! it ran) is a Fault and stays. Never: copies a value.

use crate::context::Cx;
use crate::fault::{Fault, Faulted, code};
use crate::value::count::Stays;
use crate::value::owned::Owned;

/// What is told of a value that must stay.
#[must_use]
pub fn refused() -> Fault {
    let text =
        "a function that uses variables of the code around it, or its agent, cannot go elsewhere";
    Fault::new(code::STAYS, text)
}

impl Cx {
    /// Ready for one other coroutine.
    pub fn crossing(&mut self, value: Owned) -> Result<Owned, Faulted> {
        value.share().map_err(|Stays| self.stays())
    }

    /// Ready for any number of them.
    pub fn crossing_whole(&mut self, value: Owned) -> Result<Owned, Faulted> {
        value.share_whole().map_err(|Stays| self.stays())
    }

    pub fn all_crossing(&mut self, values: Vec<Owned>) -> Result<Vec<Owned>, Faulted> {
        let shared: Result<_, Stays> = values.into_iter().map(Owned::share).collect();
        shared.map_err(|Stays| self.stays())
    }

    pub fn all_crossing_whole(&mut self, values: Vec<Owned>) -> Result<Vec<Owned>, Faulted> {
        let shared: Result<_, Stays> = values.into_iter().map(Owned::share_whole).collect();
        shared.map_err(|Stays| self.stays())
    }

    fn stays(&mut self) -> Faulted {
        self.raise(Box::new(refused()));
        Faulted
    }
}
