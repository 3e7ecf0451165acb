//! Statements: declarations, conditions that must hold, loops, leaving.

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Arm, ExprKind, Pattern, PatternKind, Sequence, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{
    self, Block, Cond, Diverge, ExprId, Ident, LoopSpec, PatId, StmtId, TypeRefId,
};
use crate::types::capability::passing;
use crate::types::infer::contract::{LoopChecks, block as block_of};
use crate::types::infer::control::wildcard;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::lend::moved;
use crate::types::infer::{Expect, Infer, error, expr};
use crate::types::ty::{Name, Ty};
use std::collections::BTreeSet;

impl Infer<'_, '_> {
    /// One statement; a few become several.
    pub fn statement(&mut self, id: StmtId, out: &mut Vec<Stmt>) {
        let body = self.body;
        let stmt = &body[id];
        let span = stmt.span;
        match &stmt.kind {
            ast::StmtKind::Error => {}
            ast::StmtKind::Let { mutable, pattern, ty, value, otherwise } => {
                self.let_statement(*mutable, *pattern, *ty, *value, otherwise.as_ref(), span, out);
            }
            ast::StmtKind::Declare { name, value } => self.declaration(name, *value, span, out),
            ast::StmtKind::Assign { place, op, value } => {
                self.assignment(*place, *op, *value, span, out);
            }
            ast::StmtKind::Require { cond, otherwise } => {
                let value = self.require(*cond, otherwise.as_ref(), span);
                out.push(expr_stmt(value));
            }
            ast::StmtKind::Assert { cond, message } => {
                let value = self.assert(*cond, *message, span);
                out.push(expr_stmt(value));
            }
            ast::StmtKind::Return(value) => {
                let value = self.return_value(*value, span);
                out.push(expr_stmt(value));
            }
            ast::StmtKind::Break | ast::StmtKind::Continue => {
                let leave = self.leave_loop(matches!(stmt.kind, ast::StmtKind::Break), span);
                out.push(expr_stmt(leave));
            }
            ast::StmtKind::For { pattern, iterable, specs, body } => {
                let value = self.for_loop(*pattern, *iterable, specs, body, span);
                out.push(expr_stmt(value));
            }
            ast::StmtKind::While { cond, specs, body } => {
                let value = self.while_loop(cond, specs, body, span);
                out.push(expr_stmt(value));
            }
            ast::StmtKind::Loop(body) => {
                let value = self.endless_loop(body, span);
                out.push(expr_stmt(value));
            }
            ast::StmtKind::Label { name, label } => self.label(name, label, span, out),
            ast::StmtKind::Hint { name, args } => self.simd_hint(name, args, span),
            ast::StmtKind::Function(function) => self.nested_function(function, out),
            ast::StmtKind::Expr(inner) => {
                if let Some(place) = self.statement_form(*inner) {
                    self.changing_call(place, *inner, span, out);
                    return;
                }
                let value = self.expected(*inner, &Expect::Discard);
                self.unused(*inner, &value);
                out.push(expr_stmt(value));
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // The parts of one statement.
    fn let_statement(
        &mut self,
        mutable: bool,
        pattern: PatId,
        ty: Option<TypeRefId>,
        value: ExprId,
        otherwise: Option<&Diverge>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let is_iso = ty.is_some_and(|ty| self.is_iso_variable(ty));
        let value = match ty {
            Some(ty) if is_iso => {
                let ty = self.written_type(passing(self.body, ty).1);
                let value = self.check(value, &ty);
                moved(hir::Expr { ty, ..value })
            }
            Some(ty) => {
                let ty = self.written_type(ty);
                let value = self.check(value, &ty);
                hir::Expr { ty, ..value }
            }
            None => self.infer(value),
        };
        let value = self.usable(value);
        match otherwise {
            None => {
                let ty = value.ty.clone();
                let pattern = self.binding(pattern, &ty, mutable);
                if let (PatternKind::Bind(local), true) = (&pattern.kind, is_iso) {
                    self.declared_iso(*local);
                }
                self.irrefutable(&pattern);
                out.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
            }
            Some(otherwise) => self.let_else(mutable, pattern, value, otherwise, span, out),
        }
    }

    /// A pattern that must match; a plain name is no variant here.
    pub fn binding(&mut self, id: PatId, ty: &Ty, mutable: bool) -> Pattern {
        let pat = &self.body[id];
        let ast::PatKind::Bind(name) = &pat.kind else { return self.pattern(id, ty, mutable) };
        let (name, span) = (name.text(), pat.span);
        let local = self.declare_new(&name, ty.clone(), mutable, span);
        Pattern { kind: PatternKind::Bind(local), ty: ty.clone(), span }
    }

    /// `let x := return`: nothing is ever bound; any type does.
    fn usable(&mut self, value: hir::Expr) -> hir::Expr {
        match self.shallow(&value.ty) {
            Ty::Agent(name) => {
                let message = format!("`{name}` is an agent, not a value");
                self.report(
                    Diagnostic::new(codes::E0201, value.span, message)
                        .note(format!("`@spawn({name})` starts one")),
                );
                hir::Expr { ty: Ty::Error, ..value }
            }
            _ => value,
        }
    }

    pub fn irrefutable(&mut self, pattern: &Pattern) {
        if self.has_error(pattern) {
            return;
        }
        let ty = self.table.resolve(&pattern.ty);
        let arms = [Arm { pattern: pattern.clone(), guard: None, body: error(pattern.span) }];
        let found =
            crate::types::exhaustive::check(self.db, &ty, &arms, &|ty| self.table.resolve(ty));
        if let Some(missing) = found.missing {
            let message = format!("this pattern does not match `{missing}`");
            self.report(
                Diagnostic::new(codes::E0402, pattern.span, message)
                    .note("use `let ... else`, `if let` or `match`"),
            );
        }
    }

    /// `let p := e else X`: the names of `p` live on after it, so they are bound to what a `match` gives.
    fn let_else(
        &mut self,
        mutable: bool,
        pattern: PatId,
        value: hir::Expr,
        otherwise: &Diverge,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let scrutinee_ty = value.ty.clone();
        let leave = self.diverge(otherwise, span);
        self.enter();
        let inner = self.pattern(pattern, &scrutinee_ty, mutable);
        self.always_matches(pattern, &inner);
        let mut bound = Vec::new();
        crate::names::cell::bound_names(self.body, pattern, &mut bound);
        let mut values = Vec::new();
        for (name, at) in &bound {
            if let Some(id) = self.local(name) {
                let ty = self.local_ty(id);
                values.push((name.clone(), *at, expr(ExprKind::Local(id), ty, *at)));
            }
        }
        self.leave();
        let (result, result_ty) = tuple_of(&values, span);
        let arms = vec![
            Arm { pattern: inner, guard: None, body: result },
            Arm { pattern: wildcard(&scrutinee_ty, span), guard: None, body: leave },
        ];
        let kind = ExprKind::Match { scrutinee: Box::new(value), arms };
        let value = expr(kind, result_ty.clone(), span);
        let mut fields = Vec::new();
        for (at, (name, name_span, value)) in values.iter().enumerate() {
            let local = self.declare_new(name, value.ty.clone(), mutable, *name_span);
            let kind = PatternKind::Bind(local);
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            fields.push((index, Pattern { kind, ty: value.ty.clone(), span: *name_span }));
        }
        let kind = match fields.len() {
            0 => PatternKind::Wildcard,
            1 => fields.pop().map_or(PatternKind::Wildcard, |(_, pattern)| pattern.kind),
            _ => PatternKind::Fields(fields),
        };
        let pattern = Pattern { kind, ty: result_ty, span };
        out.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
    }

    /// `let x := e else X` where X can never happen; most often an Option was meant to be taken apart.
    fn always_matches(&mut self, id: PatId, pattern: &Pattern) {
        let ty = self.table.resolve(&pattern.ty);
        if ty == Ty::Error || self.has_error(pattern) {
            return;
        }
        let arms = [Arm { pattern: pattern.clone(), guard: None, body: error(pattern.span) }];
        let resolve = |ty: &Ty| self.table.resolve(ty);
        if crate::types::exhaustive::check(self.db, &ty, &arms, &resolve).missing.is_some() {
            return;
        }
        let message = "what stands after `else` is never reached: this takes every value";
        let warning = Diagnostic::new(codes::W0401, pattern.span, message);
        let is_result = ty.prelude_args("Result").is_some();
        let variant = match ty.as_option() {
            Some(_) => "Some",
            None if is_result => "Ok",
            None => "",
        };
        self.report(match &self.body[id].kind {
            ast::PatKind::Bind(name) if !variant.is_empty() => {
                let opened = format!("{variant}({})", name.text());
                warning.fix(format!("write `{opened}`"), pattern.span, opened)
            }
            _ => warning,
        });
    }

    /// What stands after `else`; it must leave.
    fn diverge(&mut self, otherwise: &Diverge, span: Span) -> hir::Expr {
        match otherwise {
            Diverge::Return(value) => {
                let at = value.map_or(span, |value| self.span(value));
                self.return_value(*value, at)
            }
            Diverge::Break => self.leave_loop(true, span),
            Diverge::Continue => self.leave_loop(false, span),
            Diverge::Block(block) => {
                let value = self.block(block, &Expect::Discard);
                if !self.is_never(&value) && value.ty != Ty::Error {
                    self.report(
                        Diagnostic::new(codes::E0410, block.span, "this block must leave")
                            .note("end it with `return`, `break` or `continue`"),
                    );
                }
                expr(value.kind, Ty::Never, value.span)
            }
        }
    }

    /// `x := e` declares a `var` (L-50).
    fn declaration(&mut self, name: &Ident, value: ExprId, span: Span, out: &mut Vec<Stmt>) {
        let value = self.infer(value);
        let value = self.usable(value);
        let ty = value.ty.clone();
        let local = self.declare_new(&name.name.text(), ty.clone(), true, name.span);
        let pattern = Pattern { kind: PatternKind::Bind(local), ty, span: name.span };
        out.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
    }

    /// Declares a local; E0203 if the same block has the name already.
    pub fn declare_new(&mut self, name: &Name, ty: Ty, mutable: bool, span: Span) -> hir::LocalId {
        if let Some(first) = self.declared_in_block(name) {
            let message = format!("`{name}` is already declared in this block");
            self.report(
                Diagnostic::new(codes::E0203, span, message)
                    .label(first, "first here")
                    .note("`=` assigns to a `var`; another block may declare the name again"),
            );
        }
        self.declare(name, ty, mutable, span)
    }

    fn require(&mut self, cond: ExprId, otherwise: Option<&Diverge>, span: Span) -> hir::Expr {
        let shown = otherwise.is_none();
        let value = self.check(cond, &Ty::Bool);
        match otherwise {
            Some(otherwise) => {
                let then = Box::new(self.diverge(otherwise, span));
                let cond = Box::new(self.not(value));
                expr(ExprKind::If { cond, then, otherwise: None }, Ty::Unit, span)
            }
            None => {
                let shown = if shown { self.shown(&value) } else { Vec::new() };
                let cond = Box::new(value);
                let kind = ExprKind::Require { cond, assertion: false, why: None, shown };
                expr(kind, Ty::Unit, span)
            }
        }
    }

    fn assert(&mut self, cond: ExprId, message: Option<ExprId>, span: Span) -> hir::Expr {
        let mut cond = self.check(cond, &Ty::Bool);
        let why = message.map(|message| Box::new(self.check(message, &Ty::Text)));
        let (mut stmts, mut shown) = self.sides(&mut cond);
        shown.extend(self.shown(&cond));
        let cond = Box::new(cond);
        let assertion =
            expr(ExprKind::Require { cond, assertion: true, why, shown }, Ty::Unit, span);
        if stmts.is_empty() {
            return assertion;
        }
        stmts.push(expr_stmt(assertion));
        expr(ExprKind::Block { stmts, value: None }, Ty::Unit, span)
    }

    /// Computes the sides of a comparison before it, so that an assertion that fails can tell what they were. Variables and
    /// literals need no telling.
    fn sides(&mut self, cond: &mut hir::Expr) -> (Vec<hir::Stmt>, Vec<(Name, hir::Expr)>) {
        let (left, right) = match &mut cond.kind {
            ExprKind::Equal { lhs, rhs, .. } => (&mut **lhs, &mut **rhs),
            ExprKind::Binary(
                hir::BinaryOp::CompareInt(_) | hir::BinaryOp::CompareFloat(_),
                lhs,
                rhs,
            ) => (&mut **lhs, &mut **rhs),
            _ => return (Vec::new(), Vec::new()),
        };
        if !is_computed(left) && !is_computed(right) {
            return (Vec::new(), Vec::new());
        }
        let mut stmts = Vec::new();
        let mut shown = Vec::new();
        for (name, side) in [("left", left), ("right", right)] {
            let (ty, span) = (side.ty.clone(), side.span);
            let local = self.temporary(ty.clone(), span);
            let read = expr(ExprKind::Local(local), ty.clone(), span);
            let value = std::mem::replace(side, read.clone());
            let pattern = hir::Pattern { kind: hir::PatternKind::Bind(local), ty, span };
            stmts.push(hir::Stmt { kind: hir::StmtKind::Let { pattern, value }, span });
            shown.push((Name::from(name), read));
        }
        (stmts, shown)
    }

    /// The variables of a condition, to be told with their values when it fails.
    pub fn shown(&mut self, cond: &hir::Expr) -> Vec<(Name, hir::Expr)> {
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        self.variables(&mut cond.clone(), &mut |name, value| {
            if seen.insert(name.clone()) {
                out.push((name, value));
            }
        });
        out
    }

    fn variables(&mut self, value: &mut hir::Expr, found: &mut dyn FnMut(Name, hir::Expr)) {
        let name = match &value.kind {
            ExprKind::Local(id) => self.frame().local(*id).map(|local| local.name.clone()),
            ExprKind::Global(name) => Some(name.clone()),
            ExprKind::AgentField(at) => match &self.owner {
                crate::types::infer::Owner::Agent(agent) => {
                    agent.fields().nth(*at as usize).map(|field| field.name.clone())
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(name) = name.filter(|name| &**name != "_") {
            found(name, value.clone());
        }
        hir::visit::children(value, &mut |inner| self.variables(inner, found));
    }

    pub fn return_value(&mut self, value: Option<ExprId>, span: Span) -> hir::Expr {
        self.refused_in_clause("`return`", span);
        let frame = self.frame();
        if matches!(frame.kind, FrameKind::Cell | FrameKind::Start) {
            let note = match frame.kind {
                FrameKind::Cell => "a cell shows the value of its last expression",
                _ => "the statements of an orchestration run to their end",
            };
            let message = "`return` stands in a function, a behavior or a lambda";
            self.report(Diagnostic::new(codes::E0406, span, message).note(note));
            value.map(|value| self.infer(value));
            return expr(ExprKind::Unit, Ty::Never, span);
        }
        frame.returns = true;
        let result = frame.result.clone();
        let value = match value {
            None => {
                self.returns_nothing(&result, span);
                None
            }
            Some(value) => {
                let value = self.check(value, &result);
                self.frame().returns_value = true;
                Some(Box::new(value))
            }
        };
        expr(ExprKind::Return(value), Ty::Never, span)
    }

    fn returns_nothing(&mut self, result: &Ty, span: Span) {
        if self.table.unify(result, &Ty::Unit).is_err() {
            let wanted = self.table.resolve(result);
            let message = format!("`return` needs a value of type `{wanted}` here");
            self.report(Diagnostic::new(codes::E0301, span, message));
        }
    }

    fn leave_loop(&mut self, is_break: bool, span: Span) -> hir::Expr {
        let frame = self.frame();
        match frame.breaks.last_mut() {
            Some(breaks) => *breaks |= is_break,
            None => {
                let word = if is_break { "break" } else { "continue" };
                let message = format!("`{word}` stands in a loop");
                self.report(Diagnostic::new(codes::E0405, span, message));
            }
        }
        expr(if is_break { ExprKind::Break } else { ExprKind::Continue }, Ty::Never, span)
    }

    /// The body of a loop, and whether it has a `break`.
    pub fn loop_body(&mut self, body: &Block) -> (hir::Expr, bool) {
        self.frame().breaks.push(false);
        let body = self.block(body, &Expect::Discard);
        let breaks = self.frame().breaks.pop().unwrap_or(false);
        (body, breaks)
    }

    fn for_loop(
        &mut self,
        pattern: PatId,
        iterable: ExprId,
        specs: &[LoopSpec],
        body: &Block,
        span: Span,
    ) -> hir::Expr {
        let (sequence, element) = match &self.body[iterable].kind {
            ast::ExprKind::Range { start, end, inclusive } => {
                let (start, end, inclusive) = (*start, *end, *inclusive);
                let low = Box::new(self.check(start, &Ty::Int));
                let high = Box::new(self.check(end, &Ty::Int));
                (Sequence::Range { low, high, inclusive }, Ty::Int)
            }
            _ => {
                let value = self.infer(iterable);
                if let Ty::Channel(item) = self.shallow(&value.ty) {
                    return self.for_channel(pattern, value, &item, specs, body, span);
                }
                let value = self.agents_of(value);
                let element = self.element(&value);
                (Sequence::Value(Box::new(value)), element)
            }
        };
        self.enter();
        let pattern = self.binding(pattern, &element, false);
        self.irrefutable(&pattern);
        let (before, each) = self.loop_checks(specs).at_iterations();
        let (body, _) = self.loop_body(body);
        self.leave();
        let is_range = matches!(sequence, Sequence::Range { .. });
        let kind = ExprKind::For { pattern, sequence, body: Box::new(after(each, body)) };
        let each = expr(kind, Ty::Unit, span);
        let each = if is_range && self.in_simd() { self.reduced(each, span) } else { each };
        after(before, each)
    }

    /// What a loop over this value gives (L-53).
    pub fn element(&mut self, value: &hir::Expr) -> Ty {
        match self.shallow(&value.ty) {
            Ty::List(element) | Ty::Set(element) => *element,
            Ty::Vector => Ty::Float,
            Ty::Text => Ty::Text,
            Ty::Map(key, value) => Ty::Tuple(vec![*key, *value]),
            Ty::Error => Ty::Error,
            other => {
                let ty = self.table.resolve(&other);
                let message = format!("`for` cannot go through `{ty}`");
                self.report(Diagnostic::new(codes::E0301, value.span, message).note(
                    "it goes through ranges, lists, vectors, sets, maps, texts and channels",
                ));
                Ty::Error
            }
        }
    }

    /// Invariants stand before the condition: they hold before each iteration and when there is none any more.
    /// The measure stands after it, as nothing has to end that does not go on.
    fn while_loop(
        &mut self,
        cond: &Cond,
        specs: &[LoopSpec],
        body: &Block,
        span: Span,
    ) -> hir::Expr {
        let LoopChecks { before, invariants, measures } = self.loop_checks(specs);
        let value = match cond {
            Cond::Expr(cond) => {
                let cond = self.check(*cond, &Ty::Bool);
                let forever = cond.kind == ExprKind::Bool(true);
                let (body, breaks) = self.loop_body(body);
                let ty = if forever && !breaks { Ty::Never } else { Ty::Unit };
                let cond = match invariants.is_empty() {
                    true => cond,
                    false => block_of(invariants, Some(cond), Ty::Bool, span),
                };
                let body = after(measures, body);
                expr(ExprKind::While { cond: Box::new(cond), body: Box::new(body) }, ty, span)
            }
            Cond::Let { pattern, value } => {
                let scrutinee = self.infer(*value);
                self.enter();
                let pattern = self.pattern(*pattern, &scrutinee.ty.clone(), false);
                let (body, _) = self.loop_body(body);
                self.leave();
                let stop = expr(ExprKind::Break, Ty::Never, span);
                let wild = wildcard(&scrutinee.ty, span);
                let arms = vec![
                    Arm { pattern, guard: None, body: after(measures, body) },
                    Arm { pattern: wild, guard: None, body: stop },
                ];
                let kind = ExprKind::Match { scrutinee: Box::new(scrutinee), arms };
                let body = Box::new(after(invariants, expr(kind, Ty::Unit, span)));
                expr(ExprKind::Loop { body }, Ty::Unit, span)
            }
        };
        after(before, value)
    }

    fn endless_loop(&mut self, body: &Block, span: Span) -> hir::Expr {
        let (body, breaks) = self.loop_body(body);
        let ty = if breaks { Ty::Unit } else { Ty::Never };
        expr(ExprKind::Loop { body: Box::new(body) }, ty, span)
    }
}

pub fn expr_stmt(value: hir::Expr) -> Stmt {
    let span = value.span;
    Stmt { kind: StmtKind::Expr(value), span }
}

/// The value with statements before it.
pub fn after(stmts: Vec<Stmt>, value: hir::Expr) -> hir::Expr {
    if stmts.is_empty() {
        return value;
    }
    let (ty, span) = (value.ty.clone(), value.span);
    let stmts = stmts.into_iter().chain([expr_stmt(value)]).collect();
    block_of(stmts, None, ty, span)
}

/// The bound values as one: nothing, the value, or a tuple.
fn tuple_of(values: &[(Name, Span, hir::Expr)], span: Span) -> (hir::Expr, Ty) {
    match values {
        [] => (expr(ExprKind::Unit, Ty::Unit, span), Ty::Unit),
        [(_, _, value)] => (value.clone(), value.ty.clone()),
        _ => {
            let ty = Ty::Tuple(values.iter().map(|(_, _, value)| value.ty.clone()).collect());
            let items = values.iter().map(|(_, _, value)| value.clone()).collect();
            (expr(ExprKind::Tuple(items), ty.clone(), span), ty)
        }
    }
}

/// Whether the value is neither a variable nor a literal.
fn is_computed(value: &hir::Expr) -> bool {
    !matches!(
        value.kind,
        ExprKind::Local(_)
            | ExprKind::Global(_)
            | ExprKind::AgentField(_)
            | ExprKind::Unit
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Text(_)
            | ExprKind::Money(_)
            | ExprKind::Duration(_)
    )
}
