//! Which bracket closes which: found before parsing, so that a missing one spoils only its own region.
//!
//! Every opening bracket gets a region. The parser never leaves a region before its end, so one broken item or argument
//! list cannot swallow what follows. If braces do not match up, a second pass believes the indentation.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::separators::Stream;
use crate::syntax::token::{Token, TokenKind as T};
use crate::syntax::words;

/// What an opening bracket encloses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Index of the closing bracket, or of the first token outside where that is missing.
    pub end: u32,
    pub closed: bool,
}

const NONE: Region = Region { end: u32::MAX, closed: false };

/// Regions by the index of the token that opens them.
#[derive(Debug, Default)]
pub struct Regions(Vec<Region>);

impl Regions {
    pub fn get(&self, open: usize) -> Region {
        self.0.get(open).copied().unwrap_or(NONE)
    }
}

/// Match the brackets of a stream, taking out closing ones that close nothing.
pub fn match_brackets(stream: &mut Stream, source: &str, out: &mut Vec<Diagnostic>) -> Regions {
    let mut found = Matcher::run(&stream.tokens, source, false);
    if found.braces_broken {
        found = Matcher::run(&stream.tokens, source, true);
    }
    let mut reports = std::mem::take(&mut found.reports);
    let mut regions = std::mem::take(&mut found.regions);
    let (strays, by_indent) = (found.strays, found.by_indent);
    if !strays.is_empty() {
        stream.remove(&strays);
        regions = Matcher::run(&stream.tokens, source, by_indent).regions;
    }
    out.append(&mut reports);
    Regions(regions)
}

struct Opened {
    index: usize,
    kind: T,
    /// Column at which the line begins that it stands on.
    indent: u32,
    line: u32,
}

struct Matcher<'a> {
    tokens: &'a [Token],
    source: &'a str,
    by_indent: bool,
    stack: Vec<Opened>,
    regions: Vec<Region>,
    strays: Vec<usize>,
    reports: Vec<Diagnostic>,
    braces_broken: bool,
}

impl<'a> Matcher<'a> {
    fn run(tokens: &'a [Token], source: &'a str, by_indent: bool) -> Matcher<'a> {
        let mut matcher = Matcher {
            tokens,
            source,
            by_indent,
            stack: Vec::new(),
            regions: vec![NONE; tokens.len()],
            strays: Vec::new(),
            reports: Vec::new(),
            braces_broken: false,
        };
        let (mut indent, mut line) = (0, 0);
        for (index, token) in tokens.iter().enumerate() {
            if token.line_start {
                (indent, line) = (column(source, token.span.start), line + 1);
                matcher.line_starts(index, token.kind, indent);
            }
            match token.kind {
                T::LParen | T::LBracket | T::LBrace | T::HoleStart => {
                    matcher.stack.push(Opened { index, kind: token.kind, indent, line });
                }
                T::RParen | T::RBracket | T::RBrace | T::HoleEnd => {
                    let column = (token.line_start && by_indent).then_some(indent);
                    matcher.close(index, token.kind, column, line);
                }
                T::End => matcher.give_up(0, index),
                _ => {}
            }
        }
        matcher
    }

    /// What begins at a line's start may show that brackets were left open.
    fn line_starts(&mut self, index: usize, kind: T, indent: u32) {
        let declares = self.starts_declaration(index);
        if only_starts_statement(kind) || declares {
            let keep = |open: &Opened| matches!(open.kind, T::LBrace | T::HoleStart);
            let from = self.stack.iter().rposition(keep).map_or(0, |at| at + 1);
            self.give_up(from, index);
        }
        if self.by_indent && (only_starts_statement(kind) || declares) {
            let outer = |open: &Opened| open.indent < indent || open.kind == T::HoleStart;
            let from = self.stack.iter().rposition(outer).map_or(0, |at| at + 1);
            self.give_up(from, index);
        }
    }

    /// An item or member begins here.
    fn starts_declaration(&self, index: usize) -> bool {
        let kind = |at: usize| self.tokens.get(at).map_or(T::End, |token| token.kind);
        let next = kind(index + 1);
        let word = self.tokens.get(index).map_or("", |token| token.span.text(self.source));
        let section = next == T::LBrace && words::SECTION.contains(&word);
        let named =
            next == T::Name && (words::ITEM.contains(&word) || words::BEHAVIOR.contains(&word));
        section || named || (word == "test" && next == T::Text)
    }

    fn close(&mut self, index: usize, kind: T, column: Option<u32>, line: u32) {
        let wanted = partner(kind);
        let fits = |open: &Opened| open.kind == wanted;
        // By indentation `}` closes the brace whose line begins where it stands, if there is one.
        let in_column = |column| move |open: &Opened| open.kind == wanted && column == open.indent;
        let found = column.and_then(|column| self.stack.iter().rposition(in_column(column)));
        let found = found.or_else(|| self.stack.iter().rposition(fits));
        let crosses = |open: &Opened| match (open.kind, kind) {
            (T::HoleStart, T::HoleEnd) | (_, T::HoleEnd) => false,
            (T::HoleStart, _) => true,
            (T::LBrace, T::RParen | T::RBracket) => open.line != line,
            _ => false,
        };
        let inner = |at: usize| self.stack.iter().skip(at + 1).any(crosses);
        let Some(at) = found.filter(|at| !inner(*at)) else {
            let span = self.tokens.get(index).map_or(Span::at(0), |token| token.span);
            self.braces_broken |= kind == T::RBrace;
            self.strays.push(index);
            let message = format!("{} closes nothing", kind.describe());
            self.reports.push(Diagnostic::new(codes::E0103, span, message).fix(
                "remove it",
                span,
                "",
            ));
            return;
        };
        self.give_up(at + 1, index);
        if let Some(open) = self.stack.pop() {
            self.set(open.index, Region { end: offset(index), closed: true });
        }
    }

    fn set(&mut self, open: usize, region: Region) {
        if let Some(slot) = self.regions.get_mut(open) {
            *slot = region;
        }
    }

    /// The brackets from `from` upward are never closed; they end before token `index`.
    fn give_up(&mut self, from: usize, index: usize) {
        let before_separator = index
            .checked_sub(1)
            .filter(|before| self.tokens.get(*before).is_some_and(|token| token.kind == T::Sep));
        while self.stack.len() > from {
            let Some(open) = self.stack.pop() else { return };
            let end = before_separator.filter(|end| *end > open.index).unwrap_or(index);
            self.set(open.index, Region { end: offset(end), closed: false });
            self.braces_broken |= open.kind == T::LBrace;
            self.unclosed(&open, end);
        }
    }

    fn unclosed(&mut self, open: &Opened, end: usize) {
        let Some(token) = self.tokens.get(open.index) else { return };
        let closing = match open.kind {
            T::LParen => ")",
            T::LBracket => "]",
            _ => "}",
        };
        let last = end.checked_sub(1).and_then(|last| self.tokens.get(last));
        let at = last.map_or(token.span.end, |last| last.span.end);
        let message = format!("this {} is not closed", open.kind.describe());
        self.reports.push(
            Diagnostic::new(codes::E0102, token.span, message)
                .saying("opened here")
                .label(Span::at(at), format!("`{closing}` expected at the latest here"))
                .fix(format!("insert `{closing}`"), Span::at(at), closing),
        );
    }
}

