//! What operations of the table need that is more than a line: operands, objects, calls.
//!
//! The words an instruction is given have the shapes it was selected for; that is what makes the unsafe
//! parts here sound. Never: loops over anything unbounded.
#![allow(clippy::indexing_slicing)]

use crate::exec::bytecode::{CONSTANT, ClosureOf, Code, Instr, Opcode};
use crate::exec::helper::Helper;
use crate::exec::interp::{help, interp_entry};
use crate::exec::jit::memory::Bridge;
use crate::exec::tier;
use crate::ir::core::{Tied, Word};
use ag_runtime::code::{FAULT, FnSlot, OK, Status, Version};
use ag_runtime::context::Cx;
use ag_runtime::fault::{Fault, code};
use ag_runtime::value::closure::{CAPTURES_OFFSET, FunctionBuf, FunctionRef, SLOT_OFFSET};
use ag_runtime::value::count::{
    is_unique, object_shape, release, release_counted, retain, retain_counted,
};
use ag_runtime::value::list::{ITEMS_OFFSET, LENGTH_OFFSET};
use ag_runtime::value::record::{self, RecordRef};
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

/// The value of an operand field.
#[inline(always)]
unsafe fn operand(field: u16, r: *const u64, code: *const Code) -> u64 {
    // SAFETY: a field names a register of the frame or a constant of the code.
    unsafe {
        if field & CONSTANT == 0 {
            *r.add(usize::from(field))
        } else {
            *(*code).constants.as_ptr().add(usize::from(field & !CONSTANT))
        }
    }
}

/// Copies the operands listed at `list` to `to`.
///
/// # Safety
/// `list` stands at the operand words of a running instruction with `count` operands; `to` has room.
#[inline(always)]
pub unsafe fn gather_into(
    to: *mut u64,
    list: *const Instr,
    r: *mut u64,
    code: *const Code,
    count: u16,
) {
    // SAFETY: the contract of this function.
    unsafe {
        let mut left = usize::from(count);
        let (mut at, mut to) = (list, to);
        while left > 0 {
            let word = *at;
            *to = operand(word.a, r, code);
            if left > 1 {
                *to.add(1) = operand(word.b, r, code);
            }
            if left > 2 {
                *to.add(2) = operand(word.c, r, code);
            }
            left = left.saturating_sub(3);
            at = at.add(1);
            to = to.wrapping_add(3);
        }
    }
}

/// Copies the operands to the room behind the registers.
///
/// # Safety
/// As for [`gather_into`].
#[inline(always)]
pub unsafe fn gather(list: *const Instr, r: *mut u64, code: *const Code, count: u16) -> *mut u64 {
    // SAFETY: the frame has room for the longest operand list of its code.
    unsafe {
        let to = r.add((*code).registers as usize);
        gather_into(to, list, r, code, count);
        to
    }
}

/// A word of an object.
#[inline(always)]
pub fn word(object: u64, at: u16) -> *mut u64 {
    (object as *mut u64).wrapping_add(usize::from(at))
}

#[inline(always)]
pub fn tag(value: u64) -> u64 {
    u64::from(record::tag(value))
}

#[inline(always)]
pub fn dup_word(value: u64) {
    retain_counted(value);
}

#[inline(always)]
pub fn drop_word(value: u64) {
    release_counted(value);
}

/// # Safety
/// A live list.
#[inline(always)]
pub unsafe fn list_len(list: u64) -> u64 {
    // SAFETY: a list has its length there.
    unsafe { *((list as *const u8).add(LENGTH_OFFSET).cast::<u64>()) }
}

/// # Safety
/// A live list longer than `index`.
#[inline(always)]
pub unsafe fn list_get(list: u64, index: u64) -> u64 {
    // SAFETY: the items begin there and the index is inside.
    unsafe { *((list as *const u8).add(ITEMS_OFFSET).cast::<u64>().add(index as usize)) }
}

/// The same record, held by nobody else.
pub fn fresh(value: u64) -> u64 {
    if is_unique(value) {
        return value;
    }
    let Some(of) = object_shape(value) else { return value };
    // SAFETY: selected for records and tuples only.
    let fields = unsafe { RecordRef::from_word(value) }.fields();
    for (at, field) in fields.iter().enumerate() {
        retain(*field, record::field_shape(of, at));
    }
    let copy = record::tuple(of, fields);
    release_counted(value);
    copy
}

/// # Safety
/// `fields` has the fields of the shape in `key`.
pub unsafe fn record(key: u64, fields: *const u64, count: u16) -> u64 {
    // SAFETY: the contract of this function.
    let fields = unsafe { std::slice::from_raw_parts(fields, usize::from(count)) };
    record::tuple(ShapeId(key as u32), fields)
}

/// # Safety
/// `fields` has the payload of the shape and tag in `key`.
pub unsafe fn variant(key: u64, fields: *const u64, count: u16) -> u64 {
    // SAFETY: the contract of this function.
    let fields = unsafe { std::slice::from_raw_parts(fields, usize::from(count)) };
    record::variant(ShapeId(key as u32), (key >> 32) as u32, fields)
}

