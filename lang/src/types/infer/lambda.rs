//! Lambdas and nested functions: what they take along, and their places among the locals.

use std::sync::Arc;

use ag_runtime::builtin::BuiltinId;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Callee, Capture, ExprKind, LocalId, Pattern, PatternKind, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{ExprId, LambdaParam};
use crate::syntax::item;
use crate::types::builtins::builtin_signature;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::{Expect, Infer, error, expr};
use crate::types::report;
use crate::types::ty::{Name, Ty};

impl Infer<'_, '_> {
    pub fn lambda(
        &mut self,
        params: &[LambdaParam],
        body: ExprId,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let wanted = match self.expected_type(expect) {
            Some(Ty::Function(ty)) => Some(ty),
            _ => None,
        };
        if let Some(wanted) = &wanted
            && wanted.params.len() != params.len()
        {
            return self.wrong_parameters(&wanted.params, params, span);
        }
        let result = match &wanted {
            Some(wanted) => wanted.result.clone(),
            None => self.fresh(span),
        };
        let key = self.lambda_key();
        self.open(FrameKind::Lambda, key, result.clone());
        let mut types = Vec::new();
        for (at, param) in params.iter().enumerate() {
            let from_context = wanted.as_ref().and_then(|wanted| wanted.params.get(at)).cloned();
            let ty = self.lambda_param(param, from_context);
            types.push(ty);
        }
        self.frame().params = u32::try_from(params.len()).unwrap_or(u32::MAX);
        let body = self.lambda_body(body, &result);
        let ty = Ty::function(types, result);
        self.close_lambda(body, ty, span)
    }

    /// Its body says nothing more: what its names stand for is not known.
    fn wrong_parameters(&mut self, wanted: &[Ty], params: &[LambdaParam], span: Span) -> hir::Expr {
        let count = match wanted.len() {
            0 => "without parameters".to_owned(),
            1 => "of one parameter".to_owned(),
            n => format!("of {n} parameters"),
        };
        let message =
            format!("a function {count} is wanted here, this lambda has {}", params.len());
        let diagnostic = Diagnostic::new(codes::E0301, span, message);
        let is_pair = |ty: &Ty| match self.shallow(ty) {
            Ty::Tuple(items) => items.len() == params.len(),
            _ => false,
        };
        self.report(match wanted {
            [one] if is_pair(one) => {
                let used = params.iter().position(|param| param.name.name != "_").unwrap_or(0);
                diagnostic.note(format!(
                    "the parameter is one tuple; its parts are `e.0`, `e.1`: `e => e.{used}`"
                ))
            }
            _ => diagnostic,
        });
        error(span)
    }

    pub fn lambda_key(&mut self) -> Name {
        let number = self.next_lambda();
        let outer = self.frame().key.clone();
        Arc::from(format!("{outer}.{{lambda {number}}}"))
    }

    fn lambda_param(&mut self, param: &LambdaParam, from_context: Option<Ty>) -> Ty {
        let written = param.ty.map(|ty| self.written_parameter(ty));
        let ty = match (written, from_context) {
            (Some(written), Some(wanted)) => {
                if self.table.unify(&written, &wanted).is_err() {
                    let (expected, found) =
                        (self.table.resolve(&wanted), self.table.resolve(&written));
                    self.report(report::mismatch(&expected, &found, param.name.span));
                }
                written
            }
            (Some(ty), None) | (None, Some(ty)) => ty,
            (None, None) => self.fresh(param.name.span),
        };
        self.declare_given(&param.name.name.text(), &ty, param.name.span);
        ty
    }

    /// The value of the body, or what it returns.
    fn lambda_body(&mut self, body: ExprId, result: &Ty) -> hir::Expr {
        let wanted = self.shallow(result);
        if wanted == Ty::Unit {
            let value = self.expected(body, &Expect::Discard);
            return value;
        }
        let value = self.expr(body, &Expect::Is(result.clone()));
        // `x => { ...; return a }`: the block itself gives nothing.
        self.coerce(value, result)
    }

    /// Ends the innermost frame and makes the lambda.
    pub fn close_lambda(&mut self, body: hir::Expr, ty: Ty, span: Span) -> hir::Expr {
        let Some(mut frame) = self.frames.pop() else { return error(span) };
        let mut body = body;
        let taken = self.take_fields(&mut frame, &mut body);
        let (function, captures) = frame.finish(body, span);
        let function = Box::new(function);
        let lambda = expr(ExprKind::Lambda { function, captures }, ty.clone(), span);
        if taken.is_empty() {
            return lambda;
        }
        expr(ExprKind::Block { stmts: taken, value: Some(Box::new(lambda)) }, ty, span)
    }

    /// A function inside a block: a lambda with a name, which gives values by `return` only.
    pub fn nested_function(&mut self, function: &item::Function, out: &mut Vec<Stmt>) {
        let span = function.span;
        if !function.generics.is_empty()
            || !function.contracts.is_empty()
            || function.uses.is_some()
        {
            self.report(report::unsupported(
                "type parameters, contracts and `uses` of a nested function",
                span,
            ));
        }
        let Some(block) = &function.body else { return };
        let result = match function.ret {
            Some(ret) => self.written_type(ret),
            None => self.fresh(function.name.span),
        };
        let name = function.name.name.text();
        let key = Arc::from(format!("{}.{name}", self.frame().key));
        let mut types = Vec::new();
        let mut params = Vec::new();
        for param in &function.params {
            if param.default.is_some() {
                self.report(report::unsupported("a default in a nested function", param.span));
            }
            let ty = self.written_parameter(param.ty);
            params.push((param.name.name.text(), ty.clone(), param.name.span));
            types.push(ty);
        }
        self.open(FrameKind::Function, key, result.clone());
        for (name, ty, span) in &params {
            self.declare_given(name, ty, *span);
        }
        self.frame().params = u32::try_from(params.len()).unwrap_or(u32::MAX);
        let body = self.function_body(block, function.name.span);
        let ty = Ty::function(types, result);
        let value = self.close_lambda(body, ty.clone(), span);
        let local = self.declare_new(&name, ty.clone(), false, function.name.span);
        let pattern = Pattern { kind: PatternKind::Bind(local), ty, span: function.name.span };
        out.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
    }

