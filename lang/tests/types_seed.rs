//! The seed's first program with its declarations, through the checker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::Workspace;

#[test]
fn prelude_has_no_errors() {
    let workspace = Workspace::new();
    let prelude = workspace.prelude();
    assert!(prelude.diagnostics.is_empty(), "{:#?}", prelude.diagnostics);
    assert!(prelude.definitions.types.len() > 20);
}

#[test]
fn arithmetic() {
    let mut workspace = Workspace::new();
    let id = workspace
        .add_cell("function f(a : Int) -> Int { return a * 2 + 1 }\nlet x := f(20)\nx + 1");
    let checked = workspace.check(id);
    assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    assert_eq!(checked.steps.len(), 2);
}
