//! Operators: on plain words as instructions, on everything else as the builtins the table lists for them.

use ag_runtime::builtin;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Arith, BinaryOp, Compare, ExprKind, GenericOp, UnaryOp};
use crate::source::Span;
use crate::syntax::ast::{self, ExprId, Literal};
use crate::types::bounds;
use crate::types::builtins::builtin_signature;
use crate::types::hints;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::{Expect, Infer, Pending, error, expr};
use crate::types::report;
use crate::types::ty::Ty;

impl Infer<'_, '_> {
    pub fn unary(
        &mut self,
        op: ast::UnaryOp,
        operand: ExprId,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let op = match op {
            ast::UnaryOp::Not => {
                let before = self.diagnostics.len();
                let value = self.check(operand, &Ty::Bool);
                self.no_shell(before, operand);
                return expr(ExprKind::Unary(UnaryOp::Not, Box::new(value)), Ty::Bool, span);
            }
            ast::UnaryOp::Neg => {
                let value = self.expr(operand, expect);
                let op = match self.shallow(&value.ty) {
                    Ty::Int => UnaryOp::IntNeg,
                    Ty::Float => UnaryOp::FloatNeg,
                    Ty::Money => UnaryOp::MoneyNeg,
                    Ty::Duration => UnaryOp::DurationNeg,
                    Ty::Error => return error(span),
                    other if self.is_num(&other) => {
                        return expr(ExprKind::Generic(GenericOp::Neg, vec![value]), other, span);
                    }
                    other => {
                        let ty = self.table.resolve(&other);
                        let message = format!("`-` is not defined for `{ty}`");
                        self.report(Diagnostic::new(codes::E0308, span, message));
                        return error(span);
                    }
                };
                (op, value)
            }
        };
        let (op, value) = op;
        negated(op, value, span)
    }

    /// `!ls` in a cell.
    fn no_shell(&mut self, from: usize, operand: ExprId) {
        let is_name = matches!(self.body[operand].kind, ast::ExprKind::Name(_));
        let is_cell = self.frames.iter().all(|frame| frame.kind == FrameKind::Cell);
        let unknown = self.diagnostics.iter_mut().skip(from).find(|d| d.code == codes::E0201);
        if let Some(unknown) = unknown.filter(|_| is_name && is_cell) {
            let note = "there is no shell behind `!`, which means not: `list_files(\".\")` and `read_text(path)` look at files";
            unknown.notes.push(note.to_owned());
            unknown.fixes.clear();
        }
    }

    pub fn binary(
        &mut self,
        op: ast::BinaryOp,
        left: ExprId,
        right: ExprId,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        match op {
            ast::BinaryOp::And | ast::BinaryOp::Or => {
                let a = Box::new(self.check(left, &Ty::Bool));
                let b = Box::new(self.check(right, &Ty::Bool));
                let kind = match op {
                    ast::BinaryOp::And => ExprKind::And(a, b),
                    _ => ExprKind::Or(a, b),
                };
                expr(kind, Ty::Bool, span)
            }
            ast::BinaryOp::Coalesce => self.coalesce(left, right, span, expect),
            // The parser says where they stand.
            ast::BinaryOp::Implies | ast::BinaryOp::Iff => {
                self.implication(left, right, op == ast::BinaryOp::Iff, span)
            }
            ast::BinaryOp::In => self.membership(left, right, span),
            ast::BinaryOp::Eq | ast::BinaryOp::Ne => {
                self.equality(left, right, op == ast::BinaryOp::Ne, span)
            }
            _ => {
                let (a, b) = self.operands(left, right, expect);
                self.operate(op, a, b, span)
            }
        }
    }

