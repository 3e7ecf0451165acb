//! Selection of instructions: one operation of Core IR to one instruction, with immediates where they fit.
//!
//! Never: decides where a block goes.

use crate::exec::bytecode::{ClosureOf, Instr, Opcode};
use crate::exec::emit::{Emitter, TooLarge};
use crate::exec::helper::Helper;
use crate::hir::{Arith, Compare};
use crate::ir::core::{Op, StmtKind, Var, Word};
use ag_runtime::builtin::BuiltinId;
use ag_runtime::value::record::{FIELDS_OFFSET, PAYLOAD_OFFSET};
use ag_runtime::value::shape::ShapeId;

const WORD: usize = size_of::<u64>();
/// Words before the fields of a record and the payload of a variant.
const FIELDS: u32 = (FIELDS_OFFSET / WORD) as u32;
const PAYLOAD: u32 = (PAYLOAD_OFFSET / WORD) as u32;

/// A shape and tag as one constant.
fn key(shape: ShapeId, tag: u32) -> u64 {
    u64::from(shape.0) | u64::from(tag) << 32
}

/// What an operation's words are, for the text of its Fault.
pub fn word_of(op: &Op) -> Word {
    match op {
        Op::Arith { word, .. } | Op::Neg(word, _) => *word,
        _ => Word::Int,
    }
}

impl Emitter<'_, '_> {
    pub fn select(&mut self, var: Var, op: &Op) -> Result<(), TooLarge> {
        let to = self.registers.of(var).ok_or(TooLarge("variable without a place"))?;
        match op {
            Op::Const(_) | Op::Text(_) => Ok(()),
            Op::Arith { word, op, lhs, rhs } => self.arith(to, *word, *op, *lhs, *rhs),
            Op::Compare { float, op, lhs, rhs } => self.compare(to, *float, *op, *lhs, *rhs),
            Op::Neg(Word::Float, v) => self.one(Opcode::FNeg, to, *v),
            Op::Neg(_, v) => self.one(Opcode::Neg, to, *v),
            Op::Not(v) => self.one(Opcode::Not, to, *v),
            Op::Tag(v) => self.one(Opcode::Tag, to, *v),
            Op::Fresh(v) => self.one(Opcode::Fresh, to, *v),
            Op::ListLen(v) => self.one(Opcode::ListLen, to, *v),
            Op::Field(v, at) => self.at(Opcode::Field, to, *v, FIELDS + at),
            Op::Payload(v, at) => self.at(Opcode::Field, to, *v, PAYLOAD + at),
            Op::TakeField(v, at) => self.at(Opcode::TakeField, to, *v, FIELDS + at),
            Op::CellGet(cell) => self.at(Opcode::Field, to, *cell, FIELDS),
            Op::CellTake(cell) => self.at(Opcode::TakeField, to, *cell, FIELDS),
            Op::PutField(base, at, value) => self.put(*base, FIELDS + at, *value),
            Op::CellSet(cell, value) => self.put(*cell, FIELDS, *value),
            Op::CellNew(value) => self.build(Opcode::Record, to, self.shape(var), 0, &[*value]),
            Op::Record(fields) => self.build(Opcode::Record, to, self.shape(var), 0, fields),
            Op::Variant(tag, fields) => {
                self.build(Opcode::Variant, to, self.shape(var), *tag, fields)
            }
            Op::ListGet(list, index) => {
                let list = self.register(*list, 0)?;
                let index = self.register(*index, 1)?;
                self.op(Opcode::ListGet, to, list, index);
                Ok(())
            }
            Op::Closure(key, captures, tied) => {
                let slot = (self.linker.function)(key);
                let shapes = captures.iter().map(|var| self.shape(*var)).collect();
                let shape = self.shape(var);
                let closure = ClosureOf { shape, slot, captures: shapes, tied: *tied };
                let index = self.tables.closure(closure).ok_or(TooLarge("lambdas"))?;
                self.call(Opcode::Closure, to, index, captures)
            }
            Op::Call(key, args) => {
                let slot = (self.linker.function)(key);
                let index = self.tables.call(slot).ok_or(TooLarge("calls"))?;
                self.call(Opcode::Call, to, index, args)
            }
            Op::CallValue(callee, args) => {
                let callee = self.register(*callee, 0)?;
                self.call(Opcode::CallValue, to, callee, args)
            }
            Op::Builtin { id, args, shapes } => self.builtin(to, *id, args, shapes),
            Op::Exit(id, token) => {
                let exit = id.get().and_then(|row| row.exit).ok_or(TooLarge("exit"))?;
                let index = self.tables.native(exit).ok_or(TooLarge("builtins"))?;
                self.call(Opcode::Native, to, index, &[*token])
            }
            Op::Aux(aux, args) => {
                let shapes: Vec<ShapeId> = args.iter().map(|var| self.shape(*var)).collect();
                let helper = Helper::of(aux, self.shape(var), &shapes, self.linker);
                let index = self.tables.helper(helper).ok_or(TooLarge("helpers"))?;
                self.call(Opcode::Help, to, index, args)
            }
            Op::Safepoint => {
                self.op(Opcode::Safepoint, 0, 0, 0);
                Ok(())
            }
        }
    }

