//! E0313 for types: a struct or enum whose fields lead to itself with ever larger type arguments has no end of layouts.

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::source::Span;
use crate::syntax::rename::short;
use crate::types::declare::item_definition;
use crate::types::def::{Definition, Param};
use crate::types::ty::{AdtRef, GROWING_PARTS, Name, Ty};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;
use std::sync::Arc;

/// A type that has led to itself with larger arguments needs no more layouts than this, or it needs them without end.
const MOST: usize = 1000;

#[salsa::tracked(returns(clone))]
pub fn endless<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Option<Diagnostic> {
    let (name, generics, fields) = parts_of(item_definition(db, item))?;
    if generics.is_empty() {
        return None;
    }
    let mut seen: FxHashSet<Arc<AdtRef>> = FxHashSet::default();
    let mut todo: VecDeque<Arc<AdtRef>> = fields.iter().flat_map(|f| mentioned(&f.ty)).collect();
    let mut larger: Option<Arc<AdtRef>> = None;
    while let Some(next) = todo.pop_front() {
        let size: usize = next.args.iter().map(Ty::parts).sum();
        let is_own = next.name == *name;
        if is_own && size > generics.len() {
            larger.get_or_insert_with(|| next.clone());
        }
        if let Some(first) = &larger
            && (size > GROWING_PARTS || seen.len() > MOST)
        {
            return Some(report(item.tree(db).name.span, name, first));
        }
        // Where another type grows, it is reported there.
        if size > GROWING_PARTS || seen.len() > MOST || !seen.insert(next.clone()) {
            continue;
        }
        todo.extend(led_to(db, &next));
    }
    None
}

fn report(span: Span, name: &Name, first: &Arc<AdtRef>) -> Diagnostic {
    let message = format!("`{}` leads to itself with ever larger types", short(name));
    let first = Ty::Adt(first.clone());
    Diagnostic::new(codes::E0313, span, message)
        .note(format!("it would need layouts without end, beginning with `{first}`"))
}

/// The structs and enums in the fields of one.
fn led_to(db: &dyn Db, adt: &AdtRef) -> Vec<Arc<AdtRef>> {
    let name = ScopedName::new(db, adt.name.clone(), adt.fingerprint == 0);
    let Some(Site::Item(item)) = resolve(db, name, None) else { return Vec::new() };
    let Some((_, generics, fields)) = parts_of(item_definition(db, item)) else {
        return Vec::new();
    };
    if generics.len() != adt.args.len() {
        return Vec::new();
    }
    let written = fields.iter().map(|field| field.ty.substitute(generics, &adt.args));
    written.flat_map(|ty| mentioned(&ty)).collect()
}

fn parts_of(definition: &Definition) -> Option<(&Name, &[Name], Vec<&Param>)> {
    match definition {
        Definition::Struct(def) => Some((&def.name, &def.generics, def.fields.iter().collect())),
        Definition::Enum(def) => {
            let fields = def.variants.iter().flat_map(|variant| &variant.fields).collect();
            Some((&def.name, &def.generics, fields))
        }
        _ => None,
    }
}

fn mentioned(ty: &Ty) -> Vec<Arc<AdtRef>> {
    let mut found = Vec::new();
    if let Ty::Adt(adt) = ty {
        found.push(adt.clone());
    }
    ty.map(&mut |part| {
        found.extend(mentioned(part));
        Ty::Unit
    });
    found
}