    /// Both operands, a decimal literal taking the other one's Float type.
    fn operands(&mut self, left: ExprId, right: ExprId, expect: &Expect) -> (hir::Expr, hir::Expr) {
        let hint =
            if self.wants(expect, &Ty::Float) { Expect::Is(Ty::Float) } else { Expect::Nothing };
        match (self.is_int_literal(left), self.is_int_literal(right)) {
            (true, false) => {
                let b = self.expr(right, &hint);
                let a = self.literal_beside(left, &b, &hint);
                (a, b)
            }
            (false, true) => {
                let a = self.expr(left, &hint);
                let b = self.literal_beside(right, &a, &hint);
                (a, b)
            }
            _ => {
                let a = self.expr(left, &hint);
                let other = match self.shallow(&a.ty) {
                    // The other side of a comparison with an enum may be written short.
                    ty @ Ty::Adt(_) => Expect::Is(ty),
                    _ => hint,
                };
                (a, self.expr(right, &other))
            }
        }
    }

    fn is_int_literal(&self, id: ExprId) -> bool {
        match &self.body[id].kind {
            ast::ExprKind::Literal(Literal::Int { decimal, .. }) => *decimal,
            ast::ExprKind::Unary { op: ast::UnaryOp::Neg, expr } => self.is_int_literal(*expr),
            _ => false,
        }
    }

    fn literal_beside(&mut self, literal: ExprId, other: &hir::Expr, hint: &Expect) -> hir::Expr {
        match self.shallow(&other.ty) {
            Ty::Float => self.expr(literal, &Expect::Is(Ty::Float)),
            Ty::Int => self.expr(literal, &Expect::Nothing),
            _ => self.expr(literal, hint),
        }
    }

    /// An arithmetic operator or comparison on inferred operands.
    pub fn operate(
        &mut self,
        op: ast::BinaryOp,
        a: hir::Expr,
        b: hir::Expr,
        span: Span,
    ) -> hir::Expr {
        let (mut left, mut right) = (self.shallow(&a.ty), self.shallow(&b.ty));
        if matches!((&left, &right), (Ty::Error, _) | (_, Ty::Error)) {
            return error(span);
        }
        // An unknown operand has the other one's type.
        if matches!(left, Ty::Var(_)) != matches!(right, Ty::Var(_)) {
            let _ = self.table.unify(&left, &right);
            (left, right) = (self.shallow(&left), self.shallow(&right));
        }
        if let Ty::Var(_) = left {
            let message = "the types of these operands are not known yet";
            self.report(Diagnostic::new(codes::E0304, span, message).note("annotate one of them"));
            return error(span);
        }
        match arith_of(op) {
            Some(arith) if left == right && self.is_num(&left) => {
                self.generic_arithmetic(arith, a, b, span)
            }
            Some(arith) => match arithmetic(arith, &left, &right) {
                Some((op, ty)) => binary(op, a, b, ty, span),
                None => self.operator_call(symbol(op), vec![a, b], span),
            },
            None => match (compare_of(op), left == right) {
                (Some(compare), true) if left.is_word() => {
                    binary(BinaryOp::CompareInt(compare), a, b, Ty::Bool, span)
                }
                (Some(compare), true) if left == Ty::Float => {
                    binary(BinaryOp::CompareFloat(compare), a, b, Ty::Bool, span)
                }
                _ => self.operator_call(symbol(op), vec![a, b], span),
            },
        }
    }