/// # Safety
/// `captures` has as many words as the closure's shapes.
pub unsafe fn closure(of: &ClosureOf, captures: *const u64) -> u64 {
    // SAFETY: the contract of this function.
    let words = unsafe { std::slice::from_raw_parts(captures, of.captures.len()) };
    let captures: Vec<(u64, ShapeId)> =
        words.iter().copied().zip(of.captures.iter().copied()).collect();
    let made = FunctionBuf::new(of.shape, of.slot, &captures);
    match of.tied {
        Tied::Stays => made.tied().into_word(),
        Tied::Free => made.into_word(),
    }
}

/// A compiled entry with the way to call it.
#[derive(Clone, Copy)]
pub struct Machine {
    entry: *const u8,
    bridge: Bridge,
}

impl Machine {
    /// # Safety
    /// `args` has the arguments of the code this was made for, and `cx` is the running coroutine's context.
    #[inline(always)]
    pub unsafe fn call(self, cx: *mut Cx, args: *mut u64) -> Status {
        // SAFETY: the contract of this function; entry and bridge were published together.
        unsafe { (self.bridge)(cx, self.entry, args) }
    }
}

/// The compiled entry of some code, if the native stack has room for compiled code.
///
/// # Safety
/// `code` is live code, `cx` the running coroutine's context.
#[inline(always)]
pub unsafe fn machine(cx: *mut Cx, code: *const Code) -> Option<Machine> {
    // SAFETY: the contract of this function; a bridge is published before the entry.
    unsafe {
        let (entry, bridge) = (*code).tier.entry()?;
        let bridge = std::mem::transmute::<*const u8, Bridge>(bridge);
        (*cx).has_machine_room().then_some(Machine { entry, bridge })
    }
}

/// How many captures a function value has.
///
/// # Safety
/// A live function value.
pub unsafe fn capture_count(function: u64) -> usize {
    // SAFETY: the contract of this function.
    unsafe { FunctionRef::from_word(function) }.capture_shapes().len()
}

/// The code to run for a slot, if it is interpreted.
///
/// # Safety
/// `cx` is the running coroutine's context.
#[inline(always)]
pub unsafe fn target(cx: *mut Cx, slot: FnSlot) -> Option<*const Code> {
    // SAFETY: the contract of this function.
    let version = unsafe { (*cx).world.functions().current(slot) }?;
    if version.entry as usize != interp_entry as *const () as usize {
        return None;
    }
    let code = version.code.pointer().cast::<Code>();
    // SAFETY: the code of a version in force is live.
    let leave = unsafe { (*code).tier.is_compiled() && (*cx).has_machine_room() };
    (!leave).then_some(code)
}

/// # Safety
/// A live function value.
#[inline(always)]
pub unsafe fn function_slot(function: u64) -> FnSlot {
    // SAFETY: a function value has its slot there.
    FnSlot(unsafe { *((function as *const u8).add(SLOT_OFFSET).cast::<u32>()) })
}

/// Copies the captures of a function value, retained, to the callee's first registers; gives where the
/// arguments go.
///
/// # Safety
/// A live function value, and a frame of its code.
#[inline(always)]
pub unsafe fn captures_into(registers: *mut u64, function: u64) -> *mut u64 {
    // SAFETY: the contract of this function.
    unsafe {
        let function_ref = FunctionRef::from_word(function);
        let shapes = function_ref.capture_shapes();
        let words = (function as *const u8).add(CAPTURES_OFFSET).cast::<u64>();
        for (at, shape) in shapes.iter().enumerate() {
            let capture = *words.add(at);
            retain(capture, *shape);
            *registers.add(at) = capture;
        }
        registers.add(shapes.len())
    }
}

/// A call of a function that is not interpreted, or not there.
///
/// # Safety
/// `args` has the arguments, owned.
pub unsafe fn call_native(cx: *mut Cx, slot: FnSlot, args: *mut u64, count: u16) -> Status {
    // SAFETY: the contract of this function.
    unsafe {
        let version: Option<Arc<Version>> = (*cx).world.functions().current(slot).cloned();
        match version {
            Some(version) => (version.entry)(cx, version.code.pointer(), args),
            None => {
                let args = std::slice::from_raw_parts(args, usize::from(count));
                match (*cx).call_slot(slot, args) {
                    Ok(value) => {
                        (*cx).result = value;
                        OK
                    }
                    Err(_) => FAULT,
                }
            }
        }
    }
}

/// As [`call_native`], for a function value.
///
/// # Safety
/// As for [`call_native`]; `callee` is a live function value.
pub unsafe fn call_native_value(cx: *mut Cx, callee: u64, args: *mut u64, count: u16) -> Status {
    // SAFETY: the contract of this function.
    unsafe {
        let args = std::slice::from_raw_parts(args, usize::from(count));
        match (*cx).call(callee, args) {
            Ok(value) => {
                (*cx).result = value;
                OK
            }
            Err(_) => FAULT,
        }
    }
}

