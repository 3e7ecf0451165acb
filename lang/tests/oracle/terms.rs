//! Types, patterns and expressions of LANGUAGE.md section 2, transcribed rule by rule.

use ag_lang::syntax::ast::IntrinsicKind;
use ag_lang::syntax::intrinsics;
use ag_lang::syntax::token::TokenKind as T;
use chumsky::Parser;
use chumsky::recursive::Recursive;

use crate::tokens::{
    Later, P, Tok, ahead, alt, commas, curly, list, many, name, not, one, opt, round, seq, square,
    t, upper, when, word, words,
};

/// Where an expression stands: at the top level of a head, and in a contract.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub head: bool,
    pub contract: bool,
}

/// The recursive rules.
#[derive(Clone)]
pub struct Terms<'a> {
    exprs: [Later<'a>; 4],
    ty: Later<'a>,
    pattern: Later<'a>,
    pub block: Later<'a>,
}

impl<'a> Terms<'a> {
    /// All rules but `block`, which the caller defines.
    pub fn new() -> Terms<'a> {
        let declare = Recursive::declare;
        let exprs = [declare(), declare(), declare(), declare()];
        let terms = Terms {
            exprs,
            ty: Recursive::declare(),
            pattern: Recursive::declare(),
            block: Recursive::declare(),
        };
        for head in [false, true] {
            for contract in [false, true] {
                let place = Place { head, contract };
                terms.exprs[index(place)].clone().define(terms.expr_rule(place));
            }
        }
        terms.ty.clone().define(terms.type_rule());
        terms.pattern.clone().define(terms.pattern_rule(false));
        terms
    }

    pub fn expr(&self, place: Place) -> P<'a> {
        self.exprs[index(place)].clone().boxed()
    }

    pub fn plain(&self) -> P<'a> {
        self.expr(Place { head: false, contract: false })
    }

    pub fn head(&self, contract: bool) -> P<'a> {
        self.expr(Place { head: true, contract })
    }

    pub fn ty(&self) -> P<'a> {
        self.ty.clone().boxed()
    }

    pub fn pattern(&self) -> P<'a> {
        self.pattern.clone().boxed()
    }

    pub fn block(&self) -> P<'a> {
        self.block.clone().boxed()
    }

    /// `type = cap? basic "?"?`
    fn type_rule(&self) -> P<'a> {
        let ty = self.ty();
        let field = seq([name(), t(T::Colon), ty.clone()]);
        let named = seq([
            name(),
            opt(seq([t(T::Dot), name()])),
            opt(seq([t(T::Lt), commas(ty.clone()), t(T::Gt)])),
        ]);
        let bounded = round(seq([ty.clone(), word("uses"), effects()]));
        let function = seq([round(list(ty.clone())), t(T::Arrow), ty.clone()]);
        let record = curly(list(field.clone()));
        let basic = alt([bounded, function, round(list(ty)), record, named]);
        let record_ahead = seq([t(T::LBrace), name(), t(T::Colon)]);
        let typed = ahead(alt([name(), t(T::LParen), record_ahead]));
        let cap = seq([words(&["iso", "val", "ref", "tag"]), typed]);
        seq([opt(cap), basic, opt(t(T::Question))])
    }

    /// `pattern = alt ("|" alt)*`; directly after `is` in a head no record (L-31).
    fn pattern_rule(&self, head: bool) -> P<'a> {
        let pattern = self.pattern();
        let literal = one(&[T::Number, T::Money, T::Text, T::True, T::False]);
        let literal = seq([not(when(|token| token.min_int)), literal]);
        let negative = seq([t(T::Minus), one(&[T::Number, T::Money])]);
        let end = alt([literal.clone(), negative.clone()]);
        let range = seq([end.clone(), one(&[T::DotDot, T::DotDotEq]), end]);
        let field = alt([t(T::DotDot), seq([name(), opt(seq([t(T::Colon), pattern.clone()]))])]);
        let fields = curly(list(field));
        let record = seq([opt(upper()), fields]);
        let record =
            if head { seq([record, not(chumsky::primitive::empty().boxed())]) } else { record };
        let args = opt(round(list(pattern.clone())));
        let variant = seq([upper(), opt(seq([t(T::Dot), name()])), args]);
        let lower =
            when(|token| token.kind == T::Name && !token.text.starts_with(char::is_uppercase));
        let element = alt([seq([t(T::DotDot), opt(name())]), pattern.clone()]);
        let tuple = round(list(pattern));
        let all =
            alt([range, literal, negative, record, variant, lower, tuple, square(list(element))]);
        seq([all.clone(), many(seq([t(T::Pipe), all]))])
    }

    /// `expr = lambda | implies`
    fn expr_rule(&self, place: Place) -> P<'a> {
        let param = seq([name(), opt(seq([t(T::Colon), self.ty()]))]);
        let params = alt([name(), round(list(param))]);
        let lambda = seq([params, t(T::FatArrow), self.block_or(self.expr(place))]);
        alt([lambda, self.implies(place)])
    }

    /// After `=>`: a block, or what is given, by L-32.
    pub fn block_or(&self, other: P<'a>) -> P<'a> {
        let block = seq([not(record_ahead()), ahead(t(T::LBrace)), self.block()]);
        let other = seq([not(seq([not(record_ahead()), t(T::LBrace)])), other]);
        alt([block, other])
    }

    pub fn implies(&self, place: Place) -> P<'a> {
        let or = self.or_level(place);
        let coalesce = seq([or.clone(), many(seq([t(T::Coalesce), or]))]);
        if !place.contract {
            return coalesce;
        }
        seq([coalesce.clone(), many(seq([one(&[T::Implies, T::Iff]), coalesce]))])
    }

    fn or_level(&self, place: Place) -> P<'a> {
        let range = self.range(place);
        let operators = one(&[T::EqEq, T::BangEq, T::Lt, T::Le, T::Gt, T::Ge, T::In]);
        let pattern = if place.head { self.pattern_rule(true) } else { self.pattern() };
        let compared = alt([seq([operators, range.clone()]), seq([t(T::Is), pattern])]);
        let cmp = seq([range, opt(compared)]);
        let and = seq([cmp.clone(), many(seq([t(T::AndAnd), cmp]))]);
        seq([and.clone(), many(seq([t(T::OrOr), and]))])
    }

    pub fn range(&self, place: Place) -> P<'a> {
        let unary = self.unary(place);
        let product =
            seq([unary.clone(), many(seq([one(&[T::Star, T::Slash, T::Percent]), unary]))]);
        let sum = seq([product.clone(), many(seq([one(&[T::Plus, T::Minus]), product]))]);
        seq([sum.clone(), opt(seq([one(&[T::DotDot, T::DotDotEq]), sum]))])
    }

    /// `unary = ("-" | "!" | "try") unary | cast`, written as a run of prefixes.
    fn unary(&self, place: Place) -> P<'a> {
        let awaited = seq([many(t(T::Await)), self.postfix(place)]);
        // After `as`, `<` opens type arguments: a type is not taken without them to compare with the rest.
        let target = seq([self.ty(), not(t(T::Lt))]);
        let cast = seq([awaited, many(seq([t(T::As), opt(t(T::Question)), target]))]);
        let block = seq([not(record_ahead()), t(T::LBrace)]);
        let prefix = alt([one(&[T::Minus, T::Bang]), seq([t(T::Try), not(block)])]);
        let least = seq([
            many(seq([prefix.clone(), not(when(|t| t.min_int))])),
            t(T::Minus),
            when(|t| t.min_int),
        ]);
        alt([least, seq([many(prefix), cast])])
    }

    fn postfix(&self, place: Place) -> P<'a> {
        let after = alt([
            seq([t(T::Dot), alt([name(), when(|token| token.int)])]),
            self.args(place),
            square(self.inner(place)),
            t(T::Question),
        ]);
        seq([self.primary(place), many(after)])
    }

    /// An expression inside brackets.
    fn inner(&self, place: Place) -> P<'a> {
        self.expr(Place { head: false, contract: place.contract })
    }

    pub fn args(&self, place: Place) -> P<'a> {
        let by_ref = seq([word("ref"), ahead(name())]);
        round(list(seq([opt(seq([name(), t(T::Colon)])), opt(by_ref), self.inner(place)])))
    }

    fn primary(&self, place: Place) -> P<'a> {
        let inner = self.inner(place);
        let literal = one(&[T::Number, T::Money, T::Text, T::True, T::False]);
        let literal = seq([not(when(|token| token.min_int)), literal]);
        let mut all = vec![literal, template(inner.clone())];
        if place.contract {
            all.push(self.quantifier(place));
        }
        if !place.head {
            all.push(self.struct_literal(place));
        }
        let attempt = seq([t(T::Try), not(record_ahead()), ahead(t(T::LBrace)), self.block()]);
        all.extend([name(), round(list(inner.clone())), square(list(inner.clone()))]);
        all.extend([self.record(place), self.map(place)]);
        all.extend([self.if_expr(place), self.match_expr(place), attempt, self.intrinsic(place)]);
        chumsky::primitive::choice(all).boxed()
    }

    fn quantifier(&self, place: Place) -> P<'a> {
        let range = self.expr(place);
        let domain = Later::declare();
        let domain_rule = domain.clone();
        let _ = range;
        let binder =
            seq([name(), alt([seq([t(T::Colon), self.ty()]), seq([t(T::In), domain.boxed()])])]);
        let mut domain = domain_rule;
        domain.define(self.lazy_range(place));
        seq([words(&["forall", "exists"]), commas(binder), t(T::FatArrow), self.expr(place)])
    }

    /// `range` without unfolding the rule into itself.
    fn lazy_range(&self, place: Place) -> P<'a> {
        let terms = self.clone();
        chumsky::primitive::custom(move |input| {
            let range = terms.range(place);
            input.parse(range)
        })
        .boxed()
    }

    fn struct_literal(&self, place: Place) -> P<'a> {
        let inner = self.inner(place);
        let element = alt([
            seq([name(), t(T::Colon), inner.clone()]),
            seq([t(T::DotDot), inner]),
            seq([name(), not(t(T::Colon))]),
        ]);
        seq([upper(), opt(seq([t(T::Dot), upper()])), curly(list(element))])
    }

    pub fn record(&self, place: Place) -> P<'a> {
        curly(list(seq([name(), t(T::Colon), self.inner(place)])))
    }

    fn map(&self, place: Place) -> P<'a> {
        let inner = self.inner(place);
        let key = alt([t(T::Text), template(inner.clone()), round(inner.clone())]);
        curly(list(seq([key, t(T::Colon), inner])))
    }

    pub fn cond(&self, place: Place) -> P<'a> {
        let head = self.expr(Place { head: true, ..place });
        let binding = seq([t(T::Let), self.pattern(), one(&[T::ColonEq, T::Eq]), head.clone()]);
        alt([binding, head])
    }

    fn if_expr(&self, place: Place) -> P<'a> {
        let branch = seq([t(T::If), self.cond(place), self.block()]);
        let more = many(seq([t(T::Else), branch.clone()]));
        seq([branch, more, opt(seq([t(T::Else), self.block()]))])
    }

    fn match_expr(&self, place: Place) -> P<'a> {
        let inside = Place { head: false, contract: place.contract };
        let terms = self.clone();
        let guard =
            chumsky::primitive::custom(move |input| input.parse(terms.implies(inside))).boxed();
        let guard = opt(seq([t(T::If), guard]));
        let body = self.block_or(self.stmt_expr(place));
        let arm = seq([self.pattern(), guard, t(T::FatArrow), body]);
        let head = self.expr(Place { head: true, ..place });
        seq([t(T::Match), head, crate::tokens::sep(), curly(list(arm))])
    }

    /// `stmt_expr`; the place of an assignment comes first, an expression is also its start.
    fn stmt_expr(&self, place: Place) -> P<'a> {
        let inner = self.inner(place);
        let ends = one(&[T::Sep, T::Comma, T::Semi, T::RBrace, T::RParen, T::RBracket]);
        let value = seq([not(alt([ends, chumsky::primitive::end().boxed()])), inner.clone()]);
        let leave = alt([seq([t(T::Return), opt(value)]), one(&[T::Break, T::Continue])]);
        alt([leave, self.assignment(), inner])
    }

    /// `place op expr`
    pub fn assignment(&self) -> P<'a> {
        let step = alt([seq([t(T::Dot), name()]), square(self.plain())]);
        let operators = one(&[T::Eq, T::PlusEq, T::MinusEq, T::StarEq, T::SlashEq, T::PercentEq]);
        seq([name(), many(step), operators, self.plain()])
    }

    fn intrinsic(&self, place: Place) -> P<'a> {
        let of = |kind| seq([t(T::At), at_name(move |found, _| found == kind)]);
        let call = seq([of(IntrinsicKind::Call), self.args(place)]);
        let block = seq([of(IntrinsicKind::Block), opt(self.args(place)), self.block()]);
        alt([call, block])
    }
}

