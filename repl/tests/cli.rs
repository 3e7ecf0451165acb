//! The `ag` command as scripts and people use it: what it prints, and what its exit code says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to work in, with a home of its own.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ag"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("AG_HOME", self.0.path().join("home"));
        // What the person who runs the tests has installed and may spend is no part of them.
        for name in ["COLUMNS", "AG_MODELS", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        command
    }

    fn ag(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    fn pipe(&self, text: impl AsRef<[u8]>) -> Ran {
        self.feed(&[], text)
    }

    fn feed(&self, arguments: &[&str], text: impl AsRef<[u8]>) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_ref()).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let ran = Place::new().ag(&["--help"]);
    assert_eq!(ran.code, 0);
    for wanted in ["ag run", "Exit codes: 0", "ag kernel install"] {
        assert!(ran.out.contains(wanted), "{wanted}: {}", ran.out);
    }
    assert!(Place::new().ag(&["--version"]).out.starts_with("ag 0."));
}

#[test]
fn a_wrong_command_line_is_2() {
    let place = Place::new();
    for arguments in [
        &["run"][..],
        &["nonsense"],
        &["run", "missing.ag"],
        &["explain", "E9999"],
        &["run", "a.ag", "--budget", "x"],
    ] {
        let ran = place.ag(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.err.starts_with("error: "), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn explain_shows_the_page_of_a_code() {
    let ran = Place::new().ag(&["explain", "e0301"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("# E0301: "));
    assert!(Place::new().ag(&["explain", "E0302x"]).err.contains("E0302"), "it names what is near");
}

#[test]
fn the_kernel_is_installed_and_removed() {
    let place = Place::new();
    let prefix = place.0.path().join("prefix");
    let prefix = prefix.to_str().unwrap();
    assert_eq!(place.ag(&["kernel", "install", "--prefix", prefix]).code, 0);
    let spec = std::fs::read_to_string(
        Path::new(prefix).join("share/jupyter/kernels/agentic/kernel.json"),
    )
    .unwrap();
    assert!(spec.contains(env!("CARGO_BIN_EXE_ag")));
    assert_eq!(place.ag(&["kernel", "uninstall", "--prefix", prefix]).code, 0);
    assert_eq!(
        place.ag(&["kernel", "uninstall", "--prefix", prefix]).code,
        2,
        "nothing is left to remove"
    );
    assert_eq!(place.ag(&["kernel", "start", "-f", "missing.json"]).code, 2);
}

#[test]
fn a_pipe_shows_the_result_of_every_piece() {
    let ran = Place::new().pipe("1 + 1\nlet a := [1, 2]\na.map(x =>\n  x * 2)\n:help\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("2\n[2, 4]\n"), "{}", ran.out);
    assert!(!ran.out.contains('\x1b'), "no colours in a pipe");
}

#[test]
fn a_pipe_stops_at_the_first_failure() {
    let ran = Place::new().pipe("print(\"one\")\n1 / 0\nprint(\"two\")\n");
    assert_eq!((ran.code, ran.out.as_str()), (1, "one\n"));
    assert!(ran.err.contains("R0102"), "{}", ran.err);
}

#[test]
fn a_modifier_waits_for_its_cell() {
    let ran = Place::new().pipe("%%time\n6 * 7\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("cell 1 took") && ran.out.contains("42"), "{}", ran.out);
    let ran = Place::new().pipe("%%time 1 + 1\n");
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("E0905") && ran.err.contains("following lines"), "{}", ran.err);
}

#[test]
fn leaving_has_many_words_unless_they_are_names() {
    for word in ["exit", "quit", "exit()", "quit()", ":q", ":quit", ":exit"] {
        let ran = Place::new().pipe(format!("1\n{word}\n2\n"));
        assert_eq!((ran.code, ran.out.as_str()), (0, "1\n"), "{word}: {}", ran.err);
    }
    assert_eq!(Place::new().pipe("let quit := 5\nquit\n").out, "5\n");
}

#[test]
fn a_command_that_finds_mistakes_fails_its_cell() {
    for text in [":type zzz\n", ":trace 99\n", ":cost cell 99\n", ":set nothing 1\n"] {
        let ran = Place::new().pipe(text);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{text}: {}", ran.err);
    }
}

#[test]
fn an_ephemeral_home_does_not_survive_being_ended() {
    for (signal, code) in [("-TERM", 143), ("-HUP", 129)] {
        let place = Place::new();
        let temporary = place.0.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        place.write("a.ag", "print(\"running\")\nwhile true { }\n");
        let mut command = place.command(&["run", "a.ag", "--ephemeral"]);
        let mut child = command.env("TMPDIR", &temporary).stdout(Stdio::piped()).spawn().unwrap();
        let mut shown = [0; 7];
        child.stdout.as_mut().unwrap().read_exact(&mut shown).unwrap();
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 1);
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{signal}");
    }
}

#[test]
fn a_file_in_the_place_of_a_command_is_told_how_to_run() {
    let ran = Place::new().ag(&["x.ag"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("ag run x.ag"), "{}", ran.err);
}

#[test]
fn a_program_comes_from_stdin() {
    let ran = Place::new().feed(&["run", "-"], "let a := 40\na + 2\n");
    assert_eq!((ran.code, ran.out.as_str()), (0, "42\n"), "{}", ran.err);
    assert!(Place::new().feed(&["run", "-"], "zzz\n").err.contains("stdin"));
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let place = Place::new();
    std::fs::write(place.0.path().join("a.ag"), b"\xff\n1\n").unwrap();
    for ran in [place.pipe(b"\xff\n1 + 1\n"), place.ag(&["run", "a.ag"])] {
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains("not valid UTF-8"), "{}", ran.err);
    }
}

#[test]
fn a_program_is_one_cell() {
    let place = Place::new();
    place.write(
        "good.ag",
        "function twice(n : Int) -> Int { return n * 2 }\nprint(twice(4))\ntwice(21)\n",
    );
    let ran = place.ag(&["run", "good.ag", "--ephemeral"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "8\n42\n"), "{}", ran.err);
    place.write("fault.ag", "print(1)\nlet xs := [1]\nxs[3]\n");
    let ran = place.ag(&["run", "fault.ag", "--ephemeral"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "1\n"));
    assert!(ran.err.contains("R0104") && ran.err.contains("xs[3]"), "{}", ran.err);
    place.write("wrong.ag", "print(1)\nno_such_name\n");
    let ran = place.ag(&["run", "wrong.ag", "--ephemeral"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "nothing runs: {}", ran.err);
    assert!(ran.err.contains("wrong.ag"), "it names the file: {}", ran.err);
}

#[test]
fn commands_belong_to_cells_not_to_files() {
    let place = Place::new();
    place.write("a.ag", ":help\n1\n");
    for arguments in [&["run", "a.ag", "--ephemeral"], &["check", "a.ag", "--json"]] {
        let ran = place.ag(arguments);
        assert_eq!(ran.code, 3);
        assert!((ran.err + &ran.out).contains("E0108"));
    }
}

#[test]
fn json_outputs_are_lines() {
    let place = Place::new();
    place.write("a.ag", "print(\"x\")\n6 * 7\n");
    let ran = place.ag(&["run", "a.ag", "--ephemeral", "--json"]);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["output"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stdout", "value", "reply"]);
    assert_eq!(lines[1]["data"]["text"], "42");
    assert_eq!(lines[2]["data"]["status"], "ok");
}

const SHOWS: &str = "let p := progress(100, \"runs\")\nfor n in 0..90 { p.advance() }\nlet d := display(1)\nd.update(2)\n\
    print(\"gone in a notebook\")\nclear_output()\nlet name := input(\"Name? \")\nprint(\"hi $name\")\nhtml(\"<p>1 &lt; 2</p>\")\n";

#[test]
fn a_pipe_gets_milestones_and_marks_and_answers_questions() {
    let place = Place::new();
    place.write("a.ag", SHOWS);
    let ran = place.feed(&["run", "a.ag", "--ephemeral"], "bob\r\nmore\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().map(|line| line.split(" ▕").next().unwrap()).collect();
    let bars = ["runs: 0 of 100", "runs: 25 of 100", "runs: 50 of 100", "runs: 75 of 100"];
    assert_eq!(lines[..4], bars);
    let rest =
        ["1", "updated: 2", "gone in a notebook", "Name? ", "hi bob", "1 < 2", "runs: 90 of 100"];
    assert_eq!(lines[4..], rest, "the last state of the bar comes at the end");
    assert!(!ran.out.contains('\x1b'), "{:?}", ran.out);
}

#[test]
fn the_end_of_stdin_answers_nobody() {
    let place = Place::new();
    place.write("a.ag", "let name := input(\"Name? \")\nprint(name)\n");
    for (text, code) in [("", 1), ("last line", 0), ("\n", 0), ("\u{e9}\n", 0)] {
        let ran = place.feed(&["run", "a.ag", "--ephemeral"], text);
        assert_eq!(ran.code, code, "{text:?}: {}", ran.err);
        assert_eq!(ran.err.contains("R0702"), code == 1, "{}", ran.err);
    }
    let ran = place.feed(&["run", "a.ag", "--ephemeral"], b"\xff\n");
    assert!(ran.code == 1 && ran.err.contains("not valid UTF-8"), "{}", ran.err);
    // A program from a pipe has no stdin left to answer from.
    let ran = place.pipe("input()\nprint(1)\n");
    assert!(ran.code == 1 && ran.err.contains("R0702"), "{}", ran.err);
}

#[test]
fn json_tells_questions_and_few_states_of_a_bar() {
    let place = Place::new();
    place.write("a.ag", &SHOWS.replace("100", "100_000").replace("0..90", "0..99_999"));
    let ran = place.feed(&["run", "a.ag", "--ephemeral", "--json"], "bob\n");
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["output"] == kind).collect::<Vec<_>>();
    assert_eq!(of("question")[0]["data"]["prompt"], "Name? ");
    let bars = of("progress");
    assert_eq!((bars.len(), bars[100]["data"]["done"].as_u64()), (101, Some(99_999)));
    assert_eq!(of("value")[0]["data"]["media"]["form"], "html");
}

#[test]
fn check_finds_mistakes_and_runs_nothing() {
    let place = Place::new();
    place.write("good.ag", "print(\"ran\")\n");
    place.write("wrong.ag", "let n : Int := \"x\"\n");
    let ran = place.ag(&["check", "good.ag"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let ran = place.ag(&["check", "good.ag", "wrong.ag", "--json"]);
    assert_eq!(ran.code, 3);
    let line: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(line["data"][0]["code"], "E0301");
}

#[test]
fn a_notebook_runs_cell_by_cell_up_to_the_first_failure() {
    let place = Place::new();
    let cell = |source: &str| serde_json::json!({ "cell_type": "code", "source": source, "metadata": {}, "outputs": [] });
    let cells =
        [cell(":lane echo\nlet a := 1"), cell("a + 1"), cell("1 / 0"), cell("print(\"never\")")];
    place.write("n.ipynb", &serde_json::json!({ "cells": cells, "nbformat": 4 }).to_string());
    let ran = place.ag(&["run", "n.ipynb", "--ephemeral"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("2\n") && !ran.out.contains("never"));
    place.write("no.ipynb", "{}");
    assert_eq!(place.ag(&["run", "no.ipynb"]).code, 2);
}

#[test]
fn an_ephemeral_run_leaves_nothing() {
    let place = Place::new();
    place.write("a.ag", "1\n");
    assert_eq!(place.ag(&["run", "a.ag", "--ephemeral"]).code, 0);
    let left: Vec<_> = std::fs::read_dir(place.0.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["a.ag"]);
}

/// The notebook for newcomers: all its cells run, and the two that show a mistake are the only ones that fail.
#[test]
fn the_first_cells_run_to_the_end() {
    let place = Place::new();
    let notebook = root().join("notebooks/01-first-cells.ipynb");
    let ran = place.ag(&["run", notebook.to_str().unwrap(), "--ephemeral", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replies: Vec<&str> = lines
        .iter()
        .filter(|line| line["output"] == "reply")
        .map(|line| line["data"]["status"].as_str().unwrap())
        .collect();
    let mut wanted = ["ok"; 12];
    (wanted[2], wanted[7]) = ("rejected", "faulted");
    assert_eq!(replies, wanted);
    assert!(!ran.out.contains("E0903"), "a newcomer meets nothing that is not there yet");
}

/// The results of a notebook's cells, in order; what became of them later is left out.
fn result_texts(lines: &[serde_json::Value]) -> Vec<&str> {
    let results = lines
        .iter()
        .filter(|line| line["output"] == "display" && line["data"]["update"] == false)
        .filter_map(|line| line["data"]["content"]["data"]["text"].as_str());
    results.collect()
}

/// LANGUAGE.md section 20, cells 1-4, on the echo lane and an empty home: twice, exactly.
#[test]
fn the_first_program_gives_its_results_every_time() {
    let place = Place::new();
    let notebook = root().join("notebooks/02-agents.ipynb");
    let runs: Vec<Ran> = (0..2)
        .map(|_| place.ag(&["run", notebook.to_str().unwrap(), "--ephemeral", "--json"]))
        .collect();
    for ran in &runs {
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines: Vec<serde_json::Value> =
            ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of =
            |kind: &str| lines.iter().filter(|line| line["output"] == kind).collect::<Vec<_>>();
        let values = result_texts(&lines);
        assert_eq!(values, ["Decision.Hold", "Decision.NoTrade(\"risk too high\")", "3"]);
        let costs = of("cost_line");
        assert_eq!(costs.len(), 1, "the decisions after the first call no lane");
        let cost = &costs[0]["data"];
        assert_eq!(
            (&cost["tokens_in"], &cost["tokens_out"], &cost["cost_micro_usd"]),
            (&17.into(), &4.into(), &25.into())
        );
    }
}

/// LANGUAGE.md section 20, cells 5 to 8: twice, exactly.
#[test]
fn the_second_and_third_program_give_their_results_every_time() {
    let place = Place::new();
    let notebook = root().join("notebooks/03-orchestration.ipynb");
    for _ in 0..2 {
        let ran = place.ag(&["run", notebook.to_str().unwrap(), "--ephemeral", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines: Vec<serde_json::Value> =
            ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of =
            |kind: &str| lines.iter().filter(|line| line["output"] == kind).collect::<Vec<_>>();
        let printed: String =
            of("stdout").iter().filter_map(|line| line["data"].as_str()).collect();
        assert_eq!(printed, "true\nfalse\nrecorded\nrecorded\nrecorded\n5.0\n0\n");
        let values: Vec<&str> = of("display")
            .iter()
            .filter_map(|line| line["data"]["content"]["data"]["text"].as_str())
            .collect();
        assert_eq!(values[0], "TradeResult { order_id: 1, filled: 50 }");
        assert!(values.contains(&"30"), "{values:?}");
        let third = "Response { text: \"echo: hello\", lane: echo, model: \"echo\", tokens_in: 2, tokens_out: 3, \
                     cost: $0.000008, latency: 5ms }";
        assert_eq!(values.last(), Some(&third));
        let decided = of("decisions")[0]["data"]["decisions"].as_array().unwrap();
        let results: Vec<&str> =
            decided.iter().map(|one| one["result"]["text"].as_str().unwrap()).collect();
        assert_eq!(results, ["true", "false"]);
        assert!(decided.iter().all(|one| one["votes"].as_array().unwrap().len() == 10));
    }
}

/// The seed's program alone uses names that nobody declared: each is a mistake with a code.
#[test]
fn the_seeds_program_alone_names_what_is_missing() {
    let place = Place::new();
    let notebook = std::fs::read_to_string(root().join("notebooks/02-agents.ipynb")).unwrap();
    let notebook: serde_json::Value = serde_json::from_str(&notebook).unwrap();
    let cells = notebook["cells"].as_array().unwrap();
    let agent = cells.iter().find(|cell| cell["id"] == "agent").unwrap();
    let source: String =
        agent["source"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    place.write("l1_trading_agent.ag", &source);
    let ran = place.ag(&["run", "l1_trading_agent.ag", "--ephemeral"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    for name in [
        "Symbol",
        "MarketAnalysis",
        "MarketDataAPI",
        "BrokerAPI",
        "PostgreSQL",
        "MarketSignal",
        "Decision",
        "current_portfolio",
    ] {
        assert!(ran.err.contains(name), "{name} is missing and not named:\n{}", ran.err);
    }
}

/// One file with a test that passes and one that fails, one notebook, one file that does not check.
#[test]
fn tests_of_a_folder_run_and_are_reported() {
    let place = Place::new();
    place.write("good.ag", "function twice(n : Int) -> Int { return 2 * n }\nprint(\"program\")\ntest \"doubles\" { assert twice(2) == 4 }\n");
    let cell = |source: &str| serde_json::json!({ "cell_type": "code", "source": source, "metadata": {}, "outputs": [] });
    let cells = [
        cell(":lane echo\nlet a := 1"),
        cell("test \"sees a\" { assert a == 1 }"),
        cell("let a := 2"),
    ];
    place.write("n.ipynb", &serde_json::json!({ "cells": cells, "nbformat": 4 }).to_string());
    place.write("none.ag", "1\n");
    let ran = place.ag(&["test"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok      doubles  good.ag:3\n"), "{}", ran.out);
    assert!(ran.out.contains("ok      sees a  n.ipynb cell 2:1\n2 tests: 2 passed"), "{}", ran.out);
    assert!(!ran.out.contains("program"), "{}", ran.out);

    place.write("bad.ag", "test \"fails <here>\" { print(\"told\"); assert 1 + 1 == 3 }\n");
    let ran = place.ag(&["test", "--junit", "report.xml", "-j", "2"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("left = 2, right = 3") && ran.out.contains("told"), "{}", ran.out);
    let report = std::fs::read_to_string(place.0.path().join("report.xml")).unwrap();
    assert!(report.contains("<testsuites tests=\"3\" failures=\"1\">"), "{report}");
    assert!(report.contains("name=\"fails &lt;here&gt;\""), "{report}");

    let ran = place.ag(&["test", "--json", "--filter", "here"]);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["data"]["outcome"], "failed");
    assert_eq!((&lines[1]["data"]["tests"], &lines[1]["data"]["failed"]), (&1.into(), &1.into()));

    place.write("bad.ag", "test \"x\" { assert 1 }\n");
    let ran = place.ag(&["test"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("E0301") && ran.out.contains("2 tests: 2 passed"), "{}", ran.err);
    assert_eq!(place.ag(&["test", "--filter", "nothing like it"]).code, 2);
    assert_eq!(place.ag(&["test", "none.ag"]).code, 2);
    assert_eq!(place.ag(&["test", "missing.ag"]).code, 2);
    assert!(!place.0.path().join("home").exists(), "tests leave the home alone");
}

/// What `ag new` writes runs and passes at once, and nothing is written over.
#[test]
fn a_new_folder_runs_at_once() {
    let place = Place::new();
    assert_eq!(place.ag(&["new", "desk"]).code, 0);
    for file in ["desk/desk.ag", "desk/desk.ipynb"] {
        let ran = place.ag(&["run", file, "--ephemeral"]);
        assert_eq!(ran.code, 0, "{file}: {}", ran.err);
        assert!(ran.out.contains("Decision.Approve"), "{file}: {}", ran.out);
        assert!(!ran.out.contains("failed"), "{file}: {}", ran.out);
    }
    // What it remembered the first time it knows the second time.
    for known in ["Asked like it: 0", "Asked like it: 2"] {
        let ran = place.ag(&["run", "desk/desk.ag"]);
        assert!(ran.out.contains(known), "{known}: {}{}", ran.out, ran.err);
    }
    let ran = place.ag(&["test", "desk"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("6 tests: 6 passed"), "{}", ran.out);
    place.write("desk/desk.ag", "mine");
    assert_eq!(place.ag(&["new", "desk"]).code, 2);
    assert_eq!(std::fs::read_to_string(place.0.path().join("desk/desk.ag")).unwrap(), "mine");
    for wrong in ["2x", "a/b", "..", "a b", ""] {
        assert_eq!(place.ag(&["new", wrong]).code, 2, "{wrong}");
    }
}

#[test]
fn doctor_tells_what_is_there_and_never_a_key() {
    let place = Place::new();
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::env::split_paths(&path).filter(|folder| !folder.join("jupyter").exists());
    let without_jupyter = std::env::join_paths(folders).unwrap();
    let doctor = |home: &str, data: &Path| {
        let mut command = place.command(&["doctor", "--json"]);
        command
            .env("AG_HOME", home)
            .env("JUPYTER_DATA_DIR", data)
            .env("JUPYTER_PATH", "")
            // A Jupyter of the machine would say where it looks itself.
            .env("PATH", &without_jupyter)
            .env("ANTHROPIC_API_KEY", "sk-secret")
            .env_remove("OPENROUTER_API_KEY")
            .env_remove("OPENAI_API_KEY");
        let ran = Ran::from(command.output().unwrap());
        assert!(!ran.out.contains("secret"), "{}", ran.out);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        (ran.code, report)
    };
    let state = |report: &serde_json::Value, part: &str| {
        let rows = report["findings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["part"] == part).unwrap_or_else(|| panic!("{part}"));
        (row["state"].as_str().unwrap().to_owned(), row["command"].as_str().map(str::to_owned))
    };
    let home = place.0.path().join("home");
    let data = place.0.path().join("prefix/share/jupyter");
    let (_, report) = doctor(home.to_str().unwrap(), &data);
    assert!(!home.exists(), "looking makes nothing");
    assert_eq!(state(&report, "ANTHROPIC_API_KEY").0, "ok");
    for (name, lane) in [("OPENROUTER_API_KEY", "the lane openrouter"), ("OPENAI_API_KEY", "lane ")]
    {
        let (off, command) = state(&report, name);
        assert!(off == "off" && command.unwrap().contains(lane), "{name}");
    }
    for row in report["findings"].as_array().unwrap() {
        assert!(row["state"] != "off" || row["command"].is_string(), "nothing turns it on: {row}");
    }
    assert_eq!(state(&report, "home").0, "ok");

    let prefix = place.0.path().join("prefix");
    assert_eq!(place.ag(&["kernel", "install", "--prefix", prefix.to_str().unwrap()]).code, 0);
    let (_, report) = doctor(home.to_str().unwrap(), &data);
    assert_eq!(state(&report, "kernelspec").0, "ok", "{report}");
    assert_eq!(state(&report, "labextension").0, "ok");
    let spec = data.join("kernels/agentic/kernel.json");
    let text = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, text.replace(env!("CARGO_BIN_EXE_ag"), "/nowhere/ag")).unwrap();
    let (code, report) = doctor(home.to_str().unwrap(), &data);
    assert_eq!((code, state(&report, "kernelspec").0.as_str()), (1, "broken"));
    assert!(state(&report, "kernelspec").1.unwrap().contains("ag kernel install"));

    place.write("a.ag", ":x");
    place.pipe("let t : Text := @llm_call(\"x\")\n@remember(Episode { context: 1, action: 2 })\n");
    let journal = home.join("ledger.jsonl");
    assert_eq!(doctor(home.to_str().unwrap(), &data).1["findings"].as_array().unwrap().len(), 12);
    std::fs::write(&journal, "garbage\n").unwrap();
    let (code, report) = doctor(home.to_str().unwrap(), &data);
    assert_eq!((code, state(&report, "journal").0.as_str()), (1, "broken"));
    std::fs::remove_file(&journal).unwrap();
    std::fs::write(place.0.path().join(".ag/mem.agdb"), "garbage").unwrap();
    assert_eq!(state(&doctor(home.to_str().unwrap(), &data).1, "memory").0, "broken");
    let (code, report) = doctor("/dev/null/x", &data);
    assert_eq!((code, state(&report, "home").0.as_str()), (1, "broken"));
}

/// A Jupyter in a virtual environment looks there before it looks at what `--user` installs.
#[test]
fn the_kernelspec_is_the_one_that_jupyter_takes() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let (venv, user) = (place.0.path().join("venv"), place.0.path().join("user"));
    let folders = serde_json::json!({ "data": [venv.join("share/jupyter"), user] });
    let script = format!("#!/bin/sh\n[ \"$1\" = --paths ] && echo '{folders}'\nexit 0\n");
    let bin = place.0.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    place.write("bin/jupyter", &script);
    std::fs::set_permissions(bin.join("jupyter"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let ag = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("PATH", &bin).env("JUPYTER_DATA_DIR", &user);
        Ran::from(command.output().unwrap())
    };
    let kernelspec = || {
        let report: serde_json::Value =
            serde_json::from_str(&ag(&["doctor", "--json"]).out).unwrap();
        let rows = report["findings"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["part"] == "kernelspec").unwrap()
    };
    let in_venv = ["--prefix", venv.to_str().unwrap()];
    assert!(
        ag(&["kernel", "install", "--user"]).out.lines().count() == 1,
        "nothing stands before it"
    );
    assert_eq!(kernelspec()["state"], "ok");

    assert!(ag(&[&["kernel", "install"][..], &in_venv].concat()).out.lines().count() == 1);
    let spec = venv.join("share/jupyter/kernels/agentic/kernel.json");
    let text = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, text.replace(env!("CARGO_BIN_EXE_ag"), "/nowhere/ag")).unwrap();
    assert_eq!(kernelspec()["state"], "broken", "the other one is there, but not taken");
    let way = kernelspec()["command"].as_str().unwrap().to_owned();
    assert_eq!(way, format!("ag kernel install --prefix {}", venv.display()));
    let ran = ag(&["kernel", "install", "--user"]);
    assert!(
        ran.code == 0 && ran.out.contains(&way) && ran.out.contains("before it"),
        "{}",
        ran.out
    );

    assert_eq!(ag(&[&["kernel", "install"][..], &in_venv].concat()).code, 0);
    assert_eq!(kernelspec()["state"], "ok");
}

/// What the banner of the terminal offers works; a pipe shows no banner.
#[test]
fn the_first_three_things_to_type_work() {
    let place = Place::new();
    let ran = place.pipe(
        "[1, 2, 3].map(n => n * n).sum\nlet reply : Text := @llm_call(\"hello\"); reply\n:tour\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("14\n\"echo: hello\"\n"), "{}", ran.out);
    assert!(ran.out.contains("Step 1 of 10"), "{}", ran.out);
}

/// What a program prints can be piped: what the session has to say about it stands beside.
#[test]
fn a_program_says_its_own_lines_to_stderr() {
    let place = Place::new();
    place
        .write("a.ag", "print(\"one\")\n@measure_cost { let t : Text := @llm_call(\"two\"); t }\n");
    let ran = place.ag(&["run", "a.ag", "--ephemeral", "--lane", "echo"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "one\n\"echo: two\"\n"), "{}", ran.err);
    for part in ["Cost of what was measured", "1 lane call, echo, ", "echo: made up\n"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

/// Nothing is configured: echo answers a call that names no lane, and its answer is not taken for a model's unawares; who
/// relies on a model gets none of echo's answers.
#[test]
fn without_any_lane_echo_stands_in_and_says_so_with_the_way_out() {
    let place = Place::new();
    let agent = |policy: &str| {
        format!(
            "enum Mood {{ Good, Bad }}\nagent Judge {{\n  {policy}\n  \
            behavior mood(text : Text) -> Mood {{ return @llm_call(text) }}\n}}\n\
            let judge := @spawn(Judge)\nprint(await judge.mood(\"I love it\"))\n"
        )
    };
    place.write("a.ag", &agent(""));
    let ran = place.ag(&["run", "a.ag", "--ephemeral"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "Mood.Good\n"), "{}", ran.err);
    let way_out = "echo: made up, because no model is set up: ";
    assert!(ran.err.contains(way_out) && ran.err.contains("`ag doctor`"), "{}", ran.err);
    let asked_for = place.ag(&["run", "a.ag", "--ephemeral", "--lane", "echo"]);
    assert!(asked_for.err.contains("echo: made up\n"), "{}", asked_for.err);
    place.write("b.ag", &agent("cost_policy { lane_preference : [onnx_local, anthropic] }"));
    let ran = place.ag(&["run", "b.ag", "--ephemeral"]);
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("error[R0604]"), "{}", ran.err);
    assert!(ran.err.contains("Ways out: ") && ran.err.contains("`:lane echo`"), "{}", ran.err);
}

#[test]
fn what_is_broken_in_a_folder_is_found() {
    let place = Place::new();
    assert_eq!(place.ag(&["new", "desk"]).code, 0);
    assert_eq!(place.ag(&["check", "desk"]).code, 0, "its notebook and its program");
    let program = place.0.path().join("desk/desk.ag");
    let text = std::fs::read_to_string(&program).unwrap();
    // The tests run the agent that stands in the file, not a copy of it.
    std::fs::write(&program, text.replace("< 0.5 {", "< 0.0 {")).unwrap();
    let ran = place.ag(&["test", "desk/desk.ag"]);
    assert!(ran.code == 1 && ran.out.contains("1 failed"), "{}", ran.out);
    std::fs::write(&program, text).unwrap();
    place.write("desk/other.ag", "let n : Int := \"x\"\n");
    assert_eq!(place.ag(&["test", "desk"]).code, 1, "a program without tests is checked, too");
    assert_eq!(place.ag(&["check", "desk"]).code, 3);
    let cell = |source: &str| serde_json::json!({ "cell_type": "code", "source": source, "metadata": {}, "outputs": [] });
    let cells = [cell("let a := 1\na + 1"), cell("_ + a"), cell("a + \"x\"")];
    place.write("n.ipynb", &serde_json::json!({ "cells": cells, "nbformat": 4 }).to_string());
    let ran = place.ag(&["check", "n.ipynb"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("n.ipynb cell 3") && !ran.err.contains("cell 2"), "{}", ran.err);
}

#[test]
fn a_saved_session_is_there_after_a_restart() {
    let place = Place::new();
    let first = place.pipe(
        "struct Point { x : Float }\nfunction far(p : Point) -> Float { return p.x * 2.0 }\n\
         var p := Point(0.1)\nlet d := far(p)\nlet f := n => n + 1\np.x = 0.3\n:save desk\n",
    );
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.out.contains("2 definitions and 2 values are saved"), "{}", first.out);
    assert!(first.out.contains("`f`: a value of type"), "{}", first.out);
    let second = place.pipe(":load desk\n(p, d, far(p))\n:run stale\nd\n");
    assert_eq!(second.code, 0, "{}{}", second.out, second.err);
    assert!(second.out.contains("(Point { x: 0.3 }, 0.2, 0.6)"), "{}", second.out);
    assert!(second.out.contains("`d` is stale"), "{}", second.out);
    assert!(second.out.ends_with("0.6\n"), "{}", second.out);
}

#[test]
fn a_saved_session_that_cannot_be_read_says_why() {
    let place = Place::new();
    assert!(place.pipe("let a := 1\n:save desk\n").out.contains("1 value"));
    let file = "home/saved/desk.json";
    let text = std::fs::read_to_string(place.0.path().join(file)).unwrap();
    place.write(file, text.get(..text.len() / 2).unwrap());
    assert!(place.pipe(":load desk\n").err.contains("R1002"));
    place.write(file, &text.replace("\"format\": 1", "\"format\": 99"));
    assert!(place.pipe(":load desk\n").err.contains("R1003"));
    let unknown = place.pipe(":load dsk\n").err;
    assert!(unknown.contains("E0905") && unknown.contains("`:load desk`"), "{unknown}");
}
