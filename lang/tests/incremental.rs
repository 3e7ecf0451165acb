//! Which queries run after which change. A query that runs without need makes every cell slow in a long session.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::{CellId, CheckedCell, Workspace};

/// A workspace that logs, with these cells checked.
fn session(cells: &[&str]) -> Workspace {
    let mut workspace = Workspace::new();
    workspace.prelude();
    for text in cells {
        check(&mut workspace, text);
    }
    workspace.database().log_queries();
    workspace
}

fn check(workspace: &mut Workspace, text: &str) -> (CellId, CheckedCell) {
    let id = workspace.add_cell(text);
    let checked = workspace.check(id);
    assert!(!checked.has_errors(), "{text}: {:#?}", checked.diagnostics);
    (id, checked)
}

/// The bodies that were inferred, and the statements.
fn inferred(workspace: &Workspace) -> Vec<String> {
    let log = workspace.database().take_log();
    let mut found: Vec<String> = log
        .into_iter()
        .filter(|entry| entry.starts_with("infer ") || entry.starts_with("step "))
        .collect();
    found.sort();
    found
}

const CHAIN: &[&str] = &[
    "function a(n : Int) -> Int { return n + 1 }",
    "function b(n : Int) -> Int { return a(n) * 2 }",
    "function c(n : Int) -> Int { return b(n) - 1 }",
];

#[test]
fn a_new_cell_infers_itself_only() {
    let mut workspace = session(CHAIN);
    check(&mut workspace, "function d(n : Int) -> Int { return c(n) }");
    assert_eq!(inferred(&workspace), ["infer d"]);
    check(&mut workspace, "d(1)");
    assert_eq!(inferred(&workspace), ["step 0"]);
}

#[test]
fn a_body_edit_infers_that_body() {
    let mut workspace = session(CHAIN);
    let (_, checked) = check(&mut workspace, "function a(n : Int) -> Int { return n + 2 }");
    assert_eq!(inferred(&workspace), ["infer a"]);
    assert!(checked.changes.relinked.is_empty());
    assert!(checked.changes.broken.is_empty());
}

#[test]
fn the_same_text_again_infers_nothing() {
    let mut workspace = session(CHAIN);
    check(&mut workspace, CHAIN[1]);
    assert_eq!(inferred(&workspace), [] as [&str; 0]);
}

#[test]
fn only_the_edited_function_of_a_cell_is_inferred() {
    let two = "function p() -> Int { return 1 }\nfunction q() -> Int { return 2 }";
    let mut workspace = session(&[two]);
    check(
        &mut workspace,
        "// moved\nfunction p() -> Int { return 1 }\n\nfunction q() -> Int { return 3 }",
    );
    assert_eq!(inferred(&workspace), ["infer q"]);
}

#[test]
fn a_signature_edit_infers_its_callers() {
    let mut workspace = session(CHAIN);
    let (_, checked) =
        check(&mut workspace, "function a(n : Int, by : Int = 1) -> Int { return n + by }");
    // `c` calls `b`, whose signature is the same.
    assert_eq!(inferred(&workspace), ["infer a", "infer b"]);
    let relinked: Vec<String> = checked
        .changes
        .relinked
        .iter()
        .flat_map(|(_, definitions)| &definitions.functions)
        .map(|function| function.key.to_string())
        .collect();
    assert_eq!(relinked, ["b"]);
}

#[test]
fn what_no_longer_checks_is_listed_once_and_restored() {
    let mut workspace = session(CHAIN);
    let (_, checked) = check(&mut workspace, "function a(t : Text) -> Int { return t.len }");
    let broken: Vec<&str> = checked.changes.broken.iter().map(|broken| &*broken.name).collect();
    assert_eq!(broken, ["b"]);
    assert_eq!(checked.changes.broken[0].diagnostic.code.to_string(), "E0301");
    assert_eq!(checked.changes.broken[0].cell, CellId(2));

    let (_, checked) = check(&mut workspace, "function unrelated() {}");
    assert!(checked.changes.broken.is_empty());

    let (_, checked) = check(&mut workspace, CHAIN[0]);
    assert!(checked.changes.broken.is_empty());
    assert_eq!(checked.changes.relinked.len(), 1);
    assert_eq!(checked.changes.relinked[0].0, CellId(2));
}