fn index(place: Place) -> usize {
    usize::from(place.head) * 2 + usize::from(place.contract)
}

/// A name of the table whose kind passes; `await` is reserved and one of them.
pub fn at_name<'a>(test: impl Fn(IntrinsicKind, bool) -> bool + 'a) -> P<'a> {
    when(move |token: &Tok<'_>| {
        let named = token.kind == T::Name || token.kind == T::Await;
        named
            && intrinsics::lookup(token.text).is_some_and(|row| test(row.kind, row.also_attribute))
    })
}

/// `effect ("," effect)*`
pub fn effects<'a>() -> P<'a> {
    commas(effect())
}

pub fn effect<'a>() -> P<'a> {
    seq([name(), many(seq([t(T::Dot), name()]))])
}

/// L-32: `{` before `NAME :` or `TEXT :`.
fn record_ahead<'a>() -> P<'a> {
    let inside = crate::tokens::P::clone(&many(
        not(t(T::TemplateEnd)).ignore_then(chumsky::primitive::any().ignored()).boxed(),
    ));
    let templated = seq([t(T::TemplateStart), inside, t(T::TemplateEnd)]);
    ahead(seq([t(T::LBrace), alt([name(), t(T::Text), templated]), t(T::Colon)]))
}

/// Text with holes.
fn template(inner: P<'_>) -> P<'_> {
    let reserved = |text: &str| {
        let mut lexer = ag_lang::syntax::lexer::lex(text, ag_lang::syntax::lexer::SourceKind::File);
        lexer.tokens.pop().is_some_and(|token| token.kind.is_keyword())
    };
    let named =
        when(move |token: &Tok<'_>| token.kind == T::HoleName && !reserved(&token.text[1..]));
    let hole = seq([t(T::HoleStart), inner, crate::tokens::sep(), t(T::HoleEnd)]);
    seq([t(T::TemplateStart), many(alt([t(T::TemplateText), named, hole])), t(T::TemplateEnd)])
}
