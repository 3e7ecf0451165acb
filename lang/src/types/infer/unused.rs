//! W0402: a statement that computes a value, changes nothing and is not used, such as `xs.sort()`.
//!
//! It speaks of methods that look as if they changed something, of comparisons that look like assignments, and only where
//! nothing inside could be noticed. Never: an error.

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, BinaryOp, Conversion, ExprKind, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{self, ExprId};
use crate::types::def::Definition;
use crate::types::infer::place::CHANGING;
use crate::types::infer::{Infer, Owner};
use ag_runtime::builtin::{Builtin, Kind};

impl Infer<'_, '_> {
    /// `written` stands as a statement of its own and became `value`.
    pub fn unused(&mut self, written: ExprId, value: &hir::Expr) {
        let ExprKind::Convert(Conversion::Discard, inner) = &value.kind else { return };
        // A Result that nobody looks at is R0404's, or meant.
        let ty = self.shallow(&inner.ty);
        if self.prelude || ty.prelude_args("Result").is_some() || !changes_nothing(inner) {
            return;
        }
        let span = self.span(written);
        let report = match &last_of(inner).kind {
            // `x.value` stands alone where only its Fault is wanted.
            ExprKind::Builtin { id, .. } => match id.get() {
                Some(row) if is_plain(row) => self.unused_copy(written, inner, row, span),
                _ => None,
            },
            ExprKind::Equal { .. }
            | ExprKind::Binary(BinaryOp::CompareInt(_) | BinaryOp::CompareFloat(_), ..) => {
                self.unused_comparison(written, span)
            }
            _ => None,
        };
        if let Some(report) = report {
            self.report(report);
        }
    }

    /// `n == 0` where `n` could have been assigned.
    fn unused_comparison(&self, written: ExprId, span: Span) -> Option<Diagnostic> {
        let ast::ExprKind::Binary { left, .. } = &self.body[written].kind else { return None };
        let (_, can_assign) = self.written_variable(*left)?;
        let report = Diagnostic::new(codes::W0402, span, "this comparison is not used")
            .note("`=` assigns; `assert` checks a condition");
        can_assign.then_some(report)
    }

    /// A member that gives a value of its receiver's type, which people take for a change of the receiver.
    fn unused_copy(
        &self,
        written: ExprId,
        value: &hir::Expr,
        row: &Builtin,
        span: Span,
    ) -> Option<Diagnostic> {
        let name = row.name;
        let base = self.receiver(written)?;
        let can_change = CHANGING.contains(&name);
        let variable = self.written_variable(base);
        let is_held = variable.is_some() || self.is_place(base);
        if !self.gives_its_own_type(value) || !(is_held || can_change) {
            return None;
        }
        let message =
            format!("`{name}` gives a changed copy, which is not used; nothing was changed");
        let diagnostic = Diagnostic::new(codes::W0402, span, message);
        Some(match variable {
            Some((variable, true)) => {
                let at = Span::at(span.start);
                diagnostic.fix(format!("assign it to `{variable}`"), at, format!("{variable} = "))
            }
            Some((variable, false)) => diagnostic.note(format!(
                "`{variable}` is bound once: give the copy a name of its own, `let changed := ...`"
            )),
            None if can_change && !is_held => diagnostic.note(format!(
                "as a statement `{name}` changes a variable, a field or an element; this value is held by none: name it with `var`, change it, and put it back"
            )),
            None => diagnostic.note("assign it, or give the copy a name"),
        })
    }

    /// What stands before the dot of a call.
    fn receiver(&self, written: ExprId) -> Option<ExprId> {
        match &self.body[written].kind {
            ast::ExprKind::Field { base, .. } => Some(*base),
            ast::ExprKind::Call { callee, .. } => self.receiver(*callee),
            _ => None,
        }
    }

    fn gives_its_own_type(&self, value: &hir::Expr) -> bool {
        match &last_of(value).kind {
            ExprKind::Builtin { args, .. } => args.first().is_some_and(|receiver| {
                self.table.resolve(&receiver.ty) == self.table.resolve(&value.ty)
            }),
            _ => false,
        }
    }

    /// The variable that an expression is, and whether it can be assigned here.
    fn written_variable(&self, id: ExprId) -> Option<(String, bool)> {
        let ast::ExprKind::Name(name) = &self.body[id].kind else { return None };
        let name = name.text();
        let local = self.frames.iter().rev().find_map(|frame| frame.local(frame.find(&name)?));
        if let Some(local) = local {
            return Some((name.to_string(), local.mutable));
        }
        if let Owner::Agent(agent) = &self.owner
            && let Some((at, _)) = agent.field(&name)
        {
            return Some((name.to_string(), at as usize >= agent.state_start()));
        }
        let mutable = match (self.declared(&name), self.definition(&name)) {
            (Some(global), _) => global.mutable,
            (None, Some(Definition::Global(global))) => global.mutable,
            _ => return None,
        };
        Some((name.to_string(), mutable && !matches!(self.owner, Owner::Agent(_))))
    }
}

fn is_plain(row: &Builtin) -> bool {
    row.kind == Kind::Member && !matches!(row.receiver, Some("Option" | "Result"))
}

/// Behind statements that only order the evaluation of arguments.
fn last_of(value: &hir::Expr) -> &hir::Expr {
    match &value.kind {
        ExprKind::Block { value: Some(value), .. } => last_of(value),
        _ => value,
    }
}

/// Whether leaving the value out would be noticed only by a Fault that it could give.
fn changes_nothing(value: &hir::Expr) -> bool {
    let builtin_is_pure = match &value.kind {
        ExprKind::Unit
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Text(_)
        | ExprKind::Money(_)
        | ExprKind::Duration(_)
        | ExprKind::Lane(_)
        | ExprKind::Local(_)
        | ExprKind::Global(_)
        | ExprKind::AgentField(_)
        | ExprKind::List(_)
        | ExprKind::Set(_)
        | ExprKind::Vector(_)
        | ExprKind::Map(_)
        | ExprKind::Tuple(_)
        | ExprKind::Record { .. }
        | ExprKind::Variant { .. }
        | ExprKind::Field { .. }
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::And(..)
        | ExprKind::Or(..)
        | ExprKind::Coalesce { .. }
        | ExprKind::Equal { .. }
        | ExprKind::Convert(..)
        | ExprKind::Template(_) => true,
        ExprKind::Builtin { id, .. } => id.get().is_some_and(|row| row.effects.is_empty()),
        ExprKind::Lambda { function, .. } => return changes_nothing(&function.body),
        ExprKind::Block { stmts, .. } => {
            stmts.iter().all(|stmt| matches!(stmt.kind, StmtKind::Let { .. }))
        }
        _ => false,
    };
    let mut all = builtin_is_pure;
    // The walk wants to change what it visits; statements are few and short.
    hir::visit::children(&mut value.clone(), &mut |inner| all = all && changes_nothing(inner));
    all
}
