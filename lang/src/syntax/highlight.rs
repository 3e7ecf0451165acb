//! Classes of the pieces of a text, for colouring. Works on any text; says nothing about colours.

use crate::source::Span;
use crate::syntax::lexer::{self, SourceKind};
use crate::syntax::token::{Token, TokenKind as T};
use crate::syntax::words;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    Keyword,
    Number,
    Text,
    Comment,
    DocComment,
    /// `@name`
    Intrinsic,
    /// A name that begins with a capital.
    Type,
    /// A name that is called or declared as a function.
    Function,
    Name,
    /// `$name`, `${` and `}` in text.
    Hole,
    Operator,
    Bracket,
    /// A session command line.
    Command,
    Error,
}

/// The pieces of a cell in order; blanks and line breaks lie between.
pub fn highlight(source: &str) -> Vec<(Span, Class)> {
    let tokens = lexer::lex(source, SourceKind::Cell).tokens;
    let mut pieces: Vec<(Span, Class)> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != T::Newline && !token.span.is_empty() {
            pieces.push((token.span, class(source, &tokens, at, token)));
        }
    }
    pieces
}

fn class(source: &str, tokens: &[Token], at: usize, token: &Token) -> Class {
    let before =
        at.checked_sub(1).and_then(|at| tokens.get(at)).map_or(T::Newline, |token| token.kind);
    let after = tokens.get(at + 1).map_or(T::Newline, |token| token.kind);
    match token.kind {
        T::Name => name(token.span.text(source), before, after),
        T::At => Class::Intrinsic,
        kind if kind.is_keyword() && before == T::At => Class::Intrinsic,
        kind if kind.is_keyword() => Class::Keyword,
        T::Number | T::Money => Class::Number,
        T::Text | T::TripleText | T::TemplateStart | T::TemplateText | T::TemplateEnd => {
            Class::Text
        }
        T::HoleName | T::HoleStart | T::HoleEnd => Class::Hole,
        T::Comment | T::BlockComment => Class::Comment,
        T::DocComment => Class::DocComment,
        T::Command => Class::Command,
        T::Unknown | T::PastedAmp => Class::Error,
        T::LParen | T::RParen | T::LBracket | T::RBracket | T::LBrace | T::RBrace => Class::Bracket,
        T::Comma | T::Semi => Class::Bracket,
        _ => Class::Operator,
    }
}

/// Names by their neighbours: good enough for colours, decided without a tree.
fn name(text: &str, before: T, after: T) -> Class {
    let starts = matches!(before, T::Newline | T::LBrace | T::RBrace | T::Semi | T::Comma);
    let declares = after == T::Name || after == T::Text;
    let section = after == T::LBrace && words::SECTION.contains(&text);
    match text {
        _ if before == T::At => Class::Intrinsic,
        _ if starts && section => Class::Keyword,
        "test" if starts && declares => Class::Keyword,
        _ if starts
            && declares
            && (words::ITEM.contains(&text) || words::BEHAVIOR.contains(&text)) =>
        {
            Class::Keyword
        }
        "allow" | "ask" | "deny" if starts && after == T::Name => Class::Keyword,
        _ if starts
            && words::CONTRACT.contains(&text)
            && !matches!(after, T::Colon | T::ColonEq) =>
        {
            Class::Keyword
        }
        "self" => Class::Keyword,
        _ if text.starts_with(char::is_uppercase) => Class::Type,
        _ if after == T::LParen || before == T::Function => Class::Function,
        _ => Class::Name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, highlight};

    #[test]
    fn classes_of_a_cell() {
        let source = ":cost\nagent A { state { n : Int = 0 } } // c\n@spawn(A, $0.10, \"x $n\")\nlet memory := f(1)";
        let found: Vec<(&str, Class)> =
            highlight(source).into_iter().map(|(span, class)| (span.text(source), class)).collect();
        let class =
            |text: &str| found.iter().find(|(found, _)| *found == text).map(|(_, class)| *class);
        assert_eq!(class(":cost"), Some(Class::Command));
        assert_eq!(class("agent"), Some(Class::Keyword));
        assert_eq!(class("A"), Some(Class::Type));
        assert_eq!(class("state"), Some(Class::Keyword));
        assert_eq!(class("// c"), Some(Class::Comment));
        assert_eq!(class("spawn"), Some(Class::Intrinsic));
        assert_eq!(class("$0.10"), Some(Class::Number));
        assert_eq!(class("$n"), Some(Class::Hole));
        assert_eq!(class("memory"), Some(Class::Name));
        assert_eq!(class("f"), Some(Class::Function));
    }
}