#[test]
fn an_erroneous_cell_changes_nothing() {
    let mut workspace = session(CHAIN);
    let id = workspace.add_cell("function a(t : Text) -> Text { return missing }");
    assert!(workspace.check(id).has_errors());
    let changes = workspace.remove_cell(id);
    assert!(changes.broken.is_empty() && changes.relinked.is_empty());
    workspace.database().take_log();
    check(&mut workspace, "c(1)");
    assert_eq!(inferred(&workspace), ["step 0"]);
}

#[test]
fn a_removed_cell_gives_earlier_definitions_back() {
    let mut workspace = session(CHAIN);
    let (id, _) = check(&mut workspace, "function a(t : Text) -> Text { return t }");
    let changes = workspace.remove_cell(id);
    let mut restored: Vec<String> = changes
        .relinked
        .iter()
        .flat_map(|(_, definitions)| &definitions.functions)
        .map(|function| function.key.to_string())
        .collect();
    restored.sort();
    assert_eq!(restored, ["a", "b"]);
}

#[test]
fn a_struct_edit_concerns_who_uses_it() {
    let mut workspace = session(&[
        "struct P { x : Int }",
        "function make() -> P { return P(1) }",
        "function get() -> Int { return make().x }",
        "function other() -> Int { return 1 }",
    ]);
    let (_, checked) = check(&mut workspace, "struct P { x : Int, y : Int = 0 }");
    assert_eq!(inferred(&workspace), ["infer get", "infer make"]);
    assert!(checked.changes.broken.is_empty());
    assert_eq!(checked.changes.relinked.len(), 2);
}

#[test]
fn globals_keep_the_types_of_their_values() {
    let mut workspace = session(&["let x := 1", "function f() -> Int { return x }"]);
    let (_, checked) = check(&mut workspace, "let x := \"text\"");
    assert_eq!(checked.changes.broken.len(), 1);
    assert_eq!(inferred(&workspace), ["infer f", "step 0"]);
    let (_, checked) = check(&mut workspace, "let x := 2");
    assert!(checked.changes.broken.is_empty());
    assert_eq!(checked.changes.relinked.len(), 1);
}

#[test]
fn a_statement_that_was_not_reached_declares_nothing() {
    let mut workspace = session(&["let x := 1"]);
    let (id, _) = check(&mut workspace, "let y := 2\nlet x := \"text\"");
    workspace.settle(id, Some(&["y".into()]));
    let (_, checked) = check(&mut workspace, "let z : Int := x + y");
    assert!(!checked.has_errors());
}

#[test]
fn an_agent_edit_leaves_its_callers() {
    let mut workspace = session(&[
        "agent A { state { n : Int = 0 }; behavior b() -> Int { return n } }",
        "function f(a : AgentRef<A>) -> Int { return await a.b() }",
    ]);
    check(
        &mut workspace,
        "agent A { state { n : Int = 0 }; behavior b() -> Int { return n + 1 } }",
    );
    assert_eq!(inferred(&workspace), ["infer A.b", "infer A.{init}"]);
}

/// A thousand functions in a hundred cells: a new cell costs what it costs alone.
#[test]
fn a_long_session_stays_cheap() {
    let cells: Vec<String> = (0..100)
        .map(|cell| {
            let line =
                |at| format!("function f{cell}_{at}(n : Int) -> Int {{ return n + {at} }}\n");
            (0..10).map(line).collect()
        })
        .collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let mut workspace = session(&cells);
    check(&mut workspace, "function f50_5(n : Int) -> Int { return n + 50 }\nf50_5(1)");
    let log = workspace.database().take_log();
    let runs = |query: &str| log.iter().filter(|entry| entry.starts_with(query)).count();
    assert_eq!((runs("parse"), runs("infer"), runs("step"), runs("scope")), (1, 1, 1, 1));
}
