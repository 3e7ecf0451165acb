//! Contracts (L-140): each clause becomes a check of its own, around the body it is about.
//!
//! A clause is one expression that computes and changes nothing (E0603). What a quantifier ranges over must be
//! countable, else the clause is `unchecked` (W0601). Never: decides whether a clause is true.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, BinaryOp, Clause, ClauseKind, Compare, ExprKind, LocalId, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{Arg, ExprId, LoopSpec};
use crate::syntax::item::{self, ContractKind};
use crate::types::infer::stmt::expr_stmt;
use crate::types::infer::{Called, Infer, error, expr};
use crate::types::ty::{Name, Ty};

/// The clause that is being read.
#[derive(Clone, Debug)]
pub struct Reading {
    pub kind: ClauseKind,
    /// How many functions stand around it: a lambda inside is one more.
    frames: usize,
    /// Locals from here on are the clause's own.
    locals: usize,
    /// Why it cannot be checked while running.
    unchecked: Option<(Span, String)>,
    /// Values as they were when the function began.
    olds: Vec<(LocalId, hir::Expr)>,
}

/// What is known of a clause after it was read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ClauseFacts {
    pub clause: Arc<Clause>,
    pub span: Span,
    pub is_checked: bool,
    /// Parts of its expression, as a measure of what checking it costs.
    pub parts: u32,
    pub loops: bool,
    pub effects: Vec<(Name, Span)>,
    pub calls: Vec<Called>,
}

/// The measure of a function that must get smaller where it calls itself.
#[derive(Clone, Debug)]
pub struct Measure {
    key: Name,
    params: Vec<Name>,
    value: ExprId,
}

/// Where the measure of the running call is kept.
const MEASURE: &str = "{measure}";

impl Infer<'_, '_> {
    /// The text of a clause, in one line.
    fn clause_source(&self, id: ExprId) -> Name {
        let found = self.body.clauses.iter().find(|(clause, _)| *clause == id);
        found.map_or_else(|| Name::from(""), |(_, text)| text.clone())
    }

    /// The check of one clause; `None` if it cannot be made while running.
    pub fn clause(&mut self, kind: ClauseKind, of: &Name, id: ExprId) -> Option<hir::Expr> {
        let (clause, cond, reading) = self.read_clause(kind, of, id);
        let olds = reading.olds.iter().map(|(local, _)| *local).collect::<Vec<_>>();
        self.olds.extend(reading.olds);
        if reading.unchecked.is_some() || cond.ty == Ty::Error {
            return None;
        }
        let span = self.span(id);
        Some(self.checked(&clause, cond, reading.locals, &olds, span))
    }

    /// Reads a clause: its expression, and what it does is noted apart from the body's own doing.
    fn read_clause(
        &mut self,
        kind: ClauseKind,
        of: &Name,
        id: ExprId,
    ) -> (Arc<Clause>, hir::Expr, Reading) {
        let clause = Arc::new(Clause { kind, of: of.clone(), source: self.clause_source(id) });
        let (effects, calls) = (self.facts.effects.len(), self.facts.calls.len());
        let locals = self.frame().locals.len();
        let breaks = std::mem::take(&mut self.frame().breaks);
        let frames = self.frames.len();
        let reading = Reading { kind, frames, locals, unchecked: None, olds: Vec::new() };
        let outer = self.reading.replace(reading.clone());
        let wanted = if kind == ClauseKind::Decreases { Ty::Int } else { Ty::Bool };
        let mut cond = self.check(id, &wanted);
        let reading = std::mem::replace(&mut self.reading, outer).unwrap_or(reading);
        self.frame().breaks = breaks;
        if let Some((at, why)) = &reading.unchecked {
            let message =
                format!("`{} {}` is not checked while running", kind.word(), clause.source);
            self.report(
                Diagnostic::new(codes::W0601, *at, message)
                    .saying("cannot be counted")
                    .note(why.clone()),
            );
        }
        let (parts, loops) = cost(&mut cond);
        let facts = ClauseFacts {
            clause: Arc::clone(&clause),
            span: self.span(id),
            is_checked: reading.unchecked.is_none(),
            parts,
            loops,
            effects: self.facts.effects.split_off(effects),
            calls: self.facts.calls.split_off(calls),
        };
        self.facts.clauses.push(facts);
        (clause, cond, reading)
    }

