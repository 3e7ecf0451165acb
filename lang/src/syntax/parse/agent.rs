//! Agents, orchestrations and tools: what has members.

use crate::diag::{Diagnostic, codes, nearest};
use crate::syntax::item::{
    Agent, Behavior, BehaviorKind, ItemKind, Member, MemberKind, Port, Tool,
};
use crate::syntax::parse::Parser;
use crate::syntax::parse::signature::{Front, SignatureKind};
use crate::syntax::token::TokenKind as T;
use crate::syntax::words;

/// Where members stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Agent,
    /// May have statements of its own (L-77).
    Orchestration,
}

impl Parser<'_> {
    pub(super) fn agent_item(&mut self) -> ItemKind {
        ItemKind::Agent(self.agent(Place::Agent))
    }

    pub(super) fn orchestration_item(&mut self) -> ItemKind {
        ItemKind::Orchestration(self.agent(Place::Orchestration))
    }

    fn agent(&mut self, place: Place) -> Agent {
        let params = self.optional_params();
        let mut members = Vec::new();
        self.braced("a member", |parser| {
            let start = parser.start();
            let kind = parser.member(place);
            if !matches!(kind, MemberKind::Stmt(_)) {
                parser.member_ends();
            }
            members.push(Member { kind, span: parser.since(start) });
        });
        Agent { params, members }
    }

    /// `state { n : Int = 0 } behavior hi() { }`: what ends in `}` needs no separator before the word of another member.
    pub(super) fn member_follows(&self) -> bool {
        self.member_end == self.pos && self.at_member()
    }

    /// A member ended here, in `}`.
    pub(super) fn member_ends(&mut self) {
        let last = self.pos.checked_sub(1).and_then(|at| self.tokens.get(at));
        if last.is_some_and(|token| token.kind == T::RBrace) {
            self.member_end = self.pos;
        }
    }

    /// A word and what must stand behind it, so that no name is taken for a member.
    fn at_member(&self) -> bool {
        let attrs = if self.at(T::At) { self.skip_attrs(0) } else { 0 };
        let (word, next) = (self.nth_text(attrs), self.nth(attrs + 1));
        let is_behavior = next == T::Name && words::BEHAVIOR.contains(&word);
        let is_section = begins_section(word, next);
        self.nth(attrs) == T::Function
            || (self.nth(attrs) == T::Name && (is_behavior || (attrs == 0 && is_section)))
    }

    fn optional_params(&mut self) -> Vec<crate::syntax::item::Param> {
        if !self.at(T::LParen) {
            return Vec::new();
        }
        let start = self.here();
        let (receiver, params) = self.params();
        if receiver.is_some() {
            let message = "only methods have a `self`";
            self.diagnostics.push(Diagnostic::new(codes::E0115, start, message));
        }
        params
    }

    fn member(&mut self, place: Place) -> MemberKind {
        let attrs = if self.at(T::At) { self.skip_attrs(0) } else { 0 };
        let word = self.nth_text(attrs);
        let (first, next) = (self.nth(attrs), self.nth(attrs + 1));
        if first == T::Name && next == T::Name && words::BEHAVIOR.contains(&word) {
            return self.behavior();
        }
        if first == T::Function {
            return MemberKind::Function(self.method(SignatureKind::Function));
        }
        if attrs == 0 && self.at(T::Name) && begins_section(word, next) {
            return self.section(word);
        }
        match place {
            Place::Orchestration => MemberKind::Stmt(self.stmt()),
            Place::Agent => self.no_member(),
        }
    }

    fn no_member(&mut self) -> MemberKind {
        let word = self.nth_text(0);
        let is_word = self.at(T::Name);
        let all = words::SECTION.iter().chain(words::BEHAVIOR).copied();
        let near = if is_word { nearest(word, all) } else { Vec::new() };
        let behind = [(words::BEHAVIOR, "a name"), (words::SECTION, "`{`")];
        let known = behind.iter().find(|(words, _)| is_word && words.contains(&word));
        if let Some((_, what)) = known {
            self.bump();
            self.expected(what);
            return MemberKind::Error;
        }
        let message = format!("{} begins no section or member of an agent", self.found());
        let here = self.here();
        let mut diagnostic = Diagnostic::new(codes::E0118, here, message)
            .note("statements stand in behaviors; state stands in `state { }`");
        for near in &near {
            diagnostic = diagnostic.fix(format!("write `{near}`"), here, *near);
        }
        self.report(diagnostic);
        self.skip_member(&near);
        MemberKind::Error
    }

    /// Skip a misspelt member with its block, or parse a statement to nowhere.
    fn skip_member(&mut self, near: &[&str]) {
        if near.is_empty() && !matches!(self.nth(1), T::Name | T::LBrace) {
            self.stmt();
        } else {
            self.skip_to_separator();
        }
    }

    fn section(&mut self, word: &str) -> MemberKind {
        self.bump();
        match word {
            "skills" => MemberKind::Skills(self.ports()),
            "tools" => MemberKind::Tools(self.ports()),
            "memory" => MemberKind::Memory(self.config()),
            "cost_policy" => MemberKind::CostPolicy(self.config()),
            "policy" if self.at(T::Name) => {
                MemberKind::NamedPolicy(self.ident("the name of the policy"))
            }
            "policy" => MemberKind::Policy(self.rules()),
            _ => self.state(),
        }
    }

    fn ports(&mut self) -> Vec<Port> {
        let mut ports = Vec::new();
        self.braced("a port", |parser| {
            let field = parser.field();
            if field.name.name.is_missing() {
                return;
            }
            ports.push(Port {
                name: field.name,
                ty: field.ty,
                default: field.default,
                doc: field.doc,
                span: field.span,
            });
        });
        ports
    }

    fn state(&mut self) -> MemberKind {
        let (mut fields, mut invariants) = (Vec::new(), Vec::new());
        self.braced("a field", |parser| {
            if parser.at_word("invariant") && parser.nth(1) != T::Colon {
                parser.bump();
                invariants.push(parser.contract_expr());
            } else {
                parser.field_into(&mut fields);
            }
        });
        MemberKind::State { fields, invariants }
    }

    fn behavior(&mut self) -> MemberKind {
        let start = self.start();
        let mut front = Front { doc: self.doc(), attrs: Vec::new() };
        self.attrs(&mut front);
        let kind = match self.nth_text(0) {
            "decision" => BehaviorKind::Decision,
            "critical_section" => BehaviorKind::CriticalSection,
            "alert" => BehaviorKind::Alert,
            _ => BehaviorKind::Behavior,
        };
        self.bump();
        let function = self.function(front, start, SignatureKind::Behavior);
        MemberKind::Behavior(Behavior { kind, function })
    }

    /// `tool = "tool" NAME params? (":" NAME)? "{" List(field | attr* method) "}"`
    pub(super) fn tool_item(&mut self) -> ItemKind {
        let params = self.optional_params();
        let provides = self.eat(T::Colon).then(|| self.ident("the name of a tool"));
        let mut tool = Tool { params, provides, fields: Vec::new(), methods: Vec::new() };
        self.braced("a field or method", |parser| {
            if parser.at_function() {
                tool.methods.push(parser.method(SignatureKind::ToolMethod));
            } else {
                parser.field_into(&mut tool.fields);
            }
        });
        ItemKind::Tool(tool)
    }
}

/// `policy` may also be followed by a name.
fn begins_section(word: &str, next: T) -> bool {
    let may_follow = next == T::LBrace || (word == "policy" && next == T::Name);
    may_follow && words::SECTION.contains(&word)
}
