//! What a cell on a subshell must not do: define, declare, assign (L-159).

use crate::db::{CellInput, Database};
use crate::diag::{Diagnostic, codes};
use crate::names::cell::{cell_globals, parse_cell};
use crate::source::Span;
use crate::syntax::item::Step;
use crate::types::effects::assigned;
use crate::types::step::infer_step;

/// One mistake for each part that would change the session.
pub fn changes(db: &Database, cell: CellInput) -> Vec<Diagnostic> {
    let parsed = parse_cell(db, cell);
    let mut found = Vec::new();
    for item in &parsed.cell.items {
        let name = &item.tree.name;
        let what = match name.name.text() {
            name if name.is_empty() => "nothing can be defined".to_owned(),
            name => format!("`{name}` cannot be defined"),
        };
        found.push(refused(name.span.shifted(item.span.start), &what));
    }
    let declared = cell_globals(db, cell);
    for global in declared {
        found.push(refused(global.span, &format!("`{}` cannot be declared", global.name)));
    }
    for (at, step) in parsed.cell.body.order.iter().enumerate() {
        let Step::Stmt(id) = step else { continue };
        let step = u32::try_from(at).unwrap_or(u32::MAX);
        if declared.iter().any(|global| global.step == step) {
            continue;
        }
        if let Some(name) = assigned(db, &infer_step(db, cell, step).facts, false) {
            let span = parsed.cell.body.body[*id].span;
            found.push(refused(span, &format!("this assigns `{name}`, which cannot be done")));
        }
    }
    found
}

fn refused(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(codes::E0904, span, format!("{what} on a subshell")).note(
        "a cell on a subshell reads, computes, asks agents and shows; run this one in the notebook",
    )
}
