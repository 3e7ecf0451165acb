//! Very many agents at once, through a real session: 5,000, and 100,000 at AG_TEST_SCALE=20.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::CellRequest;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Collect(Mutex<String>);

impl OutputSink for Collect {
    fn emit(&self, output: Output) {
        let shown = render::terminal(&output, &Style { width: 100, color: false });
        self.0.lock().unwrap().push_str(&shown);
    }
}

/// Each is asked once while all are there, and each answers with its own state.
fn program(agents: u64) -> String {
    format!(
        "agent One {{ state {{ n : Int = 1 }}  behavior hit(by : Int) -> Int {{ n += by; return n }} }}\n\
         var all : List<AgentRef<One>> := []\n\
         for i in 0..{agents} {{ all.push(@spawn(One)) }}\n\
         var asked : List<Future<Int>> := []\n\
         for one in all {{ asked.push(one.hit(2)) }}\n\
         var sum := 0\n\
         for answer in asked {{ sum += await answer }}\n\
         (all.len, sum)"
    )
}

#[test]
fn very_many_agents_live_and_answer_at_once() {
    let scale: u64 =
        std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let agents = 5000 * scale;
    let folder = tempfile::tempdir().unwrap();
    let options = SessionOptions {
        home: HomeChoice::Ephemeral,
        folder: Some(folder.path().to_owned()),
        lane: Some("echo".to_string()),
        workers: Some(4),
        ..SessionOptions::default()
    };
    let mut session = Session::open(options).unwrap();
    let collect = Arc::new(Collect::default());
    let sink: Arc<dyn OutputSink> = collect.clone();
    session.evaluate(CellRequest::new(program(agents)), &sink);
    let shown = collect.0.lock().unwrap().clone();
    assert!(shown.contains(&format!("({agents}, {})", 3 * agents)), "{shown}");
}
