//! What one cell declares: its items, its globals and its statements, from its text alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::db::{CellInput, Db};
use crate::diag::{Diagnostic, codes, nearest};
use crate::names::import::renames;
use crate::source::Span;
use crate::syntax::ast::{Body, PatId, PatKind, StmtKind};
use crate::syntax::item::{Cell, ItemKind, ItemTree, Step};
use crate::syntax::lexer::SourceKind;
use crate::syntax::parse;
use crate::syntax::rename::{declared, file_of, rename};
use crate::types::report::did_you_mean;
use crate::types::ty::Name;

/// A parsed cell. Holds positions, so it changes with every edit; queries that must not rerun depend on [`ItemKey`]s.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParsedCell {
    pub cell: Cell,
    pub diagnostics: Vec<Diagnostic>,
}

/// An item by its content: the same text in another cell, or at another place, is the same item, so nothing
/// that was inferred for it is inferred again.
#[salsa::interned(debug)]
pub struct ItemKey<'db> {
    pub tree: Arc<ItemTree>,
    #[returns(copy)]
    pub prelude: bool,
}

impl<'db> ItemKey<'db> {
    /// The declared name.
    pub fn name(self, db: &'db dyn Db) -> Name {
        self.tree(db).name.name.text()
    }

    /// Whether a file has it (L-64).
    pub fn is_of_file(self, db: &'db dyn Db) -> bool {
        file_of(self.tree(db).name.name.as_str()).is_some()
    }
}

/// The text as it is written.
#[salsa::tracked]
pub fn raw_cell(db: &dyn Db, cell: CellInput) -> ParsedCell {
    db.ran("parse", &|| first_line(cell.text(db)));
    let parsed = parse::parse(cell.text(db), SourceKind::Cell);
    ParsedCell { cell: parsed.cell, diagnostics: parsed.diagnostics }
}

/// What a text declares at its top, as it is written.
#[salsa::tracked]
pub fn declared_in(db: &dyn Db, cell: CellInput) -> Arc<BTreeSet<Name>> {
    Arc::new(declared(&raw_cell(db, cell).cell))
}

/// The text with the names of files in the place of what stands for them (L-64).
#[salsa::tracked]
pub fn parse_cell(db: &dyn Db, cell: CellInput) -> ParsedCell {
    let mut parsed = raw_cell(db, cell).clone();
    let renames = renames(db, cell);
    if renames.names.is_empty() && renames.files.is_empty() {
        return parsed;
    }
    let missing = rename(&mut parsed.cell, renames, cell.file(db).is_some());
    parsed.diagnostics.extend(missing.into_iter().map(|one| {
        let message = format!("`{}` has no `{}`", one.file, one.name);
        let has = renames.files.get(&one.file).map(|(_, has)| has.as_ref());
        let near = nearest(&one.name, has.into_iter().flatten().map(|name| &**name));
        let diagnostic = Diagnostic::new(codes::E0216, one.span, message);
        did_you_mean(diagnostic, one.span, &near)
    }));
    parsed
}

/// The items of a cell in source order.
#[salsa::tracked]
pub fn cell_items<'db>(db: &'db dyn Db, cell: CellInput) -> Vec<ItemKey<'db>> {
    let prelude = cell.prelude(db);
    let items = &parse_cell(db, cell).cell.items;
    items.iter().map(|item| ItemKey::new(db, item.tree.clone(), prelude)).collect()
}

/// A global that a statement of a cell declares.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DeclaredGlobal {
    pub name: Name,
    pub mutable: bool,
    /// Which step of the cell.
    pub step: u32,
    pub span: Span,
}

/// The globals a cell declares, in order; a name may come more than once.
#[salsa::tracked]
pub fn cell_globals(db: &dyn Db, cell: CellInput) -> Vec<DeclaredGlobal> {
    let body = &parse_cell(db, cell).cell.body;
    let mut globals = Vec::new();
    for (step, entry) in body.order.iter().enumerate() {
        let Step::Stmt(id) = entry else { continue };
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        match &body.body[*id].kind {
            StmtKind::Let { mutable, pattern, .. } => {
                let mut bound = Vec::new();
                bound_names(&body.body, *pattern, &mut bound);
                globals.extend(bound.into_iter().map(|(name, span)| DeclaredGlobal {
                    name,
                    mutable: *mutable,
                    step,
                    span,
                }));
            }
            StmtKind::Declare { name, .. } => globals.push(DeclaredGlobal {
                name: name.name.text(),
                mutable: true,
                step,
                span: name.span,
            }),
            _ => {}
        }
    }
    globals
}

/// The names a pattern binds, in order of appearance.
pub fn bound_names(body: &Body, pattern: PatId, into: &mut Vec<(Name, Span)>) {
    let pat = &body[pattern];
    match &pat.kind {
        PatKind::Bind(name) => into.push((name.text(), pat.span)),
        PatKind::Variant { args: Some(args), .. } | PatKind::Tuple(args) => {
            args.iter().for_each(|arg| bound_names(body, *arg, into));
        }
        PatKind::Record { fields, .. } => {
            fields.iter().for_each(|field| bound_names(body, field.pattern, into));
        }
        PatKind::List(items) => {
            for item in items {
                match item {
                    crate::syntax::ast::ListPat::Element(id) => bound_names(body, *id, into),
                    crate::syntax::ast::ListPat::Rest(Some(name)) => {
                        into.push((name.name.text(), name.span));
                    }
                    crate::syntax::ast::ListPat::Rest(None) => {}
                }
            }
        }
        PatKind::Or(alternatives) => {
            if let Some(first) = alternatives.first() {
                bound_names(body, *first, into);
            }
        }
        PatKind::Error
        | PatKind::Wildcard
        | PatKind::Literal(_)
        | PatKind::Range { .. }
        | PatKind::Variant { args: None, .. } => {}
    }
}

/// Whether the item declares a name that others can use.
pub fn is_named(tree: &ItemTree) -> bool {
    !matches!(tree.kind, ItemKind::Test(_) | ItemKind::Import(_) | ItemKind::Error)
        && !tree.name.name.is_missing()
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("").to_owned()
}
