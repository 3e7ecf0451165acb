//! W0108: `5 // 2`, where what was meant as a division is a comment.
//!
//! It looks at tokens only. Never: at comments with a word in them, and at calls that a result is noted behind:
//! `print(f(2)) // 4`.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::token::{Token, TokenKind as T};

/// One warning for each comment that is a whole number and stands directly behind an operand.
pub fn warn(source: &str, tokens: &[Token], out: &mut Vec<Diagnostic>) {
    for (at, comment) in tokens.iter().enumerate().skip(1) {
        if comment.kind != T::Comment {
            continue;
        }
        let Some(before) = tokens.get(..at) else { continue };
        let Some(number) = divisor(comment.span.text(source)) else { continue };
        let gap = before.last().map_or(0, |last| comment.span.start - last.span.end);
        if gap > 1 || !is_divided(before) {
            continue;
        }
        let slashes = Span::new(comment.span.start, comment.span.start + 2);
        let message = "`//` begins a comment: nothing is divided";
        let note = "two Ints divided by `/` give an Int, rounded toward zero; `%` is the remainder";
        out.push(Diagnostic::new(codes::W0108, comment.span, message).note(note).fix(
            format!("divide by {number}"),
            slashes,
            "/",
        ));
    }
}

/// Whether what the tokens end in is an operand; that of a line which only calls something is none.
fn is_divided(before: &[Token]) -> bool {
    let kind = |token: &Token| token.kind;
    match before.last().map(kind) {
        Some(T::Number | T::Money | T::Name | T::RBracket) => true,
        Some(T::RParen) => {
            let line = before.rsplit(|token| token.kind == T::Newline).next().unwrap_or(&[]);
            let assigns = |token: &Token| matches!(token.kind, T::ColonEq | T::Eq | T::Return);
            line.iter().any(assigns) || line.first().map(kind) == Some(T::LParen)
        }
        _ => false,
    }
}

/// The whole number that the first part of a comment is; what a second comment behind it says does not matter.
fn divisor(comment: &str) -> Option<&str> {
    let number = comment.strip_prefix("//")?.split("//").next().unwrap_or("").trim();
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '_');
    is_number.then_some(number)
}
