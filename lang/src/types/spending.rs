//! A loop that asks a model for as long as it likes, with no limit but the session's (W0801).
//!
//! Told of the statements of cells: limits travel with calls, so a function does not know those in force, and whoever calls it
//! from a statement does. What counts its turns (a `for`, a comparison of whole numbers or money that ends it) ends by itself,
//! and an agent with a `cost_policy` has a limit of its own. Never: counts what a turn costs.

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::{self, BinaryOp, Callee, Expr, ExprKind, Function};
use crate::names::cell::ItemKey;
use crate::source::Span;
use crate::syntax::item::MemberKind;
use crate::syntax::rename::short;
use crate::types::check::{FnPath, function_at, infer_function};
use crate::types::effects::{called_function, effects_of};
use crate::types::infer::{Called, Facts};
use crate::types::ty::{Name, Ty};

/// Blocks that bound the money of what is inside; the last one only if it says so.
const LIMITS: &[&str] = &["with_cost_limit", "with_token_limit", "auto_lane_select"];

/// Of the statement that `function` is, and what its body does.
pub fn unlimited(
    db: &dyn Db,
    function: &Function,
    facts: &Facts,
    prelude: bool,
) -> Vec<Diagnostic> {
    if !may_spend(db, facts, prelude) {
        return Vec::new();
    }
    let (loops, found) = asking_loops(db, &mut function.body.clone(), prelude);
    let mut out: Vec<Diagnostic> = found.into_iter().map(own_loop).collect();
    let calls = outside_limits(&mut function.body.clone(), facts);
    for call in calls.iter().filter(|call| !loops.iter().any(|part| part.encloses(call.span))) {
        if let Some(looping) = looping_function(db, call, prelude) {
            out.push(loop_behind(call, &looping));
        }
    }
    out
}

fn own_loop(at: Span) -> Diagnostic {
    let message = "nothing but the session's budget ends what this loop spends";
    Diagnostic::new(codes::W0801, at, message)
        .note("put the loop into `@with_cost_limit($0.10) { ... }`, or count its turns")
}

fn loop_behind(call: &Called, looping: &str) -> Diagnostic {
    let message = format!(
        "nothing but the session's budget ends what the loop in `{}` spends",
        short(looping)
    );
    Diagnostic::new(codes::W0801, call.span, message)
        .note("call it in `@with_cost_limit($0.10) { ... }`, or count the turns of the loop")
}

/// Whether a model may be asked by it, or by an agent that it asks.
fn may_spend(db: &dyn Db, facts: &Facts, prelude: bool) -> bool {
    let effects = effects_of(db, facts, prelude);
    effects.contains_key("llm") || effects.contains_key("send")
}

/// The loops that nothing ends, and where each of those that ask a model does.
fn asking_loops(db: &dyn Db, body: &mut Expr, prelude: bool) -> (Vec<Span>, Vec<Span>) {
    let mut loops = Vec::new();
    endless(body, &mut loops);
    let mut walk = Walk { db, seen: FxHashSet::default() };
    let mut parts = Vec::new();
    let mut found = Vec::new();
    for mut inside in loops {
        if let Some(at) = walk.asks(&mut inside, prelude) {
            parts.push(inside.span);
            found.push(at);
        }
    }
    (parts, found)
}

/// What is called and asked where no limit stands around it.
fn outside_limits(body: &mut Expr, facts: &Facts) -> Vec<Called> {
    let mut limits = Vec::new();
    limited_parts(body, &mut limits);
    let calls = facts.calls.iter().chain(&facts.asked);
    let free = calls.filter(|call| !limits.iter().any(|part| part.encloses(call.span)));
    free.cloned().collect()
}

fn limited_parts(value: &mut Expr, out: &mut Vec<Span>) {
    if is_limited(value) {
        out.push(value.span);
        return;
    }
    if let ExprKind::Lambda { function, .. } = &mut value.kind {
        limited_parts(&mut function.body, out);
    }
    hir::visit::children(value, &mut |inner| limited_parts(inner, out));
}

/// What one function adds: whether it has such a loop, and what it calls under no limit of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Spending {
    has_loop: bool,
    calls: Vec<Called>,
}

#[salsa::tracked]
fn spending<'db>(db: &'db dyn Db, item: ItemKey<'db>, path: FnPath) -> Spending {
    let checked = infer_function(db, item, path);
    let prelude = item.prelude(db);
    let Some(function) = &checked.function else { return Spending::default() };
    if has_own_limit(item, db) || !may_spend(db, &checked.facts, prelude) {
        return Spending::default();
    }
    let (_, found) = asking_loops(db, &mut function.body.clone(), prelude);
    let calls = outside_limits(&mut function.body.clone(), &checked.facts);
    Spending { has_loop: !found.is_empty(), calls }
}

/// An agent that says what it may spend.
fn has_own_limit(item: ItemKey<'_>, db: &dyn Db) -> bool {
    let agent = item.tree(db).kind.as_agent();
    agent.is_some_and(|agent| {
        agent.members.iter().any(|member| matches!(member.kind, MemberKind::CostPolicy(_)))
    })
}

/// The first function with such a loop that a call leads to, itself or what it calls.
fn looping_function(db: &dyn Db, call: &Called, prelude: bool) -> Option<String> {
    let mut todo = vec![(call.clone(), prelude)];
    let mut seen = FxHashSet::default();
    while let Some((call, prelude)) = todo.pop() {
        let found = called_function(db, &call.name, call.member.as_ref(), prelude);
        let Some((item, path)) = found.filter(|at| seen.insert(*at)) else { continue };
        let spends = spending(db, item, path);
        if spends.has_loop {
            let function = function_at(item.tree(db), path)?;
            return Some(function.name.name.as_str().to_owned());
        }
        todo.extend(spends.calls.iter().map(|call| (call.clone(), item.prelude(db))));
    }
    None
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