    /// The check of a condition. A `forall` is checked case by case, so that the case that breaks it can be told.
    fn checked(
        &mut self,
        clause: &Arc<Clause>,
        cond: hir::Expr,
        locals: usize,
        olds: &[LocalId],
        span: Span,
    ) -> hir::Expr {
        if let Some((binder, sequence, inner)) = cases(&cond) {
            let mut seen = olds.to_vec();
            seen.extend(bound(&binder));
            let check = self.checked(clause, inner, locals, &seen, span);
            let body = Box::new(block(vec![expr_stmt(check)], None, Ty::Unit, span));
            return expr(ExprKind::For { pattern: binder, sequence, body }, Ty::Unit, span);
        }
        let mut shown = self.shown(&cond);
        // Only what exists outside the condition has a value when it is known to be false.
        shown.retain(|(_, value)| match &value.kind {
            ExprKind::Local(id) => (id.0 as usize) < locals || olds.contains(id),
            _ => true,
        });
        let kind = ExprKind::Check { clause: Arc::clone(clause), cond: Box::new(cond), shown };
        expr(kind, Ty::Unit, span)
    }

    /// The clauses of one kind of a function.
    fn clauses(
        &mut self,
        function: &item::Function,
        kind: ClauseKind,
        of: &Name,
    ) -> Vec<hir::Expr> {
        let wanted = |contract: &item::Contract| match (&contract.kind, kind) {
            (ContractKind::Requires(id), ClauseKind::Requires)
            | (ContractKind::Ensures(id), ClauseKind::Ensures) => Some(*id),
            _ => None,
        };
        let ids: Vec<ExprId> = function.contracts.iter().filter_map(wanted).collect();
        ids.into_iter().filter_map(|id| self.clause(kind, of, id)).collect()
    }

    /// What is checked before the body. The parameters are in scope and nothing else is.
    pub fn contract_before(&mut self, function: &item::Function, of: &Name) -> Vec<Stmt> {
        let mut stmts: Vec<Stmt> =
            self.clauses(function, ClauseKind::Requires, of).into_iter().map(expr_stmt).collect();
        let decreases = function.contracts.iter().find_map(|contract| match contract.kind {
            ContractKind::Decreases(id) => Some(id),
            _ => None,
        });
        if let Some(id) = decreases {
            self.measured(of, id, &mut stmts);
        }
        stmts
    }

    /// `decreases e`: its value at the start, which is not negative.
    fn measured(&mut self, of: &Name, id: ExprId, stmts: &mut Vec<Stmt>) {
        let span = self.span(id);
        let (clause, value, _) = self.read_clause(ClauseKind::Decreases, of, id);
        let params = self.frame().params;
        let names = self.frame().locals.iter().take(params as usize).map(|l| l.name.clone());
        let names = names.collect();
        let local = self.declare(&Name::from(MEASURE), Ty::Int, false, span);
        stmts.push(bind(local, value, span));
        let cond = compare(Compare::Ge, read(local, span), int(0, span), span);
        let shown = vec![(clause.source.clone(), read(local, span))];
        let kind = ExprKind::Check { clause, cond: Box::new(cond), shown };
        stmts.push(expr_stmt(expr(kind, Ty::Unit, span)));
        self.measure = Some(Measure { key: of.clone(), params: names, value: id });
    }

