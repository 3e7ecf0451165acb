//! `forall`, `exists`, `==>` and `<==>`: loops over what can be counted (L-140, L-141).
//!
//! Never: loops over Int, Text or anything else without an end; such a clause is `unchecked`.

use crate::hir::{self, BinaryOp, Compare, ExprKind, Pattern, PatternKind, Sequence, UnaryOp};
use crate::source::Span;
use crate::syntax::ast::{self, Binder, BinderDomain, ExprId, Quantifier};
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::infer::contract::{assign, bind, block, boolean};
use crate::types::infer::stmt::expr_stmt;
use crate::types::infer::{Infer, expr};
use crate::types::ty::Ty;

impl Infer<'_, '_> {
    /// `a ==> b`, `a <==> b`.
    pub fn implication(
        &mut self,
        left: ExprId,
        right: ExprId,
        both: bool,
        span: Span,
    ) -> hir::Expr {
        let a = self.check(left, &Ty::Bool);
        let b = Box::new(self.check(right, &Ty::Bool));
        let kind = match both {
            true => ExprKind::Binary(BinaryOp::CompareInt(Compare::Eq), Box::new(a), b),
            false => {
                let at = a.span;
                let not = expr(ExprKind::Unary(UnaryOp::Not, Box::new(a)), Ty::Bool, at);
                ExprKind::Or(Box::new(not), b)
            }
        };
        expr(kind, Ty::Bool, span)
    }

    /// `forall x : T, i in a..b => e`: a loop that ends at the first case that decides it.
    pub fn quantifier(
        &mut self,
        quantifier: Quantifier,
        binders: &[Binder],
        body: ExprId,
        span: Span,
    ) -> hir::Expr {
        let Some((binder, rest)) = binders.split_first() else {
            return self.check(body, &Ty::Bool);
        };
        let sequence = self.domain(binder);
        let (sequence, element) = match sequence {
            Ok(found) => found,
            Err(ty) => (None, ty),
        };
        let is_forall = quantifier == Quantifier::Forall;
        let found = self.variable(Ty::Bool, span);
        self.enter();
        let local =
            self.declare(&binder.name.name.text(), element.clone(), false, binder.name.span);
        let inner = self.quantifier(quantifier, rest, body, span);
        self.leave();
        let Some(sequence) = sequence else { return boolean(true, span) };
        let at = inner.span;
        let decided = match is_forall {
            true => expr(ExprKind::Unary(UnaryOp::Not, Box::new(inner)), Ty::Bool, at),
            false => inner,
        };
        let leave = vec![
            assign(found, boolean(!is_forall, span), Ty::Bool, span),
            expr_stmt(expr(ExprKind::Break, Ty::Never, span)),
        ];
        let then = Box::new(block(leave, None, Ty::Never, span));
        let kind = ExprKind::If { cond: Box::new(decided), then, otherwise: None };
        let walked = Box::new(expr(kind, Ty::Unit, span));
        let pattern = Pattern { kind: PatternKind::Bind(local), ty: element, span };
        let walk = expr(ExprKind::For { pattern, sequence, body: walked }, Ty::Unit, span);
        let stmts = vec![bind(found, boolean(is_forall, span), span), expr_stmt(walk)];
        block(stmts, Some(expr(ExprKind::Local(found), Ty::Bool, span)), Ty::Bool, span)
    }

    /// What a variable goes through, and its type; the type alone if it cannot be counted.
    fn domain(&mut self, binder: &Binder) -> Result<(Option<Sequence>, Ty), Ty> {
        let body = self.body;
        match &binder.domain {
            BinderDomain::In(id) => match &body[*id].kind {
                ast::ExprKind::Range { start, end, inclusive } => {
                    let low = Box::new(self.check(*start, &Ty::Int));
                    let high = Box::new(self.check(*end, &Ty::Int));
                    Ok((Some(Sequence::Range { low, high, inclusive: *inclusive }), Ty::Int))
                }
                _ => {
                    let value = self.infer(*id);
                    let element = self.element(&value);
                    Ok((Some(Sequence::Value(Box::new(value))), element))
                }
            },
            BinderDomain::Type(id) => {
                let ty = self.written_type(*id);
                let span = binder.name.span;
                match self.all_values(&ty, span) {
                    Some(values) => {
                        let list =
                            expr(ExprKind::List(values), Ty::List(Box::new(ty.clone())), span);
                        Ok((Some(Sequence::Value(Box::new(list))), ty))
                    }
                    None => {
                        let shown = self.table.resolve(&ty);
                        self.unchecked(
                            span,
                            format!("`{shown}` has no end of values; `forall x in xs => ...` goes through those there are"),
                        );
                        Err(ty)
                    }
                }
            }
        }
    }

    /// Every value of Bool or of an enum whose variants carry nothing.
    fn all_values(&self, ty: &Ty, span: Span) -> Option<Vec<hir::Expr>> {
        match self.shallow(ty) {
            Ty::Bool => Some(vec![boolean(false, span), boolean(true, span)]),
            Ty::Adt(adt) => {
                let Some(Definition::Enum(def)) = adt_definition(self.db, &adt) else {
                    return None;
                };
                if def.variants.iter().any(|variant| !variant.fields.is_empty()) {
                    return None;
                }
                let tags = (0..def.variants.len()).filter_map(|tag| u32::try_from(tag).ok());
                let value = |tag| expr(ExprKind::Variant { tag, fields: vec![] }, ty.clone(), span);
                Some(tags.map(value).collect())
            }
            _ => None,
        }
    }
}
