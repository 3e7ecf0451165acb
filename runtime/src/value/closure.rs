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
    /// How many, and [`TIED`].
    captures: u32,
}

/// The function uses variables of the code that made it, or its agent: it never leaves that coroutine.
const TIED: u32 = 1 << 31;

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
    bytes_for((unsafe { (*(word as *const FunctionObject)).captures } & !TIED) as usize)
}

impl<'a> FunctionRef<'a> {
    fn object(self) -> &'a FunctionObject {
        // SAFETY: a handle is a live function value for its lifetime.
        unsafe { &*(self.word() as *const FunctionObject) }
    }

    fn count(self) -> usize {
        (self.object().captures & !TIED) as usize
    }

    /// Whether it must not be handed to another coroutine.
    #[must_use]
    pub fn is_tied(self) -> bool {
        self.object().captures & TIED != 0
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
            slice::from_raw_parts(first, self.count())
        }
    }

    #[must_use]
    pub fn capture_shapes(self) -> &'a [ShapeId] {
        let count = self.count();
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

    /// The same, bound to the coroutine that made it.
    #[must_use]
    pub fn tied(self) -> Self {
        let object = self.borrow().word() as *mut FunctionObject;
        // SAFETY: a live function value that was just made: its one holder is here.
        unsafe { ptr::addr_of_mut!((*object).captures).write((*object).captures | TIED) };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{FnSlot, FunctionBuf};
    use crate::value::count::{share, share_whole};
    use crate::value::list::ListBuf;
    use crate::value::shape::ShapeId;

    /// It is refused wherever it is hidden, again and again: a refusal marks nothing that would hide it from the next.
    #[test]
    fn what_must_stay_is_not_shared_however_deep_it_is() {
        let of = ShapeId::function(&[], ShapeId::INT);
        let plain = || FunctionBuf::new(of, FnSlot(0), &[]).into_word();
        let tied = || FunctionBuf::new(of, FnSlot(0), &[]).tied().into_word();
        let around = |inner: u64| FunctionBuf::new(of, FnSlot(0), &[(inner, of)]).into_word();
        for (inside, stays) in [(plain(), false), (tied(), true), (around(tied()), true)] {
            let list = ListBuf::from_items(ShapeId::list(of), &[inside, plain()]).into_owned();
            let kept = list.clone();
            for _ in 0..2 {
                assert_eq!(share(list.value(), list.shape()).is_err(), stays);
                assert_eq!(share_whole(list.value(), list.shape()).is_err(), stays);
            }
            drop(kept);
            assert_eq!(list.share_whole().is_err(), stays);
        }
    }

    /// A shared list does not hide what was put into it.
    #[test]
    fn what_must_stay_is_found_in_a_list_that_was_shared_before() {
        let of = ShapeId::function(&[], ShapeId::INT);
        let lists = ShapeId::list(of);
        for set in [false, true] {
            let plain = FunctionBuf::new(of, FnSlot(0), &[]).into_word();
            let list = ListBuf::from_items(lists, &[plain]);
            assert_eq!(share_whole(list.borrow().word(), lists), Ok(()));
            let tied = FunctionBuf::new(of, FnSlot(0), &[]).tied().into_word();
            let list = if set { list.set(0, tied) } else { list.push(tied) };
            let outer = ListBuf::from_items(ShapeId::list(lists), &[list.into_word()]);
            assert!(outer.into_owned().share_whole().is_err());
        }
    }
}
