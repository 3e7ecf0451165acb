//! Programs that nobody would write, in real sessions: whatever they are, there is an answer, the session goes on, and
//! nothing is left when it ends.
//!
//! Cases are made of the spec pages by mutation. `AG_FUZZ_CASE=n` runs one of them and shows it,
//! `AG_FUZZ_FILE` the cells of a file, between lines `---`; `AG_TEST_SCALE` and
//! `AG_FUZZ_MINUTES` run more. Each case writes what it runs to `target/tmp/fuzz-*.ag` first, so that an abort leaves it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/mutate.rs"]
mod mutate;
#[allow(dead_code)]
#[path = "support/page.rs"]
mod page;
#[path = "support/watch.rs"]
mod watch;

use ag_kernel::session::Session;
use ag_kernel::session::request::CellStatus;
use ag_runtime::rng::{Rng, Seed};
use corpus::Section;
use mutate::Pool;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use watch::{Watch, open};

/// Cases of a run in CI.
const CASES: u64 = 250;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The cells of a case: those of a section, some of them changed, and sometimes one of another section.
fn cells<'a>(sections: &'a [Section], pool: &Pool, rng: &mut Rng) -> (&'a str, Vec<String>) {
    let section = &sections[rng.below(sections.len() as u64) as usize];
    let mut cells: Vec<String> = section.cells.iter().take(8).cloned().collect();
    let count = cells.len() as u64;
    for _ in 0..=rng.below(2) {
        let at = rng.below(count) as usize;
        for _ in 0..=rng.below(4) {
            cells[at] = pool.mutate(&cells[at], rng);
        }
    }
    if rng.below(5) == 0 {
        let other = &sections[rng.below(sections.len() as u64) as usize];
        cells.insert(rng.below(count + 1) as usize, other.cells[0].clone());
    }
    (&section.name, cells)
}

/// Editors ask about texts in every state.
fn ask_about(session: &Session, text: &str, rng: &mut Rng) {
    let inspector = session.inspector();
    let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    for _ in 0..2 {
        let at = offsets[rng.below(offsets.len() as u64) as usize];
        inspector.complete(text, at);
        inspector.inspect(text, at);
    }
}

/// What the cells gave, or what is wrong. None if it depends on when it was interrupted.
fn run(watch: &Watch, cells: &[String], rng: &mut Rng) -> Result<Option<String>, String> {
    let given = in_session(watch, cells, rng);
    // What died last is freed in the background.
    ag_runtime::value::dying::finish(|| false);
    given
}

fn in_session(watch: &Watch, cells: &[String], rng: &mut Rng) -> Result<Option<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(folder.path(), watch);
    let mut shown = String::new();
    let mut was_interrupted = false;
    for cell in cells {
        ask_about(&session, cell, rng);
        let seen = watch.evaluate(&mut session, cell)?;
        was_interrupted |= seen.was_interrupted;
        let is_told = !seen.codes.is_empty();
        if seen.reply.status != CellStatus::Ok && !is_told {
            return Err(format!("it failed and did not say why:\n{cell}\n{}", seen.text));
        }
        // Times and addresses are no part of what a program gives.
        if !cell.contains("%%time") && !cell.contains(":asm") {
            // Faults name files.
            shown += &seen.text.replace(&*folder.path().to_string_lossy(), "FOLDER");
        }
    }
    let after = watch.evaluate(&mut session, "1 + 1")?;
    if after.reply.status != CellStatus::Ok || !after.text.contains('2') {
        let cells = cells.join("\n---\n");
        return Err(format!("the session does not go on: {}\nafter:\n{cells}", after.text));
    }
    Ok((!was_interrupted).then_some(shown))
}

/// One case: it runs twice where the same must come of it (L-161), and leaves no values.
fn case(watch: &Watch, number: u64, cells: &[String]) -> Result<(), String> {
    let seed = Seed(number).fork("run");
    let before = ag_runtime::value::heap::live();
    let first = run(watch, cells, &mut seed.rng())?;
    let after = ag_runtime::value::heap::live();
    if before != after {
        return Err(format!("heap not balanced: {before:?} before, {after:?} after"));
    }
    if number.is_multiple_of(4)
        && let Some(first) = first
        && let Some(second) = run(watch, cells, &mut seed.rng())?
        && first != second
    {
        return Err(format!("two runs differ:\n{first}\n---\n{second}"));
    }
    Ok(())
}

#[test]
fn no_program_breaks_a_session() {
    let sections = corpus::sections();
    let pool = Pool::new(sections.iter().flat_map(|it| it.cells.iter().map(String::as_str)));
    let watch = Watch::start();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let since = Instant::now();
    let minutes = number("AG_FUZZ_MINUTES").map(|it| Duration::from_secs(it * 60));
    let first = number("AG_FUZZ_FIRST").unwrap_or(0);
    let one = number("AG_FUZZ_CASE");
    let count = CASES * number("AG_TEST_SCALE").unwrap_or(1);
    let mut wrong = Vec::new();
    let mut at = one.unwrap_or(first);
    loop {
        if let Ok(file) = std::env::var("AG_FUZZ_FILE") {
            let text = fs::read_to_string(file).unwrap();
            let cells: Vec<String> = text.split("\n---\n").map(str::to_owned).collect();
            assert_eq!(case(&watch, 0, &cells), Ok(()));
            return;
        }
        let (name, cells) = cells(&sections, &pool, &mut Seed(at).fork("case").rng());
        let text = cells.join("\n---\n");
        fs::write(place.join(format!("fuzz-{}.ag", std::process::id())), &text).unwrap();
        if one.is_some() {
            eprintln!("{text}");
        }
        if let Err(message) = case(&watch, at, &cells) {
            eprintln!("AG_FUZZ_CASE={at}, of {name}: {message}\nfor:\n{text}\n");
            wrong.push(at);
        }
        at += 1;
        let is_done = minutes.map_or(at - first >= count, |minutes| since.elapsed() > minutes);
        if is_done || one.is_some() {
            break;
        }
    }
    eprintln!("{} cases", at - first);
    assert!(wrong.is_empty(), "cases {wrong:?}");
}
