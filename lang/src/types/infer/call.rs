//! Calls: arguments against parameters, functions, constructors, builtins, function values.
//!
//! Long because every form of a call is elaborated here; a form that grows moves into a file of its own.

use std::sync::Arc;

use ag_runtime::builtin::{self, BuiltinId, Form};

use crate::diag::{Diagnostic, codes, nearest};
use crate::hir::{self, Callee, ExprKind, Instance};
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{self, Arg, ExprId};
use crate::types::builtins::builtin_signature;
use crate::types::check::inferred_result;
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, Param, Passing, Signature, ToolDef};
use crate::types::hints;
use crate::types::infer::args::{Bound, Default, DefaultSlot, Formal};
use crate::types::infer::contract::block;
use crate::types::infer::lend::Lent;
use crate::types::infer::name::EnumUse;
use crate::types::infer::{Expect, Infer, Owner, Pending, error, expr};
use crate::types::report;
use crate::types::tool;
use crate::types::ty::{Name, Ty};

/// The row whose result is only known when it was written.
const REMEMBER: &str = "remember";

impl Infer<'_, '_> {
    pub fn call(&mut self, callee: ExprId, args: &[Arg], span: Span, expect: &Expect) -> hir::Expr {
        let body = self.body;
        match &body[callee].kind {
            ast::ExprKind::Name(name) => {
                self.call_name(&name.text(), body[callee].span, args, span, expect)
            }
            // In parentheses it is the value of the field that is called: `(p.f.value)(3)`.
            ast::ExprKind::Field { base, name } if body[callee].span.start == span.start => {
                self.call_member(*base, name, args, span, expect)
            }
            _ => {
                let function = self.infer(callee);
                self.call_value(function, args, span)
            }
        }
    }

    fn call_name(
        &mut self,
        name: &Name,
        at: Span,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        if let Some(function) = self.own_name(name, at) {
            return self.call_value(function, args, span);
        }
        if &**name == "old"
            && let Some(value) = self.old_value(args, span)
        {
            return value;
        }
        if let Some(call) = self.call_private(name, args, span, expect) {
            return call;
        }
        if let Some((found, tag)) = self.shorthand(name, expect) {
            return self.variant_call(&found, tag, args, span);
        }
        if let Some(function) = self.global_value(name, at) {
            return self.call_value(function, args, span);
        }
        match self.definition(name).cloned() {
            Some(Definition::Function(signature)) => {
                self.uses(name);
                self.calls(name, None, at);
                let owner = ScopedName::new(self.db, name.clone(), self.prelude);
                self.call_function(&signature, owner, None, CallHead::default(), args, span, expect)
            }
            Some(Definition::Struct(_) | Definition::Alias(_)) => {
                self.construct(name, at, args, span, expect)
            }
            Some(Definition::Tool(tool)) => self.construct_tool(&tool, args, span),
            Some(other) => {
                self.infer_args(args);
                if !matches!(other, Definition::Unsupported(_)) {
                    let message = format!("`{name}` is {} and cannot be called", other.kind());
                    let diagnostic = Diagnostic::new(codes::E0302, at, message);
                    self.report(match other {
                        Definition::Agent(_) => {
                            diagnostic.note(format!("`@spawn({name})` starts one"))
                        }
                        _ => diagnostic,
                    });
                }
                error(span)
            }
            None => self.call_builtin_name(name, at, args, span, expect),
        }
    }

    fn call_builtin_name(
        &mut self,
        name: &Name,
        at: Span,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        if let Some((found, tag)) = self.option_or_result(name, at) {
            return self.variant_call(&found, tag, args, span);
        }
        if let Some(id) = builtin::function(name) {
            return self.call_builtin(id, None, args, span, expect);
        }
        // L-34: the `@` of a call is optional.
        if let Some(id) = builtin::intrinsic(name)
            && let Some(row) = id.get()
            && row.kind == builtin::Kind::Intrinsic(builtin::Row::Call)
        {
            return self.intrinsic_call(id, args, span, expect);
        }
        self.infer_args(args);
        if self.first_time_missing(name) {
            let diagnostic = self.unknown_name(name, at);
            let hint = hints::converts(name).map(str::to_owned).or_else(|| hints::is_method(name));
            let is_told = !diagnostic.notes.is_empty();
            self.report(match hint.filter(|_| !is_told) {
                // What it was meant to be is known better than by its letters.
                Some(hint) => Diagnostic { fixes: Vec::new(), ..diagnostic.note(hint) },
                None => diagnostic,
            });
        }
        error(span)
    }

