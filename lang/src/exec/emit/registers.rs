//! Registers: a linear scan over the blocks in layout order, with hints that make most moves vanish.
//!
//! A variable has one register for its whole life. Lives are intervals without holes, long enough to cover
//! every block the variable is live in. Constants have none. Never: spills; a frame may have 32,000.

use crate::ir::core::{BlockId, End, Function, StmtKind, Var};
use crate::ir::flow::{Liveness, VarSet};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// More than fits the operand field's 15 bits.
#[derive(Debug)]
pub struct TooManyRegisters;

/// The register of each variable that has one, and how many there are.
pub struct Registers {
    of: Vec<Option<u16>>,
    pub count: u16,
}

const LIMIT: u32 = 1 << 15;

impl Registers {
    pub fn of(&self, var: Var) -> Option<u16> {
        self.of.get(var.0 as usize).copied().flatten()
    }
}

#[derive(Clone, Copy)]
struct Interval {
    start: u32,
    end: u32,
}

/// `skip` tells the variables that need none: constants and conditions fused into branches.
pub fn allocate(
    function: &Function,
    order: &[BlockId],
    live: &Liveness,
    skip: &VarSet,
) -> Result<Registers, TooManyRegisters> {
    let lives = intervals(function, order, live, skip);
    let mut scan = Scan {
        registers: Registers { of: vec![None; function.vars.len()], count: 0 },
        free: BTreeSet::new(),
        active: BinaryHeap::new(),
        next: 0,
    };
    let wishes = wishes(function);
    let mut by_start: Vec<(u32, Var)> = Vec::new();
    for (at, life) in lives.iter().enumerate() {
        if let Some(life) = life {
            by_start.push((life.start, Var(at as u32)));
        }
    }
    // Parameters are where the caller puts them.
    for param in &function.params {
        let end = lives.get(param.0 as usize).copied().flatten().map_or(0, |life| life.end);
        scan.give_next(*param, end)?;
    }
    by_start.retain(|(_, var)| !function.params.contains(var));
    by_start.sort();
    for (start, var) in by_start {
        let end = lives.get(var.0 as usize).copied().flatten().map_or(start, |life| life.end);
        scan.expire(start);
        scan.give(var, end, &wishes)?;
    }
    Ok(scan.registers)
}

struct Scan {
    registers: Registers,
    free: BTreeSet<u16>,
    /// Ends of lives with their registers, soonest first.
    active: BinaryHeap<Reverse<(u32, u16)>>,
    next: u32,
}

impl Scan {
    fn expire(&mut self, now: u32) {
        while let Some(Reverse((end, register))) = self.active.peek().copied() {
            if end > now {
                return;
            }
            self.active.pop();
            self.free.insert(register);
        }
    }

    fn give(&mut self, var: Var, end: u32, wishes: &[Vec<Var>]) -> Result<(), TooManyRegisters> {
        let wished = wishes.get(var.0 as usize).into_iter().flatten();
        let wished = wished.filter_map(|other| self.registers.of(*other));
        let found = wished.into_iter().find(|register| self.free.contains(register));
        let register = found.or_else(|| self.free.first().copied());
        match register {
            Some(register) => {
                self.free.remove(&register);
                self.set(var, register, end);
                Ok(())
            }
            None => self.give_next(var, end),
        }
    }

    fn give_next(&mut self, var: Var, end: u32) -> Result<(), TooManyRegisters> {
        if self.next + 8 >= LIMIT {
            return Err(TooManyRegisters);
        }
        let register = self.next as u16;
        self.next += 1;
        self.registers.count = self.next as u16;
        self.set(var, register, end);
        Ok(())
    }

    fn set(&mut self, var: Var, register: u16, end: u32) {
        if let Some(slot) = self.registers.of.get_mut(var.0 as usize) {
            *slot = Some(register);
        }
        self.active.push(Reverse((end, register)));
    }
}

/// Positions: a statement reads at an even one and writes at the odd one after it.
fn intervals(
    function: &Function,
    order: &[BlockId],
    live: &Liveness,
    skip: &VarSet,
) -> Vec<Option<Interval>> {
    let mut lives: Vec<Option<Interval>> = vec![None; function.vars.len()];
    let mut cover = |var: Var, at: u32| {
        if skip.has(var) {
            return;
        }
        if let Some(slot) = lives.get_mut(var.0 as usize) {
            let life = slot.get_or_insert(Interval { start: at, end: at });
            life.start = life.start.min(at);
            life.end = life.end.max(at);
        }
    };
    for param in &function.params {
        cover(*param, 0);
    }
    let mut at = 2;
    for id in order {
        let Some(block) = function.blocks.get(id.0 as usize) else { continue };
        let start = at;
        live.of_block(*id).iter().for_each(|var| cover(var, start));
        block.params.iter().for_each(|var| cover(*var, start));
        at += 2;
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::Let(var, op) => {
                    op.operands(|operand, _| cover(operand, at));
                    cover(*var, at + 1);
                    // A result nobody reads is still written.
                    cover(*var, at + 2);
                }
                StmtKind::Dup(var) | StmtKind::Drop(var) => cover(*var, at),
            }
            if let Some(handler) = stmt.handler() {
                live.of_block(handler).iter().for_each(|var| cover(var, at + 1));
            }
            at += 2;
        }
        block.end.operands(|operand, _| cover(operand, at));
        block.end.successors(|to| {
            live.of_block(to).iter().for_each(|var| cover(var, at + 1));
        });
        at += 2;
    }
    lives
}

/// For each variable, those whose register it would like: the other side of jumps.
fn wishes(function: &Function) -> Vec<Vec<Var>> {
    let mut wishes: Vec<Vec<Var>> = vec![Vec::new(); function.vars.len()];
    for block in &function.blocks {
        let End::Jump(to, args) = &block.end else { continue };
        let Some(target) = function.blocks.get(to.0 as usize) else { continue };
        for (param, arg) in target.params.iter().zip(args) {
            if let Some(list) = wishes.get_mut(param.0 as usize) {
                list.push(*arg);
            }
            if let Some(list) = wishes.get_mut(arg.0 as usize) {
                list.push(*param);
            }
        }
    }
    wishes
}
