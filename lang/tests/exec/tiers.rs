//! What only compiled code can get wrong: its faults, its depth, its redefinition, its memory.
//!
//! Everything else runs on every tier (`AG_TIERS`, CONTRIBUTING.md). Here the mode is set by the test.

use crate::support::{text_session, text_session_with};
use ag_lang::exec::jit::memory;
use ag_lang::exec::tier::{self, Mode, Tier};
use ag_runtime::fault::Fault;
use ag_runtime::world::options::Limits;

const MODES: [Mode; 3] = [Mode::Interpreted, Mode::AtOnce, Mode::Loops];

/// The value or the Fault of a program, with all that can be seen of it.
fn seen(outcome: Result<String, Box<Fault>>) -> String {
    match outcome {
        Ok(shown) => shown,
        Err(fault) => {
            let chain = fault.chain.iter().map(|frame| (&*frame.function, frame.site));
            let chain: Vec<_> = chain.collect();
            format!("{}: {} {:?} {chain:?} {:?}", fault.code, fault.message, fault.at, fault.data)
        }
    }
}

/// Runs the cells in each mode; what they gave, which must be the same.
pub fn on_all(limits: Limits, cells: &[&str]) -> Vec<String> {
    let mut first: Option<Vec<String>> = None;
    for mode in MODES {
        let mut session = text_session_with(limits);
        tier::set_mode(mode);
        let given: Vec<String> = cells.iter().map(|cell| seen(session.cell(cell))).collect();
        tier::set_mode(Mode::WhenHot);
        match &first {
            Some(first) => assert_eq!(first, &given, "{mode:?}"),
            None => first = Some(given),
        }
    }
    first.unwrap_or_default()
}

#[test]
fn faults_are_the_same_on_every_tier() {
    let text = "function add(a : Int, b : Int) -> Int { return a + b }\n\
        function down(xs : List<Int>, at : Int) -> Int {\n\
        \x20 var i := at\n\
        \x20 var s := 0\n\
        \x20 while true { s = add(s, xs[i] * 1_000_000_000_000)\n i -= 1 }\n\
        \x20 return s\n}";
    let given = on_all(
        Limits::default(),
        &[
            text,
            "down([1, 2, 3], 2)",
            "down([1, 10_000_000, 3], 2)",
            "add(9223372036854775807, 1)",
            "let zero := 0\n7 / zero",
            "-9223372036854775807 - 2",
        ],
    );
    assert!(given[1].starts_with("R0104: index -1 is outside"), "{}", given[1]);
    assert!(given[2].starts_with("R0101"), "{}", given[2]);
    assert!(given[4].contains("division by zero: 7 / 0"), "{}", given[4]);
}

