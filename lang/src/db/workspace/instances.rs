//! The instances of generic functions that the session has: made when something needs them, made anew when their
//! function changes.
//!
//! Never: installs anything. What is new or other than before is handed out, and counts as installed from then on.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::db::workspace::{CellId, Changes, Workspace, number};
use crate::db::{CellInput, Db};
use crate::hir::visit::each_function;
use crate::hir::{self, FunctionKey, Instance};
use crate::names::cell::{cell_items, parse_cell};
use crate::syntax::item::Step as SyntaxStep;
use crate::types::check::check_item;
use crate::types::generic::instantiate;
use crate::types::step::infer_step;
use crate::types::ty::Name;

/// What the engine has under a name.
#[derive(Clone)]
struct Made {
    instance: Instance,
    /// `None` while its generic function has a mistake.
    function: Option<Arc<hir::Function>>,
}

#[derive(Default)]
pub struct Instances {
    made: FxHashMap<FunctionKey, Made>,
    /// What stood under the names that the check of a cell changed, for when the cell is taken away.
    before: FxHashMap<CellId, Vec<(FunctionKey, Option<Made>)>>,
}

impl Instances {
    /// Makes the instances that are needed, those they need in turn, and anew those that changed: all that the engine
    /// does not have yet. `by`: the cell whose check asks.
    pub fn update(
        &mut self,
        db: &dyn Db,
        needed: Vec<Instance>,
        by: Option<CellId>,
    ) -> Vec<(Instance, Arc<hir::Function>)> {
        let mut todo: Vec<Instance> =
            self.made.values().map(|made| made.instance.clone()).collect();
        todo.extend(needed);
        let mut seen: FxHashMap<FunctionKey, Instance> = FxHashMap::default();
        let mut out = Vec::new();
        while let Some(instance) = todo.pop() {
            let name = instance.name();
            // Two types of one name: the one asked for by what is checked now comes last in `todo`, first out.
            if seen.contains_key(&name) {
                continue;
            }
            seen.insert(name.clone(), instance.clone());
            let made = instantiate(db, &instance);
            let function = made.map(|made| Arc::clone(&made.function));
            todo.extend(made.map(|made| made.uses.clone()).unwrap_or_default());
            let known = self.made.get(&name);
            if known.is_some_and(|known| known.function == function && known.instance == instance) {
                continue;
            }
            if let Some(by) = by {
                let journal = self.before.entry(by).or_default();
                journal.push((name.clone(), known.cloned()));
            }
            out.extend(function.iter().map(|function| (instance.clone(), Arc::clone(function))));
            self.made.insert(name, Made { instance, function });
        }
        out.sort_by(|a, b| a.1.key.cmp(&b.1.key));
        out
    }

    /// A cell is taken away: what it changed counts as not installed, so that the next update hands it out.
    pub fn forget(&mut self, cell: CellId) {
        for (name, before) in self.before.remove(&cell).unwrap_or_default().into_iter().rev() {
            match before {
                Some(made) => self.made.insert(name, Made { function: None, ..made }),
                None => self.made.remove(&name),
            };
        }
    }

    /// Those that have code: the item each belongs to, its name, its function.
    pub fn functions(&self) -> impl Iterator<Item = (&Name, &FunctionKey, &hir::Function)> {
        self.made.iter().filter_map(|(name, made)| {
            Some((&made.instance.owner, name, made.function.as_deref()?))
        })
    }

    /// The names of the instances of an item's functions: they break with it.
    pub fn of(&self, owner: &Name) -> Vec<FunctionKey> {
        let own = self.made.iter().filter(|(_, made)| made.instance.owner == *owner);
        own.map(|(name, _)| name.clone()).collect()
    }
}

impl Workspace {
    /// Hands out the instances that are new or other than before: with the cell's own definitions those of its own
    /// functions, as relinked ones the others.
    pub(super) fn instantiate(
        &mut self,
        needed: Vec<hir::Instance>,
        by: Option<CellId>,
        changes: &mut Changes,
        own: &mut hir::Definitions,
    ) {
        let mut elsewhere: BTreeMap<CellId, hir::Definitions> = BTreeMap::new();
        for (instance, function) in self.instances.update(&self.db, needed, by) {
            let Some(owner) = self.linked.get(&instance.owner) else { continue };
            let mut function = (*function).clone();
            each_function(&mut function, &mut |function| function.item = owner.item);
            let own_cell = by == Some(owner.cell);
            let into = if own_cell { &mut *own } else { elsewhere.entry(owner.cell).or_default() };
            into.functions.push(function);
        }
        changes.relinked.extend(elsewhere);
    }

    /// The instances that a cell and what was linked anew for it need.
    pub(super) fn instances_of(&self, cell: CellInput) -> Vec<hir::Instance> {
        let db = &self.db;
        let linked = self.linked.values().flat_map(|linked| linked.checked.instances.iter());
        // Tests have no names to be linked by.
        let items =
            cell_items(db, cell).iter().flat_map(|item| check_item(db, *item).instances.iter());
        let steps = parse_cell(db, cell).cell.body.order.iter().enumerate();
        let steps = steps.filter(|(_, step)| matches!(step, SyntaxStep::Stmt(_)));
        let steps = steps.flat_map(|(at, _)| infer_step(db, cell, number(at)).instances.iter());
        linked.chain(items).chain(steps).cloned().collect()
    }
}
