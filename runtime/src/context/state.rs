//! The fields of the agent whose message this coroutine handles: parameters, ports, state, by index.
//!
//! Never: loses what a field held before the message: the first change of each is noted in the undo log (L-72), which the
//! end of the message commits or rolls back. A message pays for what it changes.

use crate::actor::reference::AgentRef;
use crate::context::Cx;
use crate::value::count::retain;
use crate::value::shape::ShapeId;

impl Cx {
    /// A field, borrowed: valid until it is set. Outside an agent it is 0.
    #[inline]
    #[must_use]
    pub fn field(&self, index: u32) -> u64 {
        self.instance.as_ref().and_then(|instance| instance.field(index)).unwrap_or(0)
    }

    /// A field with one more holder.
    #[must_use]
    pub fn field_owned(&self, index: u32) -> u64 {
        let value = self.field(index);
        retain(value, self.field_shape(index));
        value
    }

    /// Sets a field; takes the value over.
    pub fn set_field(&mut self, index: u32, value: u64) {
        if let Some(instance) = &mut self.instance {
            instance.set_field(index, value);
        }
        self.let_go();
    }

    /// Takes a field out, to change it in place if nobody else holds it, and put it back with `set_field`. The first time in
    /// a message the undo log holds it too, so the change copies; after that it does not.
    #[must_use]
    pub fn take_field(&mut self, index: u32) -> u64 {
        self.hold();
        self.instance.as_mut().map_or(0, |instance| instance.take_field(index))
    }

    #[must_use]
    pub fn field_shape(&self, index: u32) -> ShapeId {
        self.instance.as_ref().map_or(ShapeId::UNIT, |instance| instance.field_shape(index))
    }

    /// The agent whose message this is, as `self`.
    #[must_use]
    pub fn self_ref(&self) -> Option<AgentRef> {
        self.serving.agent
    }
}
