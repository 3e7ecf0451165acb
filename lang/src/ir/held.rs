//! How many counts each variable holds at each point: the rule that `validate` checks and that the fault
//! table is made from.
//!
//! Never: inserts or changes a statement.

use crate::ir::core::{Block, End, Function, Hold, Mode, Op, Stmt, StmtKind, Var};
use rustc_hash::FxHashMap;

/// The counts held at one point of a function.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Held {
    counts: FxHashMap<Var, u32>,
}

/// A rule of ownership that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    pub var: Var,
    pub what: &'static str,
}

impl Held {
    /// What a function holds when it begins: its parameters.
    pub fn at_entry(function: &Function) -> Self {
        let mut held = Self::default();
        for param in &function.params {
            held.gain(function, *param);
        }
        held
    }

    pub fn count(&self, var: Var) -> u32 {
        self.counts.get(&var).copied().unwrap_or(0)
    }

    pub fn vars(&self) -> Vec<Var> {
        let mut vars: Vec<Var> = self.counts.keys().copied().collect();
        vars.sort();
        vars
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn gain(&mut self, function: &Function, var: Var) {
        if hold(function, var) == Hold::Owned {
            *self.counts.entry(var).or_insert(0) += 1;
        }
    }

    fn lose(&mut self, function: &Function, var: Var) -> Result<(), Broken> {
        match (hold(function, var), self.count(var)) {
            (Hold::Word, _) => {}
            (Hold::Lent, 0) => {
                return Err(Broken { var, what: "is lent and given away without a count" });
            }
            (Hold::Owned, 0) => return Err(Broken { var, what: "is given away but not held" }),
            (_, 1) => {
                self.counts.remove(&var);
            }
            (_, count) => {
                self.counts.insert(var, count - 1);
            }
        }
        Ok(())
    }

    fn looks_at(&self, function: &Function, var: Var) -> Result<(), Broken> {
        if hold(function, var) == Hold::Owned && self.count(var) == 0 {
            return Err(Broken { var, what: "is looked at but not held" });
        }
        Ok(())
    }

    /// What an operation takes: the state in which it can fault.
    pub fn take_operands(&mut self, function: &Function, op: &Op) -> Result<(), Broken> {
        let mut result = Ok(());
        op.operands(|var, mode| {
            if mode == Mode::Borrow && result.is_ok() {
                result = self.looks_at(function, var);
            }
        });
        op.operands(|var, mode| {
            if mode == Mode::Own && result.is_ok() {
                result = self.lose(function, var);
            }
        });
        result
    }

    pub fn after_stmt(&mut self, function: &Function, stmt: &Stmt) -> Result<(), Broken> {
        match &stmt.kind {
            StmtKind::Let(var, op) => {
                self.take_operands(function, op)?;
                if !op.gives_borrowed() {
                    self.gain(function, *var);
                }
                Ok(())
            }
            StmtKind::Dup(var) => {
                *self.counts.entry(*var).or_insert(0) += 1;
                Ok(())
            }
            StmtKind::Drop(var) => self.lose(function, *var),
        }
    }

    /// What a jump or return gives away.
    pub fn after_end(&mut self, function: &Function, end: &End) -> Result<(), Broken> {
        let mut result = Ok(());
        end.operands(|var, mode| {
            if mode == Mode::Own && result.is_ok() {
                result = self.lose(function, var);
            }
        });
        result
    }

    pub fn enter(&mut self, function: &Function, block: &Block) {
        for param in &block.params {
            self.gain(function, *param);
        }
    }
}

pub fn hold(function: &Function, var: Var) -> Hold {
    function.vars.get(var.0 as usize).map_or(Hold::Word, |info| info.hold)
}

impl Op {
    /// The result is a look into an operand: who wants to keep it takes a count of it.
    pub fn gives_borrowed(&self) -> bool {
        matches!(self, Op::Field(..) | Op::Payload(..) | Op::ListGet(..) | Op::CellGet(_))
    }
}
