//! Tools that provide others, as the runtime is told of them: which function a method of a value is (L-61).
//!
//! Never: checks that a provider has what it owes.

use crate::engine::Context;
use crate::engine::names::Names;
use crate::hir::{Definitions, FunctionKey};
use crate::types::ty::Name;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::world::World;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

#[derive(Default)]
pub struct Provided {
    /// Methods without a body.
    required: FxHashSet<FunctionKey>,
    /// The methods of each tool, as it is defined now.
    methods: FxHashMap<ShapeId, Vec<(Name, FunctionKey)>>,
}

impl Provided {
    pub fn define(&mut self, definitions: &Definitions, cx: Context<'_>) {
        for function in &definitions.functions {
            self.required.remove(&function.key);
        }
        let required = definitions.gates.iter().filter(|gate| gate.is_required);
        self.required.extend(required.map(|gate| gate.key.clone()));
        for provided in &definitions.provided {
            self.methods.insert((cx.shapes)(&provided.ty), provided.methods.clone());
        }
    }

    pub fn is_required(&self, method: &FunctionKey) -> bool {
        self.required.contains(method)
    }

    /// All tools anew, because the slot of a method changes with its signature, whoever defined it.
    pub fn publish(&self, world: &World, names: &mut Names) {
        for (of, methods) in &self.methods {
            let slots = methods.iter().map(|(name, key)| {
                let slot = names.slot(world.functions(), key);
                (Arc::clone(name), slot)
            });
            world.provided().install(*of, slots.collect());
        }
    }
}
