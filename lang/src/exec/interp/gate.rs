//! Methods of tools: a version whose call first asks the policies whether it may happen (L-92).
//!
//! The gate stands before the code, so every call passes it, whoever makes it: code, a function value, a model. Never:
//! begins a method that was denied or refused.

use crate::exec::bytecode::Code;
use crate::exec::interp::{interp_entry, provide, step};
use crate::types::infer::member::short;
use crate::types::ty::Name;
use ag_runtime::code::{CodeHandle, FAULT, Status, Version};
use ag_runtime::context::Cx;
use ag_runtime::policy::Gate;
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

struct Gated {
    gate: Arc<Gate>,
    code: Arc<Code>,
    params: Box<[ShapeId]>,
    method: Name,
}

/// Puts the gate before the version.
pub fn before(version: Version, code: Arc<Code>, gate: Arc<Gate>) -> Version {
    let params = version.params.clone();
    let method = short(&version.name).into();
    let gated = Gated { gate, code, params, method };
    Version { entry: gate_entry, code: CodeHandle::new(Arc::new(gated)), ..version }
}

/// The code of a version, behind its gate if it has one.
pub fn behind(handle: &CodeHandle) -> Option<Arc<Code>> {
    let gated = || handle.get::<Gated>().map(|gated| Arc::clone(&gated.code));
    handle.share::<Code>().or_else(gated)
}

/// # Safety
/// As `ag_runtime::code::Entry`; `body` is a [`Gated`].
unsafe extern "C" fn gate_entry(cx: *mut Cx, body: *const u8, args: *mut u64) -> Status {
    // SAFETY: the contract of an entry.
    unsafe {
        let gated = &*body.cast::<Gated>();
        let code = Arc::as_ptr(&gated.code).cast::<u8>();
        // A value of another tool, which provides this one, brings its own method and gate (L-61).
        if let Some((version, of)) = provide::method_of(cx, *args, &gated.method)
            && gated.params.first() != Some(&of)
            && version.code.pointer() != body
        {
            return (version.entry)(cx, version.code.pointer(), args);
        }
        if (*cx).is_open(&gated.gate) {
            return interp_entry(cx, code, args);
        }
        // Conditions are calls and use the registers where the arguments stand.
        let mut own = std::slice::from_raw_parts(args, gated.params.len()).to_vec();
        match (*cx).pass(&gated.gate, &own, &gated.params) {
            Ok(()) => interp_entry(cx, code, own.as_mut_ptr()),
            Err(_) => {
                step::release_args(own.as_ptr(), &gated.params);
                FAULT
            }
        }
    }
}
