//! A counted value with its shape, for Rust code that keeps values.

use crate::value::count::{Stays, release, retain, share, share_whole};
use crate::value::equal::equal;
use crate::value::shape::ShapeId;
use crate::value::show;
use std::fmt;

/// Holds one count. Before it is cloned or dropped on another thread than the one that made the value,
/// [`Owned::share`] (or [`Owned::share_whole`]) must have been called.
pub struct Owned {
    value: u64,
    shape: ShapeId,
}

impl Owned {
    pub const UNIT: Self = Self { value: 0, shape: ShapeId::UNIT };

    /// Takes over one count of the value.
    #[must_use]
    pub fn new(value: u64, shape: ShapeId) -> Self {
        Self { value, shape }
    }

    /// One more holder of a borrowed value.
    #[must_use]
    pub fn retained(value: u64, shape: ShapeId) -> Self {
        retain(value, shape);
        Self { value, shape }
    }

    #[must_use]
    pub fn value(&self) -> u64 {
        self.value
    }

    #[must_use]
    pub fn shape(&self) -> ShapeId {
        self.shape
    }

    /// Hands the count on.
    #[must_use]
    pub fn into_word(self) -> u64 {
        let value = self.value;
        std::mem::forget(self);
        value
    }

    /// Ready to be handed to another coroutine, which becomes its only user.
    pub fn share(self) -> Result<Self, Stays> {
        share(self.value, self.shape).map(|()| self)
    }

    /// Ready to be read by any coroutine.
    pub fn share_whole(self) -> Result<Self, Stays> {
        share_whole(self.value, self.shape).map(|()| self)
    }

    #[must_use]
    pub fn show(&self) -> String {
        show::show(self.value, self.shape)
    }
}

impl Clone for Owned {
    fn clone(&self) -> Self {
        Self::retained(self.value, self.shape)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        release(self.value, self.shape);
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show::quoted(self.value, self.shape))
    }
}

impl PartialEq for Owned {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && equal(self.value, other.value, self.shape)
    }
}
