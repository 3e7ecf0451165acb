//! From Core IR to bytecode: layout, registers, selection of instructions, and the tables beside the code.
//!
//! Conditions fuse with the branch after them, constants fold into operands, blocks that only go on are
//! skipped, and a short loop head is repeated at the loop's end. Never: changes the order of effects.

pub mod moves;
pub mod operands;
pub mod registers;
pub mod select;
pub mod tables;

use crate::exec::bytecode::{Code, Instr, Opcode};
use crate::exec::emit::operands::Known;
use crate::exec::emit::registers::Registers;
use crate::exec::emit::tables::Tables;
use crate::exec::tier::TierCell;
use crate::hir::FunctionKey;
use crate::ir::core::{Block, BlockId, BlockKind, End, Function, Op, Stmt, StmtKind, Var};
use crate::ir::flow::{self, Liveness, VarSet};
use crate::ir::held::{Held, hold};
use crate::source::Span;
use crate::types::ty::Name;
use ag_runtime::actor::kind::TypeId;
use ag_runtime::actor::selector::Selector;
use ag_runtime::code::FnSlot;
use ag_runtime::context::globals::GlobalSlot;
use ag_runtime::fault::Origin;
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

/// How names become slots.
pub struct Linker<'a> {
    pub function: &'a mut dyn FnMut(&FunctionKey) -> FnSlot,
    pub global: &'a mut dyn FnMut(&Name, ShapeId) -> GlobalSlot,
    pub agent: &'a mut dyn FnMut(&Name) -> TypeId,
    /// The selector of an agent's behavior by its index.
    pub behavior: &'a mut dyn FnMut(&Name, u32) -> Selector,
    pub origin: Origin,
}

/// The function has more registers, constants or instructions than the code can name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TooLarge(pub &'static str);

/// Jumps of fused branches reach this far.
const SHORT: i64 = i16::MAX as i64;

pub fn code(function: &Function, linker: &mut Linker<'_>) -> Result<Code, TooLarge> {
    match emit(function, linker, true) {
        Err(TooLarge("branch")) => emit(function, linker, false),
        done => done,
    }
}

fn emit(function: &Function, linker: &mut Linker<'_>, fuse: bool) -> Result<Code, TooLarge> {
    let order = function.order();
    let live = Liveness::of(function);
    let known = operands::known(function);
    let fused = if fuse { fused(function) } else { VarSet::default() };
    let mut skip = fused.clone();
    for (at, known) in known.iter().enumerate() {
        if known.is_some() {
            skip.add(Var(at as u32));
        }
    }
    let registers =
        registers::allocate(function, &order, &live, &skip).map_err(|_| TooLarge("registers"))?;
    let scratch = registers.count;
    let mut emitter = Emitter {
        function,
        live: &live,
        known,
        fused,
        registers,
        scratch,
        loaded: 0,
        code: Vec::new(),
        tables: Tables::default(),
        labels: vec![None; function.blocks.len()],
        patches: Vec::new(),
        held: Held::default(),
        span: function.span,
        linker,
    };
    emitter.name_shapes();
    emitter.run(&order)?;
    emitter.finish()
}

pub struct Emitter<'a, 'l> {
    pub function: &'a Function,
    live: &'a Liveness,
    known: Vec<Option<Known>>,
    /// Conditions that are part of the branch that follows them.
    fused: VarSet,
    registers: Registers,
    /// The first of two registers for constants and cycles of moves; behind them those for constants in operand lists.
    scratch: u16,
    /// How many of the latter there are.
    loaded: u16,
    code: Vec<Instr>,
    tables: Tables,
    labels: Vec<Option<u32>>,
    patches: Vec<Patch>,
    held: Held,
    span: Span,
    linker: &'a mut Linker<'l>,
}

/// A jump whose target's place is not known yet.
struct Patch {
    at: usize,
    to: BlockId,
}

