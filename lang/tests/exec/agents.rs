//! Agents, requests, block forms: programs that wait, and what their Faults leave.

use crate::support::text_session;

const COUNTER: &str = "agent Counter(step : Int) {\n  state { n : Int = 0, log : List<Text> = [] }\n  \
    behavior add(times : Int) -> Int {\n    for i in 0..times {\n      n += step\n      log.push(\"+$step\")\n    }\n    return n\n  }\n  \
    behavior fail_after(x : Int) -> Int {\n    n += 100\n    log.push(\"lost\")\n    return x / 0\n  }\n  \
    behavior history() -> List<Text> { return log }\n}";

#[test]
fn agents_keep_state_over_messages() {
    let mut session = text_session();
    session.cell(COUNTER).unwrap();
    session.cell("let c := @spawn(Counter, step: 2)").unwrap();
    assert_eq!(session.cell("await c.add(3)").unwrap(), "6");
    assert_eq!(
        session.cell("(await c.add(1), await c.history())").unwrap(),
        "(8, [\"+2\", \"+2\", \"+2\", \"+2\"])"
    );
}

#[test]
fn a_message_that_faults_changes_nothing() {
    let mut session = text_session();
    session.cell(COUNTER).unwrap();
    session.cell("let c := @spawn(Counter, step: 1)\nawait c.add(1)").unwrap();
    assert_eq!(session.cell("await c.fail_after(3)").unwrap_err().code, "R0102");
    assert_eq!(
        session.cell("(await c.add(1), await c.history())").unwrap(),
        "(2, [\"+1\", \"+1\"])"
    );
}

#[test]
fn agents_ask_each_other() {
    let mut session = text_session();
    let text = "agent Leaf { behavior double(x : Int) -> Int { return x * 2 } }\n\
        agent Node(leaf : AgentRef<Leaf>) {\n  behavior twice(x : Int) -> Int {\n    let once := await leaf.double(x)\n    return await leaf.double(once)\n  }\n}";
    session.cell(text).unwrap();
    session.cell("let leaf := @spawn(Leaf)\nlet node := @spawn(Node, leaf: leaf)").unwrap();
    assert_eq!(session.cell("await node.twice(5)").unwrap(), "20");
    let many = "var refs : List<Future<Int>> := []\nfor i in 0..50 { refs.push(node.twice(i)) }\nvar sum := 0\nfor r in refs { sum += await r }\nsum";
    assert_eq!(session.cell(many).unwrap(), "4900");
}

#[test]
fn a_signal_has_a_result() {
    let mut session = text_session();
    session.cell(COUNTER).unwrap();
    let text = "let c := @spawn(Counter, step: 3)\nlet sent := @signal(c, Counter.add(2))\n(sent, await c.add(0))";
    assert_eq!(session.cell(text).unwrap(), "(Ok(()), 6)");
}

#[test]
fn blocks_are_left_on_every_way_out() {
    let mut session = text_session();
    let text = "function early(n : Int) -> Int {\n  for i in 0..10 {\n    @with_time_limit(1h) {\n      if i == n { return i * 10 }\n      if i == 7 { break }\n    }\n  }\n  return -1\n}\n";
    session.cell(text).unwrap();
    assert_eq!(session.cell("(early(3), early(9))").unwrap(), "(30, -1)");
    let text = "let r := try { @with_time_limit(1h) { @sleep(1s)\n  1 / 0 } }\nmatch r { Ok(v) => \"ok\", Err(f) => f.message }";
    assert_eq!(session.cell(text).unwrap(), "division by zero: 1 / 0");
}

#[test]
fn a_time_limit_ends_a_block_and_try_does_not_catch_it_inside() {
    let mut session = text_session();
    let text =
        "@with_time_limit(10ms) {\n  let r := try { @sleep(1h) }\n  print(\"not here\")\n  5\n}";
    let fault = session.cell(text).unwrap_err();
    assert_eq!(fault.code, "R0602");
    assert_eq!(session.cell("1 + 1").unwrap(), "2");
}

#[test]
fn a_value_sent_is_the_receivers_and_the_senders() {
    let mut session = text_session();
    let text = "agent Keeper {\n  state { kept : List<Text> = [] }\n  behavior keep(xs : List<Text>) -> Int {\n    kept = xs\n    kept.push(\"mine\")\n    return kept.len\n  }\n  behavior all() -> List<Text> { return kept }\n}";
    session.cell(text).unwrap();
    let text = "let k := @spawn(Keeper)\nvar xs := [\"a\"]\nlet n := await k.keep(xs)\nxs.push(\"b\")\n(n, xs, await k.all())";
    assert_eq!(session.cell(text).unwrap(), "(2, [\"a\", \"b\"], [\"a\", \"mine\"])");
}
