//! Patterns against the type they match (L-44); names they bind become locals.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::hir::{Expr, LocalId, Pattern, PatternKind};
use crate::source::Span;
use crate::syntax::ast::{FieldPat, ListPat, Literal, PatId, PatKind, Path};
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, Param};
use crate::types::infer::name::EnumUse;
use crate::types::infer::{Expect, Infer};
use crate::types::resolve::BUILTIN_NAMES;
use crate::types::ty::{Name, Ty};

impl Infer<'_, '_> {
    pub fn pattern(&mut self, id: PatId, ty: &Ty, mutable: bool) -> Pattern {
        let body = self.body;
        let pat = &body[id];
        let span = pat.span;
        let ty = self.shallow(ty);
        let kind = match &pat.kind {
            PatKind::Error => return broken(span),
            PatKind::Wildcard => PatternKind::Wildcard,
            PatKind::Bind(name) => return self.bind(&name.text(), &ty, mutable, span),
            PatKind::Literal(literal) => match self.literal_pattern(literal, &ty, span) {
                Some(value) => PatternKind::Literal(Box::new(value)),
                None => return broken(span),
            },
            PatKind::Range { start, end, inclusive } => {
                let low = self.literal_pattern(start, &ty, span);
                let high = self.literal_pattern(end, &ty, span);
                let (Some(low), Some(high)) = (low, high) else { return broken(span) };
                PatternKind::Range {
                    low: Box::new(low),
                    high: Box::new(high),
                    inclusive: *inclusive,
                }
            }
            PatKind::Variant { path, args } => {
                return self.variant_pattern(path, args.as_deref(), &ty, mutable, span);
            }
            PatKind::Record { name, fields, rest } => {
                let name = name.as_ref().map(|name| name.name.text());
                return self.record_pattern(name, fields, *rest, &ty, mutable, span);
            }
            PatKind::Tuple(items) => match self.tuple_pattern(items, &ty, mutable, span) {
                Some(kind) => kind,
                None => return broken(span),
            },
            PatKind::List(items) => match self.list_pattern(items, &ty, mutable, span) {
                Some(kind) => kind,
                None => return broken(span),
            },
            PatKind::Or(alternatives) => return self.or_pattern(alternatives, &ty, mutable, span),
        };
        Pattern { kind, ty, span }
    }

    fn bind(&mut self, name: &Name, ty: &Ty, mutable: bool, span: Span) -> Pattern {
        // `flat => ...` meant `Flat`: a binding would match everything.
        if let Some(found) = self.enum_use(ty)
            && let Some((_, variant)) = found.def.variant(name)
        {
            let spelling = variant.name.clone();
            let message = format!(
                "`{name}` would bind any value; the variant is written `{spelling}` in a pattern"
            );
            self.report(Diagnostic::new(codes::E0404, span, message).fix(
                "match the variant",
                span,
                &*spelling,
            ));
            return broken(span);
        }
        let local = self.declare_new(name, ty.clone(), mutable, span);
        Pattern { kind: PatternKind::Bind(local), ty: ty.clone(), span }
    }

    fn literal_pattern(&mut self, literal: &Literal, ty: &Ty, span: Span) -> Option<Expr> {
        let value = self.literal(literal, span, &Expect::Is(ty.clone()));
        if self.table.unify(&value.ty, ty).is_ok() {
            return Some(value);
        }
        self.does_not_fit(&value.ty.clone(), ty, span);
        None
    }

    fn does_not_fit(&mut self, pattern: &Ty, ty: &Ty, span: Span) {
        let ty = self.table.resolve(ty);
        if ty == Ty::Error {
            return;
        }
        let pattern = self.table.resolve(pattern);
        let message = format!("this pattern is for `{pattern}`, but the value is `{ty}`");
        self.report(Diagnostic::new(codes::E0301, span, message));
    }

