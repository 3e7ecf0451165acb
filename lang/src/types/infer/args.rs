//! Arguments against parameters: positions, names, defaults, order of evaluation (L-42).

use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::hir::substitute::Substitution;
use crate::hir::{self, Callee, ExprKind, Instance, Stmt, StmtKind};
use crate::names::scope::{ScopedName, Site, resolve};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Literal};
use crate::types::check::{FnPath, default_of, infer_default};
use crate::types::def::Passing;
use crate::types::generic::parameter_names;
use crate::types::hints;
use crate::types::infer::lend::Lent;
use crate::types::infer::{Called, Infer, expr};
use crate::types::report;
use crate::types::ty::{Name, Ty};

/// Which default of which definition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DefaultSlot {
    pub owner: Name,
    pub prelude: bool,
    pub member: Option<u32>,
    pub index: u32,
    /// What the type parameters of the definition are here.
    pub types: Vec<Ty>,
}

impl DefaultSlot {
    pub fn of(owner: &Name, prelude: bool, member: Option<u32>, index: usize) -> DefaultSlot {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        DefaultSlot { owner: owner.clone(), prelude, member, index, types: Vec::new() }
    }

    pub fn with(self, types: &[Ty]) -> DefaultSlot {
        DefaultSlot { types: types.to_vec(), ..self }
    }
}

/// What stands for a parameter that is not given.
#[derive(Clone, Debug)]
pub enum Default {
    Required,
    Slot(DefaultSlot),
    Value(Arc<hir::Expr>),
}

/// A parameter, field or payload to be given.
#[derive(Clone, Debug)]
pub struct Formal {
    pub name: Name,
    pub ty: Ty,
    pub passing: Passing,
    pub default: Default,
}

/// Arguments in the order of the parameters, and the order in which they were written.
pub struct Bound {
    pub values: Vec<hir::Expr>,
    pub written: Vec<u32>,
    /// The places that are lent.
    pub lent: Vec<Lent>,
}

impl Infer<'_, '_> {
    /// Arguments against parameters (L-42). See [`Turn`] for the order.
    pub fn arguments(
        &mut self,
        what: &str,
        formals: &[Formal],
        args: &[Arg],
        span: Span,
    ) -> Option<Bound> {
        self.probed_call(formals, span);
        let before = self.diagnostics.len();
        let places = self.places(what, formals, args);
        let mut values: Vec<Option<hir::Expr>> = formals.iter().map(|_| None).collect();
        let mut written = Vec::new();
        let mut lent = Vec::new();
        for turn in [Turn::First, Turn::Literals, Turn::Lambdas] {
            for (arg, place) in args.iter().zip(&places) {
                if self.turn(arg) != turn {
                    continue;
                }
                match place.and_then(|at| formals.get(at).map(|formal| (at, formal))) {
                    Some((at, formal)) => {
                        let value = self.argument(formal, arg, &mut lent);
                        if let Some(slot) = values.get_mut(at) {
                            *slot = Some(value);
                        }
                    }
                    None => {
                        self.infer(arg.value);
                    }
                }
            }
        }
        for at in places.iter().flatten() {
            written.push(u32::try_from(*at).unwrap_or(u32::MAX));
        }
        let wrong_shape = places.iter().any(Option::is_none);
        let bound = self.fill(what, formals, values, written, wrong_shape, before, span)?;
        Some(Bound { lent, ..bound })
    }

    fn turn(&self, arg: &Arg) -> Turn {
        match &self.body[arg.value].kind {
            ast::ExprKind::Lambda { .. } => Turn::Lambdas,
            ast::ExprKind::Literal(Literal::Int { .. }) => Turn::Literals,
            _ => Turn::First,
        }
    }

