//! Texts that are not what they should be, by every way in.

use serde_json::json;

use crate::place::{Cell, Place};

/// A program as a file, on stdin, as a pipe of cells, and as a notebook with one cell: exit codes and what was shown.
fn every_way(bytes: &[u8]) -> Vec<(i32, String, String)> {
    let place = Place::new();
    place.write("a.ag", bytes);
    let mut ways = vec![
        place.ag(&["run", "a.ag", "--ephemeral"], ""),
        place.ag(&["run", "-", "--ephemeral"], bytes),
        place.ag(&["--ephemeral"], bytes),
    ];
    if let Ok(text) = std::str::from_utf8(bytes) {
        let notebook = json!({ "cells": [{ "cell_type": "code", "source": text }] });
        place.write("n.ipynb", notebook.to_string());
        ways.push(place.ag(&["run", "n.ipynb", "--ephemeral"], ""));
    }
    ways
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_program() {
    for (code, out, err) in every_way("\u{feff}let a := 41\na + 1\n".as_bytes()) {
        assert_eq!((code, out.as_str()), (0, "42\n"), "{err}");
    }
    let place = Place::new();
    let notebook = json!({ "cells": [{ "cell_type": "code", "source": "6 * 7" }] });
    place.write("n.ipynb", format!("\u{feff}{notebook}"));
    let (code, out, err) = place.ag(&["run", "n.ipynb", "--ephemeral"], "");
    assert_eq!((code, out.as_str()), (0, "42\n"), "{err}");
}

#[test]
fn lines_may_end_as_on_windows() {
    let text = "let a := [1, 2]\r\n// a comment\r\nif a.len == 2 {\r\n  print(\"two\")\r\n}\r\nelse { print(\"no\") }\r\na\r\n  .map(x => x * 21)\r\n";
    for (code, out, err) in every_way(text.as_bytes()) {
        assert_eq!((code, out.as_str()), (0, "two\n[21, 42]\n"), "{err}");
    }
}

#[test]
fn a_nul_byte_is_a_character_in_a_text_and_a_mistake_elsewhere() {
    for (code, out, err) in every_way(b"// a\0b\nprint(\"a\0b\".len)\n") {
        assert_eq!((code, out.as_str()), (0, "3\n"), "{err}");
    }
    for (code, out, err) in every_way(b"print(1)\0\n") {
        assert_eq!((code, out.as_str()), (3, ""), "nothing runs");
        assert!(err.contains("E0001") && err.contains("U+0000"), "{err}");
    }
}

#[test]
fn what_is_not_utf_8_is_refused_whole() {
    for bytes in [
        &b"print(1)\n\xff\n"[..],
        b"print(1)\n\xc3",
        b"print(1)\n\xed\xa0\x80\n",
        b"\xff\xfep\0r\0",
    ] {
        for (code, out, err) in every_way(bytes) {
            assert_eq!((code, out.as_str()), (2, ""), "{err}");
            assert!(err.contains("E0012") && err.contains("not valid UTF-8 at line "), "{err}");
        }
        let place = Place::new();
        place.write("a.ag", bytes);
        place.write("a.ipynb", bytes);
        for arguments in [["check", "a.ag"], ["test", "a.ag"], ["run", "a.ipynb"]] {
            let (code, out, err) = place.ag(&arguments, "");
            assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
            assert!(err.contains("not valid UTF-8 at line "), "{arguments:?}: {err}");
        }
    }
}

#[test]
fn a_notebook_that_is_none_is_refused_before_anything_runs() {
    let cell = |source: &str| {
        format!(
            r#"{{"cells":[{{"cell_type":"code","source":"print(1)"}},{{"cell_type":"code","source":{source}}}]}}"#
        )
    };
    let broken = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        r#"{"cells":{}}"#.to_owned(),
        // Half of a character of two.
        cell(r#""\ud800""#),
        cell(r#"["ok\n", 3]"#),
        cell("3"),
        cell("null"),
        cell("\"1").replace(']', ""),
        "[".repeat(100_000),
        cell(&"[".repeat(100_000)),
    ];
    let place = Place::new();
    for text in broken {
        place.write("n.ipynb", &text);
        let (code, out, err) = place.ag(&["run", "n.ipynb", "--ephemeral"], "");
        let shown: String = text.chars().take(120).collect();
        assert_eq!((code, out.as_str()), (2, ""), "{shown}: {err}");
        assert!(err.contains("n.ipynb is no notebook: "), "{shown}: {err}");
    }
}

#[test]
fn json_that_is_none_is_an_err_of_the_program() {
    let place = Place::new();
    let deep = "parse_json(\"[\".repeat(100_000)).is_err";
    let cells = [
        r#"parse_json("\"\\ud800\"").is_err"#,
        deep,
        "parse_json(\"\\u{0}\").is_err",
        "parse_json(\"\").is_err",
    ];
    let values: Vec<Cell> = place.cells(&cells);
    for (cell, text) in values.iter().zip(cells) {
        assert_eq!(cell.value(), "true", "{text}");
    }
}

/// `ag run p.ag | head -1`: the program ends with its reader, what it spent is settled, and nobody is told of an interrupt.
#[test]
fn a_program_ends_when_nobody_reads_it_any_more() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    let place = Place::new();
    place.write("a.ag", b"print(@llm_call(\"once\"))\nwhile true { print(\"x\") }\n");
    for arguments in [&["run", "a.ag"][..], &["run", "a.ag", "--json"], &[]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ag"));
        command.args(arguments).current_dir(place.path()).env("AG_HOME", place.home());
        if arguments.is_empty() {
            command.stdin(std::fs::File::open(place.path().join("a.ag")).unwrap());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(141), "{told}");
        assert!(!told.contains("R0"), "{told}");
    }
}
