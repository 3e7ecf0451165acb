//! The order in which `@simd` sums and multiplies (L-112), of random floats, on every tier.
//!
//! What is expected is computed here from the rule's own words; results must be equal to the bit. NaN has many, and is one.

use crate::support::text_session;
use ag_lang::exec::tier::{self, Mode};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::test_runner::Config;
use proptest::{num, prop_assert_eq, proptest};

/// A function with the attribute, one with the hint, and the same loop without either.
const PROGRAM: &str = "\
@simd(avx512)
function marked(xs : Vector, start : Float, from : Int, to : Int, skip : Int, stop : Int) -> (Float, Float, Float) {
  var sum := start
  var product := start
  var some := start
  for i in from..to {
    if i == stop { break }
    sum += xs[i]
    if i % skip == 0 { continue }
    product *= xs[i]
    if xs[i] > 0.5 { some = some + xs[i] * 3.0 }
  }
  return (sum, product, some)
}
function hinted(xs : List<Float>, start : Float, from : Int, to : Int, skip : Int, stop : Int) -> (Float, Float, Float) {
  var product := start
  var sum := start
  var some := start
  if true {
    @simd
    for i in from..=to - 1 {
      if i == stop { break }
      sum += xs[i]
      if i % skip != 0 {
        product *= xs[i]
        if xs[i] > 0.5 { some += xs[i] * 3.0 }
      }
    }
  }
  return (sum, product, some)
}
function plain(xs : Vector, start : Float, from : Int, to : Int, skip : Int, stop : Int) -> (Float, Float, Float) {
  var sum := start
  var product := start
  var some := start
  for i in from..to {
    if i == stop { break }
    sum += xs[i]
    if i % skip == 0 { continue }
    product *= xs[i]
    if xs[i] > 0.5 { some += xs[i] * 3.0 }
  }
  return (sum, product, some)
}";

const MODES: [Mode; 4] = [Mode::Interpreted, Mode::AtOnce, Mode::Loops, Mode::WhenHot];

#[derive(Clone, Debug)]
struct Case {
    floats: Vec<f64>,
    start: f64,
    from: usize,
    skip: usize,
    /// At or behind the end: the loop is not left early.
    stop: usize,
}

fn float() -> impl Strategy<Value = f64> {
    // Some that lose bits when they meet, all others, and those that are no numbers or no normal ones.
    prop_oneof![
        4 => -1e3..1e3_f64,
        2 => num::f64::NORMAL,
        1 => num::f64::ANY,
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let parts = (vec(float(), 0..70), float(), any::<usize>(), 1..5_usize, any::<usize>());
    parts.prop_map(|(floats, start, from, skip, stop)| {
        let len = floats.len();
        let (from, stop) = (from % (len / 4 + 1), stop % (2 * len + 1));
        Case { floats, start, from, skip, stop }
    })
}

/// What is summed or multiplied by turn `i mod 8` (`parts`), or one after the other.
struct Reduction {
    parts: Option<[f64; 8]>,
    value: f64,
    op: fn(f64, f64) -> f64,
}

impl Reduction {
    fn new(start: f64, neutral: f64, op: fn(f64, f64) -> f64, in_parts: bool) -> Self {
        Self { parts: in_parts.then_some([neutral; 8]), value: start, op }
    }

    fn take(&mut self, turn: usize, value: f64) {
        let into = match &mut self.parts {
            Some(parts) => &mut parts[turn % 8],
            None => &mut self.value,
        };
        *into = (self.op)(*into, value);
    }

    fn result(self) -> f64 {
        let (op, Some(p)) = (self.op, self.parts) else { return self.value };
        let left = op(op(p[0], p[1]), op(p[2], p[3]));
        op(self.value, op(left, op(op(p[4], p[5]), op(p[6], p[7]))))
    }
}

fn expected(case: &Case, in_parts: bool) -> [u64; 3] {
    let mut sum = Reduction::new(case.start, 0.0, |a, b| a + b, in_parts);
    let mut product = Reduction::new(case.start, 1.0, |a, b| a * b, in_parts);
    let mut some = Reduction::new(case.start, 0.0, |a, b| a + b, in_parts);
    for (turn, i) in (case.from..case.floats.len()).enumerate() {
        if i == case.stop {
            break;
        }
        let value = case.floats[i];
        sum.take(turn, value);
        if i % case.skip == 0 {
            continue;
        }
        product.take(turn, value);
        if value > 0.5 {
            some.take(turn, value * 3.0);
        }
    }
    [sum, product, some].map(|reduction| bits(reduction.result()))
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// A float as the program writes it; what has no literal is computed.
fn written(value: f64) -> String {
    let finite = |value: f64| match value.is_sign_negative() {
        true => format!("(-{:?})", -value),
        false => format!("{value:?}"),
    };
    match value {
        _ if value.is_nan() => "(0.0 / 0.0)".to_owned(),
        _ if value == f64::INFINITY => "(1.0 / 0.0)".to_owned(),
        _ if value == f64::NEG_INFINITY => "(-1.0 / 0.0)".to_owned(),
        _ => finite(value),
    }
}

fn call(function: &str, case: &Case) -> String {
    let floats: Vec<String> = case.floats.iter().copied().map(written).collect();
    let Case { start, from, skip, stop, .. } = case;
    let (start, to) = (written(*start), case.floats.len());
    format!("{function}([{}], {start}, {from}, {to}, {skip}, {stop})", floats.join(", "))
}

/// The bits of the tuple that a cell showed.
fn read(shown: &str) -> Vec<u64> {
    let inside = shown.trim_start_matches('(').trim_end_matches(')');
    inside
        .split(", ")
        .map(|part| bits(part.parse().unwrap_or_else(|_| panic!("{shown}"))))
        .collect()
}

proptest! {
    // Each case is a session for each mode, and thirty loops in it.
    #![proptest_config(Config { cases: 6, max_shrink_iters: 200, ..Config::default() })]
    #[test]
    fn reductions_keep_the_order_of_the_rule_on_every_tier(cases in vec(case(), 1..30)) {
        let mut has_another_order = false;
        for mode in MODES {
            let mut session = text_session();
            tier::set_mode(mode);
            session.cell(PROGRAM).unwrap();
            for case in &cases {
                for (function, in_parts) in [("marked", true), ("hinted", true), ("plain", false)] {
                    let shown = session.cell(&call(function, case)).unwrap();
                    let expected = expected(case, in_parts);
                    prop_assert_eq!(&read(&shown)[..], &expected[..], "{:?} {} {}", mode, function, shown);
                }
                has_another_order |= expected(case, true) != expected(case, false);
            }
            tier::set_mode(Mode::WhenHot);
        }
        // With so many floats the two orders differ somewhere; else the test would prove nothing.
        assert!(has_another_order || cases.len() < 20, "{cases:?}");
    }
}
