//! `ref` parameters and `ref self` (L-80): a call is lent the caller's place and changes it there.
//!
//! A variable's cell goes along itself. Any other place (a global, a field of a state, an element) is read into a variable
//! for the call and assigned when it has returned: a call that faults leaves it as it was. Never: lets a place be kept, it
//! has no form as a value; or lends one twice in a call.

use crate::diag::{Diagnostic, codes};
use crate::hir::{
    self, Conversion, ExprKind, LocalId, Pattern, PatternKind, Place, PlaceRoot, PlaceStep, Stmt,
    StmtKind,
};
use crate::names::cell::ItemKey;
use crate::source::Span;
use crate::syntax::ast::{Arg, ExprId, TypeRefId};
use crate::syntax::item;
use crate::types::capability::passing;
use crate::types::def::{Passing, Signature};
use crate::types::infer::args::Formal;
use crate::types::infer::call::CallHead;
use crate::types::infer::stmt::expr_stmt;
use crate::types::infer::{Infer, error, expr};
use crate::types::report;
use crate::types::ty::{AdtRef, Name, Ty};

/// A place that a call has for as long as it runs.
#[derive(Clone, Debug)]
pub struct Lent {
    place: Place,
    span: Span,
    /// What stands for it in the call, and what must be done before, if it is no variable.
    temporary: Option<(LocalId, Vec<Stmt>)>,
}

impl Infer<'_, '_> {
    /// One argument as its parameter wants it.
    pub fn argument(&mut self, formal: &Formal, arg: &Arg, lent: &mut Vec<Lent>) -> hir::Expr {
        match (formal.passing, arg.by_ref) {
            (Passing::Ref, true) => self.lend(arg.value, &formal.ty, lent),
            (Passing::Ref, false) => {
                let at = self.span(arg.value);
                let message =
                    format!("`{}` is changed by the call: write `ref` before it", formal.name);
                let start = Span::new(at.start, at.start);
                self.report(Diagnostic::new(codes::E0305, at, message).fix(
                    "lend the variable",
                    start,
                    "ref ",
                ));
                self.check(arg.value, &formal.ty)
            }
            (_, true) => {
                let diagnostic = self.not_lent(arg, &formal.name);
                self.report(diagnostic);
                self.check(arg.value, &formal.ty)
            }
            (Passing::Iso, false) => {
                let value = self.check(arg.value, &formal.ty);
                moved(value)
            }
            (Passing::Val, false) => self.check(arg.value, &formal.ty),
        }
    }

    /// An argument of a function value whose type is not known yet, and what it says of the parameter.
    pub fn argument_of_unknown(&mut self, arg: &Arg, lent: &mut Vec<Lent>) -> (hir::Expr, Ty) {
        if !arg.by_ref {
            let value = self.infer(arg.value);
            let ty = value.ty.clone();
            return (value, ty);
        }
        let ty = self.fresh(arg.span);
        let value = self.lend(arg.value, &ty, lent);
        (value, Ty::Ref(Box::new(ty)))
    }

    /// `ref` before an argument that is a value.
    pub fn not_lent(&self, arg: &Arg, parameter: &str) -> Diagnostic {
        let value = self.span(arg.value);
        let (start, text) = match &arg.name {
            Some(name) => (name.span.end, ": "),
            None => (arg.span.start, ""),
        };
        let message = format!("`{parameter}` is a value, it changes nothing of the caller's");
        let word = Span::new(start, value.start);
        Diagnostic::new(codes::E0305, arg.span, message).fix("leave `ref` out", word, text)
    }

    /// The receiver of a method, lent if the method has `ref self`, moved if it has `iso self`.
    pub fn method_head(
        &mut self,
        method: &Signature,
        base: ExprId,
        value: &hir::Expr,
        adt: &AdtRef,
    ) -> CallHead {
        let mut lent = Vec::new();
        let me = match method.own {
            Passing::Val => value.clone(),
            Passing::Iso => moved(value.clone()),
            Passing::Ref => self.lend(base, &value.ty, &mut lent),
        };
        CallHead { first: vec![me], types: adt.args.clone(), lent }
    }

