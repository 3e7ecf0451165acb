//! Runs the literate pages of `tests/spec/`, and the pages for newcomers in `docs/`, through a real session, one trial a section.
//!
//! `UPDATE=1` rewrites the blocks that follow the cells; read them before you commit them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/page.rs"]
mod page;
#[path = "support/run.rs"]
mod run;

use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let mut arguments = Arguments::from_args();
    let update = std::env::var_os("UPDATE").is_some();
    // Trials of one page rewrite one file, and each compares the values of the whole process before and after.
    arguments.test_threads = Some(1);
    let trials = pages().into_iter().flat_map(|path| trials(&path, update)).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/spec");
    let mut pages: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("tests/spec exists")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    let reference = fs::read_dir(folder.join("language")).expect("tests/spec/language exists");
    pages.extend(reference.map(|entry| entry.expect("a readable entry").path()));
    pages.push(folder.join("../../docs/ten-minutes.md"));
    pages.push(folder.join("../../docs/by-example.md"));
    // The pages of Faults show them happening; those of mistakes are checked without running (`ag-lang`).
    let faults = fs::read_dir(folder.join("../diagnostics")).expect("tests/diagnostics exists");
    let faults = faults.map(|entry| entry.expect("a readable entry").path());
    pages.extend(faults.filter(|path| {
        // A refuted contract was run, too, and commands are the session's.
        let shows =
            |n: &[u8]| [&b"R"[..], b"E0601", b"E0904", b"E0905"].iter().any(|it| n.starts_with(it));
        path.file_name().is_some_and(|n| shows(n.as_encoded_bytes()))
    }));
    pages.sort();
    pages
}

fn trials(path: &Path, update: bool) -> Vec<Trial> {
    let text = fs::read_to_string(path).expect("a readable page");
    let mut stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
    if path.parent().is_some_and(|folder| folder.ends_with("language")) {
        stem.insert_str(0, "language/");
    }
    let sections = page::read(&text).sections;
    let with_cells = sections.into_iter().enumerate().filter(|(_, s)| !s.cells.is_empty());
    with_cells
        .map(|(index, section)| {
            let name = format!("{stem}: {}", section.heading);
            let path = path.to_owned();
            Trial::test(name, move || {
                let mut section = section;
                if update && section.waits_for().is_none() {
                    // Lines may have moved since the trials were listed.
                    let text = fs::read_to_string(&path)?;
                    let edits = run::observe(&page::read(&text).sections[index]);
                    let text = run::apply(&text, edits);
                    fs::write(&path, &text)?;
                    // A cell with a mistake that it does not tell has nothing to write.
                    section = page::read(&text).sections.remove(index);
                }
                let checked = match section.waits_for() {
                    Some(part) => run::check_planned(&section, part),
                    None => run::check(&section),
                };
                checked.map_err(|message| Failed::from(format!("{}\n{message}", path.display())))
            })
        })
        .collect()
}
