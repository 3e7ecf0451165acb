//! Expressions: the dispatch over their kinds, and literals.

use std::sync::Arc;

use crate::hir::{self, ExprKind, TemplatePart};
use crate::source::Span;
use crate::syntax::ast::{self, ExprId, Literal};
use crate::types::infer::{Expect, Infer, error, expr};
use crate::types::report;
use crate::types::ty::Ty;
use ag_runtime::value::template;

impl Infer<'_, '_> {
    /// The expression, with what is wanted as a hint; `check` enforces it.
    pub fn expr(&mut self, id: ExprId, expect: &Expect) -> hir::Expr {
        crate::stop::look();
        let mut value = self.any_expr(id, expect);
        if self.table.is_too_large(&value.ty) {
            self.report(report::too_large(value.span));
            self.table.poison(&value.ty);
            value = error(value.span);
        }
        if self.probe.is_some() {
            self.probed(id, &value, expect);
        }
        value
    }

    fn any_expr(&mut self, id: ExprId, expect: &Expect) -> hir::Expr {
        let body = self.body;
        let node = &body[id];
        let span = node.span;
        match &node.kind {
            ast::ExprKind::Error => error(span),
            ast::ExprKind::Literal(literal) => self.literal(literal, span, expect),
            ast::ExprKind::Template(parts) => self.template(parts, span, expect),
            ast::ExprKind::Name(name) => self.name(&name.text(), span, expect),
            ast::ExprKind::Tuple(items) => self.tuple(items, span, expect),
            ast::ExprKind::List(items) => self.list(items, span, expect),
            ast::ExprKind::Record(fields) => self.record(fields, span, expect),
            ast::ExprKind::Map(entries) => self.map(entries, span, expect),
            ast::ExprKind::Struct { path, elements } => {
                self.struct_literal(path, elements, span, expect)
            }
            ast::ExprKind::Unary { op, expr } => self.unary(*op, *expr, span, expect),
            ast::ExprKind::Binary { op, left, right } => {
                self.binary(*op, *left, *right, span, expect)
            }
            ast::ExprKind::Range { start, end, inclusive } => {
                self.range_value(*start, *end, *inclusive, span)
            }
            ast::ExprKind::Is { expr, pattern } => self.is_pattern(*expr, *pattern, span),
            ast::ExprKind::Cast { expr, ty, optional } => self.cast(*expr, *ty, *optional, span),
            ast::ExprKind::Await(inner) => self.await_future(*inner, span),
            ast::ExprKind::Try(inner) => self.try_expr(*inner, span, expect),
            ast::ExprKind::Question(inner) => self.question(*inner, span),
            ast::ExprKind::Field { base, name } => self.field(*base, name, span, expect),
            ast::ExprKind::TupleField { base, index } => self.tuple_field(*base, *index, span),
            ast::ExprKind::Index { base, index } => self.index(*base, *index, span),
            ast::ExprKind::Call { callee, args } => self.call(*callee, args, span, expect),
            ast::ExprKind::Lambda { params, body } => self.lambda(params, *body, span, expect),
            ast::ExprKind::If { cond, then, otherwise } => {
                self.if_expr(cond, then, *otherwise, span, expect)
            }
            ast::ExprKind::Match { scrutinee, arms } => {
                self.match_expr(*scrutinee, arms, span, expect)
            }
            ast::ExprKind::Block(block) => self.block(block, expect),
            ast::ExprKind::Intrinsic(intrinsic) => self.intrinsic(intrinsic, span, expect),
            ast::ExprKind::Quantifier { quantifier, binders, body } => {
                self.quantifier(*quantifier, binders, *body, span)
            }
        }
    }

    pub fn literal(&mut self, literal: &Literal, span: Span, expect: &Expect) -> hir::Expr {
        match literal {
            Literal::Int { value, decimal: true } if self.wants(expect, &Ty::Float) => {
                // Exact up to 2^53; larger literals round as Float literals do.
                #[allow(clippy::cast_precision_loss)]
                let bits = (*value as f64).to_bits();
                expr(ExprKind::Float(bits), Ty::Float, span)
            }
            Literal::Int { value, .. } => expr(ExprKind::Int(*value), Ty::Int, span),
            Literal::Float(bits) => expr(ExprKind::Float(*bits), Ty::Float, span),
            Literal::Bool(value) => expr(ExprKind::Bool(*value), Ty::Bool, span),
            Literal::Text(text) => expr(ExprKind::Text(text.clone()), Ty::Text, span),
            Literal::Money(micro) => expr(ExprKind::Money(*micro), Ty::Money, span),
            Literal::Duration(ns) => expr(ExprKind::Duration(*ns), Ty::Duration, span),
        }
    }

    fn template(&mut self, parts: &[ast::TemplatePart], span: Span, expect: &Expect) -> hir::Expr {
        let parts = parts.iter().map(|part| match part {
            ast::TemplatePart::Text(text) => TemplatePart::Text(Arc::clone(text)),
            ast::TemplatePart::Hole(id) => TemplatePart::Hole(self.infer(*id)),
        });
        let parts = parts.collect();
        let kept = [Ty::Prompt, Ty::Opaque(template::NAME)];
        match kept.into_iter().find(|kept| self.wants(expect, kept)) {
            Some(kept) => expr(ExprKind::Prompt(parts), kept, span),
            None => expr(ExprKind::Template(parts), Ty::Text, span),
        }
    }

    fn tuple(&mut self, items: &[ExprId], span: Span, expect: &Expect) -> hir::Expr {
        if items.is_empty() {
            return expr(ExprKind::Unit, Ty::Unit, span);
        }
        let wanted = match expect {
            Expect::Is(ty) => match self.shallow(ty) {
                Ty::Tuple(types) if types.len() == items.len() => Some(types),
                _ => None,
            },
            _ => None,
        };
        let mut values = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let want = wanted.as_ref().and_then(|types| types.get(at));
            values.push(match want {
                Some(ty) => self.check(*item, ty),
                None => self.infer(*item),
            });
        }
        let ty = wanted
            .map_or_else(|| Ty::Tuple(values.iter().map(|v| v.ty.clone()).collect()), Ty::Tuple);
        expr(ExprKind::Tuple(values), ty, span)
    }
}
