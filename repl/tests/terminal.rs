//! The terminal as a person meets it, on a pseudo-terminal: several lines, Ctrl-C, Ctrl-D, completion, history, TERM=dumb.

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
