//! `@task { b }`, and what a lambda takes along of the agent it is written in.
//!
//! A task runs beside the code it is written in, so it has values and nothing else: no variable of that code, no state of
//! the agent. Never: decides whether a value may cross (`sendable` does).

use ag_runtime::builtin::BuiltinId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Capture, ExprKind, Local, LocalId, Pattern, PatternKind, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::Block;
use crate::types::def::Passing;
use crate::types::infer::frame::{Frame, FrameKind};
use crate::types::infer::{Expect, Infer, Owner, expr};
use crate::types::ty::{Name, Ty};

/// What of the running instance a lambda reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Own {
    Field(u32),
    Reference,
}

impl Infer<'_, '_> {
    pub fn task(&mut self, id: BuiltinId, block: &Block, span: Span, expect: &Expect) -> hir::Expr {
        self.effect("spawn", span);
        let wanted = match self.expected_type(expect) {
            Some(Ty::Future(inner)) => Some(*inner),
            _ => None,
        };
        let result = wanted.unwrap_or_else(|| self.fresh(span));
        let key = self.lambda_key();
        self.open(FrameKind::Task, key, result.clone());
        let body = match self.shallow(&result) {
            Ty::Unit => self.block(block, &Expect::Discard),
            _ => {
                let value = self.block(block, &Expect::Is(result.clone()));
                self.coerce(value, &result)
            }
        };
        let body = self.close_lambda(body, Ty::function(Vec::new(), result.clone()), span);
        let ty = Ty::Future(Box::new(result.clone()));
        expr(ExprKind::Builtin { id, args: vec![body], types: vec![result] }, ty, span)
    }

    /// A task tried to change what is not its own.
    pub fn outside_task(&mut self, what: &str, span: Span) {
        let message = format!("a task cannot assign {what}");
        self.report(
            Diagnostic::new(codes::E0502, span, message)
                .saying("a task has the value it had")
                .note("give the new value as the task's result and assign what `await` gives"),
        );
    }

    /// Lambdas capture values (L-54), fields of the agent too: so they mean the same wherever they are called. Gives the
    /// statements that read the fields where the lambda is made. A field that the lambda assigns stays the field itself.
    pub fn take_fields(&mut self, frame: &mut Frame, body: &mut hir::Expr) -> Vec<Stmt> {
        let Owner::Agent(agent) = &self.owner else { return Vec::new() };
        let mut assigned = FxHashSet::default();
        assigned_fields(body, &mut assigned);
        let mut taken: FxHashMap<Own, LocalId> = FxHashMap::default();
        let mut order = Vec::new();
        let name: Name = Name::from("_");
        take(body, &mut |value| {
            let own = match &value.kind {
                ExprKind::AgentField(at) if !assigned.contains(at) => Own::Field(*at),
                ExprKind::SelfRef => Own::Reference,
                _ => return,
            };
            let inner = *taken.entry(own).or_insert_with(|| {
                let inner = LocalId(u32::try_from(frame.locals.len()).unwrap_or(u32::MAX));
                let (name, ty, span) = (name.clone(), value.ty.clone(), value.span);
                let passing = Passing::Val;
                frame.locals.push(Local { name, ty, mutable: false, boxed: false, passing, span });
                order.push((own, inner, value.ty.clone(), value.span));
                inner
            });
            value.kind = ExprKind::Local(inner);
        });
        let agent = agent.name.clone();
        let mut stmts = Vec::new();
        for (own, inner, ty, span) in order {
            let outer = self.temporary(ty.clone(), span);
            frame.captures.push(Capture { outer, inner });
            let value = match own {
                Own::Field(at) => expr(ExprKind::AgentField(at), ty.clone(), span),
                Own::Reference => expr(ExprKind::SelfRef, Ty::AgentRef(agent.clone()), span),
            };
            let pattern = Pattern { kind: PatternKind::Bind(outer), ty, span };
            stmts.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
        }
        stmts
    }
}

/// Every expression of a body but what stands in lambdas: those have taken what they need themselves.
fn take(value: &mut hir::Expr, found: &mut dyn FnMut(&mut hir::Expr)) {
    found(value);
    hir::visit::children(value, &mut |inner| take(inner, found));
}

/// The fields that a body assigns, its lambdas included.
fn assigned_fields(value: &mut hir::Expr, found: &mut FxHashSet<u32>) {
    match &mut value.kind {
        ExprKind::Lambda { function, .. } => assigned_fields(&mut function.body, found),
        ExprKind::Block { stmts, .. } => {
            for stmt in stmts {
                if let StmtKind::Assign { place, .. } = &stmt.kind
                    && let hir::PlaceRoot::AgentField(at) = place.root
                {
                    found.insert(at);
                }
            }
        }
        _ => {}
    }
    hir::visit::children(value, &mut |inner| assigned_fields(inner, found));
}
