//! Programs with mistakes, through a real session: each is told, nothing of it runs or stays, nothing panics or hangs.
//!
//! Those of `tests/broken` were written by hand, each for a reason; the others are made of good programs by a fixed seed.

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

use ag_kernel::output::OutputSink;
use ag_kernel::session::Session;
use ag_kernel::session::request::{CellRequest, CellStatus};
use ag_runtime::rng::Seed;
use mutate::Pool;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use watch::{Watch, open};

/// The names of a session before and after something that must not change it.
fn names(session: &Session) -> Vec<String> {
    session.inspector().names().iter().map(|info| info.name.clone()).collect()
}

fn scale() -> u64 {
    std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A mistake that checking finds: told with a code and a place, and nothing has happened.
fn reject(watch: &Watch, session: &mut Session, text: &str) -> Result<(), String> {
    let before = names(session);
    for view in session.check(&CellRequest::new(text)) {
        let length = text.lines().count().max(1) as u64;
        let is_inside = |line: u64| line <= length + 1;
        if view.places.iter().any(|place| !is_inside(u64::from(place.line))) {
            return Err(format!("{} points outside of:\n{text}", view.code));
        }
    }
    let seen = watch.evaluate(session, text)?;
    if seen.reply.status == CellStatus::Rejected && seen.codes.is_empty() {
        return Err(format!("rejected, and nothing is said:\n{text}"));
    }
    if seen.reply.status == CellStatus::Rejected && names(session) != before {
        return Err(format!("rejected, and something stays:\n{text}"));
    }
    Ok(())
}

/// Whether checking refuses it. Commands are read when they run.
fn is_broken(session: &Session, text: &str) -> bool {
    let views = session.check(&CellRequest::new(text));
    views.iter().any(|view| !view.code.starts_with('W'))
}

#[test]
fn programs_broken_by_hand_are_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/broken");
    let watch = Watch::start();
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for program in text.split("\n----\n") {
            count += 1;
            let home = tempfile::tempdir().unwrap();
            let mut session = open(home.path(), &watch);
            let seen = match watch.evaluate(&mut session, program) {
                Ok(seen) => seen,
                Err(message) => {
                    wrong.push(message);
                    continue;
                }
            };
            if seen.codes.is_empty() {
                wrong.push(format!("nothing is said about:\n{program}\n{}", seen.text));
            }
            if seen.was_interrupted {
                wrong.push(format!("it had to be interrupted:\n{program}"));
            }
            wrong.extend(reject(&watch, &mut session, program).err());
        }
    }
    assert!(count >= 100, "only {count} programs");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn good_programs_with_a_mistake_are_told() {
    const WANTED: usize = 600;
    let sections = corpus::sections();
    let pool = Pool::new(sections.iter().flat_map(|it| it.cells.iter().map(String::as_str)));
    let watch = Watch::start();
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut codes: BTreeSet<String> = BTreeSet::new();
    let rounds = 3 * scale();
    for (at, section) in sections.iter().enumerate() {
        let home = tempfile::tempdir().unwrap();
        let mut session = open(home.path(), &watch);
        let mut rng = Seed(41).fork(&section.name).fork_at(at as u64).rng();
        for cell in section.cells.iter().take(2) {
            for _ in 0..rounds {
                let mutant = pool.mutate(cell, &mut rng);
                if !is_broken(&session, &mutant) || !found.insert(mutant.clone()) {
                    continue;
                }
                codes.extend(
                    session.check(&CellRequest::new(&*mutant)).into_iter().map(|it| it.code),
                );
                wrong.extend(reject(&watch, &mut session, &mutant).err());
            }
            // The next cell may need it.
            if let Err(message) = watch.evaluate(&mut session, cell) {
                wrong.push(message);
            }
        }
    }
    eprintln!("{} broken programs, {} codes", found.len(), codes.len());
    assert!(found.len() >= WANTED, "only {} broken programs", found.len());
    assert!(codes.len() >= 30, "only the codes {codes:?}");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), found.len(), wrong.join("\n\n"));
}

/// Ten megabytes in one cell: code by the half million words is refused as a whole, a text or a comment is one of them.
#[test]
fn a_cell_of_ten_megabytes_is_refused_or_runs() {
    let watch = Watch::start();
    let home = tempfile::tempdir().unwrap();
    let mut session = open(home.path(), &watch);
    let sink: Arc<dyn OutputSink> = Arc::new(watch::Collect::default());
    let length = 10_000_000;
    let lets: String = (0..length / 20).map(|n| format!("let a{n:07} := 1{n:06}\n")).collect();
    let numbers = format!("let kept := [{}]", "1234, ".repeat(length / 6));
    for text in [lets, numbers, "[".repeat(length)] {
        assert!(text.len() > length * 9 / 10, "{}", text.len());
        let reply = session.evaluate(CellRequest::new(text.as_str()), &sink);
        assert_eq!(reply.status, CellStatus::Rejected);
        let told = session.check(&CellRequest::new(text.as_str()));
        let codes: Vec<_> = told.iter().map(|view| view.code.as_str()).collect();
        assert_eq!(codes, ["E0011"]);
        assert!(names(&session).is_empty());
    }
    let half = "1234, ".repeat(length / 12);
    let text = format!("let data := \"{half}\" // {half}");
    let reply = session.evaluate(CellRequest::new(text.as_str()), &sink);
    assert_eq!((reply.status, names(&session)), (CellStatus::Ok, vec!["data".to_owned()]));
}
