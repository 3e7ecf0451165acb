//! Control flow: blocks, conditions, loops, `try`, `?`, and the ways out.
//!
//! Every way out of a block form runs what leaves it, innermost first; a Fault leaves them through the
//! context. Never: tests patterns (`pattern` does).

use crate::hir::{Expr, ExprKind, Stmt, StmtKind};
use crate::ir::core::{Aux, BlockKind, End, Op, Raise, Var};
use crate::ir::lower::build::{Builder, Join, LoopFrame};
use crate::types::ty::{Name, Ty};
use ag_runtime::value::shape::{ERR, OK, SOME, Shape, ShapeId, shape};

impl<'h> Builder<'_, 'h> {
    pub fn control(&mut self, expr: &'h Expr) -> Var {
        use ExprKind as K;
        match &expr.kind {
            K::And(lhs, rhs) => self.lazy(lhs, rhs, true),
            K::Or(lhs, rhs) => self.lazy(lhs, rhs, false),
            K::Coalesce { value, default } => self.coalesce(value, default, &expr.ty),
            K::If { cond, then, otherwise } => {
                self.if_else(cond, then, otherwise.as_deref(), &expr.ty)
            }
            K::Match { scrutinee, arms } => self.match_arms(scrutinee, arms, &expr.ty),
            K::While { cond, body } => self.while_loop(Some(cond), body),
            K::Loop { body } => self.while_loop(None, body),
            K::For { pattern, sequence, body } => self.for_loop(pattern, sequence, body),
            K::Block { stmts, value } => self.block(stmts, value.as_deref()),
            K::Try(body) => self.try_block(body, &expr.ty),
            K::Question(value) => self.question(value, &expr.ty),
            K::Return(value) => self.return_value(value.as_deref()),
            K::Break | K::Continue => self.leave_loop(matches!(expr.kind, K::Break)),
            K::Require { cond, assertion, why, shown } => {
                self.require(cond, *assertion, why.as_deref(), shown)
            }
            K::Check { clause, cond, shown } => self.check(clause, cond, shown),
            K::Ensuring { body, result, checks } => self.ensuring(body, *result, checks),
            _ => self.unit(),
        }
    }

    fn block(&mut self, stmts: &'h [Stmt], value: Option<&'h Expr>) -> Var {
        for stmt in stmts {
            self.span = stmt.span;
            match &stmt.kind {
                StmtKind::Let { pattern, value } => {
                    let value = self.expr(value);
                    self.bind(pattern, value);
                }
                StmtKind::Assign { place, value } => self.assign(place, value),
                StmtKind::Expr(expr) => {
                    self.expr(expr);
                }
            }
        }
        match value {
            Some(value) => self.expr(value),
            None => self.unit(),
        }
    }

    /// `&&` and `||`: the right side only if the left side does not settle it.
    fn lazy(&mut self, lhs: &'h Expr, rhs: &'h Expr, and: bool) -> Var {
        let locals = self.assigned(&[rhs]);
        let lhs = self.expr(lhs);
        let join = self.new_join(BlockKind::Join, Some(&Ty::Bool), locals);
        let (yes, no) = self.branch(lhs);
        let (more, settled) = if and { (yes, no) } else { (no, yes) };
        self.switch_to(settled);
        let known = self.constant(ShapeId::BOOL, u64::from(!and));
        self.jump(&join, Some(known));
        self.switch_to(more);
        let rhs = self.expr(rhs);
        self.jump(&join, Some(rhs));
        self.enter(&join)
    }

    fn if_else(
        &mut self,
        cond: &'h Expr,
        then: &'h Expr,
        otherwise: Option<&'h Expr>,
        ty: &Ty,
    ) -> Var {
        let mut branches = vec![then];
        branches.extend(otherwise);
        let locals = self.assigned(&branches);
        let cond = self.expr(cond);
        let join = self.new_join(BlockKind::Join, Some(ty), locals);
        let (yes, no) = self.branch(cond);
        let saved = self.save(&join.locals);
        self.switch_to(yes);
        let value = self.expr(then);
        self.jump(&join, Some(value));
        self.restore(&join.locals, &saved);
        self.switch_to(no);
        let value = otherwise.map(|otherwise| self.expr(otherwise));
        self.jump(&join, value);
        self.enter(&join)
    }

    /// `a ?? b` on Option and Result.
    fn coalesce(&mut self, value: &'h Expr, default: &'h Expr, ty: &Ty) -> Var {
        let locals = self.assigned(&[default]);
        let value = self.expr(value);
        let full = full_tag(self.shape_of(value));
        let join = self.new_join(BlockKind::Join, Some(ty), locals);
        let (some, none) = self.branch_on_tag(value, full);
        self.switch_to(some);
        let shape = self.payload_shape(value, full).unwrap_or(ShapeId::UNIT);
        let payload = self.emit(shape, Op::Payload(value, 0));
        self.jump(&join, Some(payload));
        self.switch_to(none);
        let default = self.expr(default);
        self.jump(&join, Some(default));
        self.enter(&join)
    }

    pub fn branch_on_tag(
        &mut self,
        value: Var,
        tag: u32,
    ) -> (crate::ir::core::BlockId, crate::ir::core::BlockId) {
        let found = self.emit(ShapeId::INT, Op::Tag(value));
        self.branch_on_known_tag(found, tag)
    }

    /// `while c {}`, and `loop {}` without a condition.
    fn while_loop(&mut self, cond: Option<&'h Expr>, body: &'h Expr) -> Var {
        let mut parts = vec![body];
        parts.extend(cond);
        let locals = self.assigned(&parts);
        let head = self.new_join(BlockKind::Loop, None, locals.clone());
        let exit = self.new_join(BlockKind::Join, None, locals);
        self.jump(&head, None);
        self.enter(&head);
        self.run(Op::Safepoint);
        if let Some(cond) = cond {
            let cond = self.expr(cond);
            let (go, stop) = self.branch(cond);
            self.switch_to(stop);
            self.jump(&exit, None);
            self.switch_to(go);
        }
        self.loop_body(head.clone(), exit.clone(), body);
        self.jump(&head, None);
        self.enter(&exit)
    }

    pub fn loop_body(&mut self, next: Join, exit: Join, body: &'h Expr) {
        let frame =
            LoopFrame { next, exit, scopes: self.scopes.len(), handlers: self.handlers.len() };
        self.loops.push(frame);
        self.expr(body);
        self.loops.pop();
    }

    fn leave_loop(&mut self, breaks: bool) -> Var {
        let Some(frame) = self.loops.last() else { return self.unit() };
        let to = if breaks { frame.exit.clone() } else { frame.next.clone() };
        let (scopes, handlers) = (frame.scopes, frame.handlers);
        self.exit_scopes(scopes, handlers);
        self.jump(&to, None);
        self.unit()
    }

    fn return_value(&mut self, value: Option<&'h Expr>) -> Var {
        let value = match value {
            Some(value) => self.expr(value),
            None => self.unit(),
        };
        self.return_var(value)
    }

    fn return_var(&mut self, value: Var) -> Var {
        match self.exit.clone() {
            Some(exit) => {
                self.exit_scopes(exit.scopes, exit.handlers);
                self.jump(&exit.join, Some(value));
            }
            None => self.leave_function(value),
        }
        self.unit()
    }

    pub fn leave_function(&mut self, value: Var) {
        self.exit_scopes(0, 0);
        self.end(End::Return(value));
    }

    /// Runs what leaves the block forms inside the outermost `kept`. A Fault of that belongs to the
    /// `try` around what is left, of which `handlers` remain.
    fn exit_scopes(&mut self, kept: usize, handlers: usize) {
        let leaving: Vec<_> = self.scopes.iter().skip(kept).rev().copied().collect();
        let inner = self.handlers.split_off(handlers.min(self.handlers.len()));
        for (id, token) in leaving {
            self.run(Op::Exit(id, token));
        }
        self.handlers.extend(inner);
    }

    /// `try e`: statements inside go to the handler on a Fault; it closes the block forms entered since,
    /// and gives `Err(fault)`.
    fn try_block(&mut self, body: &'h Expr, ty: &Ty) -> Var {
        let result = self.shape(ty);
        let join = self.new_join(BlockKind::Join, Some(ty), self.assigned(&[body]));
        let depth = self.emit(ShapeId::INT, Op::Aux(Aux::ScopeDepth, vec![]));
        let handler = self.new_block(BlockKind::Handler);
        self.handlers.push(handler);
        let value = self.expr(body);
        self.handlers.pop();
        let value = if self.payload_shape_of(result, OK) == Some(ShapeId::UNIT) {
            self.unit()
        } else {
            value
        };
        let ok = self.emit(result, Op::Variant(OK, vec![value]));
        self.jump(&join, Some(ok));
        self.switch_to(handler);
        self.run(Op::Aux(Aux::CloseScopes, vec![depth]));
        let fault = self.payload_shape_of(result, ERR).unwrap_or(ShapeId::UNIT);
        let fault = self.emit(fault, Op::Aux(Aux::TakeFault(fault), vec![]));
        let err = self.emit(result, Op::Variant(ERR, vec![fault]));
        self.jump(&join, Some(err));
        self.enter(&join)
    }

    /// `e?`: goes on with the value, or leaves the function with `None` or `Err(e)`.
    fn question(&mut self, value: &'h Expr, ty: &Ty) -> Var {
        let shape = self.shape(ty);
        let value = self.expr(value);
        let full = full_tag(self.shape_of(value));
        let (go, leave) = self.branch_on_tag(value, full);
        self.switch_to(leave);
        self.leave_with(value, full);
        self.switch_to(go);
        self.emit(shape, Op::Payload(value, 0))
    }

    fn leave_with(&mut self, value: Var, full: u32) {
        let result = self.function.result;
        let from = self.shape_of(value);
        let error = if full == OK { self.payload_shape(value, ERR) } else { None };
        if !same_family(from, result) {
            let raise = Raise::QuestionAtTop(from);
            self.run(Op::Aux(Aux::Raise(raise), vec![value]));
            self.end(End::Unreachable);
            return;
        }
        let left = match error {
            Some(error) => {
                let error = self.emit(error, Op::Payload(value, 0));
                self.emit(result, Op::Variant(ERR, vec![error]))
            }
            None => self.emit(result, Op::Variant(0, vec![])),
        };
        self.return_var(left);
    }

    fn require(
        &mut self,
        cond: &'h Expr,
        assertion: bool,
        why: Option<&'h Expr>,
        shown: &'h [(Name, Expr)],
    ) -> Var {
        let span = self.span;
        let locals = self.assigned(&[cond]);
        let cond = self.expr(cond);
        let go_on = self.new_join(BlockKind::Join, None, locals);
        let (holds, fails) = self.branch(cond);
        self.switch_to(holds);
        self.jump(&go_on, None);
        self.switch_to(fails);
        let mut args: Vec<Var> = why.map(|why| self.expr(why)).into_iter().collect();
        let mut names = Vec::with_capacity(shown.len());
        for (name, value) in shown {
            let var = self.expr(value);
            names.push((name.clone(), self.shape_of(var)));
            args.push(var);
        }
        self.span = span;
        let raise = Raise::Failed { assertion, why: why.is_some(), shown: names };
        self.run(Op::Aux(Aux::Raise(raise), args));
        self.end(End::Unreachable);
        self.enter(&go_on)
    }

    pub fn payload_shape(&self, value: Var, tag: u32) -> Option<ShapeId> {
        self.payload_shape_of(self.shape_of(value), tag)
    }

    /// The shape of the first payload field of a variant.
    pub fn payload_shape_of(&self, of: ShapeId, tag: u32) -> Option<ShapeId> {
        match shape(of) {
            Shape::Enum(shape) => Some(shape.variants.get(tag as usize)?.fields.first()?.shape),
            _ => None,
        }
    }
}

/// The tag that has the value: `Some` or `Ok`.
fn full_tag(id: ShapeId) -> u32 {
    if is_named(id, "Result") { OK } else { SOME }
}

pub(super) fn is_named(id: ShapeId, name: &str) -> bool {
    matches!(shape(id), Shape::Enum(shape) if &*shape.name == name)
}

/// Both Option or both Result, so that `?` can hand the empty one on.
fn same_family(from: ShapeId, result: ShapeId) -> bool {
    ["Option", "Result"].iter().any(|name| is_named(from, name) && is_named(result, name))
}
