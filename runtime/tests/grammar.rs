//! Replies written under a grammar: whatever a model prefers, what it ends is a value of the type, and it ends in time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::lane::grammar::compile::{Grammar, TEXT_CHARS};
use ag_runtime::lane::grammar::machine::Machine;
use ag_runtime::lane::grammar::vocabulary::Vocabulary;
use ag_runtime::lane::parse::candidates;
use ag_runtime::rng::{Rng, Seed};
use ag_runtime::value::count::release;
use ag_runtime::value::json::from_json;
use ag_runtime::value::shape::{
    EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape, declare, define, intern,
};
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::strategy::{BoxedStrategy, Just};
use proptest::test_runner::Config;
use std::sync::LazyLock;

/// Every byte, and pieces as models have them, many across the borders of rules.
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let pieces = [
        "{\"",
        "\":",
        "\": ",
        "\", \"",
        "\",\"",
        "\"}",
        "},",
        "}]",
        "[]",
        "{}",
        "[{\"",
        "kind",
        "\"kind\":",
        "true",
        "null",
        "false",
        ", ",
        " \"",
        "12",
        "3.",
        "00",
        "-1",
        ".5",
        "the",
        " a",
        "é",
        "日本",
        "\\n",
        "\\\"",
        "ms\"",
        "T0",
        "2026-",
        ":00Z\"",
        "A=",
        "==\"",
        "Buy",
        "Hold\"",
        "}}",
        "]]",
        "     ",
        "\n",
        "]}",
    ];
    let bytes = (0..=u8::MAX).map(|byte| vec![byte]);
    let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec());
    Vocabulary::new(bytes.chain(pieces).map(|token| Some(token.into_boxed_slice())).collect())
});

/// How a model without sense scores tokens.
#[derive(Clone, Copy, Debug)]
enum Mind {
    /// Anew for each token.
    Random,
    /// Always the same: never closes what it likes better to go on with.
    Stubborn,
    /// Opens whatever can be opened.
    Greedy,
}

fn score(mind: Mind, token: u32, seed: Seed, rng: &mut Rng) -> f64 {
    let fixed = seed.fork_at(u64::from(token)).rng().next_f64();
    let opens = VOCABULARY.bytes(token).unwrap().iter().filter(|b| b"[{,-.".contains(b)).count();
    match mind {
        Mind::Random => rng.next_f64(),
        Mind::Stubborn => fixed,
        Mind::Greedy => opens as f64 + fixed,
    }
}

/// What a model of that mind writes. `None` if the type needs more tokens than there are.
fn write(grammar: &Grammar, mind: Mind, seed: Seed, max_tokens: u32) -> Option<String> {
    let mut rng = seed.rng();
    let (mut machine, mut place) = Machine::new(grammar);
    let mut written = Vec::new();
    if machine.fewest_tokens(place) > max_tokens {
        return None;
    }
    for left in (0..max_tokens).rev() {
        if machine.is_done(place) || machine.may_end(place) && rng.below(3) == 0 {
            break;
        }
        let mut best: Option<(f64, u32)> = None;
        machine.each_allowed(place, &VOCABULARY, left, |token| {
            let score = score(mind, token, seed, &mut rng);
            if best.is_none_or(|(top, _)| score > top) {
                best = Some((score, token));
            }
        });
        let Some((_, token)) = best else { break };
        let bytes = VOCABULARY.bytes(token).unwrap();
        place = machine.take(place, bytes).expect("an allowed token can be taken");
        written.extend_from_slice(bytes);
    }
    let text = String::from_utf8(written).expect("whole characters");
    assert!(machine.may_end(place), "not ended in {max_tokens} tokens: {text}");
    Some(text)
}

fn check(shape: ShapeId, text: &str) {
    let strict: serde_json::Value =
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(candidates(text), std::slice::from_ref(&strict));
    match from_json(&strict, shape) {
        Ok(word) => release(word, shape),
        Err(errors) => panic!("{errors:?}: {text}"),
    }
}

fn leaf() -> BoxedStrategy<ShapeId> {
    prop_oneof![
        Just(ShapeId::INT),
        Just(ShapeId::FLOAT),
        Just(ShapeId::TEXT),
        Just(ShapeId::BOOL),
        Just(ShapeId::UNIT),
        Just(ShapeId::BYTES),
        Just(ShapeId::MONEY),
        Just(ShapeId::DURATION),
        Just(ShapeId::TIME),
        Just(ShapeId::DYN),
        Just(ShapeId::VECTOR),
        prop::collection::vec("[a-zA-Zé\"]{1,6}", 1..5).prop_map(|names| enumeration(&names, &[])),
    ]
    .boxed()
}

fn enumeration(names: &[String], payload: &[ShapeId]) -> ShapeId {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    let variants: Box<[VariantShape]> = names
        .iter()
        .enumerate()
        .map(|(at, name)| VariantShape::of(name, payload.get(..at).unwrap_or(payload)))
        .collect();
    intern(Shape::Enum(EnumShape { name: names.join("").into(), variants }))
}

fn record(fields: &[(String, ShapeId)]) -> ShapeId {
    let mut fields = fields.to_vec();
    fields.sort();
    fields.dedup_by(|a, b| a.0 == b.0);
    let fields = fields.iter().map(|(name, shape)| FieldShape::new(name, *shape)).collect();
    intern(Shape::Record(RecordShape { name: None, fields, is_tool: false }))
}

