//! Going back to an earlier moment, and values that come from another session (L-153, L-157).
//!
//! Never: touches a value. Who goes back restores the values that the globals had then.

use std::collections::BTreeMap;
use std::sync::Arc;

use salsa::Setter;

use super::{Broken, CellId, Changes, Workspace};
use crate::db::{CellInput, Database, GlobalType};
use crate::names::cell::cell_globals;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::types::step::infer_step;
use crate::types::ty::{Name, Ty};

impl Workspace {
    /// The newest cell there ever was.
    pub fn newest(&self) -> CellId {
        self.cells.keys().next_back().copied().unwrap_or_default()
    }

    /// The results that exist: `_`, `_3`.
    pub fn results(&self) -> Arc<Vec<GlobalType>> {
        Arc::clone(self.session.results(&self.db))
    }

    pub fn set_results(&mut self, results: Arc<Vec<GlobalType>>) {
        self.session.set_results(&mut self.db).to(results);
    }

    /// Takes away the cells after `last` up to `until`, newest first, with all they defined. What is given is what the
    /// earlier definitions mean again, once.
    pub fn return_to(&mut self, last: CellId, until: CellId) -> Changes {
        let gone = self.live.iter().rev().filter(|id| **id > last && **id <= until);
        let gone: Vec<CellId> = gone.copied().collect();
        let mut broken: BTreeMap<Name, Broken> = BTreeMap::new();
        let mut all = Changes::default();
        for id in gone {
            let changes = self.remove_cell(id);
            for name in &changes.mended {
                broken.remove(name);
            }
            broken.extend(changes.broken.into_iter().map(|found| (found.name.clone(), found)));
            all.mended.extend(changes.mended);
            all.relinked.extend(changes.relinked);
        }
        all.relinked.retain(|(cell, _)| self.live.contains(cell));
        all.broken = broken.into_values().filter(|found| self.live.contains(&found.cell)).collect();
        all
    }

    /// The global of that name, if it means one.
    pub fn global(&self, name: &str) -> Option<GlobalType> {
        let scoped = ScopedName::new(&self.db, Arc::from(name), false);
        match resolve(&self.db, scoped, None)? {
            Site::Global(cell) => {
                let settled = cell.settled(&self.db).as_ref()?;
                settled.iter().rev().find(|global| &*global.name == name).cloned()
            }
            Site::Result => {
                let results = self.session.results(&self.db);
                results.iter().find(|result| &*result.name == name).cloned()
            }
            Site::Item(_) => None,
        }
    }

    /// The type that a text stands for, now.
    pub fn type_named(&mut self, text: &str) -> Option<Ty> {
        let cell = format!("let it : {text} := parse_json(\"\").value as ({text})");
        let named = |db: &Database, cell: CellInput| {
            let declared = cell_globals(db, cell).first()?;
            let step = infer_step(db, cell, declared.step);
            step.globals.first().map(|global| global.ty.clone()).filter(|ty| *ty != Ty::Error)
        };
        self.look(&cell, named)
    }

    /// Globals that hold values without a statement of this session that gave them.
    pub fn declare(&mut self, globals: Vec<GlobalType>) -> CellId {
        let id = self.add_cell("");
        if let Some(cell) = self.cells.get(&id).copied() {
            cell.set_settled(&mut self.db).to(Some(Arc::new(globals)));
        }
        id
    }
}
