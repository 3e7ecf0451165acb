//! Statements and items of LANGUAGE.md section 2, transcribed rule by rule.

use ag_lang::syntax::ast::IntrinsicKind;
use ag_lang::syntax::token::TokenKind as T;
use chumsky::Parser;
use chumsky::recursive::Recursive;

use crate::terms::{Place, Terms, at_name, effect, effects};
use crate::tokens::{
    Later, P, Tok, ahead, alt, commas, curly, list, many, name, not, one, opt, round, run, sep,
    seq, t, word, words,
};

const PLAIN: Place = Place { head: false, contract: false };
const CONTRACT: Place = Place { head: false, contract: true };

/// Whether the grammar derives this program.
pub fn accepts(tokens: &[Tok<'_>]) -> bool {
    program().parse(tokens).into_output().is_some()
}

fn program<'a>() -> P<'a> {
    let terms = Terms::new();
    let stmt: Later<'a> = Recursive::declare();
    let rules = Rules { terms, stmt };
    rules.terms.block.clone().define(seq([sep(), curly(list(rules.stmt()))]));
    rules.stmt.clone().define(rules.stmt_rule());
    list(alt([rules.item(), rules.stmt(), t(T::Command)]))
}

#[derive(Clone)]
struct Rules<'a> {
    terms: Terms<'a>,
    stmt: Later<'a>,
}

