//! Aliases that contain themselves: such a type has no end when it is written out, so it stands for nothing.

use crate::db::Db;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::ast::{Body, Ident, TypeKind, TypeRefId};
use crate::syntax::item::ItemKind;
use crate::types::resolve::{TypeScope, generic_names, is_builtin};
use rustc_hash::FxHashSet;

/// Whether an alias is met again where everything it stands for is written out. A struct or enum between ends the
/// search: its fields are not part of the written type, only its arguments are.
#[salsa::tracked(returns(copy))]
pub fn contains_itself<'db>(db: &'db dyn Db, name: ScopedName<'db>) -> bool {
    let mut seen = FxHashSet::default();
    let mut todo = mentioned(db, name);
    while let Some(next) = todo.pop() {
        if next == name {
            return true;
        }
        if seen.insert(next) {
            todo.extend(mentioned(db, next));
        }
    }
    false
}

/// The aliases in the type that an alias stands for, each by the name under which its item is known.
fn mentioned<'db>(db: &'db dyn Db, name: ScopedName<'db>) -> Vec<ScopedName<'db>> {
    let Some(Site::Item(item)) = resolve(db, name, None) else { return Vec::new() };
    let tree = item.tree(db);
    let ItemKind::Alias(def) = &tree.kind else { return Vec::new() };
    let generics = generic_names(&def.generics);
    let scope = TypeScope {
        db,
        prelude: item.prelude(db),
        is_file: item.is_of_file(db),
        cell: None,
        generics: &generics,
        body: &tree.body,
    };
    let mut names = Vec::new();
    walk(&tree.body, def.ty, &mut names);
    let own = |name: &&Ident| {
        let text = name.name.as_str();
        !generics.iter().any(|param| &**param == text) && !is_builtin(text)
    };
    let scoped = names.into_iter().filter(own).map(|name| scope.scoped(&name.name));
    scoped.filter_map(|name| canonical(db, name)).collect()
}

/// The name of an alias as its own declaration has it: what is of the prelude may be named from elsewhere.
fn canonical<'db>(db: &'db dyn Db, name: ScopedName<'db>) -> Option<ScopedName<'db>> {
    let Some(Site::Item(item)) = resolve(db, name, None) else { return None };
    let is_alias = matches!(item.tree(db).kind, ItemKind::Alias(_));
    is_alias.then(|| ScopedName::new(db, name.name(db).clone(), item.prelude(db)))
}

fn walk<'a>(body: &'a Body, id: TypeRefId, names: &mut Vec<&'a Ident>) {
    let mut all = |ids: &[TypeRefId]| ids.iter().for_each(|id| walk(body, *id, names));
    match &body[id].kind {
        TypeKind::Error | TypeKind::Named { file: Some(_), .. } => {}
        TypeKind::Named { file: None, name, args } => {
            all(args);
            names.push(name);
        }
        TypeKind::Function { params, ret } => {
            all(params);
            all(&[*ret]);
        }
        TypeKind::Tuple(items) => all(items),
        TypeKind::Record(fields) => fields.iter().for_each(|field| walk(body, field.ty, names)),
        TypeKind::Bounded { ty, .. } | TypeKind::Optional(ty) | TypeKind::Cap { ty, .. } => {
            all(&[*ty]);
        }
    }
}
