//! Blocks, branches, `match`, `try`, `?`, casts, ranges as values.

use ag_runtime::builtin;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Arm, Conversion, ExprKind, Pattern, PatternKind, UnaryOp};
use crate::source::Span;
use crate::syntax::ast::{self, ArmBody, Block, Cond, ExprId, PatId, StmtId, StmtKind, TypeRefId};
use crate::types::exhaustive::{self, Unreachable};
use crate::types::infer::{Expect, Infer, Pending, error, expr};
use crate::types::ty::Ty;

impl Infer<'_, '_> {
    /// A block with a value: that of its last expression statement, else Unit (L-45).
    pub fn block(&mut self, block: &Block, expect: &Expect) -> hir::Expr {
        self.enter();
        let result = self.statements(&block.stmts, expect, block.span);
        self.leave();
        result
    }

    pub fn statements(&mut self, stmts: &[StmtId], expect: &Expect, span: Span) -> hir::Expr {
        let mut out = Vec::new();
        let mut value = None;
        let mut leaves = false;
        let body = self.body;
        for (at, id) in stmts.iter().enumerate() {
            let last = at + 1 == stmts.len();
            match &body[*id].kind {
                StmtKind::Expr(inner) if last && *expect != Expect::Discard => {
                    if self.statement_form(*inner).is_some() {
                        self.statement(*id, &mut out);
                    } else {
                        value = Some(self.expected(*inner, expect));
                    }
                }
                _ => self.statement(*id, &mut out),
            }
            leaves = leaves || out.last().is_some_and(|stmt| self.leaves(stmt));
        }
        let never = leaves || value.as_ref().is_some_and(|value| self.is_never(value));
        let ty = match &value {
            _ if never => Ty::Never,
            Some(value) => value.ty.clone(),
            None => Ty::Unit,
        };
        let block = expr(ExprKind::Block { stmts: out, value: value.map(Box::new) }, ty, span);
        match expect {
            // A block without a value where one is wanted: told at its end.
            Expect::Is(want) if block.ty == Ty::Unit => {
                let end = Span::new(span.end.saturating_sub(1).max(span.start), span.end);
                let wanted = self.shallow(want);
                if matches!(block.kind, ExprKind::Block { value: None, .. })
                    && !matches!(wanted, Ty::Unit | Ty::Var(_) | Ty::Error)
                {
                    let wanted = self.table.resolve(&wanted);
                    let message = format!("this block gives nothing, but `{wanted}` is wanted");
                    self.report(Diagnostic::new(codes::E0301, end, message));
                    return hir::Expr { ty: Ty::Error, ..block };
                }
                block
            }
            _ => block,
        }
    }

    pub fn is_never(&self, value: &hir::Expr) -> bool {
        self.shallow(&value.ty) == Ty::Never
    }

    /// Whether a statement never ends.
    fn leaves(&self, stmt: &hir::Stmt) -> bool {
        match &stmt.kind {
            hir::StmtKind::Expr(value)
            | hir::StmtKind::Let { value, .. }
            | hir::StmtKind::Assign { value, .. } => self.is_never(value),
        }
    }

    pub fn if_expr(
        &mut self,
        cond: &Cond,
        then: &Block,
        otherwise: Option<ExprId>,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        // Without `else` there is no value (L-45).
        let expect = if otherwise.is_none() { &Expect::Discard } else { expect };
        match cond {
            Cond::Expr(cond) => {
                let cond = Box::new(self.check(*cond, &Ty::Bool));
                let mut branches = Branches::new(expect);
                let then = self.branch_block(then, &mut branches);
                let otherwise = otherwise.map(|id| self.branch(id, &mut branches));
                let ty = match &otherwise {
                    Some(_) => self.joined(&branches),
                    None => Ty::Unit,
                };
                let (then, otherwise) = (Box::new(then), otherwise.map(Box::new));
                expr(ExprKind::If { cond, then, otherwise }, ty, span)
            }
            Cond::Let { pattern, value } => {
                let scrutinee = self.infer(*value);
                self.enter();
                let pattern = self.pattern(*pattern, &scrutinee.ty.clone(), false);
                let mut branches = Branches::new(expect);
                let then = self.branch_block(then, &mut branches);
                self.leave();
                let otherwise = match otherwise {
                    Some(id) => self.branch(id, &mut branches),
                    None => expr(ExprKind::Unit, Ty::Unit, span),
                };
                let ty = self.joined(&branches);
                let wild = wildcard(&scrutinee.ty, span);
                let arms = vec![
                    Arm { pattern, guard: None, body: then },
                    Arm { pattern: wild, guard: None, body: otherwise },
                ];
                let ty = if *expect == Expect::Discard && ty == Ty::Never && !self.is_leaving(&arms)
                {
                    Ty::Unit
                } else {
                    ty
                };
                expr(ExprKind::Match { scrutinee: Box::new(scrutinee), arms }, ty, span)
            }
        }
    }

