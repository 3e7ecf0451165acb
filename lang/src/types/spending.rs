//! A loop that asks a model for as long as it likes, with no limit but the session's (W0801).
//!
//! Looks at the statements of cells: limits travel with calls, so a function does not know those in force. What counts its turns
//! (a `for`, a comparison of whole numbers or money that ends it) ends by itself. Never: counts what a turn costs.

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::{self, BinaryOp, Callee, Expr, ExprKind, Function};
use crate::names::cell::ItemKey;
use crate::source::Span;
use crate::types::check::{FnPath, infer_function};
use crate::types::effects::called_function;
use crate::types::ty::{Name, Ty};

/// Blocks that bound the money of what is inside; the last one only if it says so.
const LIMITS: &[&str] = &["with_cost_limit", "with_token_limit", "auto_lane_select"];

pub fn unlimited(db: &dyn Db, function: &Function, prelude: bool) -> Vec<Diagnostic> {
    let mut body = function.body.clone();
    let mut loops = Vec::new();
    endless(&mut body, &mut loops);
    let mut walk = Walk { db, seen: FxHashSet::default() };
    let found = loops.into_iter().filter_map(|mut inside| walk.asks(&mut inside, prelude));
    let warn = |at: Span| {
        Diagnostic::new(
            codes::W0801,
            at,
            "nothing but the session's budget ends what this loop spends",
        )
        .note("put the loop into `@with_cost_limit($0.10) { ... }`, or count its turns")
    };
    found.map(warn).collect()
}

/// The loops that do not count their turns and stand under no limit, outermost first.
fn endless(value: &mut Expr, out: &mut Vec<Expr>) {
    if is_limited(value) {
        return;
    }
    let is_endless = match &mut value.kind {
        ExprKind::While { cond, body } => !counts(cond) && !ends(body),
        // `while let` and a `for` through a channel end with their data.
        ExprKind::Loop { body } => !matches!(body.kind, ExprKind::Match { .. }) && !ends(body),
        _ => false,
    };
    if is_endless {
        out.push(value.clone());
        return;
    }
    if let ExprKind::Lambda { function, .. } = &mut value.kind {
        endless(&mut function.body, out);
    }
    hir::visit::children(value, &mut |inner| endless(inner, out));
}

/// Whether a condition compares numbers.
fn counts(cond: &Expr) -> bool {
    match &cond.kind {
        ExprKind::And(a, b) | ExprKind::Or(a, b) => counts(a) || counts(b),
        ExprKind::Binary(BinaryOp::CompareInt(_), ..) => true,
        ExprKind::Equal { lhs, .. } => lhs.ty == Ty::Int,
        ExprKind::Block { value: Some(value), .. } => counts(value),
        _ => false,
    }
}

/// Whether a comparison of numbers leaves the loop somewhere inside.
fn ends(value: &mut Expr) -> bool {
    if let ExprKind::If { cond, then, otherwise } = &mut value.kind
        && counts(cond)
        && (leaves(then) || otherwise.as_mut().is_some_and(|inner| leaves(inner)))
    {
        return true;
    }
    let mut found = false;
    hir::visit::children(value, &mut |inner| found = found || ends(inner));
    found
}

fn leaves(value: &mut Expr) -> bool {
    let mut found = matches!(value.kind, ExprKind::Break | ExprKind::Return(_));
    hir::visit::children(value, &mut |inner| found = found || leaves(inner));
    found
}

fn is_limited(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Scope { id, .. } => id.get().is_some_and(|row| LIMITS.contains(&row.name)),
        ExprKind::LlmCall { options, .. } => options.iter().any(|(name, _)| &**name == "max_cost"),
        _ => false,
    }
}

struct Walk<'db> {
    db: &'db dyn Db,
    /// Functions that were found to ask no model without a limit of their own.
    seen: FxHashSet<(ItemKey<'db>, FnPath)>,
}

impl Walk<'_> {
    /// Where a model is asked, or what asks one is called, under no limit in between.
    fn asks(&mut self, value: &mut Expr, prelude: bool) -> Option<Span> {
        if is_limited(value) {
            return None;
        }
        let here = match &mut value.kind {
            ExprKind::LlmCall { .. } => true,
            ExprKind::Call { callee: Callee::Function(key), .. } | ExprKind::Function(key) => {
                let (owner, member) = split(key);
                self.function(&owner, member.as_ref(), prelude)
            }
            ExprKind::Call { callee: Callee::Instance(instance), .. }
            | ExprKind::Instance(instance) => {
                let (owner, member) = split(&instance.key);
                self.function(&owner, member.as_ref(), instance.prelude)
            }
            ExprKind::Lambda { function, .. } => {
                return self.asks(&mut function.body, prelude);
            }
            _ => false,
        };
        if here {
            return Some(value.span);
        }
        let mut found = None;
        hir::visit::children(value, &mut |inner| {
            if found.is_none() {
                found = self.asks(inner, prelude);
            }
        });
        found
    }

    fn function(&mut self, owner: &Name, member: Option<&Name>, prelude: bool) -> bool {
        let Some((item, path)) = called_function(self.db, owner, member, prelude) else {
            return false;
        };
        if !self.seen.insert((item, path)) {
            return false;
        }
        let Some(function) = &infer_function(self.db, item, path).function else { return false };
        let asks = self.asks(&mut function.body.clone(), item.prelude(self.db)).is_some();
        if asks {
            // Each place that calls it is one.
            self.seen.remove(&(item, path));
        }
        asks
    }
}

/// `f`, or `T.f`.
fn split(key: &str) -> (Name, Option<Name>) {
    match key.split_once('.') {
        Some((owner, member)) => (Name::from(owner), Some(Name::from(member))),
        None => (Name::from(key), None),
    }
}