    fn lend(&mut self, id: ExprId, wanted: &Ty, lent: &mut Vec<Lent>) -> hir::Expr {
        let span = self.span(id);
        if !self.is_place(id) {
            let before = self.diagnostics.len();
            self.infer(id);
            if self.diagnostics.len() == before {
                let message = "this is no place that could be changed: bind it to a `var` first";
                self.report(Diagnostic::new(codes::E0205, span, message));
            }
            return error(span);
        }
        self.refused_in_clause("`ref`", span);
        let Some(mut place) = self.place(id, id) else { return error(span) };
        if self.table.unify(&place.ty, wanted).is_err() {
            let (wanted, found) = (self.table.resolve(wanted), self.table.resolve(&place.ty));
            self.report(report::mismatch(&wanted, &found, span));
            return error(span);
        }
        let ty = place.ty.clone();
        if let (PlaceRoot::Local(local), true) = (&place.root, place.path.is_empty()) {
            let local = *local;
            self.share(local);
            lent.push(Lent { place, span, temporary: None });
            return expr(ExprKind::Cell(local), ty, span);
        }
        let mut before = Vec::new();
        self.fix_lent_indices(&mut place, &mut before);
        let local = self.temporary(ty.clone(), span);
        self.share(local);
        let value = self.read(&place, span);
        before.push(bind(local, value));
        lent.push(Lent { place, span, temporary: Some((local, before)) });
        expr(ExprKind::Cell(local), ty, span)
    }

    /// Two of one place in a call (E0502).
    pub fn lent_once(&mut self, lent: &[Lent]) {
        for (at, one) in lent.iter().enumerate() {
            let twice = lent.iter().take(at).any(|other| overlap(&one.place, &other.place));
            if twice {
                let message = "the same place is lent twice in one call";
                self.report(Diagnostic::new(codes::E0502, one.span, message).note(
                    "the call would change it through one and not see it through the other; lend a variable of its own",
                ));
            }
        }
    }

    /// The call, and behind it the assignments of what was changed in variables that stood for places.
    pub fn give_back(&mut self, lent: Vec<Lent>, call: hir::Expr) -> hir::Expr {
        let (ty, span) = (call.ty.clone(), call.span);
        let (mut stmts, mut after) = (Vec::new(), Vec::new());
        for one in lent {
            let Some((local, before)) = one.temporary else { continue };
            stmts.extend(before);
            let value = expr(ExprKind::Local(local), one.place.ty.clone(), one.span);
            let kind = StmtKind::Assign { place: one.place, value };
            after.push(Stmt { kind, span: one.span });
        }
        if stmts.is_empty() {
            return call;
        }
        let value = match self.shallow(&ty) {
            Ty::Unit | Ty::Never => {
                stmts.push(expr_stmt(call));
                None
            }
            _ => {
                let result = self.temporary(ty.clone(), span);
                stmts.push(bind(result, call));
                Some(Box::new(expr(ExprKind::Local(result), ty.clone(), span)))
            }
        };
        stmts.extend(after);
        expr(ExprKind::Block { stmts, value }, ty, span)
    }

    /// A parameter of a lambda or nested function: its name, and its type in the type of the function.
    pub fn declare_given(&mut self, name: &Name, ty: &Ty, span: Span) {
        match ty {
            Ty::Ref(inner) => self.declare_parameter(name, (**inner).clone(), Passing::Ref, span),
            _ => drop(self.declare_new(name, ty.clone(), false, span)),
        }
    }

    pub fn parameter_without_name(&mut self, ty: &Ty, span: Span) -> LocalId {
        let Ty::Ref(inner) = ty else { return self.temporary(ty.clone(), span) };
        let id = self.temporary((**inner).clone(), span);
        self.lent_parameter(id, Passing::Ref);
        id
    }

