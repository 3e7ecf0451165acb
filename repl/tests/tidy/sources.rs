//! Rules for every source file.

use crate::tree::{Source, expect_none, sources};

/// Where a file stops fitting into a head. A longer one says why in its header: `//! Long because ...`.
const LINES_LIMIT: usize = 600;
/// Where a function stops fitting on a screen. One exhaustive match may be longer; anything else says why above it:
/// `// Long: ...`.
const FUNCTION_LIMIT: usize = 70;

/// The places that may be unsafe: values and their layout, what runs on its own stack, and memory shared without locks.
/// A new one needs a record in docs/design/.
const UNSAFE: &[&str] = &[
    "runtime/src/value",
    "runtime/src/builtin",
    "runtime/src/code.rs",
    "runtime/src/context",
    "runtime/src/sched/",
    "runtime/src/actor/mailbox",
    "runtime/src/memory/index/simd",
    "runtime/src/lane/local",
    "lang/src/exec/interp",
    "lang/src/exec/frame",
    "lang/src/exec/osr",
    "lang/src/exec/jit/memory",
    "lang/src/exec/jit/stubs",
];

#[test]
fn every_file_says_what_it_is() {
    let missing = |source: &&Source| !source.is_test() && !source.text.starts_with("//!");
    let found: Vec<String> =
        sources().iter().filter(missing).map(|source| source.path.clone()).collect();
    expect_none("a file begins with what it is and what it never does", &found);
}

#[test]
fn long_files_say_why() {
    let is_long = |source: &&Source| {
        source.text.lines().count() > LINES_LIMIT && !source.text.contains("//! Long because ")
    };
    let line = |source: &Source| format!("{}: {} lines", source.path, source.text.lines().count());
    let found: Vec<String> =
        sources().iter().filter(|source| !source.is_test()).filter(is_long).map(line).collect();
    expect_none("a file over 600 lines has a line `//! Long because ...`", &found);
}

#[test]
fn functions_fit_a_screen() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let length = function_length(&lines, at);
            let says_why =
                at > 0 && lines[..at].iter().rev().take(4).any(|line| line.contains("// Long: "));
            let is_long = length > FUNCTION_LIMIT && !is_one_match(&lines[at..at + length]);
            if is_long && !says_why {
                found.push(format!("{}:{}: {length} lines: {}", source.path, at + 1, line.trim()));
            }
        }
    }
    expect_none("a function over 70 lines has a line `// Long: ...` above it", &found);
}

/// The lines of the function that begins at `at`; 0 if none does. rustfmt puts its end at its own indentation.
fn function_length(lines: &[&str], at: usize) -> usize {
    let line = lines[at];
    let indent = &line[..line.len() - line.trim_start().len()];
    let words = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    let mut rest = line.trim_start().split(' ').skip_while(|word| words.contains(word));
    if rest.next() != Some("fn") || line.ends_with(';') || line.ends_with('}') {
        return 0;
    }
    let end = format!("{indent}}}");
    let length = lines[at..].iter().position(|line| *line == end);
    length.map_or(0, |length| length + 1)
}

/// Whether nearly all of a function is the arms of a single match: as long as what it matches has kinds.
fn is_one_match(body: &[&str]) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let inner = depth(body[0]) + 4;
    let begins = body
        .iter()
        .position(|line| depth(line) == inner && (line.contains("match ") && line.ends_with('{')));
    let Some(begins) = begins else { return false };
    let ends = body[begins..]
        .iter()
        .position(|line| depth(line) == inner && line.trim_start().starts_with('}'));
    ends.is_some_and(|length| length * 10 >= body.len() * 8)
}

#[test]
fn unsafe_code_is_where_it_may_be_and_says_why_it_holds() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.path.contains("/tests/")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (number, line) in source.code_lines() {
            let marks = ["unsafe {", "unsafe impl", "unsafe fn", "unsafe extern"];
            if !marks.iter().any(|mark| line.contains(mark)) {
                continue;
            }
            let place = format!("{}:{number}", source.path);
            if !UNSAFE.iter().any(|allowed| source.path.starts_with(allowed)) {
                found.push(format!("{place}: unsafe outside its places"));
            }
            let is_block = line.contains("unsafe {") || line.contains("unsafe impl");
            let before = &lines[number.saturating_sub(7)..number];
            if is_block && !before.iter().any(|line| line.contains("SAFETY")) {
                found.push(format!("{place}: no SAFETY comment"));
            }
        }
    }
    expect_none("unsafe code stays in its places, each block with a SAFETY comment", &found);
}

#[test]
fn nothing_is_left_over() {
    // Put together here, so that this file does not find itself.
    let marks = [
        ["db", "g!("].concat(),
        ["to", "do!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["FIX", "ME"].concat(),
    ];
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            // A body that a test of the same file starts as a process of its own is not a test put aside.
            let is_child = line.contains("= \"run by the tests of this file\"");
            let is_ignored = line.contains(&["#[ign", "ore"].concat()) && !is_child;
            if is_ignored || marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    expect_none("no debug macros, unfinished parts or ignored tests", &found);
}

#[test]
fn names_are_imported_one_by_one() {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.code_lines() {
            let line = line.trim();
            if line.starts_with("use ") && line.ends_with("::*;") {
                found.push(format!("{}:{number}: {line}", source.path));
            }
        }
        if source.path.ends_with("/mod.rs") {
            found.push(format!("{}: a stem is `name.rs`, not `name/mod.rs`", source.path));
        }
    }
    expect_none("no wildcard imports: a reader sees where a name comes from", &found);
}

/// Layers below the kernel say nothing on their own: their callers decide what is shown.
#[test]
fn only_the_front_ends_print() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let below = ["verify/src", "runtime/src", "lang/src"]
            .iter()
            .any(|place| source.path.starts_with(place));
        for (number, line) in source.code_lines() {
            if below && (line.contains("println!(") || line.contains("print!(")) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    expect_none("verify, lang and runtime never print", &found);
}
