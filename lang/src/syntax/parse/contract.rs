//! What stands between a signature and its block: effects, contracts, proofs.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::ExprId;
use crate::syntax::item::{Contract, ContractKind, EffectPath, Tactic};
use crate::syntax::parse::Parser;
use crate::syntax::parse::signature::Clauses;
use crate::syntax::token::TokenKind as T;
use crate::syntax::words;

impl Parser<'_> {
    /// `(uses | contract)*`
    pub(super) fn contracts(
        &mut self,
        clauses: Clauses,
    ) -> (Option<Vec<EffectPath>>, Vec<Contract>) {
        let mut uses = None;
        let mut contracts = Vec::new();
        while self.at_contract() {
            self.eat(T::Sep);
            let start = self.start();
            let word = self.nth_text(0);
            self.bump();
            let kind = match word {
                "uses" => {
                    if clauses == Clauses::Contracts {
                        let message = "only functions and behaviors have `uses`";
                        let span = Span::new(start, self.previous_end());
                        self.report(Diagnostic::new(codes::E0101, span, message));
                    }
                    let found = self.effects();
                    uses.get_or_insert_with(Vec::new).extend(found);
                    continue;
                }
                "requires" => ContractKind::Requires(self.contract_head()),
                "ensures" => ContractKind::Ensures(self.contract_head()),
                "decreases" => ContractKind::Decreases(self.contract_head()),
                _ => ContractKind::By(self.proof()),
            };
            contracts.push(Contract { kind, span: self.since(start) });
        }
        (uses, contracts)
    }

    fn at_contract(&self) -> bool {
        let n = usize::from(self.at(T::Sep));
        let declares =
            matches!(self.nth(n + 1), T::Colon | T::ColonEq | T::Eq | T::Dot | T::FatArrow);
        let word = self.nth_text(n);
        self.nth(n) == T::Name && words::CONTRACT.contains(&word) && !declares
    }

    /// A head in which quantifiers and implications are allowed.
    pub(super) fn contract_head(&mut self) -> ExprId {
        let outer = std::mem::replace(&mut self.in_contract, true);
        let start = self.start();
        let head = self.head();
        self.in_contract = outer;
        self.keep_text(head, start);
        head
    }

    /// The same without the restriction of heads: `invariant` of a struct or state.
    pub(super) fn contract_expr(&mut self) -> ExprId {
        let outer = std::mem::replace(&mut self.in_contract, true);
        let start = self.start();
        let expr = self.expr();
        self.in_contract = outer;
        self.keep_text(expr, start);
        expr
    }

    /// A clause is told with its text when it does not hold.
    fn keep_text(&mut self, clause: ExprId, start: u32) {
        let text = Span::new(start, self.previous_end().max(start)).text(self.source);
        let words: Vec<&str> = text.split_whitespace().collect();
        self.body.clauses.push((clause, words.join(" ").into()));
    }

    /// `effect ("," effect)*`; `none` is the empty set.
    pub(super) fn effects(&mut self) -> Vec<EffectPath> {
        let mut effects = vec![self.effect()];
        while self.at(T::Comma) && self.nth(1) == T::Name {
            self.bump();
            effects.push(self.effect());
        }
        let is_none = |effect: &EffectPath| {
            effect.segments.len() == 1 && effect.segments.iter().all(|name| name.name == "none")
        };
        effects.retain(|effect| !is_none(effect));
        effects
    }

    pub(super) fn effect(&mut self) -> EffectPath {
        let start = self.start();
        let mut segments = vec![self.ident("the name of an effect")];
        while self.eat(T::Dot) {
            segments.push(self.ident("the name of an effect"));
        }
        EffectPath { segments, span: self.since(start) }
    }

    /// `proof = "{" List(tactic) "}" | tactic`
    fn proof(&mut self) -> Vec<Tactic> {
        if !self.at(T::LBrace) {
            return vec![self.tactic()];
        }
        let scope = self.enter();
        let mut tactics = Vec::new();
        self.list("a tactic", |parser| {
            let tactic = parser.tactic();
            tactics.push(tactic);
        });
        self.leave(scope);
        tactics
    }

    /// `tactic = NAME (NAME | expr)* ("using" NAME ("," NAME)*)?`
    fn tactic(&mut self) -> Tactic {
        let start = self.start();
        let name = self.ident("a tactic");
        let mut args = Vec::new();
        while self.starts_argument() && !self.at_word("using") {
            args.push(self.contract_head());
        }
        let mut using = Vec::new();
        if self.eat_word("using") {
            using.push(self.ident("the name of a theorem"));
            while self.at(T::Comma) && self.nth(1) == T::Name {
                self.bump();
                using.push(self.take_ident());
            }
        }
        Tactic { name, args, using, span: self.since(start) }
    }

    /// An argument of a tactic begins here. Not `{`, which begins the block of the function.
    fn starts_argument(&self) -> bool {
        matches!(
            self.peek(),
            T::Name
                | T::Number
                | T::Money
                | T::Text
                | T::TemplateStart
                | T::True
                | T::False
                | T::At
                | T::If
                | T::Match
                | T::Await
                | T::Try
                | T::LParen
                | T::LBracket
                | T::Minus
                | T::Bang
        )
    }
}
