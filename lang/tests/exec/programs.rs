//! Programs as people write them: text through the checker into the engine.

use crate::support::{text_session, text_session_with};
use ag_runtime::world::options::Limits;

fn shows(text: &str) -> String {
    match text_session().cell(text) {
        Ok(shown) => shown,
        Err(fault) => format!("{}: {}", fault.code, fault.message),
    }
}

#[test]
fn functions_and_loops() {
    assert_eq!(
        shows("function f(a : Int) -> Int { return a * 2 + 1 }\nlet x := f(20)\nx + 1"),
        "42"
    );
    let sum = "function sum_to(n : Int) -> Int {\n  total := 0\n  for i in 1..=n { total += i }\n  return total\n}\nsum_to(100)";
    assert_eq!(shows(sum), "5050");
    let collatz = "function steps(start : Int) -> Int {\n  n := start\n  count := 0\n  while n != 1 {\n    n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 }\n    count += 1\n  }\n  return count\n}\nsteps(27)";
    assert_eq!(shows(collatz), "111");
}

#[test]
fn printing_and_templates() {
    assert_eq!(shows("let name := \"Ada\"\nprint(\"hello $name, ${1 + 1}\")"), "hello Ada, 2\n");
}

#[test]
fn lists_grow_in_place() {
    let text = "function squares(n : Int) -> List<Int> {\n  xs : List<Int> := []\n  for i in 0..n { xs.push(i * i) }\n  return xs\n}\nsquares(5)";
    let text = text.replace("xs : List<Int> := []", "var xs : List<Int> := []");
    assert_eq!(shows(&text), "[0, 1, 4, 9, 16]");
}

#[test]
fn structs_enums_and_matching() {
    let text = "enum Shape { Circle(radius : Float), Square(side : Float), Empty }\n\
        function area(s : Shape) -> Float {\n  return match s {\n    Circle(r) => 3.0 * r * r\n    Square(a) => a * a\n    Empty => 0.0\n  }\n}\n\
        [area(Shape.Circle(2.0)), area(Shape.Square(1.5)), area(Shape.Empty)]";
    assert_eq!(shows(text), "[12.0, 2.25, 0.0]");
    let text = "struct P { x : Int, y : Int }\nlet p := P { x: 1, y: 2 }\nlet q := P { ..p, y: 5 }\n(p, q.x + q.y)";
    assert_eq!(shows(text), "(P { x: 1, y: 2 }, 6)");
}

#[test]
fn lambdas_capture_and_builtins_call_them() {
    assert_eq!(shows("let k := 10\n[1, 2, 3].map(x => x * k).filter(x => x > 10)"), "[20, 30]");
    let text = "function total(xs : List<Int>) -> Int {\n  sum := 0\n  xs.each(x => { sum += x })\n  return sum\n}\ntotal([1, 2, 3])";
    assert_eq!(shows(text), "6");
}

#[test]
fn faults_inside_lambdas_inside_builtins_leave_nothing() {
    let text = "function bad(xs : List<Text>) -> List<Int> {\n  let kept := xs.map(t => \"${t}!\")\n  return kept.map(t => 10 / (t.len - 2))\n}\nbad([\"aaa\", \"b\", \"cc\"])";
    assert_eq!(shows(text), "R0102: division by zero: 10 / 0");
    let text =
        "let r := try { [1, 0].map(x => 10 / x) }\nmatch r { Ok(v) => \"ok\", Err(f) => f.code }";
    assert_eq!(shows(text), "R0102");
}

#[test]
fn a_try_keeps_what_was_assigned_before_the_fault() {
    let text = "function partial() -> List<Text> {\n  var done : List<Text> := []\n  let r := try {\n    for i in 0..5 {\n      if i == 3 { require false }\n      done.push(\"step $i\")\n    }\n  }\n  return done\n}\npartial()";
    assert_eq!(shows(text), "[\"step 0\", \"step 1\", \"step 2\"]");
}

#[test]
fn a_condition_that_fails_reports_its_values() {
    let shown = shows("function f(n : Int) -> Int {\n  require n > 3\n  return n\n}\nf(2)");
    assert_eq!(shown, "R0401: requirement failed where n = 2");
}

