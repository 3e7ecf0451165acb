//! Operands: which variables are constants, and how an instruction names a variable.
//!
//! Never: allocates a register.

use crate::exec::bytecode::{CONSTANT, Instr, OPERANDS_PER_WORD, Opcode};
use crate::exec::emit::{Emitter, TooLarge};
use crate::ir::core::{Function, Op, StmtKind, Var};
use crate::types::ty::Name;

/// Scratch registers for operands that are not in a list.
pub const SINGLE: u16 = 2;

/// What a variable is known to be.
#[derive(Clone, PartialEq, Debug)]
pub enum Known {
    Word(u64),
    Text(Name),
}

pub fn known(function: &Function) -> Vec<Option<Known>> {
    let mut known = vec![None; function.vars.len()];
    for stmt in function.blocks.iter().flat_map(|block| &block.stmts) {
        let StmtKind::Let(var, op) = &stmt.kind else { continue };
        let Some(slot) = known.get_mut(var.0 as usize) else { continue };
        match op {
            Op::Const(word) => *slot = Some(Known::Word(*word)),
            Op::Text(text) => *slot = Some(Known::Text(text.clone())),
            _ => {}
        }
    }
    known
}

impl Emitter<'_, '_> {
    pub fn known(&self, var: Var) -> Option<&Known> {
        self.known.get(var.0 as usize).and_then(Option::as_ref)
    }

    /// The constant a variable is, if it fits an immediate.
    pub fn immediate(&self, var: Var) -> Option<u16> {
        match self.known(var) {
            Some(Known::Word(word)) => i16::try_from(*word as i64).ok().map(|small| small as u16),
            _ => None,
        }
    }

    /// The register of a variable; a constant is loaded into scratch register 0 or 1.
    pub fn register(&mut self, var: Var, scratch: u16) -> Result<u16, TooLarge> {
        if let Some(register) = self.registers.of(var) {
            return Ok(register);
        }
        let register = self.scratch + scratch;
        self.load(register, var)?;
        Ok(register)
    }

    /// Loads a constant.
    pub fn load(&mut self, register: u16, var: Var) -> Result<(), TooLarge> {
        if let Some(small) = self.immediate(var) {
            self.op(Opcode::LoadI, register, 0, small);
            return Ok(());
        }
        let index = self.constant(var)?;
        self.push(Instr::with_wide(Opcode::LoadK, register, index));
        Ok(())
    }

    fn constant(&mut self, var: Var) -> Result<u32, TooLarge> {
        match self.known(var).cloned() {
            Some(Known::Word(word)) => Ok(self.tables.word(word)),
            Some(Known::Text(text)) => Ok(self.tables.text(&text)),
            None => Err(TooLarge("variable without a place")),
        }
    }

    pub fn operand(&mut self, var: Var) -> Result<u16, TooLarge> {
        match self.registers.of(var) {
            Some(register) => Ok(register),
            None => {
                let index = self.constant(var)?;
                constant_operand(index)
            }
        }
    }

    /// An operand at a place of a list. A constant beyond what an operand can name is loaded before: into a register of
    /// that place, behind the two for single operands.
    pub fn listed_operand(&mut self, var: Var, at: usize) -> Result<u16, TooLarge> {
        match self.operand(var) {
            Err(TooLarge("constants")) => {}
            done => return done,
        }
        let at = u16::try_from(at).map_err(|_| TooLarge("operands"))?;
        let register = self.scratch.checked_add(SINGLE + at).filter(|it| *it < CONSTANT);
        let register = register.ok_or(TooLarge("registers"))?;
        self.load(register, var)?;
        self.loaded = self.loaded.max(at + 1);
        Ok(register)
    }

    pub fn word_operand(&mut self, word: u64) -> Result<u16, TooLarge> {
        let index = self.tables.word(word);
        constant_operand(index)
    }

    /// Operand words after the instruction just pushed.
    pub fn operand_list(&mut self, fields: &[u16]) -> Result<(), TooLarge> {
        for word in fields.chunks(OPERANDS_PER_WORD) {
            let field = |at: usize| word.get(at).copied().unwrap_or(0);
            self.push(Instr::new(Opcode::Operands, field(0), field(1), field(2)));
        }
        self.tables.arguments = self.tables.arguments.max(fields.len() as u32);
        if fields.len() > usize::from(u16::MAX) { Err(TooLarge("operands")) } else { Ok(()) }
    }
}

fn constant_operand(index: u32) -> Result<u16, TooLarge> {
    match u16::try_from(index) {
        Ok(index) if index < CONSTANT => Ok(index | CONSTANT),
        _ => Err(TooLarge("constants")),
    }
}
