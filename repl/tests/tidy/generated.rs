//! Pages made from tables equal their tables, and lists that stand twice equal each other. (`docs/builtins.md` is compared
//! where its table is, in runtime.)

use std::fmt::Write;

use ag_lang::diag::codes;
use ag_lang::syntax::words;

use crate::tree::{read, root};

/// The file must be as made; with `UPDATE=1` it is written.
pub fn expect_file(path: &str, made: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(root().join(path), made).unwrap();
    }
    assert!(
        read(path) == made,
        "{path} is not what its table gives: UPDATE=1 cargo nextest run -p ag-repl tidy"
    );
}

#[test]
fn the_page_of_codes_is_the_table() {
    let mut page = String::from(
        "# Codes\n\nGenerated from `lang/src/diag/codes.rs` and the pages in `tests/diagnostics`; do not edit. `ag explain CODE` shows a page.\n\n\
         E: an error of checking, nothing ran. W: a warning. R: a Fault while running.\n\n| code | meaning |\n|---|---|\n",
    );
    for row in codes::TABLE {
        let code = row.code;
        writeln!(page, "| [{code}](../tests/diagnostics/{code}.md) | {} |", code.title()).unwrap();
    }
    expect_file("docs/diagnostics.md", &page);
}

#[test]
fn the_list_of_benchmarks_stands_twice_and_is_the_same() {
    let rows: Vec<Vec<String>> = read("docs/benchmarks.md")
        .lines()
        .skip_while(|line| !line.starts_with("|---|---|---|---|---|---|---|"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    let targets: Vec<Vec<String>> = read("benches/targets.toml")
        .split("[[target]]")
        .skip(1)
        .map(|block| {
            let value = |key: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
                line.unwrap_or_default().trim_matches('"').to_owned()
            };
            ["category", "bench", "unit", "better", "peer", "goal", "kind"].map(value).to_vec()
        })
        .collect();
    assert!(rows.len() > 70);
    assert_eq!(rows, targets, "docs/benchmarks.md and benches/targets.toml differ");
}

const MODE: &str = "share/jupyter/labextensions/ag-lang/static/remoteEntry.js";

/// The words the colours of JupyterLab know are the language's tables.
#[test]
fn the_editor_knows_the_words_of_the_language() {
    let tables: [(&str, &[&str]); 5] = [
        ("reserved", &words::RESERVED),
        ("item", words::ITEM),
        ("section", words::SECTION),
        ("behavior", words::BEHAVIOR),
        ("contract", words::CONTRACT),
    ];
    let mut made = String::from("  const WORDS = {\n");
    for (name, words) in tables {
        writeln!(made, "    {name}: ['{}'],", words.join("', '")).unwrap();
    }
    made.push_str("  };\n");
    let script = read(MODE);
    let (head, rest) = script.split_once("  const WORDS = {\n").unwrap();
    let (_, tail) = rest.split_once("  };\n").unwrap();
    expect_file(MODE, &format!("{head}{made}{tail}"));
}
