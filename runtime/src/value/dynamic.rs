//! Dyn: any value together with its shape.
//!
//! JSON null is a Unit and so is `None`, `Some(x)` is `x`; an array `List<Dyn>`, an object `Map<Text, Dyn>`; a value of the program keeps the shape it has.
//! Never: a Dyn directly inside a Dyn.

use crate::value::count::{release_counted, retain};
use crate::value::handle::handle;
use crate::value::heap::{self, Header};
use crate::value::owned::Owned;
use crate::value::record::into_payload;
use crate::value::shape::{ShapeId, option_of};

#[repr(C)]
struct DynObject {
    header: Header,
    inner: u64,
    value: u64,
}

handle!(
    /// A borrowed Dyn.
    DynRef, DynBuf
);

pub(super) const SIZE: usize = size_of::<DynObject>();

impl DynRef<'_> {
    /// The shape of what is inside.
    #[must_use]
    pub fn inner(self) -> ShapeId {
        // SAFETY: a handle is a live Dyn.
        ShapeId(unsafe { (*(self.word() as *const DynObject)).inner } as u32)
    }

    /// What is inside, borrowed.
    #[must_use]
    pub fn value(self) -> u64 {
        // SAFETY: a handle is a live Dyn.
        unsafe { (*(self.word() as *const DynObject)).value }
    }
}

impl DynBuf {
    /// Takes the value over.
    #[must_use]
    pub fn new(value: u64, of: ShapeId) -> Self {
        if of == ShapeId::DYN {
            // SAFETY: the word is a Dyn and its count is ours.
            return unsafe { Self::from_word(value) };
        }
        if let Some(inner) = option_of(of) {
            return match into_payload(value, of) {
                Some(value) => Self::new(value, inner),
                None => Self::new(0, ShapeId::UNIT),
            };
        }
        let object = heap::allocate(SIZE, ShapeId::DYN).cast::<DynObject>();
        // SAFETY: fresh memory of that size.
        unsafe {
            (*object).inner = u64::from(of.0);
            (*object).value = value;
            Self::from_word(object as u64)
        }
    }

    /// What was inside.
    #[must_use]
    pub fn into_inner(self) -> Owned {
        let (value, of) = (self.borrow().value(), self.borrow().inner());
        retain(value, of);
        release_counted(self.into_word());
        Owned::new(value, of)
    }
}
