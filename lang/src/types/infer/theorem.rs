//! Theorems and lemmas (L-144): read like a function whose clauses are all there is. They run nothing in a session.
//!
//! Never: proves. Proofs come with the checker; until then a theorem is tried on inputs and otherwise unchecked.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::hir::{self, ClauseKind};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::syntax::item::{Contract, ContractKind, Function, Tactic, Theorem};
use crate::types::def::Definition;
use crate::types::infer::Infer;
use crate::types::infer::contract::block;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::stmt::expr_stmt;
use crate::types::report;
use crate::types::ty::{Name, Ty};

/// The tactics of L-144.
const TACTICS: &[&str] = &[
    "intro",
    "cases",
    "induction",
    "unfold",
    "simp",
    "rewrite",
    "ring",
    "linear",
    "decide",
    "exact",
    "auto",
];

/// The name of a theorem's statement as a function. No program can write it.
pub fn key(name: &str) -> Name {
    Arc::from(format!("{{theorem {name}}}"))
}

impl Infer<'_, '_> {
    /// What a theorem states: `requires`, then `ensures`, for all parameters.
    pub fn theorem(&mut self, ident: &Ident, theorem: &Theorem) -> hir::Expr {
        let name = &ident.name.text();
        self.open(FrameKind::Function, key(name), Ty::Unit);
        for param in &theorem.params {
            let ty = self.written_type(param.ty);
            self.declare_new(&param.name.name.text(), ty, false, param.name.span);
        }
        self.frame().params = u32::try_from(theorem.params.len()).unwrap_or(u32::MAX);
        let mut stmts = Vec::new();
        for contract in &theorem.contracts {
            let (kind, id) = match contract.kind {
                ContractKind::Requires(id) => (ClauseKind::Requires, id),
                ContractKind::Ensures(id) => (ClauseKind::Ensures, id),
                ContractKind::Decreases(_) | ContractKind::By(_) => continue,
            };
            let check = self.clause(kind, name, id).map(expr_stmt);
            // All that is required comes before all that follows from it.
            match kind {
                ClauseKind::Requires => {
                    let at = stmts.iter().filter(|(of, _)| *of == kind).count();
                    stmts.splice(at..at, check.map(|check| (kind, check)));
                }
                _ => stmts.extend(check.map(|check| (kind, check))),
            }
        }
        self.tactics(&theorem.contracts);
        let message = format!("`{name}` is not proved: proofs come with the checker");
        let tried = "it is tried on made-up inputs, and no proof may use it";
        let at = ident.span;
        self.report(Diagnostic::new(codes::W0601, at, message).saying("unchecked").note(tried));
        let stmts = stmts.into_iter().map(|(_, check)| check).collect();
        block(stmts, None, Ty::Unit, Span::default())
    }

    /// The names in the proofs of a function.
    pub fn proofs(&mut self, function: &Function) {
        self.tactics(&function.contracts);
    }

    fn tactics(&mut self, contracts: &[Contract]) {
        for contract in contracts {
            if let ContractKind::By(tactics) = &contract.kind {
                tactics.iter().for_each(|tactic| self.tactic(tactic));
            }
        }
    }

    fn tactic(&mut self, tactic: &Tactic) {
        let name = &tactic.name;
        if !name.name.is_missing() && !TACTICS.contains(&name.name.as_str()) {
            let message = format!("there is no tactic `{}`", name.name);
            let diagnostic = Diagnostic::new(codes::E0607, name.span, message)
                .note(format!("the tactics are: {}", TACTICS.join(", ")));
            let found = nearest(name.name.as_str(), TACTICS.iter().copied());
            self.report(report::did_you_mean(diagnostic, name.span, &found));
        }
        for used in tactic.using.iter().filter(|used| !used.name.is_missing()) {
            let text = used.name.text();
            let is_known = matches!(
                self.definition(&text),
                Some(Definition::Theorem | Definition::Function(_))
            );
            if !is_known {
                let message = format!("there is no theorem, lemma or function `{text}`");
                self.report(Diagnostic::new(codes::E0201, used.span, message));
            }
            self.uses(&text);
        }
    }
}
