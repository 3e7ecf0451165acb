use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use zeromq::ZmqMessage;

use super::{CellSink, GATHER_BYTES, Iopub};
use crate::jupyter::wire::{Request, Signer};
use crate::output::diagnostic::FaultView;
use crate::output::{Output, OutputSink, Page, ProgressView};

type Sent = UnboundedReceiver<ZmqMessage>;

fn sink(is_silent: bool) -> (Arc<CellSink>, Sent) {
    let signer = Signer::new("");
    let request = Arc::new(request(&signer));
    let (queue, sent) = unbounded_channel();
    (CellSink::new(Iopub { signer, queue }, request, is_silent, Handle::current()), sent)
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
    sink.announce(&Map::<String, Value>::new());
    sink.emit(print("a"));
    sink.emit(Output::Clear { wait: false });
    sink.end();
    assert!(drain(&mut sent).is_empty());
}

#[tokio::test]
async fn a_bar_is_one_display_that_changes() {
    let (sink, mut sent) = sink(false);
    for done in 0..3 {
        let (id, label) = ("p".to_owned(), "work".to_owned());
        sink.emit(Output::Progress(ProgressView { id, label, done, total: 2, update: done > 0 }));
    }
    let sent = drain(&mut sent);
    let kinds: Vec<&str> = sent.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["display_data", "update_display_data", "update_display_data"]);
    assert!(sent.iter().all(|(_, content)| content["transient"]["display_id"] == "p"));
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
