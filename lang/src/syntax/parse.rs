//! The parser: hand-written recursive descent over tokens, always giving a tree and every mistake it saw.
//!
//! This file is its machinery: tokens, spans, nodes, depth; regions are in `list`, reports in `report`, the grammar in the
//! other files beside it, in the order of LANGUAGE.md section 2. It never backtracks, never leaves a bracket's region, and bounds its depth.

pub mod agent;
pub mod braces;
pub mod cell;
pub mod contract;
pub mod expr;
pub mod intrinsic;
pub mod item;
pub mod list;
pub mod pattern;
pub mod primary;
pub mod report;
pub mod signature;
pub mod stmt;
pub mod text;
pub mod types;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::stop;
use crate::syntax::ast::{
    Body, Expr, ExprId, ExprKind, Ident, Name, Pat, PatId, PatKind, Stmt, StmtId, StmtKind,
    TypeKind, TypeRef, TypeRefId,
};
use crate::syntax::brackets::{self, Regions};
use crate::syntax::division;
use crate::syntax::habits;
use crate::syntax::item::Cell;
use crate::syntax::lexer::{self, SourceKind, Value};
use crate::syntax::separators::{self, Stream};
use crate::syntax::token::{Token, TokenKind as T};
use crate::syntax::walk;

/// A tree and what was wrong; spans of the diagnostics are relative to the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub cell: Cell,
    pub diagnostics: Vec<Diagnostic>,
    /// The first error is that the text ends: more text might mend it.
    pub ends_early: bool,
}

/// Parse a cell or file.
pub fn parse(source: &str, kind: SourceKind) -> Parsed {
    let mut lexed = lexer::lex(source, kind);
    let mut diagnostics = std::mem::take(&mut lexed.diagnostics);
    division::warn(source, &lexed.tokens, &mut diagnostics);
    let mut stream = separators::separate(&lexed, source.len());
    let regions = brackets::match_brackets(&mut stream, source, &mut diagnostics);
    let mut parser = Parser::new(source, &stream, &regions, &lexed.values);
    let cell = parser.cell();
    let ends_early = parser.ends_early && !diagnostics.iter().any(Diagnostic::is_error);
    diagnostics.append(&mut parser.diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span.start);
    nothing_after_open_text(&mut diagnostics);
    diagnostics.truncate(MAX_DIAGNOSTICS);
    habits::mend(source, &stream.tokens, &mut diagnostics);
    Parsed { cell, diagnostics, ends_early }
}

/// Behind a text that is not closed, what is text and what is not may be the wrong way round: only its own report is told.
fn nothing_after_open_text(diagnostics: &mut Vec<Diagnostic>) {
    if let Some(at) = diagnostics.iter().position(|report| report.code == codes::E0002) {
        diagnostics.truncate(at + 1);
    }
}

/// More than this nobody reads; a pasted megabyte of something else must not make a megabyte of reports.
const MAX_DIAGNOSTICS: usize = 60;

/// Nesting the parser follows. A level takes about 6 KiB of stack without optimisation, and threads have 2 MiB.
const MAX_DEPTH: u32 = 100;

/// Height of the trees it makes, operator chains included: what passes after it may recurse over.
const MAX_HEIGHT: u16 = 256;

pub struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token],
    docs: &'a FxHashMap<usize, Arc<str>>,
    regions: &'a Regions,
    values: &'a [Value],
    pos: usize,
    /// Tokens from here on read as `End`: the end of the innermost region.
    limit: usize,
    /// Where the item being parsed starts; spans in the tree are relative to it.
    base: u32,
    body: Body,
    /// Heights of the expressions and statements of `body`.
    heights: walk::Heights,
    names: FxHashMap<&'a str, Name>,
    diagnostics: Vec<Diagnostic>,
    /// Position of the last report, so that one place gives one.
    reported: usize,
    /// Behind a member that ends in `}`: the next one needs no separator.
    member_end: usize,
    ends_early: bool,
    /// Inside an unclosed `(` or `[`: reports are dropped.
    muted: bool,
    depth: u32,
    /// At the top level of a head: `Name {` is no struct literal (L-31).
    in_head: bool,
    /// Quantifiers and `==>` are allowed.
    in_contract: bool,
}

// Tokens.
impl<'a> Parser<'a> {
    fn new(
        source: &'a str,
        stream: &'a Stream,
        regions: &'a Regions,
        values: &'a [Value],
    ) -> Parser<'a> {
        Parser {
            source,
            tokens: &stream.tokens,
            docs: &stream.docs,
            regions,
            values,
            pos: 0,
            limit: stream.tokens.len().saturating_sub(1),
            base: 0,
            body: Body::default(),
            heights: walk::Heights::default(),
            names: FxHashMap::default(),
            diagnostics: Vec::new(),
            reported: usize::MAX,
            member_end: usize::MAX,
            ends_early: false,
            muted: false,
            depth: 0,
            in_head: false,
            in_contract: false,
        }
    }

    fn peek(&self) -> T {
        self.nth(0)
    }

    /// The kind of the token `n` further on, within the region.
    fn nth(&self, n: usize) -> T {
        let at = self.pos + n;
        if at >= self.limit {
            T::End
        } else {
            self.tokens.get(at).map_or(T::End, |token| token.kind)
        }
    }

    fn at(&self, kind: T) -> bool {
        self.peek() == kind
    }

    fn nth_text(&self, n: usize) -> &'a str {
        match self.nth(n) {
            T::End => "",
            _ => self.tokens.get(self.pos + n).map_or("", |token| token.span.text(self.source)),
        }
    }

    /// A name with this text: a contextual keyword, if the place makes it one.
    fn at_word(&self, word: &str) -> bool {
        self.at(T::Name) && self.nth_text(0) == word
    }

    fn bump(&mut self) {
        if self.pos < self.limit {
            self.pos += 1;
        }
    }

    fn eat(&mut self, kind: T) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.bump();
        }
        found
    }

    /// The token at the position, be it outside the region.
    fn token(&self) -> Option<&'a Token> {
        self.tokens.get(self.pos)
    }

    fn at_line_start(&self) -> bool {
        self.token().is_some_and(|token| token.line_start)
    }

    fn value(&self) -> Option<&'a Value> {
        self.token().and_then(|token| self.values.get(token.value as usize))
    }
}

