//! Run a chumsky parser on the start of a text, in time proportional to what it takes.
//!
//! chumsky's own `lazy` reads the rest of the input to its end, which makes a lexer quadratic; here the result is handed
//! out through the parser's state as soon as it is there, and that the input goes on is no mistake.

use chumsky::error::EmptyErr;
use chumsky::inspector::SimpleState;
use chumsky::span::SimpleSpan;
use chumsky::{Parser, extra};

/// What the parsers of the lexer carry: where the result goes.
pub type Extra<O> = extra::Full<EmptyErr, SimpleState<Option<(O, usize)>>, ()>;

/// The result of `parser` at the start of `text`, and how many bytes it took.
pub fn prefix<'a, O: 'a>(
    parser: impl Parser<'a, &'a str, O, Extra<O>>,
    text: &'a str,
) -> Option<(O, usize)> {
    let mut found = SimpleState(None);
    let store = parser.map_with(|output, extra| {
        let span: SimpleSpan = extra.span();
        **extra.state() = Some((output, span.end));
    });
    // The verdict is about the whole input, which is not asked here.
    let _ = store.parse_with_state(text, &mut found).into_output();
    found.0
}
