//! What `{` opens in an expression: struct literals, records, maps (L-31, L-32).

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{ExprKind, FieldInit, MapEntry, Path, StructElement};
use crate::syntax::brackets::only_starts_statement;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

impl Parser<'_> {
    /// `UPPER ("." UPPER)?` directly before the `{` of a struct literal; takes it.
    pub(super) fn struct_path(&mut self) -> Option<Path> {
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

    pub(super) fn struct_literal(&mut self, path: Path) -> ExprKind {
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
    pub(super) fn field_init(&mut self) -> FieldInit {
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

    /// A record, a map, or `{}`.
    pub(super) fn braces(&mut self) -> ExprKind {
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

    pub(super) fn map_entry(&mut self) -> MapEntry {
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
}
