//! Text literals while they are read: their pieces, the holes the lexer recurses into, and what is left open.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::Literal;
use crate::syntax::lexer::text::{self, Decoding, Piece, Stop};
use crate::syntax::lexer::{Lexer, NO_VALUE, Open, Value, offset};
use crate::syntax::token::TokenKind as T;

/// A text with holes that is being read.
pub(super) struct OpenText {
    triple: bool,
    start: u32,
    /// Tokens of its pieces of text, with their raw spans; decoded when the end is known.
    parts: Vec<(usize, Span)>,
}

impl Lexer<'_> {
    pub(super) fn text(&mut self, start: usize, triple: bool) {
        let found = text::segment(self.logos.remainder(), triple);
        let holes = found.pieces.iter().any(|piece| matches!(piece, Piece::Hole(_)));
        let text = OpenText { triple, start: offset(start), parts: Vec::new() };
        if holes || found.stop == Stop::HoleStart {
            self.push(T::TemplateStart, start);
            return self.segment(text);
        }
        let from = self.position();
        self.logos.bump(found.len);
        let raw = self.source.get(from..self.position()).unwrap_or("");
        let indent = if triple { text::closing_indent(raw) } else { "" };
        let how = Decoding { triple, indent, first: true };
        let value = text::decode(raw, offset(from), how, &mut self.out.diagnostics);
        match found.stop {
            Stop::Quotes => self.logos.bump(if triple { 3 } else { 1 }),
            _ => self.unterminated(text.start, triple),
        }
        self.push_value(T::Text, start, Value::Literal(Literal::Text(Arc::from(value))));
    }

    pub(super) fn unterminated(&mut self, start: u32, triple: bool) {
        let quotes = if triple { "\"\"\"" } else { "\"" };
        let span = Span::new(start, start + offset(quotes.len()));
        let end = Span::at(offset(self.position()));
        let mut diagnostic = Diagnostic::new(codes::E0002, span, "this text is not closed")
            .saying("begins here")
            .fix(format!("close it with `{quotes}`"), end, quotes);
        if !triple {
            diagnostic = diagnostic.note("a text of several lines stands between `\"\"\"` and `\"\"\"`; `\\n` is a line break in a text of one line");
        }
        self.report(diagnostic);
    }

    /// The pieces of a text with holes, up to its next `${` or its end.
    pub(super) fn segment(&mut self, mut text: OpenText) {
        let from = self.position();
        let found = text::segment(self.logos.remainder(), text.triple);
        for piece in &found.pieces {
            match piece {
                Piece::Text(span) => {
                    let span = span.shifted(offset(from));
                    text.parts.push((self.out.tokens.len(), span));
                    self.push_span(T::TemplateText, span, NO_VALUE);
                }
                Piece::Hole(span) => self.named_hole(span.shifted(offset(from))),
            }
        }
        self.logos.bump(found.len);
        let start = self.position();
        match found.stop {
            Stop::HoleStart => {
                self.logos.bump(2);
                self.push(T::HoleStart, start);
                if !text.triple && self.line_hole().is_none() {
                    self.first_line_hole = Some(self.opens.len());
                }
                self.opens.push(Open::Hole(text));
            }
            Stop::Quotes => {
                self.logos.bump(if text.triple { 3 } else { 1 });
                self.push(T::TemplateEnd, start);
                self.finish(text);
            }
            Stop::Missing => {
                self.unterminated(text.start, text.triple);
                self.push(T::TemplateEnd, start);
                self.finish(text);
            }
        }
    }

    pub(super) fn named_hole(&mut self, span: Span) {
        self.push_span(T::HoleName, span, NO_VALUE);
        let rest = self.source.get(span.end as usize..).unwrap_or("");
        let Some(member) = rest.strip_prefix('.') else { return };
        let is_part = |c: &char| unicode_ident::is_xid_continue(*c);
        let len: usize = member.chars().take_while(is_part).map(char::len_utf8).sum();
        if !member.starts_with(text::is_name_start) {
            return;
        }
        let whole = Span::new(span.start, span.end + 1 + offset(len));
        let written = whole.text(self.source).trim_start_matches('$').to_owned();
        let name = span.text(self.source).to_owned();
        let message = format!(
            "this inserts `{name}` only, then the characters `.{}`",
            &written[name.len()..]
        );
        self.report(Diagnostic::new(codes::W0106, whole, message).fix(
            "insert the field",
            whole,
            format!("${{{written}}}"),
        ));
    }

    /// Decode the pieces, now that the indentation of the closing quotes is known.
    pub(super) fn finish(&mut self, text: OpenText) {
        let source = self.source;
        let last = text.parts.last().map_or("", |(_, span)| span.text(source));
        let indent = if text.triple { text::closing_indent(last) } else { "" };
        let opening = text.start + if text.triple { 3 } else { 1 };
        for (token, span) in text.parts {
            let how = Decoding { triple: text.triple, indent, first: span.start == opening };
            let value = text::decode(span.text(source), span.start, how, &mut self.out.diagnostics);
            let index = offset(self.out.values.len());
            self.out.values.push(Value::Text(Arc::from(value)));
            if let Some(token) = self.out.tokens.get_mut(token) {
                token.value = index;
            }
        }
    }

    /// At a line break: holes of `"` texts end here.
    pub(super) fn close_holes_of_line(&mut self) {
        if let Some(at) = self.line_hole() {
            self.close_holes(at, true);
        }
    }

    /// The outermost open hole of a `"` text. Remembered, because every line break asks; what was remembered may be closed.
    fn line_hole(&self) -> Option<usize> {
        let single = |open: &Open| matches!(open, Open::Hole(text) if !text.triple);
        self.first_line_hole.filter(|at| self.opens.get(*at).is_some_and(single))
    }

    /// Give up on all holes from `keep` upward, reporting the innermost.
    pub(super) fn close_holes(&mut self, keep: usize, line: bool) {
        let mut reported = false;
        while self.opens.len() > keep {
            let Some(Open::Hole(text)) = self.opens.pop() else { continue };
            // Before the line break, which is the token just read.
            let at = offset(if line { self.logos.span().start } else { self.position() });
            if !std::mem::replace(&mut reported, true) {
                let hole = self.out.tokens.iter().rev().find(|token| token.kind == T::HoleStart);
                let span = hole.map_or(Span::at(at), |token| token.span);
                let message = "this hole is not closed";
                self.report(Diagnostic::new(codes::E0010, span, message).fix(
                    "close it",
                    Span::at(at),
                    "}\"",
                ));
            }
            self.push_span(T::HoleEnd, Span::at(at), NO_VALUE);
            self.push_span(T::TemplateEnd, Span::at(at), NO_VALUE);
            self.finish(text);
        }
    }
}
