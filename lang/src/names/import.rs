//! What imports make of names (L-64): bare ones that stand for a file's, and files' names before a dot.
//!
//! From texts alone, so that parsing a cell depends on what is imported and not on what it means. In a session the latest
//! definition or import of a name wins, as everywhere (L-152); a file sees its own imports only.

use crate::db::{CellInput, Db, Imported, SessionInput};
use crate::names::cell::{declared_in, raw_cell};
use crate::source::Span;
use crate::syntax::item::{Import, ItemKind};
use crate::syntax::rename::{Renames, qualified};
use crate::types::ty::Name;

/// The file of this name, as it is now.
pub fn file_cell(db: &dyn Db, file: &str) -> Option<CellInput> {
    let cells = SessionInput::get(db).cells(db);
    cells.iter().rev().find(|cell| cell.file(db).as_deref() == Some(file)).copied()
}

/// The imports of a text, each where it stands and where it leads.
pub fn imports_of(db: &dyn Db, cell: CellInput) -> Vec<(Import, Span, Option<Imported>)> {
    let items = raw_cell(db, cell).cell.items.iter();
    let imports = items.filter_map(|item| match &item.tree.kind {
        ItemKind::Import(import) => Some((shifted(import, item.span.start), item.span)),
        _ => None,
    });
    let leads_to = cell.imports(db);
    imports
        .enumerate()
        .map(|(at, (import, span))| (import, span, leads_to.get(at).cloned()))
        .collect()
}

/// With its names where they stand in the text.
fn shifted(import: &Import, base: u32) -> Import {
    let mut import = import.clone();
    match &mut import {
        Import::File { alias: Some(alias), .. } | Import::Mcp { alias, .. } => {
            alias.span = alias.span.shifted(base);
        }
        Import::Names { names, .. } => {
            names.iter_mut().for_each(|name| name.span = name.span.shifted(base));
        }
        Import::File { alias: None, .. } => {}
    }
    import
}

/// What the names of a text stand for.
#[salsa::tracked]
pub fn renames(db: &dyn Db, cell: CellInput) -> Renames {
    if cell.prelude(db) {
        return Renames::default();
    }
    let Some(file) = cell.file(db) else { return session_renames(db).clone() };
    let mut renames = Renames::default();
    import(db, cell, &mut renames);
    for name in declared_in(db, cell).iter() {
        renames.names.insert(name.clone(), qualified(file, name));
    }
    renames
}

#[salsa::tracked]
pub fn session_renames(db: &dyn Db) -> Renames {
    let mut renames = Renames::default();
    for cell in SessionInput::get(db).cells(db).iter().filter(|cell| cell.file(db).is_none()) {
        let is_open = !renames.names.is_empty() || !renames.files.is_empty();
        if is_open {
            for name in declared_in(db, *cell).iter() {
                renames.names.remove(name);
                renames.files.remove(name);
            }
        }
        import(db, *cell, &mut renames);
    }
    renames
}

fn import(db: &dyn Db, cell: CellInput, renames: &mut Renames) {
    for (import, _, leads_to) in imports_of(db, cell) {
        let Some(Imported::File(file)) = leads_to else { continue };
        let Some(found) = file_cell(db, &file) else { continue };
        let has = declared_in(db, found);
        match import {
            Import::Names { names, .. } => {
                for name in names.iter().map(|name| name.name.text()).filter(|n| has.contains(n)) {
                    renames.files.remove(&name);
                    renames.names.insert(name.clone(), qualified(&file, &name));
                }
            }
            Import::File { path, alias } => {
                let name = alias.map_or_else(|| stem(&path), |alias| alias.name.text());
                renames.names.remove(&name);
                renames.files.insert(name, (file, has.clone()));
            }
            Import::Mcp { .. } => {}
        }
    }
}

/// `lib/risk.ag` is called `risk` where no other name is given.
pub fn stem(path: &str) -> Name {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    Name::from(file.split('.').next().unwrap_or(file))
}

/// What a bare name that is not written in a body stands for, such as that of a port.
pub fn visible(db: &dyn Db, cell_or_file: Option<&str>, name: &Name) -> Name {
    let full = match cell_or_file {
        Some(file) => file_cell(db, file).and_then(|cell| renames(db, cell).names.get(name)),
        None => session_renames(db).names.get(name),
    };
    full.unwrap_or(name).clone()
}