#[test]
fn a_discarded_error_is_a_fault() {
    let text = "function f() -> Result<Int, Text> { return Err(\"no\") }\nfunction g() -> Int {\n  f()\n  return 1\n}\ng()";
    assert_eq!(shows(text), "R0404: a result was not used, and it is Err(\"no\")");
}

#[test]
fn maps_and_options() {
    let text = "var m : Map<Text, Int> := {}\nfor w in [\"a\", \"b\", \"a\"] { m[w] = (m.get(w) ?? 0) + 1 }\n(m, m.get(\"z\") ?? -1)";
    assert_eq!(shows(text), "({ \"a\": 2, \"b\": 1 }, -1)");
}

#[test]
fn globals_live_over_cells() {
    let mut session = text_session();
    session.cell("var xs := [1]").unwrap();
    session.cell("xs.push(2)").unwrap();
    session.cell("let ys := xs\nxs[0] = 9").unwrap();
    assert_eq!(session.cell("(xs, ys)").unwrap(), "([9, 2], [1, 2])");
}

#[test]
fn a_redefinition_changes_what_callers_call() {
    let mut session = text_session();
    session.cell("function f(x : Int) -> Int { return x + 1 }\nfunction g(x : Int) -> Int { return f(x) * 10 }").unwrap();
    assert_eq!(session.cell("g(1)").unwrap(), "20");
    session.cell("function f(x : Int) -> Int { return x + 2 }").unwrap();
    assert_eq!(session.cell("g(1)").unwrap(), "30");
    session.cell("function f(x : Int, more : Int = 5) -> Int { return x + more }").unwrap();
    assert_eq!(session.cell("g(1)").unwrap(), "60");
    session.cell("function f(x : Text) -> Int { return 0 }").unwrap();
    assert_eq!(session.cell("g(1)").unwrap_err().code, "R0901");
    session.cell("function f(x : Int) -> Int { return x }").unwrap();
    assert_eq!(session.cell("g(1)").unwrap(), "10");
}

#[test]
fn steps_are_limited() {
    let limits = Limits { steps: 100_000, ..Limits::default() };
    let mut session = text_session_with(limits);
    let fault = session.cell("var n := 0\nloop { n += 1 }").unwrap_err();
    assert_eq!(fault.code, "R0109");
    assert_eq!(session.cell("1 + 1").unwrap(), "2");
}

#[test]
fn what_nobody_else_holds_is_changed_in_place() {
    let mut session = text_session();
    let text = "struct Box { items : List<Int>, label : Text }\nfunction fill(n : Int) -> Box {\n  var b := Box { items: [], label: \"x\" }\n  for i in 0..n { b.items.push(i) }\n  return b\n}";
    session.cell(text).unwrap();
    assert_eq!(session.cell("fill(3)").unwrap(), "Box { items: [0, 1, 2], label: \"x\" }");
    let ir = session.session.engine.ir("fill").unwrap();
    assert!(ir.contains("take b.") && !ir.contains("dup b."), "{ir}");
    session.cell("var all : List<Int> := []").unwrap();
    session.cell("for i in 0..2000 { all.push(i) }\nlet kept := all\nall.push(7)").unwrap();
    assert_eq!(session.cell("(kept.len, all.len, all[2000])").unwrap(), "(2000, 2001, 7)");
    session.cell("var m : Map<Text, List<Int>> := {}\nm[\"a\"] = [1]\nm[\"a\"][0] = 5\nlet n := m\nm[\"b\"] = []").unwrap();
    assert_eq!(session.cell("(m, n)").unwrap(), "({ \"a\": [5], \"b\": [] }, { \"a\": [5] })");
    assert_eq!(session.cell("m[\"z\"][0] = 1").unwrap_err().code, "R0105");
    assert_eq!(session.cell("all[9999] = 1").unwrap_err().code, "R0104");
    assert_eq!(session.cell("(m.len, all.len)").unwrap(), "(2, 2001)");
}
