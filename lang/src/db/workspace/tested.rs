//! The tests of a session, and what each of them needs of what stands around it.

use rustc_hash::FxHashSet;

use crate::db::workspace::{CellId, Step, Workspace};
use crate::db::{CellInput, Database};
use crate::diag::{Diagnostic, codes};
use crate::names::cell::{cell_items, parse_cell};
use crate::names::mention::{defines, mentions};
use crate::source::Span;
use crate::syntax::item::ItemKind;
use crate::types::test_item::{TestOptions, options};
use crate::types::ty::Name;

/// A test where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestInfo {
    pub title: Name,
    pub cell: CellId,
    /// Of the whole item, in its cell.
    pub span: Span,
    pub options: TestOptions,
}

impl Workspace {
    /// The tests of the session, oldest first. One written again replaces the earlier one of its title.
    pub fn tests(&self) -> Vec<TestInfo> {
        let mut found: Vec<TestInfo> = Vec::new();
        for id in self.live.iter().copied() {
            let Some(cell) = self.cells.get(&id) else { continue };
            for item in &parse_cell(&self.db, *cell).cell.items {
                let ItemKind::Test(test) = &item.tree.kind else { continue };
                let title = test.title.text();
                found.retain(|other| other.cell == id || other.title != title);
                let options = options(&item.tree);
                found.push(TestInfo { title, cell: id, span: item.span, options });
            }
        }
        found
    }

    /// Of the statements of checked cells, by cell and place, those that give the globals which the items of `by` need:
    /// their declarations and whatever statement assigns them. By name, so rather too many than too few.
    pub fn needed(&self, by: CellId, checked: &[(CellId, &[Step])]) -> FxHashSet<(CellId, usize)> {
        let db = &self.db;
        let mut known: FxHashSet<Name> = FxHashSet::default();
        let mut ahead: Vec<Name> = Vec::new();
        if let Some(cell) = self.cells.get(&by) {
            let own = cell_items(db, *cell).iter().flat_map(|item| mentions(db, *item));
            ahead.extend(own.cloned());
        }
        let mut steps = FxHashSet::default();
        while let Some(name) = ahead.pop() {
            if !known.insert(name.clone()) {
                continue;
            }
            for id in &self.live {
                let Some(cell) = self.cells.get(id) else { continue };
                mentioned_by(db, *cell, &name, &mut ahead);
            }
            for (cell, listed) in checked {
                for (at, step) in listed.iter().enumerate() {
                    let Step::Statement(step) = step else { continue };
                    let writes = step.writes.iter().map(|(written, _)| written);
                    if writes.chain(&step.changes).any(|written| *written == name)
                        && steps.insert((*cell, at))
                    {
                        ahead.extend(step.reads.iter().cloned());
                    }
                }
            }
        }
        steps
    }

    /// E0204: two tests of one title in a cell.
    pub(super) fn tested_twice(&self, cell: CellInput) -> Vec<Diagnostic> {
        let mut seen: Vec<(&str, Span)> = Vec::new();
        let mut out = Vec::new();
        for item in &parse_cell(&self.db, cell).cell.items {
            let ItemKind::Test(test) = &item.tree.kind else { continue };
            let (title, span) = (test.title.as_str(), item.tree.name.span.shifted(item.span.start));
            match seen.iter().find(|(other, _)| *other == title) {
                Some((_, first)) => out.push(twice(title, span, *first)),
                None => seen.push((title, span)),
            }
        }
        out
    }
}

/// What the items of a cell that give this name a meaning mention in turn.
fn mentioned_by(db: &Database, cell: CellInput, name: &Name, ahead: &mut Vec<Name>) {
    for item in cell_items(db, cell) {
        if defines(item.tree(db)).contains(name) {
            ahead.extend(mentions(db, *item).iter().cloned());
        }
    }
}

pub fn twice(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(codes::E0204, span, format!("`{name}` is declared twice in this cell"))
        .label(first, "first here")
}
