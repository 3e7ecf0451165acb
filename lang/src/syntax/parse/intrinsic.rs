//! `@` forms in expressions, and the reports about `@` names everywhere.

use crate::diag::{Diagnostic, codes, nearest};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, Intrinsic, IntrinsicKind};
use crate::syntax::intrinsics::{self, Row};
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

impl Parser<'_> {
    /// `@name(..)`, `@name(..) { }`
    pub(super) fn intrinsic(&mut self) -> ExprKind {
        let at = self.here();
        self.bump();
        // `await` is reserved and an intrinsic.
        let name = match intrinsics::lookup(self.nth_text(0)) {
            Some(_) => self.take_ident(),
            None => self.ident("the name of an intrinsic"),
        };
        let row = intrinsics::lookup(name.name.as_str());
        let span = name.span.shifted(self.base);
        if row.is_none() && !name.name.is_missing() {
            self.unknown_intrinsic(name.name.as_str(), at.to(span));
        }
        let kind = row.map_or(IntrinsicKind::Call, |row| row.kind);
        let in_place = matches!(kind, IntrinsicKind::Call | IntrinsicKind::Block);
        if let (Some(row), false) = (row, in_place) {
            self.misplaced(row, at.to(span));
        }
        let args = if self.at(T::LParen) { self.args() } else { Vec::new() };
        let called = self.previous_end() > span.end;
        if kind == IntrinsicKind::Call && row.is_some() && !called {
            let message = format!("`@{}` is called with arguments", name.name);
            self.report(
                Diagnostic::new(codes::E0101, at.to(span), message).saying("expected `(`").fix(
                    "add `()`",
                    Span::at(span.end),
                    "()",
                ),
            );
        }
        let with_block = match row {
            Some(_) => kind == IntrinsicKind::Block,
            None => self.at(T::LBrace) && !self.in_head,
        };
        let missing = kind == IntrinsicKind::Block && !self.at_block();
        if missing {
            let message = format!("`@{}` needs a block in `{{ }}`", name.name);
            self.report(Diagnostic::new(codes::E0106, at.to(span), message));
        }
        let block = (with_block && !missing).then(|| self.block());
        let kind = if block.is_some() { IntrinsicKind::Block } else { kind };
        ExprKind::Intrinsic(Intrinsic { name, kind, args, block })
    }

    pub(super) fn unknown_intrinsic(&mut self, name: &str, span: Span) {
        let found = nearest(name, intrinsics::TABLE.iter().map(|row| row.name));
        let mut diagnostic = Diagnostic::new(codes::E0105, span, format!("there is no `@{name}`"));
        for near in found {
            diagnostic = diagnostic.fix(format!("write `@{near}`"), span, format!("@{near}"));
        }
        self.report(diagnostic);
    }

    /// A name of kind A, H or L where an expression is due, or A before what takes none.
    pub(super) fn misplaced(&mut self, row: Row, span: Span) {
        let (what, place) = match row.kind {
            IntrinsicKind::Attribute => {
                ("an attribute", "directly before an item, member or method")
            }
            IntrinsicKind::Hint => ("a hint", "as a statement of its own"),
            IntrinsicKind::Label => ("a statement", "as a statement of its own"),
            IntrinsicKind::Call | IntrinsicKind::Block => ("an expression", "in a statement"),
        };
        let message = format!("`@{}` is {what} and stands {place}", row.name);
        self.report(Diagnostic::new(codes::E0106, span, message));
    }
}
