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

/// Each closing bracket and each line break once looked at everything open before it: at this length that is 10^10 steps,
/// which the runner does not wait for.
#[test]
fn a_hundred_thousand_open_brackets_are_told_and_not_counted_again_at_each() {
    for part in ["[\n", "\"${", "f(", "{ x: "] {
        let text = part.repeat(100_000);
        let parsed = parse(&text, SourceKind::Cell);
        let codes: Vec<&str> = parsed.diagnostics.iter().map(|found| found.code.as_str()).collect();
        assert!(
            codes.iter().any(|code| *code == "E0102" || *code == "E0010"),
            "{part:?} {codes:?}"
        );
    }
}
