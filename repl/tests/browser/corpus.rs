//! Texts and how the language's highlighter reads them: every cell of the pages and notebooks, the pages themselves (as
//! texts that are no programs), and made-up sequences of awkward pieces.

use std::path::Path;

use ag_lang::syntax::highlight::highlight;
use serde_json::{Value, json};

const PAGES: [&str; 4] = ["tests/spec", "tests/diagnostics", "tests/seed", "tests/sessions"];
const SOUPS: u64 = 400;

/// What the mode could get wrong, to be put in any order. (Whether a text over several lines has holes cannot be known on its
/// first line, and decides the word before it: `"""` stands on a line of its own.)
const PIECES: &[&str] = &[
    "agent",
    "state",
    "decision",
    "behavior",
    "tool",
    "test",
    "uses",
    "requires",
    "self",
    "true",
    "function",
    "match",
    "type",
    "allow",
    "policy",
    "memory",
    "x",
    "Größe",
    "e\u{301}t",
    "名前",
    "_a1",
    "A",
    "f(",
    "g (",
    ".",
    "..",
    "..=",
    ".0.1",
    "1.5s",
    "0xff_",
    "1_000.5e-3ms",
    "$0.10",
    "$5x",
    "1é",
    "$x",
    "$",
    "\"",
    "\n\"\"\"",
    "\"a $b.c ${",
    "\"${d}\"",
    "${",
    "$e",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ":",
    ":=",
    "->",
    "<==>",
    "==>",
    "??",
    "?",
    "|",
    "||",
    "&",
    "&&",
    "@",
    "@spawn",
    "@ if",
    "/*",
    "*/",
    "/* a /* b */ */",
    "// c",
    "/// d",
    "//// e",
    "# f",
    "'g'",
    "'",
    "“h”",
    "\\",
    "\\\"",
    "\\u003c",
    "=\\u003e",
    "→",
    "≤",
    "–",
    "🙂",
    "\u{a0}",
    "\n",
    "\n",
    "\n",
    "\n:cost x",
    "\n%%time",
    "\n?y",
    "\n  :z",
    "\n\n",
    " ",
    "\t",
    "\r\n",
    "-",
    "-=",
    "!",
    "!=",
    "%",
    "<",
    ">=",
];

pub fn cases(root: &Path) -> Vec<Value> {
    let mut texts = Vec::new();
    for folder in PAGES {
        for path in files(&root.join(folder), "md") {
            let page = std::fs::read_to_string(path).unwrap();
            texts.extend(blocks(&page));
            texts.push(page);
        }
        for path in files(&root.join(folder), "ag") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    for path in files(&root.join("notebooks"), "ipynb") {
        texts.extend(cells(&std::fs::read_to_string(path).unwrap()));
    }
    texts.extend((1..=SOUPS).map(soup));
    texts.iter().map(|text| case(text)).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}

fn blocks(page: &str) -> Vec<String> {
    let fenced = page.split("```ag").skip(1);
    fenced
        .filter_map(|rest| rest.split_once('\n'))
        .filter_map(|(_, rest)| rest.split_once("\n```"))
        .map(|(block, _)| block.to_owned())
        .collect()
}

fn cells(notebook: &str) -> Vec<String> {
    let notebook: Value = serde_json::from_str(notebook).unwrap();
    let cells = notebook["cells"].as_array().unwrap().iter();
    cells
        .filter(|cell| cell["cell_type"] == "code")
        .map(|cell| match cell["source"].as_array() {
            Some(lines) => lines.iter().filter_map(Value::as_str).collect(),
            None => cell["source"].as_str().unwrap().to_owned(),
        })
        .collect()
}

/// Xorshift: the same texts every time.
fn soup(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize
    };
    let mut out = String::new();
    for _ in 0..5 + next() % 40 {
        out.push_str(PIECES[next() % PIECES.len()]);
        if next() % 3 > 0 {
            out.push(' ');
        }
    }
    out
}

/// Places as JavaScript counts them.
fn case(text: &str) -> Value {
    let units = |end: u32| text[..end as usize].encode_utf16().count();
    let pieces: Vec<Value> = highlight(text)
        .into_iter()
        .map(|(span, class)| {
            json!([units(span.start), units(span.end), snake(&format!("{class:?}"))])
        })
        .collect();
    json!({ "text": text, "pieces": pieces })
}

/// `DocComment` as `doc_comment`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
