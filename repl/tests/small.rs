//! The small build (`make small`): it answers on the echo lane, has its terminal, and says of what it lacks that it does.
//!
//! Empty in every other build; `make soak` runs it.
#![cfg(not(any(feature = "models", feature = "net")))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/skip.rs"]
mod skip;

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

fn ag(place: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ag"));
    command.args(arguments).current_dir(place.path()).env("AG_HOME", place.path().join("home"));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn run(program: &str, options: &[&str]) -> (i32, String, String) {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("a.ag"), program).unwrap();
    ag(&place, &[&["run", "a.ag", "--ephemeral"], options].concat())
}

#[test]
fn an_agent_is_answered_by_echo_and_remembers() {
    let program = "agent Helper {\n  memory { long_term : VectorDB(collection: \"c\") }\n  \
        behavior ask(q : Text) -> Text {\n    let answer : Text := @llm_call(q)\n    \
        let id := @remember(Episode { context: q, action: answer })\n    return answer\n  }\n  \
        behavior known(q : Text) -> Int { return @recall(q).len() }\n}\n\
        let helper := @spawn(Helper)\nprint(await helper.ask(\"rain in Lisbon\"))\n\
        print(await helper.known(\"rain\"))\n";
    let (code, out, err) = run(program, &[]);
    assert_eq!((code, out.as_str()), (0, "echo: rain in Lisbon\n1\n"), "{err}");
    assert!(err.contains("1 lane call, echo, ") && err.contains("echo: made up"), "{err}");
}

#[test]
fn a_person_can_work_in_its_terminal() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|it| it.status.success()) {
        return skip::skip("a_person_can_work_in_its_terminal", "python3 is not installed");
    }
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terminal/person.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(env!("CARGO_BIN_EXE_ag")).arg(home.path()).current_dir(home.path());
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Each with the code that a program can catch, and none with a way out that this build does not have.
#[test]
fn what_is_not_in_it_is_refused_with_a_code() {
    let calls = [
        ("@llm_call(\"hi\", provider: onnx_local)\n", "R0604"),
        ("@llm_call(\"hi\", provider: anthropic)\n", "R0604"),
        ("print(fetch(\"http://127.0.0.1:1/\"))\n", "R0608"),
    ];
    for (program, wanted) in calls {
        let (code, _, err) = run(program, &["--allow", "net"]);
        assert!(code == 1 && err.contains(&format!("error[{wanted}]")), "{program}: {err}");
        assert!(err.contains("not in this build") || err.contains("built without"), "{err}");
        assert!(!err.contains("ag models install"), "{err}");
    }
    let place = tempfile::tempdir().unwrap();
    for arguments in
        [&["models", "install"][..], &["models", "list"], &["models", "install", "--pip"]]
    {
        let (code, out, err) = ag(&place, arguments);
        assert!(code == 2 && out.is_empty() && err.contains("R1005"), "{arguments:?}: {err}");
    }
    let (code, out, _) = ag(&place, &["doctor"]);
    let row = out.lines().find(|line| line.contains(" models ")).unwrap();
    assert!(code == 0 && row.starts_with("off") && row.contains("not in this build"), "{out}");
}
