//! Frames on a coroutine's register stack: the layout that every tier shares.
//!
//! ```text
//! frame -> [0] registers of the caller, 0 if native code called
//!          [1] the caller's call instruction
//!          [2] the caller's code
//!          [3 ..]                     registers: captures, parameters, the rest, two of scratch
//!          [3 + registers ..]         room for the longest operand list
//! ```
//! A frame never moves. The code it runs lives at least as long as the frame: replaced versions are kept by
//! the function table. Never: runs anything.
#![allow(clippy::indexing_slicing)]

use crate::exec::bytecode::{Code, Instr};
use ag_runtime::context::Cx;

/// Words before the registers.
pub const HEADER: usize = 3;

/// Where a running function is.
#[derive(Clone, Copy)]
pub struct Position {
    pub pc: *const Instr,
    pub registers: *mut u64,
    pub code: *const Code,
}

/// A frame for `code`; gives its registers, null if the stack is too deep.
///
/// # Safety
/// `cx` is the context of the running coroutine.
#[inline(always)]
pub unsafe fn enter(cx: *mut Cx, code: &Code) -> *mut u64 {
    let words = HEADER + (code.registers + code.arguments) as usize;
    // SAFETY: the caller says the context is valid; nothing else borrows it here.
    let frame = unsafe { (*cx).registers.enter(words) };
    if frame.is_null() { frame } else { frame.wrapping_add(HEADER) }
}

/// Notes who called.
///
/// # Safety
/// `registers` came from [`enter`] and its frame has not been left.
#[inline(always)]
pub unsafe fn set_caller(registers: *mut u64, caller: Position) {
    // SAFETY: the header lies directly before the registers.
    unsafe {
        *registers.sub(3) = caller.registers.expose_provenance() as u64;
        *registers.sub(2) = caller.pc.expose_provenance() as u64;
        *registers.sub(1) = caller.code.expose_provenance() as u64;
    }
}

/// Notes that native code called.
///
/// # Safety
/// As for [`set_caller`].
#[inline(always)]
pub unsafe fn set_native_caller(registers: *mut u64) {
    // SAFETY: the header lies directly before the registers.
    unsafe { *registers.sub(3) = 0 };
}

/// Leaves the frame; gives its caller, `None` for native code.
///
/// # Safety
/// `registers` belongs to the innermost frame of `cx`.
#[inline(always)]
pub unsafe fn leave(cx: *mut Cx, registers: *mut u64) -> Option<Position> {
    // SAFETY: the header lies directly before the registers, and was written when the frame was entered.
    unsafe {
        let caller = caller(registers);
        (*cx).registers.leave(registers.sub(HEADER));
        caller
    }
}

/// Who called, `None` for native code.
///
/// # Safety
/// `registers` came from [`enter`], its caller was noted and its frame has not been left.
#[inline(always)]
pub unsafe fn caller(registers: *mut u64) -> Option<Position> {
    // SAFETY: the header lies directly before the registers, and was written when the frame was entered.
    unsafe {
        let (caller, pc, code) = (*registers.sub(3), *registers.sub(2), *registers.sub(1));
        if caller == 0 {
            return None;
        }
        Some(Position {
            registers: std::ptr::with_exposed_provenance_mut(caller as usize),
            pc: std::ptr::with_exposed_provenance(pc as usize),
            code: std::ptr::with_exposed_provenance(code as usize),
        })
    }
}
