//! Compiled tiers: from bytecode to machine code by Cranelift.
//!
//! A compiled function uses the interpreter's frame and fault tables: registers of the bytecode are variables of Cranelift,
//! and what a Fault needs is written back into the frame on a cold path, from where the interpreter's own way out goes on.
//! So a Fault, a `try` and a very deep call look the same on every tier. Never: decides when to compile (`tier` does).

pub mod arith;
pub mod body;
pub mod calls;
pub mod exits;
pub mod flow;
pub mod host;
pub mod index;
pub mod intrinsics;
pub mod known;
pub mod listing;
pub mod lists;
pub mod memory;
pub mod objects;
pub(crate) mod stubs;
pub mod webs;

use crate::exec::bytecode::Code;
use crate::exec::jit::body::{Body, Linked};
use crate::exec::jit::flow::{Flow, RegisterSet};
use crate::exec::jit::listing::Listing;
use crate::exec::jit::memory::Unit;
use crate::exec::jit::webs::Webs;
use ag_runtime::code::FunctionTable;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;

/// Code longer than this stays in the interpreter: compiling it would cost more than it can bring back soon.
const LONGEST: usize = 4_000;

/// Where compiled code begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// At the function's entry, with its arguments in machine registers.
    Entry,
    /// At the instruction with this index, which follows a safepoint, in a frame that the interpreter has filled: on-stack
    /// replacement.
    Loop(u32),
}

/// Why a function was not compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    TooLong,
    /// The machine has no support, or Cranelift refused.
    Host(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {LONGEST} instructions"),
            Self::Host(why) => f.write_str(why),
        }
    }
}

/// Compiles the code from `start` on. Its calls go through the doors of `table`.
pub fn compile(code: &Code, table: &FunctionTable, start: Start) -> Result<Unit, Refused> {
    if !memory::has_room() {
        return Err(Refused::Host("there are too many compiled functions".to_owned()));
    }
    let facts = Facts::of(code, start)?;
    let linked = facts.linked(code, table, start);
    host::define(|builder, call_conv| Body::new(builder, call_conv, linked).run())
}

/// The text of what [`compile`] makes; needs no memory that runs.
pub fn list(code: &Code, table: &FunctionTable, start: Start) -> Result<Listing, Refused> {
    let facts = Facts::of(code, start)?;
    let linked = facts.linked(code, table, start);
    host::list(|builder, call_conv| Body::new(builder, call_conv, linked).run())
}

/// What is found out about code before it is translated.
struct Facts {
    flow: Flow,
    webs: Webs,
    held_alone: FxHashMap<u32, RegisterSet>,
    tight: FxHashSet<u32>,
}

impl Facts {
    fn of(code: &Code, start: Start) -> Result<Self, Refused> {
        if code.instrs.len() > LONGEST {
            return Err(Refused::TooLong);
        }
        memory::make_kept()?;
        let flow = Flow::of(code);
        let webs = Webs::of(code, &flow);
        let held_alone = lists::held_alone(code, &flow, start);
        let tight = lists::tight_safepoints(code, &flow);
        Ok(Self { flow, webs, held_alone, tight })
    }

    fn linked<'a>(&'a self, code: &'a Code, table: &'a FunctionTable, start: Start) -> Linked<'a> {
        let Self { flow, webs, held_alone, tight } = self;
        Linked { code, flow, webs, held_alone, tight, table, start }
    }
}
