//! Wakes a coroutine, or a thread that waits outside one.
//!
//! Never: carries a value or tells why. Waking is a hint: everything that waits looks again at what it waits for, so a
//! waker may be used late, twice or for nothing.

use crate::sched::control::Control;
use std::sync::Arc;

#[derive(Clone)]
pub struct Waker(Arc<Control>);

impl Waker {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self(control)
    }

    pub fn wake(&self) {
        Control::wake(&self.0);
    }

    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