    /// A builtin function as a value: a lambda that calls it.
    pub fn builtin_value(&mut self, id: BuiltinId, span: Span) -> hir::Expr {
        let Some(row) = id.get() else { return error(span) };
        let signature = builtin_signature(self.db, id.0);
        if !row.supported || row.form != ag_runtime::builtin::Form::Plain {
            self.report(report::unsupported(&format!("`{}` as a value", row.name), span));
            return error(span);
        }
        let types: Vec<Ty> = signature.generics.iter().map(|_| self.fresh(span)).collect();
        let needed = signature.params.iter().filter(|param| param.default.is_none());
        let params: Vec<(Name, Ty)> = needed
            .map(|param| (param.name.clone(), param.ty.substitute(&signature.generics, &types)))
            .collect();
        let result = signature.result.substitute(&signature.generics, &types);
        self.row_effects(row, span);
        let key = self.lambda_key();
        self.open(FrameKind::Lambda, key, result.clone());
        let mut args = Vec::new();
        for (name, ty) in &params {
            let local = self.declare(name, ty.clone(), false, span);
            args.push(expr(ExprKind::Local(local), ty.clone(), span));
        }
        self.frame().params = u32::try_from(params.len()).unwrap_or(u32::MAX);
        let mut given = args.into_iter();
        let mut all = Vec::new();
        for param in &signature.params {
            match &param.default {
                Some(value) => all.push(crate::types::infer::args::respan((**value).clone(), span)),
                None => all.extend(given.next()),
            }
        }
        let body = expr(ExprKind::Builtin { id, args: all, types }, result.clone(), span);
        let ty = Ty::function(params.into_iter().map(|(_, ty)| ty).collect(), result);
        self.close_lambda(body, ty, span)
    }
}

impl crate::types::infer::frame::Frame {
    /// The function, with its captures moved behind its parameters, and what it captures.
    pub fn finish(self, body: hir::Expr, span: Span) -> (hir::Function, Vec<Capture>) {
        let inner: Vec<LocalId> = self.captures.iter().map(|capture| capture.inner).collect();
        let is_param = |id: &LocalId| id.0 < self.params;
        let all = (0..self.locals.len()).map(|at| LocalId(u32::try_from(at).unwrap_or(u32::MAX)));
        let params = all.clone().filter(is_param);
        let rest = all.clone().filter(|id| !is_param(id) && !inner.contains(id));
        let order: Vec<LocalId> = params.chain(inner.iter().copied()).chain(rest).collect();
        let mut places = vec![LocalId(0); order.len()];
        for (at, id) in order.iter().enumerate() {
            if let Some(place) = places.get_mut(id.0 as usize) {
                *place = LocalId(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        let place = |id: LocalId| places.get(id.0 as usize).copied().unwrap_or(id);
        let mut body = body;
        if !inner.is_empty() {
            renumber(&mut body, &place);
        }
        let locals =
            order.iter().filter_map(|id| self.locals.get(id.0 as usize).cloned()).collect();
        let captures =
            self.captures.iter().map(|c| Capture { outer: c.outer, inner: place(c.inner) });
        let captures: Vec<Capture> = captures.collect();
        let function = hir::Function {
            key: self.key,
            params: self.params,
            captures: u32::try_from(captures.len()).unwrap_or(u32::MAX),
            locals,
            result: self.result,
            body,
            effects: Vec::new(),
            item: 0,
            tied: false,
            span,
        };
        (function, captures)
    }
}

/// Gives every local of this function its new place; of lambdas inside, what they capture from here.
fn renumber(value: &mut hir::Expr, place: &dyn Fn(LocalId) -> LocalId) {
    match &mut value.kind {
        ExprKind::Local(id) | ExprKind::Cell(id) | ExprKind::Ensuring { result: id, .. } => {
            *id = place(*id)
        }
        ExprKind::Lambda { captures, .. } => {
            captures.iter_mut().for_each(|capture| capture.outer = place(capture.outer));
        }
        ExprKind::Match { arms, .. } => {
            arms.iter_mut().for_each(|arm| renumber_pattern(&mut arm.pattern, place));
        }
        ExprKind::For { pattern, .. } => renumber_pattern(pattern, place),
        ExprKind::Block { stmts, .. } => {
            for stmt in stmts {
                match &mut stmt.kind {
                    StmtKind::Let { pattern, .. } => renumber_pattern(pattern, place),
                    StmtKind::Assign { place: target, .. } => {
                        if let hir::PlaceRoot::Local(id) = &mut target.root {
                            *id = place(*id);
                        }
                    }
                    StmtKind::Expr(_) => {}
                }
            }
        }
        ExprKind::Call { callee: Callee::Value(_), .. } => {}
        _ => {}
    }
    hir::visit::children(value, &mut |inner| renumber(inner, place));
}

fn renumber_pattern(pattern: &mut Pattern, place: &dyn Fn(LocalId) -> LocalId) {
    match &mut pattern.kind {
        PatternKind::Bind(id) | PatternKind::List { rest: Some(Some(id)), .. } => *id = place(*id),
        _ => {}
    }
    hir::visit::pattern_children(pattern, &mut |inner| renumber_pattern(inner, place));
}