    fn is_leaving(&self, arms: &[Arm]) -> bool {
        arms.iter().all(|arm| self.is_never(&arm.body))
    }

    fn branch_block(&mut self, block: &Block, branches: &mut Branches) -> hir::Expr {
        let value = self.block(block, &branches.expect());
        self.joins(value, branches)
    }

    fn branch(&mut self, id: ExprId, branches: &mut Branches) -> hir::Expr {
        let value = self.expected(id, &branches.expect());
        self.joins(value, branches)
    }

    fn joins(&mut self, value: hir::Expr, branches: &mut Branches) -> hir::Expr {
        match &branches.wanted {
            Expect::Is(ty) => {
                branches.reachable |= !self.is_never(&value);
                self.coerce(value, &ty.clone())
            }
            Expect::Discard => {
                branches.reachable |= !self.is_never(&value);
                self.discard(value)
            }
            Expect::Nothing => {
                if !matches!(self.shallow(&value.ty), Ty::Never | Ty::Error) {
                    branches.wanted = Expect::Is(value.ty.clone());
                    branches.reachable = true;
                } else if value.ty == Ty::Error {
                    branches.reachable = true;
                }
                value
            }
        }
    }

    fn joined(&self, branches: &Branches) -> Ty {
        match &branches.wanted {
            _ if !branches.reachable => Ty::Never,
            Expect::Is(ty) => ty.clone(),
            Expect::Discard => Ty::Unit,
            Expect::Nothing => Ty::Error,
        }
    }

    pub fn match_expr(
        &mut self,
        scrutinee: ExprId,
        arms: &[ast::Arm],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let scrutinee = self.infer(scrutinee);
        let ty = scrutinee.ty.clone();
        let mut branches = Branches::new(expect);
        let mut out = Vec::new();
        for arm in arms {
            self.enter();
            let pattern = self.pattern(arm.pattern, &ty, false);
            let guard = arm.guard.map(|guard| self.check(guard, &Ty::Bool));
            let body = match &arm.body {
                ArmBody::Expr(id) => self.branch(*id, &mut branches),
                ArmBody::Stmt(id) => {
                    let mut stmts = Vec::new();
                    self.statement(*id, &mut stmts);
                    let leaves = stmts.last().is_some_and(|stmt| self.leaves(stmt));
                    let ty = if leaves { Ty::Never } else { Ty::Unit };
                    let value = expr(ExprKind::Block { stmts, value: None }, ty, arm.span);
                    self.joins(value, &mut branches)
                }
            };
            self.leave();
            out.push(Arm { pattern, guard, body });
        }
        self.exhaustive(&ty, &out, span);
        let ty = self.joined(&branches);
        expr(ExprKind::Match { scrutinee: Box::new(scrutinee), arms: out }, ty, span)
    }

    /// E0401 with a missing case, W0401 for arms that are never reached.
    fn exhaustive(&mut self, ty: &Ty, arms: &[Arm], span: Span) {
        let ty = self.table.resolve(ty);
        if ty == Ty::Error || arms.iter().any(|arm| self.has_error(&arm.pattern)) {
            return;
        }
        let found = exhaustive::check(self.db, &ty, arms, &|ty| self.table.resolve(ty));
        let head = Span::new(span.start, span.start.saturating_add(5).min(span.end));
        if found.gave_up {
            let message = "whether `match` covers every case is too much to find out";
            let note = "end it with `_ => ...`, or decide one part after the other";
            self.report(Diagnostic::new(codes::E0401, head, message).note(note));
        }
        if let Some(missing) = found.missing {
            let message = format!("`match` does not cover `{missing}`");
            let insert = Span::at(span.end.saturating_sub(1));
            self.report(
                Diagnostic::new(codes::E0401, head, message)
                    .saying("not exhaustive")
                    .note("add an arm for it, or `_ => ...`")
                    .fix("add the arm", insert, format!("  {missing} => {{ }}\n")),
            );
        }
        for unreachable in found.unreachable {
            let (span, message) = match unreachable {
                Unreachable::Arm(span) => (
                    span,
                    "this arm is never reached: the arms before it cover everything it matches",
                ),
                Unreachable::Alternative(span) => (
                    span,
                    "this alternative is never reached: what stands before it covers all it matches",
                ),
            };
            self.report(Diagnostic::new(codes::W0401, span, message));
        }
    }

