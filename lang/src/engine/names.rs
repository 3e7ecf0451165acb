//! What names stand for in the session: slots of functions, slots of globals, behaviors of agents.
//!
//! Never: forgets a slot that code may still use.

use crate::hir::{Agent, FunctionKey};
use crate::ir::core::Function;
use crate::types::ty::Name;
use ag_runtime::actor::selector::Selector;
use ag_runtime::code::{FnSlot, FunctionTable};
use ag_runtime::context::globals::GlobalSlot;
use ag_runtime::value::shape::ShapeId;
use rustc_hash::FxHashMap;

/// What a call site relies on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    params: Box<[ShapeId]>,
    result: ShapeId,
}

impl Signature {
    pub fn of(function: &Function) -> Self {
        let shape = |var: &crate::ir::core::Var| {
            function.vars.get(var.0 as usize).map_or(ShapeId::UNIT, |info| info.shape)
        };
        Self { params: function.params.iter().map(shape).collect(), result: function.result }
    }
}

#[derive(Default)]
pub struct Names {
    /// The slot each name means now; without a signature until it is defined.
    functions: FxHashMap<FunctionKey, (FnSlot, Option<Signature>)>,
    /// Slots of earlier signatures: changing back gives the slot back.
    former: FxHashMap<(FunctionKey, Signature), FnSlot>,
    globals: FxHashMap<Name, (GlobalSlot, ShapeId)>,
    next_global: u32,
    agents: FxHashMap<Name, Vec<Selector>>,
}

impl Names {
    /// Makes a name mean a slot of this signature. A lambda's slot is never reused: values made by an earlier
    /// version of its function keep calling the code they were made with.
    pub fn bind(
        &mut self,
        table: &FunctionTable,
        key: &FunctionKey,
        signature: Signature,
        is_lambda: bool,
    ) {
        let slot = match self.functions.get(key).cloned() {
            Some((slot, None)) => slot,
            Some((slot, Some(old))) if old == signature && !is_lambda => slot,
            Some((slot, Some(old))) if !is_lambda => {
                self.former.insert((key.clone(), old), slot);
                let former = self.former.get(&(key.clone(), signature.clone())).copied();
                former.unwrap_or_else(|| table.allocate(key))
            }
            _ => table.allocate(key),
        };
        self.functions.insert(key.clone(), (slot, Some(signature)));
    }

    /// The slot of a name; one that is not defined yet gets a slot without code.
    pub fn slot(&mut self, table: &FunctionTable, key: &FunctionKey) -> FnSlot {
        if let Some((slot, _)) = self.functions.get(key) {
            return *slot;
        }
        let slot = table.allocate(key);
        self.functions.insert(key.clone(), (slot, None));
        slot
    }

    pub fn known_slot(&self, key: &str) -> Option<FnSlot> {
        self.functions.get(key).map(|(slot, _)| *slot)
    }

    /// A global of this shape; another shape is another slot.
    pub fn declare_global(&mut self, name: &Name, shape: ShapeId) {
        match self.globals.get(name) {
            Some((_, known)) if *known == shape => {}
            _ => {
                let slot = GlobalSlot(self.next_global);
                self.next_global += 1;
                self.globals.insert(name.clone(), (slot, shape));
            }
        }
    }

    pub fn global(&mut self, name: &Name) -> GlobalSlot {
        if !self.globals.contains_key(name) {
            self.declare_global(name, ShapeId::UNIT);
        }
        self.globals.get(name).map_or(GlobalSlot(0), |(slot, _)| *slot)
    }

    pub fn global_of(&self, name: &str) -> Option<(GlobalSlot, ShapeId)> {
        self.globals.get(name).copied()
    }

    pub fn declare_agent(&mut self, agent: &Agent) {
        let selectors = agent.behaviors.iter().map(|behavior| Selector::of(&behavior.name));
        self.agents.insert(agent.name.clone(), selectors.collect());
    }

    pub fn behavior(&self, agent: &Name, index: u32) -> Selector {
        let found = self.agents.get(agent).and_then(|all| all.get(index as usize).copied());
        found.unwrap_or_else(|| Selector::of(""))
    }
}