    #[allow(clippy::too_many_arguments)] // The parts of one binding, split for length only.
    fn fill(
        &mut self,
        what: &str,
        formals: &[Formal],
        values: Vec<Option<hir::Expr>>,
        mut written: Vec<u32>,
        wrong_shape: bool,
        before: usize,
        span: Span,
    ) -> Option<Bound> {
        let mut filled = Vec::new();
        let mut missing = Vec::new();
        for (at, (formal, value)) in formals.iter().zip(values).enumerate() {
            let default = match (value, &formal.default) {
                (Some(value), _) => {
                    filled.push(value);
                    continue;
                }
                (None, Default::Required) => {
                    missing.push(match self.table.resolve(&formal.ty) {
                        Ty::Var(_) => format!("`{}`", formal.name),
                        ty => format!("`{} : {ty}`", formal.name),
                    });
                    continue;
                }
                (None, Default::Slot(slot)) => self.default_value(slot, &formal.ty, span),
                (None, Default::Value(value)) => {
                    let value = respan((**value).clone(), span);
                    self.coerce(value, &formal.ty)
                }
            };
            written.push(u32::try_from(at).unwrap_or(u32::MAX));
            filled.push(default);
        }
        if !missing.is_empty() {
            // A misspelt name already says what is wrong.
            if !wrong_shape || self.diagnostics.len() == before {
                let message = format!("`{what}` also needs {}", missing.join(", "));
                let diagnostic = Diagnostic::new(codes::E0305, span, message);
                let hint = hints::too_few_arguments(what);
                self.report(hint.into_iter().fold(diagnostic, Diagnostic::note));
            }
            return None;
        }
        (!wrong_shape).then_some(Bound { values: filled, written, lent: Vec::new() })
    }

    /// Which parameter each argument is for.
    fn places(&mut self, what: &str, formals: &[Formal], args: &[Arg]) -> Vec<Option<usize>> {
        let mut taken = vec![false; formals.len()];
        let mut next = 0;
        let mut named = false;
        let mut places = Vec::new();
        for arg in args {
            let place = match &arg.name {
                Some(name) => {
                    named = true;
                    let at = formals.iter().position(|formal| name.name == *formal.name);
                    if at.is_none() {
                        self.unknown_argument(what, formals, name);
                    }
                    at
                }
                None if named => {
                    let message = "arguments without a name stand before those with one";
                    self.report(Diagnostic::new(codes::E0305, arg.span, message));
                    None
                }
                None if next >= formals.len() => {
                    if next == formals.len() {
                        let message =
                            format!("`{what}` takes {}, not {}", count(formals.len()), args.len());
                        let diagnostic = Diagnostic::new(codes::E0305, arg.span, message);
                        let hint = hints::too_many_arguments(what);
                        self.report(hint.into_iter().fold(diagnostic, Diagnostic::note));
                    }
                    next += 1;
                    None
                }
                None => {
                    next += 1;
                    Some(next - 1)
                }
            };
            places.push(self.take(place, &mut taken, formals, arg));
        }
        places
    }

    fn take(
        &mut self,
        place: Option<usize>,
        taken: &mut [bool],
        formals: &[Formal],
        arg: &Arg,
    ) -> Option<usize> {
        let at = place?;
        let slot = taken.get_mut(at)?;
        if *slot {
            let name = formals.get(at).map_or("", |formal| &formal.name);
            self.report(Diagnostic::new(
                codes::E0305,
                arg.span,
                format!("`{name}` is given twice"),
            ));
            return None;
        }
        *slot = true;
        Some(at)
    }

    fn unknown_argument(&mut self, what: &str, formals: &[Formal], name: &ast::Ident) {
        let known: Vec<&str> = formals.iter().map(|formal| &*formal.name).collect();
        let message = format!("`{what}` has no parameter `{}`", name.name);
        let diagnostic = Diagnostic::new(codes::E0305, name.span, message);
        let diagnostic = match known.is_empty() {
            true => diagnostic,
            false => diagnostic.note(format!("its parameters: {}", known.join(", "))),
        };
        let found = nearest(name.name.as_str(), known);
        self.report(report::did_you_mean(diagnostic, name.span, &found));
    }

    /// The default of a definition: in place if it needs no locals, else by a call of its own function.
    pub fn default_value(&mut self, slot: &DefaultSlot, ty: &Ty, span: Span) -> hir::Expr {
        let owner = ScopedName::new(self.db, slot.owner.clone(), slot.prelude);
        let Some(function) = default_of(self.db, owner, slot.member, slot.index) else {
            return expr(ExprKind::Unit, Ty::Error, span);
        };
        self.does_default(owner, slot, span);
        let value = match function.locals.is_empty() && !has_lambda(&mut function.body.clone()) {
            true => {
                let mut value = respan(function.body.clone(), span);
                let names = self.slot_generics(slot);
                Substitution { names: &names, args: &slot.types }.expr(&mut value);
                value
            }
            false => {
                let callee = match slot.types.as_slice() {
                    [] => Callee::Function(function.key.clone()),
                    types => Callee::Instance(Box::new(Instance {
                        key: function.key.clone(),
                        owner: slot.owner.clone(),
                        prelude: slot.prelude,
                        member: slot.member,
                        default: Some(slot.index),
                        args: types.to_vec(),
                    })),
                };
                expr(ExprKind::Call { callee, args: Vec::new() }, ty.clone(), span)
            }
        };
        // The default of `List<T>` was checked against the parameter, not against what it is here.
        hir::Expr { ty: ty.clone(), ..value }
    }