    /// A type parameter whose values are numbers.
    fn is_num(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Param(name) => bounds::declares(&self.bounds, name, "Num"),
            _ => false,
        }
    }

    /// Every Num adds and subtracts; `Money * Money` means nothing.
    fn generic_arithmetic(
        &mut self,
        op: Arith,
        a: hir::Expr,
        b: hir::Expr,
        span: Span,
    ) -> hir::Expr {
        let ty = self.shallow(&a.ty);
        let op = match op {
            Arith::Add => GenericOp::Add,
            Arith::Sub => GenericOp::Sub,
            Arith::Mul | Arith::Div | Arith::Rem => {
                let message =
                    format!("not every `Num` can do this: `{ty}` may be Money or Duration");
                self.report(
                    Diagnostic::new(codes::E0308, span, message)
                        .note("`Num` has `+`, `-` and comparisons; write the type to do more"),
                );
                return error(span);
            }
        };
        expr(ExprKind::Generic(op, vec![a, b]), ty, span)
    }

    /// The first builtin of the operator that takes these operands.
    pub fn operator_call(&mut self, op: &str, args: Vec<hir::Expr>, span: Span) -> hir::Expr {
        for id in builtin::operators(op) {
            let signature = builtin_signature(self.db, id.0);
            if signature.params.len() != args.len() {
                continue;
            }
            let before = self.table.mark();
            let types: Vec<Ty> = signature.generics.iter().map(|_| self.fresh(span)).collect();
            let fits = signature.params.iter().zip(&args).all(|(param, arg)| {
                let want = param.ty.substitute(&signature.generics, &types);
                self.table.unify(&want, &arg.ty).is_ok()
            });
            if !fits {
                self.table.undo(before);
                continue;
            }
            if let Some(row) = id.get() {
                row.effects.iter().for_each(|effect| self.effect(effect, span));
                if !row.supported {
                    self.report(report::unsupported(&format!("`{op}` on these operands"), span));
                    return error(span);
                }
            }
            for (name, bound) in &signature.bounds {
                let ty = Ty::Param(name.clone()).substitute(&signature.generics, &types);
                self.pending.push(Pending::Bound { ty, bound: bound.clone(), span, of: None });
            }
            let ty = signature.result.substitute(&signature.generics, &types);
            return expr(ExprKind::Builtin { id: *id, args, types }, ty, span);
        }
        self.no_operator(op, &args, span);
        error(span)
    }

    fn no_operator(&mut self, op: &str, args: &[hir::Expr], span: Span) {
        let types: Vec<Ty> = args.iter().map(|arg| self.table.resolve(&arg.ty)).collect();
        if types.contains(&Ty::Error) {
            return;
        }
        let diagnostic = match (op, types.as_slice()) {
            ("[]", [base, index]) => {
                let message = format!("`{base}` cannot be indexed by `{index}`");
                Diagnostic::new(codes::E0308, span, message)
            }
            (_, [left, right]) => {
                let message = format!("`{op}` is not defined for `{left}` and `{right}`");
                let diagnostic = Diagnostic::new(codes::E0308, span, message);
                let hint = hints::operands(op, left, right);
                match (left, right) {
                    (Ty::Future(_), _) | (_, Ty::Future(_)) => diagnostic,
                    _ if hint.is_some() => hint.into_iter().fold(diagnostic, Diagnostic::note),
                    (Ty::Int, Ty::Float) | (Ty::Float, Ty::Int) => {
                        diagnostic.note("`n.to_float` gives the Float of an Int")
                    }
                    (Ty::Text, _) | (_, Ty::Text) if op == "+" => {
                        diagnostic.note("`show(x)` and \"${x}\" give the Text of any value")
                    }
                    (t, _) | (_, t) if is_tried(t) => diagnostic.note(
                        "`try` takes only what stands directly behind it: write `try (a / b)` or `try { ... }`",
                    ),
                    (Ty::Param(name), _) | (_, Ty::Param(name)) if left == right => diagnostic.note(
                        format!("`{name}` may be any type; `<{name} : Num>` would allow `+` and `-`"),
                    ),
                    (t, _) | (_, t) if t.as_option().is_some() => diagnostic
                        .note("one of them may be None: unwrap it with `??`, `?` or `match`"),
                    _ => diagnostic,
                }
            }
            _ => Diagnostic::new(codes::E0308, span, format!("`{op}` is not defined here")),
        };
        let waiting = args.iter().zip(&types).filter(|(_, ty)| matches!(ty, Ty::Future(_)));
        let places: Vec<Span> = waiting.map(|(arg, _)| Span::at(arg.span.start)).collect();
        self.report(match places.is_empty() {
            true => diagnostic,
            false => report::awaited(diagnostic, &places),
        });
    }

    fn equality(&mut self, left: ExprId, right: ExprId, negated: bool, span: Span) -> hir::Expr {
        let (a, b) = self.operands(left, right, &Expect::Nothing);
        // `x == None`, `d == 1`: the right side is converted to the left one's type, or the other way round.
        let (a, b) = match self.would_coerce(&b.ty, &a.ty) {
            true => {
                let ty = a.ty.clone();
                (a, self.coerce(b, &ty))
            }
            false => {
                let ty = b.ty.clone();
                (self.coerce(a, &ty), b)
            }
        };
        let ty = self.shallow(&a.ty);
        let compare = if negated { Compare::Ne } else { Compare::Eq };
        match &ty {
            Ty::Error => error(span),
            Ty::Float => {
                let diagnostic = Diagnostic::new(
                    codes::W0301,
                    span,
                    "Floats that were computed are seldom exactly equal",
                );
                if !self.prelude {
                    self.report(diagnostic.note("compare with a tolerance: `abs(a - b) < 1e-9`"));
                }
                binary(BinaryOp::CompareFloat(compare), a, b, Ty::Bool, span)
            }
            word if word.is_word() => binary(BinaryOp::CompareInt(compare), a, b, Ty::Bool, span),
            _ => {
                self.pending.push(Pending::Equal { ty, span });
                let (lhs, rhs) = (Box::new(a), Box::new(b));
                expr(ExprKind::Equal { lhs, rhs, negated }, Ty::Bool, span)
            }
        }
    }

    /// `x in xs`, `x in a..b`.
    fn membership(&mut self, left: ExprId, right: ExprId, span: Span) -> hir::Expr {
        if let ast::ExprKind::Range { start, end, inclusive } = &self.body[right].kind {
            let (start, end, inclusive) = (*start, *end, *inclusive);
            let value = self.infer(left);
            let ty = value.ty.clone();
            let low = self.check(start, &ty);
            let high = self.check(end, &ty);
            let local = self.temporary(ty.clone(), value.span);
            let read = || expr(ExprKind::Local(local), ty.clone(), span);
            let above = self.operate(ast::BinaryOp::Ge, read(), low, span);
            let op = if inclusive { ast::BinaryOp::Le } else { ast::BinaryOp::Lt };
            let below = self.operate(op, read(), high, span);
            let kind = hir::PatternKind::Bind(local);
            let pattern = hir::Pattern { kind, ty: ty.clone(), span: value.span };
            let at = value.span;
            let stmt = hir::Stmt { kind: hir::StmtKind::Let { pattern, value }, span: at };
            let both = expr(ExprKind::And(Box::new(above), Box::new(below)), Ty::Bool, span);
            let kind = ExprKind::Block { stmts: vec![stmt], value: Some(Box::new(both)) };
            return expr(kind, Ty::Bool, span);
        }
        let set = self.infer(right);
        let value = match self.shallow(&set.ty) {
            Ty::List(element) | Ty::Set(element) => self.check(left, &element),
            Ty::Map(key, _) => self.check(left, &key),
            _ => self.infer(left),
        };
        self.operator_call("in", vec![value, set], span)
    }

    fn coalesce(&mut self, left: ExprId, right: ExprId, span: Span, expect: &Expect) -> hir::Expr {
        let value = self.infer(left);
        let inner = match self.shallow(&value.ty) {
            ty if ty.as_option().is_some() => ty.as_option().cloned(),
            ty => ty.prelude_args("Result").and_then(<[Ty]>::first).cloned(),
        };
        let Some(inner) = inner else {
            let ty = self.table.resolve(&value.ty);
            self.expected(right, &Expect::Nothing);
            if ty != Ty::Error {
                let message = format!("`??` needs an Option or a Result, this is `{ty}`");
                self.report(Diagnostic::new(codes::E0308, value.span, message));
            }
            return error(span);
        };
        // `a ?? b` with an optional `b` stays optional.
        let default = self.expr(right, &Expect::Is(inner.clone()));
        let wanted = self.shallow(&inner);
        let keeps_option = self.shallow(&default.ty).as_option().is_some()
            && wanted.as_option().is_none()
            && wanted != Ty::Dyn;
        let _ = expect;
        if keeps_option {
            let ty = default.ty.clone();
            let wanted = Ty::option(inner);
            let default = Box::new(self.coerce(default, &wanted));
            self.report(report::mismatch(
                &self.table.resolve(wanted.as_option().unwrap_or(&Ty::Error)),
                &self.table.resolve(&ty),
                default.span,
            ));
            return error(span);
        }
        let default = Box::new(self.coerce(default, &inner));
        expr(ExprKind::Coalesce { value: Box::new(value), default }, inner, span)
    }
}

