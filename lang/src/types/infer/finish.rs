//! The end of inference: checks that needed all types, variables replaced everywhere, the function taken out.

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::substitute::monomorphise;
use crate::hir::visit::each_type;
use crate::hir::{self, Conversion, Expr, ExprKind};
use crate::source::Span;
use crate::types::bounds::{self, Given, Lack};
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::infer::{Facts, Infer, Owner, Pending, blind, invariant, moves, sendable};
use crate::types::ty::Ty;
use crate::types::unify::Table;

/// What one body gave.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checked {
    /// `None` if there are errors.
    pub function: Option<hir::Function>,
    pub result: Ty,
    pub diagnostics: Vec<Diagnostic>,
    pub facts: Facts,
    /// The instances of generic functions it calls; those that depend on its own type parameters are in the tree.
    pub instances: Vec<hir::Instance>,
}

impl Checked {
    pub fn failed(diagnostics: Vec<Diagnostic>) -> Checked {
        Checked {
            function: None,
            result: Ty::Error,
            diagnostics,
            facts: Facts::default(),
            instances: Vec::new(),
        }
    }
}

impl Infer<'_, '_> {
    /// Ends the body of the outermost frame.
    pub fn finish(mut self, body: Expr, span: Span) -> Checked {
        let Some(frame) = self.frames.pop() else { return Checked::failed(self.diagnostics) };
        let (mut function, _) = frame.finish(body, span);
        self.late_checks();
        if let Some(probe) = &self.probe {
            probe.borrow_mut().resolve(&self.table);
        }
        let had_errors = self.diagnostics.iter().any(Diagnostic::is_error);
        let mut unknown: Vec<Span> = Vec::new();
        let mut table = std::mem::take(&mut self.table);
        settle(&mut table, &mut function, &mut unknown);
        let agent = match &self.owner {
            Owner::Agent(agent) => Some(&*agent.name),
            _ => None,
        };
        let (found, refs) = sendable::check(self.db, &mut function, agent);
        self.diagnostics.extend(found);
        let (found, sent) = moves::check(&mut function);
        self.diagnostics.extend(found);
        let blind = blind::uses(&mut function);
        unknown.dedup();
        let mut instances = Vec::new();
        monomorphise(&mut function, &mut instances);
        decoded(self.db, &mut function.body, &mut instances);
        instances.sort();
        instances.dedup();
        // What is unknown after another mistake is mostly unknown because of it.
        if !had_errors {
            for span in unknown {
                self.diagnostics.push(undetermined(&mut function.body, span));
            }
        }
        let failed = self.diagnostics.iter().any(Diagnostic::is_error);
        let result = function.result.clone();
        let mut facts = self.facts;
        facts.refs = refs;
        facts.blind = blind;
        facts.sent = sent;
        facts.effects.sort();
        facts.effects.dedup();
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span.start);
        Checked {
            function: (!failed).then_some(function),
            result,
            diagnostics: self.diagnostics,
            facts,
            instances,
        }
    }

    fn late_checks(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            // `None` and `[]` as JSON hold nothing that had a type.
            if let Pending::Json { ty, .. } = &pending {
                self.table.settle(ty, &Ty::Dyn);
            }
            let found = match &pending {
                Pending::Bound { ty, bound, .. } => self.lack(ty, bound),
                Pending::Key { ty, .. } => self.lack(ty, "Hash"),
                Pending::Json { ty, .. } => self.lack(ty, "Json"),
                Pending::Equal { ty, .. } => self.lack(ty, "Eq"),
                Pending::Answer { ty, span } => {
                    self.answer(ty, *span);
                    None
                }
                Pending::Told { ty, words, span } => {
                    self.is_told(ty, words, *span);
                    None
                }
            };
            let Some((ty, lack)) = found else { continue };
            let diagnostic = match pending {
                Pending::Bound { bound, span, of: None, .. } => {
                    Diagnostic::new(codes::E0311, span, format!("`{ty}` is not `{bound}`"))
                }
                Pending::Bound { bound, span, of: Some((param, name)), .. } => Diagnostic::new(
                    codes::E0311,
                    span,
                    format!(
                        "`{name}` needs a type that is `{bound}` for `{param}`, and `{ty}` is not"
                    ),
                ),
                Pending::Key { span, .. } => {
                    let message = format!("`{ty}` cannot be a key of a Map or an element of a Set");
                    Diagnostic::new(codes::E0312, span, message)
                }
                Pending::Json { span, .. } => {
                    Diagnostic::new(codes::E0307, span, format!("`{ty}` has no JSON form"))
                }
                Pending::Equal { span, .. }
                | Pending::Answer { span, .. }
                | Pending::Told { span, .. } => {
                    let message = format!("values of type `{ty}` cannot be compared by `==`");
                    Diagnostic::new(codes::E0306, span, message)
                }
            };
            self.diagnostics.push(lack.why(&ty).into_iter().fold(diagnostic, Diagnostic::note));
        }
    }

    /// A person answers with a word or a number.
    fn answer(&mut self, ty: &Ty, span: Span) {
        let ty = self.table.resolve(ty);
        let fits = match &ty {
            Ty::Error | Ty::Never | Ty::Var(_) => true,
            Ty::Bool | Ty::Text | Ty::Int | Ty::Float | Ty::Money => true,
            Ty::Adt(adt) => match adt_definition(self.db, adt) {
                Some(Definition::Enum(def)) => {
                    def.variants.iter().all(|variant| variant.fields.is_empty())
                }
                Some(_) => false,
                None => true,
            },
            _ => false,
        };
        if !fits {
            let message = format!("a person cannot be asked for a `{ty}`");
            self.diagnostics
                .push(Diagnostic::new(codes::E0307, span, message).note(
                    "`@ask` gives Bool, Text, Int, Float, Money, or an enum without payload",
                ));
        }
    }

    fn lack(&self, ty: &Ty, bound: &str) -> Option<(Ty, Lack)> {
        let ty = self.table.resolve(ty);
        // The defaults of builtins are checked with the type variables of their signatures.
        let given = if self.prelude { Given::Everything } else { Given::Bounds(&self.bounds) };
        let lack = bounds::lack(self.db, given, &ty, bound)?;
        Some((ty, lack))
    }
}

