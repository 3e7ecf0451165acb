//! Bytecode: fixed-size register instructions with static types, and the tables beside them.
//!
//! An instruction is an operation and three 16-bit fields. Operand lists follow it in words of three fields;
//! a field with its top bit set is an index into the constants, otherwise a register. Offsets of jumps count
//! instructions from the one after the jump. Never: knows how it is run.

use crate::exec::helper::Helper;
use crate::exec::tier::TierCell;
use crate::ir::core::{Tied, Word};
use ag_runtime::builtin::Call;
use ag_runtime::code::FnSlot;
use ag_runtime::fault::Origin;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

/// A field of an operand list with this bit is a constant.
pub const CONSTANT: u16 = 1 << 15;

/// Fields of an operand list in a word; the word's operation says what it is.
pub const OPERANDS_PER_WORD: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Instr {
    pub op: Opcode,
    pub a: u16,
    pub b: u16,
    pub c: u16,
}

/// `r` is a register, `k` a constant, `#` an immediate, `>` a jump, `[..]` an operand list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Opcode {
    /// `a = k(b, c)`: the constant's index is 32 bits.
    LoadK,
    /// `a = #c`, signed.
    LoadI,
    Move,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    AddI,
    SubI,
    MulI,
    Neg,
    /// `a = b + c` of counters below a limit: not checked.
    Step,
    /// `a = b + #c`, not checked.
    StepI,
    /// `a = b - c`, not checked.
    Back,
    FAdd,
    FSub,
    FMul,
    FDiv,
    FRem,
    FNeg,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    EqI,
    NeI,
    LtI,
    LeI,
    GtI,
    GeI,
    FEq,
    FNe,
    FLt,
    FLe,
    /// `> (b, c)`, 32 bits; `a` is not used.
    Jump,
    /// `if a > (b, c)`.
    JumpIf,
    JumpIfNot,
    /// `if a op b > c`.
    JumpEq,
    JumpNe,
    JumpLt,
    JumpLe,
    /// `if a op #b > c`.
    JumpEqI,
    JumpNeI,
    JumpLtI,
    JumpLeI,
    JumpGtI,
    JumpGeI,
    JumpFEq,
    JumpFNe,
    JumpFLt,
    JumpFLe,
    /// Not less: differs from `Ge` on NaN.
    JumpFNotLt,
    JumpFNotLe,
    /// The tag of the enum value in `b`.
    Tag,
    /// `a = b[c]`, `c` in words from the object's start.
    Field,
    /// Moves the word out and leaves 0.
    TakeField,
    /// `a[c] = b`; `PutField` releases what was there.
    PutField,
    PutWord,
    /// `a` = `b` without other holders.
    Fresh,
    ListLen,
    ListGet,
    Dup,
    Drop,
    /// `a` = new record of the shape in constant `b`, of `c` fields `[..]`.
    Record,
    /// The constant holds shape and tag.
    Variant,
    /// `b` is an index into `closures`.
    Closure,
    /// `a` = `calls[b]` of `c` arguments `[..]`.
    Call,
    /// `a` = the function value in `b` of `c` arguments `[..]`.
    CallValue,
    /// `a` = `natives[b]` of `c` words `[..]`.
    Native,
    /// `a` = `helpers[b]` of `c` words `[..]`.
    Help,
    Safepoint,
    Return,
    Unreachable,
    /// Not an operation: three fields of an operand list. Never reached by the program counter.
    Operands,
}

impl Instr {
    pub const fn new(op: Opcode, a: u16, b: u16, c: u16) -> Self {
        Self { op, a, b, c }
    }

    /// The 32 bits of `b` and `c`.
    pub const fn wide(self) -> u32 {
        self.b as u32 | (self.c as u32) << 16
    }

    pub const fn with_wide(op: Opcode, a: u16, wide: u32) -> Self {
        Self { op, a, b: wide as u16, c: (wide >> 16) as u16 }
    }
}

/// The code of one function. Immutable once installed, but for its compiled forms.
#[derive(Debug)]
pub struct Code {
    pub name: Arc<str>,
    pub origin: Origin,
    pub instrs: Box<[Instr]>,
    pub constants: Box<[u64]>,
    /// What keeps the counted ones among the constants alive; counted atomically.
    pub kept: Box<[Owned]>,
    pub calls: Box<[FnSlot]>,
    pub natives: Box<[Call]>,
    pub helpers: Box<[Helper]>,
    pub closures: Box<[ClosureOf]>,
    /// By instruction, ascending: all that can fault.
    pub faults: Box<[FaultPoint]>,
    /// Registers to release, in runs that the fault points name.
    pub cleanups: Box<[u16]>,
    /// Shapes of captures, then parameters.
    pub params: Box<[ShapeId]>,
    /// Registers of the frame, scratch included.
    pub registers: u32,
    /// The longest operand list: room behind the registers.
    pub arguments: u32,
    /// Where it is installed, if it is.
    pub slot: FnSlot,
    pub tier: TierCell,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosureOf {
    pub shape: ShapeId,
    pub slot: FnSlot,
    pub captures: Box<[ShapeId]>,
    pub tied: Tied,
}

/// Where an instruction that can fault stands, and what a Fault there has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultPoint {
    pub at: u32,
    pub start: u32,
    pub end: u32,
    /// The run of `cleanups`: what a Fault gives up here, then what the handler needs.
    pub cleanup: u32,
    pub cleanup_len: u32,
    pub kept_len: u32,
    /// The instruction to go on at, for Faults inside a `try`.
    pub handler: Option<u32>,
    /// What the words are, for the text of an overflow.
    pub word: Word,
}

impl Code {
    pub fn fault_point(&self, at: u32) -> Option<&FaultPoint> {
        let found = self.faults.binary_search_by_key(&at, |point| point.at).ok()?;
        self.faults.get(found)
    }

    pub fn cleanup(&self, point: &FaultPoint) -> &[u16] {
        let start = point.cleanup as usize;
        self.cleanups.get(start..start + point.cleanup_len as usize).unwrap_or(&[])
    }

    /// What the handler would need: given up, too, by a Fault that no `try` catches.
    pub fn kept(&self, point: &FaultPoint) -> &[u16] {
        let start = (point.cleanup + point.cleanup_len) as usize;
        self.cleanups.get(start..start + point.kept_len as usize).unwrap_or(&[])
    }
}
