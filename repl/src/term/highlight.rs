//! Colours of `.ag` while it is typed: the language's own classes, painted.
//!
//! Only colours: the text keeps every character and its width.

use ag_lang::syntax::highlight::{Class, highlight as pieces};

const KEYWORD: &str = "\x1b[35m";
const TYPE: &str = "\x1b[36m";
const NUMBER: &str = "\x1b[33m";
const TEXT: &str = "\x1b[32m";
const COMMENT: &str = "\x1b[90m";
const INTRINSIC: &str = "\x1b[34m";
const ERROR: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";

/// The text with colours.
pub fn highlight(source: &str) -> String {
    let mut painted = String::with_capacity(source.len() * 2);
    let mut at = 0;
    for (span, class) in pieces(source) {
        let range = span.range();
        if range.start < at {
            continue;
        }
        painted.push_str(source.get(at..range.start).unwrap_or_default());
        let text = source.get(range.clone()).unwrap_or_default();
        match color(class) {
            Some(color) => painted.extend([color, text, RESET]),
            None => painted.push_str(text),
        }
        at = range.end;
    }
    painted.push_str(source.get(at..).unwrap_or_default());
    painted
}

fn color(class: Class) -> Option<&'static str> {
    match class {
        Class::Keyword => Some(KEYWORD),
        Class::Number => Some(NUMBER),
        Class::Text => Some(TEXT),
        Class::Comment | Class::DocComment => Some(COMMENT),
        Class::Intrinsic | Class::Hole | Class::Command => Some(INTRINSIC),
        Class::Type => Some(TYPE),
        Class::Error => Some(ERROR),
        Class::Function | Class::Name | Class::Operator | Class::Bracket => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{COMMENT, ERROR, INTRINSIC, KEYWORD, NUMBER, RESET, TEXT, TYPE, highlight};

    fn plain(painted: &str) -> String {
        [KEYWORD, TYPE, NUMBER, TEXT, COMMENT, INTRINSIC, ERROR, RESET]
            .iter()
            .fold(painted.to_owned(), |text, color| text.replace(color, ""))
    }

    #[test]
    fn pieces_are_painted_and_blanks_are_not() {
        let painted = highlight("agent Trader {");
        assert_eq!(painted, format!("{KEYWORD}agent{RESET} {TYPE}Trader{RESET} {{"));
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
