//! `@checkpoint name` and `@rollback name` (L-111): copies of the variables and of the agent's state, and their way back.
//!
//! Both become ordinary bindings and assignments, beside a mark of the runtime for what no function has: the variables of the
//! session, and what is held. Never: jumps, or takes back what left the function.

use crate::diag::{Diagnostic, codes, nearest};
use crate::hir::{self, Conversion, ExprKind, LocalId, Place, PlaceRoot, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::lend::bind;
use crate::types::infer::stmt::expr_stmt;
use crate::types::infer::{Infer, Owner, expr};
use crate::types::report;
use crate::types::ty::{Name, Ty};
use ag_runtime::builtin;

/// What a checkpoint remembers: where each value belongs, and the local that keeps it.
#[derive(Clone, Debug)]
pub struct Label {
    pub name: Name,
    /// The number of blocks around it: it ends with the innermost, so a rollback always comes after its checkpoint.
    pub depth: usize,
    pub kept: Vec<(Place, LocalId)>,
    /// What the runtime keeps: the variables of the session, and how much is held (L-111).
    pub mark: LocalId,
}

/// The type of a mark.
const CHECKPOINT: &str = ag_runtime::context::speculation::CHECKPOINT;

/// A call of what the runtime does for a row.
fn runtime(row: &str, args: Vec<hir::Expr>, ty: Ty, span: Span) -> Option<hir::Expr> {
    let id = builtin::intrinsic(row)?;
    Some(expr(ExprKind::Builtin { id, args, types: Vec::new() }, ty, span))
}

/// The body of a `@speculative` function: what it sends and writes is held until it returns.
pub fn held(body: hir::Expr, span: Span) -> hir::Expr {
    let Some(id) = builtin::intrinsic("speculative") else { return body };
    let ty = body.ty.clone();
    let kind = ExprKind::Scope { id, args: Vec::new(), types: Vec::new(), body: Box::new(body) };
    expr(kind, ty, span)
}

impl Infer<'_, '_> {
    pub fn label(&mut self, form: &Ident, label: &Ident, span: Span, out: &mut Vec<Stmt>) {
        self.refused_in_clause(&format!("`@{}`", form.name), span);
        if self.frame().kind != FrameKind::Function {
            let message = format!("`@{}` belongs to a function: labels are its own", form.name);
            let note = "write `function f() { .. }` around it; a lambda and a cell have no labels";
            self.report(Diagnostic::new(codes::E0411, span, message).note(note));
            return;
        }
        match form.name.as_str() {
            "checkpoint" => self.checkpoint(label, span, out),
            _ => self.rollback(label, span, out),
        }
    }

    fn checkpoint(&mut self, label: &Ident, span: Span, out: &mut Vec<Stmt>) {
        let mut kept = Vec::new();
        for place in self.changeable() {
            let local = self.temporary(place.ty.clone(), span);
            let value = self.read(&place, span);
            // It is no use of a variable that was passed on, nor does it pass one on.
            let kind = ExprKind::Convert(Conversion::Keep, Box::new(value));
            out.push(bind(local, expr(kind, place.ty.clone(), span)));
            kept.push((place, local));
        }
        let ty = Ty::Opaque(CHECKPOINT);
        let mark = self.temporary(ty.clone(), span);
        out.extend(runtime("checkpoint", Vec::new(), ty, span).map(|value| bind(mark, value)));
        let frame = self.frame();
        let depth = frame.scopes.len();
        frame.labels.push(Label { name: label.name.text(), depth, kept, mark });
    }

    fn rollback(&mut self, label: &Ident, span: Span, out: &mut Vec<Stmt>) {
        let name = label.name.text();
        let labels = &self.frame().labels;
        let Some(found) = labels.iter().rev().find(|known| known.name == name).cloned() else {
            let near: Vec<Name> = labels.iter().map(|known| known.name.clone()).collect();
            let message = format!("no `@checkpoint {name}` comes before this in its block");
            let diagnostic = Diagnostic::new(codes::E0411, label.span, message)
                .note("a label holds from its checkpoint to the end of the block that has it");
            let found = nearest(&name, near.iter().map(|near| &**near));
            self.report(report::did_you_mean(diagnostic, label.span, &found));
            return;
        };
        let mark = expr(ExprKind::Local(found.mark), Ty::Opaque(CHECKPOINT), span);
        out.extend(runtime("rollback", vec![mark], Ty::Unit, span).map(expr_stmt));
        for (place, local) in found.kept {
            let value = expr(ExprKind::Local(local), place.ty.clone(), span);
            out.push(Stmt { kind: StmtKind::Assign { place, value }, span });
        }
        self.facts.rollbacks.push(span);
    }

    /// Every `var` in scope, in the order of their declarations, and the state of the agent.
    fn changeable(&mut self) -> Vec<Place> {
        let frame = self.frame();
        let mut ids: Vec<LocalId> =
            frame.scopes.iter().flat_map(|scope| scope.values().copied()).collect();
        ids.sort_unstable_by_key(|id| id.0);
        ids.dedup();
        let vars: Vec<(LocalId, hir::Local)> = ids
            .into_iter()
            .filter_map(|id| Some((id, frame.local(id)?.clone())))
            .filter(|(id, local)| {
                local.mutable && !frame.captures.iter().any(|capture| capture.inner == *id)
            })
            .collect();
        let mut out = Vec::new();
        for (id, local) in vars {
            out.push(Place { root: PlaceRoot::Local(id), path: Vec::new(), ty: local.ty });
        }
        let Owner::Agent(agent) = self.owner.clone() else { return out };
        for (at, field) in agent.fields().enumerate().skip(agent.state_start()) {
            if agent.fixed.contains(&field.name) {
                continue;
            }
            let root = PlaceRoot::AgentField(u32::try_from(at).unwrap_or(u32::MAX));
            out.push(Place { root, path: Vec::new(), ty: field.ty.clone() });
        }
        out
    }
}
