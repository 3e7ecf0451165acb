//! One place in a text that need not be whole, seen with the session's definitions.
//!
//! The text is a cell for as long as the look lasts (`Workspace::look`); nothing of it stays defined.

use std::cell::RefCell;
use std::rc::Rc;

use crate::db::{CellInput, Database};
use crate::names::cell::{cell_items, parse_cell};
use crate::source::Span;
use crate::syntax::ast::{Body, Expr, ExprId};
use crate::syntax::cursor::ExprAt;
use crate::syntax::item::Step;
use crate::types::check::{function_paths, probe_function};
use crate::types::infer::probe::Probe;
use crate::types::step::probe_step;

/// A text and an offset in it.
pub struct Place<'a> {
    pub db: &'a Database,
    pub cell: CellInput,
    pub offset: u32,
}

impl Place<'_> {
    /// The arena of an item, or of the cell's own statements.
    pub fn body(&self, item: Option<usize>) -> Option<&Body> {
        let parsed = parse_cell(self.db, self.cell);
        match item {
            Some(item) => Some(&parsed.cell.items.get(item)?.tree.body),
            None => Some(&parsed.cell.body.body),
        }
    }

    /// The expression, with its arena's place in the text.
    pub fn expr(&self, node: ExprAt) -> Option<(&Expr, u32)> {
        let parsed = parse_cell(self.db, self.cell);
        let base = match node.item {
            Some(item) => parsed.cell.items.get(item)?.span.start,
            None => 0,
        };
        Some((self.body(node.item)?.exprs.get(node.expr.0 as usize)?, base))
    }

    /// Whether the offset is in a statement, or behind the blanks after one that is not whole.
    fn reaches(&self, span: Span) -> bool {
        let text = self.cell.text(self.db);
        let gap = text.get(span.end as usize..self.offset as usize);
        span.touches(self.offset) || gap.is_some_and(|gap| gap.trim().is_empty())
    }

    /// What inference finds at the offset; of `expr` too, an expression of that item (`None`: of the statements).
    pub fn probe(&self, item: Option<usize>, expr: Option<ExprId>) -> Probe {
        let parsed = parse_cell(self.db, self.cell);
        let at = item
            .or_else(|| parsed.cell.items.iter().position(|item| item.span.touches(self.offset)));
        let base = at.and_then(|at| parsed.cell.items.get(at)).map_or(0, |item| item.span.start);
        let mut probe = Probe::at(self.offset.saturating_sub(base), expr);
        probe.call = expr.and_then(|id| Some(self.body(at)?.exprs.get(id.0 as usize)?.span));
        let probe = Rc::new(RefCell::new(probe));
        match at.and_then(|at| cell_items(self.db, self.cell).get(at)) {
            Some(item) => {
                for path in function_paths(item.tree(self.db)) {
                    probe_function(self.db, *item, path, &probe);
                    if probe.borrow().around.is_some() {
                        break;
                    }
                }
            }
            None => {
                let body = &parsed.cell.body;
                for (at, step) in body.order.iter().enumerate() {
                    let Step::Stmt(id) = step else { continue };
                    if self.reaches(body.body[*id].span) {
                        probe_step(self.db, self.cell, u32::try_from(at).unwrap_or(0), &probe);
                    }
                }
            }
        }
        probe.take()
    }
}