/// Conditions with one use, in the branch at the end of their block, with nothing bound in between.
fn fused(function: &Function) -> VarSet {
    let uses = flow::use_counts(function);
    let mut fused = VarSet::default();
    for block in &function.blocks {
        let End::If { cond, .. } = &block.end else { continue };
        let last = block.stmts.iter().rev().find_map(|stmt| match &stmt.kind {
            StmtKind::Let(var, op) => Some((*var, op)),
            StmtKind::Dup(_) | StmtKind::Drop(_) => None,
        });
        if let Some((var, Op::Compare { .. })) = last
            && var == *cond
            && uses.get(var.0 as usize) == Some(&1)
        {
            fused.add(var);
        }
    }
    fused
}

impl Emitter<'_, '_> {
    fn run(&mut self, order: &[BlockId]) -> Result<(), TooLarge> {
        let alias: Vec<BlockId> =
            (0..self.function.blocks.len()).map(|at| self.resolve(BlockId(at as u32))).collect();
        let resolved = |id: BlockId| alias.get(id.0 as usize).copied().unwrap_or(id);
        let layout: Vec<BlockId> =
            order.iter().copied().filter(|id| resolved(*id) == *id).collect();
        for (at, id) in layout.iter().enumerate() {
            let Some(block) = self.function.blocks.get(id.0 as usize) else { continue };
            if let Some(label) = self.labels.get_mut(id.0 as usize) {
                *label = Some(self.code.len() as u32);
            }
            self.enter(*id, block);
            for stmt in &block.stmts {
                self.stmt(stmt)?;
            }
            self.end(block, layout.get(at + 1).copied(), &resolved)?;
        }
        self.patch()
    }

    fn enter(&mut self, id: BlockId, block: &Block) {
        let mut held = match id {
            BlockId::ENTRY => Held::at_entry(self.function),
            _ => Held::default(),
        };
        if id != BlockId::ENTRY {
            for var in self.live.of_block(id).iter() {
                held.gain(self.function, var);
            }
        }
        held.enter(self.function, block);
        self.held = held;
    }

    /// Where a jump to a block really goes: past blocks that only jump on.
    fn resolve(&self, id: BlockId) -> BlockId {
        let mut at = id;
        // Bounded: a chain of empty blocks in a circle would be an endless empty loop, which has a safepoint.
        for _ in 0..self.function.blocks.len() {
            match self.only_jumps(at) {
                Some(to) => at = to,
                None => break,
            }
        }
        at
    }

    fn only_jumps(&self, id: BlockId) -> Option<BlockId> {
        let block = self.function.blocks.get(id.0 as usize)?;
        let End::Jump(to, args) = &block.end else { return None };
        let silent =
            |stmt: &Stmt| matches!(&stmt.kind, StmtKind::Let(var, _) if self.known(*var).is_some());
        if matches!(block.kind, BlockKind::Entry | BlockKind::Loop)
            || !block.stmts.iter().all(silent)
        {
            return None;
        }
        let target = self.function.blocks.get(to.0 as usize)?;
        let in_place = target.params.iter().zip(args).all(|(param, arg)| {
            self.registers.of(*param).is_some()
                && self.registers.of(*param) == self.registers.of(*arg)
        });
        (in_place && block.params.is_empty()).then_some(*to)
    }

    fn push(&mut self, instr: Instr) {
        self.code.push(instr);
    }

    fn op(&mut self, op: Opcode, a: u16, b: u16, c: u16) {
        self.push(Instr::new(op, a, b, c));
    }

