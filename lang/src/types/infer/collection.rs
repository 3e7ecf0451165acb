//! Literals of collections, records and structs.

use crate::diag::{Diagnostic, codes, nearest};
use crate::hir::{self, ExprKind};
use crate::source::Span;
use crate::syntax::ast::{self, ExprId, FieldInit, Ident, MapEntry, Path, StructElement};
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, Param, StructDef};
use crate::types::infer::args::DefaultSlot;
use crate::types::infer::convert::older;
use crate::types::infer::{Expect, Infer, Pending, error, expr, tools};
use crate::types::report;
use crate::types::ty::{AdtRef, Name, Ty};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// The type expected here, an option undone.
    pub fn expected_type(&self, expect: &Expect) -> Option<Ty> {
        let Expect::Is(want) = expect else { return None };
        let want = self.shallow(want);
        Some(want.as_option().map_or_else(|| want.clone(), |inner| self.shallow(inner)))
    }

    pub fn list(&mut self, items: &[ExprId], span: Span, expect: &Expect) -> hir::Expr {
        match self.expected_type(expect) {
            Some(Ty::Opaque(tools::NAME)) => self.tool_list(items, span),
            Some(Ty::Vector) => {
                let items = items.iter().map(|item| self.check(*item, &Ty::Float)).collect();
                expr(ExprKind::Vector(items), Ty::Vector, span)
            }
            Some(Ty::Set(element)) => {
                let items = items.iter().map(|item| self.check(*item, &element)).collect();
                self.pending.push(Pending::Key { ty: (*element).clone(), span });
                expr(ExprKind::Set(items), Ty::Set(element), span)
            }
            Some(Ty::List(element)) => {
                let items = items.iter().map(|item| self.check(*item, &element)).collect();
                expr(ExprKind::List(items), Ty::List(element), span)
            }
            Some(Ty::Dyn) => {
                let items = items.iter().map(|item| self.check(*item, &Ty::Dyn)).collect();
                expr(ExprKind::List(items), Ty::list(Ty::Dyn), span)
            }
            _ => {
                let mut values: Vec<hir::Expr> = Vec::new();
                let mut element: Option<Ty> = None;
                for item in items {
                    let value = match &element {
                        Some(ty) => self.check(*item, ty),
                        None => self.infer(*item),
                    };
                    if element.is_none() && !matches!(value.ty, Ty::Never | Ty::Error) {
                        element = Some(value.ty.clone());
                    }
                    values.push(value);
                }
                let element = element.unwrap_or_else(|| self.fresh(span));
                expr(ExprKind::List(values), Ty::list(element), span)
            }
        }
    }

    pub fn map(&mut self, entries: &[MapEntry], span: Span, expect: &Expect) -> hir::Expr {
        let (key, value) = match self.expected_type(expect) {
            Some(Ty::Map(key, value)) => (*key, *value),
            Some(Ty::Dyn) => (Ty::Text, Ty::Dyn),
            Some(wanted) if entries.is_empty() && self.in_config => {
                return self.config_record(&[], &wanted, span);
            }
            _ => (self.fresh(span), self.fresh(span)),
        };
        let mut pairs = Vec::new();
        for entry in entries {
            let k = self.check(entry.key, &key);
            let v = self.check(entry.value, &value);
            pairs.push((k, v));
        }
        self.pending.push(Pending::Key { ty: key.clone(), span });
        expr(ExprKind::Map(pairs), Ty::Map(Box::new(key), Box::new(value)), span)
    }

    pub fn record(&mut self, fields: &[FieldInit], span: Span, expect: &Expect) -> hir::Expr {
        let wanted = self.expected_type(expect);
        if self.in_config
            && let Some(wanted @ Ty::Adt(_)) = &wanted
        {
            return self.config_record(fields, wanted, span);
        }
        let known = match &wanted {
            Some(Ty::Record(known)) => known.clone(),
            _ => Vec::new(),
        };
        // A JSON object where Dyn is wanted: each value is Dyn.
        let dynamic = wanted == Some(Ty::Dyn);
        let mut typed: Vec<(Name, hir::Expr)> = Vec::new();
        for field in fields {
            let name = field.name.name.text();
            if typed.iter().any(|(other, _)| *other == name) {
                let message = format!("`{name}` is given twice");
                self.report(Diagnostic::new(codes::E0305, field.name.span, message));
                continue;
            }
            let want = known.iter().find(|(known, _)| *known == name).map(|(_, ty)| ty.clone());
            let value = match want {
                Some(ty) => self.check(field.value, &ty),
                None if dynamic => self.check(field.value, &Ty::Dyn),
                None => self.infer(field.value),
            };
            typed.push((name, value));
        }
        if dynamic {
            let pair = |(name, value): (Name, hir::Expr)| {
                let key = expr(ExprKind::Text(name), Ty::Text, value.span);
                (key, value)
            };
            let pairs = typed.into_iter().map(pair).collect();
            let ty = Ty::Map(Box::new(Ty::Text), Box::new(Ty::Dyn));
            return expr(ExprKind::Map(pairs), ty, span);
        }
        record_of(typed, span)
    }

    /// `Name { .. }`: a struct, or a variant with named payload.
    pub fn struct_literal(
        &mut self,
        path: &Path,
        elements: &[StructElement],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let name = path.name.name.text();
        if let Some(qualifier) = &path.qualifier {
            let owner = qualifier.name.text();
            return self.variant_literal(&owner, &name, elements, path, span);
        }
        let Some(ty) = self.constructed(&name, path.name.span, expect) else {
            self.elements_only(elements);
            return error(span);
        };
        let Ty::Adt(adt) = &ty else { return error(span) };
        match adt_definition(self.db, adt) {
            Some(Definition::Struct(def)) => {
                let def = def.clone();
                self.build_struct(&def, adt, elements, span)
            }
            _ => {
                self.elements_only(elements);
                self.report(Diagnostic::new(
                    codes::E0301,
                    path.name.span,
                    format!("`{name}` is not a struct"),
                ));
                error(span)
            }
        }
    }

    /// Infers the parts of a literal whose type is unknown, for their own mistakes.
    fn elements_only(&mut self, elements: &[StructElement]) {
        for element in elements {
            match element {
                StructElement::Field(field) => self.infer(field.value),
                StructElement::Spread(base) => self.infer(*base),
            };
        }
    }

    /// The type that a literal or call of this upper-case name makes, its arguments from what is expected.
    pub fn constructed(&mut self, name: &Name, span: Span, expect: &Expect) -> Option<Ty> {
        let (name, fingerprint, generics) = match self.definition(name) {
            Some(Definition::Struct(def)) => {
                (def.name.clone(), def.fingerprint, def.generics.len())
            }
            Some(Definition::Enum(def)) => (def.name.clone(), def.fingerprint, def.generics.len()),
            Some(Definition::Alias(def)) => {
                let args: Vec<Ty> = def.generics.iter().map(|_| self.fresh(span)).collect();
                self.uses(name);
                return Some(def.ty.substitute(&def.generics, &args));
            }
            Some(Definition::Unsupported(_)) => return None,
            Some(other) => {
                let message = format!("`{name}` is {}, not a struct", other.kind());
                self.report(Diagnostic::new(codes::E0301, span, message));
                return None;
            }
            None => {
                if self.first_time_missing(name) {
                    let diagnostic = self.unknown_name(name, span);
                    self.report(diagnostic);
                }
                return None;
            }
        };
        self.uses(&name);
        if let Some(Ty::Adt(wanted)) = self.expected_type(expect)
            && wanted.name == name
            && wanted.fingerprint == fingerprint
        {
            return Some(Ty::Adt(wanted));
        }
        let args = (0..generics).map(|_| self.fresh(span)).collect();
        Some(Ty::Adt(Arc::new(AdtRef { name, fingerprint, args })))
    }

    pub fn build_struct(
        &mut self,
        def: &StructDef,
        adt: &AdtRef,
        elements: &[StructElement],
        span: Span,
    ) -> hir::Expr {
        let ty = Ty::Adt(Arc::new(adt.clone()));
        let mut base = None;
        let mut inits: Vec<FieldInit> = Vec::new();
        for element in elements {
            match element {
                StructElement::Field(field) => inits.push(field.clone()),
                StructElement::Spread(id) => base = Some(self.check(*id, &ty)),
            }
        }
        let fields = def.fields.iter().map(|field| Param {
            ty: field.ty.substitute(&def.generics, &adt.args),
            ..field.clone()
        });
        let fields: Vec<Param> = fields.collect();
        let given = self.named_values(&def.name, &fields, &inits);
        if let Some(base) = base {
            let kind = ExprKind::Update { base: Box::new(base), fields: given };
            return self.kept(expr(kind, ty, span));
        }
        self.bounded(&def.name, &def.generics, &def.bounds, &adt.args, span);
        let slots =
            |at: usize| DefaultSlot::of(&def.name, def.fingerprint == 0, None, at).with(&adt.args);
        let record = self.complete(&def.name, &fields, given, slots, ty, span);
        self.kept(record)
    }

    /// `name: value` pairs against fields, in the order written; unknown and double names are E0305.
    pub fn named_values(
        &mut self,
        owner: &str,
        fields: &[Param],
        inits: &[FieldInit],
    ) -> Vec<(u32, hir::Expr)> {
        let mut given: Vec<(u32, hir::Expr)> = Vec::new();
        for init in inits {
            let name = init.name.name.text();
            let Some(at) = fields.iter().position(|field| field.name == name) else {
                self.unknown_field(owner, fields, &init.name);
                // What it may mean there nobody knows: its own mistakes would only confuse.
                let before = self.diagnostics.len();
                self.infer(init.value);
                self.diagnostics.truncate(before);
                continue;
            };
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            if given.iter().any(|(other, _)| *other == index) {
                let message = format!("`{name}` is given twice");
                self.report(Diagnostic::new(codes::E0305, init.name.span, message));
                continue;
            }
            let value = match fields.get(at) {
                Some(field) => self.check(init.value, &field.ty),
                None => self.infer(init.value),
            };
            given.push((index, value));
        }
        given
    }

    fn unknown_field(&mut self, owner: &str, fields: &[Param], name: &Ident) {
        let code = if self.in_config { codes::E0701 } else { codes::E0305 };
        let what = if self.in_config { "key" } else { "field" };
        let known: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
        let message = format!("`{owner}` has no {what} `{}`", name.name);
        let diagnostic =
            Diagnostic::new(code, name.span, message).note(format!("it has: {}", known.join(", ")));
        let found = nearest(name.name.as_str(), known);
        self.report(report::did_you_mean(diagnostic, name.span, &found));
    }

    /// Fills defaults in and reports what is missing.
    pub fn complete(
        &mut self,
        owner: &str,
        fields: &[Param],
        given: Vec<(u32, hir::Expr)>,
        slot: impl Fn(usize) -> DefaultSlot,
        ty: Ty,
        span: Span,
    ) -> hir::Expr {
        let mut evaluation: Vec<u32> = given.iter().map(|(at, _)| *at).collect();
        let mut given: Vec<Option<(u32, hir::Expr)>> = given.into_iter().map(Some).collect();
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            let found = given
                .iter_mut()
                .find(|slot| slot.as_ref().is_some_and(|(other, _)| *other == index))
                .and_then(Option::take);
            match found {
                Some((_, value)) => values.push(value),
                None if field.has_default => {
                    evaluation.push(index);
                    let value = self.default_value(&slot(at), &field.ty, span);
                    values.push(value);
                }
                None => {
                    missing.push(format!("`{} : {}`", field.name, self.table.resolve(&field.ty)))
                }
            }
        }
        if !missing.is_empty() {
            let message = format!("`{owner}` also needs {}", missing.join(", "));
            self.report(Diagnostic::new(codes::E0305, span, message));
            return error(span);
        }
        expr(ExprKind::Record { fields: values, evaluation }, ty, span)
    }

    /// `Enum.Variant { field: e }`.
    fn variant_literal(
        &mut self,
        owner: &Name,
        variant: &Name,
        elements: &[StructElement],
        path: &Path,
        span: Span,
    ) -> hir::Expr {
        let Some(ty) = self.constructed(owner, span, &Expect::Nothing) else {
            self.elements_only(elements);
            return error(span);
        };
        let Some(found) = self.enum_use(&ty) else {
            self.elements_only(elements);
            let message = format!("`{owner}` is not an enum");
            self.report(Diagnostic::new(codes::E0301, path.name.span, message));
            return error(span);
        };
        let Some(tag) = self.variant_of(&found, variant, path.name.span) else {
            self.elements_only(elements);
            return error(span);
        };
        let args: Vec<ast::Arg> = elements
            .iter()
            .filter_map(|element| match element {
                StructElement::Field(field) => Some(ast::Arg {
                    name: Some(field.name.clone()),
                    by_ref: false,
                    value: field.value,
                    span: field.name.span,
                }),
                StructElement::Spread(_) => None,
            })
            .collect();
        self.variant_call(&found, tag, &args, span)
    }

    /// E0902 where a value's type was redefined.
    pub fn report_older(&mut self, adt: &AdtRef, span: Span) {
        self.report(older(&adt.name, span));
    }
}

/// A structural record; its type has the fields sorted by name.
fn record_of(typed: Vec<(Name, hir::Expr)>, span: Span) -> hir::Expr {
    let mut order: Vec<usize> = (0..typed.len()).collect();
    order.sort_by(|a, b| typed.get(*a).map(|f| &f.0).cmp(&typed.get(*b).map(|f| &f.0)));
    // `evaluation[i]`: where the field written i-th stands among the sorted ones.
    let place = |written: usize| order.iter().position(|at| *at == written).unwrap_or(written);
    let evaluation =
        (0..typed.len()).map(|at| u32::try_from(place(at)).unwrap_or(u32::MAX)).collect();
    let mut fields: Vec<(Name, hir::Expr)> = typed;
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let ty =
        Ty::Record(fields.iter().map(|(name, value)| (name.clone(), value.ty.clone())).collect());
    let fields = fields.into_iter().map(|(_, value)| value).collect();
    expr(ExprKind::Record { fields, evaluation }, ty, span)
}
