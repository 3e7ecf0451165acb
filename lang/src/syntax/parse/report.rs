//! How the parser says what is wrong: one report a place, with what was expected, what was found, and a hint.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::ExprKind;
use crate::syntax::parse::{Parser, closes};
use crate::syntax::token::{Token, TokenKind as T};
use crate::syntax::words;

impl Parser<'_> {
    /// Report, unless this place already has a report.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if std::mem::replace(&mut self.reported, self.pos) != self.pos && !self.muted {
            let at_end = self.token().is_none_or(|token| token.kind == T::End);
            self.ends_early |= at_end && !self.diagnostics.iter().any(Diagnostic::is_error);
            self.diagnostics.push(diagnostic);
        }
    }

    /// E0101 at the current token, or behind the line before if that is where something is missing.
    pub(super) fn expected(&mut self, what: &str) {
        let next_line = self.at_line_start() && self.pos > 0 && self.pos < self.limit;
        let found = if next_line { "the end of the line".to_owned() } else { self.found() };
        let here = if next_line { Span::at(self.previous_end()) } else { self.here() };
        let message = format!("expected {what}, found {found}");
        let mut diagnostic =
            Diagnostic::new(codes::E0101, here, message).saying(format!("expected {what}"));
        if let Some(hint) = self.hint() {
            diagnostic = diagnostic.note(hint);
        }
        if let Some((span, word)) = self.keyword_before() {
            diagnostic = diagnostic.fix(format!("write `{word}`"), span, word);
        }
        self.report(diagnostic);
    }

    /// The word before, if another language declares with it what a word of ours declares.
    fn keyword_before(&self) -> Option<(Span, &'static str)> {
        let before = self.pos.checked_sub(1).and_then(|at| self.tokens.get(at))?;
        let word = words::declaring(before.span.text(self.source))?;
        (before.kind == T::Name && self.at(T::Name)).then_some((before.span, word))
    }

    pub(super) fn found(&self) -> String {
        let kind = match self.peek() {
            T::End => match self.token() {
                Some(token) if closes(token.kind) => token.kind,
                Some(token) if token.kind != T::End => T::Sep,
                _ => return "the end of the text".to_owned(),
            },
            T::Name => return format!("`{}`", self.nth_text(0)),
            kind => kind,
        };
        kind.describe().to_owned()
    }

    /// What somebody used to another language may have meant here.
    pub(super) fn hint(&self) -> Option<&'static str> {
        let before = self.pos.checked_sub(1).and_then(|at| self.tokens.get(at))?;
        let word = |token: &Token| match token.kind {
            T::Name => words::foreign(token.span.text(self.source)),
            _ => None,
        };
        let here = if self.pos < self.limit { self.token() } else { None };
        if before.kind == T::Question {
            return Some("there is no `a ? b : c`; write `if a { b } else { c }`");
        }
        match (before.kind, self.peek()) {
            (T::Plus, T::Plus) => return Some("there is no `++`; write `+`, or `x += 1`"),
            (T::Star, T::Star) => return Some("there is no `**`; write `pow(a, b)`"),
            (_, T::Colon) if self.nth(1) == T::Colon => {
                return Some("there is no `::`; write `Foo.Bar`");
            }
            (T::Import, _) => {
                return Some(
                    "a file is imported by `import \"risk.ag\" as risk`, outside of functions",
                );
            }
            _ => {}
        }
        here.and_then(word).or_else(|| word(before)).or(match self.peek() {
            T::FatArrow => Some("put a lambda that is an operand in parentheses"),
            T::Command => Some("end the statement before the command line"),
            _ => None,
        })
    }

    pub(super) fn expect(&mut self, kind: T) -> bool {
        let found = self.eat(kind);
        if !found {
            self.expected(kind.describe());
        }
        found
    }

    pub(super) fn too_deep(&mut self, span: Span) -> ExprKind {
        let span = Span::at(span.end.saturating_add(self.base));
        let deep = self.diagnostics.iter().any(|diagnostic| diagnostic.code == codes::E0109);
        if !deep {
            let message = "this is nested more deeply than the parser follows";
            let note = "name a part of it with `let` and use the name";
            self.diagnostics.push(Diagnostic::new(codes::E0109, span, message).note(note));
        }
        ExprKind::Error
    }
}