/// What `try` gives.
fn is_tried(ty: &Ty) -> bool {
    let error = ty.prelude_args("Result").and_then(<[Ty]>::last);
    error.is_some_and(|error| error.prelude_args("Fault").is_some())
}

/// `-x`, folded for literals.
fn negated(op: UnaryOp, value: hir::Expr, span: Span) -> hir::Expr {
    let ty = value.ty.clone();
    let kind = match value.kind {
        ExprKind::Int(n) if n != i64::MIN => ExprKind::Int(-n),
        ExprKind::Money(n) if n != i64::MIN => ExprKind::Money(-n),
        ExprKind::Duration(n) if n != i64::MIN => ExprKind::Duration(-n),
        ExprKind::Float(bits) => ExprKind::Float((-f64::from_bits(bits)).to_bits()),
        _ => ExprKind::Unary(op, Box::new(value)),
    };
    expr(kind, ty, span)
}

fn binary(op: BinaryOp, a: hir::Expr, b: hir::Expr, ty: Ty, span: Span) -> hir::Expr {
    expr(ExprKind::Binary(op, Box::new(a), Box::new(b)), ty, span)
}

/// The instruction for operands that are plain words; `None`: ask the table of builtins.
fn arithmetic(op: Arith, left: &Ty, right: &Ty) -> Option<(BinaryOp, Ty)> {
    let sum = matches!(op, Arith::Add | Arith::Sub);
    Some(match (left, right) {
        (Ty::Int, Ty::Int) => (BinaryOp::Int(op), Ty::Int),
        (Ty::Float, Ty::Float) => (BinaryOp::Float(op), Ty::Float),
        (Ty::Money, Ty::Money) if sum => (BinaryOp::Money(op), Ty::Money),
        (Ty::Duration, Ty::Duration) if sum => (BinaryOp::Duration(op), Ty::Duration),
        (Ty::Time, Ty::Time) if op == Arith::Sub => (BinaryOp::Duration(op), Ty::Duration),
        (Ty::Time, Ty::Duration) if sum => (BinaryOp::Duration(op), Ty::Time),
        (Ty::Duration, Ty::Time) if op == Arith::Add => (BinaryOp::Duration(op), Ty::Time),
        _ => return None,
    })
}