    /// The shapes that operations name come first among the constants: a function with more of these than an operand can
    /// name loads the others into registers, but those have to be operands.
    pub fn name_shapes(&mut self) {
        let function = self.function;
        for stmt in function.blocks.iter().flat_map(|block| &block.stmts) {
            let StmtKind::Let(var, op) = &stmt.kind else { continue };
            let shape = self.shape(*var);
            match op {
                Op::CellNew(_) | Op::Record(_) => self.tables.name(key(shape, 0)),
                Op::Variant(tag, _) => self.tables.name(key(shape, *tag)),
                Op::Builtin { shapes, .. } => {
                    shapes.iter().for_each(|shape| self.tables.name(u64::from(shape.0)));
                }
                _ => {}
            }
        }
    }

    pub fn shape(&self, var: Var) -> ShapeId {
        self.function.vars.get(var.0 as usize).map_or(ShapeId::UNIT, |info| info.shape)
    }

    fn one(&mut self, op: Opcode, to: u16, var: Var) -> Result<(), TooLarge> {
        let from = self.register(var, 0)?;
        self.op(op, to, from, 0);
        Ok(())
    }

    fn at(&mut self, op: Opcode, to: u16, var: Var, word: u32) -> Result<(), TooLarge> {
        let from = self.register(var, 0)?;
        let word = u16::try_from(word).map_err(|_| TooLarge("fields"))?;
        self.op(op, to, from, word);
        Ok(())
    }

    fn put(&mut self, base: Var, word: u32, value: Var) -> Result<(), TooLarge> {
        let op = if self.is_counted(value) { Opcode::PutField } else { Opcode::PutWord };
        let base = self.register(base, 0)?;
        let value = self.register(value, 1)?;
        let word = u16::try_from(word).map_err(|_| TooLarge("fields"))?;
        self.op(op, base, value, word);
        Ok(())
    }

    fn build(
        &mut self,
        op: Opcode,
        to: u16,
        shape: ShapeId,
        tag: u32,
        fields: &[Var],
    ) -> Result<(), TooLarge> {
        let key = self.tables.word(key(shape, tag));
        let key = u16::try_from(key).map_err(|_| TooLarge("constants"))?;
        self.call(op, to, key, fields)
    }

    fn builtin(
        &mut self,
        to: u16,
        id: BuiltinId,
        args: &[Var],
        shapes: &[ShapeId],
    ) -> Result<(), TooLarge> {
        let row = id.get().ok_or(TooLarge("builtin"))?;
        let index = self.tables.native(row.call).ok_or(TooLarge("builtins"))?;
        let mut fields = self.fields(args)?;
        for shape in shapes {
            fields.push(self.word_operand(u64::from(shape.0))?);
        }
        self.listed(Opcode::Native, to, index, &fields)
    }

    fn call(&mut self, op: Opcode, to: u16, b: u16, args: &[Var]) -> Result<(), TooLarge> {
        let fields = self.fields(args)?;
        self.listed(op, to, b, &fields)
    }

    fn fields(&mut self, vars: &[Var]) -> Result<Vec<u16>, TooLarge> {
        vars.iter().enumerate().map(|(at, var)| self.listed_operand(*var, at)).collect()
    }

    fn listed(&mut self, op: Opcode, to: u16, b: u16, fields: &[u16]) -> Result<(), TooLarge> {
        let count = u16::try_from(fields.len()).map_err(|_| TooLarge("operands"))?;
        self.push(Instr::new(op, to, b, count));
        self.operand_list(fields)
    }

    fn arith(
        &mut self,
        to: u16,
        word: Word,
        op: Arith,
        lhs: Var,
        rhs: Var,
    ) -> Result<(), TooLarge> {
        let small = if word == Word::Float { None } else { self.immediate(rhs) };
        let with_immediate = match (word, op) {
            (Word::Index, Arith::Add) => Some(Opcode::StepI),
            (Word::Index | Word::Float, _) => None,
            (_, Arith::Add) => Some(Opcode::AddI),
            (_, Arith::Sub) => Some(Opcode::SubI),
            (_, Arith::Mul) => Some(Opcode::MulI),
            _ => None,
        };
        let lhs = self.register(lhs, 0)?;
        if let (Some(op), Some(small)) = (with_immediate, small) {
            self.op(op, to, lhs, small);
            return Ok(());
        }
        let rhs = self.register(rhs, 1)?;
        let op = match (word, op) {
            (Word::Float, Arith::Add) => Opcode::FAdd,
            (Word::Float, Arith::Sub) => Opcode::FSub,
            (Word::Float, Arith::Mul) => Opcode::FMul,
            (Word::Float, Arith::Div) => Opcode::FDiv,
            (Word::Float, Arith::Rem) => Opcode::FRem,
            (Word::Index, Arith::Sub) => Opcode::Back,
            (Word::Index, _) => Opcode::Step,
            (_, Arith::Add) => Opcode::Add,
            (_, Arith::Sub) => Opcode::Sub,
            (_, Arith::Mul) => Opcode::Mul,
            (_, Arith::Div) => Opcode::Div,
            (_, Arith::Rem) => Opcode::Rem,
        };
        self.op(op, to, lhs, rhs);
        Ok(())
    }

