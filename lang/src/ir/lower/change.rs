//! `place = place.push(x)` and its like: the value is moved out of its place for the change, so that the builtin
//! finds it held alone and changes it in place (L-41).
//!
//! Only where nobody can see the place empty: in locals of this function, and elsewhere for changes that cannot
//! fault, with operands that run no other code. Never: changes the order of effects.

use crate::hir::{Expr, ExprKind, Place, PlaceRoot, PlaceStep};
use crate::ir::core::{Aux, Op, Var};
use crate::ir::lower::build::Builder;
use crate::ir::lower::walk;
use crate::types::ty::Ty;
use ag_runtime::builtin::{self, BuiltinId};
use ag_runtime::value::shape::ShapeId;

/// A builtin that gives the changed form of its first operand.
pub struct Change {
    id: BuiltinId,
    /// The operands after the first.
    args: Vec<Var>,
    shapes: Vec<ShapeId>,
    pub shape: ShapeId,
}

/// Members that change their receiver and cannot fault.
const SAFE: [(&str, &str); 4] =
    [("Map", "set"), ("Map", "remove"), ("Set", "insert"), ("Set", "remove")];

impl<'h> Builder<'_, 'h> {
    /// The change an assignment makes, if it is one; its other operands are evaluated.
    pub fn change_of(&mut self, place: &'h Place, value: &'h Expr) -> Option<Change> {
        let ExprKind::Builtin { id, args, types } = &value.kind else { return None };
        let (first, rest) = args.split_first()?;
        let is_changed = id.get().is_some_and(|row| row.owns(0));
        if !is_changed || !is_same(first, place) || !self.may_take(place, *id, rest) {
            return None;
        }
        let args = self.exprs(rest);
        Some(self.change(*id, args, types, &value.ty))
    }

    fn change(&mut self, id: BuiltinId, args: Vec<Var>, types: &[Ty], ty: &Ty) -> Change {
        let shapes = types.iter().map(|ty| self.shape(ty)).collect();
        Change { id, args, shapes, shape: self.shape(ty) }
    }

    fn may_take(&self, place: &Place, id: BuiltinId, rest: &[Expr]) -> bool {
        match &place.root {
            PlaceRoot::Local(local) if !self.cells.contains(local) => {
                let rest: Vec<&Expr> = rest.iter().collect();
                !walk::assigned(&rest).contains(local)
            }
            _ => cannot_fault(id) && rest.iter().all(is_quiet),
        }
    }

    pub fn changed(&mut self, value: Var, change: Change) -> Var {
        let Change { id, args, shapes, shape } = change;
        let mut all = vec![value];
        all.extend(args);
        if Some(id) == builtin::member("List", "push") {
            // Without the builtin's look at the memory limit, which could fault: the next safepoint looks.
            return self.emit(shape, Op::Aux(Aux::Append(shape), all));
        }
        self.emit(shape, Op::Builtin { id, args: all, shapes })
    }
}

fn cannot_fault(id: BuiltinId) -> bool {
    Some(id) == builtin::member("List", "push")
        || SAFE.iter().any(|(receiver, name)| Some(id) == builtin::member(receiver, name))
}

/// Whether an expression reads exactly this place: a root and fields.
fn is_same(expr: &Expr, place: &Place) -> bool {
    let mut at = expr;
    for step in place.path.iter().rev() {
        match (&at.kind, step) {
            (ExprKind::Field { base, index }, PlaceStep::Field { index: wanted, .. })
                if index == wanted =>
            {
                at = base;
            }
            _ => return false,
        }
    }
    match (&at.kind, &place.root) {
        (ExprKind::Local(local), PlaceRoot::Local(root)) => local == root,
        (ExprKind::Global(name), PlaceRoot::Global(root)) => name == root,
        (ExprKind::AgentField(index), PlaceRoot::AgentField(root)) => index == root,
        _ => false,
    }
}

/// Whether evaluating it runs no code but its own: nothing that could look at the place or change it.
fn is_quiet(expr: &Expr) -> bool {
    let mut work = vec![expr];
    while let Some(expr) = work.pop() {
        use ExprKind as K;
        let is_loud = matches!(
            expr.kind,
            K::Call { .. }
                | K::Lambda { .. }
                | K::Function(_)
                | K::Block { .. }
                | K::Spawn { .. }
                | K::Coordinate { .. }
                | K::Request { .. }
                | K::Signal { .. }
                | K::LlmCall { .. }
                | K::Scope { .. }
                | K::Try(_)
                | K::Return(_)
                | K::Question(_)
        );
        if is_loud {
            return false;
        }
        walk::each_child(expr, &mut |child| work.push(child));
    }
    true
}
