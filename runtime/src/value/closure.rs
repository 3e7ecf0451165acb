//! Function values: a slot of the function table and what was captured, with the shape of each capture.
//!
//! Never: calls anything (`cx.call` does).

use crate::code::FnSlot;
use crate::value::handle::handle;
use crate::value::heap::{self, Header};
use crate::value::shape::ShapeId;
use std::{ptr, slice};

#[repr(C)]
struct FunctionObject {
    header: Header,
    slot: u32,
    captures: u32,
}

handle!(
    /// A borrowed function value.
    FunctionRef, FunctionBuf
);

const BASE: usize = size_of::<FunctionObject>();

/// Where compiled code finds the slot and the captures.
pub const SLOT_OFFSET: usize = 8;
pub const CAPTURES_OFFSET: usize = BASE;

const fn bytes_for(captures: usize) -> usize {
    BASE + captures * (size_of::<u64>() + size_of::<ShapeId>())
}

/// # Safety
/// A live function value.
pub(super) unsafe fn size(word: u64) -> usize {
    // SAFETY: the caller's promise.
    bytes_for(unsafe { (*(word as *const FunctionObject)).captures } as usize)
}

impl<'a> FunctionRef<'a> {
    fn object(self) -> &'a FunctionObject {
        // SAFETY: a handle is a live function value for its lifetime.
        unsafe { &*(self.word() as *const FunctionObject) }
    }

    #[must_use]
    pub fn slot(self) -> FnSlot {
        FnSlot(self.object().slot)
    }

    /// The captured words, borrowed; a call passes them first (retained).
    #[must_use]
    pub fn captures(self) -> &'a [u64] {
        // SAFETY: `captures` words were written behind the object when it was made.
        unsafe {
            let first = (self.word() as *const u8).add(BASE).cast();
            slice::from_raw_parts(first, self.object().captures as usize)
        }
    }

    #[must_use]
    pub fn capture_shapes(self) -> &'a [ShapeId] {
        let count = self.object().captures as usize;
        // SAFETY: as many shapes stand behind the words.
        unsafe {
            let first = (self.word() as *const u8).add(BASE + count * size_of::<u64>()).cast();
            slice::from_raw_parts(first, count)
        }
    }

    pub(super) fn children(self, visit: &mut dyn FnMut(u64)) {
        for (&word, of) in self.captures().iter().zip(self.capture_shapes()) {
            if !of.is_scalar() {
                visit(word);
            }
        }
    }
}

impl FunctionBuf {
    /// Takes the captured words over. `of` is the function's shape.
    #[must_use]
    pub fn new(of: ShapeId, slot: FnSlot, captures: &[(u64, ShapeId)]) -> Self {
        let object = heap::allocate(bytes_for(captures.len()), of).cast::<FunctionObject>();
        // SAFETY: fresh memory of that size.
        unsafe {
            ptr::addr_of_mut!((*object).slot).write(slot.0);
            ptr::addr_of_mut!((*object).captures).write(captures.len() as u32);
            let words = object.cast::<u8>().add(BASE).cast::<u64>();
            let shapes = words.add(captures.len()).cast::<ShapeId>();
            for (at, &(word, shape)) in captures.iter().enumerate() {
                words.add(at).write(word);
                shapes.add(at).write(shape);
            }
            Self::from_word(object as u64)
        }
    }
}