/// # Safety
/// `args` has a word for each of `shapes`, owned.
pub unsafe fn release_args(args: *const u64, shapes: &[ShapeId]) {
    for (at, shape) in shapes.iter().enumerate() {
        // SAFETY: the contract of this function.
        release(unsafe { *args.add(at) }, *shape);
    }
}

/// The stack has no room for a call: its arguments are given up.
///
/// # Safety
/// `args` has the arguments of the function in `slot`.
#[cold]
pub unsafe fn too_deep(cx: *mut Cx, slot: FnSlot, args: *const u64) -> Status {
    // SAFETY: the contract of this function.
    unsafe {
        if let Some(version) = (*cx).world.functions().current(slot) {
            release_args(args, &version.params);
        }
        (*cx).fail_depth()
    }
}

/// As [`too_deep`] for a function value, whose captures were not taken yet.
///
/// # Safety
/// As for [`too_deep`]; `callee` is a live function value.
#[cold]
pub unsafe fn too_deep_value(cx: *mut Cx, slot: FnSlot, callee: u64, args: *const u64) -> Status {
    // SAFETY: the contract of this function.
    unsafe {
        let captures = FunctionRef::from_word(callee).capture_shapes().len();
        if let Some(version) = (*cx).world.functions().current(slot) {
            release_args(args, version.params.get(captures..).unwrap_or(&[]));
        }
        (*cx).fail_depth()
    }
}

/// # Safety
/// `args` has the operands of the helper.
pub unsafe fn help(cx: *mut Cx, helper: &Helper, args: *const u64, count: u16) -> Status {
    // SAFETY: the contract of this function.
    let (cx, args) = unsafe { (&mut *cx, std::slice::from_raw_parts(args, usize::from(count))) };
    match help::run(cx, helper, args) {
        Ok(value) => {
            cx.result = value;
            OK
        }
        Err(_) => FAULT,
    }
}

/// The interpreter stands after a safepoint: whether compiled code of that loop should go on.
///
/// # Safety
/// `pc` stands after a safepoint of `code`, which an `Arc` holds; `cx` is the running coroutine's context.
#[cold]
#[inline(never)]
pub unsafe fn look(cx: *mut Cx, code: *const Code, pc: *const Instr) -> Option<*const u8> {
    // SAFETY: the contract of this function.
    unsafe {
        if !(*cx).has_machine_room() {
            return None;
        }
        Arc::increment_strong_count(code);
        let held = Arc::from_raw(code);
        let at = pc.offset_from(held.instrs.as_ptr()) as u32;
        tier::look(&held, at, &(*cx).world)
    }
}

/// The Fault of an arithmetic instruction with its values.
///
/// # Safety
/// `pc` stands after the instruction in `code`.
#[cold]
pub unsafe fn arithmetic(
    cx: *mut Cx,
    code_of: *const Code,
    pc: *const Instr,
    lhs: i64,
    rhs: i64,
) -> Status {
    // SAFETY: the contract of this function.
    let (cx, code_of, instr, index) = unsafe {
        let at = pc.sub(1);
        (&mut *cx, &*code_of, *at, at.offset_from((*code_of).instrs.as_ptr()) as u32)
    };
    let word = code_of.fault_point(index).map_or(Word::Int, |point| point.word);
    let (lhs_text, rhs_text) = (shown(word, lhs), shown(word, rhs));
    let sign = match instr.op {
        Opcode::Add | Opcode::AddI => "+",
        Opcode::Sub | Opcode::SubI => "-",
        Opcode::Mul | Opcode::MulI => "*",
        Opcode::Div => "/",
        Opcode::Rem => "%",
        _ => "",
    };
    let divides = matches!(instr.op, Opcode::Div | Opcode::Rem) && rhs == 0;
    let (code, message) = if divides {
        (code::DIVISION_BY_ZERO, format!("division by zero: {lhs_text} {sign} {rhs_text}"))
    } else if instr.op == Opcode::Neg {
        (code::OVERFLOW, format!("overflow: -({lhs_text})"))
    } else {
        (code::OVERFLOW, format!("overflow: {lhs_text} {sign} {rhs_text}"))
    };
    let data = serde_json::json!({ "lhs": lhs, "rhs": rhs });
    cx.raise(Box::new(Fault::new(code, message).with_data(data)))
}

fn shown(word: Word, value: i64) -> String {
    let shape = match word {
        Word::Money => ShapeId::MONEY,
        Word::Duration => ShapeId::DURATION,
        _ => ShapeId::INT,
    };
    ag_runtime::value::show::show(value as u64, shape)
}

/// # Safety
/// `cx` is the running coroutine's context.
#[cold]
pub unsafe fn unreachable_code(cx: *mut Cx) -> Status {
    // SAFETY: the contract of this function.
    unsafe { (*cx).fail(code::INTERNAL, "code ran that cannot be reached") }
}
