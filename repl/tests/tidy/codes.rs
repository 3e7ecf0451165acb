//! Pages of codes show their code happening. Never: runs the examples; `ag-lang` and the spec pages do.

use ag_lang::diag::codes;

use crate::tree::expect_none;

/// Pages without an example, and why. A code that gets one leaves the list.
const WITHOUT: &[(&str, &str)] = &[
    ("E0012", "bytes that are no text cannot stand in a page: repl/tests/faults/text.rs"),
    ("E0207", "needs two files: tests/spec/32-tools.md"),
    ("E0216", "needs a file: tests/spec/32-tools.md"),
    ("W0803", "needs a provider that bills more than it said: runtime/tests/remote.rs"),
    (
        "R0109",
        "needs a limit of steps, which a person cannot set yet: runtime/tests/actors/limits.rs",
    ),
    ("R0111", "comes with Frames"),
    ("R0707", "needs a process that was stopped for longer than its lease: repl/tests/stopped.rs"),
    ("R0711", "comes with several nodes"),
    ("R0712", "needs a redefinition while its caller runs: runtime/src/value/closure.rs"),
    ("R0999", "is a bug"),
    ("R1001", "needs a full disk: repl/tests/faults.rs"),
    ("R1002", "needs a damaged file: repl/tests/faults.rs"),
    ("R1003", "needs a file of a newer version: repl/tests/faults.rs"),
    ("R1004", "needs a second process: repl/tests/faults.rs"),
    ("R1005", "needs a damaged model: repl/tests/models.rs"),
    ("R1006", "needs a home that cannot be written: repl/tests/faults.rs"),
];

fn has_example(page: &str) -> bool {
    page.lines().any(|line| line.starts_with("```ag"))
}

#[test]
fn every_page_of_a_code_has_an_example_or_a_reason() {
    let mut found = Vec::new();
    for row in codes::TABLE {
        let code = row.code.as_str();
        let excuse = WITHOUT.iter().find(|(name, _)| *name == code);
        match (has_example(row.page), excuse) {
            (false, None) => found.push(format!("{code}: no example")),
            (true, Some(_)) => found.push(format!("{code}: has an example, and leaves the list")),
            (true, None) | (false, Some(_)) => {}
        }
    }
    let known = |code: &str| codes::TABLE.iter().any(|row| row.code.as_str() == code);
    let unknown = WITHOUT.iter().filter(|(code, _)| !known(code));
    found.extend(unknown.map(|(code, _)| format!("{code}: no such code")));
    // What a reason names exists.
    for (code, reason) in WITHOUT {
        let path = reason.rsplit_once(": ").map(|(_, path)| path);
        if let Some(path) = path.filter(|path| !crate::tree::root().join(path).exists()) {
            found.push(format!("{code}: {path} does not exist"));
        }
    }
    expect_none("pages of codes", &found);
}
