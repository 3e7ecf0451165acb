//! Items: functions, types, imports, lanes, policies, tests, theorems. Agents and tools are beside.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::source::Span;
use crate::syntax::ast::{Body, Ident, IntrinsicKind, Name};
use crate::syntax::intrinsics;
use crate::syntax::item::{
    Alias, Config, Enum, Field, Import, Item, ItemKind, ItemTree, Rule, RuleVerdict, Struct, Test,
    Theorem, Variant, VariantField,
};
use crate::syntax::parse::Parser;
use crate::syntax::parse::signature::{Clauses, Front, SignatureKind};
use crate::syntax::token::TokenKind as T;
use crate::syntax::words;

impl Parser<'_> {
    /// An item begins here, perhaps with attributes.
    pub(super) fn at_item(&self) -> bool {
        if !self.at(T::At) {
            return self.at_declaration(0);
        }
        let after = self.skip_attrs(0);
        match intrinsics::lookup(self.nth_text(1)) {
            Some(row) if row.kind == IntrinsicKind::Attribute => true,
            Some(row) => row.also_attribute && self.nth(after) == T::Function,
            // An unknown name directly before a declaration is most likely a misspelt attribute.
            None => self.nth(1) == T::Name && self.at_declaration(after),
        }
    }

    fn at_declaration(&self, n: usize) -> bool {
        match self.nth(n) {
            T::Function | T::Struct | T::Enum | T::Import => true,
            T::Name => {
                let word = self.nth_text(n);
                let test = word == "test" && matches!(self.nth(n + 1), T::Text | T::TemplateStart);
                test || (words::ITEM.contains(&word) && self.nth(n + 1) == T::Name)
            }
            _ => false,
        }
    }

    /// One item, in an arena of its own.
    pub(super) fn item(&mut self) -> Item {
        let body = std::mem::take(&mut self.body);
        let heights = std::mem::take(&mut self.heights);
        let start = self.start();
        let base = std::mem::replace(&mut self.base, start);
        let mut front = Front { doc: self.doc(), attrs: Vec::new() };
        self.attrs(&mut front);
        let doc = front.doc.clone();
        let attrs = front.attrs.clone();
        let (name, kind) = self.declaration(front);
        let span = self.since(start).shifted(self.base);
        let item_body: Body = std::mem::replace(&mut self.body, body);
        self.base = base;
        self.heights = heights;
        Item { span, tree: Arc::new(ItemTree { name, doc, attrs, kind, body: item_body }) }
    }

    /// `attr*`; doc comments between them count too.
    pub(super) fn attrs(&mut self, front: &mut Front) {
        while self.at(T::At) {
            let at = self.here();
            let name = self.nth_text(1);
            match intrinsics::lookup(name) {
                Some(row) if row.kind == IntrinsicKind::Attribute || row.also_attribute => {}
                Some(row) => self.misplaced(row, at),
                None if self.nth(1) == T::Name => {
                    let end = at.end + u32::try_from(name.len()).unwrap_or(0);
                    self.unknown_intrinsic(name, Span::new(at.start, end));
                }
                None => {}
            }
            let simd = intrinsics::lookup(name).filter(|row| row.also_attribute);
            if let Some(row) = simd
                && self.nth(self.skip_attrs(0)) != T::Function
            {
                self.misplaced(row, at);
            }
            front.attrs.push(self.attr());
            front.doc = front.doc.take().or(self.doc());
        }
    }

    fn declaration(&mut self, front: Front) -> (Ident, ItemKind) {
        let start = self.start();
        let word = self.nth_text(0);
        let kind = self.peek();
        if kind == T::Name && !self.at_declaration(0) || kind == T::At {
            return self.no_declaration(front);
        }
        match (kind, word) {
            (T::Function, _) => {
                self.bump();
                let function = self.function(front, start, SignatureKind::Function);
                (function.name.clone(), ItemKind::Function(function))
            }
            (T::Struct, _) => self.named("the name of the struct", Self::struct_item),
            (T::Enum, _) => self.named("the name of the enum", Self::enum_item),
            (T::Import, _) => self.import_item(),
            (T::Name, "type") => self.named("the name of the type", Self::alias_item),
            (T::Name, "agent") => self.named("the name of the agent", Self::agent_item),
            (T::Name, "orchestration") => {
                self.named("the name of the orchestration", Self::orchestration_item)
            }
            (T::Name, "tool") => self.named("the name of the tool", Self::tool_item),
            (T::Name, "lane") => self.named("the name of the lane", |p| ItemKind::Lane(p.config())),
            (T::Name, "policy") => {
                self.named("the name of the policy", |p| ItemKind::Policy(p.rules()))
            }
            (T::Name, "test") => self.test_item(),
            (T::Name, "theorem" | "lemma") => {
                let lemma = word == "lemma";
                self.named("the name of the theorem", |p| p.theorem_item(lemma))
            }
            _ => self.no_declaration(front),
        }
    }

    fn no_declaration(&mut self, front: Front) -> (Ident, ItemKind) {
        let what = front.attrs.first().map_or("", |attr| attr.name.name.as_str());
        let message =
            format!("`@{what}` stands directly before a declaration, found {}", self.found());
        let span = front.attrs.last().map_or(self.here(), |attr| attr.span.shifted(self.base));
        self.report(Diagnostic::new(codes::E0106, span, message).saying("belongs to nothing"));
        (self.missing_ident(), ItemKind::Error)
    }

    fn named(&mut self, what: &str, rest: impl FnOnce(&mut Self) -> ItemKind) -> (Ident, ItemKind) {
        self.bump();
        let name = self.ident(what);
        let kind = rest(self);
        (name, kind)
    }

    /// A bracketed list in `{ }`, perhaps on the next line.
    pub(super) fn braced(&mut self, what: &str, element: impl FnMut(&mut Self)) {
        if !self.at_block() {
            return self.expected("`{`");
        }
        self.eat(T::Sep);
        let scope = self.enter();
        self.list(what, element);
        self.leave(scope);
    }

    fn struct_item(&mut self) -> ItemKind {
        let generics = self.generics();
        let mut item =
            Struct { generics, fields: Vec::new(), invariants: Vec::new(), methods: Vec::new() };
        self.braced("a field", |parser| {
            if parser.at_function() {
                item.methods.push(parser.method(SignatureKind::Function));
            } else if parser.at_word("invariant") && parser.nth(1) != T::Colon {
                parser.bump();
                item.invariants.push(parser.contract_expr());
            } else {
                parser.field_into(&mut item.fields);
            }
        });
        ItemKind::Struct(item)
    }

    /// `attr* function` begins here.
    pub(super) fn at_function(&self) -> bool {
        self.at(T::Function) || (self.at(T::At) && self.nth(self.skip_attrs(0)) == T::Function)
    }

    pub(super) fn method(&mut self, kind: SignatureKind) -> crate::syntax::item::Function {
        let start = self.start();
        let mut front = Front { doc: self.doc(), attrs: Vec::new() };
        self.attrs(&mut front);
        self.expect(T::Function);
        let function = self.function(front, start, kind);
        if kind != SignatureKind::ToolMethod {
            self.member_ends();
        }
        function
    }

    /// `field = NAME ":" type ("=" expr)?`
    pub(super) fn field(&mut self) -> Field {
        let mut front = Front { doc: self.doc(), attrs: Vec::new() };
        self.stray_attrs(&mut front);
        let start = self.start();
        let name = self.ident("the name of a field");
        let ty = if name.name.is_missing() { self.error_type() } else { self.annotation() };
        let default = self.eat(T::Eq).then(|| self.expr());
        Field { name, ty, default, doc: front.doc, span: self.since(start) }
    }

    /// A field, unless not even its name is there.
    pub(super) fn field_into(&mut self, fields: &mut Vec<Field>) {
        let field = self.field();
        if !field.name.name.is_missing() {
            fields.push(field);
        }
    }

    /// Attributes before something that takes none.
    fn stray_attrs(&mut self, front: &mut Front) {
        if self.at(T::At) {
            let here = self.here();
            let message = "attributes stand before items, members and methods, not here";
            self.report(Diagnostic::new(codes::E0106, here, message));
            self.attrs(front);
        }
    }

    fn enum_item(&mut self) -> ItemKind {
        let generics = self.generics();
        let mut item = Enum { generics, variants: Vec::new(), methods: Vec::new() };
        self.braced("a variant", |parser| {
            if parser.at_function() {
                item.methods.push(parser.method(SignatureKind::Function));
            } else {
                item.variants.push(parser.variant());
            }
        });
        ItemKind::Enum(item)
    }

    /// `variant = NAME ( "(" List((NAME ":")? type) ")" )?`
    fn variant(&mut self) -> Variant {
        let mut front = Front { doc: self.doc(), attrs: Vec::new() };
        self.stray_attrs(&mut front);
        let start = self.start();
        let name = self.ident("the name of a variant");
        let fields = self.at(T::LParen).then(|| {
            let scope = self.enter();
            let mut fields = Vec::new();
            self.list("a type", |parser| {
                let named = parser.at(T::Name) && parser.nth(1) == T::Colon;
                let name = named.then(|| parser.take_ident());
                if named {
                    parser.bump();
                }
                let ty = parser.ty();
                fields.push(VariantField { name, ty });
            });
            self.leave(scope);
            fields
        });
        Variant { name, fields, doc: front.doc, span: self.since(start) }
    }

    fn alias_item(&mut self) -> ItemKind {
        let generics = self.generics();
        if !self.eat(T::Eq) {
            if self.at(T::ColonEq) {
                self.expected("`=`");
                self.bump();
            } else {
                self.expected("`=` and a type");
                return ItemKind::Alias(Alias { generics, ty: self.error_type() });
            }
        }
        ItemKind::Alias(Alias { generics, ty: self.ty() })
    }

    fn import_item(&mut self) -> (Ident, ItemKind) {
        self.bump();
        let import = if self.at(T::LBrace) {
            let mut names = Vec::new();
            self.braced("a name", |parser| {
                let name = parser.ident("a name");
                names.push(name);
            });
            if !self.eat_word("from") {
                self.expected("`from` and a path");
            }
            Import::Names { names, path: self.text_literal("an import") }
        } else if self.at_word("mcp") {
            self.bump();
            let source = self.text_literal("an import");
            self.expect(T::As);
            Import::Mcp { source, alias: self.ident("a name") }
        } else {
            let path = self.text_literal("an import");
            let alias = self.eat(T::As).then(|| self.ident("a name"));
            Import::File { path, alias }
        };
        let name = match &import {
            Import::File { alias: Some(alias), .. } | Import::Mcp { alias, .. } => alias.clone(),
            _ => self.missing_ident(),
        };
        (name, ItemKind::Import(import))
    }

    /// `config = "{" List(NAME ":" expr) "}"`
    pub(super) fn config(&mut self) -> Config {
        let start = self.start();
        let mut entries = Vec::new();
        self.braced("an entry", |parser| entries.push(parser.entry()));
        Config { entries, span: self.since(start) }
    }

    pub(super) fn rules(&mut self) -> Vec<Rule> {
        let mut rules = Vec::new();
        self.braced("a rule", |parser| rules.push(parser.rule()));
        rules
    }

    /// `rule = ("allow" | "ask" | "deny") effect ("where" expr)?`
    fn rule(&mut self) -> Rule {
        let start = self.start();
        let word = self.nth_text(0);
        let verdict = match word {
            "allow" => Some(RuleVerdict::Allow),
            "ask" => Some(RuleVerdict::Ask),
            "deny" => Some(RuleVerdict::Deny),
            _ => None,
        };
        if verdict.is_none() {
            let near = nearest(word, ["allow", "ask", "deny"]);
            self.expected(near.first().map_or("`allow`, `ask` or `deny`", |near| match *near {
                "allow" => "`allow`",
                "ask" => "`ask`",
                _ => "`deny`",
            }));
        }
        if verdict.is_some() || (self.at(T::Name) && self.nth(1) == T::Name) {
            self.bump();
        }
        let effect = self.effect();
        let condition = self.eat_word("where").then(|| self.expr());
        // What cannot be read must not allow anything.
        let verdict = verdict.unwrap_or(RuleVerdict::Deny);
        Rule { verdict, effect, condition, span: self.since(start) }
    }

    /// `test = "test" TEXT ("with" record)? block`
    fn test_item(&mut self) -> (Ident, ItemKind) {
        self.bump();
        let start = self.start();
        let title = Name::new(&self.text_literal("the title of a test"));
        let name = Ident { name: title.clone(), span: self.since(start) };
        let mut options = Vec::new();
        if self.eat_word("with") {
            self.braced("an entry", |parser| options.push(parser.entry()));
        }
        let block = self.block();
        (name, ItemKind::Test(Test { title, options, block }))
    }

    fn theorem_item(&mut self, lemma: bool) -> ItemKind {
        let generics = self.generics();
        let (_, params) = self.params();
        let (_, contracts) = self.contracts(Clauses::Contracts);
        ItemKind::Theorem(Theorem { lemma, generics, params, contracts })
    }
}
