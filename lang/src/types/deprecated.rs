//! Uses of what is marked `@deprecated`, with its advice (W0202, section 11).
//!
//! Calls and messages are told by who inferred them; types, tools and agents by their names where they are written. A type
//! that nobody writes (a result that is handed on, a variant in its short form) is no use. Never: tells of a name in its own
//! definition.

use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::db::{CellInput, Db, SessionInput};
use crate::diag::{Diagnostic, codes};
use crate::names::cell::{ItemKey, cell_items};
use crate::names::scope::{ScopedName, Site, resolve};
use crate::source::Span;
use crate::syntax::ast::{Body, ExprKind, Ident, PatKind, TypeKind};
use crate::syntax::item::{ItemKind, ItemTree};
use crate::syntax::rename::{bound_names, bound_within, short};
use crate::types::attribute::{advice, find};
use crate::types::check::{FnPath, function_at, function_path};
use crate::types::infer::Facts;
use crate::types::ty::Name;

/// Calls of functions and methods, and messages.
pub fn called(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for call in facts.calls.iter().chain(&facts.asked) {
        let scoped = ScopedName::new(db, call.name.clone(), prelude);
        let Some(Site::Item(item)) = resolve(db, scoped, None) else { continue };
        let tree = item.tree(db);
        let path = match &call.member {
            None => Some(FnPath::Item),
            Some(member) => function_path(tree, member),
        };
        let function = path.and_then(|path| function_at(tree, path));
        let attr = function.and_then(|function| find(&function.attrs, "deprecated"));
        if let Some(advice) = attr.and_then(|attr| advice(tree, attr)) {
            let member = call.member.as_ref().map(|member| format!(".{member}"));
            let name = format!("{}{}", short(&call.name), member.unwrap_or_default());
            out.push(told(&name, &advice, call.span));
        }
    }
    out
}

/// Types, tools and agents that an item names.
pub fn in_item<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<Diagnostic> {
    let tree = item.tree(db);
    if item.prelude(db) || marked(db).is_empty() {
        return Vec::new();
    }
    let mut found = mentions(&tree.body, None);
    if let ItemKind::Tool(tool) = &tree.kind {
        found.extend(tool.provides.iter().map(|base| (base.name.text(), base.span)));
    }
    let bound = bound_names(tree);
    found.retain(|(name, _)| **name != *item.name(db));
    report(db, found, &bound)
}

/// Those that a statement of a cell names.
pub fn in_statement(db: &dyn Db, body: &Body, statement: Span) -> Vec<Diagnostic> {
    if marked(db).is_empty() {
        return Vec::new();
    }
    report(db, mentions(body, Some(statement)), &bound_within(body, statement))
}

fn report(db: &dyn Db, found: Vec<(Name, Span)>, bound: &BTreeSet<Arc<str>>) -> Vec<Diagnostic> {
    let all = marked(db);
    let mut seen = FxHashSet::default();
    let found = found.into_iter().filter(|(name, _)| all.contains(name) && !bound.contains(name));
    found
        .filter_map(|(name, span)| {
            let Some(Site::Item(item)) =
                resolve(db, ScopedName::new(db, name.clone(), false), None)
            else {
                return None;
            };
            let advice = of_type(item.tree(db))?;
            seen.insert(span).then(|| told(short(&name), &advice, span))
        })
        .collect()
}

fn told(name: &str, advice: &str, span: Span) -> Diagnostic {
    Diagnostic::new(codes::W0202, span, format!("`{name}` is deprecated: {advice}"))
}

/// What is said of a type, tool or agent that is marked.
fn of_type(tree: &ItemTree) -> Option<String> {
    let is_type = matches!(
        tree.kind,
        ItemKind::Struct(_)
            | ItemKind::Enum(_)
            | ItemKind::Alias(_)
            | ItemKind::Tool(_)
            | ItemKind::Agent(_)
            | ItemKind::Orchestration(_)
    );
    let attr = find(&tree.attrs, "deprecated").filter(|_| is_type)?;
    advice(tree, attr)
}

/// The names that some definition marks: none in most sessions, and then nothing else is looked at.
#[salsa::tracked]
fn marked(db: &dyn Db) -> BTreeSet<Name> {
    let cells = SessionInput::get(db).cells(db);
    cells.iter().flat_map(|cell| marked_in(db, *cell).iter().cloned()).collect()
}

#[salsa::tracked]
fn marked_in(db: &dyn Db, cell: CellInput) -> BTreeSet<Name> {
    let items = cell_items(db, cell).iter().filter(|item| of_type(item.tree(db)).is_some());
    items.map(|item| item.name(db)).collect()
}

/// Names that may mean a type, where they stand. A name alone in a pattern is a variant.
fn mentions(body: &Body, part: Option<Span>) -> Vec<(Name, Span)> {
    let mut found = Vec::new();
    let mut add = |ident: &Ident| found.push((ident.name.text(), ident.span));
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Name(name) => add(&Ident { name: name.clone(), span: expr.span }),
            ExprKind::Struct { path, .. } => add(path.qualifier.as_ref().unwrap_or(&path.name)),
            _ => {}
        }
    }
    for pat in &body.pats {
        match &pat.kind {
            PatKind::Variant { path, .. } => path.qualifier.iter().for_each(&mut add),
            PatKind::Record { name, .. } => name.iter().for_each(&mut add),
            _ => {}
        }
    }
    for ty in &body.types {
        if let TypeKind::Named { name, .. } = &ty.kind {
            add(name);
        }
    }
    if let Some(part) = part {
        found.retain(|(_, at)| part.encloses(*at));
    }
    found
}
