//! The literate pages at the level of syntax: `tests/spec/0[12]*.md`, and the pages of lexical and syntax codes.
//!
//! A block `ag` (or `ag syntax`, or `ag file` for a file) is parsed. A line that carries `// error: E0101` or
//! `// warning: W0107` must give exactly these codes, every other line none. A `tree` block after it is the printed tree;
//! `UPDATE=1` rewrites those.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use ag_lang::diag::codes;
use ag_lang::source::LineIndex;
use ag_lang::syntax::lexer::SourceKind;
use ag_lang::syntax::parse::{Parsed, parse};
use ag_lang::syntax::print::print;

struct Block {
    info: String,
    text: String,
    /// Line of the page, from 1, on which the text begins.
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let info = info.trim().to_owned();
                open = Some(Block { info, text: String::new(), line: at + 2 });
            }
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// `(line, code)` of the markers in a block.
fn markers(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let marked = content.split_once("// error: ").or(content.split_once("// warning: "));
        if let Some((_, codes)) = marked {
            found.extend(codes.split(", ").map(|code| (line, code.trim().to_owned())));
        }
    }
    found
}

fn given(parsed: &Parsed, text: &str) -> Vec<(usize, String)> {
    let index = LineIndex::new(text);
    let line = |span: ag_lang::source::Span| index.line_of(span.start) as usize;
    let found = parsed.diagnostics.iter().map(|d| (line(d.primary.span), d.code.to_string()));
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

/// What is wrong with a page.
fn check_page(path: &Path) -> Vec<String> {
    let page = fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut updates: Vec<(usize, String, String)> = Vec::new();
    let mut tree: Option<String> = None;
    for block in blocks(&page) {
        let place = format!("{}:{}", path.display(), block.line);
        match block.info.as_str() {
            "ag" | "ag syntax" | "ag file" => {
                let file = block.info == "ag file";
                let kind = if file { SourceKind::File } else { SourceKind::Cell };
                let parsed = parse(&block.text, kind);
                let mut wanted = markers(&block.text);
                wanted.sort();
                let given = given(&parsed, &block.text);
                if given != wanted {
                    let messages: Vec<String> =
                        parsed.diagnostics.iter().map(ToString::to_string).collect();
                    let messages = messages.join("\n  ");
                    wrong
                        .push(format!("{place}: wanted {wanted:?}, given {given:?}\n  {messages}"));
                }
                tree = Some(print(&parsed.cell));
            }
            "tree" => {
                let found = tree.take().expect("a tree follows a program");
                if found != block.text {
                    wrong.push(format!("{place}: wanted\n{}given\n{found}", block.text));
                    updates.push((block.line, block.text, found));
                }
            }
            _ => {}
        }
    }
    if std::env::var_os("UPDATE").is_some() && !updates.is_empty() {
        let mut lines: Vec<&str> = page.lines().collect();
        for (line, old, new) in updates.iter().rev() {
            lines.splice(line - 1..line - 1 + old.lines().count(), new.lines());
        }
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    wrong
}

fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

#[test]
fn spec_pages() {
    let pages = ["01-lexical.md", "02-grammar.md"];
    let wrong = pages.iter().flat_map(|page| check_page(&folder("spec").join(page)));
    nothing(&wrong.collect::<Vec<_>>());
}

/// A megabyte is no example, nor can a page have bytes that are no text: `kernel/tests/broken.rs` and `repl/tests/faults/text.rs`.
const NOT_TO_BE_SHOWN: [&str; 2] = ["E0011", "E0012"];

/// Pages whose code the parser gives: their examples must really give it, and some block must be free of it.
#[test]
fn pages_of_lexical_and_syntax_codes() {
    let ours = |code: &str| ["E00", "E01", "W01"].iter().any(|group| code.starts_with(group));
    let mut wrong = Vec::new();
    for row in codes::TABLE.iter().filter(|row| ours(row.code.as_str())) {
        let path = folder("diagnostics").join(format!("{}.md", row.code));
        wrong.append(&mut check_page(&path));
        let blocks = blocks(row.page);
        let gives =
            |block: &Block| markers(&block.text).iter().any(|(_, code)| code == row.code.as_str());
        if NOT_TO_BE_SHOWN.contains(&row.code.as_str()) {
            continue;
        }
        if !blocks.iter().any(gives) {
            wrong.push(format!("{}: no example gives it", row.code));
        }
        let clean = |block: &Block| block.info.starts_with("ag") && markers(&block.text).is_empty();
        if !blocks.iter().any(clean) {
            wrong.push(format!("{}: no example mends it", row.code));
        }
    }
    nothing(&wrong);
}