    fn end(
        &mut self,
        block: &Block,
        next: Option<BlockId>,
        resolved: &dyn Fn(BlockId) -> BlockId,
    ) -> Result<(), TooLarge> {
        match &block.end {
            End::Return(value) => {
                let value = self.register(*value, 0)?;
                self.op(Opcode::Return, value, 0, 0);
            }
            End::Unreachable => self.op(Opcode::Unreachable, 0, 0, 0),
            End::Jump(to, args) => {
                self.moves(*to, args)?;
                let to = resolved(*to);
                if Some(to) != next && !self.repeat_head(to, resolved)? {
                    self.jump(to);
                }
            }
            End::If { cond, then, otherwise } => {
                let compare = block.stmts.iter().rev().find_map(|stmt| match &stmt.kind {
                    StmtKind::Let(var, op) if var == cond => Some(op),
                    _ => None,
                });
                let ways = (resolved(*then), resolved(*otherwise));
                self.branch(*cond, compare, ways, next)?;
            }
            End::Switch { tag, arms, otherwise } => {
                let tag = self.register(*tag, 0)?;
                for (value, to) in arms {
                    let value = i16::try_from(*value).map_err(|_| TooLarge("variants"))?;
                    self.jump_from(Opcode::JumpEqI, tag, value as u16, resolved(*to));
                }
                let otherwise = resolved(*otherwise);
                if Some(otherwise) != next {
                    self.jump(otherwise);
                }
            }
        }
        Ok(())
    }

    /// At a loop's end: a head that only looks and compares is done again here instead of jumped to.
    fn repeat_head(
        &mut self,
        to: BlockId,
        resolved: &dyn Fn(BlockId) -> BlockId,
    ) -> Result<bool, TooLarge> {
        let Some(head) = self.function.blocks.get(to.0 as usize) else { return Ok(false) };
        let End::If { cond, then, otherwise } = &head.end else { return Ok(false) };
        let is_short = head.kind == BlockKind::Loop
            && self.fused.has(*cond)
            && head.stmts.iter().all(|stmt| match &stmt.kind {
                StmtKind::Let(var, op) => {
                    matches!(op, Op::Safepoint | Op::Compare { .. }) || self.known(*var).is_some()
                }
                StmtKind::Dup(_) | StmtKind::Drop(_) => false,
            });
        if !is_short {
            return Ok(false);
        }
        self.enter(to, head);
        for stmt in &head.stmts {
            self.stmt(stmt)?;
        }
        let compare = head.stmts.iter().rev().find_map(|stmt| match &stmt.kind {
            StmtKind::Let(var, op) if var == cond => Some(op),
            _ => None,
        });
        self.branch(*cond, compare, (resolved(*then), resolved(*otherwise)), None)?;
        Ok(true)
    }

    fn branch(
        &mut self,
        cond: Var,
        compare: Option<&Op>,
        (then, otherwise): (BlockId, BlockId),
        next: Option<BlockId>,
    ) -> Result<(), TooLarge> {
        let (to, holds) = if Some(then) == next { (otherwise, false) } else { (then, true) };
        match compare {
            Some(Op::Compare { float, op, lhs, rhs }) if self.fused.has(cond) => {
                self.compare_and_jump(*float, *op, (*lhs, *rhs), holds, to)?;
            }
            _ => {
                let cond = self.register(cond, 0)?;
                let op = if holds { Opcode::JumpIf } else { Opcode::JumpIfNot };
                self.patches.push(Patch { at: self.code.len(), to });
                self.op(op, cond, 0, 0);
            }
        }
        if holds && Some(otherwise) != next {
            self.jump(otherwise);
        }
        Ok(())
    }

    fn jump(&mut self, to: BlockId) {
        self.patches.push(Patch { at: self.code.len(), to });
        self.op(Opcode::Jump, 0, 0, 0);
    }

    fn jump_from(&mut self, op: Opcode, a: u16, b: u16, to: BlockId) {
        self.patches.push(Patch { at: self.code.len(), to });
        self.op(op, a, b, 0);
    }

    fn moves(&mut self, to: BlockId, args: &[Var]) -> Result<(), TooLarge> {
        let Some(target) = self.function.blocks.get(to.0 as usize) else { return Ok(()) };
        let mut moves = Vec::new();
        let mut constants = Vec::new();
        for (param, arg) in target.params.iter().zip(args) {
            let Some(place) = self.registers.of(*param) else { continue };
            match self.registers.of(*arg) {
                Some(from) => moves.push((place, from)),
                None => constants.push((place, *arg)),
            }
        }
        for (to, from) in moves::in_sequence(&moves, self.scratch) {
            self.op(Opcode::Move, to, from, 0);
        }
        for (place, arg) in constants {
            self.load(place, arg)?;
        }
        Ok(())
    }