    fn compare(
        &mut self,
        to: u16,
        float: bool,
        op: Compare,
        lhs: Var,
        rhs: Var,
    ) -> Result<(), TooLarge> {
        if let (false, Some(small)) = (float, self.immediate(rhs)) {
            let lhs = self.register(lhs, 0)?;
            let op = match op {
                Compare::Eq => Opcode::EqI,
                Compare::Ne => Opcode::NeI,
                Compare::Lt => Opcode::LtI,
                Compare::Le => Opcode::LeI,
                Compare::Gt => Opcode::GtI,
                Compare::Ge => Opcode::GeI,
            };
            self.op(op, to, lhs, small);
            return Ok(());
        }
        let mut a = self.register(lhs, 0)?;
        let mut b = self.register(rhs, 1)?;
        if matches!(op, Compare::Gt | Compare::Ge) {
            std::mem::swap(&mut a, &mut b);
        }
        let op = match (float, op) {
            (false, Compare::Eq) => Opcode::Eq,
            (false, Compare::Ne) => Opcode::Ne,
            (false, Compare::Lt | Compare::Gt) => Opcode::Lt,
            (false, Compare::Le | Compare::Ge) => Opcode::Le,
            (true, Compare::Eq) => Opcode::FEq,
            (true, Compare::Ne) => Opcode::FNe,
            (true, Compare::Lt | Compare::Gt) => Opcode::FLt,
            (true, Compare::Le | Compare::Ge) => Opcode::FLe,
        };
        self.op(op, to, a, b);
        Ok(())
    }

    /// Goes to `to` if the comparison is `holds`.
    pub fn compare_and_jump(
        &mut self,
        float: bool,
        op: Compare,
        (lhs, rhs): (Var, Var),
        holds: bool,
        to: crate::ir::core::BlockId,
    ) -> Result<(), TooLarge> {
        if float {
            return self.float_jump(op, (lhs, rhs), holds, to);
        }
        let op = if holds { op } else { negated(op) };
        if let Some(small) = self.immediate(rhs) {
            let lhs = self.register(lhs, 0)?;
            let op = match op {
                Compare::Eq => Opcode::JumpEqI,
                Compare::Ne => Opcode::JumpNeI,
                Compare::Lt => Opcode::JumpLtI,
                Compare::Le => Opcode::JumpLeI,
                Compare::Gt => Opcode::JumpGtI,
                Compare::Ge => Opcode::JumpGeI,
            };
            self.jump_from(op, lhs, small, to);
            return Ok(());
        }
        let a = self.register(lhs, 0)?;
        let b = self.register(rhs, 1)?;
        match op {
            Compare::Eq => self.jump_from(Opcode::JumpEq, a, b, to),
            Compare::Ne => self.jump_from(Opcode::JumpNe, a, b, to),
            Compare::Lt => self.jump_from(Opcode::JumpLt, a, b, to),
            Compare::Le => self.jump_from(Opcode::JumpLe, a, b, to),
            Compare::Gt => self.jump_from(Opcode::JumpLt, b, a, to),
            Compare::Ge => self.jump_from(Opcode::JumpLe, b, a, to),
        }
        Ok(())
    }

    /// NaN makes every comparison but `!=` false, so "not less" is not "greater or equal".
    fn float_jump(
        &mut self,
        op: Compare,
        (lhs, rhs): (Var, Var),
        holds: bool,
        to: crate::ir::core::BlockId,
    ) -> Result<(), TooLarge> {
        let a = self.register(lhs, 0)?;
        let b = self.register(rhs, 1)?;
        let (op, a, b) = match (op, holds) {
            (Compare::Eq, true) | (Compare::Ne, false) => (Opcode::JumpFEq, a, b),
            (Compare::Ne, true) | (Compare::Eq, false) => (Opcode::JumpFNe, a, b),
            (Compare::Lt, true) => (Opcode::JumpFLt, a, b),
            (Compare::Le, true) => (Opcode::JumpFLe, a, b),
            (Compare::Gt, true) => (Opcode::JumpFLt, b, a),
            (Compare::Ge, true) => (Opcode::JumpFLe, b, a),
            (Compare::Lt, false) => (Opcode::JumpFNotLt, a, b),
            (Compare::Le, false) => (Opcode::JumpFNotLe, a, b),
            (Compare::Gt, false) => (Opcode::JumpFNotLt, b, a),
            (Compare::Ge, false) => (Opcode::JumpFNotLe, b, a),
        };
        self.jump_from(op, a, b, to);
        Ok(())
    }
}

fn negated(op: Compare) -> Compare {
    match op {
        Compare::Eq => Compare::Ne,
        Compare::Ne => Compare::Eq,
        Compare::Lt => Compare::Ge,
        Compare::Ge => Compare::Lt,
        Compare::Gt => Compare::Le,
        Compare::Le => Compare::Gt,
    }
}
