//! A process that is stopped for longer than a lease lives (SIGSTOP, a suspended laptop): on its return the lease is gone, and
//! the block that held it ends with R0707 before it does anything more.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// The lease lives 2 s and is renewed every second, which a busy machine may do late; each block takes 5 s. Another waits for it.
const PROGRAM: &str = r#"
function spin(from : Time) -> Int {
  var turns := 0
  while @now() - from < 5s { turns += 1 }
  return turns
}
function hold(kind : Text) -> Text {
  return @with_lease("desk", ttl: 2s) {
    print("inside $kind")
    if kind == "sleeping" { @sleep(5s) } else { spin(@now()) }
    print("done $kind")
    kind
  }
}
for kind in ["sleeping", "computing"] {
  let next := @task { @sleep(100ms); @with_lease("desk", ttl: 1s, wait: 20s) { "the next has it" } }
  print(match try hold(kind) { Ok(k) => "kept $k", Err(fault) => "${fault.code} $kind" })
  print(await next)
}
"#;

struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    // Deleted with it.
    _folder: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("program.ag"), PROGRAM).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ag"))
            .args(["run", "program.ag", "--ephemeral"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines, _folder: folder }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_process_that_was_stopped_has_lost_its_leases() {
    let mut program = Running::start();
    for kind in ["sleeping", "computing"] {
        assert_eq!(program.line(), format!("inside {kind}"));
        program.signal("-STOP");
        sleep(Duration::from_secs(3));
        program.signal("-CONT");
        // Neither the rest of the block nor its value is seen.
        assert_eq!(program.line(), format!("R0707 {kind}"));
        assert_eq!(program.line(), "the next has it");
    }
    assert_eq!(program.line(), "");
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn a_process_that_runs_keeps_its_leases() {
    let mut program = Running::start();
    for kind in ["sleeping", "computing"] {
        assert_eq!(program.line(), format!("inside {kind}"));
        assert_eq!(program.line(), format!("done {kind}"));
        assert_eq!(program.line(), format!("kept {kind}"));
        assert_eq!(program.line(), "the next has it");
    }
}
