//! Operands: literals, templates, names, brackets of all kinds, `if`, `match`, `try { }`, `@` forms, quantifiers.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::syntax::ast::{
    Arg, Arm, ArmBody, BinaryOp, Binder, BinderDomain, Cond, ExprId, ExprKind, FieldInit,
    Intrinsic, IntrinsicKind, Literal, MapEntry, Path, Quantifier, StructElement, TemplatePart,
};
use crate::syntax::brackets::only_starts_statement;
use crate::syntax::intrinsics::{self, Row};
use crate::syntax::lexer::Value;
use crate::syntax::parse::expr::RANGE;
use crate::syntax::parse::{Parser, closes};
use crate::syntax::token::TokenKind as T;
use crate::syntax::words;

impl<'a> Parser<'a> {
    pub(super) fn primary(&mut self) -> ExprId {
        let start = self.start();
        let kind = match self.peek() {
            T::Number | T::Money | T::Text | T::True | T::False => {
                self.take_literal().map_or(ExprKind::Error, ExprKind::Literal)
            }
            T::TemplateStart => self.template(),
            T::Name => self.name_expr(),
            T::LParen => return self.paren(),
            T::LBracket => ExprKind::List(self.exprs()),
            T::LBrace => self.braces(),
            T::If => self.if_expr(),
            T::Match => self.match_expr(),
            T::Try => {
                self.bump();
                ExprKind::Try(self.block_expr())
            }
            T::At => self.intrinsic(),
            _ => return self.no_operand(),
        };
        self.add_expr(kind, self.since(start))
    }

    fn no_operand(&mut self) -> ExprId {
        let word = self.peek().is_keyword() && !self.at_line_start();
        let fits =
            matches!(self.peek(), T::As | T::Enum | T::Function | T::Import | T::Struct | T::Await);
        let doubled = self.hint().is_some() && self.at(T::Plus);
        self.expected("an expression");
        if doubled || (word && fits) {
            self.bump();
        }
        self.error_expr()
    }

    fn name_expr(&mut self) -> ExprKind {
        if let Some(quantifier) = self.quantifier_ahead() {
            return self.quantified(quantifier);
        }
        if let Some(path) = self.struct_path() {
            return self.struct_literal(path);
        }
        let name = self.nth_text(0);
        self.bump();
        ExprKind::Name(self.intern(name))
    }

    fn quantifier_ahead(&self) -> Option<Quantifier> {
        let bound = self.nth(1) == T::Name && matches!(self.nth(2), T::Colon | T::In);
        match self.nth_text(0) {
            word if !bound || !words::QUANTIFIER.contains(&word) => None,
            "forall" => Some(Quantifier::Forall),
            _ => Some(Quantifier::Exists),
        }
    }

    /// `("forall" | "exists") binder ("," binder)* "=>" expr`
    fn quantified(&mut self, quantifier: Quantifier) -> ExprKind {
        if !self.in_contract {
            let message = "quantifiers only stand in contracts";
            let here = self.here();
            self.diagnostics.push(Diagnostic::new(codes::E0604, here, message));
        }
        self.bump();
        let mut binders = Vec::new();
        loop {
            let name = self.ident("the name of a variable");
            let domain = if self.eat(T::Colon) {
                BinderDomain::Type(self.ty())
            } else {
                self.expect(T::In);
                BinderDomain::In(self.binary(RANGE))
            };
            binders.push(Binder { name, domain });
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::FatArrow);
        ExprKind::Quantifier { quantifier, binders, body: self.expr() }
    }

    /// `UPPER ("." UPPER)?` directly before the `{` of a struct literal; takes it.
    fn struct_path(&mut self) -> Option<Path> {
        let upper = |text: &str| text.starts_with(char::is_uppercase);
        let qualified = self.nth(1) == T::Dot && self.nth(2) == T::Name && upper(self.nth_text(2));
        let brace = if qualified { 3 } else { 1 };
        if !upper(self.nth_text(0)) || self.nth(brace) != T::LBrace {
            return None;
        }
        let field = self.nth(brace + 1) == T::Name && self.nth(brace + 2) == T::Colon;
        if self.in_head && !field {
            return None;
        }
        let start = self.start();
        let first = self.take_ident();
        let path = if qualified {
            self.bump();
            Path { qualifier: Some(first), name: self.take_ident() }
        } else {
            Path { qualifier: None, name: first }
        };
        if self.in_head {
            let span = self.since(start).shifted(self.base);
            let message = "a struct literal must stand in parentheses here";
            self.report(Diagnostic::new(codes::E0112, span, message));
        }
        Some(path)
    }