    /// The type written at a parameter of a lambda or nested function.
    pub fn written_parameter(&mut self, id: TypeRefId) -> Ty {
        match passing(self.body, id) {
            (Passing::Ref, ty) => Ty::Ref(Box::new(self.written_type(ty))),
            _ => self.written_type(id),
        }
    }

    /// What a function gets as one of its parameters, from one of the function around it that has the same.
    pub fn passed_on(&mut self, local: LocalId, span: Span) -> hir::Expr {
        let ty = self.local_ty(local);
        match self.passing(local) {
            Passing::Ref => expr(ExprKind::Cell(local), ty, span),
            Passing::Val | Passing::Iso => expr(ExprKind::Local(local), ty, span),
        }
    }

    pub fn declare_parameter(&mut self, name: &Name, ty: Ty, passing: Passing, span: Span) {
        let id = match &**name {
            "self" => self.declare(name, ty, false, span),
            _ => self.declare_new(name, ty, false, span),
        };
        self.lent_parameter(id, passing);
    }

    fn lent_parameter(&mut self, id: LocalId, passing: Passing) {
        if let Some(local) = self.frame().locals.get_mut(id.0 as usize) {
            local.passing = passing;
            local.mutable = passing != Passing::Val;
            local.boxed = passing == Passing::Ref;
        }
    }

    /// `iso` before the type of a variable. A global is everybody's: there it is misplaced.
    pub fn is_iso_variable(&mut self, ty: TypeRefId) -> bool {
        let is_global =
            self.cell.is_some() && self.frames.len() == 1 && self.frame().scopes.len() == 1;
        !is_global && passing(self.body, ty).0 == Passing::Iso
    }

    pub fn declared_iso(&mut self, id: LocalId) {
        if let Some(local) = self.frame().locals.get_mut(id.0 as usize) {
            local.passing = Passing::Iso;
        }
    }

    /// Messages are values, and a default is nobody's place.
    pub fn may_be_lent(
        &mut self,
        item: ItemKey<'_>,
        function: &item::Function,
        passing: Passing,
        span: Span,
    ) {
        if passing != Passing::Ref {
            return;
        }
        if let Some(param) = function.params.iter().find(|param| param.span == span)
            && param.default.is_some()
        {
            let message = "a `ref` parameter has no default: there would be no place to lend";
            self.report(Diagnostic::new(codes::E0510, span, message));
        }
        let tree = item.tree(self.db);
        let is_behavior = tree.kind.as_agent().is_some_and(|agent| {
            agent.behaviors().any(|behavior| behavior.function.name == function.name)
        });
        if is_behavior {
            let message = "a message takes values: a `ref` cannot be sent";
            self.report(
                Diagnostic::new(codes::E0502, span, message)
                    .note("give the changed value back: `-> T`, and assign what `await` gives"),
            );
        }
    }
}

/// A value that must be the only reference, where it is looked at later (`infer::moves`).
pub fn moved(value: hir::Expr) -> hir::Expr {
    let (ty, span) = (value.ty.clone(), value.span);
    expr(ExprKind::Convert(Conversion::Move, Box::new(value)), ty, span)
}

pub fn bind(local: LocalId, value: hir::Expr) -> Stmt {
    let (ty, span) = (value.ty.clone(), value.span);
    let pattern = Pattern { kind: PatternKind::Bind(local), ty, span };
    Stmt { kind: StmtKind::Let { pattern, value }, span }
}

/// Whether one place may be (in) the other. Two elements may be the same one, whatever their indices are called.
fn overlap(a: &Place, b: &Place) -> bool {
    a.root == b.root
        && a.path.iter().zip(&b.path).all(|steps| match steps {
            (PlaceStep::Field { index: a, .. }, PlaceStep::Field { index: b, .. }) => a == b,
            _ => true,
        })
}