fn shapes() -> BoxedStrategy<ShapeId> {
    let branch = |inner: BoxedStrategy<ShapeId>| {
        let many = || prop::collection::vec(inner.clone(), 1..4);
        let names = || prop::collection::vec("[a-z_ é\"]{1,8}", 1..4);
        prop_oneof![
            inner.clone().prop_map(ShapeId::list),
            inner.clone().prop_map(ShapeId::option),
            inner.clone().prop_map(|value| ShapeId::map(ShapeId::TEXT, value)),
            inner.clone().prop_map(|value| ShapeId::map(ShapeId::INT, value)),
            many().prop_map(|items| ShapeId::tuple(&items)),
            (names(), many()).prop_map(|(names, items)| record(
                &names.into_iter().zip(items).collect::<Vec<_>>()
            )),
            (names(), many()).prop_map(|(names, items)| enumeration(&names, &items)),
        ]
    };
    leaf().prop_recursive(4, 24, 4, move |inner| branch(inner.boxed())).boxed()
}

fn minds() -> impl Strategy<Value = Mind> {
    prop_oneof![Just(Mind::Random), Just(Mind::Stubborn), Just(Mind::Greedy)]
}

proptest! {
    #![proptest_config(Config { cases: 400 * scale(), ..Config::default() })]

    #[test]
    fn whatever_a_model_prefers_its_reply_is_of_the_type(
        shape in shapes(), mind in minds(), seed in any::<u64>(), more in 0u32..200
    ) {
        let grammar = Grammar::of(shape, &VOCABULARY).expect("a type with JSON form");
        let least = grammar.fewest_tokens();
        let text = write(&grammar, mind, Seed(seed), least + more).unwrap();
        check(shape, &text);
    }
}

fn scale() -> u32 {
    std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

#[test]
fn a_recursive_type_ends_however_greedy_the_model_is() {
    let tree = declare("grammar_test::Tree", 1);
    let children = FieldShape::new("children", ShapeId::list(tree));
    let next = FieldShape::new("next", ShapeId::option(tree));
    let fields = Box::new([FieldShape::new("name", ShapeId::TEXT), children, next]);
    define(tree, Shape::Record(RecordShape { name: Some("Tree".into()), fields, is_tool: false }));
    let grammar = Grammar::of(tree, &VOCABULARY).unwrap();
    for seed in 0..20 {
        for mind in [Mind::Random, Mind::Stubborn, Mind::Greedy] {
            for max_tokens in [grammar.fewest_tokens(), 60, 2_000] {
                check(tree, &write(&grammar, mind, Seed(seed), max_tokens).unwrap());
            }
        }
    }
}

#[test]
fn a_type_without_a_finite_value_or_a_json_form_has_no_grammar() {
    let knot = declare("grammar_test::Knot", 1);
    let fields = Box::new([FieldShape::new("again", knot)]);
    define(knot, Shape::Record(RecordShape { name: Some("Knot".into()), fields, is_tool: false }));
    assert!(Grammar::of(knot, &VOCABULARY).is_none());
    assert!(Grammar::of(ShapeId::function(&[], ShapeId::INT), &VOCABULARY).is_none());
}

#[test]
fn too_few_tokens_are_known_before_the_first() {
    let shape = ShapeId::record(&[("name", ShapeId::TEXT), ("age", ShapeId::INT)]);
    let grammar = Grammar::of(shape, &VOCABULARY).unwrap();
    let least = grammar.fewest_tokens();
    assert!(write(&grammar, Mind::Greedy, Seed(1), least - 1).is_none());
    assert!(write(&grammar, Mind::Greedy, Seed(1), least).is_some());
}

#[test]
fn the_forms_of_the_language_can_all_be_written() {
    let can = |shape: ShapeId, text: &str| {
        let grammar = Grammar::of(shape, &VOCABULARY).unwrap();
        let (mut machine, start) = Machine::new(&grammar);
        let end = machine.take(start, text.as_bytes());
        end.is_some_and(|end| machine.may_end(end))
    };
    let record = ShapeId::record(&[("name", ShapeId::TEXT), ("age", ShapeId::INT)]);
    assert!(
        can(record, r#"{"name": "Ada \"L\" é", "age": 36}"#)
            && can(record, r#"{"name":"","age":-0}"#)
    );
    assert!(!can(record, r#"{"age":1,"name":""}"#) && !can(record, r#"{"name":"","age":01}"#));
    assert!(
        can(ShapeId::FLOAT, "-0.125") && !can(ShapeId::FLOAT, "1.") && !can(ShapeId::FLOAT, "1e3")
    );
    assert!(
        can(ShapeId::DURATION, "\"1.5h\"")
            && can(ShapeId::DURATION, "\"20ms\"")
            && !can(ShapeId::DURATION, "\"5\"")
    );
    assert!(
        can(ShapeId::TIME, "\"2026-01-31T23:59:59Z\"")
            && !can(ShapeId::TIME, "\"2026-02-31T00:00:00Z\"")
    );
    assert!(
        can(ShapeId::BYTES, "\"aGk=\"")
            && !can(ShapeId::BYTES, "\"aGk\"")
            && !can(ShapeId::BYTES, "\"a===\"")
    );
    let pair = ShapeId::list(ShapeId::option(ShapeId::BOOL));
    assert!(
        can(pair, "[true, null,false]")
            && can(pair, "[]")
            && !can(pair, "[true,]")
            && !can(pair, "[,")
    );
    let dynamic = r#"{"a": [1, null, {"b": "c"}]}"#;
    assert!(can(ShapeId::DYN, dynamic) && !can(ShapeId::DYN, "[[[[[]]]]]"));
    let long = format!("\"{}\"", "x".repeat(TEXT_CHARS as usize + 1));
    assert!(can(ShapeId::TEXT, &long[1..].replacen('x', "\"", 1)) && !can(ShapeId::TEXT, &long));
}
