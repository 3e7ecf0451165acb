//! What may not cross to another coroutine (L-80, L-81): a lambda that uses variables of the code around it, or its agent.
//!
//! Looks at finished bodies, when it is known which variables are shared. Follows lambdas through the locals they are bound
//! to; what comes out of calls and containers is not followed. Never: changes the body.

use ag_runtime::builtin::{self, BuiltinId};
use rustc_hash::FxHashSet;

use crate::diag::{Diagnostic, codes};
use crate::hir::{
    self, Callee, Expr, ExprKind, Function, LocalId, PatternKind, PlaceRoot, StmtKind,
};
use crate::source::Span;
use crate::types::ty::Ty;

/// Rows whose arguments run on, or are handed to, another coroutine.
const CROSSING: &[&str] = &["task", "parallel"];
const CROSSING_MEMBERS: &[(&str, &str)] = &[("Channel", "send"), ("Channel", "try_send")];

/// One diagnostic for each value that would have to cross and cannot.
pub fn check(function: &mut Function, agent: Option<&str>) -> Vec<Diagnostic> {
    let mut walk = Walk { agent, bound: FxHashSet::default(), found: Vec::new() };
    walk.function(function);
    walk.found
}

struct Walk<'a> {
    /// The agent whose private functions are bound to it.
    agent: Option<&'a str>,
    /// Locals of the function at hand that hold a lambda which cannot cross.
    bound: FxHashSet<LocalId>,
    found: Vec<Diagnostic>,
}

/// Why a lambda is bound to where it was made.
enum Tie {
    Variable(Span),
    Agent(Span),
}

impl Walk<'_> {
    fn function(&mut self, function: &mut Function) {
        let outer = std::mem::take(&mut self.bound);
        self.expr(&mut function.body);
        self.bound = outer;
    }

    fn expr(&mut self, value: &mut Expr) {
        if let ExprKind::Block { stmts, .. } = &mut value.kind {
            for stmt in stmts {
                if let StmtKind::Let { pattern, value } = &mut stmt.kind
                    && let PatternKind::Bind(local) = pattern.kind
                    && self.tie(value).is_some()
                {
                    self.bound.insert(local);
                }
            }
        }
        match &mut value.kind {
            ExprKind::Builtin { id, args, .. } if crosses(*id) => self.refuse(args),
            ExprKind::Request { args, .. } | ExprKind::Signal { args, .. } => self.refuse(args),
            ExprKind::Spawn { fields, .. } => self.refuse(fields),
            ExprKind::Lambda { function, captures } => {
                let inside = captures.iter().filter(|c| self.bound.contains(&c.outer));
                let inside: FxHashSet<LocalId> = inside.map(|c| c.inner).collect();
                let outer = std::mem::replace(&mut self.bound, inside);
                self.expr(&mut function.body);
                self.bound = outer;
            }
            _ => {}
        }
        hir::visit::children(value, &mut |inner| self.expr(inner));
    }

    fn refuse(&mut self, values: &mut [Expr]) {
        for value in values {
            let Some(tie) = self.tie(value) else { continue };
            let (span, message, note) = match tie {
                Tie::Variable(span) => (
                    span,
                    "this uses a variable of the code around it and cannot go elsewhere",
                    "a task, a message and a channel take values: give the result back instead",
                ),
                Tie::Agent(span) => (
                    span,
                    "this uses the agent it is written in and cannot go elsewhere",
                    "ask the agent: `await self.behavior(x)`, or make it a function outside the agent",
                ),
            };
            self.found.push(Diagnostic::new(codes::E0502, span, message).note(note));
        }
    }

    /// Why the value cannot cross, if it is a lambda that cannot.
    fn tie(&self, value: &mut Expr) -> Option<Tie> {
        let span = value.span;
        match &mut value.kind {
            ExprKind::Block { value: Some(value), .. } if matches!(value.ty, Ty::Function(_)) => {
                self.tie(value)
            }
            ExprKind::Convert(_, inner) => self.tie(inner),
            ExprKind::Local(local) if self.bound.contains(local) => Some(Tie::Variable(span)),
            ExprKind::Lambda { function, captures } => {
                let first = function.params;
                let shares =
                    |at: u32| function.locals.get(at as usize).is_some_and(|local| local.boxed);
                if (first..first + function.captures).any(shares)
                    || captures.iter().any(|capture| self.bound.contains(&capture.outer))
                {
                    return Some(Tie::Variable(span));
                }
                uses_agent(&mut function.body, self.agent).map(Tie::Agent)
            }
            _ => None,
        }
    }
}

fn crosses(id: BuiltinId) -> bool {
    let named = CROSSING.iter().filter_map(|name| builtin::intrinsic(name));
    let members = CROSSING_MEMBERS.iter().filter_map(|(of, name)| builtin::member(of, name));
    named.chain(members).any(|other| other == id)
}

/// Where a body uses the running instance: its state, or its private functions, which do.
fn uses_agent(value: &mut Expr, agent: Option<&str>) -> Option<Span> {
    let is_private = |key: &str| {
        agent.is_some_and(|agent| key.split_once('.').is_some_and(|(owner, _)| owner == agent))
    };
    let own = match &mut value.kind {
        ExprKind::AgentField(_) | ExprKind::SelfRef => true,
        ExprKind::Call { callee: Callee::Function(key), .. } => is_private(key),
        ExprKind::Lambda { function, .. } => {
            return uses_agent(&mut function.body, agent);
        }
        ExprKind::Block { stmts, .. } => stmts.iter().any(|stmt| {
            matches!(&stmt.kind, StmtKind::Assign { place, .. }
                if matches!(place.root, PlaceRoot::AgentField(_)))
        }),
        _ => false,
    };
    if own {
        return Some(value.span);
    }
    let mut found = None;
    hir::visit::children(value, &mut |inner| {
        found = found.take().or_else(|| uses_agent(inner, agent));
    });
    found
}
