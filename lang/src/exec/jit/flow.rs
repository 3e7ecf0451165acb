//! What compilation must know of bytecode: where blocks begin, and which registers are live.
//!
//! Never: looks at what a call does.

use crate::exec::bytecode::{CONSTANT, Code, Instr, Opcode};
use crate::exec::interp::operand_words;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A set of registers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterSet {
    words: Box<[u64]>,
}

impl RegisterSet {
    pub fn new(registers: u32) -> Self {
        Self { words: vec![0; (registers as usize).div_ceil(64)].into() }
    }

    pub fn add(&mut self, register: u16) {
        if let Some(word) = self.words.get_mut(usize::from(register) / 64) {
            *word |= 1 << (register % 64);
        }
    }

    pub fn remove(&mut self, register: u16) {
        if let Some(word) = self.words.get_mut(usize::from(register) / 64) {
            *word &= !(1 << (register % 64));
        }
    }

    /// True when something was new.
    fn add_all(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            grew |= *other & !*word != 0;
            *word |= other;
        }
        grew
    }

    pub fn has(&self, register: u16) -> bool {
        self.words
            .get(usize::from(register) / 64)
            .is_some_and(|word| word >> (register % 64) & 1 == 1)
    }

    /// True when something was taken out.
    pub fn keep_common(&mut self, other: &Self) -> bool {
        let mut shrank = false;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            shrank |= *word & !*other != 0;
            *word &= *other;
        }
        shrank
    }

    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            (0..64u16).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at as u16 * 64 + bit)
        })
    }
}

/// A run of instructions with one way in.
#[derive(Debug)]
pub struct Run {
    pub end: u32,
    live: RegisterSet,
}

#[derive(Debug)]
pub struct Flow {
    /// By their first instruction.
    pub runs: BTreeMap<u32, Run>,
    /// Runs that are reached from one other only, and that one.
    only_before: FxHashMap<u32, u32>,
}

/// What an instruction does with a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Touch {
    Use,
    Def,
}

/// What an instruction says of a register's kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Float,
    Whole,
    Either,
}

impl Flow {
    pub fn of(code: &Code) -> Self {
        let mut flow = Self { runs: runs(code), only_before: FxHashMap::default() };
        flow.spread(code);
        flow.only_before = flow.find_only_before(code);
        flow
    }

    /// The one run that control comes from to the run at `start`, if there is one only. Handlers have none.
    pub fn only_before(&self, start: u32) -> Option<u32> {
        self.only_before.get(&start).copied()
    }

    /// The last instruction of the run at `start`.
    pub fn last(&self, code: &Code, start: u32) -> Option<u32> {
        places(code, start, self.runs.get(&start)?.end).last()
    }

    fn find_only_before(&self, code: &Code) -> FxHashMap<u32, u32> {
        let mut found: FxHashMap<u32, Option<u32>> = FxHashMap::default();
        let outside = code.faults.iter().filter_map(|point| point.handler).chain([0]);
        found.extend(outside.map(|start| (start, None)));
        for start in self.runs.keys() {
            for next in self.last(code, *start).into_iter().flat_map(|at| successors(code, at)) {
                found.entry(next).and_modify(|known| *known = None).or_insert(Some(*start));
            }
        }
        found.into_iter().filter_map(|(run, before)| Some((run, before?))).collect()
    }

    /// Live at the start of the run at `at`.
    pub fn live_at(&self, at: u32) -> impl Iterator<Item = u16> + '_ {
        self.runs.get(&at).into_iter().flat_map(|run| run.live.iter())
    }

    /// Backwards until nothing is new.
    fn spread(&mut self, code: &Code) {
        let starts: Vec<u32> = self.runs.keys().rev().copied().collect();
        let mut again = true;
        while again {
            again = false;
            for start in &starts {
                let live = self.before(code, *start);
                if let Some(run) = self.runs.get_mut(start) {
                    again |= run.live.add_all(&live);
                }
            }
        }
    }

    fn before(&self, code: &Code, start: u32) -> RegisterSet {
        let mut live = RegisterSet::new(code.registers);
        let Some(run) = self.runs.get(&start) else { return live };
        let places: Vec<u32> = places(code, start, run.end).collect();
        if let Some(last) = places.last() {
            for next in successors(code, *last) {
                if let Some(next) = self.runs.get(&next) {
                    live.add_all(&next.live);
                }
            }
        }
        for at in places.into_iter().rev() {
            touched(code, at, &mut |touch, register, _| {
                if touch == Touch::Def {
                    live.remove(register);
                }
            });
            if let Some(point) = code.fault_point(at) {
                let kept = code.cleanup(point).iter().chain(code.kept(point));
                kept.for_each(|register| live.add(*register));
                if let Some(handler) = point.handler.and_then(|handler| self.runs.get(&handler)) {
                    live.add_all(&handler.live);
                }
            }
            touched(code, at, &mut |touch, register, _| {
                if touch == Touch::Use {
                    live.add(register);
                }
            });
        }
        live
    }
}