    fn struct_literal(&mut self, path: Path) -> ExprKind {
        let scope = self.enter();
        let mut elements = Vec::new();
        self.list("a field", |parser| {
            let element = if parser.eat(T::DotDot) {
                StructElement::Spread(parser.expr())
            } else {
                StructElement::Field(parser.field_init())
            };
            elements.push(element);
        });
        self.leave(scope);
        ExprKind::Struct { path, elements }
    }

    /// `NAME ":" expr | NAME`
    fn field_init(&mut self) -> FieldInit {
        let name = self.ident("the name of a field");
        let shorthand = !self.eat(T::Colon);
        let value = if shorthand {
            self.add_expr(ExprKind::Name(name.name.clone()), name.span)
        } else {
            self.expr()
        };
        FieldInit { name, value, shorthand }
    }

    /// `NAME ":" expr`, where a value must stand: records and configurations.
    pub(super) fn entry(&mut self) -> FieldInit {
        let name = self.ident("a name");
        if self.eat(T::Colon) {
            return FieldInit { name, value: self.expr(), shorthand: false };
        }
        self.expected("`:` and a value");
        if !self.at_end_of_statement() && !self.starts_operand() {
            self.bump();
            return FieldInit { name, value: self.expr(), shorthand: false };
        }
        FieldInit { name, value: self.error_expr(), shorthand: false }
    }

    /// `()`, `(a)`, `(a, b)`
    fn paren(&mut self) -> ExprId {
        let start = self.start();
        let elements = self.exprs();
        match elements.as_slice() {
            [single] => *single,
            _ => self.add_expr(ExprKind::Tuple(elements), self.since(start)),
        }
    }

    /// Expressions in the bracket at the position.
    fn exprs(&mut self) -> Vec<ExprId> {
        let scope = self.enter();
        let mut elements = Vec::new();
        self.list("an element", |parser| {
            let element = parser.expr();
            elements.push(element);
        });
        self.leave(scope);
        elements
    }

    /// L-32: after `=>` and `try`, `{` opens a record or map only before `NAME :` or `TEXT :`.
    pub(super) fn record_ahead(&self) -> bool {
        self.record_ahead_at(0)
    }

    pub(super) fn record_ahead_at(&self, n: usize) -> bool {
        match self.nth(n + 1) {
            T::Name | T::Text => self.nth(n + 2) == T::Colon,
            T::TemplateStart => self.nth(self.after_template(n + 1)) == T::Colon,
            _ => false,
        }
    }

