//! Lists and Vectors: a length, a capacity and one word an element behind the header.
//!
//! What changes a list consumes it: in place when held alone, on a copy otherwise. A Vector has the same layout with
//! f64 elements. Never: an element of another shape than the list's own.

use crate::value::count::{is_alone, release_counted, retain_counted, share_into};
use crate::value::handle::handle;
use crate::value::heap::{self, Header};
use crate::value::shape::{Shape, ShapeId, shape};
use std::{ptr, slice};

#[repr(C)]
struct ListObject {
    header: Header,
    length: usize,
    capacity: usize,
}

handle!(
    /// A borrowed List or Vector.
    ListRef, ListBuf
);

const BASE: usize = size_of::<ListObject>();

/// Where compiled code finds the parts of a list.
pub const LENGTH_OFFSET: usize = 8;
pub const ITEMS_OFFSET: usize = BASE;

const fn bytes_for(capacity: usize) -> usize {
    BASE + capacity * size_of::<u64>()
}

/// # Safety
/// A live List or Vector.
pub(super) unsafe fn size(word: u64) -> usize {
    // SAFETY: the caller's promise.
    bytes_for(unsafe { (*(word as *const ListObject)).capacity })
}

impl<'a> ListRef<'a> {
    #[must_use]
    pub fn len(self) -> usize {
        // SAFETY: a handle is a live list for its lifetime.
        unsafe { (*(self.word() as *const ListObject)).length }
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Elements it has room for.
    #[must_use]
    pub fn capacity(self) -> usize {
        // SAFETY: as `len`.
        unsafe { (*(self.word() as *const ListObject)).capacity }
    }

    #[must_use]
    pub fn items(self) -> &'a [u64] {
        // SAFETY: the first `length` words behind the object are initialised and do not change while borrowed.
        unsafe { slice::from_raw_parts((self.word() as *const u8).add(BASE).cast(), self.len()) }
    }

    /// The elements of a Vector.
    #[must_use]
    pub fn floats(self) -> &'a [f64] {
        let items = self.items();
        // SAFETY: u64 and f64 have the same size and alignment, and every bit pattern is an f64.
        unsafe { slice::from_raw_parts(items.as_ptr().cast(), items.len()) }
    }

    #[must_use]
    pub fn get(self, index: usize) -> Option<u64> {
        self.items().get(index).copied()
    }

    /// The shape of its elements.
    #[must_use]
    pub fn element(self) -> ShapeId {
        match shape(self.shape()) {
            Shape::List(element) => *element,
            _ => ShapeId::FLOAT,
        }
    }
}

impl ListBuf {
    /// An empty list; `list` is the shape of the list itself (or `VECTOR`).
    #[must_use]
    pub fn with_capacity(list: ShapeId, capacity: usize) -> Self {
        let object = heap::allocate(bytes_for(capacity), list).cast::<ListObject>();
        // SAFETY: fresh memory of that size.
        unsafe {
            (*object).length = 0;
            (*object).capacity = capacity;
            Self::from_word(object as u64)
        }
    }

    /// Takes the elements over.
    #[must_use]
    pub fn from_items(list: ShapeId, items: &[u64]) -> Self {
        let mut made = Self::with_capacity(list, items.len());
        made.extend(items);
        made
    }

    #[must_use]
    pub fn vector(items: &[f64]) -> Self {
        let mut made = Self::with_capacity(ShapeId::VECTOR, items.len());
        for item in items {
            made.append(item.to_bits());
        }
        made
    }

    /// Held by the caller alone: itself, or a copy whose elements have one more holder.
    #[must_use]
    pub fn unique(self) -> Self {
        self.unique_with(0)
    }

    fn unique_with(self, spare: usize) -> Self {
        if is_alone(self.word) {
            return self;
        }
        let source = self.borrow();
        let mut copy = Self::with_capacity(source.shape(), source.len() + spare);
        if !source.element().is_scalar() {
            source.items().iter().copied().for_each(retain_counted);
        }
        copy.extend(source.items());
        copy
    }

