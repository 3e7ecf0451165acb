//! Arithmetic, comparisons and jumps as Cranelift's.
//!
//! Each means what the same row of `interp::ops` does. Never: touches an object.

use crate::exec::bytecode::{Instr, Opcode};
use crate::exec::jit::body::{Body, F64, I64};
use crate::exec::jit::known::{Sum, Term};
use crate::exec::jit::{flow, stubs};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Value, ValueDef};

/// An immediate field.
fn small(field: u16) -> i64 {
    i64::from(field as i16)
}

impl Body<'_, '_> {
    /// True when the instruction is one of these.
    pub fn arithmetic(&mut self, at: u32, x: Instr) -> bool {
        match x.op {
            Opcode::LoadK => {
                let word = self.code.constants.get(x.wide() as usize).copied().unwrap_or(0);
                self.load_constant(x.a, word);
            }
            Opcode::LoadI => self.load_constant(x.a, small(x.c) as u64),
            Opcode::Move => {
                let length = self.length_if_known(x.b);
                let value = match self.gives_float() {
                    true => self.get_float(x.b),
                    false => self.get(x.b),
                };
                self.set_list(x.a, value, length);
            }
            Opcode::Add | Opcode::Sub | Opcode::Mul => {
                let (lhs, rhs) = (self.get(x.b), self.get(x.c));
                self.checked(at, x, lhs, rhs);
            }
            Opcode::AddI | Opcode::SubI | Opcode::MulI => {
                let lhs = self.get(x.b);
                let rhs = self.b.ins().iconst(I64, small(x.c));
                self.checked(at, x, lhs, rhs);
            }
            Opcode::Div => self.divide(at, x),
            Opcode::Rem => self.remainder(at, x),
            Opcode::Neg => {
                let value = self.get(x.b);
                let zero = self.b.ins().iconst(I64, 0);
                let wrong = self.b.ins().icmp_imm_s(IntCC::Equal, value, i64::MIN);
                self.check_arithmetic(at, wrong, value, zero);
                let value = self.b.ins().ineg(value);
                self.set(x.a, value);
            }
            Opcode::Step | Opcode::Back | Opcode::StepI => self.count(x),
            Opcode::Not => {
                let value = self.get(x.b);
                let value = self.b.ins().bxor_imm_s(value, 1);
                self.set(x.a, value);
            }
            _ if flow::jump(self.code, at).is_some() => return false,
            _ => return self.floats(x) || self.comparison(x),
        }
        true
    }

    fn load_constant(&mut self, to: u16, word: u64) {
        match self.gives_float() {
            true => {
                let value = self.b.ins().f64const(f64::from_bits(word));
                self.set(to, value);
            }
            false => {
                let value = self.b.ins().iconst(I64, word as i64);
                self.set(to, value);
            }
        }
    }

    fn checked(&mut self, at: u32, x: Instr, lhs: Value, rhs: Value) {
        let sum = match x.op {
            Opcode::Add | Opcode::AddI => Sum::Add,
            Opcode::Sub | Opcode::SubI => Sum::Sub,
            _ => Sum::Mul,
        };
        self.once(sum, x, lhs, rhs, |this| {
            let (value, wrong) = match sum {
                Sum::Add => this.b.ins().sadd_overflow(lhs, rhs),
                Sum::Sub => this.b.ins().ssub_overflow(lhs, rhs),
                _ => this.b.ins().smul_overflow(lhs, rhs),
            };
            this.check_arithmetic(at, wrong, lhs, rhs);
            value
        });
    }

    /// The operation with its checks, unless it was done before: then neither has anything new to give.
    fn once(
        &mut self,
        sum: Sum,
        x: Instr,
        lhs: Value,
        rhs: Value,
        make: impl FnOnce(&mut Self) -> Value,
    ) {
        let terms = (Term::of(&self.b.func.dfg, lhs), Term::of(&self.b.func.dfg, rhs));
        let value = self.known.sum(sum, terms.0, terms.1).unwrap_or_else(|| {
            let value = make(self);
            self.known.note_sum(sum, terms.0, terms.1, value);
            value
        });
        self.set(x.a, value);
    }

    /// A constant that any Int can be divided by.
    fn is_harmless_divisor(&self, value: Value) -> bool {
        let ValueDef::Result(inst, _) = self.b.func.dfg.value_def(value) else { return false };
        match &self.b.func.dfg.insts[inst] {
            InstructionData::UnaryImm { imm, .. } => !matches!(imm.bits(), 0 | -1),
            _ => false,
        }
    }

    fn divide(&mut self, at: u32, x: Instr) {
        let (lhs, rhs) = (self.get(x.b), self.get(x.c));
        self.once(Sum::Div, x, lhs, rhs, |this| this.quotient(at, lhs, rhs));
    }

