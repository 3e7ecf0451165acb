//! The instances of generic functions that the session has: made when something needs them, made anew when their
//! function changes.
//!
//! Never: installs anything. What is new or other than before is handed out, and counts as installed from then on.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::db::Db;
use crate::db::workspace::CellId;
use crate::hir::{self, FunctionKey, Instance};
use crate::types::generic::instantiate;
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

    /// The names of the instances of an item's functions: they break with it.
    pub fn of(&self, owner: &Name) -> Vec<FunctionKey> {
        let own = self.made.iter().filter(|(_, made)| made.instance.owner == *owner);
        own.map(|(name, _)| name.clone()).collect()
    }
}
