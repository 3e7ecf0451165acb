//! Bodies of functions, and the two that an agent has besides its behaviors: its state and its configuration.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Conversion, ExprKind, StmtKind};
use crate::source::Span;
use crate::syntax::ast::Block;
use crate::syntax::item::{self, MemberKind};
use crate::types::def::{AgentDef, Param};
use crate::types::infer::frame::FrameKind;
use crate::types::infer::{Expect, Infer, error, expr};
use crate::types::ty::{Name, Ty};

impl Infer<'_, '_> {
    /// The body of a function: it gives a value only by `return` (L-45). `name` is where its name stands.
    pub fn function_body(&mut self, block: &Block, name: Span) -> hir::Expr {
        let body = self.block(block, &Expect::Discard);
        let frame = self.frame();
        let (result, returns_value) = (frame.result.clone(), frame.returns_value);
        let ends = !self.is_never(&body);
        match self.shallow(&result) {
            Ty::Var(_) if !returns_value => {
                let _ = self.table.unify(&result, &Ty::Unit);
            }
            Ty::Unit | Ty::Error => {}
            known if ends => self.missing_return(&body, &known, block, name),
            _ => {}
        }
        body
    }

    fn missing_return(&mut self, body: &hir::Expr, result: &Ty, block: &Block, name: Span) {
        let wanted = self.table.resolve(result);
        let end = Span::new(block.span.end.saturating_sub(1), block.span.end);
        let message =
            format!("this function gives `{wanted}`, but its end is reached without `return`");
        let diagnostic = Diagnostic::new(codes::E0403, end, message).label(name, "declared here");
        let last = match &body.kind {
            ExprKind::Block { stmts, .. } => stmts.last(),
            _ => None,
        };
        let value = match last.map(|stmt| &stmt.kind) {
            Some(StmtKind::Expr(hir::Expr {
                kind: ExprKind::Convert(Conversion::Discard, value),
                ..
            })) => Some(value),
            _ => None,
        };
        let fits = value.filter(|value| self.would_coerce(&value.ty.clone(), result));
        self.report(match fits {
            Some(value) => {
                diagnostic.fix("return the last value", Span::at(value.span.start), "return ")
            }
            None if self.ends_in_expression(block) => {
                diagnostic.note("a function gives a value only by `return`: write `return ...`")
            }
            None => diagnostic,
        });
    }

    /// Whether the last statement is an expression, a `match` for example, that may be meant as the value.
    fn ends_in_expression(&self, block: &Block) -> bool {
        let last = block.stmts.last().map(|id| &self.body[*id].kind);
        matches!(last, Some(crate::syntax::ast::StmtKind::Expr(_)))
    }

    /// The initial values of the state: takes parameters and ports, gives the tuple of its fields.
    pub fn agent_init(&mut self, def: &AgentDef, agent: &item::Agent) -> hir::Expr {
        let span = Span::default();
        let types: Vec<Ty> = def.state.iter().map(|field| field.ty.clone()).collect();
        let result = if types.is_empty() { Ty::Unit } else { Ty::Tuple(types) };
        let key: Name = Arc::from(format!("{}.{{init}}", def.name));
        self.open(FrameKind::Function, key, result.clone());
        let taken: Vec<_> = def.fields().take(def.state_start()).cloned().collect();
        for field in &taken {
            self.declare(&field.name, field.ty.clone(), false, span);
        }
        self.frame().params = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let mut values = Vec::new();
        for (field, typed) in agent.state_fields().zip(&def.state) {
            match field.default {
                Some(value) => values.push(self.check(value, &typed.ty)),
                None => values.push(self.no_initial_value(typed, field.span)),
            }
        }
        let value = match values.is_empty() {
            true => expr(ExprKind::Unit, Ty::Unit, span),
            false => self.initial_state(def, agent, values, result, span),
        };
        returned(value, span)
    }

    pub fn no_initial_value(&mut self, field: &Param, at: Span) -> hir::Expr {
        let message = format!("the state field `{}` needs an initial value", field.name);
        self.report(
            Diagnostic::new(codes::E0305, at, message)
                .note(format!("write `{} : {} = ...`", field.name, field.ty)),
        );
        error(at)
    }

    /// The sections that are written, as one record.
    pub fn agent_config(&mut self, name: &Name, agent: &item::Agent) -> hir::Expr {
        let span = Span::default();
        let key: Name = Arc::from(format!("{name}.{{config}}"));
        let result = self.fresh(span);
        self.open(FrameKind::Function, key, result.clone());
        let mut sections = Vec::new();
        for member in &agent.members {
            let (section, config) = match &member.kind {
                MemberKind::Memory(config) => ("memory", config),
                MemberKind::CostPolicy(config) => ("cost_policy", config),
                _ => continue,
            };
            if sections.iter().any(|(other, _): &(Name, hir::Expr)| &**other == section) {
                let message = format!("`{section}` is written twice");
                self.report(Diagnostic::new(codes::E0701, member.span, message));
                continue;
            }
            sections.extend(self.section(section, config));
        }
        self.sections_fit(&sections);
        let record = self.sections(sections, span);
        let _ = self.table.unify(&result, &record.ty);
        returned(record, span)
    }
}

/// A body that only returns a value.
pub fn returned(value: hir::Expr, span: Span) -> hir::Expr {
    let leave = expr(ExprKind::Return(Some(Box::new(value))), Ty::Never, span);
    let stmts = vec![crate::types::infer::stmt::expr_stmt(leave)];
    expr(ExprKind::Block { stmts, value: None }, Ty::Never, span)
}