#[test]
fn a_try_around_compiled_calls_catches_and_goes_on() {
    let text = "function half(n : Int) -> Int {\n  if n % 2 == 1 { return n / (n - n) }\n  return n / 2\n}\n\
        function halves(n : Int) -> (Int, Int, List<Text>) {\n\
        \x20 var good := 0\n  var bad := 0\n  var said : List<Text> := []\n\
        \x20 for i in 0..n {\n\
        \x20   match try half(i) {\n      Ok(h) => { good += h }\n      Err(e) => { bad += 1\n said.push(e.code) }\n    }\n\
        \x20 }\n  return (good, bad, said)\n}\nhalves(6)";
    let given = on_all(Limits::default(), &[text]);
    assert_eq!(given, [r#"(3, 3, ["R0102", "R0102", "R0102"])"#]);
}

#[test]
fn recursion_ends_at_the_same_depth() {
    let text = "function deep(n : Int) -> Int { if n == 0 { return 0 }\n return 1 + deep(n - 1) }";
    let limits = Limits { depth: 50_000, ..Limits::default() };
    let given = on_all(limits, &[text, "deep(49_990)", "deep(50_010)", "deep(40_000)"]);
    assert_eq!(given[1], "49990");
    assert!(given[2].starts_with("R0110"), "{}", given[2]);
}

#[test]
fn callbacks_of_builtins_run_deep_in_compiled_code() {
    let text = "function deep(n : Int) -> Int {\n  if n == 0 { return [1, 2, 3].map(x => x + 1).sum }\n  return deep(n - 1)\n}";
    assert_eq!(on_all(Limits::default(), &[text, "deep(30_000)"])[1], "9");
}

#[test]
fn steps_are_counted_alike() {
    let text =
        "function spin(n : Int) -> Int { var s := 0\n for i in 0..n { s += i % 3 }\n return s }";
    let limits = Limits { steps: 100_000, ..Limits::default() };
    let given = on_all(limits, &[text, "spin(1_000)", "spin(1_000_000)"]);
    assert!(given[2].starts_with("R0109"), "{}", given[2]);
}

/// Compiled stores do not look for other holders where there can be none: here there are some, from many sides.
#[test]
fn a_list_with_another_holder_is_copied_before_a_store() {
    let text = "function stores(n : Int) -> (List<Int>, List<List<Int>>, List<Int>) {
  var xs := (0..n).map(i => 0)
  var ys := (0..n).map(i => 100)
  var kept : List<List<Int>> := []
  var seen : List<Int> := []
  for i in 0..n {
    xs[i] = i
    if i % 3 == 1 { kept.push(xs) }
    xs[i] = xs[i] + 10
    let other := xs
    xs[0] = xs[0] + 1
    xs[0] = xs[0] + other[0]
    let look := () => xs[i]
    let before := look
    if i % 2 == 0 { let swapped := xs
 xs = ys
 ys = swapped
 ys[i] = ys[i] + 1
 if i == 2 { kept.push(swapped) } }
    xs[i] = 7
    seen.push(before())
  }
  return (xs, kept, seen)
}";
    let given = on_all(Limits::default(), &[text, "stores(4)", "stores(9)"]);
    let first = "([45, 0, 7, 7], [[7, 1, 100, 100], [31, 7, 12, 100]], [21, 11, 12, 13])";
    assert_eq!(given[1], first);
}

#[test]
fn what_was_checked_is_checked_again_when_it_changed() {
    let text = "function walk(all : List<Int>, from : Int) -> Int {
  var xs := all
  var i := from
  var s := 0
  while s < 1_000 {
    s += xs[i + 1] + xs[i + 1]
    i = i + 1
    s += xs[i + 1] - xs[i]
    xs = xs.slice(0, xs.len - 1)
    xs[i] = s
    s += xs[i + 1]
  }
  return s
}
function large(n : Int) -> Int {
  var a := n
  let b := a * a
  a = a * 1_000
  return b + a * a + a * a
}";
    let cells = [text, "walk([1, 2, 3, 4, 5, 6, 7], 0)", "walk([1, 2], -1)", "walk([], 0)"];
    let given = on_all(Limits::default(), &[&cells[..], &["large(1_000_000)"]].concat());
    assert!(given[1..4].iter().all(|fault| fault.starts_with("R0104")), "{given:?}");
    assert_eq!(given[4], "2000001000000000000");
    let given = on_all(Limits::default(), &[text, "large(10_000_000)"]);
    assert!(given[1].starts_with("R0101"), "{}", given[1]);
}

#[test]
fn vectors_are_lists_of_floats() {
    let text = "function smooth(n : Int) -> (Vector, Float) {
  var v : Vector := []
  for i in 0..n { v.push(i.to_float) }
  let before := v
  for i in 1..v.len - 1 { v[i] = (v[i - 1] + v[i] + v[i + 1]) / 3.0 }
  return (v, before[n - 1])
}
function beyond(v : Vector, i : Int) -> Float { return v[i] }";
    let given = on_all(
        Limits::default(),
        &[text, "smooth(4)", "beyond([1.0, 2.0], 1)", "beyond([1.0], -1)"],
    );
    assert_eq!(given[1], "([0.0, 1.0, 2.0, 3.0], 3.0)");
    assert_eq!(given[2], "2.0");
    assert!(given[3].starts_with("R0104"), "{}", given[3]);
}