/// The checks of generic structs that come out of JSON: nothing in the tree calls them.
fn decoded(db: &dyn Db, value: &mut Expr, instances: &mut Vec<hir::Instance>) {
    let ty = match &value.kind {
        ExprKind::Convert(Conversion::FromDyn { .. }, _) => Some(&value.ty),
        ExprKind::LlmCall { schema, .. } => Some(schema),
        _ => None,
    };
    if let Some(ty) = ty {
        invariant::checks_within(db, ty, instances);
    }
    if let ExprKind::Lambda { function, .. } = &mut value.kind {
        decoded(db, &mut function.body, instances);
    }
    hir::visit::children(value, &mut |inner| decoded(db, inner, instances));
}

/// Variables replaced in the whole function.
/// `None` where nothing says what is missing is mostly a habit; the rest wants an annotation.
fn undetermined(body: &mut Expr, span: Span) -> Diagnostic {
    let (message, note) = match is_none(body, span) {
        true => (
            "`None` alone has no type: nothing says what is missing",
            "write what it may hold: `let x : Int? := None`; a function that gives nothing needs no result",
        ),
        false => (
            "the type of this cannot be determined",
            "annotate it: `let x : List<Int> := []`, `(x : Int) => ...`",
        ),
    };
    Diagnostic::new(codes::E0304, span, message).note(note)
}

fn is_none(expr: &mut Expr, span: Span) -> bool {
    let is_option = expr.span == span && expr.ty.prelude_args("Option").is_some();
    if is_option && matches!(&expr.kind, ExprKind::Variant { fields, .. } if fields.is_empty()) {
        return true;
    }
    let mut found = false;
    hir::visit::children(expr, &mut |part| found |= is_none(part, span));
    found
}

fn settle(table: &mut Table, function: &mut hir::Function, unknown: &mut Vec<Span>) {
    let mut settle = |ty: &mut Ty| *ty = table.finish(ty, &mut |span| unknown.push(span));
    for local in &mut function.locals {
        settle(&mut local.ty);
    }
    settle(&mut function.result);
    each_type(&mut function.body, &mut settle);
    discards(&mut function.body);
}

/// Which of the values thrown away are Results is known only now.
fn discards(expr: &mut Expr) {
    if let ExprKind::Lambda { function, .. } = &mut expr.kind {
        discards(&mut function.body);
    }
    hir::visit::children(expr, &mut discards);
    if let ExprKind::Convert(conversion @ Conversion::Discard, inner) = &mut expr.kind
        && inner.ty.prelude_args("Result").is_some()
    {
        *conversion = Conversion::DiscardResult;
    }
}
