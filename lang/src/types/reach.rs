//! What a function does through all that it calls, remembered for each function.
//!
//! A program of a thousand functions that call each other in a chain is looked at once, not once for each of them.
//! Functions that call themselves, also through others, have no summary of their own: whoever asks goes through them.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::names::cell::ItemKey;
use crate::types::check::{FnPath, infer_function, with_stack};
use crate::types::effects::called_function;
use crate::types::infer::{Called, Facts};
use crate::types::ty::Name;

/// What a body and all that it calls do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    pub effects: BTreeSet<Name>,
    /// The globals that are assigned.
    pub assigns: BTreeSet<Name>,
    /// A function value is used of which nothing is known, and which is no parameter.
    pub is_blind: bool,
}

impl Reached {
    fn add(&mut self, other: &Reached) {
        self.effects.extend(other.effects.iter().cloned());
        self.assigns.extend(other.assigns.iter().cloned());
        self.is_blind |= other.is_blind;
    }

    fn add_own(&mut self, facts: &Facts) {
        self.effects.extend(facts.effects.iter().map(|(effect, _)| effect.clone()));
        self.assigns.extend(facts.assigns.iter().cloned());
        self.is_blind |= facts.blind.iter().any(|blind| !blind.is_parameter);
    }
}

/// `None` for a function of a cycle of calls.
#[salsa::tracked(cycle_result = goes_round)]
fn reached<'db>(db: &'db dyn Db, item: ItemKey<'db>, path: FnPath) -> Option<Reached> {
    let facts = &infer_function(db, item, path).facts;
    let mut found = Reached::default();
    found.add_own(facts);
    let mut walk = Walk::new(db, item.prelude(db));
    for call in &facts.calls {
        found.add(&walk.from(call));
    }
    Some(found)
}

fn goes_round<'db>(
    _db: &'db dyn Db,
    _id: salsa::Id,
    _item: ItemKey<'db>,
    _path: FnPath,
) -> Option<Reached> {
    None
}

/// A walk over what a body calls. No function is looked at twice: what it does was told the first time.
pub struct Walk<'db> {
    db: &'db dyn Db,
    prelude: bool,
    seen: FxHashSet<(ItemKey<'db>, FnPath)>,
}

impl<'db> Walk<'db> {
    pub fn new(db: &'db dyn Db, prelude: bool) -> Self {
        Self { db, prelude, seen: FxHashSet::default() }
    }

    /// What is reached through a call and was not through those before it.
    pub fn from(&mut self, call: &Called) -> Reached {
        let mut found = Reached::default();
        let mut todo: Vec<(ItemKey<'db>, FnPath)> =
            function(self.db, call, self.prelude).into_iter().collect();
        while let Some((item, path)) = todo.pop() {
            if !self.seen.insert((item, path)) {
                continue;
            }
            match with_stack(|| reached(self.db, item, path)) {
                Some(known) => found.add(known),
                None => {
                    let facts = &infer_function(self.db, item, path).facts;
                    found.add_own(facts);
                    let further = facts.calls.iter();
                    todo.extend(
                        further.filter_map(|call| function(self.db, call, item.prelude(self.db))),
                    );
                }
            }
        }
        found
    }
}

fn function<'db>(db: &'db dyn Db, call: &Called, prelude: bool) -> Option<(ItemKey<'db>, FnPath)> {
    called_function(db, &call.name, call.member.as_ref(), prelude)
}
