//! A folder with a home of its own, and notebooks that run in it cell by cell, whatever the cells give.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What says nothing for so long hangs. A lock is waited for five seconds.
const HANGS: Duration = Duration::from_secs(60);

pub const REMEMBER: &str = "@remember(Episode { context: \"kept tea\", action: \"a\" })";
pub const RECALL: &str = "@recall(\"tea\", limit: 100).len";
pub const SPEND: &str =
    "let spent : Text = @llm_call(provider: echo, prompt: \"hi\")\n@spent() > $0";
pub const THINK: &str = "6 * 7";
/// Waits until the test has done something.
pub const WAIT: &str = "input(\"now\");";

pub struct Place(TempDir);

/// What a cell gave.
pub struct Cell {
    pub outputs: Vec<Value>,
}

impl Cell {
    /// The code and the message of its fault.
    pub fn fault(&self) -> Option<(&str, &str)> {
        let fault = self.outputs.iter().find(|output| output["output"] == "fault")?;
        Some((fault["data"]["code"].as_str()?, fault["data"]["message"].as_str()?))
    }

    /// The code of its fault, whose message must contain a text.
    pub fn code(&self, says: &str) -> &str {
        let (code, message) =
            self.fault().unwrap_or_else(|| panic!("no fault: {:?}", self.outputs));
        assert!(message.contains(says), "{code} should say {says:?}: {message}");
        code
    }

    pub fn value(&self) -> &str {
        let value = self.outputs.iter().find(|output| output["output"] == "value");
        value
            .and_then(|value| value["data"]["text"].as_str())
            .unwrap_or_else(|| panic!("no value: {:?}", self.outputs))
    }

    /// The lines it printed.
    pub fn printed(&self) -> Vec<&str> {
        let texts = self.outputs.iter().filter(|output| output["output"] == "stdout");
        texts
            .flat_map(|text| {
                text["data"]["text"].as_str().or(text["data"].as_str()).unwrap().lines()
            })
            .collect()
    }
}

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub fn store(&self) -> PathBuf {
        self.home().join("mem.agdb")
    }

    pub fn journal(&self) -> PathBuf {
        self.home().join("ledger.jsonl")
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ag"));
        command.args(arguments);
        self.settle(&mut command);
        command
    }

    fn settle(&self, command: &mut Command) {
        command.current_dir(self.0.path()).env("AG_HOME", self.home()).stdin(Stdio::null());
        for name in ["AG_MODELS", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"] {
            command.env_remove(name);
        }
    }

    /// Runs to the end: exit code, stdout, stderr.
    pub fn ag(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> (i32, String, String) {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who refuses a file does not read stdin.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
        ended(child.wait_with_output().unwrap())
    }

    /// Runs cells, each whatever the one before gave.
    pub fn cells(&self, cells: &[&str]) -> Vec<Cell> {
        self.cells_while(self.notebook(cells), |_| {})
    }

    /// The same; `act` is called at every [`WAIT`], with its number, while the session waits.
    pub fn cells_with(&self, cells: &[&str], act: impl FnMut(usize)) -> Vec<Cell> {
        self.cells_while(self.notebook(cells), act)
    }

    /// Runs cells in a process that cannot make a file longer than this.
    pub fn cells_limited(&self, cells: &[&str], kib: u32) -> Vec<Cell> {
        let notebook = self.notebook(cells);
        let mut command = Command::new("bash");
        // Ignored, the signal becomes the error that a full quota gives too.
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
        command.args(["-c", &script, "bash"]).arg(notebook.get_program()).args(notebook.get_args());
        self.settle(&mut command);
        self.cells_while(command, |_| {})
    }

    fn notebook(&self, cells: &[&str]) -> Command {
        let cell = |source: &&str| json!({ "cell_type": "code", "source": source, "metadata": { "tags": ["raises-exception"] } });
        let cells: Vec<Value> = cells.iter().map(cell).collect();
        self.write("cells.ipynb", json!({ "cells": cells, "nbformat": 4 }).to_string());
        let mut command =
            self.command(&["run", "cells.ipynb", "--json", "--lane", "echo", "--home"]);
        command.arg(self.home());
        command
    }

    fn cells_while(&self, mut command: Command, mut act: impl FnMut(usize)) -> Vec<Cell> {
        let errors = self.0.path().join("stderr");
        let stderr = std::fs::File::create(&errors).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stdin = child.stdin.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line.unwrap())));
        let (mut cells, mut outputs, mut asked) = (Vec::new(), Vec::new(), 0);
        loop {
            let line = match lines.recv_timeout(HANGS) {
                Ok(line) => line,
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    child.kill().unwrap();
                    panic!("it hangs after {outputs:?}");
                }
            };
            let output: Value = serde_json::from_str(&line).unwrap();
            if output["output"] == "question" {
                act(asked);
                asked += 1;
                stdin.write_all(b"done\n").unwrap();
            }
            if output["output"] == "reply" {
                cells.push(Cell { outputs: std::mem::take(&mut outputs) });
            } else {
                outputs.push(output);
            }
        }
        let status = child.wait().unwrap();
        let told = std::fs::read_to_string(errors).unwrap();
        assert!(status.success(), "{status}: {told}");
        assert!(!told.contains("panicked"), "{told}");
        cells
    }
}

pub fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("it was not killed");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (code, out, err)
}
