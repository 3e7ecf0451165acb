//! Session command lines (L-5): where one starts, and its sigil, name and rest, by chumsky.
//!
//! What a command means is the session's business.

use std::sync::Arc;

use chumsky::primitive::{any, just};
use chumsky::{Parser, extra};

use crate::source::Span;
use crate::syntax::ast::{Ident, Name};
use crate::syntax::item::{Command, Sigil};

fn sigil<'a>() -> impl Parser<'a, &'a str, Sigil, extra::Default> + Clone {
    just("%%")
        .to(Sigil::DoublePercent)
        .or(just('%').to(Sigil::Percent))
        .or(just(':').to(Sigil::Colon))
        .or(just('?').to(Sigil::Question))
}

/// Whether a line begins with a sigil and directly a letter.
pub fn starts(line: &str) -> bool {
    let bare = line.strip_prefix("%%").or(line.strip_prefix([':', '%', '?']));
    // `?@quorum` asks about an intrinsic; any other sigil is followed by a name.
    let bare = bare.map(|rest| match line.strip_prefix('?') {
        Some(asked) => asked.strip_prefix('@').unwrap_or(asked),
        None => rest,
    });
    bare.is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

/// Parse a line for which [`starts`] holds; `at` is where it stands.
pub fn parse(line: &str, at: u32) -> Command {
    let word = any().filter(|c: &char| !c.is_whitespace()).repeated().to_slice();
    let rest = any().repeated().to_slice();
    let parser = sigil().then(word.map_with(|word: &str, extra| {
        let span: chumsky::span::SimpleSpan = extra.span();
        (word, Span::from_range(span.into_range()))
    }));
    let parsed = parser.then(rest).parse(line).into_output();
    let ((sigil, (word, word_span)), rest) =
        parsed.unwrap_or(((Sigil::Colon, ("", Span::at(0))), ""));
    let whole = Span::new(0, u32::try_from(line.len()).unwrap_or(u32::MAX));
    let (word, word_span, rest) = match sigil {
        Sigil::Question => (line.get(1..).unwrap_or(""), Span::new(1, whole.end), ""),
        _ => (word, word_span, rest),
    };
    Command {
        sigil,
        name: Ident { name: Name::new(word.trim_end()), span: word_span.shifted(at) },
        rest: Arc::from(rest.trim()),
        span: whole.shifted(at),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, starts};
    use crate::syntax::item::Sigil;

    #[test]
    fn a_sigil_and_directly_a_letter() {
        assert!(starts(":cost") && starts("%%time x") && starts("?x") && starts("%time"));
        assert!(starts("?@quorum") && !starts("?@") && !starts(":@quorum"));
        assert!(
            !starts(": cost") && !starts(":=") && !starts("%%") && !starts("cost") && !starts("?1")
        );
    }

    #[test]
    fn parts() {
        let command = parse(":budget  $2.00 ", 10);
        assert_eq!((command.sigil, command.name.name.as_str()), (Sigil::Colon, "budget"));
        assert_eq!(
            (&*command.rest, command.name.span.start, command.span.start),
            ("$2.00", 11, 10)
        );
        assert_eq!(parse("?xs.len", 0).name.name.as_str(), "xs.len");
        assert_eq!(parse("%%time", 0).sigil, Sigil::DoublePercent);
    }
}
