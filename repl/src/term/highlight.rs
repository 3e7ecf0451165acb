//! Colours of `.ag` while it is typed, from the language's own lexer.
//!
//! Only colours: the text keeps every character and its width. Contextual keywords are coloured where their neighbours
//! make them one most of the time; the parser is not asked at every keystroke.

use ag_lang::syntax::lexer::{SourceKind, lex};
use ag_lang::syntax::token::{Token, TokenKind};
use ag_lang::syntax::words;

const KEYWORD: &str = "\x1b[35m";
const TYPE: &str = "\x1b[36m";
const NUMBER: &str = "\x1b[33m";
const TEXT: &str = "\x1b[32m";
const COMMENT: &str = "\x1b[90m";
const INTRINSIC: &str = "\x1b[34m";
const RESET: &str = "\x1b[0m";

/// The text with colours.
pub fn highlight(source: &str) -> String {
    let tokens = lex(source, SourceKind::Cell).tokens;
    let mut painted = String::with_capacity(source.len() * 2);
    let mut at = 0;
    for (index, token) in tokens.iter().enumerate() {
        let range = token.span.range();
        // Tokens that stand for nothing in the text, or lie before what is painted already.
        if range.is_empty() || range.start < at {
            continue;
        }
        painted.push_str(source.get(at..range.start).unwrap_or_default());
        let text = source.get(range.clone()).unwrap_or_default();
        match color(&tokens, index, *token, text) {
            Some(color) => painted.extend([color, text, RESET]),
            None => painted.push_str(text),
        }
        at = range.end;
    }
    painted.push_str(source.get(at..).unwrap_or_default());
    painted
}

fn color(tokens: &[Token], index: usize, token: Token, text: &str) -> Option<&'static str> {
    use TokenKind as T;
    match token.kind {
        T::Number | T::Money | T::True | T::False => Some(NUMBER),
        T::Text | T::TripleText | T::TemplateStart | T::TemplateText | T::TemplateEnd => Some(TEXT),
        T::HoleName | T::HoleStart | T::HoleEnd => Some(INTRINSIC),
        T::Comment | T::BlockComment | T::DocComment => Some(COMMENT),
        T::At | T::Command => Some(INTRINSIC),
        kind if kind.is_keyword() => Some(KEYWORD),
        T::Name => name_color(tokens, index, token, text),
        _ => None,
    }
}

fn name_color(tokens: &[Token], index: usize, token: Token, text: &str) -> Option<&'static str> {
    let kind_at = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|token| token.kind);
    if kind_at(index.checked_sub(1)) == Some(TokenKind::At) {
        return Some(INTRINSIC);
    }
    let next = kind_at(index.checked_add(1));
    let begins = token.line_start && matches!(next, Some(TokenKind::Name));
    let opens = token.line_start && next == Some(TokenKind::LBrace);
    if begins && (words::ITEM.contains(&text) || words::BEHAVIOR.contains(&text))
        || opens && words::SECTION.contains(&text)
        || token.line_start && words::CONTRACT.contains(&text) && next.is_some_and(is_operand)
    {
        return Some(KEYWORD);
    }
    text.starts_with(char::is_uppercase).then_some(TYPE)
}

/// What may follow `requires`, and hardly follows a variable of that name.
fn is_operand(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Name | TokenKind::Number | TokenKind::Money | TokenKind::Text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{COMMENT, INTRINSIC, KEYWORD, NUMBER, RESET, TEXT, TYPE, highlight};

    fn plain(painted: &str) -> String {
        [KEYWORD, TYPE, NUMBER, TEXT, COMMENT, INTRINSIC, RESET]
            .iter()
            .fold(painted.to_owned(), |text, color| text.replace(color, ""))
    }

    #[test]
    fn words_have_the_colour_of_their_place() {
        let painted = highlight("agent Trader {\n  state { alert : Int = 1 }\n}");
        assert!(painted.starts_with(&format!("{KEYWORD}agent{RESET} {TYPE}Trader{RESET}")));
        assert!(painted.contains(&format!("{KEYWORD}state{RESET}")));
        assert!(!painted.contains(&format!("{KEYWORD}alert")), "an ordinary name here");
        assert!(highlight("let agent := 1").ends_with(&format!(" agent := {NUMBER}1{RESET}")));
    }

    #[test]
    fn a_template_shows_its_holes() {
        let painted = highlight("print(\"a $b ${c + 1}\") // x");
        assert!(painted.contains(&format!("{INTRINSIC}$b{RESET}")), "{painted}");
        assert!(painted.ends_with(&format!("{COMMENT}// x{RESET}")));
    }

    proptest! {
        #[test]
        fn every_character_stays(source in "[a-z@$\"{}()/*:0-9.é\\n ]{0,60}") {
            assert_eq!(plain(&highlight(&source)), source);
        }
    }
}
