//! The rule of line breaks (L-4): which of them separate, and which tokens the parser sees at all.
//!
//! Comments go, doc comments are kept beside the token they stand before, line breaks become `Sep` or nothing.

use rustc_hash::FxHashMap;
use std::sync::Arc;

use crate::source::Span;
use crate::syntax::lexer::{Lexed, Value};
use crate::syntax::token::{Token, TokenKind as T};

/// The parser's view of a source.
#[derive(Debug, Default)]
pub struct Stream {
    pub tokens: Vec<Token>,
    /// Doc comments by the index of the token they stand before.
    pub docs: FxHashMap<usize, Arc<str>>,
}

/// Filter the lexer's tokens. The stream ends with an `End` token.
pub fn separate(lexed: &Lexed, len: usize) -> Stream {
    let mut stream = Stream::default();
    let mut newline: Option<Span> = None;
    let mut doc: Vec<&str> = Vec::new();
    for token in &lexed.tokens {
        match token.kind {
            T::Newline => newline = newline.or(Some(token.span)),
            T::DocComment => {
                if let Some(Value::Text(line)) = lexed.values.get(token.value as usize) {
                    doc.push(line);
                }
            }
            kind if kind.is_trivia() => {}
            kind => {
                let before = stream.tokens.last().map_or(T::Sep, |token| token.kind);
                if let Some(span) = newline.take()
                    && separates(before, kind)
                {
                    stream.tokens.push(separator(span));
                }
                if !doc.is_empty() {
                    stream.docs.insert(stream.tokens.len(), Arc::from(doc.join("\n")));
                    doc.clear();
                }
                stream.tokens.push(*token);
            }
        }
    }
    let end = Span::at(u32::try_from(len).unwrap_or(u32::MAX));
    stream.tokens.push(Token { kind: T::End, span: end, value: u32::MAX, line_start: false });
    stream
}

fn separates(before: T, after: T) -> bool {
    before != T::Sep && !before.continues_after() && !after.continues_before()
}

fn separator(span: Span) -> Token {
    Token { kind: T::Sep, span, value: u32::MAX, line_start: false }
}

#[cfg(test)]
mod tests {
    use super::separate;
    use crate::syntax::lexer::{SourceKind, lex};
    use crate::syntax::token::TokenKind as T;

    fn seps(source: &str) -> usize {
        let stream = separate(&lex(source, SourceKind::Cell), source.len());
        stream.tokens.iter().filter(|token| token.kind == T::Sep).count()
    }

    #[test]
    fn the_rule_of_line_breaks() {
        assert_eq!(seps("a\n\n\nb"), 1);
        assert_eq!(seps("a +\nb"), 0);
        assert_eq!(seps("a\n+ b"), 0);
        assert_eq!(seps("a\n- b"), 1);
        assert_eq!(seps("a >\nb"), 1);
        assert_eq!(seps("a\n> b"), 0);
        assert_eq!(seps("f(\na\nb\n)"), 1);
        assert_eq!(seps("x\n.y\n?? z"), 0);
        assert_eq!(seps("[\n1\n..x\n]"), 1);
        assert_eq!(seps("}\nelse {"), 0);
        assert_eq!(seps("let\nx :=\n1"), 0);
        assert_eq!(seps("return\nx"), 1);
        assert_eq!(seps("a // c\n/* d */ b"), 1);
        assert_eq!(seps(":cost\na"), 1);
    }
}
