//! Patterns.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::{FieldPat, Ident, ListPat, Literal, PatId, PatKind, Path};
use crate::syntax::lexer::Value;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

impl Parser<'_> {
    /// `pattern = alt ("|" alt)*`
    pub(super) fn pattern(&mut self) -> PatId {
        self.deeper(Self::alternatives, |parser| {
            let span = parser.missing();
            parser.add_pat(PatKind::Error, span)
        })
    }

    fn alternatives(&mut self) -> PatId {
        let start = self.start();
        let first = self.alternative();
        if !self.at(T::Pipe) {
            return first;
        }
        let mut all = vec![first];
        while self.eat(T::Pipe) {
            all.push(self.alternative());
        }
        self.add_pat(PatKind::Or(all), self.since(start))
    }

    fn alternative(&mut self) -> PatId {
        let start = self.start();
        let kind = match self.peek() {
            T::Name => self.named_pattern(),
            T::Minus | T::Number | T::Money | T::Text | T::True | T::False => {
                self.literal_pattern()
            }
            T::TemplateStart => {
                self.plain_text("a pattern");
                PatKind::Error
            }
            T::LBrace if !self.in_head => self.record_pattern(None),
            T::LParen => match self.patterns("a pattern") {
                single if single.len() == 1 => return single.first().copied().unwrap_or(PatId(0)),
                elements => PatKind::Tuple(elements),
            },
            T::LBracket => self.list_pattern(),
            // A reserved word where a name is due.
            kind if kind.is_keyword()
                && !matches!(kind, T::In | T::Else)
                && !self.at_line_start() =>
            {
                PatKind::Bind(self.ident("a pattern").name)
            }
            _ => {
                self.expected("a pattern");
                PatKind::Error
            }
        };
        self.add_pat(kind, self.since(start))
    }

    fn named_pattern(&mut self) -> PatKind {
        let name = self.take_ident();
        if name.name == "_" {
            return PatKind::Wildcard;
        }
        if !name.name.is_upper() {
            return self.binding(name);
        }
        if self.at(T::LBrace) && !self.in_head {
            return self.record_pattern(Some(name));
        }
        let mut path = Path { qualifier: None, name };
        if self.at(T::Dot) {
            self.bump();
            let variant = self.ident("the name of a variant");
            path = Path { qualifier: Some(path.name), name: variant };
        }
        let args = self.at(T::LParen).then(|| self.patterns("a pattern"));
        PatKind::Variant { path, args }
    }

    /// A lower-case name binds; with parentheses or a dot it cannot be a variant (L-44).
    fn binding(&mut self, name: Ident) -> PatKind {
        if !matches!(self.peek(), T::LParen | T::Dot) {
            return PatKind::Bind(name.name);
        }
        let span = name.span.shifted(self.base);
        let message =
            format!("`{}` is no variant: variants in patterns begin with a capital", name.name);
        self.report(Diagnostic::new(codes::E0117, span, message));
        if self.at(T::LParen) {
            let args = Some(self.patterns("a pattern"));
            return PatKind::Variant { path: Path { qualifier: None, name }, args };
        }
        self.bump();
        self.eat(T::Name);
        PatKind::Error
    }

    fn patterns(&mut self, what: &str) -> Vec<PatId> {
        let scope = self.enter();
        let mut elements = Vec::new();
        self.list(what, |parser| {
            let pattern = parser.pattern();
            elements.push(pattern);
        });
        self.leave(scope);
        elements
    }

    fn literal_pattern(&mut self) -> PatKind {
        let Some(start) = self.signed_literal() else { return PatKind::Error };
        let inclusive = self.at(T::DotDotEq);
        if !inclusive && !self.at(T::DotDot) {
            return PatKind::Literal(start);
        }
        self.bump();
        if !matches!(self.peek(), T::Minus | T::Number | T::Money | T::Text | T::True | T::False) {
            self.expected("a literal");
            return PatKind::Error;
        }
        match self.signed_literal() {
            Some(end) => PatKind::Range { start, end, inclusive },
            None => PatKind::Error,
        }
    }

    /// A literal, of a number also a negative one.
    fn signed_literal(&mut self) -> Option<Literal> {
        if !self.eat(T::Minus) {
            return self.take_literal();
        }
        if matches!(self.value(), Some(Value::MinInt)) {
            self.bump();
            return Some(Literal::Int { value: i64::MIN, decimal: true });
        }
        let negated = match self.peek() {
            T::Number | T::Money => self.take_literal().and_then(negated),
            _ => None,
        };
        if negated.is_none() {
            self.expected("a number");
        }
        negated
    }

    /// The literal at the position, if one is there.
    pub(super) fn take_literal(&mut self) -> Option<Literal> {
        let literal = match (self.peek(), self.value()) {
            (T::True, _) => Literal::Bool(true),
            (T::False, _) => Literal::Bool(false),
            (T::Number | T::Money | T::Text, Some(Value::Literal(literal))) => literal.clone(),
            (T::Number, Some(Value::MinInt)) => {
                let message = "the number does not fit in 64 bits";
                self.report(Diagnostic::new(codes::E0005, self.here(), message));
                Literal::Int { value: 0, decimal: true }
            }
            _ => return None,
        };
        self.bump();
        Some(literal)
    }

    fn record_pattern(&mut self, name: Option<Ident>) -> PatKind {
        let scope = self.enter();
        let mut fields = Vec::new();
        let mut rest = false;
        self.list("a field", |parser| {
            if parser.eat(T::DotDot) {
                rest = true;
                return;
            }
            let name = parser.ident("a field name");
            let shorthand = !parser.eat(T::Colon);
            let pattern = if shorthand {
                parser.add_pat(PatKind::Bind(name.name.clone()), name.span)
            } else {
                parser.pattern()
            };
            fields.push(FieldPat { name, pattern, shorthand });
        });
        self.leave(scope);
        PatKind::Record { name, fields, rest }
    }

    fn list_pattern(&mut self) -> PatKind {
        let scope = self.enter();
        let mut elements = Vec::new();
        self.list("a pattern", |parser| {
            if parser.eat(T::DotDot) {
                let name = parser.at(T::Name).then(|| parser.take_ident());
                return elements.push(ListPat::Rest(name));
            }
            let pattern = parser.pattern();
            elements.push(ListPat::Element(pattern));
        });
        self.leave(scope);
        PatKind::List(elements)
    }

    /// Take a text with holes where only plain text may stand, and say so.
    pub(super) fn plain_text(&mut self, place: &str) {
        let span: Span = self.here();
        let message = format!("{place} takes text without `$` holes");
        self.report(
            Diagnostic::new(codes::E0114, span, message)
                .note("write `\\$` for a dollar sign before a name"),
        );
        self.skip_template();
    }
}

fn negated(literal: Literal) -> Option<Literal> {
    match literal {
        Literal::Int { value, decimal } => Some(Literal::Int { value: -value, decimal }),
        Literal::Float(bits) => Some(Literal::Float((-f64::from_bits(bits)).to_bits())),
        Literal::Money(micros) => Some(Literal::Money(-micros)),
        Literal::Duration(nanoseconds) => Some(Literal::Duration(-nanoseconds)),
        Literal::Bool(_) | Literal::Text(_) => None,
    }
}
