//! Walking the typed tree: the direct parts of a node, for passes that treat most kinds alike.

use crate::hir::{
    Arm, Callee, Expr, ExprKind, Function, Pattern, PatternKind, Place, PlaceStep, Sequence, Stmt,
    StmtKind, TemplatePart,
};
use crate::types::ty::Ty;

/// Calls `f` for each expression directly inside, in order of evaluation. Does not enter lambdas.
pub fn children(expr: &mut Expr, f: &mut dyn FnMut(&mut Expr)) {
    match &mut expr.kind {
        ExprKind::Unit
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Text(_)
        | ExprKind::Money(_)
        | ExprKind::Duration(_)
        | ExprKind::Lane(_)
        | ExprKind::Local(_)
        | ExprKind::Cell(_)
        | ExprKind::Global(_)
        | ExprKind::AgentField(_)
        | ExprKind::SelfRef
        | ExprKind::Function(_)
        | ExprKind::Instance(_)
        | ExprKind::Lambda { .. }
        | ExprKind::Break
        | ExprKind::Continue
        | ExprKind::Return(None) => {}
        ExprKind::List(items)
        | ExprKind::Set(items)
        | ExprKind::Vector(items)
        | ExprKind::Tuple(items)
        | ExprKind::Record { fields: items, .. }
        | ExprKind::Variant { fields: items, .. }
        | ExprKind::Generic(_, items)
        | ExprKind::Builtin { args: items, .. } => items.iter_mut().for_each(f),
        ExprKind::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            f(key);
            f(value);
        }),
        ExprKind::Update { base, fields } => {
            f(base);
            fields.iter_mut().for_each(|(_, value)| f(value));
        }
        ExprKind::Field { base: inner, .. }
        | ExprKind::Unary(_, inner)
        | ExprKind::Try(inner)
        | ExprKind::Question(inner)
        | ExprKind::Convert(_, inner)
        | ExprKind::Loop { body: inner }
        | ExprKind::Return(Some(inner)) => f(inner),
        ExprKind::Binary(_, a, b)
        | ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Coalesce { value: a, default: b }
        | ExprKind::Equal { lhs: a, rhs: b, .. }
        | ExprKind::While { cond: a, body: b } => {
            f(a);
            f(b);
        }
        ExprKind::Call { callee, args } => {
            if let Callee::Value(value) = callee {
                f(value);
            }
            args.iter_mut().for_each(f);
        }
        ExprKind::Scope { args, body, .. } => {
            args.iter_mut().for_each(&mut *f);
            f(body);
        }
        ExprKind::Coordinate { args, .. } => args.iter_mut().for_each(f),
        ExprKind::Spawn { fields, supervise, .. } => {
            fields.iter_mut().for_each(&mut *f);
            f(supervise);
        }
        ExprKind::Request { target, args, .. } | ExprKind::Signal { target, args, .. } => {
            f(target);
            args.iter_mut().for_each(f);
        }
        ExprKind::LlmCall { options, .. } => options.iter_mut().for_each(|(_, value)| f(value)),
        ExprKind::If { cond, then, otherwise } => {
            f(cond);
            f(then);
            otherwise.iter_mut().for_each(|inner| f(inner));
        }
        ExprKind::Match { scrutinee, arms } => {
            f(scrutinee);
            arms.iter_mut().for_each(|arm| arm_parts(arm, f));
        }
        ExprKind::For { pattern, sequence, body } => {
            match sequence {
                Sequence::Range { low, high, .. } => {
                    f(low);
                    f(high);
                }
                Sequence::Value(value) => f(value),
            }
            pattern_exprs(pattern, f);
            f(body);
        }
        ExprKind::Block { stmts, value } => {
            stmts.iter_mut().for_each(|stmt| stmt_parts(stmt, f));
            value.iter_mut().for_each(|inner| f(inner));
        }
        ExprKind::Template(parts) | ExprKind::Prompt(parts) => {
            for part in parts {
                if let TemplatePart::Hole(hole) = part {
                    f(hole);
                }
            }
        }
        ExprKind::Require { cond, why, shown, .. } => {
            f(cond);
            why.iter_mut().for_each(|inner| f(inner));
            shown.iter_mut().for_each(|(_, value)| f(value));
        }
        ExprKind::Check { cond, shown, .. } => {
            f(cond);
            shown.iter_mut().for_each(|(_, value)| f(value));
        }
        ExprKind::Ensuring { body, checks, .. } => {
            f(body);
            checks.iter_mut().for_each(f);
        }
    }
}

