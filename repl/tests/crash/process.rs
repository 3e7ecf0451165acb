//! `ag` as a process on a home: started, listened to, killed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A process that says nothing for so long hangs; none of these tests measures how fast one is.
const HANGS: Duration = Duration::from_secs(60);

/// A program of `tests/crash/`.
pub fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/crash").join(name)
}

pub fn ag_run(home: &Path, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ag"));
    command.args(["run", "--lane", "echo", "--home"]).arg(home).arg(file).stdin(Stdio::null());
    command
}

/// Runs to the end, which must come.
pub fn finish(mut command: Command) -> (Output, Duration) {
    let start = Instant::now();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    (output, start.elapsed())
}

/// A process that will be killed.
pub struct Victim {
    child: Child,
    lines: Receiver<String>,
    errors: PathBuf,
}

impl Victim {
    /// `scratch` is where its complaints go.
    pub fn start(mut command: Command, scratch: &Path) -> Victim {
        let errors = scratch.join("stderr");
        let stderr = File::create(&errors).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // A line without its end may be cut: it acknowledges nothing.
            while stdout.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Victim { child, lines, errors }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for that many lines, then a while longer, kills it, and gives all that it said.
    pub fn kill_after(mut self, lines: u64, while_longer: Duration) -> Vec<String> {
        let mut said = Vec::new();
        for _ in 0..lines {
            said.push(self.line());
        }
        std::thread::sleep(while_longer);
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended by itself, {ended:?}: {}", self.complaints());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        said.extend(self.lines.iter());
        said
    }

    /// The next line.
    pub fn line(&self) -> String {
        let line = self.lines.recv_timeout(HANGS);
        line.unwrap_or_else(|_| panic!("no line came: {}", self.complaints()))
    }

    /// Writes to its standard input, which the command must have as a pipe.
    pub fn tell(&mut self, line: &str) {
        self.child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// Waits until it ends by itself, and gives its exit code and its complaints.
    pub fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.complaints())
    }

    fn complaints(&self) -> String {
        let mut text = String::new();
        File::open(&self.errors).unwrap().read_to_string(&mut text).unwrap();
        text
    }
}