// Spans.
impl Parser<'_> {
    /// Absolute start of the current token.
    fn start(&self) -> u32 {
        self.token().map_or(0, |token| token.span.start)
    }

    /// Absolute end of the last token taken.
    fn previous_end(&self) -> u32 {
        let before = self.pos.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or(0, |token| token.span.end)
    }

    /// Absolute span of the current token; behind the last one where the region ends without a closing bracket.
    fn here(&self) -> Span {
        match self.token() {
            Some(token) if self.pos < self.limit && token.kind != T::Sep => token.span,
            Some(token) if self.pos == self.limit && closes(token.kind) => token.span,
            _ => Span::at(self.previous_end()),
        }
    }

    /// Relative span from an absolute start to the last token taken.
    fn since(&self, start: u32) -> Span {
        Span::new(start, self.previous_end().max(start)).relative_to(self.base)
    }

    /// Relative empty span behind the last token.
    fn missing(&self) -> Span {
        Span::at(self.previous_end()).relative_to(self.base)
    }
}

fn closes(kind: T) -> bool {
    matches!(kind, T::RParen | T::RBracket | T::RBrace | T::HoleEnd)
}

// Nodes.
impl<'a> Parser<'a> {
    fn add_expr(&mut self, kind: ExprKind, span: Span) -> ExprId {
        stop::look();
        let height = self.heights.of_expr(&kind);
        let kind = if height > MAX_HEIGHT { self.too_deep(span) } else { kind };
        self.heights.exprs.push(if height > MAX_HEIGHT { 1 } else { height });
        let id = ExprId(u32::try_from(self.body.exprs.len()).unwrap_or(u32::MAX));
        self.body.exprs.push(Expr { kind, span });
        id
    }

    fn add_stmt(&mut self, kind: StmtKind, span: Span) -> StmtId {
        self.heights.stmts.push(self.heights.of_stmt(&kind));
        let id = StmtId(u32::try_from(self.body.stmts.len()).unwrap_or(u32::MAX));
        self.body.stmts.push(Stmt { kind, span });
        id
    }

    fn add_pat(&mut self, kind: PatKind, span: Span) -> PatId {
        let id = PatId(u32::try_from(self.body.pats.len()).unwrap_or(u32::MAX));
        self.body.pats.push(Pat { kind, span });
        id
    }

    fn add_type(&mut self, kind: TypeKind, span: Span) -> TypeRefId {
        let id = TypeRefId(u32::try_from(self.body.types.len()).unwrap_or(u32::MAX));
        self.body.types.push(TypeRef { kind, span });
        id
    }

    fn error_expr(&mut self) -> ExprId {
        let span = self.missing();
        self.add_expr(ExprKind::Error, span)
    }

    fn intern(&mut self, text: &'a str) -> Name {
        self.names.entry(text).or_insert_with(|| Name::new(text)).clone()
    }

    /// Take the current token as a name, whatever it is.
    fn take_ident(&mut self) -> Ident {
        let (text, start) = (self.nth_text(0), self.start());
        self.bump();
        Ident { name: self.intern(text), span: self.since(start) }
    }

    fn missing_ident(&mut self) -> Ident {
        Ident { name: self.intern(""), span: self.missing() }
    }

    /// A name. A reserved word in its place is reported and taken, if it does not begin the next line.
    fn ident(&mut self, what: &str) -> Ident {
        match self.peek() {
            T::Name => self.take_ident(),
            kind if kind.is_keyword() && !self.at_line_start() => {
                let word = self.nth_text(0);
                let message = format!("`{word}` is a reserved word and cannot be a name");
                let here = self.here();
                self.report(Diagnostic::new(codes::E0104, here, message).fix(
                    "add `_`",
                    here,
                    format!("{word}_"),
                ));
                self.take_ident()
            }
            _ => {
                self.expected(what);
                self.missing_ident()
            }
        }
    }

    fn doc(&self) -> Option<Arc<str>> {
        self.docs.get(&self.pos).cloned()
    }
}

// Depth.
impl Parser<'_> {
    /// Enter one level of nesting; at the bound, report and skip what is there.
    fn deeper<R>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> R,
        stop: impl FnOnce(&mut Self) -> R,
    ) -> R {
        if self.depth >= MAX_DEPTH {
            let span = self.here().relative_to(self.base);
            self.too_deep(span);
            self.reported = self.pos;
            self.skip_to_separator();
            self.reported = self.pos;
            return stop(self);
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }
}