    fn variant_pattern(
        &mut self,
        path: &Path,
        args: Option<&[PatId]>,
        ty: &Ty,
        mutable: bool,
        span: Span,
    ) -> Pattern {
        let name = path.name.name.text();
        // A struct's own name with parentheses is its fields in order.
        if let Some(fields) = self.struct_of(ty, &name) {
            return self.positional(&fields, args.unwrap_or_default(), ty, mutable, span);
        }
        let found = match self.variant_target(path, ty) {
            Some(found) => found,
            None => {
                self.bind_all(args.unwrap_or_default(), mutable);
                return broken(span);
            }
        };
        let Some(tag) = self.variant_of(&found, &name, path.name.span) else {
            self.bind_all(args.unwrap_or_default(), mutable);
            return broken(span);
        };
        let Some(variant) = found.def.variants.get(tag as usize) else { return broken(span) };
        let payload = &variant.fields;
        let given = args.unwrap_or_default();
        if args.is_none() && self.in_is {
            // `x is Some` asks for the variant alone.
            let any = |field: &Param| Pattern {
                kind: PatternKind::Wildcard,
                ty: field.ty.substitute(&found.def.generics, &found.args),
                span,
            };
            let fields = payload.iter().map(any).collect();
            return Pattern { kind: PatternKind::Variant { tag, fields }, ty: ty.clone(), span };
        }
        if given.len() != payload.len() && !(args.is_none() && payload.is_empty()) {
            let message = format!(
                "`{}` has {} parts, the pattern has {}",
                variant.name,
                payload.len(),
                given.len()
            );
            self.report(Diagnostic::new(codes::E0305, span, message));
            self.bind_all(given, mutable);
            return broken(span);
        }
        let fields = given.iter().zip(payload).map(|(id, field)| {
            let field_ty = field.ty.substitute(&found.def.generics, &found.args);
            self.pattern(*id, &field_ty, mutable)
        });
        let fields = fields.collect();
        Pattern { kind: PatternKind::Variant { tag, fields }, ty: ty.clone(), span }
    }

    /// The enum a variant pattern is looked up in: the type matched, or the one written before the dot.
    fn variant_target(&mut self, path: &Path, ty: &Ty) -> Option<EnumUse> {
        if let Some(found) = self.enum_use(ty) {
            if let Some(qualifier) = &path.qualifier
                && qualifier.name != *found.def.name
            {
                let named =
                    self.constructed(&qualifier.name.text(), qualifier.span, &Expect::Nothing);
                if let Some(named) = named
                    && self.table.unify(&named, ty).is_err()
                {
                    self.does_not_fit(&named, ty, path.name.span);
                    return None;
                }
            }
            return Some(found);
        }
        match (&path.qualifier, ty) {
            (_, Ty::Error) => None,
            (Some(qualifier), Ty::Var(_)) => {
                let named =
                    self.constructed(&qualifier.name.text(), qualifier.span, &Expect::Nothing)?;
                let _ = self.table.unify(&named, ty);
                self.enum_use(&named)
            }
            (None, Ty::Var(_)) => {
                let found = self.option_or_result(&path.name.name.text(), path.name.span);
                match found {
                    Some((found, _)) => {
                        let _ = self.table.unify(&found.ty, ty);
                        Some(found)
                    }
                    None => {
                        let message = "the type of the value matched is not known yet";
                        self.report(Diagnostic::new(codes::E0304, path.name.span, message));
                        None
                    }
                }
            }
            _ => {
                if let Ty::Adt(adt) = ty
                    && adt_definition(self.db, adt).is_none()
                {
                    self.report_older(adt, path.name.span);
                    return None;
                }
                let shown = self.table.resolve(ty);
                let name = &path.name.name;
                let is_type = BUILTIN_NAMES.contains(&name.as_str())
                    || matches!(self.definition(&name.text()), Some(Definition::Struct(_)));
                let message = match is_type {
                    true => format!("`{name}` is a type, not a form that a value may have"),
                    false => format!("`{name}` is a variant, but the value is `{shown}`"),
                };
                let diagnostic = Diagnostic::new(codes::E0301, path.name.span, message);
                self.report(match is_type {
                    true => diagnostic.note(
                        "types are known before anything runs, `:type x` shows them; a pattern tests a form: `x is Some(_)`, `x is 0`",
                    ),
                    false => diagnostic,
                });
                None
            }
        }
    }

    /// Names below a pattern that is wrong still exist, so that their uses are not reported.
    fn bind_all(&mut self, ids: &[PatId], mutable: bool) {
        for id in ids {
            self.pattern(*id, &Ty::Error, mutable);
        }
    }

