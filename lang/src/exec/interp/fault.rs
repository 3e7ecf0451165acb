//! The way out of frames on a Fault: release what each holds, note where it was, stop at a `try`.
//!
//! Never: fails, runs `.ag` code.
#![allow(clippy::indexing_slicing)]

use crate::exec::bytecode::{Code, FaultPoint};
use crate::exec::frame::{self, Position};
use ag_runtime::context::Cx;
use ag_runtime::fault::{Frame, Site};
use ag_runtime::value::count::release_counted;

/// A Fault through very deep recursion names the innermost callers only.
const LONGEST_CHAIN: usize = 64;

/// Leaves frames until one catches; gives where to go on, `None` when native code called.
///
/// # Safety
/// `here` is the innermost frame of `cx`; `here.pc` stands after the instruction that faulted.
#[cold]
#[inline(never)]
pub unsafe fn leave_frames(cx: *mut Cx, here: Position) -> Option<Position> {
    // SAFETY: frames are well formed up to the one that native code called; code outlives its frames.
    unsafe {
        let catchable = !(*cx).is_cancelled() || (*cx).is_only_block_over();
        let mut at = Position { pc: here.pc.sub(1), ..here };
        loop {
            let code = &*at.code;
            let index = at.pc.offset_from(code.instrs.as_ptr()) as u32;
            if let Some(point) = code.fault_point(index) {
                note(&mut *cx, code, point);
                for register in code.cleanup(point) {
                    release_counted(*at.registers.add(usize::from(*register)));
                }
                if let (true, Some(handler)) = (catchable, point.handler) {
                    let pc = code.instrs.as_ptr().add(handler as usize);
                    return Some(Position { pc, ..at });
                }
                for register in code.kept(point) {
                    release_counted(*at.registers.add(usize::from(*register)));
                }
            }
            at = frame::leave(cx, at.registers)?;
        }
    }
}

fn note(cx: &mut Cx, code: &Code, point: &FaultPoint) {
    let Some(fault) = &mut cx.fault else { return };
    let site = Site { origin: code.origin, start: point.start, end: point.end };
    if fault.at.is_none() {
        fault.at = Some(site);
    }
    if fault.chain.len() < LONGEST_CHAIN {
        fault.chain.push(Frame { function: code.name.clone(), site });
    }
}
