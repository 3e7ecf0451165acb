//! The terminal as a person meets it, on a pseudo-terminal with the screen a terminal would show: keys, hints, completion,
//! history, editors, pictures, prints above the prompt, plain terminals. `terminal/features.py` has a function a promise.
//!
//! `make test` prepares the Python that `AG_PYTHON` names; without it these tests are skipped with that reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/skip.rs"]
mod skip;

use std::path::Path;
use std::process::Command;

#[test]
fn a_person_can_work_in_it() {
    run("a_person_can_work_in_it", "person.py");
}

#[test]
fn what_a_program_shows_and_asks_can_be_followed() {
    run("what_a_program_shows_and_asks_can_be_followed", "shows.py");
}

fn run(test: &str, script: &str) {
    let has_python = Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_python {
        return skip::skip(test, "python3 is not installed");
    }
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terminal").join(script);
    let mut command = Command::new("python3");
    command.arg(script).arg(env!("CARGO_BIN_EXE_ag")).arg(home.path()).current_dir(home.path());
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs one of the functions, which says when its promise is kept.
fn keeps(promise: &str) {
    let Some(python) = std::env::var_os("AG_PYTHON") else {
        return skip::skip(promise, "AG_PYTHON names no Python with pyte (make test sets it)");
    };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terminal/features.py");
    let mut command = Command::new(python);
    command.arg(script).arg(env!("CARGO_BIN_EXE_ag")).arg(folder.path()).arg(promise);
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(&format!("{promise}: kept")), "{failed}");
}

macro_rules! promises {
    ($($promise:ident)+) => {
        $(#[test]
        fn $promise() {
            keeps(stringify!($promise));
        })+
    };
}

promises! {
    indents_and_dedents
    edits_several_lines
    pastes
    hints
    completes
    recalls_the_history
    edits_in_an_editor
    prints_above_the_prompt
    interrupts_and_leaves
    suspends_and_resumes
    follows_the_window
    aligns_wide_characters
    shows_pictures
    respects_plain_terminals
    explains_its_keys
}

/// A promise without its test would be no promise.
#[test]
fn every_promise_is_tested() {
    let script = include_str!("terminal/features.py");
    let list = script.split("PROMISES = [").nth(1).unwrap().split(']').next().unwrap();
    let here = include_str!("terminal.rs");
    for promise in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        assert!(here.contains(&format!("    {promise}\n")), "{promise}");
    }
}
