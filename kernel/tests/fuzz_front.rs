//! Texts that nobody would write, through the parser alone and through the checker alone: far more of them in a minute
//! than sessions can run, and none of them runs anything.
//!
//! Cases are made of the spec pages by mutation, as in `fuzz.rs`, which runs them. `AG_FUZZ_CASE=n` shows one,
//! `AG_FUZZ_FIRST` begins elsewhere, `AG_TEST_SCALE` and `AG_FUZZ_MINUTES` run more. Each case writes what it looks at to
//! `target/tmp/front-*.ag` first, so that an abort leaves it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[allow(dead_code)]
#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/mutate.rs"]
mod mutate;
#[allow(dead_code)]
#[path = "support/page.rs"]
mod page;

use ag_lang::db::workspace::Workspace;
use ag_lang::diag::Diagnostic;
use ag_lang::source::Span;
use ag_lang::syntax::lexer::{SourceKind, lex};
use ag_lang::syntax::parse::parse;
use ag_runtime::rng::{Rng, Seed};
use mutate::Pool;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Cases of a run in CI.
const TEXTS: u64 = 20_000;
const PROGRAMS: u64 = 500;

/// Nobody waits longer for an answer to what was typed (the machine may be busy: this is no measurement).
const PATIENCE: Duration = Duration::from_secs(20);

/// Between the cells of a case.
const BETWEEN: &str = "\n---\n";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Spans lie in the text and cut no character.
fn well_placed(text: &str, diagnostics: &[Diagnostic]) -> Result<(), String> {
    let is_placed = |span: &Span| text.get(span.range()).is_some();
    for diagnostic in diagnostics {
        let own = diagnostic.labels.iter().filter(|label| label.source.is_none());
        let edits = diagnostic.fixes.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        let mut spans = own.map(|label| label.span).chain([diagnostic.primary.span]).chain(edits);
        if spans.any(|span| !is_placed(&span)) {
            return Err(format!("outside the text: {diagnostic:?}"));
        }
    }
    Ok(())
}

/// Whatever stands in the text, each byte belongs to one token or to nothing, and an answer comes twice the same.
fn parser_answers(text: &str) -> Result<(), String> {
    for kind in [SourceKind::Cell, SourceKind::File] {
        let parsed = parse(text, kind);
        well_placed(text, &parsed.diagnostics)?;
        let mut end = 0;
        for token in lex(text, kind).tokens {
            let range = token.span.range();
            if range.start < end || text.get(range.clone()).is_none() {
                return Err(format!("a token at {range:?} after one that ends at {end}"));
            }
            end = range.end;
        }
        let again = parse(text, kind);
        if parsed.diagnostics != again.diagnostics || parsed.cell != again.cell {
            return Err("two answers differ".to_owned());
        }
    }
    Ok(())
}

/// A mistake leaves nothing to run; taken away again, the session is what it was.
fn checker_answers(text: &str) -> Result<(), String> {
    let cells: Vec<&str> = text.split(BETWEEN).collect();
    let check = |cells: &[&str]| {
        let mut workspace = Workspace::new();
        let mut told = Vec::new();
        for cell in cells {
            let id = workspace.add_cell(cell);
            let checked = workspace.check(id);
            well_placed(cell, &checked.diagnostics)?;
            if checked.has_errors() {
                if !checked.steps.is_empty() || !checked.definitions.functions.is_empty() {
                    return Err("there is something to run in spite of a mistake".to_owned());
                }
                workspace.remove_cell(id);
            }
            told.push(checked.diagnostics);
        }
        let last = workspace.add_cell("let after_all := 1 + 1");
        match workspace.check(last).diagnostics.first() {
            Some(diagnostic) => Err(format!("the session is spoilt: {}", diagnostic.message)),
            None => Ok(told),
        }
    };
    match check(&cells)? == check(&cells)? {
        true => Ok(()),
        false => Err("two answers differ".to_owned()),
    }
}

