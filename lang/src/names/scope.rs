//! The session's scope: session-wide names, the latest definition wins (L-152).
//!
//! Adding a cell recomputes the map of names, which is cheap, and then one lookup for each name somebody asked for;
//! whoever asked for a name that still means the same is not recomputed.

use rustc_hash::FxHashMap;

use crate::db::{CellInput, Db, SessionInput};
use crate::names::cell::{ItemKey, cell_globals, cell_items, is_named};
use crate::types::ty::Name;

/// A name as seen from the session, or from within the prelude.
#[salsa::interned(debug)]
pub struct ScopedName<'db> {
    pub name: Name,
    #[returns(copy)]
    pub prelude: bool,
}

/// Where a name is defined.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, salsa::SalsaValue)]
pub enum Site<'db> {
    Item(ItemKey<'db>),
    /// A global of this cell.
    Global(CellInput),
    /// `_` or `_N`.
    Result,
}

/// All definitions of each name, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, salsa::SalsaValue)]
pub struct Scope<'db> {
    names: FxHashMap<Name, Vec<Site<'db>>>,
}

impl<'db> Scope<'db> {
    fn add_cell(&mut self, db: &'db dyn Db, cell: CellInput) {
        for item in cell_items(db, cell).iter().filter(|item| is_named(item.tree(db))) {
            self.add(item.name(db), Site::Item(*item));
        }
        match cell.settled(db) {
            Some(globals) => {
                globals.iter().for_each(|global| self.add(global.name.clone(), Site::Global(cell)));
            }
            None => cell_globals(db, cell)
                .iter()
                .for_each(|global| self.add(global.name.clone(), Site::Global(cell))),
        }
    }

    fn add(&mut self, name: Name, site: Site<'db>) {
        self.names.entry(name).or_default().push(site);
    }

    fn latest(&self, name: &str, without_globals_of: Option<CellInput>) -> Option<Site<'db>> {
        let hidden = without_globals_of.map(Site::Global);
        self.names.get(name)?.iter().rev().find(|site| Some(**site) != hidden).copied()
    }

    /// Every name that means something.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.keys()
    }
}

/// The names of the session without the prelude and the results.
#[salsa::tracked]
pub fn session_scope<'db>(db: &'db dyn Db) -> Scope<'db> {
    db.ran("scope", &|| "session".to_owned());
    let session = SessionInput::get(db);
    let mut scope = Scope::default();
    for cell in session.cells(db).iter() {
        scope.add_cell(db, *cell);
    }
    scope
}

/// `_` and `_N` are new with each cell: looked up beside the scope, they do not make all its names be looked at again.
fn result<'db>(db: &'db dyn Db, name: &str) -> Option<Site<'db>> {
    if !name.starts_with('_') {
        return None;
    }
    let results = SessionInput::get(db).results(db);
    results.iter().any(|result| *result.name == *name).then_some(Site::Result)
}

#[salsa::tracked]
pub fn prelude_scope<'db>(db: &'db dyn Db) -> Scope<'db> {
    let mut scope = Scope::default();
    scope.add_cell(db, SessionInput::get(db).prelude(db));
    scope
}

/// What a name means. `cell`: seen from a statement of that cell, whose own globals do not exist before the
/// statement that declares them ran.
#[salsa::tracked(returns(copy))]
pub fn resolve<'db>(
    db: &'db dyn Db,
    name: ScopedName<'db>,
    cell: Option<CellInput>,
) -> Option<Site<'db>> {
    let text = name.name(db);
    let own = match name.prelude(db) {
        true => None,
        false => result(db, text).or_else(|| session_scope(db).latest(text, cell)),
    };
    own.or_else(|| prelude_scope(db).latest(text, None))
}
