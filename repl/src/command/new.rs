//! `ag new NAME`: a folder with an agent, a notebook and tests that run at once.
//!
//! It writes into a folder of its own only, and never over anything.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::refuse;
use crate::term::paint;

const AGENT: &str = include_str!("../../../share/new/agent.ag");
const TESTS: &str = include_str!("../../../share/new/tests.part.ag");
const README: &str = include_str!("../../../share/new/README.md");

/// Longer names are no names of files everywhere.
const LONGEST: usize = 64;

pub fn new(name: &str) -> Exit {
    if let Err(message) = validate(name) {
        return refuse(message);
    }
    let folder = Path::new(name);
    match std::fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return refuse(format!("`{name}` is there already; ag new never writes over anything"));
        }
        Err(error) => return refuse(format!("`{name}` cannot be made: {error}")),
    }
    for (file, text) in files(name) {
        if let Err(error) = std::fs::write(folder.join(&file), text) {
            return refuse(format!("{name}/{file} was not written: {error}"));
        }
        paint::line(&format!("{name}/{file}"));
    }
    paint::line(&format!("\nTry: cd {name} && ag run {name}.ag && ag test"));
    Exit::Success
}

fn validate(name: &str) -> Result<(), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_right = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_part);
    if !is_right {
        return Err(format!(
            "`{name}` is no name: write a letter, then letters, digits, `-` or `_`"
        ));
    }
    if name.len() > LONGEST {
        return Err(format!("the name has {} characters, more than {LONGEST}", name.len()));
    }
    Ok(())
}

/// Names and texts of the files.
fn files(name: &str) -> Vec<(String, String)> {
    vec![
        (format!("{name}.ag"), format!("{AGENT}\n{TESTS}")),
        (format!("{name}.ipynb"), notebook(name)),
        ("README.md".to_owned(), README.replace("NAME", name)),
    ]
}

/// The agent, and the statements that use it.
fn program() -> (&'static str, &'static str) {
    AGENT
        .split_once("\nlet clerk")
        .map_or((AGENT, ""), |(agent, _)| (agent, AGENT.get(agent.len() + 1..).unwrap_or("")))
}

fn notebook(name: &str) -> String {
    let (agent, uses) = program();
    let cells = [
        markdown(
            "title",
            &format!(
                "# {name}\n\nAn agent, a question to it, and what it cost. *Run > Run All Cells.*"
            ),
        ),
        code("lane", ":lane echo"),
        code("agent", agent.trim_end()),
        code("ask", uses.trim_end()),
        markdown("look", "What it did, what it cost, and why it recalled what it recalled:"),
        code("trace", ":trace"),
        code("cost", ":cost"),
        code("why", ":why"),
        markdown("test", "A test is a cell, too. `:test` runs all of the notebook."),
        code("tests", TESTS.split_once("\n\n").map_or(TESTS, |(_, tests)| tests).trim_end()),
        code("run-tests", ":test"),
    ];
    let notebook = json!({
        "cells": cells,
        "metadata": {
            "kernelspec": { "display_name": "Agentic (ag)", "language": "agentic", "name": "agentic" },
            // As the kernel names them when it runs: without a lexer HTML made before the first run has no colours.
            "language_info": {
                "file_extension": ".ag", "mimetype": "text/x-agentic", "name": "agentic", "pygments_lexer": "rust",
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    serde_json::to_string_pretty(&notebook).unwrap_or_default() + "\n"
}

fn markdown(id: &str, text: &str) -> Value {
    json!({ "cell_type": "markdown", "id": id, "metadata": {}, "source": lines(text) })
}

fn code(id: &str, text: &str) -> Value {
    json!({
        "cell_type": "code",
        "execution_count": null,
        "id": id,
        "metadata": {},
        "outputs": [],
        "source": lines(text),
    })
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::{notebook, program, validate};

    /// Lab does not wrap code: in a window of 1,000 pixels a longer line is cut.
    #[test]
    fn no_line_is_wider_than_a_small_window() {
        let (agent, uses) = program();
        let wide: Vec<&str> =
            agent.lines().chain(uses.lines()).filter(|line| line.chars().count() > 96).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }

    #[test]
    fn its_notebook_is_colored_before_it_ran() {
        let language = |text: &str| -> serde_json::Value {
            let notebook: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            notebook["metadata"]["language_info"]["pygments_lexer"].clone()
        };
        assert_eq!(language(&notebook("desk")), "rust");
    }

    #[test]
    fn names_are_names_of_files_everywhere() {
        for right in ["desk", "my-desk_2", "A"] {
            assert!(validate(right).is_ok(), "{right}");
        }
        let long = "a".repeat(65);
        for wrong in ["", "2a", "-a", "a b", "a/b", "..", "ä", "a.ag", long.as_str()] {
            assert!(validate(wrong).is_err(), "{wrong}");
        }
    }
}
