//! Text to tokens: logos for the fixed ones, and around it what needs more than a regular expression.
//!
//! That is nested comments, numbers after a dot, names outside ASCII, text with holes (the lexer recurses), and session
//! command lines. Comments and line breaks are kept as tokens; only blanks lie between tokens. It reports and goes on, always.

pub mod command;
pub mod number;
pub mod prefix;
pub mod text;

use std::sync::Arc;

use logos::Logos;

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::Literal;
use crate::syntax::item::Command;
use crate::syntax::lexer::number::{Number, Scanned};
use crate::syntax::lexer::text::{Decoding, Piece, Stop};
use crate::syntax::token::{Token, TokenKind as T};

/// What kind of source is read: session commands exist only in cells (L-5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SourceKind {
    Cell,
    File,
}

/// What a token stands for, where its kind does not say it.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Literal(Literal),
    /// 9223372036854775808: an Int only after a minus.
    MinInt,
    /// Decoded characters of a template, or a line of a doc comment.
    Text(Arc<str>),
    Command(Command),
}

/// All tokens of a source, trivia included, with their values and what was wrong.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lexed {
    pub tokens: Vec<Token>,
    pub values: Vec<Value>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Read a whole source.
pub fn lex(source: &str, kind: SourceKind) -> Lexed {
    let mut lexer = Lexer {
        source,
        logos: T::lexer(source),
        out: Lexed::default(),
        opens: Vec::new(),
        kind,
        line_start: true,
    };
    while lexer.step() {}
    lexer.close_holes(0, false);
    lexer.out
}

/// A bracket that is open.
enum Open {
    Paren,
    Bracket,
    Brace,
    /// `${` of a text that goes on after the hole.
    Hole(OpenText),
}

/// A text with holes that is being read.
struct OpenText {
    triple: bool,
    start: u32,
    /// Tokens of its pieces of text, with their raw spans; decoded when the end is known.
    parts: Vec<(usize, Span)>,
}

struct Lexer<'a> {
    source: &'a str,
    logos: logos::Lexer<'a, T>,
    out: Lexed,
    opens: Vec<Open>,
    kind: SourceKind,
    line_start: bool,
}

const NO_VALUE: u32 = u32::MAX;

fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl<'a> Lexer<'a> {
    fn position(&self) -> usize {
        self.logos.span().end
    }

    /// One token or run of blanks. False at the end.
    fn step(&mut self) -> bool {
        let rest = self.logos.remainder();
        let Some(c) = rest.chars().next() else { return false };
        let start = self.position();
        if self.opens.is_empty() && self.at_first_column(start) && command::starts(rest) {
            self.command(rest, start);
        } else if matches!(c, ' ' | '\t' | '\r' | '\u{feff}') {
            self.logos.bump(c.len_utf8());
        } else if !c.is_ascii() {
            self.logos.bump(c.len_utf8());
            self.beyond_ascii(c, start);
        } else {
            self.ascii(start);
        }
        true
    }

    fn at_first_column(&self, at: usize) -> bool {
        let before = self.source.get(..at).unwrap_or("");
        before.is_empty() || before.ends_with('\n') || before == "\u{feff}"
    }

    fn push(&mut self, kind: T, start: usize) {
        self.push_span(kind, Span::new(offset(start), offset(self.position())), NO_VALUE);
    }

    fn push_span(&mut self, kind: T, span: Span, value: u32) {
        let line_start = std::mem::replace(&mut self.line_start, false) && kind != T::Newline;
        self.out.tokens.push(Token { kind, span, value, line_start });
    }

    fn push_value(&mut self, kind: T, start: usize, value: Value) {
        let index = offset(self.out.values.len());
        self.out.values.push(value);
        self.push_span(kind, Span::new(offset(start), offset(self.position())), index);
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }

    fn ascii(&mut self, start: usize) {
        let kind = match self.logos.next() {
            Some(Ok(kind)) => kind,
            Some(Err(())) => return self.unknown(start),
            None => return,
        };
        match kind {
            T::Newline => {
                self.close_holes_of_line();
                self.push(kind, start);
                self.line_start = true;
            }
            T::Comment => self.comment(start),
            T::BlockComment => self.block_comment(start),
            T::Number => self.number(start),
            T::Money => {
                let scanned = number::money(self.source.get(start..).unwrap_or(""));
                self.scanned(T::Money, start, scanned, Literal::Money(0));
            }
            T::Text | T::TripleText => self.text(start, kind == T::TripleText),
            T::LParen | T::LBracket | T::LBrace => self.open(kind, start),
            T::RParen | T::RBracket | T::RBrace => self.close(kind, start),
            _ => self.name_or_symbol(kind, start),
        }
    }

    fn name_or_symbol(&mut self, kind: T, start: usize) {
        let is_word = kind == T::Name || kind.is_keyword();
        if is_word && self.extend_name() {
            return self.push(T::Name, start);
        }
        if self.logos.slice().contains("\\u00") {
            self.pasted_escape(start);
        }
        if kind != T::PastedAmp {
            self.push(kind, start);
        }
    }

    /// Take in the characters of a name beyond ASCII; true if there are any.
    fn extend_name(&mut self) -> bool {
        let rest = self.logos.remainder();
        if rest.bytes().next().is_none_or(|byte| byte.is_ascii()) {
            return false;
        }
        let name = rest.chars().take_while(|c| unicode_ident::is_xid_continue(*c));
        let len: usize = name.map(char::len_utf8).sum();
        self.logos.bump(len);
        len > 0
    }

    fn beyond_ascii(&mut self, c: char, start: usize) {
        if unicode_ident::is_xid_start(c) {
            self.continue_name();
            self.push(T::Name, start);
        } else {
            self.unknown(start);
        }
    }

    fn continue_name(&mut self) {
        let name =
            self.logos.remainder().chars().take_while(|c| unicode_ident::is_xid_continue(*c));
        let len = name.map(char::len_utf8).sum();
        self.logos.bump(len);
    }

    fn pasted_escape(&mut self, start: usize) {
        let span = Span::new(offset(start), offset(self.position()));
        let meant = unpaste(span.text(self.source));
        let message = format!("a pasted JSON escape; `{meant}` is meant");
        self.report(Diagnostic::new(codes::E0003, span, message).fix("replace it", span, meant));
    }

    /// Characters that begin no token. Neighbours are reported together.
    fn unknown(&mut self, start: usize) {
        let span = Span::new(offset(start), offset(self.position()));
        let slice = span.text(self.source);
        if self.foreign_quotes(start) {
            return;
        }
        let last = self.out.tokens.last();
        let joined =
            last.is_some_and(|last| last.kind == T::Unknown && last.span.end == span.start);
        self.push(T::Unknown, start);
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
    fn foreign_quotes(&mut self, start: usize) -> bool {
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

    fn comment(&mut self, start: usize) {
        let text = self.logos.slice().trim_end_matches('\r');
        match text.strip_prefix("///").filter(|rest| !rest.starts_with('/')) {
            Some(line) => {
                let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
                self.push_value(T::DocComment, start, Value::Text(Arc::from(line)));
            }
            None => self.push(T::Comment, start),
        }
    }

    fn block_comment(&mut self, start: usize) {
        let rest = self.logos.remainder();
        let (mut depth, mut at) = (1_usize, 0);
        while depth > 0 {
            let Some(tail) = rest.get(at..) else { break };
            match (tail.find("/*"), tail.find("*/")) {
                (Some(open), Some(close)) if open < close => {
                    (depth, at) = (depth + 1, at + open + 2)
                }
                (_, Some(close)) => (depth, at) = (depth - 1, at + close + 2),
                (_, None) => {
                    at = rest.len();
                    break;
                }
            }
        }
        self.logos.bump(at);
        if depth > 0 {
            let span = Span::new(offset(start), offset(start + 2));
            self.report(
                Diagnostic::new(codes::E0004, span, "this comment is not closed")
                    .note("`/*` comments nest: each needs its own `*/`"),
            );
        }
        self.push(T::BlockComment, start);
    }

    fn number(&mut self, start: usize) {
        let text = self.source.get(start..).unwrap_or("");
        let after_dot = self.out.tokens.last().is_some_and(|last| last.kind == T::Dot);
        let scanned = if after_dot { number::tuple_index(text) } else { number::number(text) };
        self.scanned(T::Number, start, scanned, Literal::Int { value: 0, decimal: true });
    }

    fn scanned(&mut self, kind: T, start: usize, scanned: Scanned, instead: Literal) {
        let taken = self.logos.slice().len();
        self.logos.bump(scanned.len.saturating_sub(taken));
        self.extend_name();
        let value = match scanned.value {
            Ok(Number::Literal(literal)) => Value::Literal(literal),
            Ok(Number::MinInt) => Value::MinInt,
            Err(mistake) => {
                let span = Span::new(offset(start), offset(self.position()));
                self.report(Diagnostic::new(mistake.code, span, mistake.message));
                Value::Literal(instead)
            }
        };
        self.push_value(kind, start, value);
    }

    fn command(&mut self, rest: &str, start: usize) {
        let line = rest.split('\n').next().unwrap_or("").trim_end();
        self.logos.bump(line.len());
        let command = command::parse(line, offset(start));
        if self.kind == SourceKind::Cell {
            return self.push_value(T::Command, start, Value::Command(command));
        }
        let message = "session commands stand in cells and the terminal, not in files";
        self.report(Diagnostic::new(codes::E0108, command.span, message));
        self.push(T::Comment, start);
    }

    fn open(&mut self, kind: T, start: usize) {
        self.push(kind, start);
        self.opens.push(match kind {
            T::LParen => Open::Paren,
            T::LBracket => Open::Bracket,
            _ => Open::Brace,
        });
    }

    fn close(&mut self, kind: T, start: usize) {
        let fits = |open: &Open| {
            let (opens, closes) = match open {
                Open::Paren => (T::RParen, kind),
                Open::Bracket => (T::RBracket, kind),
                Open::Brace | Open::Hole(_) => (T::RBrace, kind),
            };
            opens == closes
        };
        // A `)` cannot close something outside the hole it stands in.
        let barrier = |open: &Open| matches!(open, Open::Hole(_)) && kind != T::RBrace;
        let found = self.opens.iter().rposition(|open| fits(open) || barrier(open));
        let partner = found.filter(|at| self.opens.get(*at).is_some_and(fits));
        let Some(at) = partner else { return self.push(kind, start) };
        self.opens.truncate(at + 1);
        match self.opens.pop() {
            Some(Open::Hole(text)) => {
                self.push(T::HoleEnd, start);
                self.segment(text);
            }
            _ => self.push(kind, start),
        }
    }

    fn text(&mut self, start: usize, triple: bool) {
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

    fn unterminated(&mut self, start: u32, triple: bool) {
        let quotes = if triple { "\"\"\"" } else { "\"" };
        let span = Span::new(start, start + offset(quotes.len()));
        let end = Span::at(offset(self.position()));
        let mut diagnostic = Diagnostic::new(codes::E0002, span, "this text is not closed")
            .saying("begins here")
            .fix(format!("close it with `{quotes}`"), end, quotes);
        if !triple {
            diagnostic = diagnostic.note("text over several lines is written in `\"\"\"`");
        }
        self.report(diagnostic);
    }

    /// The pieces of a text with holes, up to its next `${` or its end.
    fn segment(&mut self, mut text: OpenText) {
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

    fn named_hole(&mut self, span: Span) {
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
    fn finish(&mut self, text: OpenText) {
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
    fn close_holes_of_line(&mut self) {
        let single = |open: &Open| matches!(open, Open::Hole(text) if !text.triple);
        if let Some(at) = self.opens.iter().position(single) {
            self.close_holes(at, true);
        }
    }

    /// Give up on all holes from `keep` upward, reporting the innermost.
    fn close_holes(&mut self, keep: usize, line: bool) {
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

/// Look-alikes and signs of other languages, with what is written here.
const LOOK_ALIKES: &[(char, &str)] = &[
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('\'', "\""),
    ('`', "\""),
    ('–', "-"),
    ('—', "-"),
    ('−', "-"),
    ('×', "*"),
    ('÷', "/"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('→', "->"),
    ('⇒', "=>"),
    ('∧', "&&"),
    ('∨', "||"),
    ('¬', "!"),
    ('…', ".."),
    ('&', "&&"),
    ('#', "//"),
    ('\u{a0}', " "),
];

fn unknown_character(slice: &str, span: Span) -> Diagnostic {
    let c = slice.chars().next().unwrap_or(' ');
    let shown = if c.is_control() || c.is_whitespace() {
        format!("U+{:04X}", u32::from(c))
    } else {
        format!("`{c}`")
    };
    let diagnostic = Diagnostic::new(codes::E0001, span, format!("{shown} begins no token"));
    match LOOK_ALIKES.iter().find(|(like, _)| *like == c) {
        Some((_, meant)) => {
            let first = Span::new(span.start, span.start + offset(c.len_utf8()));
            diagnostic.fix(format!("write `{meant}`"), first, *meant)
        }
        None => diagnostic,
    }
}
