//! Texts in expressions: templates and their holes, and texts that must be plain.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{ExprId, ExprKind, Literal, TemplatePart};
use crate::syntax::lexer::Value;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

impl Parser<'_> {
    pub(super) fn template(&mut self) -> ExprKind {
        self.bump();
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                T::TemplateText => {
                    if let Some(Value::Text(text)) = self.value() {
                        parts.push(TemplatePart::Text(Arc::clone(text)));
                    }
                    self.bump();
                }
                T::HoleName => parts.push(TemplatePart::Hole(self.hole_name())),
                T::HoleStart => parts.push(TemplatePart::Hole(self.hole())),
                T::TemplateEnd => break self.bump(),
                _ => break,
            }
        }
        ExprKind::Template(parts)
    }

    pub(super) fn hole_name(&mut self) -> ExprId {
        let start = self.start() + 1;
        let text = self.nth_text(0).get(1..).unwrap_or("");
        let mut kind = logos::Lexer::<T>::new(text);
        if kind
            .next()
            .is_some_and(|kind| kind.is_ok_and(|kind| kind.is_keyword() && kind_covers(text, kind)))
        {
            let message = format!("`{text}` is a reserved word and cannot be a name");
            self.report(
                Diagnostic::new(codes::E0104, self.here(), message)
                    .note("write `\\$` for a dollar sign"),
            );
        }
        self.bump();
        let name = self.intern(text);
        self.add_expr(ExprKind::Name(name), self.since(start))
    }

    pub(super) fn hole(&mut self) -> ExprId {
        let here = self.here();
        let scope = self.enter();
        let unclosed = self.tokens.get(self.limit).is_some_and(|token| token.span.is_empty());
        if self.at(T::End) && unclosed {
            // The lexer said so.
            self.reported = self.pos;
        } else if self.at(T::End) {
            self.report(Diagnostic::new(codes::E0010, here, "nothing stands in this hole"));
        }
        let expr = self.expr();
        self.eat(T::Sep);
        self.leave(scope);
        expr
    }

    /// How far it is from here to behind the template that begins `n` tokens on.
    pub(super) fn after_template(&self, mut n: usize) -> usize {
        n += 1;
        while !matches!(self.nth(n), T::TemplateEnd | T::End) {
            let region = self.regions.get(self.pos + n);
            let end = (region.end as usize).saturating_sub(self.pos);
            n = if region.end == u32::MAX { n + 1 } else { end.max(n + 1) };
        }
        n + 1
    }

    pub(super) fn skip_template(&mut self) {
        let after = self.after_template(0);
        self.pos = (self.pos + after).min(self.limit);
    }

    /// A plain text literal; one with holes is reported and skipped.
    pub(super) fn text_literal(&mut self, place: &str) -> Arc<str> {
        if self.at(T::TemplateStart) {
            self.plain_text(place);
            return Arc::from("");
        }
        if self.at(T::Text)
            && let Some(Literal::Text(text)) = self.take_literal()
        {
            return text;
        }
        self.expected("a text");
        Arc::from("")
    }
}

/// The whole of `text` is the keyword.
fn kind_covers(text: &str, kind: T) -> bool {
    kind.describe().trim_matches('`') == text
}
