//! Signatures: generics, parameters, results, attributes, and the functions made of them.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{Block, Cap, TypeKind, TypeRefId};
use crate::syntax::item::{Attr, Function, GenericParam, Param, Receiver};
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

/// What stands before a declaration.
#[derive(Default)]
pub(super) struct Front {
    pub doc: Option<Arc<str>>,
    pub attrs: Vec<Attr>,
}

/// What kind of declaration a signature belongs to, and so what it may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureKind {
    /// Everything.
    Function,
    /// No type parameters.
    Behavior,
    /// A tool's: no type parameters, its effect is its name, and no block if another tool provides it.
    ToolMethod,
}

/// Which clauses may follow a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Clauses {
    UsesAndContracts,
    Contracts,
}

impl Parser<'_> {
    /// From the name to the block; the keyword is taken, and began at `start`.
    pub(super) fn function(&mut self, front: Front, start: u32, kind: SignatureKind) -> Function {
        let name = self.ident("the name of the function");
        let generics = if kind == SignatureKind::Function { self.generics() } else { Vec::new() };
        let (receiver, params) = self.params();
        let ret = self.ret();
        let clauses = match kind {
            SignatureKind::ToolMethod => Clauses::Contracts,
            SignatureKind::Function | SignatureKind::Behavior => Clauses::UsesAndContracts,
        };
        let (uses, contracts) = self.contracts(clauses);
        let body = self.function_body(kind);
        Function {
            name,
            doc: front.doc,
            attrs: front.attrs,
            generics,
            receiver,
            params,
            ret,
            uses,
            contracts,
            body,
            span: self.since(start),
        }
    }

    fn function_body(&mut self, kind: SignatureKind) -> Option<Block> {
        if self.at_block() {
            return Some(self.block());
        }
        if self.eat(T::FatArrow) || self.eat(T::Eq) {
            let message = "the body of a function is a block";
            let at = self.here();
            self.report(Diagnostic::new(codes::E0113, at, message).note("write `{ return .. }`"));
            self.expr();
        } else if kind != SignatureKind::ToolMethod && self.reported != self.pos {
            let message = format!("expected the body in `{{ }}`, found {}", self.found());
            self.report(Diagnostic::new(codes::E0113, self.here(), message).saying("expected `{`"));
        }
        None
    }

    /// `generics = "<" gparam ("," gparam)* ">"`
    pub(super) fn generics(&mut self) -> Vec<GenericParam> {
        let mut generics = Vec::new();
        if !self.eat(T::Lt) {
            return generics;
        }
        loop {
            let name = self.ident("the name of a type parameter");
            let mut bounds = Vec::new();
            if self.eat(T::Colon) {
                bounds.push(self.ident("a bound"));
                while self.eat(T::Plus) {
                    bounds.push(self.ident("a bound"));
                }
            }
            generics.push(GenericParam { name, bounds });
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::Gt);
        generics
    }

    /// `params`; missing ones are reported.
    pub(super) fn params(&mut self) -> (Option<Receiver>, Vec<Param>) {
        if !self.at(T::LParen) {
            self.expected("`(` and the parameters");
            return (None, Vec::new());
        }
        let scope = self.enter();
        let mut receiver = None;
        let mut params: Vec<Param> = Vec::new();
        self.list("a parameter", |parser| match parser.receiver() {
            Some(found) if receiver.is_none() && params.is_empty() => receiver = Some(found),
            Some(found) => {
                let span = found.span.shifted(parser.base);
                let message = "`self` can only be the first parameter";
                parser.diagnostics.push(Diagnostic::new(codes::E0115, span, message));
            }
            None => {
                let param = parser.param();
                if !param.name.name.is_missing() {
                    params.push(param);
                }
            }
        });
        self.leave(scope);
        (receiver, params)
    }

    fn receiver(&mut self) -> Option<Receiver> {
        let start = self.start();
        let cap: Option<Cap> = self.capability();
        let at = usize::from(cap.is_some());
        if self.nth(at) != T::Name || self.nth_text(at) != "self" || self.nth(at + 1) == T::Colon {
            return None;
        }
        (0..=at).for_each(|_| self.bump());
        Some(Receiver { cap, span: self.since(start) })
    }

    fn param(&mut self) -> Param {
        let (doc, start) = (self.doc(), self.start());
        let name = self.ident("the name of a parameter");
        let ty = self.annotation();
        let default = self.eat(T::Eq).then(|| self.expr());
        Param { name, ty, default, doc, span: self.since(start) }
    }

    /// `":" type`, where it must stand.
    pub(super) fn annotation(&mut self) -> TypeRefId {
        if self.eat(T::Colon) {
            return self.ty();
        }
        self.expected("`:` and a type");
        let span = self.missing();
        self.add_type(TypeKind::Error, span)
    }

    /// `ret = ("->" | ":") type`
    pub(super) fn ret(&mut self) -> Option<TypeRefId> {
        (self.eat(T::Arrow) || self.eat(T::Colon)).then(|| self.ty())
    }

    /// One attribute; the position is at its `@`.
    pub(super) fn attr(&mut self) -> Attr {
        let start = self.start();
        self.bump();
        let name = self.ident("the name of an attribute");
        let args = self.at(T::LParen).then(|| self.args());
        let span = self.since(start);
        if self.at(T::Sep) {
            self.bump();
        }
        Attr { name, args, span }
    }

    /// How many tokens the attributes from `n` on take; more than a few dozen nobody writes, and each start asks.
    pub(super) fn skip_attrs(&self, mut n: usize) -> usize {
        for _ in 0..32 {
            if self.nth(n) != T::At {
                break;
            }
            n += 1 + usize::from(self.nth(n + 1) == T::Name);
            if self.nth(n) == T::LParen {
                let region = self.regions.get(self.pos + n);
                let end = region.end as usize + usize::from(region.closed);
                n = end.saturating_sub(self.pos).max(n + 1);
            }
            n += usize::from(self.nth(n) == T::Sep);
        }
        n
    }
}