    fn object(&mut self) -> &mut ListObject {
        debug_assert!(is_alone(self.word), "a list is changed while others hold it");
        // SAFETY: held alone (checked above in debug builds; every caller made it so) and `&mut self`.
        unsafe { &mut *(self.word as *mut ListObject) }
    }

    /// The elements, to be changed in place. The list must be held alone.
    pub fn items_mut(&mut self) -> &mut [u64] {
        let length = self.object().length;
        // SAFETY: as `items`; held alone, and `&mut self` for as long as the slice lives.
        unsafe { slice::from_raw_parts_mut((self.word as *mut u8).add(BASE).cast(), length) }
    }

    /// Makes room for `more` elements. The list must be held alone.
    pub fn reserve(&mut self, more: usize) {
        let object = self.object();
        let (length, capacity) = (object.length, object.capacity);
        if length + more <= capacity {
            return;
        }
        let target = (length + more).max(capacity * 2).max(4);
        // SAFETY: held alone; the capacity says what it was allocated with.
        unsafe {
            let moved =
                heap::reallocate(self.word as *mut Header, bytes_for(capacity), bytes_for(target));
            self.word = moved as u64;
        }
        self.object().capacity = target;
    }

    /// Adds an element, taking it over. The list must be held alone.
    pub fn append(&mut self, item: u64) {
        self.extend(&[item]);
    }

    /// Adds elements, taking them over. The list must be held alone.
    pub fn extend(&mut self, items: &[u64]) {
        self.reserve(items.len());
        let length = self.object().length;
        // SAFETY: `reserve` made room behind the length; `items` is not in this list, which is borrowed mutably.
        unsafe {
            let end = (self.word as *mut u8).add(BASE).cast::<u64>().add(length);
            ptr::copy_nonoverlapping(items.as_ptr(), end, items.len());
        }
        self.object().length = length + items.len();
        let element = self.borrow().element();
        if !element.is_scalar() {
            items.iter().for_each(|&item| share_into(self.word, item, element));
        }
    }

    /// The list with one more element, which it takes over.
    #[must_use]
    pub fn push(self, item: u64) -> Self {
        let mut list = self.unique_with(1);
        list.append(item);
        list
    }

    /// The list without the elements from `length` on.
    #[must_use]
    pub fn truncate(self, length: usize) -> Self {
        if length >= self.borrow().len() {
            return self;
        }
        let mut list = self.unique();
        let counted = !list.borrow().element().is_scalar();
        while list.borrow().len() > length {
            let object = list.object();
            object.length -= 1;
            let at = object.length;
            // SAFETY: the word behind the new length is initialised; it is given up here and not read again.
            let item = unsafe { *(list.word as *const u8).add(BASE).cast::<u64>().add(at) };
            if counted {
                release_counted(item);
            }
        }
        list
    }

    /// The list with another element at an index within it; takes the element over.
    #[must_use]
    pub fn set(self, index: usize, item: u64) -> Self {
        let mut list = self.unique();
        let counted = !list.borrow().element().is_scalar();
        share_into(list.word, item, list.borrow().element());
        if let Some(slot) = list.items_mut().get_mut(index) {
            let old = std::mem::replace(slot, item);
            if counted {
                release_counted(old);
            }
        }
        list
    }

    /// The list with an element put in before `index` (at most its length); takes the element over.
    #[must_use]
    pub fn insert(self, index: usize, item: u64) -> Self {
        let mut list = self.unique_with(1);
        list.append(item);
        if let Some(tail) = list.items_mut().get_mut(index..) {
            tail.rotate_right(1);
        }
        list
    }

    /// The list without the element at an index within it.
    #[must_use]
    pub fn remove(self, index: usize) -> Self {
        let mut list = self.unique();
        if let Some(tail) = list.items_mut().get_mut(index..) {
            tail.rotate_left(1);
        }
        let length = list.borrow().len();
        list.truncate(length.saturating_sub(1))
    }
}
