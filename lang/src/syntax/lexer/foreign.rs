//! Characters that begin no token: look-alikes from word processors, quotes of other languages, pasted escapes.
//!
//! Where it is clear what is meant it is taken as that, after a report, so that one mistake gives one report.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::Literal;
use crate::syntax::lexer::{Lexer, Value, offset};
use crate::syntax::token::TokenKind as T;

impl Lexer<'_> {
    pub(super) fn pasted_escape(&mut self, start: usize) {
        let span = Span::new(offset(start), offset(self.position()));
        let meant = unpaste(span.text(self.source));
        let message = format!("a pasted JSON escape; `{meant}` is meant");
        self.report(Diagnostic::new(codes::E0003, span, message).fix("replace it", span, meant));
    }

    /// Characters that begin no token. Neighbours are reported together.
    pub(super) fn unknown(&mut self, start: usize) {
        let span = Span::new(offset(start), offset(self.position()));
        let slice = span.text(self.source);
        if self.foreign_quotes(start) {
            return;
        }
        let last = self.out.tokens.last();
        let joined =
            last.is_some_and(|last| last.kind == T::Unknown && last.span.end == span.start);
        let like = LOOK_ALIKES.iter().find(|(like, _, _)| slice.starts_with(*like));
        let kind = like.map_or(T::Unknown, |(_, _, kind)| *kind);
        if kind == T::Comment {
            // A comment of another language: to the end of the line.
            let line = self.logos.remainder().split('\n').next().map_or(0, str::len);
            self.logos.bump(line);
        }
        self.push(kind, start);
        if slice.starts_with('$') {
            self.report(
                Diagnostic::new(codes::E0009, span, "`$` outside text must be followed by a digit")
                    .note("an amount of money is `$0.10`; `$name` only stands in text"),
            );
        } else if !joined {
            self.report(unknown_character(slice, span));
        }
    }

    /// `'text'` and typographic quotes, closed on the same line: taken as the text they are meant to be.
    pub(super) fn foreign_quotes(&mut self, start: usize) -> bool {
        let rest = self.source.get(start..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("");
        let Some(open) = line.chars().next() else { return false };
        let Some((_, close)) = QUOTES.iter().find(|(quote, _)| *quote == open) else {
            return false;
        };
        let inner = line.get(open.len_utf8()..).unwrap_or("");
        let found = inner.char_indices().find(|(_, c)| close.contains(c));
        let Some((len, closing)) = found else { return false };
        let end = start + open.len_utf8() + len + closing.len_utf8();
        self.logos.bump(end.saturating_sub(self.position()));
        let span = Span::new(offset(start), offset(self.position()));
        let text = inner.get(..len).unwrap_or("");
        let meant = format!("\"{text}\"");
        let message = "texts stand between `\"` quotes";
        self.report(Diagnostic::new(codes::E0001, span, message).fix("use `\"`", span, meant));
        self.push_value(T::Text, start, Value::Literal(Literal::Text(Arc::from(text))));
        true
    }
}

/// The symbol that JSON escapes stand for.
fn unpaste(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    lower.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
}

/// Quotes of other languages and of word processors, with what closes them.
const QUOTES: &[(char, &[char])] = &[
    ('\'', &['\'']),
    ('`', &['`']),
    ('“', &['”', '“']),
    ('„', &['“', '”']),
    ('‘', &['’', '‘']),
    ('«', &['»']),
];

/// Look-alikes and signs of other languages, with what is written here and the token they are taken as.
const LOOK_ALIKES: &[(char, &str, T)] = &[
    ('“', "\"", T::Unknown),
    ('”', "\"", T::Unknown),
    ('„', "\"", T::Unknown),
    ('«', "\"", T::Unknown),
    ('»', "\"", T::Unknown),
    ('‘', "\"", T::Unknown),
    ('’', "\"", T::Unknown),
    ('\'', "\"", T::Unknown),
    ('`', "\"", T::Unknown),
    ('–', "-", T::Minus),
    ('—', "-", T::Minus),
    ('−', "-", T::Minus),
    ('×', "*", T::Star),
    ('÷', "/", T::Slash),
    ('≤', "<=", T::Le),
    ('≥', ">=", T::Ge),
    ('≠', "!=", T::BangEq),
    ('→', "->", T::Arrow),
    ('⇒', "=>", T::FatArrow),
    ('∧', "&&", T::AndAnd),
    ('∨', "||", T::OrOr),
    ('¬', "!", T::Bang),
    ('…', "..", T::DotDot),
    ('&', "&&", T::AndAnd),
    ('#', "//", T::Comment),
    ('\u{a0}', " ", T::Unknown),
];

fn unknown_character(slice: &str, span: Span) -> Diagnostic {
    let c = slice.chars().next().unwrap_or(' ');
    let shown = if c.is_control() || c.is_whitespace() {
        format!("U+{:04X}", u32::from(c))
    } else {
        format!("`{c}`")
    };
    let diagnostic = Diagnostic::new(codes::E0001, span, format!("{shown} begins no token"));
    match LOOK_ALIKES.iter().find(|(like, _, _)| *like == c) {
        Some((_, meant, _)) => {
            let first = Span::new(span.start, span.start + offset(c.len_utf8()));
            diagnostic.fix(format!("write `{meant}`"), first, *meant)
        }
        None => diagnostic,
    }
}
