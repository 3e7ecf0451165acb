//! Generic functions: their type parameters, and their instances (L-37).
//!
//! A generic body is checked once. An instance is that body with types for its parameters, made once for each list of
//! types; an edit of the body makes its instances anew and nothing else.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::substitute::Substitution;
use crate::hir::{self, Instance};
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::item::{GenericParam, ItemKind, ItemTree};
use crate::types::check::{FnPath, all_effects, function_at, infer_default, infer_function};
use crate::types::handles::staying;
use crate::types::infer::finish::Checked;
use crate::types::resolve::generic_names;
use crate::types::ty::{GROWING_PARTS, Name, Ty};

/// The type parameters in sight of a function: those of its struct or enum, then its own.
pub fn parameters(tree: &ItemTree, path: FnPath) -> Vec<&GenericParam> {
    let outer: &[GenericParam] = match &tree.kind {
        ItemKind::Struct(def) => &def.generics,
        ItemKind::Enum(def) => &def.generics,
        ItemKind::Alias(def) => &def.generics,
        ItemKind::Theorem(def) => &def.generics,
        _ => &[],
    };
    let own = function_at(tree, path).map(|function| function.generics.as_slice());
    outer.iter().chain(own.unwrap_or_default()).collect()
}

/// Their names.
pub fn parameter_names(tree: &ItemTree, path: FnPath) -> Vec<Name> {
    generic_names(&parameters(tree, path).into_iter().cloned().collect::<Vec<_>>())
}

/// One instance, ready to be lowered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instantiated {
    pub function: Arc<hir::Function>,
    /// What it calls in turn.
    pub uses: Vec<Instance>,
}

#[salsa::interned]
struct InstanceKey<'db> {
    instance: Instance,
}

/// The instance; `None` if its function is gone, has a mistake or takes other type parameters now.
pub fn instantiate<'db>(db: &'db dyn Db, instance: &Instance) -> Option<&'db Instantiated> {
    instantiated(db, InstanceKey::new(db, instance.clone())).as_ref()
}

#[salsa::tracked]
fn instantiated<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Option<Instantiated> {
    let instance = key.instance(db);
    db.ran("instantiate", &|| instance.name().to_string());
    let (item, path, checked) = generic_body(db, instance)?;
    let generic = checked.function.as_ref()?;
    let names = parameter_names(item.tree(db), path);
    if names.len() != instance.args.len() || growing(db, item, path).is_some() {
        return None;
    }
    let mut uses = checked.instances.clone();
    let substitution = Substitution { names: &names, args: &instance.args };
    let mut function = substitution.function(generic, &instance.name(), &mut uses);
    function.effects = all_effects(db, checked, item.prelude(db));
    Some(Instantiated { function: Arc::new(function), uses })
}

/// The body that an instance is made of, checked for all types.
fn generic_body<'db>(
    db: &'db dyn Db,
    instance: &Instance,
) -> Option<(ItemKey<'db>, FnPath, &'db Checked)> {
    let owner = ScopedName::new(db, instance.owner.clone(), instance.prelude);
    let Site::Item(item) = resolve(db, owner, None)? else { return None };
    let path = FnPath::of(instance.member);
    let checked = match instance.default {
        Some(index) => infer_default(db, item, instance.member, index),
        None => infer_function(db, item, path),
    };
    Some((item, path, checked))
}

/// E0313 where a generic function leads to itself with ever larger types: it would have no end of instances.
#[salsa::tracked]
pub fn growing<'db>(db: &'db dyn Db, item: ItemKey<'db>, path: FnPath) -> Option<Diagnostic> {
    let tree = item.tree(db);
    if !is_generic(tree, path) {
        return None;
    }
    let function = function_at(tree, path)?;
    let own = infer_function(db, item, path);
    let key = &own.function.as_ref()?.key;
    let mut seen: FxHashSet<Instance> = FxHashSet::default();
    let mut todo: VecDeque<Instance> = inside(own).into();
    let mut larger: Option<Instance> = None;
    while let Some(next) = todo.pop_front() {
        let size: usize = next.args.iter().map(Ty::parts).sum();
        if next.key == *key && size > parameters(tree, path).len() {
            larger.get_or_insert_with(|| next.clone());
        }
        if size > GROWING_PARTS {
            if next.key == *key {
                let first = larger.unwrap_or(next).name();
                let message = format!("`{key}` leads to itself with ever larger types");
                return Some(Diagnostic::new(codes::E0313, function.name.span, message).note(
                    format!("it would need instances without end, beginning with `{first}`"),
                ));
            }
            // Another function grows; it is reported there.
            continue;
        }
        if !seen.insert(next.clone()) {
            continue;
        }
        let Some((item, path, checked)) = generic_body(db, &next) else { continue };
        let names = parameter_names(item.tree(db), path);
        todo.extend(called_by(checked, &names, &next.args));
    }
    None
}

/// The instances that a generic body needs when its type parameters stand for `args`.
fn called_by(checked: &Checked, names: &[Name], args: &[Ty]) -> Vec<Instance> {
    let mut called = inside(checked);
    for instance in &mut called {
        instance.args = instance.args.iter().map(|arg| arg.substitute(names, args)).collect();
    }
    called
}

/// A type that holds what stays where it was made, and that an instance, or one it leads to, sends to another coroutine.
pub fn sent_by(db: &dyn Db, instance: &Instance) -> Option<Ty> {
    let mut seen: FxHashSet<Instance> = FxHashSet::default();
    let mut todo = vec![instance.clone()];
    while let Some(next) = todo.pop() {
        let holds = next.args.iter().any(|arg| staying(db, arg).is_some());
        // What grows without end is reported where it does.
        let size: usize = next.args.iter().map(Ty::parts).sum();
        if !holds || size > GROWING_PARTS || !seen.insert(next.clone()) {
            continue;
        }
        let Some((item, path, checked)) = generic_body(db, &next) else { continue };
        let names = parameter_names(item.tree(db), path);
        let mut sent = checked.facts.refs.sends.iter().map(|ty| ty.substitute(&names, &next.args));
        if let Some(ty) = sent.find(|ty| staying(db, ty).is_some()) {
            return Some(ty);
        }
        todo.extend(called_by(checked, &names, &next.args));
    }
    None
}

/// The instances that a generic body mentions, its own type parameters included.
fn inside(checked: &Checked) -> Vec<Instance> {
    fn walk(value: &mut hir::Expr, found: &mut Vec<Instance>) {
        match &mut value.kind {
            hir::ExprKind::Instance(instance) => found.push((**instance).clone()),
            hir::ExprKind::Call { callee: hir::Callee::Instance(instance), .. } => {
                found.push((**instance).clone());
            }
            hir::ExprKind::Lambda { function, .. } => walk(&mut function.body, found),
            _ => {}
        }
        hir::visit::children(value, &mut |inner| walk(inner, found));
    }
    let mut found = checked.instances.clone();
    if let Some(function) = &checked.function {
        walk(&mut function.body.clone(), &mut found);
    }
    found
}

/// Whether a member of an item is generic, so that only instances of it exist.
pub fn is_generic(tree: &ItemTree, path: FnPath) -> bool {
    !parameters(tree, path).is_empty()
}