    fn patch(&mut self) -> Result<(), TooLarge> {
        for patch in std::mem::take(&mut self.patches) {
            let label = self.labels.get(patch.to.0 as usize).copied().flatten();
            let target = i64::from(label.ok_or(TooLarge("jump"))?);
            let offset = target - (patch.at as i64 + 1);
            let Some(instr) = self.code.get_mut(patch.at) else { continue };
            match instr.op {
                Opcode::Jump | Opcode::JumpIf | Opcode::JumpIfNot => {
                    *instr = Instr::with_wide(instr.op, instr.a, offset as i32 as u32);
                }
                _ if offset.abs() > SHORT => return Err(TooLarge("branch")),
                _ => instr.c = offset as i16 as u16,
            }
        }
        let labels = &self.labels;
        self.tables.resolve_handlers(|block| labels.get(block.0 as usize).copied().flatten());
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), TooLarge> {
        self.span = stmt.span;
        match &stmt.kind {
            StmtKind::Dup(var) => {
                let register = self.register(*var, 0)?;
                self.op(Opcode::Dup, register, 0, 0);
            }
            StmtKind::Drop(var) => {
                let register = self.register(*var, 0)?;
                self.op(Opcode::Drop, register, 0, 0);
            }
            StmtKind::Let(var, op) => {
                if self.known(*var).is_none() && !self.fused.has(*var) {
                    let at = self.code.len();
                    self.select(*var, op)?;
                    if op.can_fault() {
                        self.note_fault(stmt, op, at)?;
                    }
                }
            }
        }
        self.held.after_stmt(self.function, stmt).map_err(|_| TooLarge("ownership"))
    }

    /// The entry in the fault table of the instruction emitted last, which begins at or after `from`.
    fn note_fault(&mut self, stmt: &Stmt, op: &Op, from: usize) -> Result<(), TooLarge> {
        let mut held = self.held.clone();
        held.take_operands(self.function, op).map_err(|_| TooLarge("ownership"))?;
        let handler = stmt.handler();
        let (mut cleanup, mut kept) = (Vec::new(), Vec::new());
        for var in held.vars() {
            let is_kept = handler.is_some_and(|handler| self.live.of_block(handler).has(var));
            let times = held.count(var) - u32::from(is_kept);
            if let Some(register) = self.registers.of(var) {
                cleanup.extend(std::iter::repeat_n(register, times as usize));
                kept.extend(is_kept.then_some(register));
            }
        }
        let at = self.instruction_since(from);
        self.tables.note_fault(at, stmt.span, cleanup, &kept, handler, select::word_of(op));
        Ok(())
    }

    /// The last instruction that is not an operand word.
    fn instruction_since(&self, from: usize) -> u32 {
        let tail = self.code.get(from..).unwrap_or(&[]);
        let back = tail.iter().rposition(|instr| instr.op != Opcode::Operands).unwrap_or(0);
        (from + back) as u32
    }

    pub fn is_counted(&self, var: Var) -> bool {
        hold(self.function, var) != crate::ir::core::Hold::Word
    }

    fn finish(self) -> Result<Code, TooLarge> {
        let params = self.function.params.iter();
        let params = params.map(|var| self.function.vars.get(var.0 as usize));
        let params = params.flatten().map(|info| info.shape).collect();
        let tables = self.tables;
        Ok(Code {
            name: Arc::clone(&self.function.name),
            origin: self.linker.origin,
            instrs: self.code.into(),
            constants: tables.constants.into(),
            kept: tables.kept.into(),
            calls: tables.calls.into(),
            natives: tables.natives.into(),
            helpers: tables.helpers.into(),
            closures: tables.closures.into(),
            faults: tables.faults.into(),
            cleanups: tables.cleanups.into(),
            params,
            registers: u32::from(self.scratch)
                + u32::from(operands::SINGLE)
                + u32::from(self.loaded),
            arguments: tables.arguments,
            slot: FnSlot(u32::MAX),
            tier: TierCell::default(),
        })
    }
}
