//! Colours of `.ag` while it is typed: the language's own classes, painted.
//!
//! Only colours: the text keeps every character and its width.

use ag_lang::diag::color;
use ag_lang::syntax::highlight::{Class, highlight as pieces};

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
            Some(color) => painted.push_str(&color::paint(color, text)),
            None => painted.push_str(text),
        }
        at = range.end;
    }
    painted.push_str(source.get(at..).unwrap_or_default());
    painted
}

fn color(class: Class) -> Option<&'static str> {
    match class {
        Class::Keyword => Some(color::MAGENTA),
        Class::Number => Some(color::ORANGE),
        Class::Text => Some(color::GREEN),
        Class::Comment | Class::DocComment => Some(color::GREY),
        Class::Intrinsic | Class::Hole | Class::Command => Some(color::BLUE),
        Class::Type => Some(color::TEAL),
        Class::Error => Some(color::RED),
        Class::Function | Class::Name | Class::Operator | Class::Bracket => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use ag_lang::diag::color::{BLUE, GREEN, GREY, MAGENTA, ORANGE, RED, RESET, TEAL, paint};

    use super::highlight;

    fn plain(painted: &str) -> String {
        let colors = [MAGENTA, TEAL, ORANGE, GREEN, GREY, BLUE, RED];
        let bare = |text: String, color: &&str| text.replace(&format!("\x1b[{color}m"), "");
        colors.iter().fold(painted.to_owned(), bare).replace(RESET, "")
    }

    #[test]
    fn pieces_are_painted_and_blanks_are_not() {
        let painted = highlight("agent Trader {");
        let (agent, name) = (paint(MAGENTA, "agent"), paint(TEAL, "Trader"));
        assert_eq!(painted, format!("{agent} {name} {{"));
    }

    #[test]
    fn a_template_shows_its_holes() {
        let painted = highlight("print(\"a $b ${c + 1}\") // x");
        assert!(painted.contains(&paint(BLUE, "$b")), "{painted}");
        assert!(painted.ends_with(&paint(GREY, "// x")));
    }

    proptest! {
        #[test]
        fn every_character_stays(source in "[a-z@$\"{}()/*:0-9.é\\n ]{0,60}") {
            assert_eq!(plain(&highlight(&source)), source);
        }
    }
}
