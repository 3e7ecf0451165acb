//! The methods that values of tools have: asked where a tool stands for another that it provides.
//!
//! By the shape a value was made with, so a value of a tool that was defined anew keeps the methods it was made with. Never:
//! knows which tool provides which (the checker does).

use crate::code::FnSlot;
use crate::value::shape::ShapeId;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Provided {
    slots: RwLock<FxHashMap<ShapeId, FxHashMap<Arc<str>, FnSlot>>>,
}

impl Provided {
    /// The methods of all values of a shape, in the place of those it had.
    pub fn install(&self, of: ShapeId, methods: FxHashMap<Arc<str>, FnSlot>) {
        self.slots.write().insert(of, methods);
    }

    #[must_use]
    pub fn method(&self, of: ShapeId, name: &str) -> Option<FnSlot> {
        self.slots.read().get(&of)?.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Provided;
    use crate::code::FnSlot;
    use crate::value::shape::ShapeId;

    #[test]
    fn methods_are_those_of_the_shape() {
        let provided = Provided::default();
        provided.install(ShapeId::INT, [("m".into(), FnSlot(1))].into_iter().collect());
        provided.install(ShapeId::TEXT, [("m".into(), FnSlot(2))].into_iter().collect());
        assert_eq!(provided.method(ShapeId::INT, "m"), Some(FnSlot(1)));
        assert_eq!(provided.method(ShapeId::TEXT, "m"), Some(FnSlot(2)));
        provided.install(ShapeId::INT, [("n".into(), FnSlot(3))].into_iter().collect());
        assert_eq!(provided.method(ShapeId::INT, "m"), None);
        assert_eq!(provided.method(ShapeId::INT, "n"), Some(FnSlot(3)));
    }
}