    pub fn has_error(&self, pattern: &Pattern) -> bool {
        let mut copy = pattern.clone();
        let mut found = self.table.resolve(&copy.ty) == Ty::Error;
        hir::visit::pattern_children(&mut copy, &mut |inner| found |= self.has_error(inner));
        found
    }

    /// `e is P`.
    pub fn is_pattern(&mut self, value: ExprId, pattern: PatId, span: Span) -> hir::Expr {
        let scrutinee = self.infer(value);
        self.enter();
        self.in_is = true;
        let pattern = self.pattern(pattern, &scrutinee.ty.clone(), false);
        self.in_is = false;
        self.leave();
        self.always_is(&pattern);
        let yes = |value| expr(ExprKind::Bool(value), Ty::Bool, span);
        let arms = vec![
            Arm { pattern, guard: None, body: yes(true) },
            Arm { pattern: wildcard(&scrutinee.ty, span), guard: None, body: yes(false) },
        ];
        expr(ExprKind::Match { scrutinee: Box::new(scrutinee), arms }, Ty::Bool, span)
    }

    /// `x is y`: the name of a value is no pattern of that value, it stands for every value.
    fn always_is(&mut self, pattern: &Pattern) {
        let ty = self.table.resolve(&pattern.ty);
        if ty == Ty::Error || self.has_error(pattern) {
            return;
        }
        let arms = [Arm { pattern: pattern.clone(), guard: None, body: error(pattern.span) }];
        let found = exhaustive::check(self.db, &ty, &arms, &|ty| self.table.resolve(ty));
        if found.missing.is_some() || found.gave_up {
            return;
        }
        let warning = Diagnostic::new(
            codes::W0401,
            pattern.span,
            "this is always true: the pattern takes every value",
        );
        self.report(match &pattern.kind {
            PatternKind::Bind(_) => warning.note(
                "`==` compares with a value; in a pattern a name stands for whatever is there",
            ),
            _ => warning,
        });
    }

    /// `d as T` (L-39).
    pub fn cast(&mut self, value: ExprId, ty: TypeRefId, optional: bool, span: Span) -> hir::Expr {
        let value = self.infer(value);
        let wanted = self.written_type(ty);
        match self.shallow(&value.ty) {
            Ty::Error => return error(span),
            Ty::Dyn => {}
            other => {
                let found = self.table.resolve(&other);
                let message = format!("`as` checks a `Dyn`, this is `{found}`");
                self.report(
                    Diagnostic::new(codes::E0309, span, message)
                        .note("annotate instead: `let x : T := ...`; conversions are calls, such as `n.to_float`"),
                );
                return error(span);
            }
        }
        self.pending.push(Pending::Json { ty: wanted.clone(), span });
        let ty = if optional { Ty::option(wanted) } else { wanted };
        let conversion = Conversion::FromDyn { optional };
        expr(ExprKind::Convert(conversion, Box::new(value)), ty, span)
    }

    /// `try e`, `try { }`: a Fault becomes `Err(Fault)` (L-46).
    pub fn try_expr(&mut self, inner: ExprId, span: Span, expect: &Expect) -> hir::Expr {
        let wanted = match expect {
            Expect::Is(ty) => {
                let ty = self.shallow(ty);
                ty.prelude_args("Result").and_then(<[Ty]>::first).cloned()
            }
            _ => None,
        };
        let value = match wanted {
            Some(ty) => self.check(inner, &ty),
            None => self.infer(inner),
        };
        let ok = if self.is_never(&value) { Ty::Unit } else { value.ty.clone() };
        let ty = Ty::result(ok, Ty::prelude("Fault", Vec::new()));
        expr(ExprKind::Try(Box::new(value)), ty, span)
    }

