//! Direct children of expressions and statements, and the heights of trees while they are built.
//!
//! The one place that knows which kind holds which children.

use crate::syntax::ast::{
    Arg, ArmBody, BinderDomain, Block, Cond, Diverge, ExprId, ExprKind, LoopSpec, StmtId, StmtKind,
    StructElement, TemplatePart,
};

/// A direct child of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Child {
    Expr(ExprId),
    Stmt(StmtId),
}

/// Visit the direct children of an expression, in source order. Patterns and types hold none.
pub fn expr_children(kind: &ExprKind, visit: &mut dyn FnMut(Child)) {
    match kind {
        ExprKind::Error | ExprKind::Literal(_) | ExprKind::Name(_) => {}
        ExprKind::Template(parts) => {
            for part in parts {
                if let TemplatePart::Hole(hole) = part {
                    visit(Child::Expr(*hole));
                }
            }
        }
        ExprKind::Tuple(elements) | ExprKind::List(elements) => exprs(elements, visit),
        ExprKind::Record(fields) => fields.iter().for_each(|field| visit(Child::Expr(field.value))),
        ExprKind::Map(entries) => {
            entries.iter().for_each(|entry| exprs(&[entry.key, entry.value], visit));
        }
        ExprKind::Struct { elements, .. } => elements.iter().for_each(|element| match element {
            StructElement::Field(field) => visit(Child::Expr(field.value)),
            StructElement::Spread(spread) => visit(Child::Expr(*spread)),
        }),
        ExprKind::Unary { expr, .. }
        | ExprKind::Is { expr, .. }
        | ExprKind::Cast { expr, .. }
        | ExprKind::Await(expr)
        | ExprKind::Try(expr)
        | ExprKind::Question(expr)
        | ExprKind::Field { base: expr, .. }
        | ExprKind::TupleField { base: expr, .. } => visit(Child::Expr(*expr)),
        ExprKind::Binary { left, right, .. } => exprs(&[*left, *right], visit),
        ExprKind::Range { start, end, .. } => exprs(&[*start, *end], visit),
        ExprKind::Index { base, index } => exprs(&[*base, *index], visit),
        ExprKind::Call { callee, args } => {
            visit(Child::Expr(*callee));
            arguments(args, visit);
        }
        ExprKind::Lambda { body, .. } => visit(Child::Expr(*body)),
        ExprKind::If { cond, then, otherwise } => {
            condition(cond, visit);
            block(then, visit);
            otherwise.iter().for_each(|otherwise| visit(Child::Expr(*otherwise)));
        }
        ExprKind::Match { scrutinee, arms } => {
            visit(Child::Expr(*scrutinee));
            for arm in arms {
                arm.guard.iter().for_each(|guard| visit(Child::Expr(*guard)));
                match arm.body {
                    ArmBody::Expr(expr) => visit(Child::Expr(expr)),
                    ArmBody::Stmt(stmt) => visit(Child::Stmt(stmt)),
                }
            }
        }
        ExprKind::Block(inner) => block(inner, visit),
        ExprKind::Intrinsic(intrinsic) => {
            arguments(&intrinsic.args, visit);
            intrinsic.block.iter().for_each(|inner| block(inner, visit));
        }
        ExprKind::Quantifier { binders, body, .. } => {
            for binder in binders {
                if let BinderDomain::In(domain) = binder.domain {
                    visit(Child::Expr(domain));
                }
            }
            visit(Child::Expr(*body));
        }
    }
}

/// Visit the direct children of a statement, in source order. A nested function counts with its block.
pub fn stmt_children(kind: &StmtKind, visit: &mut dyn FnMut(Child)) {
    match kind {
        StmtKind::Error | StmtKind::Break | StmtKind::Continue | StmtKind::Label { .. } => {}
        StmtKind::Return(value) => value.iter().for_each(|value| visit(Child::Expr(*value))),
        StmtKind::Let { value, otherwise, .. } => {
            visit(Child::Expr(*value));
            diverge(otherwise.as_ref(), visit);
        }
        StmtKind::Declare { value, .. } | StmtKind::Expr(value) => visit(Child::Expr(*value)),
        StmtKind::Assign { place, value, .. } => exprs(&[*place, *value], visit),
        StmtKind::Require { cond, otherwise } => {
            visit(Child::Expr(*cond));
            diverge(otherwise.as_ref(), visit);
        }
        StmtKind::Assert { cond, message } => {
            visit(Child::Expr(*cond));
            message.iter().for_each(|message| visit(Child::Expr(*message)));
        }
        StmtKind::For { iterable, specs, body, .. } => {
            visit(Child::Expr(*iterable));
            loop_specs(specs, visit);
            block(body, visit);
        }
        StmtKind::While { cond, specs, body } => {
            condition(cond, visit);
            loop_specs(specs, visit);
            block(body, visit);
        }
        StmtKind::Loop(body) => block(body, visit),
        StmtKind::Hint { args, .. } => arguments(args, visit),
        StmtKind::Function(function) => {
            function
                .params
                .iter()
                .filter_map(|param| param.default)
                .for_each(|e| visit(Child::Expr(e)));
            function.body.iter().for_each(|body| block(body, visit));
        }
    }
}

fn exprs(list: &[ExprId], visit: &mut dyn FnMut(Child)) {
    list.iter().for_each(|expr| visit(Child::Expr(*expr)));
}

fn arguments(args: &[Arg], visit: &mut dyn FnMut(Child)) {
    args.iter().for_each(|arg| visit(Child::Expr(arg.value)));
}

fn block(block: &Block, visit: &mut dyn FnMut(Child)) {
    block.stmts.iter().for_each(|stmt| visit(Child::Stmt(*stmt)));
}

fn condition(cond: &Cond, visit: &mut dyn FnMut(Child)) {
    match cond {
        Cond::Expr(expr) | Cond::Let { value: expr, .. } => visit(Child::Expr(*expr)),
    }
}

fn diverge(diverge: Option<&Diverge>, visit: &mut dyn FnMut(Child)) {
    match diverge {
        Some(Diverge::Return(Some(value))) => visit(Child::Expr(*value)),
        Some(Diverge::Block(inner)) => block(inner, visit),
        Some(Diverge::Return(None) | Diverge::Break | Diverge::Continue) | None => {}
    }
}

fn loop_specs(specs: &[LoopSpec], visit: &mut dyn FnMut(Child)) {
    for spec in specs {
        match spec {
            LoopSpec::Invariant(expr) | LoopSpec::Decreases(expr) => visit(Child::Expr(*expr)),
        }
    }
}

/// Heights of nodes by id, kept while an arena grows.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    pub exprs: Vec<u16>,
    pub stmts: Vec<u16>,
}

impl Heights {
    pub fn of_expr(&self, kind: &ExprKind) -> u16 {
        let mut height = 0;
        expr_children(kind, &mut |child| height = self.of_child(child).max(height));
        height.saturating_add(1)
    }

    pub fn of_stmt(&self, kind: &StmtKind) -> u16 {
        let mut height = 0;
        stmt_children(kind, &mut |child| height = self.of_child(child).max(height));
        height.saturating_add(1)
    }

    fn of_child(&self, child: Child) -> u16 {
        let height = match child {
            Child::Expr(expr) => self.exprs.get(expr.0 as usize),
            Child::Stmt(stmt) => self.stmts.get(stmt.0 as usize),
        };
        height.copied().unwrap_or(0)
    }
}
