//! What `docs/seed.md` names exists: pages and files, targets of `make`, commands of `ag` and of a session, builtins.

use std::process::Command;

use ag_kernel::session::command;
use ag_runtime::builtin;

use crate::tree::{expect_none, read, root};

/// A demand: how it stands, and what shows it.
struct Row {
    line: usize,
    stands: String,
    shows: String,
}

fn rows(page: &str) -> Vec<Row> {
    let mut found = Vec::new();
    for (at, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').splitn(3, " | ").map(str::trim).collect();
        let [_, stands, shows] = cells[..] else { panic!("line {}: three columns", at + 1) };
        if stands != "stands" {
            let (stands, shows) = (stands.to_owned(), shows.to_owned());
            found.push(Row { line: at + 1, stands, shows });
        }
    }
    found
}

/// The texts between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether what is named exists; None if it names nothing that could be looked up.
fn exists(name: &str) -> Option<bool> {
    if let Some(target) = name.strip_prefix("make ") {
        let mut words = target.split(' ');
        let rule = format!("\n{}:", words.next()?);
        let has_rule = read("Makefile").contains(&rule);
        let category = words.next().and_then(|word| word.strip_prefix("CATEGORY="));
        return Some(has_rule && category.is_none_or(|it| is_there(&format!("benches/{it}.rs"))));
    }
    if let Some(words) = name.strip_prefix("ag ") {
        let mut ag = Command::new(env!("CARGO_BIN_EXE_ag"));
        let output = ag.args(words.split(' ')).arg("--help").output().expect("ag runs");
        return Some(output.status.success());
    }
    if let Some(word) = name.strip_prefix(':') {
        return Some(command::TABLE.iter().any(|row| row.name == word));
    }
    if let Some(word) = name.strip_prefix('@') {
        return Some(builtin::table().iter().any(|row| row.name == word));
    }
    (name.contains('/') && !name.contains(' ')).then(|| is_there(name))
}

fn is_there(path: &str) -> bool {
    root().join(path).exists()
}

#[test]
fn what_the_page_of_the_seed_names_exists() {
    let page = read("docs/seed.md");
    let named: Vec<&str> = quoted(&page).into_iter().filter(|it| exists(it).is_some()).collect();
    assert!(named.len() > 80, "the page names too little: {}", named.len());
    let missing: Vec<String> =
        named.iter().filter(|it| exists(it) != Some(true)).map(|it| (*it).to_owned()).collect();
    expect_none("docs/seed.md names what is not there", &missing);
}

#[test]
fn every_demand_of_the_seed_stands_somewhere_and_what_is_done_is_shown() {
    let rows = rows(&read("docs/seed.md"));
    assert!(rows.len() > 90, "the page of the seed has lost rows");
    let mut found = Vec::new();
    for row in rows {
        let shows = quoted(&row.shows).into_iter().any(|it| exists(it) == Some(true));
        match row.stands.as_str() {
            "done" if !shows => found.push(format!("line {}: nothing shows it", row.line)),
            "otherwise" if row.shows.is_empty() => {
                found.push(format!("line {}: no reason", row.line));
            }
            "done" | "otherwise" | "not yet" => {}
            other => found.push(format!("line {}: stands `{other}`", row.line)),
        }
    }
    expect_none("every row says how it stands, and what is done is shown", &found);
}
