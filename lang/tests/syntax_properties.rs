//! No text makes the front end panic, loop or lose its place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::diag::codes;
use ag_lang::source::Span;
use ag_lang::syntax::lexer::{SourceKind, lex};
use ag_lang::syntax::parse::{Parsed, parse};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, proptest};

const SEED: [&str; 3] = [
    include_str!("../../tests/seed/l1_trading_agent.ag"),
    include_str!("../../tests/seed/l2_market_monitoring.ag"),
    include_str!("../../tests/seed/l3_annotations.ag"),
];

/// What holds for every text: tokens cover it, spans lie in it on character boundaries, items do not overlap.
fn check(text: &str) -> Parsed {
    for kind in [SourceKind::Cell, SourceKind::File] {
        let mut end = 0;
        for token in lex(text, kind).tokens {
            let gap = text.get(end as usize..token.span.start as usize);
            let gap = gap.unwrap_or_else(|| panic!("overlap at {:?} in {text:?}", token.span));
            assert!(gap.chars().all(|c| " \t\r\u{feff}".contains(c)), "gap {gap:?} in {text:?}");
            assert!(text.get(token.span.range()).is_some(), "{:?} in {text:?}", token.span);
            end = token.span.end;
        }
        let rest = &text[end as usize..];
        assert!(rest.chars().all(|c| " \t\r\u{feff}".contains(c)), "rest {rest:?} of {text:?}");
    }
    let parsed = parse(text, SourceKind::Cell);
    let inside = |span: Span| text.get(span.range()).is_some();
    for diagnostic in &parsed.diagnostics {
        let fixes = diagnostic.fixes.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
        let labels = diagnostic.labels.iter().map(|label| label.span);
        for span in [diagnostic.primary.span].into_iter().chain(labels).chain(fixes) {
            assert!(inside(span), "{diagnostic} {span:?} in {text:?}");
        }
    }
    let mut end = 0;
    for item in &parsed.cell.items {
        assert!(item.span.start >= end && inside(item.span), "{:?} in {text:?}", item.span);
        end = item.span.end;
        for expr in &item.tree.body.exprs {
            assert!(inside(expr.span.shifted(item.span.start)), "{expr:?} in {text:?}");
        }
    }
    for expr in &parsed.cell.body.body.exprs {
        assert!(inside(expr.span), "{expr:?} in {text:?}");
    }
    parsed
}

#[test]
fn every_prefix_and_every_hole_of_the_seed() {
    for text in SEED {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for at in &boundaries {
            check(&text[..*at]);
        }
        for pair in boundaries.windows(8).step_by(3) {
            check(&format!("{}{}", &text[..pair[0]], &text[pair[7]..]));
        }
    }
}

#[test]
fn nesting_gives_a_diagnostic_and_no_crash() {
    let many = 10_000;
    let nested = [
        "(", "[", "{", "f(", "-", "!", "try ", "await ", "x => ", "if a { ", "a ?? ", "{ a: ",
        "\"${",
    ];
    for open in nested {
        let parsed = check(&open.repeat(many));
        assert!(!parsed.diagnostics.is_empty(), "{open}");
    }
    let closed = format!("let x := {}1{}\nlet y := 2", "(".repeat(many), ")".repeat(many));
    let parsed = check(&closed);
    let found: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(found, [codes::E0109]);
    assert_eq!(parsed.cell.body.order.len(), 2);
    for chain in ["a + ", "a.b", "f()", "a && ", "x as T as "] {
        check(&format!("x = {}a", chain.repeat(many)));
    }
    let types = format!("let x : {}Int := 1", "List<".repeat(many));
    assert!(check(&types).diagnostics.iter().any(|diagnostic| diagnostic.code == codes::E0109));
    check(&format!("if a {{ }}{}", " else if a { }".repeat(many)));
    check(&format!("match x {{ {} => 1 }}", "(".repeat(many)));
    check(&"let x := \"".repeat(1000));
    check(&"/*".repeat(many));
}

/// Pieces of programs in any order: what people have on screen while they type.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "let ",
        "var ",
        "x",
        " := ",
        " = ",
        "1",
        "2.5",
        "$0.10",
        "5s",
        "\"",
        "\"\"\"",
        "$x",
        "${",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        "\n",
        ";",
        ",",
        ".",
        "..",
        "..=",
        ":",
        "->",
        "=>",
        "@spawn",
        "@hot_path\n",
        "@",
        "function f() ",
        "agent A ",
        "struct S ",
        "enum E ",
        "state ",
        "behavior b() ",
        "if ",
        " else ",
        "match ",
        "for x in ",
        "while ",
        "try ",
        "await ",
        "return ",
        "require ",
        " is ",
        " as ",
        "?",
        "??",
        "-",
        "+",
        "<",
        ">",
        "==",
        "|",
        "!",
        "Some",
        "S ",
        "forall x in ",
        "==>",
        "\n:cost",
        "\n%%time",
        "/*",
        "*/",
        "//",
        "///d\n",
        "\\u003c",
        "é",
        "“",
        "type T = ",
        "List<",
        "ref ",
        "self",
        "test \"t\" ",
        "import ",
        "tool T ",
        "lane l ",
        "policy p ",
        "allow ",
        "theorem t() ",
        "requires ",
        "by auto",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_printable_text(text in "[ -~\n]{0,120}") {
        check(&text);
    }

    #[test]
    fn any_pieces(text in soup()) {
        check(&text);
    }

    #[test]
    fn any_cut_of_the_seed(program in 0..3_usize, from in 0..1800_usize, len in 0..40_usize, with in soup()) {
        let text = SEED[program];
        let start = text.floor_char_boundary(from.min(text.len()));
        let end = text.floor_char_boundary((start + len).min(text.len()));
        check(&format!("{}{with}{}", &text[..start], &text[end.max(start)..]));
    }
}