fn arm_parts(arm: &mut Arm, f: &mut dyn FnMut(&mut Expr)) {
    pattern_exprs(&mut arm.pattern, f);
    arm.guard.iter_mut().for_each(&mut *f);
    f(&mut arm.body);
}

fn stmt_parts(stmt: &mut Stmt, f: &mut dyn FnMut(&mut Expr)) {
    match &mut stmt.kind {
        StmtKind::Let { pattern, value } => {
            f(value);
            pattern_exprs(pattern, f);
        }
        StmtKind::Assign { place, value } => {
            for step in &mut place.path {
                if let PlaceStep::Index { index, .. } = step {
                    f(index);
                }
            }
            f(value);
        }
        StmtKind::Expr(value) => f(value),
    }
}

/// The literals inside a pattern.
fn pattern_exprs(pattern: &mut Pattern, f: &mut dyn FnMut(&mut Expr)) {
    match &mut pattern.kind {
        PatternKind::Literal(value) => f(value),
        PatternKind::Range { low, high, .. } => {
            f(low);
            f(high);
        }
        _ => pattern_children(pattern, &mut |inner| pattern_exprs(inner, f)),
    }
}

/// The patterns directly inside.
pub fn pattern_children(pattern: &mut Pattern, f: &mut dyn FnMut(&mut Pattern)) {
    match &mut pattern.kind {
        PatternKind::Wildcard
        | PatternKind::Bind(_)
        | PatternKind::Literal(_)
        | PatternKind::Range { .. } => {}
        PatternKind::Variant { fields: items, .. } | PatternKind::Or(items) => {
            items.iter_mut().for_each(f);
        }
        PatternKind::Fields(fields) => fields.iter_mut().for_each(|(_, inner)| f(inner)),
        PatternKind::List { before, after, .. } => before.iter_mut().chain(after).for_each(f),
    }
}

/// Every type in an expression, those of lambdas inside included.
pub fn each_type(expr: &mut Expr, f: &mut dyn FnMut(&mut Ty)) {
    f(&mut expr.ty);
    match &mut expr.kind {
        ExprKind::Builtin { types, .. } | ExprKind::Scope { types, .. } => {
            types.iter_mut().for_each(&mut *f);
        }
        ExprKind::Instance(instance) => instance.args.iter_mut().for_each(&mut *f),
        ExprKind::Call { callee: Callee::Instance(instance), .. } => {
            instance.args.iter_mut().for_each(&mut *f);
        }
        ExprKind::LlmCall { schema, .. } => f(schema),
        ExprKind::Lambda { function, .. } => {
            function.locals.iter_mut().for_each(|local| f(&mut local.ty));
            f(&mut function.result);
            each_type(&mut function.body, f);
        }
        ExprKind::Match { arms, .. } => {
            arms.iter_mut().for_each(|arm| pattern_types(&mut arm.pattern, f));
        }
        ExprKind::For { pattern, .. } => pattern_types(pattern, f),
        ExprKind::Block { stmts, .. } => {
            for stmt in stmts {
                match &mut stmt.kind {
                    StmtKind::Let { pattern, .. } => pattern_types(pattern, f),
                    StmtKind::Assign { place, .. } => place_types(place, f),
                    StmtKind::Expr(_) => {}
                }
            }
        }
        _ => {}
    }
    children(expr, &mut |inner| each_type(inner, f));
}

fn place_types(place: &mut Place, f: &mut dyn FnMut(&mut Ty)) {
    f(&mut place.ty);
    for step in &mut place.path {
        let (PlaceStep::Field { container, .. } | PlaceStep::Index { container, .. }) = step;
        f(container);
    }
}

fn pattern_types(pattern: &mut Pattern, f: &mut dyn FnMut(&mut Ty)) {
    f(&mut pattern.ty);
    pattern_children(pattern, &mut |inner| pattern_types(inner, f));
}

/// The function and the lambdas in it.
pub fn each_function(function: &mut Function, f: &mut dyn FnMut(&mut Function)) {
    fn inside(value: &mut Expr, f: &mut dyn FnMut(&mut Function)) {
        if let ExprKind::Lambda { function, .. } = &mut value.kind {
            each_function(function, f);
        }
        children(value, &mut |inner| inside(inner, f));
    }
    f(function);
    inside(&mut function.body, f);
}
