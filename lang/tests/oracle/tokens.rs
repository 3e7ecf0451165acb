//! The oracle's alphabet: the parser's tokens with their text, and the small parsers everything is made of.

use ag_lang::syntax::ast::Literal;
use ag_lang::syntax::lexer::{SourceKind, Value, lex};
use ag_lang::syntax::separators::separate;
use ag_lang::syntax::token::TokenKind as T;
use chumsky::primitive::{any, choice, empty};
use chumsky::recursive::{Indirect, Recursive};
use chumsky::{Boxed, Parser, extra};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tok<'a> {
    pub kind: T,
    pub text: &'a str,
    /// 9223372036854775808, which only stands after a minus.
    pub min_int: bool,
    pub int: bool,
}

pub type Input<'a> = &'a [Tok<'a>];
/// A recogniser: it accepts or not, and builds nothing.
pub type P<'a> = Boxed<'a, 'a, Input<'a>, (), extra::Default>;
pub type Later<'a> = Recursive<Indirect<'a, 'a, Input<'a>, (), extra::Default>>;

/// The tokens of a source, or `None` if the lexer reports an error: then there is nothing to compare.
pub fn tokens(source: &str) -> Option<Vec<Tok<'_>>> {
    let lexed = lex(source, SourceKind::Cell);
    if lexed.diagnostics.iter().any(|diagnostic| diagnostic.is_error()) {
        return None;
    }
    let stream = separate(&lexed, source.len());
    let token = |token: &ag_lang::syntax::token::Token| Tok {
        kind: token.kind,
        text: token.span.text(source),
        min_int: matches!(lexed.values.get(token.value as usize), Some(Value::MinInt)),
        int: matches!(
            lexed.values.get(token.value as usize),
            Some(Value::Literal(Literal::Int { .. }))
        ),
    };
    Some(stream.tokens.iter().filter(|token| token.kind != T::End).map(token).collect())
}

pub fn when<'a>(test: impl Fn(&Tok<'a>) -> bool + 'a) -> P<'a> {
    any().filter(test).ignored().boxed()
}

/// A token of this kind.
pub fn t<'a>(kind: T) -> P<'a> {
    when(move |token| token.kind == kind)
}

/// One of these kinds.
pub fn one<'a>(kinds: &'static [T]) -> P<'a> {
    when(move |token| kinds.contains(&token.kind))
}

/// A contextual keyword.
pub fn word<'a>(text: &'static str) -> P<'a> {
    when(move |token| token.kind == T::Name && token.text == text)
}

pub fn words<'a>(texts: &'static [&'static str]) -> P<'a> {
    when(move |token| token.kind == T::Name && texts.contains(&token.text))
}

pub fn name<'a>() -> P<'a> {
    t(T::Name)
}

pub fn upper<'a>() -> P<'a> {
    when(|token| token.kind == T::Name && token.text.starts_with(char::is_uppercase))
}

/// All of them, in order.
pub fn seq<'a, const N: usize>(parts: [P<'a>; N]) -> P<'a> {
    let mut all: P<'a> = empty().boxed();
    for part in parts {
        all = all.then_ignore(part).boxed();
    }
    all
}

/// The first that fits.
pub fn alt<'a, const N: usize>(parts: [P<'a>; N]) -> P<'a> {
    choice(parts.to_vec()).boxed()
}

pub fn opt<'a>(part: P<'a>) -> P<'a> {
    part.or_not().ignored().boxed()
}

pub fn many<'a>(part: P<'a>) -> P<'a> {
    part.repeated().boxed()
}

/// Stands here, but is not taken.
pub fn ahead<'a>(part: P<'a>) -> P<'a> {
    part.rewind().boxed()
}

pub fn not<'a>(part: P<'a>) -> P<'a> {
    part.not().boxed()
}

/// `x ("," x)*`
pub fn commas<'a>(part: P<'a>) -> P<'a> {
    part.clone().then_ignore(many(seq([t(T::Comma), part]))).boxed()
}

/// `List(x) = (x (SEP|",")+)* x?`, with `;` as a separator too.
pub fn list<'a>(part: P<'a>) -> P<'a> {
    let separators = one(&[T::Sep, T::Comma, T::Semi]).repeated().at_least(1);
    part.separated_by(separators).allow_trailing().boxed()
}

/// Elements that end in `}`: none of them needs a separator before the next one.
pub fn run<'a>(part: P<'a>) -> P<'a> {
    let separators = many(one(&[T::Sep, T::Comma, T::Semi]));
    seq([part.clone(), many(seq([separators, part]))])
}

pub fn round<'a>(inside: P<'a>) -> P<'a> {
    seq([t(T::LParen), inside, t(T::RParen)])
}

pub fn square<'a>(inside: P<'a>) -> P<'a> {
    seq([t(T::LBracket), inside, t(T::RBracket)])
}

pub fn curly<'a>(inside: P<'a>) -> P<'a> {
    seq([t(T::LBrace), inside, t(T::RBrace)])
}

pub fn sep<'a>() -> P<'a> {
    opt(t(T::Sep))
}