impl<'a> Rules<'a> {
    fn stmt(&self) -> P<'a> {
        self.stmt.clone().boxed()
    }

    fn expr(&self) -> P<'a> {
        self.terms.plain()
    }

    fn head(&self) -> P<'a> {
        self.terms.head(false)
    }

    fn stmt_rule(&self) -> P<'a> {
        let (expr, pattern, block) = (self.expr(), self.terms.pattern(), self.terms.block());
        let declared = one(&[T::ColonEq, T::Eq]);
        let otherwise = opt(seq([t(T::Else), self.diverge()]));
        let ty = opt(seq([t(T::Colon), self.terms.ty()]));
        let binding = seq([
            one(&[T::Let, T::Var]),
            pattern.clone(),
            ty,
            declared,
            expr.clone(),
            otherwise.clone(),
        ]);
        let declare = seq([name(), t(T::ColonEq), expr.clone()]);
        let require = seq([t(T::Require), expr.clone(), otherwise]);
        let assert = seq([t(T::Assert), expr.clone(), opt(seq([t(T::Comma), expr.clone()]))]);
        let each =
            seq([t(T::For), pattern, t(T::In), self.head(), self.loop_specs(), block.clone()]);
        let cond = self.terms.cond(PLAIN);
        let repeat = seq([t(T::While), cond, self.loop_specs(), block.clone()]);
        let endless = seq([t(T::Loop), block]);
        let function = self.function();
        let simple = alt([self.leave(), binding, declare, require, assert, each, repeat, endless]);
        alt([simple, self.hint(), self.label(), function, self.terms.assignment(), expr])
    }

    /// `return`, `break`, `continue`
    fn leave(&self) -> P<'a> {
        let ends = one(&[T::Sep, T::Comma, T::Semi, T::RBrace, T::RParen, T::RBracket]);
        let value = seq([not(alt([ends, chumsky::primitive::end().boxed()])), self.expr()]);
        alt([seq([t(T::Return), opt(value)]), one(&[T::Break, T::Continue])])
    }

    fn diverge(&self) -> P<'a> {
        alt([self.leave(), seq([ahead(t(T::LBrace)), self.terms.block()])])
    }

    fn loop_specs(&self) -> P<'a> {
        many(seq([sep(), words(&["invariant", "decreases"]), self.terms.head(true)]))
    }

    fn hint(&self) -> P<'a> {
        let hint = at_name(|kind, _| kind == IntrinsicKind::Hint);
        seq([t(T::At), hint, opt(self.terms.args(PLAIN))])
    }

    fn label(&self) -> P<'a> {
        seq([t(T::At), at_name(|kind, _| kind == IntrinsicKind::Label), name()])
    }

    fn item(&self) -> P<'a> {
        let plain = alt([
            self.function(),
            self.structure(),
            self.enumeration(),
            self.alias(),
            self.agent("agent"),
            self.agent("orchestration"),
            self.tool(),
            seq([word("lane"), name(), self.config()]),
            seq([word("policy"), name(), self.rules()]),
            self.import(),
            self.test(),
            self.theorem(),
        ]);
        seq([self.attrs(), plain])
    }

    /// `attr*`; `@simd` is one only directly before a function.
    fn attrs(&self) -> P<'a> {
        let args = opt(self.terms.args(PLAIN));
        let attribute = at_name(|kind, _| kind == IntrinsicKind::Attribute);
        let attribute = seq([t(T::At), attribute, args.clone(), sep()]);
        let simd = seq([t(T::At), at_name(|_, also| also), args, sep()]);
        let chain = many(alt([attribute.clone(), simd]));
        alt([seq([chain, ahead(t(T::Function))]), seq([many(attribute), not(t(T::At))])])
    }

    fn generics(&self) -> P<'a> {
        let bounds = seq([name(), many(seq([t(T::Plus), name()]))]);
        let param = seq([name(), opt(seq([t(T::Colon), bounds]))]);
        opt(seq([t(T::Lt), commas(param), t(T::Gt)]))
    }

    /// `self` comes first (E0115).
    fn params(&self) -> P<'a> {
        let by_self =
            seq([opt(words(&["iso", "val", "ref", "tag"])), word("self"), not(t(T::Colon))]);
        let param = self.field();
        let separators = many(one(&[T::Sep, T::Comma, T::Semi]));
        let closed = ahead(t(T::RParen));
        let after_self = alt([
            closed,
            seq([one(&[T::Sep, T::Comma, T::Semi]), separators, list(param.clone())]),
        ]);
        round(alt([seq([by_self, after_self]), list(param)]))
    }

    /// `NAME ":" type ("=" expr)?`
    fn field(&self) -> P<'a> {
        seq([name(), t(T::Colon), self.terms.ty(), opt(seq([t(T::Eq), self.expr()]))])
    }

    fn ret(&self) -> P<'a> {
        opt(seq([one(&[T::Arrow, T::Colon]), self.terms.ty()]))
    }

    fn contract(&self) -> P<'a> {
        let head = self.terms.head(true);
        let clause = seq([words(&["requires", "ensures", "decreases"]), head]);
        seq([sep(), alt([clause, seq([word("by"), self.proof()])])])
    }

    fn contracts_and_uses(&self) -> P<'a> {
        many(alt([seq([sep(), word("uses"), effects()]), self.contract()]))
    }

    /// Tactic arguments are heads: a `{` after them begins the function's block.
    fn proof(&self) -> P<'a> {
        let ends = alt([word("using"), t(T::LBrace)]);
        let arg = seq([not(ends), self.terms.head(true)]);
        let using = opt(seq([word("using"), commas(name())]));
        let tactic = seq([name(), many(arg), using]);
        alt([curly(list(tactic.clone())), tactic])
    }

    fn function(&self) -> P<'a> {
        let head = seq([t(T::Function), name(), self.generics(), self.params(), self.ret()]);
        seq([head, self.contracts_and_uses(), self.terms.block()])
    }

    fn method(&self) -> P<'a> {
        let head = seq([t(T::Function), name(), self.params(), self.ret()]);
        seq([head, many(self.contract()), opt(self.terms.block())])
    }

    fn structure(&self) -> P<'a> {
        let function = seq([self.attrs(), self.function()]);
        let members = alt([run(function), self.invariant(), self.field()]);
        seq([t(T::Struct), name(), self.generics(), sep(), curly(list(members))])
    }

    fn invariant(&self) -> P<'a> {
        seq([word("invariant"), not(t(T::Colon)), self.terms.expr(CONTRACT)])
    }

    fn enumeration(&self) -> P<'a> {
        let field = seq([opt(seq([name(), t(T::Colon)])), self.terms.ty()]);
        let variant = seq([name(), opt(round(list(field)))]);
        let function = seq([self.attrs(), self.function()]);
        seq([
            t(T::Enum),
            name(),
            self.generics(),
            sep(),
            curly(list(alt([run(function), variant]))),
        ])
    }

    fn alias(&self) -> P<'a> {
        seq([word("type"), name(), self.generics(), t(T::Eq), self.terms.ty()])
    }

    fn import(&self) -> P<'a> {
        let file = seq([t(T::Text), opt(seq([t(T::As), name()]))]);
        let names = seq([curly(list(name())), word("from"), t(T::Text)]);
        let server = seq([word("mcp"), t(T::Text), t(T::As), name()]);
        seq([t(T::Import), alt([file, names, server])])
    }

    fn tool(&self) -> P<'a> {
        let method = seq([self.attrs(), self.method()]);
        let members = curly(list(alt([method, self.field()])));
        let provides = opt(seq([t(T::Colon), name()]));
        seq([word("tool"), name(), opt(self.params()), provides, sep(), members])
    }

    fn config(&self) -> P<'a> {
        seq([sep(), self.terms.record(PLAIN)])
    }

    fn rules(&self) -> P<'a> {
        let condition = opt(seq([word("where"), self.expr()]));
        let rule = seq([words(&["allow", "ask", "deny"]), effect(), condition]);
        seq([sep(), curly(list(rule))])
    }

    fn test(&self) -> P<'a> {
        let options = opt(seq([word("with"), self.config()]));
        seq([word("test"), t(T::Text), options, self.terms.block()])
    }

    fn theorem(&self) -> P<'a> {
        let head = seq([words(&["theorem", "lemma"]), name(), self.generics(), self.params()]);
        seq([head, many(self.contract())])
    }

    fn agent(&self, keyword: &'static str) -> P<'a> {
        let fields = || curly(list(self.field()));
        let members = alt([
            seq([words(&["skills", "tools"]), fields()]),
            seq([words(&["memory", "cost_policy"]), ahead(t(T::LBrace)), self.config()]),
            seq([word("policy"), ahead(t(T::LBrace)), self.rules()]),
            seq([word("policy"), name()]),
            seq([word("state"), curly(list(alt([self.invariant(), self.field()])))]),
            seq([self.attrs(), self.behavior()]),
            seq([self.attrs(), self.function()]),
        ]);
        let members = match keyword {
            "orchestration" => alt([run(members), self.stmt()]),
            _ => run(members),
        };
        seq([word(keyword), name(), opt(self.params()), sep(), curly(list(members))])
    }

    fn behavior(&self) -> P<'a> {
        let kind = words(&["behavior", "decision", "critical_section", "alert"]);
        let head = seq([kind, name(), self.params(), self.ret()]);
        seq([head, self.contracts_and_uses(), self.terms.block()])
    }
}
