//! Whether a text is finished: what the terminal and Jupyter ask before they run it.
//!
//! Unfinished is what an open bracket, text or comment, or a parser that reached the end, would still take more for.

use crate::diag::codes;
use crate::syntax::lexer::{self, Lexed, SourceKind};
use crate::syntax::parse;
use crate::syntax::token::{Token, TokenKind as T};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// Can run, or fails for reasons more text does not mend.
    Complete,
    /// Needs more; `indent` are the blanks the next line should begin with.
    Incomplete { indent: String },
    /// Has a mistake that more text at the end cannot mend.
    Invalid,
}

/// Judge a cell.
pub fn is_complete(source: &str) -> Completeness {
    let lexed = lexer::lex(source, SourceKind::Cell);
    if let Some(verdict) = open_text(source, &lexed) {
        return verdict;
    }
    let errors = lexed.diagnostics.iter().any(|diagnostic| diagnostic.is_error());
    match open_brackets(&lexed.tokens) {
        Brackets::Wrong => Completeness::Invalid,
        _ if errors => Completeness::Invalid,
        Brackets::Open { last } => incomplete(source, Some(last)),
        Brackets::Closed => {
            let parsed = parse::parse(source, SourceKind::Cell);
            match parsed.diagnostics.iter().any(|diagnostic| diagnostic.is_error()) {
                true if parsed.ends_early => incomplete(source, None),
                true => Completeness::Invalid,
                false => Completeness::Complete,
            }
        }
    }
}

/// A `"""` text or block comment that is still open takes anything; a `"` text is not mended by another line.
fn open_text(source: &str, lexed: &Lexed) -> Option<Completeness> {
    let open = |code| lexed.diagnostics.iter().find(move |diagnostic| diagnostic.code == code);
    let comment = open(codes::E0004).is_some();
    let text = open(codes::E0002).or(open(codes::E0010));
    let triple = text.is_some_and(|text| {
        let before = source.get(..text.primary.span.end as usize).unwrap_or("");
        before.ends_with("\"\"\"") || (before.ends_with("${") && inside_triple(source, lexed))
    });
    match (comment || triple, text) {
        (true, _) => Some(Completeness::Incomplete { indent: String::new() }),
        (false, Some(_)) => Some(Completeness::Invalid),
        (false, None) => None,
    }
}

/// The last text with holes is a `"""` one.
fn inside_triple(source: &str, lexed: &Lexed) -> bool {
    let start = lexed.tokens.iter().rev().find(|token| token.kind == T::TemplateStart);
    start.is_some_and(|token| token.span.text(source).len() == 3)
}

enum Brackets {
    Closed,
    /// `last` is where the innermost one stands.
    Open {
        last: u32,
    },
    Wrong,
}

fn open_brackets(tokens: &[Token]) -> Brackets {
    let mut open: Vec<(T, u32)> = Vec::new();
    for token in tokens {
        let closing = match token.kind {
            T::LParen => T::RParen,
            T::LBracket => T::RBracket,
            T::LBrace => T::RBrace,
            T::HoleStart => T::HoleEnd,
            kind if matches!(kind, T::RParen | T::RBracket | T::RBrace | T::HoleEnd) => {
                match open.pop() {
                    Some((wanted, _)) if wanted == kind => continue,
                    _ => return Brackets::Wrong,
                }
            }
            _ => continue,
        };
        open.push((closing, token.span.start));
    }
    match open.last() {
        Some((_, last)) => Brackets::Open { last: *last },
        None => Brackets::Closed,
    }
}

/// The next line is indented like the last one, and two more if a bracket opened on it is still open.
fn incomplete(source: &str, open: Option<u32>) -> Completeness {
    let text = source.trim_end();
    let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(line_start..).unwrap_or("");
    let mut indent: String = line.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
    if open.is_some_and(|open| open as usize >= line_start) {
        indent.push_str("  ");
    }
    Completeness::Incomplete { indent }
}

#[cfg(test)]
mod tests {
    use super::{Completeness, is_complete};

    fn more(indent: &str) -> Completeness {
        Completeness::Incomplete { indent: indent.to_owned() }
    }

    #[test]
    fn finished() {
        for text in ["", "1 + 1", "let x := 1\n", "if a { }", "x.", ":cost", "f() { }"] {
            let verdict = is_complete(text);
            assert_ne!(verdict, more("  "), "{text}");
        }
        assert_eq!(is_complete("function f() { return 1 }\nf()"), Completeness::Complete);
        assert_eq!(is_complete("x\n- 1"), Completeness::Complete);
        assert_eq!(is_complete(":budget $2"), Completeness::Complete);
    }

    #[test]
    fn unfinished() {
        assert_eq!(is_complete("function f() {"), more("  "));
        assert_eq!(is_complete("function f() {\n  if a {\n    b"), more("    "));
        assert_eq!(is_complete("function f() {\n  if a {\n    b\n  }\n"), more("  "));
        assert_eq!(is_complete("f(1,"), more("  "));
        for text in
            ["let x :=", "a +", "if a", "function f()", "@hot_path", "\"\"\"a\n", "/* a", "await"]
        {
            assert_eq!(is_complete(text), more(""), "{text}");
        }
        assert_eq!(is_complete("\"\"\"a ${b"), more(""));
    }

    #[test]
    fn beyond_help() {
        for text in ["f(]", "\"abc", "let := 1\nx", "a b", ")", "\"${a\nb"] {
            assert_eq!(is_complete(text), Completeness::Invalid, "{text}");
        }
    }
}
