//! A statement of a cell as it was written, so that it can be run again (L-153).
//!
//! It tells which globals a run of it gives anew and which it only changes. It runs nothing.

use crate::db::workspace::{CellId, Workspace};
use crate::hir::CellStep;
use crate::names::cell::{bound_names, parse_cell};
use crate::syntax::ast::{AssignOp, ExprKind, StmtKind};
use crate::syntax::item::Step;
use crate::types::ty::Name;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Statement {
    /// Without what stands around it.
    pub text: String,
    /// The globals whose value before does not matter: declared, or assigned as a whole.
    pub fresh: Vec<Name>,
}

/// The source of a checked step of that cell.
pub fn statement(workspace: &Workspace, cell: CellId, step: &CellStep) -> Option<Statement> {
    let db = workspace.database();
    let input = workspace.input(cell)?;
    let body = &parse_cell(db, input).cell.body;
    // `cell 7.2`: the third step of a cell.
    let at: usize = step.function.key.rsplit('.').next()?.parse().ok()?;
    let Some(Step::Stmt(id)) = body.order.get(at) else { return None };
    let stmt = &body.body[*id];
    let text = stmt.span.text(input.text(db)).to_owned();
    let mut fresh = Vec::new();
    match &stmt.kind {
        StmtKind::Let { pattern, .. } => {
            let mut bound = Vec::new();
            bound_names(&body.body, *pattern, &mut bound);
            fresh.extend(bound.into_iter().map(|(name, _)| name));
        }
        StmtKind::Declare { name, .. } => fresh.push(name.name.text()),
        StmtKind::Assign { place, op: AssignOp::Set, .. } => {
            if let ExprKind::Name(name) = &body.body[*place].kind {
                fresh.push(name.text());
            }
        }
        _ => {}
    }
    // `x = x + 1` needs what x was; `let x := x + 1` reads another x, which is gone when it runs.
    fresh.retain(|name| !step.reads.contains(name));
    Some(Statement { text, fresh })
}

#[cfg(test)]
mod tests {
    use super::statement;
    use crate::db::workspace::{Step, Workspace};

    /// The text of each statement, and what it gives anew.
    fn told(before: &str, text: &str) -> Vec<(String, String)> {
        let mut workspace = Workspace::new();
        let first = workspace.add_cell(before);
        assert!(!workspace.check(first).has_errors());
        let cell = workspace.add_cell(text);
        let checked = workspace.check(cell);
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        let statements = checked.steps.iter().filter_map(|step| match step {
            Step::Statement(step) => statement(&workspace, cell, step),
            Step::Command(_) => None,
        });
        let fresh = |names: Vec<crate::types::ty::Name>| names.join(" ");
        statements.map(|found| (found.text, fresh(found.fresh))).collect()
    }

    #[test]
    fn a_statement_is_given_as_written_with_what_it_makes_anew() {
        let found = told(
            "var x := 1\nvar y := 2",
            "x = 2 // two\n:cost\nx = x + 1\ny += 1\nlet (a, b) :=\n  (x, y)\nfor i in 0..2 { x = i }; z := 3",
        );
        let found: Vec<(&str, &str)> =
            found.iter().map(|(t, f)| (t.as_str(), f.as_str())).collect();
        assert_eq!(
            found,
            [
                ("x = 2", "x"),
                ("x = x + 1", ""),
                ("y += 1", ""),
                ("let (a, b) :=\n  (x, y)", "a b"),
                ("for i in 0..2 { x = i }", ""),
                ("z := 3", "z"),
            ]
        );
    }
}
