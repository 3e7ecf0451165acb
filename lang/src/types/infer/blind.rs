//! Function values of which nothing is known (L-111): called, or handed on to be called, with a type that allows any effect.
//!
//! What a lambda or a named function does is counted where it is written. Never: follows a value through data: what was put
//! away is not known any more.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::hir::{self, Callee, Expr, ExprKind, Function, LocalId, PatternKind, Stmt, StmtKind};
use crate::source::Span;
use crate::types::ty::Ty;

/// A use of a function value whose effects are not known.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Blind {
    pub span: Span,
    /// It is a parameter of the function: who calls that knows more.
    pub is_parameter: bool,
    /// It is called here; else it is handed on.
    pub is_called: bool,
}

pub fn uses(function: &mut Function) -> Vec<Blind> {
    let mut unknown = FxHashSet::default();
    loop {
        let before = unknown.len();
        let given = (0..function.params).map(|at| (LocalId(at), Known::Parameter)).collect();
        let mut walk = Walk { known: given, found: Vec::new(), unknown, frame: 0, frames: 0 };
        walk.visit(&mut function.body);
        // What is assigned further down may be called before that, in a loop or by a lambda.
        if walk.unknown.len() == before {
            return walk.found;
        }
        unknown = walk.unknown;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Its effects were counted where it was written.
    Counted,
    Parameter,
    Nothing,
}

struct Walk {
    /// Of locals that hold functions; nothing is known of those that are not here.
    known: FxHashMap<LocalId, Known>,
    found: Vec<Blind>,
    /// Variables that are assigned somewhere what is not known, each with the body that has it.
    unknown: FxHashSet<(usize, LocalId)>,
    /// The body that is looked at: 0, or the number of a lambda, and how many there were.
    frame: usize,
    frames: usize,
}

impl Walk {
    fn visit(&mut self, value: &mut Expr) {
        match &mut value.kind {
            ExprKind::Block { stmts, value } => {
                for stmt in stmts {
                    self.statement(stmt);
                }
                value.iter_mut().for_each(|value| self.visit(value));
                return;
            }
            ExprKind::Lambda { function, captures } => {
                let captured = captures.iter().map(|c| (c.inner, self.local(c.outer))).collect();
                let outer = std::mem::replace(&mut self.known, captured);
                self.frames += 1;
                let around = std::mem::replace(&mut self.frame, self.frames);
                self.visit(&mut function.body);
                let inside = std::mem::replace(&mut self.frame, around);
                self.known = outer;
                for capture in captures {
                    if self.unknown.contains(&(inside, capture.inner)) {
                        self.unknown.insert((around, capture.outer));
                    }
                }
                return;
            }
            ExprKind::Call { callee, args } => {
                if let Callee::Value(callee) = callee {
                    self.used(callee, true);
                }
                args.iter().for_each(|arg| self.used(arg, false));
            }
            ExprKind::Builtin { args, .. } => args.iter().for_each(|arg| self.used(arg, false)),
            ExprKind::LlmCall { options, .. } => {
                options.iter().for_each(|(_, option)| self.used(option, false));
            }
            _ => {}
        }
        hir::visit::children(value, &mut |inner| self.visit(inner));
    }

    fn statement(&mut self, stmt: &mut Stmt) {
        match &mut stmt.kind {
            StmtKind::Let { pattern, value } => {
                self.visit(value);
                if let PatternKind::Bind(local) = pattern.kind {
                    let known = self.of(value);
                    self.known.insert(local, known);
                }
            }
            StmtKind::Assign { place, value } => {
                self.visit(value);
                if let hir::PlaceRoot::Local(local) = place.root
                    && self.of(value) != Known::Counted
                {
                    self.unknown.insert((self.frame, local));
                }
                for step in &mut place.path {
                    if let hir::PlaceStep::Index { index, .. } = step {
                        self.visit(index);
                    }
                }
            }
            StmtKind::Expr(value) => self.visit(value),
        }
    }

    fn used(&mut self, value: &Expr, is_called: bool) {
        if !matches!(&value.ty, Ty::Function(ty) if ty.uses.is_none()) {
            return;
        }
        let known = self.of(value);
        if known != Known::Counted {
            let is_parameter = known == Known::Parameter;
            self.found.push(Blind { span: value.span, is_parameter, is_called });
        }
    }

    fn local(&self, local: LocalId) -> Known {
        if self.unknown.contains(&(self.frame, local)) {
            return Known::Nothing;
        }
        self.known.get(&local).copied().unwrap_or(Known::Nothing)
    }

    fn of(&self, value: &Expr) -> Known {
        match &value.kind {
            ExprKind::Local(local) | ExprKind::Cell(local) => self.local(*local),
            ExprKind::Lambda { .. } | ExprKind::Function(_) | ExprKind::Instance(_) => {
                Known::Counted
            }
            ExprKind::Block { value: Some(value), .. } => self.of(value),
            ExprKind::If { then, otherwise: Some(otherwise), .. } => {
                match (self.of(then), self.of(otherwise)) {
                    (Known::Counted, Known::Counted) => Known::Counted,
                    _ => Known::Nothing,
                }
            }
            _ => Known::Nothing,
        }
    }
}
