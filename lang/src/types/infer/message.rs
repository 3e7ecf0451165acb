//! Messages as values (L-73): `A.b(x)` outside of `@signal` is one of the messages that `A` takes, to be sent later.
//!
//! Such a value is an enum of the agent's behaviors, each with its parameters. Never: looks into a message, or sends one to
//! another agent.

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Arm, ExprKind, PatternKind, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{Arg, Ident};
use crate::types::def::AgentDef;
use crate::types::infer::contract::block;
use crate::types::infer::{Infer, error, expr};
use crate::types::ty::{Name, Ty};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// `A.b(x)` as a value.
    pub fn message_value(
        &mut self,
        def: &Arc<AgentDef>,
        name: &Ident,
        args: &[Arg],
        span: Span,
    ) -> hir::Expr {
        let ty = Ty::Message(def.name.clone());
        match self.message(def, name, args, span) {
            Some((tag, fields)) => expr(ExprKind::Variant { tag, fields }, ty, span),
            None => error(span),
        }
    }

    /// `@signal(r, m)` where `m` is a message: to the behavior that it is for.
    pub fn signal_value(
        &mut self,
        target: hir::Expr,
        def: &Arc<AgentDef>,
        message: hir::Expr,
        span: Span,
    ) -> hir::Expr {
        let Ty::Message(of) = self.shallow(&message.ty) else { return error(span) };
        if of != def.name {
            let wrong = format!("this message is for `{of}`, not for `{}`", def.name);
            self.report(Diagnostic::new(codes::E0704, message.span, wrong));
            return error(span);
        }
        let mut stmts = Vec::new();
        let target = self.held(target, &mut stmts);
        let arms = (0..).zip(&def.behaviors).map(|(tag, behavior)| {
            let params = behavior.signature.params.iter();
            let fields: Vec<hir::Expr> = params
                .map(|param| {
                    let local = self.temporary(param.ty.clone(), span);
                    expr(ExprKind::Local(local), param.ty.clone(), span)
                })
                .collect();
            let pattern = hir::Pattern {
                kind: PatternKind::Variant { tag, fields: fields.iter().map(bound).collect() },
                ty: message.ty.clone(),
                span,
            };
            let body = signal_to(target.clone(), of.clone(), tag, fields, span);
            Arm { pattern, guard: None, body }
        });
        let arms: Vec<Arm> = arms.collect();
        let chosen = ExprKind::Match { scrutinee: Box::new(message), arms };
        block(stmts, Some(expr(chosen, sent(), span)), sent(), span)
    }

    /// The value, evaluated once.
    fn held(&mut self, value: hir::Expr, stmts: &mut Vec<Stmt>) -> hir::Expr {
        let (ty, span) = (value.ty.clone(), value.span);
        let local = self.temporary(ty.clone(), span);
        let held = expr(ExprKind::Local(local), ty, span);
        stmts.push(Stmt { kind: StmtKind::Let { pattern: bound(&held), value }, span });
        held
    }
}

fn bound(local: &hir::Expr) -> hir::Pattern {
    let kind = match &local.kind {
        ExprKind::Local(id) => PatternKind::Bind(*id),
        _ => PatternKind::Wildcard,
    };
    hir::Pattern { kind, ty: local.ty.clone(), span: local.span }
}

/// What `@signal` gives: whether there was room.
fn sent() -> Ty {
    Ty::result(Ty::Unit, Ty::prelude("Backpressure", Vec::new()))
}

/// A signal to one behavior.
pub fn signal_to(
    target: hir::Expr,
    agent: Name,
    behavior: u32,
    args: Vec<hir::Expr>,
    span: Span,
) -> hir::Expr {
    expr(ExprKind::Signal { target: Box::new(target), agent, behavior, args }, sent(), span)
}