/// The instruction at a place; past the end there is none that could run.
pub fn instr(code: &Code, at: u32) -> Instr {
    const NONE: Instr = Instr::new(Opcode::Unreachable, 0, 0, 0);
    code.instrs.get(at as usize).copied().unwrap_or(NONE)
}

/// The place after an instruction and its operands.
pub fn after(code: &Code, at: u32) -> u32 {
    let x = instr(code, at);
    at + 1 + if has_list(x.op) { operand_words(x.c) as u32 } else { 0 }
}

fn has_list(op: Opcode) -> bool {
    use Opcode::{Call, CallValue, Closure, Help, Native, Record, Variant};
    matches!(op, Record | Variant | Closure | Call | CallValue | Native | Help)
}

/// The places of the instructions from `start` to `end`.
pub fn places(code: &Code, start: u32, end: u32) -> impl Iterator<Item = u32> + '_ {
    let inside = move |at: u32| (at < end).then_some(at);
    std::iter::successors(inside(start), move |at| inside(after(code, *at)))
}

/// Where the jump at `at` goes, if it is one.
pub fn jump(code: &Code, at: u32) -> Option<u32> {
    use Opcode::{
        Jump, JumpEq, JumpEqI, JumpFEq, JumpFLe, JumpFLt, JumpFNe, JumpFNotLe, JumpFNotLt, JumpGeI,
        JumpGtI, JumpIf, JumpIfNot, JumpLe, JumpLeI, JumpLt, JumpLtI, JumpNe, JumpNeI,
    };
    let x = instr(code, at);
    let offset = match x.op {
        Jump | JumpIf | JumpIfNot => i64::from(x.wide() as i32),
        JumpEq | JumpNe | JumpLt | JumpLe | JumpEqI | JumpNeI | JumpLtI | JumpLeI | JumpGtI
        | JumpGeI | JumpFEq | JumpFNe | JumpFLt | JumpFLe | JumpFNotLt | JumpFNotLe => {
            i64::from(x.c as i16)
        }
        _ => return None,
    };
    u32::try_from(i64::from(at) + 1 + offset).ok()
}

/// Whether the instruction after this one is reached by falling through.
pub fn falls_through(op: Opcode) -> bool {
    !matches!(op, Opcode::Jump | Opcode::Return | Opcode::Unreachable | Opcode::Operands)
}

pub fn successors(code: &Code, at: u32) -> impl Iterator<Item = u32> {
    let next = falls_through(instr(code, at).op).then(|| after(code, at));
    next.into_iter().chain(jump(code, at))
}

fn runs(code: &Code) -> BTreeMap<u32, Run> {
    let length = code.instrs.len() as u32;
    let mut starts = std::collections::BTreeSet::from([0]);
    for at in places(code, 0, length) {
        if let Some(to) = jump(code, at) {
            starts.extend([to, after(code, at)]);
        } else if !falls_through(instr(code, at).op) {
            starts.insert(after(code, at));
        } else if instr(code, at).op == Opcode::Safepoint {
            // A loop can be entered there.
            starts.insert(after(code, at));
        }
    }
    starts.extend(code.faults.iter().filter_map(|point| point.handler));
    starts.retain(|at| *at < length);
    let ends = starts.iter().skip(1).copied().chain([length]);
    let run = |end| Run { end, live: RegisterSet::new(code.registers) };
    starts.iter().copied().zip(ends.map(run)).collect()
}

