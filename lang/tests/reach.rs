//! The effects of functions that call each other in rings: every entry to a ring gives the same answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::Workspace;
use proptest::prelude::{ProptestConfig, Strategy, prop_assert_eq, proptest};
use std::collections::{BTreeMap, BTreeSet};

/// What each function does itself, so that effects can be told apart.
const DOES: [(&str, &str); 4] = [
    ("", ""),
    ("print(\"x\")", "output"),
    ("let r := @random()", "random"),
    ("let t := @now()", "clock"),
];

fn program(functions: &[(usize, Vec<usize>)]) -> String {
    let mut text = String::new();
    for (at, (does, calls)) in functions.iter().enumerate() {
        let calls: String = calls.iter().map(|to| format!("    f{to}(n - 1)\n")).collect();
        let own = DOES.get(*does).map_or("", |(code, _)| code);
        text += &format!(
            "function f{at}(n : Int) -> Int {{\n  if n > 0 {{\n{calls}  }}\n  {own}\n  return n\n}}\n"
        );
    }
    text
}

/// By definition: what is reached by following calls.
fn closure(functions: &[(usize, Vec<usize>)], from: usize) -> BTreeSet<&'static str> {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(at) = todo.pop() {
        if seen.insert(at) {
            todo.extend(&functions[at].1);
        }
    }
    let does = seen.iter().map(|at| DOES[functions[*at].0].1);
    does.filter(|effect| !effect.is_empty()).collect()
}

fn checked(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut workspace = Workspace::new();
    let cell = workspace.add_cell(text);
    let checked = workspace.check(cell);
    assert!(!checked.has_errors(), "{text}\n{:#?}", checked.diagnostics);
    let functions = checked.definitions.functions.iter();
    functions
        .map(|f| (f.key.to_string(), f.effects.iter().map(|e| e.to_string()).collect()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn effects_are_those_of_all_that_is_reached(
        functions in (1usize..12).prop_flat_map(|n| {
            proptest::collection::vec((0usize..4, proptest::collection::vec(0..n, 0..4)), n)
        })
    ) {
        let found = checked(&program(&functions));
        for at in 0..functions.len() {
            let wanted: BTreeSet<String> =
                closure(&functions, at).into_iter().map(str::to_owned).collect();
            prop_assert_eq!(&found[&format!("f{at}")], &wanted, "f{}", at);
        }
    }
}

#[test]
fn a_chain_of_ten_thousand_functions_is_checked() {
    let chain: Vec<(usize, Vec<usize>)> = (0..10_000)
        .map(|at| (usize::from(at == 9_999), (at < 9_999).then_some(at + 1).into_iter().collect()))
        .collect();
    let found = checked(&program(&chain));
    assert_eq!(found["f0"], BTreeSet::from(["output".to_owned()]));
}