    /// How far it is from here to behind the template that begins `n` tokens on.
    fn after_template(&self, mut n: usize) -> usize {
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

    /// A record, a map, or `{}`.
    fn braces(&mut self) -> ExprKind {
        if only_starts_statement(self.nth(1)) && self.nth(2) != T::Colon {
            let message = "a block cannot stand here: `{` begins a record or map";
            let note = "statements stand in the bodies of functions, `if`, `for`, `while`, `loop`, `match` and lambdas";
            let here = self.here();
            self.report(Diagnostic::new(codes::E0101, here, message).note(note));
            return ExprKind::Block(self.block());
        }
        let scope = self.enter();
        let mut fields = Vec::new();
        let mut entries = Vec::new();
        self.list("an entry", |parser| {
            let here = parser.here();
            let is_field = parser.at(T::Name)
                || !matches!(parser.peek(), T::Text | T::TemplateStart | T::LParen);
            if is_field {
                fields.push(parser.entry());
            } else {
                entries.push(parser.map_entry());
            }
            if !fields.is_empty() && !entries.is_empty() {
                let message = "one literal cannot be a record and a map";
                parser.report(Diagnostic::new(codes::E0116, here, message));
            }
        });
        self.leave(scope);
        if fields.is_empty() { ExprKind::Map(entries) } else { ExprKind::Record(fields) }
    }

    fn map_entry(&mut self) -> MapEntry {
        let key = if self.at(T::LParen) {
            let scope = self.enter();
            let key = self.expr();
            self.leave(scope);
            key
        } else {
            self.primary()
        };
        self.expect(T::Colon);
        MapEntry { key, value: self.expr() }
    }

    fn template(&mut self) -> ExprKind {
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

    fn hole_name(&mut self) -> ExprId {
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

    fn hole(&mut self) -> ExprId {
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

    /// `if_expr = "if" cond block ("else" (block | if_expr))?`
    fn if_expr(&mut self) -> ExprKind {
        self.bump();
        let cond = self.cond();
        let then = self.block();
        let otherwise = self.eat(T::Else).then(|| {
            if self.at(T::If) {
                self.deeper(Self::primary, Self::error_expr)
            } else {
                self.block_expr()
            }
        });
        ExprKind::If { cond, then, otherwise }
    }

    /// `cond = "let" pattern (":=" | "=") head | head`
    pub(super) fn cond(&mut self) -> Cond {
        if !self.eat(T::Let) {
            let head = self.head();
            return Cond::Expr(self.not_assigned(head));
        }
        let pattern = self.pattern();
        if !self.eat(T::Eq) {
            self.expect(T::ColonEq);
        }
        Cond::Let { pattern, value: self.head() }
    }

    /// `if a = b {`: say that a comparison is `==` and take it as one.
    fn not_assigned(&mut self, left: ExprId) -> ExprId {
        if !self.at(T::Eq) {
            return left;
        }
        let here = self.here();
        let message = "a condition compares with `==`; `=` assigns";
        self.report(Diagnostic::new(codes::E0101, here, message).fix("write `==`", here, "=="));
        let start = self.body[left].span.start + self.base;
        self.bump();
        let right = self.head();
        self.add_expr(ExprKind::Binary { op: BinaryOp::Eq, left, right }, self.since(start))
    }

    fn match_expr(&mut self) -> ExprKind {
        self.bump();
        let scrutinee = self.head();
        let mut arms = Vec::new();
        if !self.at_block() {
            self.expected("`{` and the arms");
            return ExprKind::Match { scrutinee, arms };
        }
        self.eat(T::Sep);
        let scope = self.enter();
        self.list("an arm", |parser| {
            let arm = parser.arm();
            arms.push(arm);
        });
        self.leave(scope);
        ExprKind::Match { scrutinee, arms }
    }

    /// `pattern ("if" expr)? "=>" (block | stmt_expr)`
    fn arm(&mut self) -> Arm {
        let start = self.start();
        let pattern = self.pattern();
        let guard = self.eat(T::If).then(|| self.guard());
        if self.at(T::Arrow) || self.at(T::Colon) {
            self.expected("`=>`");
            self.bump();
        } else if !self.eat(T::FatArrow) {
            self.expected("`=>`");
            let body = ArmBody::Expr(self.error_expr());
            return Arm { pattern, guard, body, span: self.since(start) };
        }
        let body = if self.at(T::LBrace) && !self.record_ahead() {
            ArmBody::Expr(self.block_expr())
        } else {
            self.arm_body()
        };
        Arm { pattern, guard, body, span: self.since(start) }
    }

    /// A block as a value.
    pub(super) fn block_expr(&mut self) -> ExprId {
        let start = self.start();
        let block = self.block();
        let span = self.since(start);
        self.add_expr(ExprKind::Block(block), span)
    }

    /// `args = "(" List(arg) ")"`
    pub(super) fn args(&mut self) -> Vec<Arg> {
        let scope = self.enter();
        let mut args = Vec::new();
        self.list("an argument", |parser| {
            let arg = parser.arg();
            args.push(arg);
        });
        self.leave(scope);
        args
    }

    /// `arg = (NAME ":")? "ref"? expr`
    fn arg(&mut self) -> Arg {
        let start = self.start();
        let named = self.nth(1) == T::Colon && (self.at(T::Name) || self.peek().is_keyword());
        let name = named.then(|| self.ident("the name of a parameter"));
        if named {
            self.expect(T::Colon);
        }
        let by_ref = self.at_word("ref") && self.nth(1) == T::Name;
        if by_ref {
            self.bump();
        }
        let value = self.expr();
        Arg { name, by_ref, value, span: self.since(start) }
    }

    /// `@name(..)`, `@name(..) { }`
    fn intrinsic(&mut self) -> ExprKind {
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
                    crate::source::Span::at(span.end),
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

    pub(super) fn unknown_intrinsic(&mut self, name: &str, span: crate::source::Span) {
        let found = nearest(name, intrinsics::TABLE.iter().map(|row| row.name));
        let mut diagnostic = Diagnostic::new(codes::E0105, span, format!("there is no `@{name}`"));
        for near in found {
            diagnostic = diagnostic.fix(format!("write `@{near}`"), span, format!("@{near}"));
        }
        self.report(diagnostic);
    }

    /// A name of kind A, H or L where an expression is due, or A before what takes none.
    pub(super) fn misplaced(&mut self, row: Row, span: crate::source::Span) {
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

    /// Whether nothing of an expression follows `return`.
    pub(super) fn at_end_of_statement(&self) -> bool {
        self.peek().separates() || self.at(T::End) || closes(self.peek())
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
