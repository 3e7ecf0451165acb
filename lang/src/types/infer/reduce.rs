//! `@simd` (L-112): reductions are summed in eight parts, in an order that is the same on every machine and tier.
//!
//! `s += e` in the body of a range loop becomes `parts[k] += e`, where `k` counts the turns modulo eight; after the loop the
//! parts are joined in pairs and added to `s`. Nothing below the checker knows of it. Never: chooses a width; that is the
//! engine's.

use crate::diag::{Diagnostic, codes};
use crate::hir::visit::children;
use crate::hir::{
    Arith, BinaryOp, Expr, ExprKind, LocalId, Pattern, PatternKind, Place, PlaceRoot, PlaceStep,
    Stmt, StmtKind,
};
use crate::source::Span;
use crate::syntax::ast::{Arg, Ident};
use crate::types::attribute::{UNITS, variant};
use crate::types::infer::{Infer, expr};
use crate::types::ty::{Name, Ty};

const PARTS: i64 = 8;

/// One variable that a loop sums up, or multiplies up.
struct Reduction {
    into: LocalId,
    op: Arith,
    parts: LocalId,
    turn: LocalId,
    /// `parts[turn]`, and the value of each part.
    current: Expr,
    all: Vec<Expr>,
}

impl Infer<'_, '_> {
    /// `@simd(unit)` as a statement: from here to the end of the block.
    pub fn simd_hint(&mut self, name: &Ident, args: &[Arg], span: Span) {
        let unit = match args {
            [] => Some("auto"),
            [arg] => variant(self.body, arg.value, UNITS).and_then(|at| UNITS.get(at).copied()),
            _ => None,
        };
        let Some(unit) = unit else {
            let message = format!("`@{}` takes one of `{}`", name.name, UNITS.join("`, `"));
            self.report(Diagnostic::new(codes::E0305, span, message));
            return;
        };
        self.facts.hints.push(Name::from(format!("@simd({unit})")));
        let frame = self.frame();
        let depth = frame.scopes.len();
        frame.simd.push(depth);
    }

    /// Whether reductions around here are to be summed in parts.
    pub fn in_simd(&self) -> bool {
        self.frames.iter().any(|frame| !frame.simd.is_empty())
    }

    /// A range loop with its reductions summed in parts; as it is if it has none.
    pub fn reduced(&mut self, mut each: Expr, span: Span) -> Expr {
        let ExprKind::For { body, .. } = &mut each.kind else { return each };
        let mut found = Vec::new();
        sums(body, &mut found);
        let own = self.own_floats(body);
        let mut reductions: Vec<Reduction> = Vec::new();
        for (into, op) in found {
            let is_one = own.contains(&into) && mentions(body, into) == 2;
            if is_one && reductions.iter().all(|known| known.into != into) {
                reductions.push(self.reduction(into, op, span));
            }
        }
        if reductions.is_empty() {
            return each;
        }
        let mut stmts = Vec::new();
        for reduction in &reductions {
            reduction.begin(span, &mut stmts);
            reduction.rewrite(body);
        }
        let turns = reductions.iter().map(|reduction| reduction.count(span));
        let inside = std::mem::replace(body.as_mut(), expr(ExprKind::Unit, Ty::Unit, span));
        let (ty, at) = (inside.ty.clone(), inside.span);
        let kind = ExprKind::Block { stmts: turns.collect(), value: Some(Box::new(inside)) };
        **body = expr(kind, ty, at);
        stmts.push(Stmt { kind: StmtKind::Expr(each), span });
        stmts.extend(reductions.iter().map(|reduction| reduction.join(span)));
        expr(ExprKind::Block { stmts, value: None }, Ty::Unit, span)
    }

    /// The Float variables of this function that were declared before the loop, and that no lambda takes along.
    fn own_floats(&mut self, body: &mut Expr) -> Vec<LocalId> {
        let mut taken = Vec::new();
        captured(body, &mut taken);
        let in_scope: Vec<LocalId> =
            self.frame().scopes.iter().flat_map(|scope| scope.values().copied()).collect();
        let captures: Vec<LocalId> = self.frame().captures.iter().map(|c| c.inner).collect();
        in_scope
            .into_iter()
            .filter(|id| !taken.contains(id) && !captures.contains(id))
            .filter(|id| {
                let local = self.frame().local(*id).cloned();
                local.is_some_and(|local| local.mutable && self.shallow(&local.ty) == Ty::Float)
            })
            .collect()
    }
}

impl Infer<'_, '_> {
    fn reduction(&mut self, into: LocalId, op: Arith, span: Span) -> Reduction {
        let (parts, turn) = (self.hidden(Ty::Vector, span), self.hidden(Ty::Int, span));
        let current = self.read(&part(parts, local(turn, Ty::Int, span)), span);
        let all = (0..PARTS).map(|at| self.read(&part(parts, int(at, span)), span)).collect();
        Reduction { into, op, parts, turn, current, all }
    }

    /// A variable that nobody can name.
    fn hidden(&mut self, ty: Ty, span: Span) -> LocalId {
        let id = self.temporary(ty, span);
        if let Some(local) = self.frame().locals.get_mut(id.0 as usize) {
            local.mutable = true;
        }
        id
    }
}