    fn struct_of(&self, ty: &Ty, name: &str) -> Option<Vec<Param>> {
        let Ty::Adt(adt) = ty else { return None };
        match adt_definition(self.db, adt)? {
            Definition::Struct(def) if &*def.name == name => Some(
                def.fields
                    .iter()
                    .map(|field| Param {
                        ty: field.ty.substitute(&def.generics, &adt.args),
                        ..field.clone()
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    fn positional(
        &mut self,
        fields: &[Param],
        args: &[PatId],
        ty: &Ty,
        mutable: bool,
        span: Span,
    ) -> Pattern {
        if args.len() != fields.len() {
            let message =
                format!("the struct has {} fields, the pattern has {}", fields.len(), args.len());
            self.report(Diagnostic::new(codes::E0305, span, message));
            self.bind_all(args, mutable);
            return broken(span);
        }
        let mut out = Vec::new();
        for (at, (field, id)) in fields.iter().zip(args).enumerate() {
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            out.push((index, self.pattern(*id, &field.ty, mutable)));
        }
        Pattern { kind: PatternKind::Fields(out), ty: ty.clone(), span }
    }

    /// `{ a, b: p, .. }`, `Name { .. }`.
    fn record_pattern(
        &mut self,
        name: Option<Name>,
        fields: &[FieldPat],
        rest: bool,
        ty: &Ty,
        mutable: bool,
        span: Span,
    ) -> Pattern {
        let ids: Vec<PatId> = fields.iter().map(|field| field.pattern).collect();
        let known: Option<Vec<(Name, Ty)>> = match (&name, ty) {
            (_, Ty::Record(fields)) if name.is_none() => Some(fields.clone()),
            (name, Ty::Adt(adt)) => {
                let own = name.clone().unwrap_or_else(|| adt.name.clone());
                match self.struct_of(ty, &own) {
                    Some(fields) => Some(fields.into_iter().map(|f| (f.name, f.ty)).collect()),
                    None => return self.variant_fields(name.as_ref(), fields, ty, mutable, span),
                }
            }
            _ => None,
        };
        let Some(known) = known else {
            self.does_not_fit(&Ty::Param(name.unwrap_or_else(|| Arc::from("a record"))), ty, span);
            self.bind_all(&ids, mutable);
            return broken(span);
        };
        let out = self.named_patterns(&known, fields, rest, mutable, span);
        Pattern { kind: PatternKind::Fields(out), ty: ty.clone(), span }
    }

    fn variant_fields(
        &mut self,
        name: Option<&Name>,
        fields: &[FieldPat],
        ty: &Ty,
        mutable: bool,
        span: Span,
    ) -> Pattern {
        let ids: Vec<PatId> = fields.iter().map(|field| field.pattern).collect();
        let found = self.enum_use(ty);
        let tag = match (&found, name) {
            (Some(found), Some(name)) => self.variant_of(found, name, span),
            _ => {
                self.does_not_fit(&Ty::Param(Arc::from("a record")), ty, span);
                None
            }
        };
        let (Some(found), Some(tag)) = (found, tag) else {
            self.bind_all(&ids, mutable);
            return broken(span);
        };
        let Some(variant) = found.def.variants.get(tag as usize) else { return broken(span) };
        let known: Vec<(Name, Ty)> = variant
            .fields
            .iter()
            .map(|f| (f.name.clone(), f.ty.substitute(&found.def.generics, &found.args)))
            .collect();
        let given = self.named_patterns(&known, fields, true, mutable, span);
        let place = |at: usize| {
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            given.iter().find(|(other, _)| *other == index).map(|(_, pattern)| pattern.clone())
        };
        let all = known.iter().enumerate().map(|(at, (_, ty))| {
            place(at).unwrap_or_else(|| Pattern {
                kind: PatternKind::Wildcard,
                ty: ty.clone(),
                span,
            })
        });
        let fields = all.collect();
        Pattern { kind: PatternKind::Variant { tag, fields }, ty: ty.clone(), span }
    }

    fn named_patterns(
        &mut self,
        known: &[(Name, Ty)],
        fields: &[FieldPat],
        rest: bool,
        mutable: bool,
        span: Span,
    ) -> Vec<(u32, Pattern)> {
        let mut out = Vec::new();
        for field in fields {
            let text = field.name.name.text();
            match known.iter().position(|(name, _)| *name == text) {
                Some(at) => {
                    let ty = known.get(at).map_or(Ty::Error, |(_, ty)| ty.clone());
                    let index = u32::try_from(at).unwrap_or(u32::MAX);
                    out.push((index, self.pattern(field.pattern, &ty, mutable)));
                }
                None => {
                    let message = format!("there is no field `{text}`");
                    self.report(Diagnostic::new(codes::E0206, field.name.span, message));
                    self.pattern(field.pattern, &Ty::Error, mutable);
                }
            }
        }
        if !rest && fields.len() < known.len() {
            let missing = known
                .iter()
                .filter(|(name, _)| !fields.iter().any(|field| field.name.name == **name))
                .map(|(name, _)| format!("`{name}`"));
            let list: Vec<String> = missing.collect();
            if !list.is_empty() {
                let message = format!("the pattern leaves out {}", list.join(", "));
                self.report(
                    Diagnostic::new(codes::E0305, span, message)
                        .note("end it with `..` to skip the other fields"),
                );
            }
        }
        out
    }

    fn tuple_pattern(
        &mut self,
        items: &[PatId],
        ty: &Ty,
        mutable: bool,
        span: Span,
    ) -> Option<PatternKind> {
        let types = match ty {
            Ty::Tuple(types) if types.len() == items.len() => types.clone(),
            Ty::Unit if items.is_empty() => return Some(PatternKind::Wildcard),
            Ty::Var(_) => {
                let types: Vec<Ty> = items.iter().map(|_| self.fresh(span)).collect();
                let _ = self.table.unify(ty, &Ty::Tuple(types.clone()));
                types
            }
            Ty::Error => {
                self.bind_all(items, mutable);
                return None;
            }
            other => {
                let shown = self.table.resolve(other);
                let message = format!(
                    "this pattern is for a tuple of {}, but the value is `{shown}`",
                    items.len()
                );
                self.report(Diagnostic::new(codes::E0301, span, message));
                self.bind_all(items, mutable);
                return None;
            }
        };
        let mut out = Vec::new();
        for (at, (item, ty)) in items.iter().zip(&types).enumerate() {
            out.push((u32::try_from(at).unwrap_or(u32::MAX), self.pattern(*item, ty, mutable)));
        }
        Some(PatternKind::Fields(out))
    }

    fn list_pattern(
        &mut self,
        items: &[ListPat],
        ty: &Ty,
        mutable: bool,
        span: Span,
    ) -> Option<PatternKind> {
        let element = match ty {
            Ty::List(element) => (**element).clone(),
            Ty::Vector => Ty::Float,
            Ty::Error => Ty::Error,
            other => {
                self.does_not_fit(&Ty::list(Ty::Param(Arc::from("_"))), other, span);
                Ty::Error
            }
        };
        let (mut before, mut after, mut rest) = (Vec::new(), Vec::new(), None);
        for item in items {
            match item {
                ListPat::Element(id) => {
                    let pattern = self.pattern(*id, &element, mutable);
                    if rest.is_none() { before.push(pattern) } else { after.push(pattern) }
                }
                ListPat::Rest(name) if rest.is_none() => {
                    let list = Ty::list(element.clone());
                    let local: Option<LocalId> = name
                        .as_ref()
                        .map(|name| self.declare_new(&name.name.text(), list, mutable, name.span));
                    rest = Some(local);
                }
                ListPat::Rest(_) => {
                    let message = "a list pattern has at most one `..`";
                    self.report(Diagnostic::new(codes::E0301, span, message));
                }
            }
        }
        (element != Ty::Error).then_some(PatternKind::List { before, rest, after })
    }

    /// All alternatives bind the same names with the same types; they share the locals of the first.
    fn or_pattern(&mut self, ids: &[PatId], ty: &Ty, mutable: bool, span: Span) -> Pattern {
        let mut out: Vec<Pattern> = Vec::new();
        let mut first: Vec<(Name, LocalId)> = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            self.enter();
            let pattern = self.pattern(*id, ty, mutable);
            let scope = self.frame().scopes.pop().unwrap_or_default();
            let mut names: Vec<(Name, LocalId)> = scope.into_iter().collect();
            names.sort_by(|a, b| a.0.cmp(&b.0));
            if at == 0 {
                first = names;
                out.push(pattern);
                continue;
            }
            let same =
                names.len() == first.len() && names.iter().zip(&first).all(|(a, b)| a.0 == b.0);
            if !same {
                let message = "the alternatives of a pattern bind the same names";
                self.report(Diagnostic::new(codes::E0301, span, message));
            }
            let mut pattern = pattern;
            for ((_, from), (_, to)) in names.iter().zip(&first) {
                let (a, b) = (self.local_ty(*from), self.local_ty(*to));
                if self.table.unify(&a, &b).is_err() {
                    self.does_not_fit(&a, &b, span);
                }
                rename(&mut pattern, *from, *to);
            }
            out.push(pattern);
        }
        for (name, id) in first {
            if let Some(scope) = self.frame().scopes.last_mut() {
                scope.insert(name, id);
            }
        }
        Pattern { kind: PatternKind::Or(out), ty: ty.clone(), span }
    }
}

fn rename(pattern: &mut Pattern, from: LocalId, to: LocalId) {
    match &mut pattern.kind {
        PatternKind::Bind(id) | PatternKind::List { rest: Some(Some(id)), .. } if *id == from => {
            *id = to;
        }
        _ => {}
    }
    crate::hir::visit::pattern_children(pattern, &mut |inner| rename(inner, from, to));
}

/// Stands where a mistake was reported.
fn broken(span: Span) -> Pattern {
    Pattern { kind: PatternKind::Wildcard, ty: Ty::Error, span }
}