    /// The body with its contract: clauses before it, and those after it where every `return` leads. `more` are checks
    /// that are not written at this function.
    pub fn contract_around(
        &mut self,
        function: &item::Function,
        of: &Name,
        before: Vec<Stmt>,
        body: hir::Expr,
        more: Vec<hir::Expr>,
    ) -> hir::Expr {
        self.measure = None;
        let span = body.span;
        let has_ensures =
            function.contracts.iter().any(|c| matches!(c.kind, ContractKind::Ensures(_)));
        let mut checks = Vec::new();
        let mut given = None;
        if has_ensures || !more.is_empty() {
            self.enter();
            let ty = self.frame().result.clone();
            given = Some(self.declare(&Name::from("result"), ty, false, function.name.span));
            checks = self.clauses(function, ClauseKind::Ensures, of);
            self.leave();
            checks.extend(more);
        }
        let mut stmts = before;
        stmts.extend(std::mem::take(&mut self.olds).into_iter().map(|(local, value)| {
            let at = value.span;
            bind(local, value, at)
        }));
        let body = match given.filter(|_| !checks.is_empty()) {
            Some(result) => {
                expr(ExprKind::Ensuring { body: Box::new(body), result, checks }, Ty::Never, span)
            }
            None => body,
        };
        if stmts.is_empty() {
            return body;
        }
        let ty = body.ty.clone();
        stmts.push(expr_stmt(body));
        block(stmts, None, ty, span)
    }

    /// `old(e)`: the value of `e` when the function began. `None` where that means nothing special.
    pub fn old_value(&mut self, args: &[Arg], span: Span) -> Option<hir::Expr> {
        let reading = self.reading.as_ref()?;
        let [arg] = args else { return None };
        if reading.kind != ClauseKind::Ensures || reading.frames != self.frames.len() {
            let message = "`old` stands in `ensures`, outside of lambdas";
            self.report(Diagnostic::new(codes::E0604, span, message));
            return Some(error(span));
        }
        let inner = self.frame().scopes.split_off(1);
        let value = self.infer(arg.value);
        self.frame().scopes.extend(inner);
        let name = match &value.kind {
            ExprKind::Local(id) => self.frame().local(*id).map(|local| local.name.clone()),
            ExprKind::AgentField(_) => self.name_at(arg.value),
            _ => None,
        };
        let name = name.map_or_else(|| "old value".to_owned(), |name| format!("old({name})"));
        let local = self.temporary(value.ty.clone(), span);
        if let Some(info) = self.frame().locals.get_mut(local.0 as usize) {
            info.name = Name::from(name);
        }
        let ty = value.ty.clone();
        if let Some(reading) = &mut self.reading {
            reading.olds.push((local, value));
        }
        Some(expr(ExprKind::Local(local), ty, span))
    }

    fn name_at(&self, id: ExprId) -> Option<Name> {
        match &self.body[id].kind {
            crate::syntax::ast::ExprKind::Name(name) => Some(name.text()),
            _ => None,
        }
    }

    /// A clause is one expression: it does not leave the function and assigns nothing.
    pub fn refused_in_clause(&mut self, what: &str, span: Span) {
        let Some(reading) = &self.reading else { return };
        if reading.frames == self.frames.len() {
            let message = format!("{what} has no place in `{}`", reading.kind.word());
            self.report(
                Diagnostic::new(codes::E0603, span, message)
                    .note("a contract computes a value and changes nothing"),
            );
        }
    }

    /// A function that is a value may do anything, so a clause cannot use it.
    pub fn refused_function(&mut self, span: Span) {
        if let Some(reading) = &self.reading {
            let message =
                format!("`{}` uses a function value, which may do anything", reading.kind.word());
            self.report(
                Diagnostic::new(codes::E0603, span, message)
                    .note("contracts are first-order: name the function, or write the lambda here"),
            );
        }
    }

    /// The clause cannot be checked while running.
    pub fn unchecked(&mut self, span: Span, why: String) {
        if let Some(reading) = &mut self.reading {
            reading.unchecked.get_or_insert((span, why));
        }
    }

    /// Whether a call of this function is a recursion whose measure must get smaller.
    pub fn is_measured(&self, key: &Name) -> bool {
        self.measure.as_ref().is_some_and(|measure| measure.key == *key) && self.reading.is_none()
    }

