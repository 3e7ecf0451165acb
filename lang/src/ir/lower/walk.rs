//! Walks over the typed tree: which locals an expression assigns.
//!
//! Never: looks into lambdas (their assignments go to shared cells).

use crate::hir::{
    Callee, Expr, ExprKind, LocalId, Place, PlaceRoot, PlaceStep, Sequence, Stmt, StmtKind,
    TemplatePart,
};
use std::collections::BTreeSet;

/// Locals that `expr` assigns, its own included.
pub fn assigned(exprs: &[&Expr]) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut work: Vec<&Expr> = exprs.to_vec();
    while let Some(expr) = work.pop() {
        each_place(expr, &mut |place| {
            if let PlaceRoot::Local(local) = place.root {
                found.insert(local);
            }
        });
        each_child(expr, &mut |child| work.push(child));
    }
    found
}

/// Locals assigned inside a `try`: their value at the Fault must be seen after it.
pub fn assigned_in_try(body: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut work = vec![body];
    while let Some(expr) = work.pop() {
        match &expr.kind {
            ExprKind::Try(inner) => found.append(&mut assigned(&[inner])),
            _ => each_child(expr, &mut |child| work.push(child)),
        }
    }
    found
}

fn each_place<'a>(expr: &'a Expr, see: &mut dyn FnMut(&'a Place)) {
    if let ExprKind::Block { stmts, .. } = &expr.kind {
        for stmt in stmts {
            if let StmtKind::Assign { place, .. } = &stmt.kind {
                see(place);
            }
        }
    }
}

/// The direct parts of an expression, those of its statements included.
pub fn each_child<'a>(expr: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
    use ExprKind as K;
    match &expr.kind {
        K::Unit
        | K::Bool(_)
        | K::Int(_)
        | K::Float(_)
        | K::Text(_)
        | K::Money(_)
        | K::Duration(_)
        | K::Lane(_)
        | K::Local(_)
        | K::Cell(_)
        | K::Global(_)
        | K::AgentField(_)
        | K::SelfRef
        | K::Function(_)
        | K::Instance(_)
        | K::Break
        | K::Continue
        | K::Lambda { .. } => {}
        K::List(all) | K::Set(all) | K::Vector(all) | K::Tuple(all) => all.iter().for_each(see),
        K::Record { fields, .. } | K::Variant { fields, .. } => fields.iter().for_each(see),
        K::Builtin { args, .. } | K::Generic(_, args) => args.iter().for_each(see),
        K::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            see(key);
            see(value);
        }),
        K::Update { base, fields } => {
            see(base);
            fields.iter().for_each(|(_, value)| see(value));
        }
        K::Field { base: one, .. }
        | K::Unary(_, one)
        | K::Loop { body: one }
        | K::Try(one)
        | K::Question(one)
        | K::Convert(_, one) => see(one),
        K::Binary(_, lhs, rhs) | K::And(lhs, rhs) | K::Or(lhs, rhs) | K::Equal { lhs, rhs, .. } => {
            see(lhs);
            see(rhs);
        }
        K::Coalesce { value, default } => {
            see(value);
            see(default);
        }
        K::Call { callee, args } => {
            if let Callee::Value(value) = callee {
                see(value);
            }
            args.iter().for_each(see);
        }
        K::Scope { args, body, .. } => {
            args.iter().for_each(&mut *see);
            see(body);
        }
        K::Coordinate { args, .. } => args.iter().for_each(see),
        K::Spawn { fields, supervise, .. } => {
            fields.iter().for_each(&mut *see);
            see(supervise);
        }
        K::Request { target, args, .. } | K::Signal { target, args, .. } => {
            see(target);
            args.iter().for_each(see);
        }
        K::LlmCall { options, .. } => options.iter().for_each(|(_, value)| see(value)),
        K::If { cond, then, otherwise } => {
            see(cond);
            see(then);
            otherwise.iter().for_each(|otherwise| see(otherwise));
        }
        K::Match { scrutinee, arms } => {
            see(scrutinee);
            for arm in arms {
                arm.guard.iter().for_each(&mut *see);
                see(&arm.body);
            }
        }
        K::While { cond, body } => {
            see(cond);
            see(body);
        }
        K::For { sequence, body, .. } => {
            match sequence {
                Sequence::Range { low, high, .. } => {
                    see(low);
                    see(high);
                }
                Sequence::Value(value) => see(value),
            }
            see(body);
        }
        K::Block { stmts, value } => {
            stmts.iter().for_each(|stmt| each_of_stmt(stmt, see));
            value.iter().for_each(|value| see(value));
        }
        K::Template(parts) | K::Prompt(parts) => {
            for part in parts {
                if let TemplatePart::Hole(hole) = part {
                    see(hole);
                }
            }
        }
        K::Return(value) => value.iter().for_each(|value| see(value)),
        K::Require { cond, why, shown, .. } => {
            see(cond);
            why.iter().for_each(|why| see(why));
            shown.iter().for_each(|(_, value)| see(value));
        }
        K::Check { cond, shown, .. } => {
            see(cond);
            shown.iter().for_each(|(_, value)| see(value));
        }
        K::Ensuring { body, checks, .. } => {
            see(body);
            checks.iter().for_each(see);
        }
    }
}

fn each_of_stmt<'a>(stmt: &'a Stmt, see: &mut dyn FnMut(&'a Expr)) {
    match &stmt.kind {
        StmtKind::Let { value, .. } => see(value),
        StmtKind::Expr(value) => see(value),
        StmtKind::Assign { place, value } => {
            for step in &place.path {
                if let PlaceStep::Index { index, .. } = step {
                    see(index);
                }
            }
            see(value);
        }
    }
}
