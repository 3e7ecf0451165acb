//! What is known where code is: sums that were made and checked before, indexes that were found inside.
//!
//! Values of Cranelift never change, so what is known of them holds wherever they can be used. Never: makes code.

use cranelift_codegen::ir::{self, DataFlowGraph, InstructionData, Value, ValueDef};
use rustc_hash::{FxHashMap, FxHashSet};

/// A value by what it is: constants are the same wherever they are made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    Constant(i64),
    Value(Value),
}

impl Term {
    pub fn of(graph: &DataFlowGraph, value: Value) -> Self {
        let value = graph.resolve_aliases(value);
        let ValueDef::Result(inst, _) = graph.value_def(value) else { return Self::Value(value) };
        match &graph.insts[inst] {
            InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } => {
                Self::Constant(imm.bits())
            }
            _ => Self::Value(value),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sum {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

#[derive(Clone, Default, Debug)]
pub struct Known {
    sums: FxHashMap<(Sum, Term, Term), Value>,
    /// Indexes with the length that they are below.
    inside: FxHashSet<(Term, Term)>,
}

impl Known {
    /// The result of an operation that was done before without a Fault.
    pub fn sum(&self, sum: Sum, lhs: Term, rhs: Term) -> Option<Value> {
        self.sums.get(&(sum, lhs, rhs)).copied()
    }

    pub fn note_sum(&mut self, sum: Sum, lhs: Term, rhs: Term, value: Value) {
        self.sums.insert((sum, lhs, rhs), value);
        if matches!(sum, Sum::Add | Sum::Mul) {
            self.sums.insert((sum, rhs, lhs), value);
        }
    }

    pub fn is_inside(&self, index: Term, length: Term) -> bool {
        self.inside.contains(&(index, length))
    }

    pub fn note_inside(&mut self, index: Term, length: Term) {
        self.inside.insert((index, length));
    }
}
