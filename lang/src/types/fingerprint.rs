//! The identity of a nominal type: a hash of its definition with everything it is made of (L-152).
//!
//! A struct changed and changed back has its first fingerprint again; a recursive one needs no special case, because the
//! hash goes over the closed set of definitions reached, sorted by name. Comments and positions do not count.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::db::Db;
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::ast::{Body, TypeKind, TypeRefId};
use crate::syntax::item::{GenericParam, ItemKind};
use crate::types::ty::Name;

/// A type definition written without positions, and the names it mentions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outline {
    text: String,
    names: Vec<Name>,
}

/// The fingerprint of the type of this name; 0 for the prelude's, which cannot change.
#[salsa::tracked(returns(copy))]
pub fn type_fingerprint<'db>(db: &'db dyn Db, name: ScopedName<'db>) -> u64 {
    let mut reached: BTreeMap<Name, String> = BTreeMap::new();
    let mut todo = vec![name.name(db).clone()];
    while let Some(next) = todo.pop() {
        if reached.contains_key(&next) {
            continue;
        }
        let scoped = ScopedName::new(db, next.clone(), name.prelude(db));
        let Some(Site::Item(item)) = resolve(db, scoped, None) else { continue };
        if item.prelude(db) {
            continue;
        }
        let outline = type_outline(db, item);
        todo.extend(outline.names.iter().cloned());
        reached.insert(next, outline.text.clone());
    }
    if reached.is_empty() {
        return 0;
    }
    let mut hasher = FxHasher::default();
    reached.hash(&mut hasher);
    hasher.finish().max(1)
}

#[salsa::tracked]
fn type_outline<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Outline {
    let tree = item.tree(db);
    let mut outline = Outline::default();
    let body = &tree.body;
    match &tree.kind {
        ItemKind::Struct(def) => {
            outline.generics("struct", &def.generics);
            for field in &def.fields {
                outline.field(body, Some(field.name.name.as_str()), field.ty);
                outline.text.push(if field.default.is_some() { '=' } else { ';' });
            }
            // Values made under other invariants need not keep these.
            for invariant in &def.invariants {
                let text = body.clauses.iter().find(|(id, _)| id == invariant);
                let _ = write!(outline.text, "!{}", text.map_or("", |(_, text)| text));
            }
        }
        ItemKind::Enum(def) => {
            outline.generics("enum", &def.generics);
            for variant in &def.variants {
                let _ = write!(outline.text, "{}(", variant.name.name);
                for field in variant.fields.iter().flatten() {
                    outline.field(body, field.name.as_ref().map(|n| n.name.as_str()), field.ty);
                }
                outline.text.push(')');
            }
        }
        ItemKind::Alias(def) => {
            outline.generics("type", &def.generics);
            outline.ty(body, def.ty);
        }
        ItemKind::Tool(def) => {
            outline.text.push_str("tool");
            for field in &def.fields {
                outline.field(body, Some(field.name.name.as_str()), field.ty);
            }
            for param in &def.params {
                outline.field(body, Some(param.name.name.as_str()), param.ty);
            }
        }
        _ => {}
    }
    outline
}

impl Outline {
    fn generics(&mut self, kind: &str, generics: &[GenericParam]) {
        self.text.push_str(kind);
        for param in generics {
            let _ = write!(self.text, "<{}", param.name.name);
        }
    }

    fn field(&mut self, body: &Body, name: Option<&str>, ty: TypeRefId) {
        let _ = write!(self.text, " {}:", name.unwrap_or("_"));
        self.ty(body, ty);
    }

    fn ty(&mut self, body: &Body, id: TypeRefId) {
        match &body[id].kind {
            TypeKind::Error => self.text.push('!'),
            TypeKind::Named { name, args, .. } => {
                self.names.push(name.name.text());
                self.text.push_str(name.name.as_str());
                self.all(body, '<', args);
            }
            TypeKind::Function { params, ret } => {
                self.all(body, '(', params);
                self.text.push_str("->");
                self.ty(body, *ret);
            }
            TypeKind::Tuple(items) => self.all(body, '(', items),
            TypeKind::Record(fields) => {
                self.text.push('{');
                for field in fields {
                    self.field(body, Some(field.name.name.as_str()), field.ty);
                }
                self.text.push('}');
            }
            TypeKind::Bounded { ty, .. } | TypeKind::Cap { ty, .. } => self.ty(body, *ty),
            TypeKind::Optional(ty) => {
                self.ty(body, *ty);
                self.text.push('?');
            }
        }
    }

    fn all(&mut self, body: &Body, open: char, types: &[TypeRefId]) {
        self.text.push(open);
        for ty in types {
            self.ty(body, *ty);
            self.text.push(',');
        }
    }
}