    /// The arguments of a recursion, bound to locals, after the check that the measure of them is smaller.
    pub fn descending(&mut self, args: Vec<hir::Expr>, span: Span) -> (Vec<Stmt>, Vec<hir::Expr>) {
        let (Some(measure), Some(before)) =
            (self.measure.clone(), self.local(&Name::from(MEASURE)))
        else {
            return (Vec::new(), args);
        };
        let mut stmts = Vec::new();
        let mut reads = Vec::new();
        let mut names = rustc_hash::FxHashMap::default();
        for (name, value) in measure.params.iter().zip(args) {
            if let ExprKind::Cell(local) = value.kind {
                names.insert(name.clone(), local);
                reads.push(value);
                continue;
            }
            let ty = value.ty.clone();
            let local = self.temporary(ty.clone(), value.span);
            stmts.push(bind(local, value, span));
            reads.push(expr(ExprKind::Local(local), ty, span));
            names.insert(name.clone(), local);
        }
        // The clause sees its parameters and no local of this place.
        let hidden: Vec<_> =
            self.frames.iter_mut().map(|frame| std::mem::take(&mut frame.scopes)).collect();
        self.frame().scopes = vec![names];
        let facts = self.facts.clauses.len();
        let (clause, value, _) =
            self.read_clause(ClauseKind::Decreases, &measure.key, measure.value);
        self.facts.clauses.truncate(facts);
        for (frame, scopes) in self.frames.iter_mut().zip(hidden) {
            frame.scopes = scopes;
        }
        let now = self.temporary(Ty::Int, span);
        stmts.push(bind(now, value, span));
        stmts.push(smaller(clause, now, read(before, span), span));
        (stmts, reads)
    }

    pub fn loop_checks(&mut self, specs: &[LoopSpec]) -> LoopChecks {
        let of = self.frames.first().map_or_else(|| Name::from(""), |frame| frame.key.clone());
        let mut checks = LoopChecks::default();
        for spec in specs {
            match spec {
                LoopSpec::Invariant(id) => {
                    let clause = self.clause(ClauseKind::Invariant, &of, *id);
                    checks.invariants.extend(clause.map(expr_stmt));
                }
                LoopSpec::Decreases(id) => self.loop_measure(&of, *id, &mut checks),
            }
        }
        checks
    }

    fn loop_measure(&mut self, of: &Name, id: ExprId, checks: &mut LoopChecks) {
        let LoopChecks { before, measures: each, .. } = checks;
        let span = self.span(id);
        let (clause, value, _) = self.read_clause(ClauseKind::Decreases, of, id);
        let now = self.temporary(Ty::Int, span);
        let (last, is_first) = (self.variable(Ty::Int, span), self.variable(Ty::Bool, span));
        before.push(bind(last, int(0, span), span));
        before.push(bind(is_first, boolean(true, span), span));
        each.push(bind(now, value, span));
        let first = expr(ExprKind::Local(is_first), Ty::Bool, span);
        let less = compare(Compare::Lt, read(now, span), read(last, span), span);
        let descends = expr(ExprKind::Or(Box::new(first), Box::new(less)), Ty::Bool, span);
        let natural = compare(Compare::Ge, read(now, span), int(0, span), span);
        let cond = expr(ExprKind::And(Box::new(natural), Box::new(descends)), Ty::Bool, span);
        let shown = vec![(clause.source.clone(), read(now, span))];
        each.push(expr_stmt(expr(
            ExprKind::Check { clause, cond: Box::new(cond), shown },
            Ty::Unit,
            span,
        )));
        each.push(assign(last, read(now, span), Ty::Int, span));
        each.push(assign(is_first, boolean(false, span), Ty::Bool, span));
    }

    /// A local without a name that may be assigned.
    pub fn variable(&mut self, ty: Ty, span: Span) -> LocalId {
        let local = self.temporary(ty, span);
        if let Some(info) = self.frame().locals.get_mut(local.0 as usize) {
            info.mutable = true;
        }
        local
    }
}

/// What a loop checks, and where.
#[derive(Default)]
pub struct LoopChecks {
    pub before: Vec<Stmt>,
    pub invariants: Vec<Stmt>,
    /// Belong where an iteration begins: the measure of a loop that has ended may be negative.
    pub measures: Vec<Stmt>,
}

