//! The end of inference: checks that needed all types, variables replaced everywhere, the function taken out.

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Conversion, Expr, ExprKind, Pattern, PlaceStep, StmtKind};
use crate::source::Span;
use crate::types::bounds::satisfies;
use crate::types::infer::{Facts, Infer, Pending};
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
}

impl Checked {
    pub fn failed(diagnostics: Vec<Diagnostic>) -> Checked {
        Checked { function: None, result: Ty::Error, diagnostics, facts: Facts::default() }
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
        let mut report = |span| unknown.push(span);
        Finish { table: &mut table, report: &mut report }.function(&mut function);
        unknown.dedup();
        // What is unknown after another mistake is mostly unknown because of it.
        if !had_errors {
            for span in unknown {
                self.diagnostics.push(
                    Diagnostic::new(codes::E0304, span, "the type of this cannot be determined")
                        .note("annotate it: `let x : List<Int> := []`, `(x : Int) => ...`"),
                );
            }
        }
        let failed = self.diagnostics.iter().any(Diagnostic::is_error);
        let result = function.result.clone();
        let mut facts = self.facts;
        facts.effects.sort();
        facts.effects.dedup();
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span.start);
        Checked {
            function: (!failed).then_some(function),
            result,
            diagnostics: self.diagnostics,
            facts,
        }
    }

    fn late_checks(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let diagnostic = match pending {
                Pending::Bound { ty, bound, span } => {
                    self.bound(&ty, &bound, span, codes::E0311, |ty| {
                        format!("`{ty}` is not `{bound}`")
                    })
                }
                Pending::Key { ty, span } => self.bound(&ty, "Hash", span, codes::E0312, |ty| {
                    format!("`{ty}` cannot be a key of a Map or an element of a Set")
                }),
                Pending::Json { ty, span } => self.bound(&ty, "Json", span, codes::E0307, |ty| {
                    format!("`{ty}` has no JSON form")
                }),
                Pending::Equal { ty, span } => self.bound(&ty, "Eq", span, codes::E0306, |ty| {
                    format!("values of type `{ty}` cannot be compared by `==`")
                }),
            };
            self.diagnostics.extend(diagnostic);
        }
    }

    fn bound(
        &self,
        ty: &Ty,
        bound: &str,
        span: Span,
        code: codes::Code,
        message: impl FnOnce(&Ty) -> String,
    ) -> Option<Diagnostic> {
        let ty = self.table.resolve(ty);
        (!satisfies(self.db, &ty, bound)).then(|| Diagnostic::new(code, span, message(&ty)))
    }
}

struct Finish<'a> {
    table: &'a mut Table,
    report: &'a mut dyn FnMut(Span),
}

impl Finish<'_> {
    fn ty(&mut self, ty: &mut Ty) {
        let report = &mut *self.report;
        *ty = self.table.finish(ty, &mut |span| report(span));
    }

    fn types(&mut self, types: &mut [Ty]) {
        types.iter_mut().for_each(|ty| self.ty(ty));
    }

    fn function(&mut self, function: &mut hir::Function) {
        for local in &mut function.locals {
            self.ty(&mut local.ty);
        }
        self.ty(&mut function.result);
        self.expr(&mut function.body);
    }

    fn expr(&mut self, expr: &mut Expr) {
        self.ty(&mut expr.ty);
        match &mut expr.kind {
            ExprKind::Builtin { types, .. } | ExprKind::Scope { types, .. } => self.types(types),
            ExprKind::LlmCall { schema, .. } => self.ty(schema),
            ExprKind::Lambda { function, .. } => self.function(function),
            ExprKind::Match { arms, .. } => {
                arms.iter_mut().for_each(|arm| self.pattern(&mut arm.pattern));
            }
            ExprKind::For { pattern, .. } => self.pattern(pattern),
            ExprKind::Block { stmts, .. } => {
                for stmt in stmts {
                    match &mut stmt.kind {
                        StmtKind::Let { pattern, .. } => self.pattern(pattern),
                        StmtKind::Assign { place, .. } => self.place(place),
                        StmtKind::Expr(_) => {}
                    }
                }
            }
            _ => {}
        }
        hir::visit::children(expr, &mut |inner| self.expr(inner));
        if let ExprKind::Convert(conversion @ Conversion::Discard, inner) = &mut expr.kind
            && inner.ty.prelude_args("Result").is_some()
        {
            *conversion = Conversion::DiscardResult;
        }
    }

    fn place(&mut self, place: &mut hir::Place) {
        self.ty(&mut place.ty);
        for step in &mut place.path {
            let (PlaceStep::Field { container, .. } | PlaceStep::Index { container, .. }) = step;
            self.ty(container);
        }
    }

    fn pattern(&mut self, pattern: &mut Pattern) {
        self.ty(&mut pattern.ty);
        hir::visit::pattern_children(pattern, &mut |inner| self.pattern(inner));
    }
}
