//! Written types.

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{Cap, TypeField, TypeKind, TypeRefId};
use crate::syntax::brackets::only_starts_statement;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;
use crate::syntax::words;

impl Parser<'_> {
    /// `type = cap? basic "?"?`
    pub(super) fn ty(&mut self) -> TypeRefId {
        self.deeper(Self::ty_here, |parser| {
            let span = parser.missing();
            parser.add_type(TypeKind::Error, span)
        })
    }

    fn ty_here(&mut self) -> TypeRefId {
        let start = self.start();
        let Some(cap) = self.capability() else { return self.optional_type() };
        self.bump();
        let ty = self.optional_type();
        self.add_type(TypeKind::Cap { cap, ty }, self.since(start))
    }

    /// The capability at the position, if a type follows it.
    pub(super) fn capability(&self) -> Option<Cap> {
        let record = self.nth(1) == T::LBrace && self.nth(2) == T::Name && self.nth(3) == T::Colon;
        let before_type = matches!(self.nth(1), T::Name | T::LParen) || record;
        if !self.at(T::Name) || !before_type || !words::CAPABILITY.contains(&self.nth_text(0)) {
            return None;
        }
        match self.nth_text(0) {
            "iso" => Some(Cap::Iso),
            "val" => Some(Cap::Val),
            "ref" => Some(Cap::Ref),
            _ => Some(Cap::Tag),
        }
    }

    fn optional_type(&mut self) -> TypeRefId {
        let start = self.start();
        let ty = self.basic_type();
        if self.eat(T::Question) {
            return self.add_type(TypeKind::Optional(ty), self.since(start));
        }
        ty
    }

    fn basic_type(&mut self) -> TypeRefId {
        match self.peek() {
            T::LParen => self.paren_type(),
            T::LBrace if !self.block_for_type() => self.record_type(),
            T::Name => self.named_type(),
            T::LBracket => {
                let message = "a list type is written `List<T>`";
                self.report(Diagnostic::new(codes::E0101, self.here(), message));
                self.bump_over();
                let span = self.missing();
                self.add_type(TypeKind::Error, span)
            }
            _ => {
                let keyword = self.peek().is_keyword() && !self.at_line_start();
                self.expected("a type");
                if keyword && !self.at(T::Else) {
                    self.bump();
                }
                let span = self.missing();
                self.add_type(TypeKind::Error, span)
            }
        }
    }

    /// `-> {` with statements behind: the type is missing and this is the body.
    fn block_for_type(&self) -> bool {
        let named = self.nth(1) == T::Name;
        only_starts_statement(self.nth(1))
            || self.nth(1) == T::At
            || (named && self.nth(2) != T::Colon)
    }

    fn named_type(&mut self) -> TypeRefId {
        let start = self.start();
        let mut name = self.take_ident();
        let mut file = None;
        if self.eat(T::Dot) {
            file = Some(std::mem::replace(&mut name, self.ident("the name of a type")));
        }
        let mut args = Vec::new();
        if self.at(T::Lt) {
            let open = self.here();
            self.bump();
            args.push(self.ty());
            while self.eat(T::Comma) {
                args.push(self.ty());
            }
            if !self.eat(T::Gt) {
                let message = format!("expected `,` or `>`, found {}", self.found());
                self.report(
                    Diagnostic::new(codes::E0101, self.here(), message)
                        .saying("expected `>`")
                        .label(open, "type arguments begin here"),
                );
            }
        }
        self.add_type(TypeKind::Named { file, name, args }, self.since(start))
    }

    /// `(A, B)`, `(A) -> B`, `(A uses e)`, `(A)`
    fn paren_type(&mut self) -> TypeRefId {
        let start = self.start();
        let scope = self.enter();
        let mut types = Vec::new();
        let mut effects = None;
        self.list("a type", |parser| {
            types.push(parser.ty());
            if parser.at_word("uses") && types.len() == 1 {
                parser.bump();
                effects = Some(parser.effects());
            }
        });
        self.leave(scope);
        let span = self.since(start);
        if let (Some(effects), [ty]) = (effects, types.as_slice()) {
            return self.add_type(TypeKind::Bounded { ty: *ty, effects }, span);
        }
        if self.eat(T::Arrow) {
            let ret = self.ty();
            return self.add_type(TypeKind::Function { params: types, ret }, self.since(start));
        }
        match types.as_slice() {
            [single] => *single,
            _ => self.add_type(TypeKind::Tuple(types), span),
        }
    }

    fn record_type(&mut self) -> TypeRefId {
        let start = self.start();
        let scope = self.enter();
        let mut fields = Vec::new();
        self.list("a field", |parser| {
            let name = parser.ident("a field name");
            parser.expect(T::Colon);
            let ty = parser.ty();
            fields.push(TypeField { name, ty });
        });
        self.leave(scope);
        self.add_type(TypeKind::Record(fields), self.since(start))
    }
}
