//! Text to tokens: logos for the fixed ones, and around it what needs more than a regular expression.
//!
//! That is nested comments, numbers after a dot, names outside ASCII, text with holes (the lexer recurses), and session
//! command lines. Comments and line breaks are kept as tokens; only blanks lie between tokens. It reports and goes on, always.

pub mod command;
pub mod foreign;
pub mod number;
pub mod prefix;
pub mod template;
pub mod text;

use std::sync::Arc;

use logos::Logos;

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::Literal;
use crate::syntax::item::Command;
use crate::syntax::lexer::number::{Number, Scanned};
use crate::syntax::lexer::template::OpenText;
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
        first_line_hole: None,
        kind,
        line_start: true,
    };
    while lexer.step() {
        if lexer.out.tokens.len() > MAX_TOKENS {
            return too_long(lexer.position());
        }
    }
    lexer.close_holes(0, false);
    lexer.out
}

/// Tokens of one cell or file. A hundred thousand statements are fewer, a megabyte of code is; what is more is data, and
/// data in code costs about a kilobyte for each number.
const MAX_TOKENS: usize = 500_000;

/// Nothing of it is read: a half would declare and run what nobody wrote.
fn too_long(end: usize) -> Lexed {
    let message =
        "this is longer than 500,000 words, numbers and signs, and nothing of it was read";
    let report = Diagnostic::new(codes::E0011, Span::new(0, offset(end)), message).note(
        "keep data in a file and read it with `read_text` and `parse_json`, or divide the code",
    );
    Lexed { diagnostics: vec![report], ..Lexed::default() }
}

/// A bracket that is open.
enum Open {
    Paren,
    Bracket,
    Brace,
    /// `${` of a text that goes on after the hole.
    Hole(OpenText),
}

struct Lexer<'a> {
    source: &'a str,
    logos: logos::Lexer<'a, T>,
    out: Lexed,
    opens: Vec<Open>,
    first_line_hole: Option<usize>,
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
        crate::stop::look();
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
}
