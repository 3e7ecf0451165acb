use std::sync::Arc;
use std::time::Duration;

use ag_runtime::context::Cx;
use ag_runtime::context::sink::Question;
use ag_runtime::rng::Seed;
use ag_runtime::world::World;
use ag_runtime::world::options::WorldOptions;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use zeromq::ZmqMessage;

use super::{CellSink, GATHER_BYTES, Iopub};
use crate::jupyter::stdin::Asker;
use crate::jupyter::wire::{Request, Signer};
use crate::output::diagnostic::FaultView;
use crate::output::{Output, OutputSink, Page, ProgressView};

type Sent = UnboundedReceiver<ZmqMessage>;

fn sink(is_silent: bool) -> (Arc<CellSink>, Sent) {
    let signer = Signer::new("");
    let request = Arc::new(request(&signer));
    let (queue, sent) = unbounded_channel();
    let (asker, _) = Asker::new();
    let iopub = Iopub::new(signer, queue, asker);
    (CellSink::new(iopub, request, is_silent, Handle::current()), sent)
}

fn request(signer: &Signer) -> Request {
    let reply = signer.broadcast("execute_request", None, &json!({}));
    signer.decode(reply).unwrap()
}

/// Kind and content of what was sent so far.
fn drain(sent: &mut Sent) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    while let Ok(message) = sent.try_recv() {
        let frames: Vec<Bytes> = message.into_vec();
        let header: Value = serde_json::from_slice(&frames[3]).unwrap();
        found.push((
            header["msg_type"].as_str().unwrap().to_owned(),
            serde_json::from_slice(&frames[6]).unwrap(),
        ));
    }
    found
}

fn print(text: &str) -> Output {
    Output::Stdout(text.to_owned())
}

#[tokio::test]
async fn prints_are_gathered_and_keep_their_place() {
    let (sink, mut sent) = sink(false);
    sink.emit(print("a\n"));
    sink.emit(print("b\n"));
    sink.emit(Output::Stderr("c\n".to_owned()));
    sink.emit(Output::Clear { wait: true });
    sink.emit(print("d\n"));
    sink.end();
    let expected = [
        ("stream", json!({ "name": "stdout", "text": "a\nb\n" })),
        ("stream", json!({ "name": "stderr", "text": "c\n" })),
        ("clear_output", json!({ "wait": true })),
        ("stream", json!({ "name": "stdout", "text": "d\n" })),
    ];
    assert_eq!(drain(&mut sent), expected.map(|(kind, content)| (kind.to_owned(), content)));
}

#[tokio::test]
async fn a_print_is_sent_without_anything_after_it() {
    let (sink, mut sent) = sink(false);
    sink.emit(print("a"));
    let message = tokio::time::timeout(Duration::from_secs(10), sent.recv()).await;
    assert!(message.unwrap().is_some());
}

#[tokio::test]
async fn a_huge_print_does_not_wait() {
    let (sink, mut sent) = sink(false);
    sink.emit(print(&"x".repeat(GATHER_BYTES)));
    assert_eq!(drain(&mut sent).len(), 1);
}

#[tokio::test]
async fn a_silent_cell_sends_nothing() {
    let (sink, mut sent) = sink(true);
    sink.begin(1);
    sink.emit(print("a"));
    sink.emit(Output::Clear { wait: false });
    sink.end();
    assert!(drain(&mut sent).is_empty());
}

fn bar(done: u64, update: bool) -> Output {
    let (id, label) = ("display-1".to_owned(), "work".to_owned());
    Output::Progress(ProgressView { id, label, done, total: 9, update })
}

#[tokio::test]
async fn a_bar_is_one_display_that_changes() {
    let (sink, mut sent) = sink(false);
    sink.emit(bar(0, false));
    (1..=9).for_each(|done| sink.emit(bar(done, true)));
    let sent = drain(&mut sent);
    let kinds: Vec<&str> = sent.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["display_data", "update_display_data"]);
    let identity = |(_, content): &(String, Value)| content["transient"]["display_id"].clone();
    assert_eq!(identity(&sent[0]), identity(&sent[1]));
    assert!(identity(&sent[0]).as_str().unwrap().ends_with("-display-1"));
    assert_eq!(sent[1].1["data"]["text/plain"], "work: 9 of 9");
}

#[tokio::test]
async fn a_bar_that_rests_shows_its_last_state() {
    let (sink, mut sent) = sink(false);
    sink.emit(bar(0, false));
    sink.emit(bar(1, true));
    sink.emit(bar(2, true));
    let first = sent.recv().await;
    let late = tokio::time::timeout(Duration::from_secs(10), sent.recv()).await;
    assert!(first.is_some() && late.unwrap().is_some());
    sink.emit(bar(3, true));
    sink.end();
    assert_eq!(drain(&mut sent)[0].1["data"]["text/plain"], "work: 3 of 9");
}

/// The parent header of each message.
fn parents(sent: &mut Sent) -> Vec<Bytes> {
    std::iter::from_fn(|| sent.try_recv().ok())
        .map(|message| message.into_vec()[4].clone())
        .collect()
}

#[tokio::test]
async fn an_update_after_the_cell_ended_is_one_of_the_running_cell() {
    let (first, mut sent) = sink(false);
    first.emit(bar(0, false));
    let own = parents(&mut sent);
    first.end();
    first.emit(bar(1, true));
    assert_eq!(parents(&mut sent), own);
    let other = Arc::new(request(&first.iopub.signer));
    let second = CellSink::new(first.iopub.clone(), other, false, Handle::current());
    first.emit(bar(9, true));
    first.emit(print("x"));
    first.end();
    let sent_now = parents(&mut sent);
    assert!(sent_now[0] != own[0] && sent_now[1] == own[0]);
    second.end();
    first.emit(bar(9, true));
    assert_eq!(parents(&mut sent), own);
}

#[tokio::test]
async fn a_question_is_refused_unless_the_front_end_takes_it() {
    let (sink, _sent) = sink(false);
    let world = World::open(WorldOptions::seeded(Seed(7)));
    let mut cx = Cx::detached(&world);
    let answer = cx.wait(|completer| sink.ask(Question::new("name?".to_owned(), completer)));
    assert!(answer.unwrap().unwrap_err().contains("allow_stdin"));
}

#[tokio::test]
async fn a_failing_cell_sends_one_error_and_its_agents_none_later() {
    let (sink, mut sent) = sink(false);
    let fault = || Output::Fault(FaultView::at("R0102", "division by zero", None));
    sink.emit(fault());
    sink.emit(fault());
    let (failure, _) = sink.end();
    assert_eq!(failure.unwrap().ename, "R0102");
    sink.emit(fault());
    let kinds: Vec<String> = drain(&mut sent).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["error", "display_data"]);
}

#[tokio::test]
async fn a_page_goes_into_the_reply() {
    let (sink, mut sent) = sink(false);
    let (text, markdown) = ("t".to_owned(), "m".to_owned());
    sink.emit(Output::Page(Page { text, markdown, pager: true }));
    let (_, pages) = sink.end();
    assert_eq!(pages[0].data["text/plain"], "t");
    assert!(drain(&mut sent).is_empty());
}
