//! What an execute reply carries beside its outputs, and in which order a cell that fails shows things.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::options::SessionOptions;
use ag_kernel::session::request::{CellReply, CellRequest, CellStatus};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Kinds(Mutex<Vec<String>>);

impl OutputSink for Kinds {
    fn emit(&self, output: Output) {
        let kind = match &output {
            Output::Fault(fault) => fault.code.clone(),
            Output::Diagnostics(views) => views[0].code.clone(),
            Output::CostLine(line) => format!("cost of {}", line.calls),
            Output::Stdout(text) => text.trim().to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(kind);
    }
}

fn session() -> Session {
    let options = SessionOptions {
        lane: Some("echo".to_owned()),
        seed: Some(7),
        ..SessionOptions::default()
    };
    Session::open(options).expect("a session")
}

fn run(session: &mut Session, request: CellRequest) -> (CellReply, Vec<String>) {
    let kinds = Arc::new(Kinds::default());
    let sink: Arc<dyn OutputSink> = kinds.clone();
    let reply = session.evaluate(request, &sink);
    let shown = kinds.0.lock().unwrap().clone();
    (reply, shown)
}

fn asking(text: &str, expressions: &[(&str, &str)]) -> CellRequest {
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    CellRequest {
        user_expressions: expressions.iter().map(pair).collect(),
        ..CellRequest::new(text)
    }
}

/// Each expression stands for itself: one that fails says so in its place, the others and the cell are as they were.
#[test]
fn expressions_beside_a_cell_fail_one_by_one() {
    let mut session = session();
    let expressions = [
        ("sum", "price + 1"),
        ("fault", "1 / (price - 20)"),
        ("unknown", "nothing"),
        ("text", "\"a\""),
    ];
    let (reply, shown) = run(&mut session, asking("let price := 20; price", &expressions));
    assert_eq!(reply.status, CellStatus::Ok);
    assert_eq!(shown.len(), 1, "only the cell's own value is shown: {shown:?}");
    let of = |wanted: &str| {
        reply.user_expressions.iter().find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    assert_eq!(of("sum").unwrap().as_ref().unwrap().data["text/plain"], "21");
    assert_eq!(of("text").unwrap().as_ref().unwrap().data["text/plain"], "\"a\"");
    assert_eq!(of("fault").unwrap().as_ref().unwrap_err().ename, "R0102");
    assert_eq!(of("unknown").unwrap().as_ref().unwrap_err().ename, "E0201");
    let (reply, shown) = run(&mut session, CellRequest::new("print(_)"));
    assert_eq!((reply.count, shown), (2, vec!["20".to_owned()]), "they bind and count nothing");
}

#[test]
fn a_cell_that_fails_evaluates_no_expressions() {
    let mut session = session();
    let expressions = [("sum", "1 + 1")];
    for (text, status) in [("1 / 0", CellStatus::Faulted), ("nothing", CellStatus::Rejected)] {
        let (reply, _) = run(&mut session, asking(text, &expressions));
        assert_eq!((reply.status, reply.user_expressions.len()), (status, 0), "{text}");
    }
}

/// Jupyter stops reading at the error: what the cell cost stands before it.
#[test]
fn the_cost_line_stands_before_the_error() {
    let mut session = session();
    let text = "let reply : Text = @llm_call(\"hi\"); print(reply); assert reply == \"no\"";
    let (reply, shown) = run(&mut session, CellRequest::new(text));
    assert_eq!(reply.status, CellStatus::Faulted);
    assert_eq!(shown, ["echo: hi", "cost of 1", "R0402"]);
    let (_, shown) = run(&mut session, CellRequest::new("1 / 0"));
    assert_eq!(shown, ["R0102"], "nothing was spent here");
}

/// Whoever comes back to the tour need not have done the steps before in this session.
#[test]
fn every_step_of_the_tour_stands_alone() {
    for step in 1..=10 {
        let mut session = session();
        let (reply, _) = run(&mut session, CellRequest::new(format!(":tour {step}")));
        assert_eq!(reply.status, CellStatus::Ok, "step {step}");
        let (reply, shown) = run(&mut session, CellRequest::new(":tour next"));
        assert_eq!(reply.status, CellStatus::Ok, "step {step}: {shown:?}");
        assert!(shown.len() > 1, "step {step} shows what it gives, and the next step: {shown:?}");
    }
}

/// As long as they live, and no longer.
#[test]
fn memory_shows_what_agents_hold_in_their_windows() {
    let mut session = session();
    let diary = "agent Diary {\n  memory { short_term: FIFO(capacity: 2, ttl: 1h) }\n  \
                 behavior note(what : Text) { @remember(Episode { context: what, action: \"noted\" }) }\n}\n\
                 let diary := @spawn(Diary)\nlet other := @spawn(Diary)\n";
    let (reply, shown) = run(&mut session, CellRequest::new(diary));
    assert_eq!(reply.status, CellStatus::Ok, "{shown:?}");
    let windows = |session: &mut Session| {
        let (_, shown) = run(session, CellRequest::new(":memory"));
        shown.into_iter().filter(|table| table.contains("Short-term memory")).collect::<Vec<_>>()
    };
    assert!(windows(&mut session).is_empty(), "nothing was remembered yet");
    for what in ["one", "two", "three"] {
        let (reply, _) =
            run(&mut session, CellRequest::new(format!("await diary.note(\"{what}\")")));
        assert_eq!(reply.status, CellStatus::Ok);
    }
    let shown = windows(&mut session).concat();
    assert_eq!(shown.matches("Diary#").count(), 1, "the other one holds nothing: {shown}");
    let row = shown.split("Diary#").nth(1).unwrap();
    assert_eq!(row.matches("Text(\"2\")").count(), 2, "two episodes of two: {shown}");
    run(&mut session, CellRequest::new("@stop(diary)"));
    let start = std::time::Instant::now();
    while !windows(&mut session).is_empty() {
        assert!(start.elapsed().as_secs() < 20, "a stopped agent holds nothing");
    }
}
