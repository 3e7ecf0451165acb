//! Methods of tools asked through a tool that is provided (L-61): what runs is the method of the value at hand.
//!
//! A value knows by its header which tool it was made as. Never: passes the gate of the tool it is asked through; the method
//! that runs has a gate of its own, which knows both names.

use crate::exec::interp::step;
use crate::types::ty::Name;
use ag_runtime::code::{CodeHandle, Status, Version};
use ag_runtime::context::Cx;
use ag_runtime::fault::code;
use ag_runtime::value::count::object_shape;
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

struct Required {
    method: Name,
    params: Box<[ShapeId]>,
}

/// What a method without a body calls: the same method of the value.
pub fn version(name: Name, of: &Version, method: Name) -> Version {
    let params = of.params.clone();
    let required = Required { method, params: params.clone() };
    Version {
        name,
        origin: of.origin,
        entry: provided_entry,
        code: CodeHandle::new(Arc::new(required)),
        params,
        result: of.result,
        captures: 0,
    }
}

/// The method that a tool value brings along.
///
/// # Safety
/// `cx` is the context of the running coroutine; `receiver` is a live tool value.
pub unsafe fn method_of<'c>(
    cx: *mut Cx,
    receiver: u64,
    method: &str,
) -> Option<(&'c Arc<Version>, ShapeId)> {
    let of = object_shape(receiver)?;
    // SAFETY: the caller's promise; a version lives as long as the coroutines that began before it was replaced.
    let world = unsafe { &*Arc::as_ptr(&(*cx).world) };
    let slot = world.provided().method(of, method)?;
    Some((world.functions().current(slot)?, of))
}

/// # Safety
/// As `ag_runtime::code::Entry`; `body` is a [`Required`].
unsafe extern "C" fn provided_entry(cx: *mut Cx, body: *const u8, args: *mut u64) -> Status {
    // SAFETY: the contract of an entry; the first parameter of a method is its tool.
    unsafe {
        let required = &*body.cast::<Required>();
        if let Some((version, _)) = method_of(cx, *args, &required.method)
            && version.code.pointer() != body
        {
            return (version.entry)(cx, version.code.pointer(), args);
        }
        let message = format!("the tool has no `{}` any more", required.method);
        step::release_args(args, &required.params);
        (*cx).fail(code::BROKEN_DEFINITION, message)
    }
}
