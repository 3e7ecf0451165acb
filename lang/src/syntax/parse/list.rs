//! Regions and lists: entering a bracket, its elements with separators between them, and how to go on after a mistake.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::brackets;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

/// A region that was entered.
pub(super) struct Scope {
    end: usize,
    closed: bool,
    outer_limit: usize,
    outer_head: bool,
    outer_muted: bool,
}

impl Parser<'_> {
    /// Enter the region of the bracket at the position.
    pub(super) fn enter(&mut self) -> Scope {
        let region = self.regions.get(self.pos);
        let end = (region.end as usize).min(self.limit);
        let scope = Scope {
            end,
            closed: region.closed && region.end as usize == end,
            outer_limit: self.limit,
            outer_head: self.in_head,
            outer_muted: self.muted,
        };
        // What is wrong inside a `(` that was never closed follows from that, which is said already.
        self.muted |= !region.closed && !self.at(T::LBrace);
        self.bump();
        self.limit = end.max(self.pos);
        self.in_head = false;
        scope
    }

    /// Leave a region; what is left in it is reported, once.
    pub(super) fn leave(&mut self, scope: Scope) {
        if self.pos < scope.end {
            self.expected("the closing bracket");
        }
        // What is missing inside a region that was never closed is already said by E0102.
        if !scope.closed {
            self.reported = scope.end;
        }
        self.pos = self.pos.max(scope.end);
        self.limit = scope.outer_limit;
        self.in_head = scope.outer_head;
        self.muted = scope.outer_muted;
        if scope.closed {
            self.bump();
        }
    }

    /// `List(x)` up to the end of the region: elements with separators between them, at least one token each.
    pub(super) fn list(&mut self, what: &str, mut element: impl FnMut(&mut Self)) {
        self.no_separator(what);
        loop {
            while self.peek().separates() {
                self.bump();
            }
            if self.at(T::End) {
                return;
            }
            let before = self.pos;
            element(self);
            self.after_element(what, before);
        }
    }

    /// A separator follows an element; none stands before the first.
    pub(super) fn no_separator(&mut self, what: &str) {
        if matches!(self.peek(), T::Comma | T::Semi) {
            self.expected(what);
        }
    }

    /// After an element that began at `before`: a separator, the end, or a report and the way to go on.
    pub(super) fn after_element(&mut self, what: &str, before: usize) {
        if self.peek().separates() || self.at(T::End) || (self.at_line_start() && self.pos > before)
        {
            return;
        }
        if self.pos == before {
            self.expected(what);
            self.bump_over();
            return self.skip_to_separator();
        }
        if self.member_follows() {
            return;
        }
        if self.starts_operand() && self.reported != self.pos && self.hint().is_none() {
            let at = Span::at(self.previous_end());
            let message = format!("{} and {} need a separator between them", what, self.found());
            self.report(Diagnostic::new(codes::E0107, self.here(), message).fix(
                "insert `,`",
                at,
                ",",
            ));
            return;
        }
        self.expected("a separator or the closing bracket");
        self.skip_to_separator();
    }

    /// Skip one token, or a whole bracket.
    pub(super) fn bump_over(&mut self) {
        let region = self.regions.get(self.pos);
        if region.end == u32::MAX {
            return self.bump();
        }
        let end = region.end as usize + usize::from(region.closed);
        self.pos = end.min(self.limit).max(self.pos + 1);
    }

    /// Skip to the next separator outside inner brackets, or to a line that begins a statement.
    pub(super) fn skip_to_separator(&mut self) {
        while !self.at(T::End) && !self.peek().separates() && !self.at(T::Command) {
            if self.at_line_start() && brackets::only_starts_statement(self.peek()) {
                return;
            }
            self.bump_over();
        }
    }

    /// A block may begin here: `{`, perhaps on the next line (L-4).
    pub(super) fn at_block(&self) -> bool {
        self.at(T::LBrace) || (self.at(T::Sep) && self.nth(1) == T::LBrace)
    }

    /// Whether the current token can begin an operand: then a separator is what is missing before it.
    pub(super) fn starts_operand(&self) -> bool {
        matches!(
            self.peek(),
            T::Name
                | T::Number
                | T::Money
                | T::Text
                | T::TemplateStart
                | T::True
                | T::False
                | T::At
                | T::If
                | T::Match
                | T::Let
                | T::Var
                | T::Return
                | T::For
                | T::While
                | T::Await
                | T::Try
                | T::Require
                | T::Assert
                | T::Break
                | T::Continue
                | T::Loop
                | T::Function
        )
    }
}