/// Tells each register that an instruction reads or writes.
pub fn touched(code: &Code, at: u32, tell: &mut dyn FnMut(Touch, u16, Kind)) {
    use Opcode as O;
    use Touch::{Def, Use};
    let x = instr(code, at);
    match x.op {
        O::LoadK | O::LoadI => tell(Def, x.a, Kind::Either),
        O::Move => {
            tell(Use, x.b, Kind::Either);
            tell(Def, x.a, Kind::Either);
        }
        O::Add
        | O::Sub
        | O::Mul
        | O::Div
        | O::Rem
        | O::Step
        | O::Back
        | O::Eq
        | O::Ne
        | O::Lt
        | O::Le => binary(x, (Kind::Whole, Kind::Whole), tell),
        O::ListGet => {
            tell(Use, x.b, Kind::Whole);
            tell(Use, x.c, Kind::Whole);
            tell(Def, x.a, Kind::Either);
        }
        O::FAdd | O::FSub | O::FMul | O::FDiv | O::FRem => {
            binary(x, (Kind::Float, Kind::Float), tell);
        }
        O::FEq | O::FNe | O::FLt | O::FLe => binary(x, (Kind::Whole, Kind::Float), tell),
        O::AddI
        | O::SubI
        | O::MulI
        | O::StepI
        | O::Neg
        | O::EqI
        | O::NeI
        | O::LtI
        | O::LeI
        | O::GtI
        | O::GeI
        | O::Not
        | O::Tag
        | O::Fresh
        | O::ListLen => {
            tell(Use, x.b, Kind::Whole);
            tell(Def, x.a, Kind::Whole);
        }
        O::FNeg => {
            tell(Use, x.b, Kind::Float);
            tell(Def, x.a, Kind::Float);
        }
        O::Field | O::TakeField => {
            tell(Use, x.b, Kind::Whole);
            tell(Def, x.a, Kind::Either);
        }
        O::PutField | O::PutWord => {
            tell(Use, x.a, Kind::Whole);
            tell(Use, x.b, Kind::Either);
        }
        O::Dup
        | O::Drop
        | O::JumpIf
        | O::JumpIfNot
        | O::JumpEqI
        | O::JumpNeI
        | O::JumpLtI
        | O::JumpLeI
        | O::JumpGtI
        | O::JumpGeI => tell(Use, x.a, Kind::Whole),
        O::JumpEq | O::JumpNe | O::JumpLt | O::JumpLe => {
            tell(Use, x.a, Kind::Whole);
            tell(Use, x.b, Kind::Whole);
        }
        O::JumpFEq | O::JumpFNe | O::JumpFLt | O::JumpFLe | O::JumpFNotLt | O::JumpFNotLe => {
            tell(Use, x.a, Kind::Float);
            tell(Use, x.b, Kind::Float);
        }
        O::Return => tell(Use, x.a, Kind::Either),
        O::CallValue => {
            tell(Use, x.b, Kind::Whole);
            listed(code, at, tell);
            tell(Def, x.a, Kind::Either);
        }
        O::Record | O::Variant | O::Closure | O::Call | O::Native | O::Help => {
            listed(code, at, tell);
            tell(Def, x.a, Kind::Either);
        }
        O::Jump | O::Safepoint | O::Unreachable | O::Operands => {}
    }
}

fn binary(x: Instr, (result, operand): (Kind, Kind), tell: &mut dyn FnMut(Touch, u16, Kind)) {
    tell(Touch::Use, x.b, operand);
    tell(Touch::Use, x.c, operand);
    tell(Touch::Def, x.a, result);
}

fn listed(code: &Code, at: u32, tell: &mut dyn FnMut(Touch, u16, Kind)) {
    for field in operands(code, at) {
        if field & CONSTANT == 0 {
            tell(Touch::Use, field, Kind::Either);
        }
    }
}

/// The fields of an instruction's operand list.
pub fn operands(code: &Code, at: u32) -> impl Iterator<Item = u16> + '_ {
    let count = usize::from(instr(code, at).c);
    (0..operand_words(count as u16) as u32)
        .map(move |word| instr(code, at + 1 + word))
        .flat_map(|word| [word.a, word.b, word.c])
        .take(count)
}