    /// What a default does, the call that leaves it out does. What an agent is begun with is the agent's, and what the
    /// prelude leaves out is no program's.
    fn does_default(&mut self, owner: ScopedName<'_>, slot: &DefaultSlot, span: Span) {
        let Some(Site::Item(item)) = resolve(self.db, owner, None) else { return };
        if slot.prelude || item.tree(self.db).kind.as_agent().is_some() && slot.member.is_none() {
            return;
        }
        let facts = &infer_default(self.db, item, slot.member, slot.index).facts;
        self.facts.reads.extend(facts.reads.iter().cloned());
        self.facts.effects.extend(facts.effects.iter().map(|(effect, _)| (effect.clone(), span)));
        let here = |call: &Called| Called { span, ..call.clone() };
        self.facts.calls.extend(facts.calls.iter().map(here));
        self.facts.asked.extend(facts.asked.iter().map(here));
    }

    fn slot_generics(&self, slot: &DefaultSlot) -> Vec<Name> {
        if slot.types.is_empty() {
            return Vec::new();
        }
        let owner = ScopedName::new(self.db, slot.owner.clone(), slot.prelude);
        let Some(Site::Item(item)) = resolve(self.db, owner, None) else { return Vec::new() };
        parameter_names(item.tree(self.db), FnPath::of(slot.member))
    }

    /// Makes a call whose arguments are evaluated in the order written (L-42).
    pub fn in_order(
        &mut self,
        bound: Bound,
        span: Span,
        make: impl FnOnce(Vec<hir::Expr>) -> hir::Expr,
    ) -> hir::Expr {
        let ordered = bound.written.is_sorted();
        let costly = bound.values.iter().filter(|value| !is_simple(value)).count();
        if ordered || costly < 2 {
            return make(bound.values);
        }
        let mut stmts = Vec::new();
        let mut values: Vec<Option<hir::Expr>> = bound.values.into_iter().map(Some).collect();
        let mut places: Vec<Option<hir::Expr>> = values.iter().map(|_| None).collect();
        for at in &bound.written {
            let at = *at as usize;
            let Some(value) = values.get_mut(at).and_then(Option::take) else { continue };
            if matches!(value.kind, ExprKind::Cell(_)) {
                // A place is no value that could be kept meanwhile.
                if let Some(place) = places.get_mut(at) {
                    *place = Some(value);
                }
                continue;
            }
            let (ty, at_span) = (value.ty.clone(), value.span);
            let local = self.temporary(ty.clone(), at_span);
            let kind = hir::PatternKind::Bind(local);
            let pattern = hir::Pattern { kind, ty: ty.clone(), span: at_span };
            stmts.push(Stmt { kind: StmtKind::Let { pattern, value }, span: at_span });
            if let Some(place) = places.get_mut(at) {
                *place = Some(expr(ExprKind::Local(local), ty, at_span));
            }
        }
        let call = make(places.into_iter().flatten().collect());
        let ty = call.ty.clone();
        expr(ExprKind::Block { stmts, value: Some(Box::new(call)) }, ty, span)
    }
}

/// When an argument is inferred: `min(1, x)` asks `x` what `1` is, a lambda asks all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Literals,
    Lambdas,
}

/// Evaluating it twice, or later, is not noticed.
pub fn is_simple(value: &hir::Expr) -> bool {
    match &value.kind {
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
        | ExprKind::SelfRef
        | ExprKind::Function(_)
        | ExprKind::Instance(_)
        | ExprKind::Lambda { .. } => true,
        ExprKind::Variant { fields, .. } => fields.iter().all(is_simple),
        ExprKind::Convert(_, inner) => is_simple(inner),
        _ => false,
    }
}

/// The same value, said to come from `span`: a default belongs to the call that left it out.
pub fn respan(mut value: hir::Expr, span: Span) -> hir::Expr {
    fn walk(value: &mut hir::Expr, span: Span) {
        value.span = span;
        hir::visit::children(value, &mut |inner| walk(inner, span));
    }
    walk(&mut value, span);
    value
}

fn has_lambda(value: &mut hir::Expr) -> bool {
    let mut found = matches!(value.kind, ExprKind::Lambda { .. });
    hir::visit::children(value, &mut |inner| found = found || has_lambda(inner));
    found
}

fn count(n: usize) -> String {
    match n {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        n => format!("{n} arguments"),
    }
}