impl LoopChecks {
    /// What stands before the loop, and what its body begins with where that is not entered when nothing is left.
    pub fn at_iterations(self) -> (Vec<Stmt>, Vec<Stmt>) {
        let mut each = self.invariants;
        each.extend(self.measures);
        (self.before, each)
    }
}

/// `now` is not negative and less than `before`.
fn smaller(clause: Arc<Clause>, now: LocalId, before: hir::Expr, span: Span) -> Stmt {
    let natural = compare(Compare::Ge, read(now, span), int(0, span), span);
    let less = compare(Compare::Lt, read(now, span), before.clone(), span);
    let cond = expr(ExprKind::And(Box::new(natural), Box::new(less)), Ty::Bool, span);
    let shown = vec![(Name::from("before"), before), (Name::from("now"), read(now, span))];
    let kind = ExprKind::Check { clause, cond: Box::new(cond), shown };
    expr_stmt(expr(kind, Ty::Unit, span))
}

/// The cases of a condition that is a `forall` (see `quantifier`): its variable, its sequence, what must hold.
fn cases(cond: &hir::Expr) -> Option<(hir::Pattern, hir::Sequence, hir::Expr)> {
    let ExprKind::Block { stmts, value: Some(_) } = &cond.kind else { return None };
    let [start, walk] = stmts.as_slice() else { return None };
    let StmtKind::Let { value: hir::Expr { kind: ExprKind::Bool(true), .. }, .. } = &start.kind
    else {
        return None;
    };
    let StmtKind::Expr(hir::Expr { kind: ExprKind::For { pattern, sequence, body }, .. }) =
        &walk.kind
    else {
        return None;
    };
    let ExprKind::If { cond: fails, .. } = &body.kind else { return None };
    let ExprKind::Unary(hir::UnaryOp::Not, inner) = &fails.kind else { return None };
    Some((pattern.clone(), sequence.clone(), (**inner).clone()))
}

fn bound(pattern: &hir::Pattern) -> Option<LocalId> {
    match pattern.kind {
        hir::PatternKind::Bind(local) => Some(local),
        _ => None,
    }
}

/// How many parts an expression has, and whether it goes through a sequence.
fn cost(value: &mut hir::Expr) -> (u32, bool) {
    let (mut parts, mut loops) = (1, matches!(value.kind, ExprKind::For { .. }));
    hir::visit::children(value, &mut |inner| {
        let (more, walks) = cost(inner);
        parts += more;
        loops |= walks;
    });
    (parts, loops)
}

pub fn block(stmts: Vec<Stmt>, value: Option<hir::Expr>, ty: Ty, span: Span) -> hir::Expr {
    expr(ExprKind::Block { stmts, value: value.map(Box::new) }, ty, span)
}

pub fn bind(local: LocalId, value: hir::Expr, span: Span) -> Stmt {
    let ty = value.ty.clone();
    let pattern = hir::Pattern { kind: hir::PatternKind::Bind(local), ty, span };
    Stmt { kind: StmtKind::Let { pattern, value }, span }
}

pub fn assign(local: LocalId, value: hir::Expr, ty: Ty, span: Span) -> Stmt {
    let place = hir::Place { root: hir::PlaceRoot::Local(local), path: Vec::new(), ty };
    Stmt { kind: StmtKind::Assign { place, value }, span }
}

pub fn boolean(value: bool, span: Span) -> hir::Expr {
    expr(ExprKind::Bool(value), Ty::Bool, span)
}

fn int(value: i64, span: Span) -> hir::Expr {
    expr(ExprKind::Int(value), Ty::Int, span)
}

fn read(local: LocalId, span: Span) -> hir::Expr {
    expr(ExprKind::Local(local), Ty::Int, span)
}

fn compare(op: Compare, lhs: hir::Expr, rhs: hir::Expr, span: Span) -> hir::Expr {
    let kind = ExprKind::Binary(BinaryOp::CompareInt(op), Box::new(lhs), Box::new(rhs));
    expr(kind, Ty::Bool, span)
}
