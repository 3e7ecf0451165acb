//! The interpreter: runs bytecode on the register stack of a coroutine.
//!
//! Calls between `.ag` functions push frames and do not recurse in Rust. A Fault is a status: the way out
//! releases what each frame holds by its fault table. One table of operations (`ops`) makes the loop, so
//! that another kind of loop can be made from the same table. Never: unwinds, allocates for a call.
#![allow(clippy::indexing_slicing)]
// "Not less" is what those jumps mean: it differs from "greater or equal" on NaN.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

pub mod broken;
pub mod fault;
pub mod gate;
pub mod help;
pub mod ops;
pub mod provide;
pub mod reclaim;
pub mod step;

use crate::exec::bytecode::{Code, Instr, OPERANDS_PER_WORD, Opcode};
use crate::exec::frame::{self, Position};
use crate::exec::interp::fault as unwind;
use crate::exec::interp::ops::{checked, float, get, int, operations, raise, set, short, small};
use crate::exec::jit::stubs;
use crate::exec::tier;
use ag_runtime::code::{FAULT, OK, Status};
use ag_runtime::context::Cx;

/// What the function table calls for interpreted code: owns `args`, leaves an owned value in `cx.result`.
///
/// # Safety
/// `code` is a [`Code`], `cx` the context of the running coroutine, `args` has a word for each parameter.
pub unsafe extern "C" fn interp_entry(cx: *mut Cx, code: *const u8, args: *mut u64) -> Status {
    let code = code.cast::<Code>();
    // SAFETY: the contract of this function.
    unsafe {
        if let Some(machine) = step::machine(cx, code) {
            return machine.call(cx, args);
        }
        let registers = frame::enter(cx, &*code);
        if registers.is_null() {
            step::release_args(args, &(*code).params);
            return (*cx).fail_depth();
        }
        frame::set_native_caller(registers);
        let params = &(*code).params;
        std::ptr::copy_nonoverlapping(args, registers, params.len());
        run(cx, Position { pc: (*code).instrs.as_ptr(), registers, code })
    }
}

/// Goes on at the handler of a `try` in the innermost frame, which native code entered; the frame is left at the end.
///
/// # Safety
/// `at` is in the innermost frame of `cx`, and its registers hold what is live there.
pub unsafe fn resume(cx: *mut Cx, at: Position) -> Status {
    // SAFETY: the contract of this function.
    unsafe { run(cx, at) }
}

/// Words of an operand list.
#[inline(always)]
pub fn operand_words(count: u16) -> usize {
    usize::from(count).div_ceil(OPERANDS_PER_WORD)
}

macro_rules! match_loop {
    ($pc:ident $r:ident $code:ident $cx:ident $x:ident; $($op:ident => $body:block)*) => {
        /// # Safety
        /// `start` is in the innermost frame of `cx`, whose registers hold what is live there.
        unsafe fn run($cx: *mut Cx, start: Position) -> Status {
            let Position { pc: mut $pc, registers: mut $r, code: mut $code } = start;
            loop {
                // SAFETY: `pc` stays inside the code: every path ends in a return or jump, and jumps are patched to
                // block starts. Registers are numbered below the frame's size. Operands have the shapes the
                // instruction was selected for.
                unsafe {
                    let $x: Instr = *$pc;
                    $pc = $pc.add(1);
                    match $x.op {
                        $(Opcode::$op => $body)*
                    }
                }
            }
        }
    };
}

operations!(match_loop);