impl Stream {
    /// Take tokens out; `indices` is sorted.
    fn remove(&mut self, indices: &[usize]) {
        let removed_before = |index: usize| indices.partition_point(|removed| *removed < index);
        let docs = std::mem::take(&mut self.docs);
        self.docs = docs.into_iter().map(|(at, doc)| (at - removed_before(at), doc)).collect();
        let mut index = 0;
        self.tokens.retain(|_| {
            index += 1;
            indices.binary_search(&(index - 1)).is_err()
        });
    }
}

/// Tokens that begin a statement or item and never an element of a list.
pub fn only_starts_statement(kind: T) -> bool {
    matches!(
        kind,
        T::Let
            | T::Var
            | T::Return
            | T::For
            | T::While
            | T::Loop
            | T::Break
            | T::Continue
            | T::Require
            | T::Assert
            | T::Function
            | T::Struct
            | T::Enum
            | T::Import
    )
}

fn partner(kind: T) -> T {
    match kind {
        T::RParen => T::LParen,
        T::RBracket => T::LBracket,
        T::HoleEnd => T::HoleStart,
        _ => T::LBrace,
    }
}

fn offset(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The column of an offset, in bytes.
fn column(source: &str, at: u32) -> u32 {
    let before = source.get(..at as usize).unwrap_or("");
    offset(before.len() - before.rfind('\n').map_or(0, |newline| newline + 1))
}

#[cfg(test)]
mod tests {
    use super::match_brackets;
    use crate::syntax::lexer::{SourceKind, lex};
    use crate::syntax::separators::separate;

    fn codes(source: &str) -> Vec<(String, u32)> {
        let mut stream = separate(&lex(source, SourceKind::Cell), source.len());
        let mut out = Vec::new();
        match_brackets(&mut stream, source, &mut out);
        out.iter().map(|d| (d.code.to_string(), d.primary.span.start)).collect()
    }

    fn code(code: &str, at: u32) -> (String, u32) {
        (code.to_owned(), at)
    }

    #[test]
    fn the_bracket_at_fault_is_named() {
        assert_eq!(codes("f(a, [b], {c})"), []);
        assert_eq!(codes("{ f(a }"), [code("E0102", 3)]);
        assert_eq!(codes("f(a))"), [code("E0103", 4)]);
        assert_eq!(codes("f(1\nlet x := 2"), [code("E0102", 1)]);
        assert_eq!(codes("{ ( \n}"), [code("E0102", 2)]);
    }

    #[test]
    fn indentation_finds_the_missing_brace() {
        let source = "function f() {\n  if a {\n    b\n}\nfunction g() {\n}\n";
        assert_eq!(codes(source), [code("E0102", 22)]);
        let source = "agent A {\n  behavior b() {\n    x()\n  behavior c() {\n  }\n}\n";
        assert_eq!(codes(source), [code("E0102", 25)]);
    }
}
