//! The parser on whole programs: the seed parses clean, broken programs keep their good parts, nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::diag::snippet::{SourceText, lay_out};
use ag_lang::syntax::lexer::SourceKind;
use ag_lang::syntax::parse::{Parsed, parse};

const SEED: [&str; 3] = [
    include_str!("../../tests/seed/l1_trading_agent.ag"),
    include_str!("../../tests/seed/l2_market_monitoring.ag"),
    include_str!("../../tests/seed/l3_annotations.ag"),
];

fn shown(parsed: &Parsed, text: &str) -> String {
    let source = SourceText { title: "cell", text };
    let show = |d| lay_out(d, &|_| Some(source)).to_plain();
    parsed.diagnostics.iter().map(show).collect()
}

#[test]
fn the_seed_parses_without_a_word() {
    for text in SEED {
        let parsed = parse(text, SourceKind::File);
        assert!(parsed.diagnostics.is_empty(), "{}", shown(&parsed, text));
    }
}
