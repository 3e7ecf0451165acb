//! The signatures of the builtins, read from the runtime's table by our own parser, once each.

use std::sync::Arc;

use ag_runtime::builtin::BuiltinId;

use crate::db::Db;
use crate::hir;
use crate::syntax::item::{Function, ItemKind, ItemTree};
use crate::syntax::lexer::SourceKind;
use crate::syntax::parse::parse;
use crate::types::infer::Infer;
use crate::types::infer::frame::FrameKind;
use crate::types::resolve::TypeScope;
use crate::types::ty::{Name, Ty};

/// What the table says of a builtin, typed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct BuiltinSignature {
    /// Its type variables in order of first occurrence: the order of the hidden arguments.
    pub generics: Vec<Name>,
    pub bounds: Vec<(Name, Name)>,
    /// A member's first parameter is `self`.
    pub params: Vec<BuiltinParam>,
    pub result: Ty,
    /// As written in the table.
    pub text: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BuiltinParam {
    pub name: Name,
    pub ty: Ty,
    pub default: Option<Arc<hir::Expr>>,
}

/// The signature of the row at this place of the table.
pub fn builtin_signature(db: &dyn Db, id: u16) -> &BuiltinSignature {
    typed(db, Row::new(db, id))
}

#[salsa::interned]
struct Row<'db> {
    #[returns(copy)]
    id: u16,
}

#[salsa::tracked]
fn typed<'db>(db: &'db dyn Db, row: Row<'db>) -> BuiltinSignature {
    let id = row.id(db);
    let Some(row) = BuiltinId(id).get() else { return BuiltinSignature::default() };
    let name = if row.kind == ag_runtime::builtin::Kind::Operator { "operator" } else { row.name };
    let source = format!("function f_{name}{} {{ }}", row.signature);
    let parsed = parse(&source, SourceKind::Cell);
    let Some(item) = parsed.cell.items.first() else { return BuiltinSignature::default() };
    match &item.tree.kind {
        ItemKind::Function(function) => {
            let mut signature = read(db, &item.tree, function, variables(row.signature));
            signature.text = row.signature;
            signature
        }
        _ => BuiltinSignature::default(),
    }
}

/// A single capital is a type variable.
fn variables(signature: &str) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    for word in signature.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"') {
        let mut chars = word.chars();
        if chars.next().is_some_and(|c| c.is_ascii_uppercase())
            && chars.next().is_none()
            && !found.iter().any(|known| **known == *word)
        {
            found.push(Arc::from(word));
        }
    }
    found
}

fn read(
    db: &dyn Db,
    tree: &ItemTree,
    function: &Function,
    generics: Vec<Name>,
) -> BuiltinSignature {
    let scope = TypeScope {
        db,
        prelude: true,
        is_file: false,
        cell: None,
        generics: &generics,
        body: &tree.body,
    };
    let mut ignored = Vec::new();
    let params = function.params.iter().map(|param| {
        let ty = scope.ty(param.ty, &mut ignored);
        let default = param.default.map(|id| {
            let mut infer = Infer::new(db, true, &tree.body);
            infer.generics = generics.clone();
            infer.open(FrameKind::Cell, Arc::from(""), ty.clone());
            let value = infer.check(id, &ty);
            let checked = infer.finish(value, param.span);
            checked.function.map(|function| Arc::new(function.body))
        });
        BuiltinParam { name: param.name.name.text(), ty, default: default.flatten() }
    });
    let params = params.collect();
    let result = function.ret.map_or(Ty::Unit, |ret| scope.ty(ret, &mut Vec::new()));
    let bounds = function.generics.iter().flat_map(|generic| {
        let name = generic.name.name.text();
        generic.bounds.iter().map(move |bound| (name.clone(), bound.name.text()))
    });
    let bounds = bounds.collect();
    BuiltinSignature { generics, bounds, params, result, text: "" }
}
