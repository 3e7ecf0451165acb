//! Files that a session imports (L-64): cells whose names have the file's name before them.
//!
//! Never: reads a file; the session does, and says where each import leads.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use salsa::Setter;

use crate::db::workspace::{CellId, Workspace, number};
use crate::db::{CellInput, Database, Imported};
use crate::diag::{Diagnostic, codes, nearest};
use crate::names::cell::{declared_in, raw_cell};
use crate::names::import::{file_cell, imports_of};
use crate::source::Span;
use crate::syntax::item::{Import, ItemKind};
use crate::syntax::lexer::SourceKind;
use crate::syntax::parse;
use crate::syntax::rename::short;
use crate::types::report::did_you_mean;
use crate::types::ty::Name;

/// The paths that a text imports, in order; none where it does not import a file.
pub fn paths_in(text: &str) -> Vec<Option<Arc<str>>> {
    let parsed = parse::parse(text, SourceKind::Cell);
    let imports = parsed.cell.items.iter().filter_map(|item| match &item.tree.kind {
        ItemKind::Import(Import::File { path, .. } | Import::Names { path, .. }) => {
            Some(Some(path.clone()))
        }
        ItemKind::Import(Import::Mcp { .. }) => Some(None),
        _ => None,
    });
    imports.collect()
}

impl Workspace {
    /// Adds the text of a file under the name it has here, in the place of what it was.
    pub fn add_file(&mut self, file: &str, text: &str) -> CellId {
        let id = self.add_cell(text);
        if let Some(cell) = self.cells.get(&id) {
            cell.set_file(&mut self.db).to(Some(Name::from(file)));
        }
        id
    }

    /// Where the imports of a text lead, in order.
    pub fn set_imports(&mut self, id: CellId, imports: Vec<Imported>) {
        if let Some(cell) = self.cells.get(&id).filter(|_| !imports.is_empty()) {
            cell.set_imports(&mut self.db).to(Arc::new(imports));
        }
    }

    pub fn is_file(&self, id: CellId) -> bool {
        self.cells.get(&id).is_some_and(|cell| cell.file(&self.db).is_some())
    }
}

/// The names of a file, also as those write them who import them.
pub fn as_imported(names: impl Iterator<Item = Name>) -> FxHashSet<Name> {
    names.flat_map(|name| [Name::from(short(&name)), name]).collect()
}

/// What is wrong with the imports of a text: files that cannot be read, names that they do not have, and values that are
/// needed before they exist.
pub fn imports(db: &Database, cell: CellInput) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut seen: Vec<(Name, Span)> = Vec::new();
    let own = declared_in(db, cell);
    for (import, span, leads_to) in imports_of(db, cell) {
        let mut bound = |name: &Name, span: Span| {
            let first = seen.iter().find(|(other, _)| other == name).map(|(_, first)| *first);
            if first.is_some() || own.contains(name) {
                let message = format!("`{name}` is imported, and declared a second time here");
                let diagnostic = Diagnostic::new(codes::E0204, span, message);
                out.push(match first {
                    Some(first) => diagnostic.label(first, "first here"),
                    None => diagnostic,
                });
            }
            seen.push((name.clone(), span));
        };
        match &import {
            Import::Mcp { .. } => continue,
            Import::File { alias, .. } => {
                if let Some(alias) = alias {
                    bound(&alias.name.text(), alias.span);
                }
            }
            Import::Names { names, .. } => {
                names.iter().for_each(|name| bound(&name.name.text(), name.span));
            }
        }
        let file = match leads_to {
            Some(Imported::File(file)) => file,
            Some(Imported::Failed(why)) => {
                out.push(Diagnostic::new(codes::E0215, span, why.to_string()));
                continue;
            }
            None => {
                let message = "there is no such file here";
                out.push(Diagnostic::new(codes::E0215, span, message));
                continue;
            }
        };
        let Some(found) = file_cell(db, &file) else { continue };
        let has = declared_in(db, found);
        let Import::Names { names, path } = &import else { continue };
        for name in names.iter().filter(|name| !has.contains(name.name.as_str())) {
            let message = format!("`{path}` declares no `{}`", name.name);
            let near = nearest(name.name.as_str(), has.iter().map(|name| &**name));
            let diagnostic = Diagnostic::new(codes::E0216, name.span, message);
            out.push(did_you_mean(diagnostic, name.span, &near));
        }
    }
    out.extend(early(db, cell));
    out
}

/// Values of files that import each other and are asked for before they exist (E0207).
fn early(db: &Database, cell: CellInput) -> Vec<Diagnostic> {
    use crate::syntax::item::Step;
    use crate::types::step::infer_step;
    let Some(own) = cell.file(db) else { return Vec::new() };
    let raw = &raw_cell(db, cell).cell;
    let mut out = Vec::new();
    for (at, step) in raw.body.order.iter().enumerate() {
        let Step::Stmt(id) = step else { continue };
        let facts = &infer_step(db, cell, number(at)).facts;
        let later = facts.reads.iter().find_map(|name| {
            let file = crate::syntax::rename::file_of(name)?;
            let other = file_cell(db, file).filter(|_| file != &**own)?;
            let is_value = crate::names::cell::cell_globals(db, other)
                .iter()
                .any(|global| global.name == *name);
            (is_value && is_before(db, cell, other)).then(|| name.clone())
        });
        if let Some(name) = later {
            let span = raw.body.body[*id].span;
            let message = format!("`{name}` does not exist yet: its file imports this one");
            out.push(Diagnostic::new(codes::E0207, span, message).note(
                "functions of both files may call each other; move the value into a third file",
            ));
        }
    }
    out
}

/// Whether the statements of `cell` run before those of `other`, which it imports: so it is where the two import each other.
fn is_before(db: &Database, cell: CellInput, other: CellInput) -> bool {
    let cells = crate::db::SessionInput::get(db).cells(db);
    let place = |wanted: CellInput| cells.iter().rposition(|cell| *cell == wanted);
    place(cell) < place(other)
}
