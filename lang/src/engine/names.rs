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

#[derive(Clone, Default)]
pub struct Names {
    /// The slot each name means now; without a signature until it is defined.
    functions: FxHashMap<FunctionKey, (FnSlot, Option<Signature>)>,
    /// Slots of earlier signatures: changing back gives the slot back.
    former: FxHashMap<(FunctionKey, Signature), FnSlot>,
    /// Slots without code that no code refers to.
    free: Vec<FnSlot>,
    globals: FxHashMap<Name, Vec<(ShapeId, GlobalSlot)>>,
    next_global: u32,
    agents: FxHashMap<Name, Vec<Selector>>,
    layouts: FxHashMap<Name, Layout>,
}

/// The fields of an agent's instances, in order: what its code reads and writes by index.
pub type Layout = Vec<(Name, ShapeId)>;

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
                former.unwrap_or_else(|| self.allocate(table, key))
            }
            _ => self.allocate(table, key),
        };
        self.functions.insert(key.clone(), (slot, Some(signature)));
    }

    /// The slot of a name; one that is not defined yet gets a slot without code.
    pub fn slot(&mut self, table: &FunctionTable, key: &FunctionKey) -> FnSlot {
        if let Some((slot, _)) = self.functions.get(key) {
            return *slot;
        }
        let slot = self.allocate(table, key);
        self.functions.insert(key.clone(), (slot, None));
        slot
    }

    /// Forgets a name that is used once; its slot will be that of another.
    pub fn forget(&mut self, key: &str) -> Option<FnSlot> {
        let (slot, _) = self.functions.remove(key)?;
        self.free.push(slot);
        Some(slot)
    }

    fn allocate(&mut self, table: &FunctionTable, key: &FunctionKey) -> FnSlot {
        self.free.pop().unwrap_or_else(|| table.allocate(key))
    }

    /// Slots to be used before others are made.
    pub fn lend(&mut self, free: &mut Vec<FnSlot>) {
        self.free.append(free);
    }

    /// The slots that names have here and not there, and those nobody uses.
    pub fn beyond(&mut self, other: &Names) -> Vec<FnSlot> {
        let own = self.functions.iter().filter(|(key, _)| !other.functions.contains_key(*key));
        let mut slots: Vec<FnSlot> = own.map(|(_, (slot, _))| *slot).collect();
        slots.append(&mut self.free);
        slots
    }

    pub fn known_slot(&self, key: &str) -> Option<FnSlot> {
        self.functions.get(key).map(|(slot, _)| *slot)
    }

    /// The slot of a global of this shape. Another shape is another slot, so that code never reads what it was not
    /// checked against.
    pub fn global(&mut self, name: &Name, shape: ShapeId) -> GlobalSlot {
        let slots = self.globals.entry(name.clone()).or_default();
        if let Some((_, slot)) = slots.iter().find(|(known, _)| *known == shape) {
            return *slot;
        }
        let slot = GlobalSlot(self.next_global);
        self.next_global += 1;
        slots.push((shape, slot));
        slot
    }

    /// The slots of the same name with other shapes.
    pub fn other_globals(&self, name: &Name, shape: ShapeId) -> impl Iterator<Item = GlobalSlot> {
        let slots = self.globals.get(name).into_iter().flatten();
        slots.filter(move |(known, _)| *known != shape).map(|(_, slot)| *slot)
    }

    pub fn declare_agent(&mut self, agent: &Agent) {
        let selectors = agent.behaviors.iter().map(|behavior| Selector::of(&behavior.name));
        self.agents.insert(agent.name.clone(), selectors.collect());
    }

    /// Before an agent's functions are bound: if its fields are no longer the same, they all get other slots. An instance
    /// that cannot take the new definition keeps the code it has, which must go on meaning the fields it has.
    pub fn declare_layout(&mut self, agent: &Name, layout: Layout) {
        let known = self.layouts.insert(agent.clone(), layout.clone());
        if known.is_none_or(|known| known == layout) {
            return;
        }
        let is_member =
            |key: &str| key.strip_prefix(&**agent).is_some_and(|rest| rest.starts_with('.'));
        self.functions.retain(|key, _| !is_member(key));
        self.former.retain(|(key, _), _| !is_member(key));
    }

    pub fn behavior(&self, agent: &Name, index: u32) -> Selector {
        let found = self.agents.get(agent).and_then(|all| all.get(index as usize).copied());
        found.unwrap_or_else(|| Selector::of(""))
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Signature};
    use ag_runtime::code::FunctionTable;
    use ag_runtime::value::shape::ShapeId;

    #[test]
    fn an_agent_with_other_fields_gets_other_slots_for_its_functions() {
        let table = FunctionTable::new();
        let mut names = Names::default();
        let signature = || Signature { params: Box::new([]), result: ShapeId::INT };
        let mut define = |layout: &[(&str, ShapeId)]| {
            let layout = layout.iter().map(|&(name, shape)| (name.into(), shape)).collect();
            names.declare_layout(&"Desk".into(), layout);
            ["Desk.count", "Desk", "Desktop.count"].map(|key| {
                names.bind(&table, &key.into(), signature(), false);
                names.slot(&table, &key.into())
            })
        };
        let first = define(&[("n", ShapeId::INT)]);
        assert_eq!(define(&[("n", ShapeId::INT)]), first, "other code, the same fields");
        let second = define(&[("t", ShapeId::TEXT), ("n", ShapeId::INT)]);
        assert_ne!(second[0], first[0]);
        assert_eq!(second[1..], first[1..], "what is not the agent's keeps its slot");
        let back = define(&[("n", ShapeId::INT)]);
        assert!(back[0] != first[0] && back[0] != second[0]);
    }
}