    /// A private function of the own agent.
    fn call_private(
        &mut self,
        name: &Name,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> Option<hir::Expr> {
        let Owner::Agent(agent) = self.owner.clone() else { return None };
        let function = agent.functions.iter().find(|function| function.name == *name)?;
        self.calls(&agent.name, Some(name), span);
        let owner = ScopedName::new(self.db, agent.name.clone(), self.prelude);
        let member = Some(function.member);
        let head = CallHead::default();
        Some(self.call_function(&function.signature, owner, member, head, args, span, expect))
    }

    /// Infers arguments that go nowhere, for their own mistakes.
    pub fn infer_args(&mut self, args: &[Arg]) {
        for arg in args {
            self.infer(arg.value);
        }
    }

    /// What a function gives, inferred from its body if it is not written.
    pub fn result_of(&mut self, name: &Name, member: Option<u32>, signature: &Signature) -> Ty {
        let owner = ScopedName::new(self.db, name.clone(), self.prelude);
        self.result_in(owner, member, signature)
    }

    pub fn result_in(
        &mut self,
        owner: ScopedName<'_>,
        member: Option<u32>,
        signature: &Signature,
    ) -> Ty {
        match &signature.result {
            Some(ty) => ty.clone(),
            None => {
                let owner =
                    ScopedName::new(self.db, owner.name(self.db).clone(), owner.prelude(self.db));
                inferred_result(self.db, owner, member)
            }
        }
    }

    /// A call of a function of the program; `head` is what comes before the written arguments.
    #[allow(clippy::too_many_arguments)] // The parts of one call.
    pub fn call_function(
        &mut self,
        signature: &Signature,
        owner: ScopedName<'_>,
        member: Option<u32>,
        head: CallHead,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let types = self.type_arguments(signature, head.types, span);
        let declared = self.result_in(owner, member, signature);
        let result = declared.substitute(&signature.generics, &types);
        // What is wanted says what the type parameters are; a bare one may still be converted (L-38).
        if !matches!(declared, Ty::Param(_))
            && !types.is_empty()
            && let Expect::Is(want) = expect
        {
            self.table.try_unify(&result, want);
        }
        let params: Vec<Param> = signature
            .params
            .iter()
            .map(|param| Param {
                ty: param.ty.substitute(&signature.generics, &types),
                ..param.clone()
            })
            .collect();
        let formals = self.formals(&params, owner, member, &types);
        let Some(mut bound) = self.arguments(&signature.key, &formals, args, span) else {
            return expr(ExprKind::Unit, if result == Ty::Unit { Ty::Error } else { result }, span);
        };
        let callee = match types.is_empty() {
            true => Callee::Function(signature.key.clone()),
            false => Callee::Instance(self.instance(signature, owner, member, types)),
        };
        let is_measured = self.is_measured(&signature.key);
        let mut lent = head.lent;
        lent.append(&mut bound.lent);
        self.lent_once(&lent);
        let call = self.in_order(bound, span, |values| {
            let args = head.first.into_iter().chain(values).collect();
            expr(ExprKind::Call { callee, args }, result, span)
        });
        let call = if is_measured { self.smaller_call(call) } else { call };
        self.give_back(lent, call)
    }

    /// A recursion after the check that its measure gets smaller.
    fn smaller_call(&mut self, call: hir::Expr) -> hir::Expr {
        let (ty, span) = (call.ty.clone(), call.span);
        match call.kind {
            ExprKind::Call { callee, args } => {
                let (stmts, args) = self.descending(args, span);
                let call = expr(ExprKind::Call { callee, args }, ty.clone(), span);
                block(stmts, Some(call), ty, span)
            }
            ExprKind::Block { stmts, value: Some(value) } => {
                let value = self.smaller_call(*value);
                block(stmts, Some(value), ty, span)
            }
            kind => expr(kind, ty, span),
        }
    }

    /// One type for each parameter of a generic function, the first ones known from the receiver.
    pub fn type_arguments(&mut self, signature: &Signature, known: Vec<Ty>, span: Span) -> Vec<Ty> {
        let mut types = known;
        while types.len() < signature.generics.len() {
            types.push(self.fresh(span));
        }
        self.bounded(&signature.key, &signature.generics, &signature.bounds, &types, span);
        types
    }

    /// The bounds of type parameters, to be checked when their types are known.
    pub fn bounded(
        &mut self,
        what: &Name,
        generics: &[Name],
        bounds: &[(Name, Name)],
        types: &[Ty],
        span: Span,
    ) {
        for (param, bound) in bounds {
            let ty = Ty::Param(param.clone()).substitute(generics, types);
            let of = Some((param.clone(), what.clone()));
            self.pending.push(Pending::Bound { ty, bound: bound.clone(), span, of });
        }
    }

    pub fn instance(
        &self,
        signature: &Signature,
        owner: ScopedName<'_>,
        member: Option<u32>,
        args: Vec<Ty>,
    ) -> Box<Instance> {
        Box::new(Instance {
            key: signature.key.clone(),
            owner: owner.name(self.db).clone(),
            prelude: owner.prelude(self.db),
            member,
            default: None,
            args,
        })
    }

    pub fn formals(
        &self,
        params: &[Param],
        owner: ScopedName<'_>,
        member: Option<u32>,
        types: &[Ty],
    ) -> Vec<Formal> {
        let (name, prelude) = (owner.name(self.db).clone(), owner.prelude(self.db));
        let formal = |(at, param): (usize, &Param)| Formal {
            name: param.name.clone(),
            ty: param.ty.clone(),
            passing: param.passing,
            default: match param.has_default {
                true => Default::Slot(DefaultSlot::of(&name, prelude, member, at).with(types)),
                false => Default::Required,
            },
        };
        params.iter().enumerate().map(formal).collect()
    }

    /// A function value with positional arguments.
    pub fn call_value(&mut self, function: hir::Expr, args: &[Arg], span: Span) -> hir::Expr {
        match self.shallow(&function.ty) {
            Ty::Function(ty) => {
                match &ty.uses {
                    Some(uses) => self.may_do(uses, span),
                    None => self.refused_function(span),
                }
                let formals: Vec<Formal> = ty.params.iter().enumerate().map(unnamed).collect();
                let Some(bound) = self.arguments("this function", &formals, args, span) else {
                    return expr(ExprKind::Unit, Ty::Error, span);
                };
                self.lent_once(&bound.lent);
                let callee = Callee::Value(Box::new(function));
                let kind = ExprKind::Call { callee, args: bound.values };
                self.give_back(bound.lent, expr(kind, ty.result.clone(), span))
            }
            Ty::Var(_) => {
                let (mut values, mut params, mut lent) = (Vec::new(), Vec::new(), Vec::new());
                for arg in args {
                    let (value, param) = self.argument_of_unknown(arg, &mut lent);
                    values.push(value);
                    params.push(param);
                }
                self.lent_once(&lent);
                let result = self.fresh(span);
                let wanted = Ty::function(params, result.clone());
                let function = self.coerce(function, &wanted);
                let callee = Callee::Value(Box::new(function));
                self.give_back(lent, expr(ExprKind::Call { callee, args: values }, result, span))
            }
            Ty::Error => {
                self.infer_args(args);
                error(span)
            }
            other => {
                self.infer_args(args);
                let ty = self.table.resolve(&other);
                let message = format!("a value of type `{ty}` cannot be called");
                self.report(Diagnostic::new(codes::E0302, function.span, message));
                error(span)
            }
        }
    }

    /// `S(1, b: 2)`.
    fn construct(
        &mut self,
        name: &Name,
        at: Span,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let Some(ty) = self.constructed(name, at, expect) else {
            self.infer_args(args);
            return error(span);
        };
        let found = match &ty {
            Ty::Adt(adt) => adt_definition(self.db, adt).map(|def| (adt.clone(), def.clone())),
            _ => None,
        };
        let Some((adt, Definition::Struct(def))) = found else {
            self.infer_args(args);
            if ty != Ty::Error {
                let message = format!("`{name}` is not a struct and cannot be constructed");
                self.report(Diagnostic::new(codes::E0302, at, message));
            }
            return error(span);
        };
        let fields = def.fields.iter().map(|field| Param {
            ty: field.ty.substitute(&def.generics, &adt.args),
            ..field.clone()
        });
        let fields: Vec<Param> = fields.collect();
        self.bounded(&def.name, &def.generics, &def.bounds, &adt.args, span);
        let owner = ScopedName::new(self.db, def.name.clone(), def.fingerprint == 0);
        self.build_record(&def.name, &fields, owner, ty, args, span)
    }

    fn construct_tool(&mut self, tool: &ToolDef, args: &[Arg], span: Span) -> hir::Expr {
        self.uses(&tool.name);
        if let Some(diagnostic) = tool::cannot_be_made(self.db, &tool.name, span) {
            self.infer_args(args);
            self.report(diagnostic);
            return expr(ExprKind::Unit, Ty::Error, span);
        }
        let owner = ScopedName::new(self.db, tool.name.clone(), self.prelude);
        let ty = Ty::Tool(tool.name.clone());
        self.build_record(&tool.name, &tool.fields, owner, ty, args, span)
    }

    pub fn build_record(
        &mut self,
        name: &str,
        fields: &[Param],
        owner: ScopedName<'_>,
        ty: Ty,
        args: &[Arg],
        span: Span,
    ) -> hir::Expr {
        let types = match &ty {
            Ty::Adt(adt) => adt.args.clone(),
            _ => Vec::new(),
        };
        let formals = self.formals(fields, owner, None, &types);
        let Some(bound) = self.arguments(name, &formals, args, span) else {
            return expr(ExprKind::Unit, Ty::Error, span);
        };
        let evaluation = bound.written;
        let record = expr(ExprKind::Record { fields: bound.values, evaluation }, ty, span);
        self.kept(record)
    }

    /// A variant with its payload.
    pub fn variant_call(
        &mut self,
        found: &EnumUse,
        tag: u32,
        args: &[Arg],
        span: Span,
    ) -> hir::Expr {
        let Some(variant) = found.def.variants.get(tag as usize) else { return error(span) };
        let def = &found.def;
        self.bounded(&def.name, &def.generics, &def.bounds, &found.args, span);
        let formal = |field: &Param| Formal {
            name: field.name.clone(),
            ty: field.ty.substitute(&found.def.generics, &found.args),
            passing: Passing::Val,
            default: Default::Required,
        };
        let formals: Vec<Formal> = variant.fields.iter().map(formal).collect();
        let what = format!("{}.{}", found.def.name, variant.name);
        let Some(bound) = self.arguments(&what, &formals, args, span) else {
            return expr(ExprKind::Unit, Ty::Error, span);
        };
        if found.def.fingerprint == 0 {
            self.numbers_fit(&what, &formals, &bound);
        }
        let ty = found.ty.clone();
        self.in_order(bound, span, |fields| expr(ExprKind::Variant { tag, fields }, ty, span))
    }

    /// The variant of that name, reported if there is none.
    pub fn variant_of(&mut self, found: &EnumUse, name: &Name, span: Span) -> Option<u32> {
        if let Some((tag, _)) = found.def.variant(name) {
            return Some(tag);
        }
        let known: Vec<&str> = found.def.variants.iter().map(|v| &*v.name).collect();
        let message = format!("`{}` has no variant `{name}`", found.def.name);
        let diagnostic = Diagnostic::new(codes::E0206, span, message)
            .note(format!("its variants: {}", known.join(", ")));
        let near = nearest(name, known);
        self.report(report::did_you_mean(diagnostic, span, &near));
        None
    }

    /// A builtin by its signature.
    pub fn call_builtin(
        &mut self,
        id: BuiltinId,
        receiver: Option<hir::Expr>,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let Some(row) = id.get() else { return error(span) };
        if !row.supported {
            self.infer_args(args);
            self.report(report::unsupported(&format!("`{}`", row.name), span));
            return error(span);
        }
        if let Form::Special(form) = row.form {
            return self.special(id, form, args, span, expect);
        }
        if row.name == REMEMBER && *expect != Expect::Discard {
            self.effect("episode", span);
        }
        let Some(bound) = self.builtin_arguments(id, receiver, args, span) else {
            return expr(ExprKind::Unit, Ty::Error, span);
        };
        let (types, result) = (bound.types, bound.result);
        self.in_order(bound.bound, span, |args| {
            expr(ExprKind::Builtin { id, args, types }, result, span)
        })
    }

    /// What a row can say about a constant before anything runs: that a pattern is none.
    fn constant_argument(&mut self, row: &builtin::Builtin, values: &[hir::Expr]) {
        let Some(constant) = row.constant else { return };
        let Some(value) = values.get(constant.parameter) else { return };
        if let ExprKind::Text(text) = &value.kind
            && let Some(wrong) = (constant.wrong)(text)
        {
            self.report(Diagnostic::new(codes::E0314, value.span, wrong));
        }
    }

    /// The arguments of a builtin with its type variables made fresh.
    pub fn builtin_arguments(
        &mut self,
        id: BuiltinId,
        receiver: Option<hir::Expr>,
        args: &[Arg],
        span: Span,
    ) -> Option<BuiltinUse> {
        let row = id.get()?;
        let signature = builtin_signature(self.db, id.0);
        let types: Vec<Ty> = signature.generics.iter().map(|_| self.fresh(span)).collect();
        for (name, bound) in &signature.bounds {
            let ty = Ty::Param(name.clone()).substitute(&signature.generics, &types);
            self.pending.push(Pending::Bound { ty, bound: bound.clone(), span, of: None });
        }
        let formal = |param: &crate::types::builtins::BuiltinParam| Formal {
            name: param.name.clone(),
            ty: param.ty.substitute(&signature.generics, &types),
            passing: Passing::Val,
            default: param.default.clone().map_or(Default::Required, Default::Value),
        };
        let mut formals: Vec<Formal> = signature.params.iter().map(formal).collect();
        let mut first = Vec::new();
        if let Some(receiver) = receiver {
            let me = formals.remove(0);
            first.push(self.coerce(receiver, &me.ty));
        }
        self.row_effects(row, span);
        let bound = self.arguments(row.name, &formals, args, span)?;
        self.numbers_fit(row.name, &formals, &bound);
        let written = match first.is_empty() {
            true => bound.written,
            false => std::iter::once(0).chain(bound.written.iter().map(|at| at + 1)).collect(),
        };
        let values: Vec<hir::Expr> = first.into_iter().chain(bound.values).collect();
        self.constant_argument(row, &values);
        let result = signature.result.substitute(&signature.generics, &types);
        Some(BuiltinUse { bound: Bound { values, written, lent: Vec::new() }, types, result })
    }
}

/// A parameter of a function value: its type is all there is to know of it.
fn unnamed((at, ty): (usize, &Ty)) -> Formal {
    let (passing, ty) = match ty {
        Ty::Ref(inner) => (Passing::Ref, &**inner),
        _ => (Passing::Val, ty),
    };
    let name = Arc::from(format!("_{at}"));
    Formal { name, ty: ty.clone(), passing, default: Default::Required }
}

/// What comes before the written arguments of a call: the receiver, and the type arguments it brings along.
#[derive(Default)]
pub struct CallHead {
    pub first: Vec<hir::Expr>,
    pub types: Vec<Ty>,
    /// The receiver, if it is lent.
    pub lent: Vec<Lent>,
}

/// A builtin with its arguments bound and its type variables chosen.
pub struct BuiltinUse {
    pub bound: Bound,
    pub types: Vec<Ty>,
    pub result: Ty,
}
