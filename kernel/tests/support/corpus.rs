//! Good programs: the cells of the spec pages that are without mistakes, section by section.

use crate::page;
use std::fs;
use std::path::{Path, PathBuf};

/// What runs in one session, in order.
pub struct Section {
    pub name: String,
    pub cells: Vec<String>,
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/spec");
    let mut pages = Vec::new();
    for folder in [folder.join("language"), folder] {
        let entries = fs::read_dir(folder).expect("the pages are there").map(Result::unwrap);
        let found = entries.map(|entry| entry.path());
        pages.extend(found.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    pages.sort();
    pages
}

pub fn sections() -> Vec<Section> {
    let mut found = Vec::new();
    for path in pages() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        for section in page::read(&fs::read_to_string(&path).unwrap()).sections {
            let cells = section.cells.into_iter();
            let good = cells.filter(|cell| cell.markers().is_empty() && !cell.is_beside);
            let cells: Vec<String> = good.map(|cell| cell.code).collect();
            if !cells.is_empty() {
                found.push(Section { name: format!("{stem}: {}", section.heading), cells });
            }
        }
    }
    assert!(found.len() > 200, "the pages are elsewhere now");
    found
}
