//! Functions that no longer check: a version whose call is R0901.
//!
//! Never: touches the versions that frames still run.

use crate::exec::interp::step;
use ag_runtime::code::{CodeHandle, FnSlot, FunctionTable, Status, Version};
use ag_runtime::context::Cx;
use ag_runtime::fault::code;
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

struct Broken {
    message: String,
    params: Box<[ShapeId]>,
}

/// Puts a broken version in the place of the one in force.
pub fn install(table: &FunctionTable, slot: FnSlot, why: &str) {
    let Some(current) = table.current(slot).cloned() else { return };
    let message = format!("`{}` does not check any more: {why}", current.name);
    let broken = Broken { message, params: current.params.clone() };
    let version = Version {
        name: Arc::clone(&current.name),
        origin: current.origin,
        entry: broken_entry,
        code: CodeHandle::new(Arc::new(broken)),
        params: current.params.clone(),
        result: current.result,
        captures: current.captures,
    };
    table.install(slot, version);
}

/// Gives its arguments up and faults.
///
/// # Safety
/// As `ag_runtime::code::Entry`; `body` is a [`Broken`].
unsafe extern "C" fn broken_entry(cx: *mut Cx, body: *const u8, args: *mut u64) -> Status {
    // SAFETY: the contract of an entry.
    unsafe {
        let broken = &*body.cast::<Broken>();
        step::release_args(args, &broken.params);
        (*cx).fail(code::BROKEN_DEFINITION, broken.message.clone())
    }
}