fn arith_of(op: ast::BinaryOp) -> Option<Arith> {
    Some(match op {
        ast::BinaryOp::Add => Arith::Add,
        ast::BinaryOp::Sub => Arith::Sub,
        ast::BinaryOp::Mul => Arith::Mul,
        ast::BinaryOp::Div => Arith::Div,
        ast::BinaryOp::Rem => Arith::Rem,
        _ => return None,
    })
}

fn compare_of(op: ast::BinaryOp) -> Option<Compare> {
    Some(match op {
        ast::BinaryOp::Eq => Compare::Eq,
        ast::BinaryOp::Ne => Compare::Ne,
        ast::BinaryOp::Lt => Compare::Lt,
        ast::BinaryOp::Le => Compare::Le,
        ast::BinaryOp::Gt => Compare::Gt,
        ast::BinaryOp::Ge => Compare::Ge,
        _ => return None,
    })
}

/// As written, and as the table of builtins names it.
fn symbol(op: ast::BinaryOp) -> &'static str {
    match op {
        ast::BinaryOp::Add => "+",
        ast::BinaryOp::Sub => "-",
        ast::BinaryOp::Mul => "*",
        ast::BinaryOp::Div => "/",
        ast::BinaryOp::Rem => "%",
        ast::BinaryOp::Eq => "==",
        ast::BinaryOp::Ne => "!=",
        ast::BinaryOp::Lt => "<",
        ast::BinaryOp::Le => "<=",
        ast::BinaryOp::Gt => ">",
        ast::BinaryOp::Ge => ">=",
        ast::BinaryOp::In => "in",
        ast::BinaryOp::And => "&&",
        ast::BinaryOp::Or => "||",
        ast::BinaryOp::Coalesce => "??",
        ast::BinaryOp::Implies => "==>",
        ast::BinaryOp::Iff => "<==>",
    }
}
