//! Handles to things of the runtime (Futures, channels, Threads): an `Arc` behind a header.
//!
//! Never: looked into by generic code; two are equal when they are the same thing.

use crate::value::heap::{self, Header};
use crate::value::shape::ShapeId;
use std::any::Any;
use std::ptr;
use std::sync::Arc;

type Payload = Arc<dyn Any + Send + Sync>;

#[repr(C)]
struct NativeObject {
    header: Header,
    payload: Payload,
}

/// A value of a Future, Channel or Opaque shape that holds `payload`.
#[must_use]
pub fn native<T: Any + Send + Sync>(of: ShapeId, payload: Arc<T>) -> u64 {
    let object = heap::allocate(size_of::<NativeObject>(), of).cast::<NativeObject>();
    // SAFETY: fresh memory of that size.
    unsafe { (&raw mut (*object).payload).write(payload) };
    object as u64
}

/// The thing behind a handle, if it is a `T`.
#[must_use]
pub fn payload<T: Any + Send + Sync>(word: u64) -> Option<Arc<T>> {
    if word == 0 || word & 1 == 1 {
        return None;
    }
    // SAFETY: words of Future, Channel and Opaque shapes that are not Texts are made by `native` only.
    let payload = unsafe { &(*(word as *const NativeObject)).payload };
    payload.clone().downcast().ok()
}

/// # Safety
/// A dead native object. Gives the size of the object itself.
pub(super) unsafe fn free_body(word: u64) -> usize {
    // SAFETY: the caller's promise; the payload is dropped once.
    unsafe { ptr::drop_in_place(&raw mut (*(word as *mut NativeObject)).payload) };
    size_of::<NativeObject>()
}

/// Whether two handles mean the same thing.
#[must_use]
pub fn same(a: u64, b: u64) -> bool {
    // SAFETY: as in `payload`.
    let address = |word: u64| unsafe { Arc::as_ptr(&(*(word as *const NativeObject)).payload) };
    a == b || ptr::addr_eq(address(a), address(b))
}
