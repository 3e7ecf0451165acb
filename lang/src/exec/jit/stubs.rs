//! What compiled code calls: the slow and the rare, and what the interpreter has already.
//!
//! Addresses of these functions are constants of the code. Never: more than one step of a program.

use crate::exec::bytecode::{ClosureOf, Code, Instr};
use crate::exec::frame::{self, Position};
use crate::exec::helper::Helper;
use crate::exec::interp::{self, fault, step};
use ag_runtime::code::{FAULT, FnSlot, OK, Status};
use ag_runtime::context::Cx;
use ag_runtime::value::count::{release_counted, retain_counted};

/// Arguments of a call of a function value that need no allocation.
const FEW: usize = 16;

/// A call from compiled code that has no room: the interpreter runs it, which needs none, or faults.
pub unsafe extern "C" fn enter_slow(cx: *mut Cx, code: *const Code, args: *mut u64) -> Status {
    // SAFETY: compiled code passes its own context, code and arguments.
    unsafe { interp::interp_entry(cx, code.cast(), args) }
}

/// A frame for a Fault in a function whose depth is counted already.
pub unsafe extern "C" fn late_frame(cx: *mut Cx, words: u64) -> *mut u64 {
    // SAFETY: compiled code passes its own context; the caller of its function is native code.
    unsafe {
        let frame = (*cx).registers.enter_counted(words as usize);
        frame::set_native_caller(frame.add(frame::HEADER));
        frame
    }
}

/// Leaves a frame.
pub unsafe extern "C" fn leave(cx: *mut Cx, frame: *mut u64) {
    // SAFETY: compiled code passes its own context and its innermost frame.
    unsafe { (*cx).registers.leave(frame) };
}

/// The way out of a Fault. A `try` of the same frame goes on in the interpreter.
pub unsafe extern "C" fn fault(
    cx: *mut Cx,
    registers: *mut u64,
    pc: *const Instr,
    code: *const Code,
) -> Status {
    // SAFETY: compiled code has written back what the fault point names, into its own frame.
    unsafe {
        match fault::leave_frames(cx, Position { pc, registers, code }) {
            Some(handler) => interp::resume(cx, handler),
            None => FAULT,
        }
    }
}

pub unsafe extern "C" fn arithmetic(
    cx: *mut Cx,
    code: *const Code,
    pc: *const Instr,
    lhs: i64,
    rhs: i64,
) -> Status {
    // SAFETY: compiled code passes its own context, code and place.
    unsafe { step::arithmetic(cx, code, pc, lhs, rhs) }
}

pub unsafe extern "C" fn unreachable(cx: *mut Cx) -> Status {
    // SAFETY: compiled code passes its own context.
    unsafe { step::unreachable_code(cx) }
}

/// Leaves the status in `cx.result`: it is called in a way that gives no value back.
pub unsafe extern "C" fn safepoint(cx: *mut Cx) {
    // SAFETY: compiled code passes its own context.
    unsafe { (*cx).result = u64::from((*cx).safepoint_slow()) }
}

/// A call of a function that has no compiled entry.
pub unsafe extern "C" fn call(cx: *mut Cx, slot: u32, args: *mut u64, count: u16) -> Status {
    // SAFETY: compiled code passes the arguments that the slot's shapes say.
    unsafe { step::call_native(cx, FnSlot(slot), args, count) }
}

/// A call of a function value: its captures, retained, then the arguments.
pub unsafe extern "C" fn call_value(
    cx: *mut Cx,
    callee: u64,
    args: *const u64,
    count: u16,
) -> Status {
    // SAFETY: compiled code passes a live function value and the arguments of its shape.
    unsafe {
        let mut few = [0u64; FEW];
        let taken = step::capture_count(callee);
        if taken + usize::from(count) > FEW {
            return step::call_native_value(cx, callee, args.cast_mut(), count);
        }
        let rest = step::captures_into(few.as_mut_ptr(), callee);
        std::ptr::copy_nonoverlapping(args, rest, usize::from(count));
        let all = count + taken as u16;
        step::call_native(cx, step::function_slot(callee), few.as_mut_ptr(), all)
    }
}

pub unsafe extern "C" fn help(
    cx: *mut Cx,
    helper: *const Helper,
    args: *const u64,
    count: u16,
) -> Status {
    // SAFETY: compiled code passes a helper of its own tables and its operands.
    unsafe { step::help(cx, &*helper, args, count) }
}

pub unsafe extern "C" fn record(key: u64, fields: *const u64, count: u16) -> u64 {
    // SAFETY: compiled code passes the fields of the shape.
    unsafe { step::record(key, fields, count) }
}

pub unsafe extern "C" fn variant(key: u64, fields: *const u64, count: u16) -> u64 {
    // SAFETY: compiled code passes the payload of the shape and tag.
    unsafe { step::variant(key, fields, count) }
}

pub unsafe extern "C" fn closure(of: *const ClosureOf, captures: *const u64) -> u64 {
    // SAFETY: compiled code passes an entry of its own tables and its captures.
    unsafe { step::closure(&*of, captures) }
}

pub extern "C" fn fresh(value: u64) -> u64 {
    step::fresh(value)
}

pub extern "C" fn retain(value: u64) {
    retain_counted(value);
}

pub extern "C" fn release(value: u64) {
    release_counted(value);
}

pub extern "C" fn remainder(lhs: f64, rhs: f64) -> f64 {
    lhs % rhs
}

/// Goes on in compiled code of a loop with the frame at `registers`, which the interpreter entered; the frame is left when
/// this returns. Gives who called it, `None` for native code.
///
/// # Safety
/// `start` was compiled from the loop at which the innermost frame of `cx` stands; its registers are `registers`.
pub unsafe fn run_loop(
    cx: *mut Cx,
    registers: *mut u64,
    start: *const u8,
) -> (Status, Option<Position>) {
    // SAFETY: the contract of this function.
    unsafe {
        let caller = frame::caller(registers);
        frame::set_native_caller(registers);
        let status = super::memory::loop_entry(start)(cx, registers);
        (if status == OK { OK } else { FAULT }, caller)
    }
}