    fn quotient(&mut self, at: u32, lhs: Value, rhs: Value) -> Value {
        if self.is_harmless_divisor(rhs) {
            return self.b.ins().sdiv(lhs, rhs);
        }
        let by_zero = self.b.ins().icmp_imm_s(IntCC::Equal, rhs, 0);
        let by_minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, rhs, -1);
        let least = self.b.ins().icmp_imm_s(IntCC::Equal, lhs, i64::MIN);
        let over = self.b.ins().band(by_minus_one, least);
        let wrong = self.b.ins().bor(by_zero, over);
        self.check_arithmetic(at, wrong, lhs, rhs);
        self.b.ins().sdiv(lhs, rhs)
    }

    fn remainder(&mut self, at: u32, x: Instr) {
        let (lhs, rhs) = (self.get(x.b), self.get(x.c));
        self.once(Sum::Rem, x, lhs, rhs, |this| this.rest(at, lhs, rhs));
    }

    fn rest(&mut self, at: u32, lhs: Value, rhs: Value) -> Value {
        if self.is_harmless_divisor(rhs) {
            return self.b.ins().srem(lhs, rhs);
        }
        let wrong = self.b.ins().icmp_imm_s(IntCC::Equal, rhs, 0);
        self.check_arithmetic(at, wrong, lhs, rhs);
        // By -1 there is no remainder, but the machine's division would overflow for the smallest Int.
        let by_minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, rhs, -1);
        let one = self.b.ins().iconst(I64, 1);
        let divisor = self.b.ins().select(by_minus_one, one, rhs);
        self.b.ins().srem(lhs, divisor)
    }

    fn count(&mut self, x: Instr) {
        let lhs = self.get(x.b);
        let value = match x.op {
            Opcode::StepI => self.b.ins().iadd_imm_s(lhs, small(x.c)),
            Opcode::Step => {
                let rhs = self.get(x.c);
                self.b.ins().iadd(lhs, rhs)
            }
            _ => {
                let rhs = self.get(x.c);
                self.b.ins().isub(lhs, rhs)
            }
        };
        self.set(x.a, value);
    }

    fn floats(&mut self, x: Instr) -> bool {
        if !matches!(
            x.op,
            Opcode::FAdd | Opcode::FSub | Opcode::FMul | Opcode::FDiv | Opcode::FRem | Opcode::FNeg
        ) {
            return false;
        }
        let lhs = self.get_float(x.b);
        if x.op == Opcode::FNeg {
            let value = self.b.ins().fneg(lhs);
            self.set(x.a, value);
            return true;
        }
        let rhs = self.get_float(x.c);
        let value = match x.op {
            Opcode::FAdd => self.b.ins().fadd(lhs, rhs),
            Opcode::FSub => self.b.ins().fsub(lhs, rhs),
            Opcode::FMul => self.b.ins().fmul(lhs, rhs),
            Opcode::FDiv => self.b.ins().fdiv(lhs, rhs),
            _ => self.stub(stubs::remainder as *const u8, &[lhs, rhs], &[F64]),
        };
        self.set(x.a, value);
        true
    }

    fn comparison(&mut self, x: Instr) -> bool {
        let Some(holds) = self.compare(x, (x.b, x.c)) else { return false };
        let value = self.b.ins().uextend(I64, holds);
        self.set(x.a, value);
        true
    }

    /// The comparison in an instruction that is one, or jumps by one.
    fn compare(&mut self, x: Instr, (a, b): (u16, u16)) -> Option<Value> {
        use Opcode as O;
        let whole = match x.op {
            O::Eq | O::EqI | O::JumpEq | O::JumpEqI => Some(IntCC::Equal),
            O::Ne | O::NeI | O::JumpNe | O::JumpNeI => Some(IntCC::NotEqual),
            O::Lt | O::LtI | O::JumpLt | O::JumpLtI => Some(IntCC::SignedLessThan),
            O::Le | O::LeI | O::JumpLe | O::JumpLeI => Some(IntCC::SignedLessThanOrEqual),
            O::GtI | O::JumpGtI => Some(IntCC::SignedGreaterThan),
            O::GeI | O::JumpGeI => Some(IntCC::SignedGreaterThanOrEqual),
            _ => None,
        };
        if let Some(how) = whole {
            let lhs = self.get(a);
            let is_small = matches!(
                x.op,
                O::EqI
                    | O::NeI
                    | O::LtI
                    | O::LeI
                    | O::GtI
                    | O::GeI
                    | O::JumpEqI
                    | O::JumpNeI
                    | O::JumpLtI
                    | O::JumpLeI
                    | O::JumpGtI
                    | O::JumpGeI
            );
            let rhs = match is_small {
                true => self.b.ins().iconst(I64, small(b)),
                false => self.get(b),
            };
            return Some(self.b.ins().icmp(how, lhs, rhs));
        }
        let float = match x.op {
            O::FEq | O::JumpFEq => FloatCC::Equal,
            O::FNe | O::JumpFNe => FloatCC::NotEqual,
            O::FLt | O::JumpFLt | O::JumpFNotLt => FloatCC::LessThan,
            O::FLe | O::JumpFLe | O::JumpFNotLe => FloatCC::LessThanOrEqual,
            _ => return None,
        };
        let (lhs, rhs) = (self.get_float(a), self.get_float(b));
        Some(self.b.ins().fcmp(float, lhs, rhs))
    }

    /// True when the instruction is a jump.
    pub fn jumps(&mut self, at: u32, x: Instr) -> bool {
        let Some(to) = flow::jump(self.code, at) else { return false };
        let taken = self.block(to);
        if x.op == Opcode::Jump {
            self.b.ins().jump(taken, &[]);
            return true;
        }
        let next = self.block(flow::after(self.code, at));
        let holds = match x.op {
            Opcode::JumpIf | Opcode::JumpIfNot => Some(self.get(x.a)),
            _ => self.compare(x, (x.a, x.b)),
        };
        let Some(holds) = holds else { return false };
        let inverted = matches!(x.op, Opcode::JumpIfNot | Opcode::JumpFNotLt | Opcode::JumpFNotLe);
        let (yes, no) = if inverted { (next, taken) } else { (taken, next) };
        self.b.ins().brif(holds, yes, &[], no, &[]);
        true
    }
}