impl Reduction {
    /// The parts, and a turn before the first.
    fn begin(&self, span: Span, out: &mut Vec<Stmt>) {
        // What changes nothing: sums begin with 0, products with 1.
        let neutral: f64 = if self.op == Arith::Add { 0.0 } else { 1.0 };
        let part = expr(ExprKind::Float(neutral.to_bits()), Ty::Float, span);
        let parts = vec![part; PARTS as usize];
        out.push(bind(self.parts, expr(ExprKind::Vector(parts), Ty::Vector, span)));
        out.push(bind(self.turn, int(PARTS - 1, span)));
    }

    /// `turn = (turn + 1) % 8`, at the start of a turn: `continue` leaves none out.
    fn count(&self, span: Span) -> Stmt {
        let next = binary(BinaryOp::Int(Arith::Add), local(self.turn, Ty::Int, span), int(1, span));
        let value = binary(BinaryOp::Int(Arith::Rem), next, int(PARTS, span));
        let place = Place { root: PlaceRoot::Local(self.turn), path: Vec::new(), ty: Ty::Int };
        Stmt { kind: StmtKind::Assign { place, value }, span }
    }

    /// `into += e` to `parts[turn] += e`.
    fn rewrite(&self, inside: &mut Expr) {
        if let ExprKind::Block { stmts, .. } = &mut inside.kind {
            for stmt in stmts {
                if let Some((into, _)) = sum(stmt)
                    && into == self.into
                    && let StmtKind::Assign { place, value } = &mut stmt.kind
                    && let ExprKind::Binary(_, before, _) = &mut value.kind
                {
                    **before = self.current.clone();
                    *place = part(self.parts, local(self.turn, Ty::Int, stmt.span));
                }
            }
        }
        children(inside, &mut |inner| self.rewrite(inner));
    }

    /// `into = into + (((p0+p1)+(p2+p3))+((p4+p5)+(p6+p7)))`.
    fn join(&self, span: Span) -> Stmt {
        let op = BinaryOp::Float(self.op);
        let mut parts = self.all.clone();
        while parts.len() > 1 {
            let mut left = parts.into_iter();
            parts = Vec::new();
            while let (Some(a), Some(b)) = (left.next(), left.next()) {
                parts.push(binary(op, a, b));
            }
        }
        let before = local(self.into, Ty::Float, span);
        let value = parts.into_iter().fold(before, |value, joined| binary(op, value, joined));
        let place = Place { root: PlaceRoot::Local(self.into), path: Vec::new(), ty: Ty::Float };
        Stmt { kind: StmtKind::Assign { place, value }, span }
    }
}

fn part(parts: LocalId, index: Expr) -> Place {
    let path = vec![PlaceStep::Index { container: Ty::Vector, index }];
    Place { root: PlaceRoot::Local(parts), path, ty: Ty::Float }
}

fn bind(local: LocalId, value: Expr) -> Stmt {
    let (ty, span) = (value.ty.clone(), value.span);
    let pattern = Pattern { kind: PatternKind::Bind(local), ty, span };
    Stmt { kind: StmtKind::Let { pattern, value }, span }
}

fn local(id: LocalId, ty: Ty, span: Span) -> Expr {
    expr(ExprKind::Local(id), ty, span)
}

fn int(value: i64, span: Span) -> Expr {
    expr(ExprKind::Int(value), Ty::Int, span)
}

fn binary(op: BinaryOp, lhs: Expr, rhs: Expr) -> Expr {
    let (ty, span) = (lhs.ty.clone(), lhs.span);
    expr(ExprKind::Binary(op, Box::new(lhs), Box::new(rhs)), ty, span)
}

/// The variable that a statement adds to or multiplies.
fn sum(stmt: &Stmt) -> Option<(LocalId, Arith)> {
    let StmtKind::Assign { place, value } = &stmt.kind else { return None };
    let (PlaceRoot::Local(into), []) = (&place.root, place.path.as_slice()) else { return None };
    let ExprKind::Binary(BinaryOp::Float(op @ (Arith::Add | Arith::Mul)), before, _) = &value.kind
    else {
        return None;
    };
    (before.kind == ExprKind::Local(*into)).then_some((*into, *op))
}

/// All of them inside, in the order they are written.
fn sums(inside: &mut Expr, out: &mut Vec<(LocalId, Arith)>) {
    if let ExprKind::Block { stmts, .. } = &inside.kind {
        out.extend(stmts.iter().filter_map(sum));
    }
    children(inside, &mut |inner| sums(inner, out));
}

/// How often a variable is read or assigned.
fn mentions(inside: &mut Expr, of: LocalId) -> usize {
    let mut count = match &inside.kind {
        ExprKind::Local(id) | ExprKind::Cell(id) => usize::from(*id == of),
        ExprKind::Block { stmts, .. } => stmts
            .iter()
            .filter(|stmt| match &stmt.kind {
                StmtKind::Assign { place, .. } => place.root == PlaceRoot::Local(of),
                _ => false,
            })
            .count(),
        _ => 0,
    };
    children(inside, &mut |inner| count += mentions(inner, of));
    count
}

/// The variables that lambdas take along.
fn captured(inside: &mut Expr, out: &mut Vec<LocalId>) {
    if let ExprKind::Lambda { captures, .. } = &inside.kind {
        out.extend(captures.iter().map(|capture| capture.outer));
    }
    children(inside, &mut |inner| captured(inner, out));
}