/// A step that falls between taking a part out and putting it back waits; it is counted all the same.
#[test]
fn steps_are_counted_alike_while_values_are_out_of_their_places() {
    let text = "function fill(n : Int) -> Int {
  var grid := [[0, 0], [0, 0]]
  var s := 0
  for i in 0..n {
    grid[i % 2][0] = i
    for j in 0..i % 5 { s += grid[i % 2][0] - j }
  }
  return s
}";
    let given = |steps| {
        let limits = Limits { steps, ..Limits::default() };
        on_all(limits, &[text, "fill(3_000)"]).remove(1)
    };
    // The least limit that it keeps, which is the same on every tier, like all limits tried on the way.
    let (mut below, mut enough) = (8_192, 20_000);
    while enough - below > 1 {
        let steps = (below + enough) / 2;
        match given(steps).starts_with("R0109") {
            true => below = steps,
            false => enough = steps,
        }
    }
    assert!((8_193..20_000).contains(&enough), "{enough}");
}

#[test]
fn hot_code_is_compiled_beside_the_program() {
    let mut session = text_session();
    tier::set_mode(Mode::WhenHot);
    session
        .cell("function f(n : Int) -> Int { var s := 0\n for i in 0..n { s += i % 7 }\n return s }")
        .unwrap();
    assert_eq!(session.session.engine.tier("f").tier, Tier::Interpreted);
    let first = session.cell("f(1_000_000)").unwrap();
    tier::finish();
    let tier = session.session.engine.tier("f");
    assert_eq!(tier.tier, Tier::Compiled);
    assert!(tier.bytes > 0);
    assert_eq!(session.cell("f(1_000_000)").unwrap(), first);
}

#[test]
fn calls_meet_the_new_version_and_old_code_is_freed() {
    let mut session = text_session();
    tier::set_mode(Mode::AtOnce);
    session
        .cell("function one() -> Int { return 0 }\nfunction two() -> Int { return one() + one() }")
        .unwrap();
    let mut most = 0;
    for n in 0..400 {
        session.cell(&format!("function one() -> Int {{ return {n} }}")).unwrap();
        assert_eq!(session.cell("two()").unwrap(), (2 * n).to_string());
        most = most.max(memory::live());
    }
    tier::set_mode(Mode::WhenHot);
    // What waits for its turn to be freed, bridges, the prelude: not one for each redefinition and cell.
    assert!(most < 400, "{most} compiled functions are alive");
}

#[test]
fn values_are_released_once_on_the_way_out() {
    let text = "struct P { name : Text, tags : List<Text> }\n\
        function join(ps : List<P>, at : Int) -> Text {\n\
        \x20 let p := ps[at]\n  let q := P(p.name + \"!\", p.tags)\n\
        \x20 return q.name + q.tags[at]\n}\n\
        function all(ps : List<P>) -> List<Text> {\n\
        \x20 var out : List<Text> := []\n\
        \x20 for i in 0..4 { out.push(match try join(ps, i) { Ok(t) => t, Err(e) => e.message }) }\n\
        \x20 return out\n}\nall([P(\"a\", [\"x\"]), P(\"b\", [\"y\", \"z\"])])";
    let given = on_all(Limits::default(), &[text]);
    assert!(given[0].starts_with(r#"["a!x", "b!z", "index 2"#), "{}", given[0]);
}

/// What is listed is what runs: as many bytes, and asking compiles nothing.
#[test]
fn a_listing_is_of_the_code_that_runs() {
    let text = "function power(x : Int, n : Int) -> Int {\n  var p := 1\n  for i in 0..n { p *= x }\n  return p\n}";
    let mut session = text_session();
    tier::set_mode(Mode::WhenHot);
    session.cell(text).unwrap();
    let engine = &session.session.engine;
    let before = engine.listing("power").unwrap().unwrap();
    assert_eq!(engine.tier("power").tier, Tier::Interpreted);
    assert!(before.clif.contains("smul_overflow"), "{}", before.clif);
    assert!(before.machine.lines().count() > 20, "{}", before.machine);
    tier::set_mode(Mode::AtOnce);
    session.cell(text).unwrap();
    tier::set_mode(Mode::WhenHot);
    let engine = &session.session.engine;
    assert_eq!(engine.tier("power").tier, Tier::Compiled);
    let listing = engine.listing("power").unwrap().unwrap();
    assert_eq!(listing.bytes, engine.tier("power").bytes);
    assert!(engine.listing("nothing").is_none());
}
