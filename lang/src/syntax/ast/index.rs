//! `body[id]` for each kind of node: the one place where trees are indexed.
//!
//! Ids are only made by pushing into the same arena, which never shrinks; a foreign id is a bug of ours and may stop.
#![allow(clippy::indexing_slicing)]

use std::ops::Index;

use crate::syntax::ast::{Body, Expr, ExprId, Pat, PatId, Stmt, StmtId, TypeRef, TypeRefId};

impl Index<ExprId> for Body {
    type Output = Expr;
    fn index(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
}

impl Index<StmtId> for Body {
    type Output = Stmt;
    fn index(&self, id: StmtId) -> &Stmt {
        &self.stmts[id.0 as usize]
    }
}

impl Index<PatId> for Body {
    type Output = Pat;
    fn index(&self, id: PatId) -> &Pat {
        &self.pats[id.0 as usize]
    }
}

impl Index<TypeRefId> for Body {
    type Output = TypeRef;
    fn index(&self, id: TypeRefId) -> &TypeRef {
        &self.types[id.0 as usize]
    }
}