    /// `e?` (L-46).
    pub fn question(&mut self, inner: ExprId, span: Span) -> hir::Expr {
        let value = self.infer(inner);
        let ty = self.shallow(&value.ty);
        let (value_ty, leaves_with) = match (ty.as_option(), ty.prelude_args("Result")) {
            (Some(inner), _) => {
                let any = self.fresh(span);
                (inner.clone(), Ty::option(any))
            }
            (None, Some([ok, err])) => {
                let any = self.fresh(span);
                (ok.clone(), Ty::result(any, err.clone()))
            }
            _ => {
                if ty != Ty::Error {
                    let ty = self.table.resolve(&ty);
                    let message = format!("`?` needs an Option or a Result, this is `{ty}`");
                    let diagnostic = Diagnostic::new(codes::E0308, span, message);
                    self.report(match &self.body[inner].kind {
                        ast::ExprKind::Name(name) if matches!(ty, Ty::Function(_)) => {
                            diagnostic.note(format!("`?{name}` explains what `{name}` is"))
                        }
                        _ => diagnostic,
                    });
                }
                return error(span);
            }
        };
        self.leaves_early(&leaves_with, span);
        expr(ExprKind::Question(Box::new(value)), value_ty, span)
    }

    /// `?` gives `None` or `Err` to whoever called; at the top of a cell it ends the cell (R0107).
    fn leaves_early(&mut self, ty: &Ty, span: Span) {
        self.refused_in_clause("`?`", span);
        let frame = self.frame();
        if frame.kind == crate::types::infer::frame::FrameKind::Cell {
            // Nobody looks at the value; what is unknown of it does not matter.
            let _ = self.close_unknown(ty);
            return;
        }
        frame.returns = true;
        frame.returns_value = true;
        let result = frame.result.clone();
        if self.table.unify(&result, ty).is_err() {
            let (wanted, found) = (self.table.resolve(&result), self.table.resolve(ty));
            let message =
                format!("`?` leaves this function with `{found}`, but it gives `{wanted}`");
            self.report(
                Diagnostic::new(codes::E0301, span, message)
                    .note("use `??`, `match` or `let ... else` to handle the other case here"),
            );
            let _ = self.close_unknown(ty);
        }
    }

    fn close_unknown(&mut self, ty: &Ty) -> Result<(), crate::types::unify::Mismatch> {
        let first = ty.prelude_args("Option").or_else(|| ty.prelude_args("Result"));
        first.and_then(<[Ty]>::first).map_or(Ok(()), |inner| self.table.unify(inner, &Ty::Unit))
    }

    /// `a..b` where a value is wanted: the list of its numbers.
    pub fn range_value(
        &mut self,
        start: ExprId,
        end: ExprId,
        inclusive: bool,
        span: Span,
    ) -> hir::Expr {
        let low = self.check(start, &Ty::Int);
        let high = self.check(end, &Ty::Int);
        if low.ty == Ty::Error || high.ty == Ty::Error {
            return error(span);
        }
        self.operator_call(if inclusive { "..=" } else { ".." }, vec![low, high], span)
    }

    /// `await f`.
    pub fn await_future(&mut self, inner: ExprId, span: Span) -> hir::Expr {
        let future = self.infer(inner);
        self.await_value(future, span)
    }

    pub fn await_value(&mut self, future: hir::Expr, span: Span) -> hir::Expr {
        let ty =
            match self.shallow(&future.ty) {
                Ty::Future(inner) => *inner,
                Ty::Error => return error(span),
                var @ Ty::Var(_) => {
                    let inner = self.fresh(span);
                    let _ = self.table.unify(&var, &Ty::Future(Box::new(inner.clone())));
                    inner
                }
                other => {
                    let ty = self.table.resolve(&other);
                    let message = format!("`await` needs a Future, this is `{ty}`");
                    self.report(Diagnostic::new(codes::E0301, future.span, message).note(
                        "only requests to agents give Futures; other calls wait by themselves",
                    ));
                    return error(span);
                }
            };
        self.effect("suspend", span);
        match builtin::intrinsic("await") {
            Some(id) => {
                let kind = ExprKind::Builtin { id, args: vec![future], types: vec![ty.clone()] };
                expr(kind, ty, span)
            }
            None => error(span),
        }
    }

    pub fn not(&mut self, value: hir::Expr) -> hir::Expr {
        let span = value.span;
        expr(ExprKind::Unary(UnaryOp::Not, Box::new(value)), Ty::Bool, span)
    }
}

pub fn wildcard(ty: &Ty, span: Span) -> Pattern {
    Pattern { kind: PatternKind::Wildcard, ty: ty.clone(), span }
}

/// The branches of an `if` or `match` on their way to one type.
struct Branches {
    wanted: Expect,
    reachable: bool,
}

impl Branches {
    fn new(expect: &Expect) -> Branches {
        Branches { wanted: expect.clone(), reachable: false }
    }

    fn expect(&self) -> Expect {
        self.wanted.clone()
    }
}