/// Runs cases until enough were seen; fails with the numbers of those that were wrong.
fn fuzz(
    count: u64,
    mut made: impl FnMut(&mut Rng) -> String,
    looked_at: impl Fn(&str) -> Result<(), String>,
) {
    let since = Instant::now();
    let minutes = number("AG_FUZZ_MINUTES").map(|it| Duration::from_secs(it * 60));
    let one = number("AG_FUZZ_CASE");
    let first = one.or(number("AG_FUZZ_FIRST")).unwrap_or(0);
    let last = first + count * number("AG_TEST_SCALE").unwrap_or(1);
    let file = format!("{}/front-{}.ag", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let (mut wrong, mut at) = (Vec::new(), first);
    loop {
        let text = made(&mut Seed(at).fork("front").rng());
        fs::write(&file, &text).unwrap();
        let began = Instant::now();
        let answer = answer(|| looked_at(&text));
        let slow = (began.elapsed() > PATIENCE).then(|| format!("took {:?}", began.elapsed()));
        if let Some(why) = answer.err().or(slow) {
            eprintln!("AG_FUZZ_CASE={at}: {why}\nfor:\n{text}\n");
            wrong.push(at);
        }
        at += 1;
        if one.is_some() || minutes.map_or(at == last, |minutes| since.elapsed() > minutes) {
            break;
        }
    }
    eprintln!("{} cases", at - first);
    assert!(wrong.is_empty(), "cases {wrong:?}");
}

/// A panic is an answer too: the wrong one.
fn answer(of: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(of)).unwrap_or_else(|_| Err("it panics".to_owned()))
}

/// Any bytes at all, but UTF-8: signs of the language between characters of every length.
fn noise(rng: &mut Rng) -> String {
    const SIGNS: &[&str] = &["{", "}", "(", ")", "[", "]", "\"", "\"\"\"", "{{", "//", "/*", "*/"];
    let one = |rng: &mut Rng| match rng.below(4) {
        0 => SIGNS[rng.below(SIGNS.len() as u64) as usize].to_owned(),
        1 => String::from(['\0', '\r', '\n', '\t', '\u{feff}', '\u{202e}'][rng.below(6) as usize]),
        2 => char::from_u32(rng.below(0x11_0000) as u32).unwrap_or('\u{fffd}').to_string(),
        _ => char::from(rng.below(128) as u8).to_string(),
    };
    (0..rng.below(80)).map(|_| one(rng)).collect()
}

#[test]
fn no_text_breaks_the_parser() {
    let sections = corpus::sections();
    let pool = Pool::new(sections.iter().flat_map(|it| it.cells.iter().map(String::as_str)));
    let cells: Vec<&String> = sections.iter().flat_map(|section| &section.cells).collect();
    let made = |rng: &mut Rng| {
        let mut text = cells[rng.below(cells.len() as u64) as usize].clone();
        for _ in 0..=rng.below(12) {
            text = pool.mutate(&text, rng);
        }
        if rng.below(4) == 0 {
            let places: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            text.insert_str(places[rng.below(places.len() as u64) as usize], &noise(rng));
        }
        text
    };
    fuzz(TEXTS, made, parser_answers);
}

#[test]
fn no_program_breaks_the_checker() {
    let sections = corpus::sections();
    let pool = Pool::new(sections.iter().flat_map(|it| it.cells.iter().map(String::as_str)));
    let made = |rng: &mut Rng| {
        let section = &sections[rng.below(sections.len() as u64) as usize];
        let mut cells: Vec<String> = section.cells.iter().take(6).cloned().collect();
        for _ in 0..=rng.below(8) {
            let at = rng.below(cells.len() as u64) as usize;
            cells[at] = pool.mutate(&cells[at], rng);
        }
        cells.join(BETWEEN)
    };
    fuzz(PROGRAMS, made, checker_answers);
}
