//! `for x in channel`: what is sent, until the channel is closed and empty (L-53).

use ag_runtime::builtin;

use crate::hir::{self, Arm, ExprKind, Pattern, PatternKind, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{Block, LoopSpec, PatId};
use crate::types::infer::control::wildcard;
use crate::types::infer::stmt::after;
use crate::types::infer::{Infer, error, expr};
use crate::types::ty::Ty;
use ag_runtime::value::shape::SOME;

impl Infer<'_, '_> {
    /// `loop { match channel.recv() { Some(x) => body, _ => break } }`, the channel looked up once.
    pub fn for_channel(
        &mut self,
        pattern: PatId,
        channel: hir::Expr,
        item: &Ty,
        specs: &[LoopSpec],
        body: &Block,
        span: Span,
    ) -> hir::Expr {
        self.effect("suspend", channel.span);
        self.effect("channel", channel.span);
        let (of, at) = (channel.ty.clone(), channel.span);
        let local = self.temporary(of.clone(), at);
        self.enter();
        let pattern = self.binding(pattern, item, false);
        self.irrefutable(&pattern);
        let (before, each) = self.loop_checks(specs).at_iterations();
        let (body, _) = self.loop_body(body);
        self.leave();
        let Some(id) = builtin::member("Channel", "recv") else { return error(span) };
        let option = Ty::option(item.clone());
        let args = vec![expr(ExprKind::Local(local), of.clone(), at)];
        let received = ExprKind::Builtin { id, args, types: vec![item.clone()] };
        let scrutinee = Box::new(expr(received, option.clone(), at));
        let some = PatternKind::Variant { tag: SOME, fields: vec![pattern] };
        let some = Pattern { kind: some, ty: option.clone(), span: at };
        let stop = expr(ExprKind::Break, Ty::Never, span);
        let arms = vec![
            Arm { pattern: some, guard: None, body: after(each, body) },
            Arm { pattern: wildcard(&option, span), guard: None, body: stop },
        ];
        let body = Box::new(expr(ExprKind::Match { scrutinee, arms }, Ty::Unit, span));
        let forever = expr(ExprKind::Loop { body }, Ty::Unit, span);
        let bind = Pattern { kind: PatternKind::Bind(local), ty: of, span: at };
        let stmts = vec![Stmt { kind: StmtKind::Let { pattern: bind, value: channel }, span }];
        let looped = ExprKind::Block { stmts, value: Some(Box::new(after(before, forever))) };
        expr(looped, Ty::Unit, span)
    }
}
