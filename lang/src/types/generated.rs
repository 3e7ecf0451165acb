//! Generated code (`@eval`): a text as one function of the values that it is given.
//!
//! Never: sees a name of the session; it stands alone in a workspace with the prelude.

use std::sync::Arc;

use crate::db::{CellInput, Db};
use crate::hir::{Conversion, ExprKind};
use crate::names::cell::parse_cell;
use crate::source::Span;
use crate::syntax::ast::StmtKind;
use crate::types::infer::contract::block;
use crate::types::infer::finish::Checked;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::stmt::expr_stmt;
use crate::types::infer::{Expect, Infer, expr};
use crate::types::ty::{Name, Ty};

/// What the function is called.
pub const KEY: &str = "generated code";

/// The statements, with `names` as parameters; the last expression, if it has a value, is the result.
pub fn infer_generated(db: &dyn Db, cell: CellInput, names: &[Name]) -> Checked {
    let parsed = &parse_cell(db, cell).cell.body;
    let mut infer = Infer::new(db, false, &parsed.body);
    infer.open(FrameKind::Lambda, Arc::from(KEY), Ty::Dyn);
    let span = Span::default();
    for name in names {
        infer.declare(name, Ty::Dyn, false, span);
    }
    infer.frame().params = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let all: Vec<_> = parsed.stmts().collect();
    let mut stmts = Vec::new();
    let mut value = None;
    for (at, id) in all.iter().enumerate() {
        let is_last = at + 1 == all.len() && !parsed.suppressed;
        match &parsed.body[*id].kind {
            StmtKind::Expr(last) if is_last && infer.statement_form(*last).is_none() => {
                let shown = infer.expr(*last, &Expect::Nothing);
                match infer.shallow(&shown.ty) {
                    Ty::Unit | Ty::Never => stmts.push(expr_stmt(shown)),
                    _ => value = Some(infer.coerce(shown, &Ty::Dyn)),
                }
            }
            _ => infer.statement(*id, &mut stmts),
        }
    }
    let value = value.unwrap_or_else(|| {
        let unit = Box::new(expr(ExprKind::Unit, Ty::Unit, span));
        expr(ExprKind::Convert(Conversion::ToDyn, unit), Ty::Dyn, span)
    });
    infer.finish(block(stmts, Some(value), Ty::Dyn, span), span)
}
