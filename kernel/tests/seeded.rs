//! L-161: under a seed the programs of the seed, and every section of the pages on coordination, give the same bytes on
//! every run: what they show, what they cost, and the trace, also of what cells leave running.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/corpus.rs"]
mod corpus;
#[allow(dead_code)]
#[path = "support/page.rs"]
mod page;

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::CellRequest;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

/// What is shown, as bytes: the terminal's, and all data a notebook would get.
#[derive(Default)]
struct Collect(Mutex<String>);

impl OutputSink for Collect {
    fn emit(&self, output: Output) {
        let shown = render::terminal(&output, &Style { width: 100, color: false });
        let mut text = self.0.lock().unwrap();
        text.push_str(&shown);
        writeln!(text, "{output:?}").unwrap();
    }
}

/// How often each is run again for a seed: where the machine decided anything, one run more may show nothing.
const AGAIN: usize = 2;

fn run(cells: &[String], seed: u64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let options = SessionOptions {
        home: HomeChoice::Ephemeral,
        folder: Some(folder.path().to_owned()),
        lane: Some("echo".to_string()),
        seed: Some(seed),
        workers: Some(1),
        ..SessionOptions::default()
    };
    let mut session = Session::open(options).unwrap();
    let collect = Arc::new(Collect::default());
    let sink: Arc<dyn OutputSink> = collect.clone();
    for cell in cells {
        session.evaluate(CellRequest::new(cell.clone()), &sink);
        session.evaluate(CellRequest::new(":trace\n:cost"), &sink);
    }
    let given = collect.0.lock().unwrap().clone();
    given.replace(&*folder.path().to_string_lossy(), "FOLDER")
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_run() {
    let pages = ["20-seed", "24-orchestrations", "23-tasks", "11-agents", "16-tests: The seed"];
    let seeds: u64 =
        std::env::var("AG_TEST_SCALE").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let sections = corpus::sections();
    let ours = sections.iter().filter(|it| pages.iter().any(|page| it.name.starts_with(page)));
    let mut count = 0;
    for section in ours.filter(|it| !it.cells.iter().any(|cell| cell.contains("%%time"))) {
        for seed in 1..=seeds {
            let first = run(&section.cells, seed);
            for _ in 0..AGAIN {
                let second = run(&section.cells, seed);
                assert!(first == second, "{}:\n{first}\n---\n{second}", section.name);
            }
            assert!(first.len() > 100, "{}: it shows nothing", section.name);
        }
        count += 1;
    }
    assert!(count > 30, "the pages are elsewhere now");
}
