//! Lanes over HTTP against a server on this machine. The bodies are synthetic: written here in the shapes that the
//! providers' references describe, recorded from nobody.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, SystemClock};
use ag_runtime::journal::effect::EffectJournal;
use ag_runtime::lane::conversation::{Conversation, Turn, call};
use ag_runtime::lane::declared::{LaneSpec, Protocol};
use ag_runtime::lane::error::LaneError;
use ag_runtime::lane::grant::Person;
use ag_runtime::lane::registry::{Choice, Lanes, Want};
use ag_runtime::lane::remote::Remote;
use ag_runtime::lane::request::{Message, Provider, Role, StreamTo, ToolSpec};
use ag_runtime::lane::typed::{Answer, LaneServices, TypedCall};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::report::Outcome;
use ag_runtime::rng::Seed;
use ag_runtime::services::Io;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The variable whose value plays the key. Cargo sets it.
const KEY_ENV: &str = "CARGO_MANIFEST_DIR";

/// What the server does with one request.
#[derive(Clone)]
enum Act {
    /// Status, further headers, body; the body in pieces of so many bytes.
    Say(u16, &'static str, String, usize),
    /// The beginning of a stream, then nothing more: the connection closes.
    BreakOff(String),
    /// Reads the request and closes.
    HangUp,
    /// A stream without an end.
    Endless,
    /// Reads the request and waits.
    Sleep,
}

struct Server {
    url: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

/// Answers its requests by the script, in order, and the last one for all that follow.
fn server(script: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut script = script.into_iter().peekable();
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let Some(act) = script.next() else { return };
            let act_again = script.peek().is_none().then(|| act.clone());
            seen.lock().unwrap().push(read_request(&stream));
            // A client that left early is part of some tests.
            let _ = answer(stream, act);
            if let Some(act) = act_again {
                script = vec![act].into_iter().peekable();
            }
        }
    });
    Server { url, asked }
}

fn read_request(stream: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

fn answer(mut stream: TcpStream, act: Act) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let sse = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    match act {
        Act::Say(status, headers, body, piece) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes())?;
            for piece in body.as_bytes().chunks(piece) {
                stream.write_all(piece)?;
                stream.flush()?;
            }
        }
        Act::BreakOff(body) => {
            stream.write_all(sse.as_bytes())?;
            stream.write_all(body.as_bytes())?;
        }
        Act::HangUp => {}
        Act::Endless => {
            stream.write_all(sse.as_bytes())?;
            loop {
                stream.write_all(b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")?;
            }
        }
        Act::Sleep => std::thread::sleep(Duration::from_secs(5)),
    }
    Ok(())
}

fn json_body(body: &Value) -> Act {
    Act::Say(200, "content-type: application/json\r\n", body.to_string(), usize::MAX)
}

/// A stream, cut into pieces of seven bytes.
fn events(events: &[Value], last: &str) -> Act {
    let mut body = String::from(": PROCESSING\n\n");
    for event in events {
        body.push_str(&format!("event: e\ndata: {event}\n\n"));
    }
    body.push_str(last);
    Act::Say(200, "content-type: text/event-stream\r\n", body, 7)
}

fn chat(text: &str, usage: Value) -> Value {
    json!({"id": "r1", "model": "m-2", "usage": usage,
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})
}

struct Fixture {
    _folder: tempfile::TempDir,
    services: LaneServices,
    runtime: tokio::runtime::Runtime,
}

impl Fixture {
    fn run(&self, call_: TypedCall) -> Result<Answer, LaneError> {
        self.runtime.block_on(call(&self.services, call_))
    }
}

fn fixture(protocol: Protocol, server: &Server) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let spec = LaneSpec {
        name: "far".into(),
        protocol,
        url: Some(server.url.as_str().into()),
        model: "m".into(),
        key_env: Some(KEY_ENV.into()),
        price_in: MicroUsd(1_000_000),
        price_out: MicroUsd(2_000_000),
        context: 10_000,
        rpm: None,
    };
    let remote: Arc<dyn Provider> = Arc::new(Remote::new(&spec, &clock, &Io::default()));
    let services = LaneServices {
        ledger: Ledger::open(
            folder.path(),
            Arc::clone(&clock),
            Durability::Process,
            Some(MicroUsd(1_000_000)),
        ),
        lanes: Arc::new(Lanes::new(vec![remote], false)),
        journal: Arc::new(EffectJournal::default()),
        clock,
        seed: Seed(0),
        replies: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Fixture { _folder: folder, services, runtime }
}

fn ask(prompt: &str) -> TypedCall {
    TypedCall {
        messages: vec![Message::new(Role::System, "Be brief."), Message::new(Role::User, prompt)],
        form: None,
        want: Want {
            choice: Choice::Lane("far".into()),
            model: None,
            preference: vec![],
            latency_budget_ns: None,
            cost_budget: None,
            deadline: None,
            max_tokens: 100,
            tools: Arc::new([]),
            agent: "".into(),
            cell: 1,
        },
        temperature: 0.5,
        repair: 2,
        retries: 0,
        max_steps: 8,
        timeout_ns: 2_000_000_000,
        max_cost: None,
        limits: None,
        cache: false,
        stream: None,
        track: None,
        person: Person::default(),
    }
}

fn reading(call: TypedCall) -> (TypedCall, Arc<Mutex<Vec<String>>>) {
    let pieces: Arc<Mutex<Vec<String>>> = Arc::default();
    let taken = Arc::clone(&pieces);
    let stream = StreamTo::new(move |text| taken.lock().unwrap().push(text.to_owned()));
    (TypedCall { stream: Some(Arc::new(stream)), ..call }, pieces)
}

fn tool() -> Arc<[ToolSpec]> {
    Arc::new([ToolSpec {
        name: "price_of".into(),
        description: "The price.".into(),
        parameters: json!({"type": "object", "properties": {"symbol": {"type": "string"}}}),
    }])
}

#[test]
fn an_openai_answer_is_read_with_its_usage_in_buckets() {
    let usage = json!({"prompt_tokens": 50, "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 10}, "completion_tokens_details": {"reasoning_tokens": 5}});
    let server = server(vec![json_body(&chat("hello", usage))]);
    let f = fixture(Protocol::OpenAi, &server);
    let answer = f.run(ask("hi")).unwrap();
    assert_eq!((answer.text.as_str(), &*answer.model), ("hello", "m-2"));
    assert_eq!((answer.tokens_in, answer.tokens_out, answer.cost), (50, 20, MicroUsd(90)));
    let (head, body) = server.asked.lock().unwrap()[0].clone();
    let key = std::env::var(KEY_ENV).unwrap();
    assert!(head.starts_with("POST /v1/chat/completions"), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {key}")), "{head}");
    assert_eq!(
        body,
        json!({"model": "m", "max_tokens": 100, "temperature": 0.5, "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]})
    );
}

#[test]
fn what_the_provider_bills_wins_and_more_than_was_held_is_told() {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.9});
    let server = server(vec![json_body(&chat("hello", usage))]);
    let f = fixture(Protocol::OpenRouter, &server);
    let mut conversation = Conversation::begin(&f.services, ask("hi")).unwrap();
    let turn = f.runtime.block_on(conversation.turn()).unwrap();
    assert!(matches!(turn, Turn::Answered(answer) if answer.cost == MicroUsd(900_000)));
    let notes = conversation.take_notes();
    assert!(notes[0].starts_with("W0803: lane far charged $0.90 for a call"), "{notes:?}");
}

#[test]
fn an_openai_stream_is_the_same_in_pieces_of_seven_bytes() {
    let piece = |text: &str| json!({"model": "m-2", "choices": [{"delta": {"content": text}}]});
    let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 3}});
    let server = server(vec![events(&[piece("Hé"), piece("llo"), end, usage], "data: [DONE]\n\n")]);
    let f = fixture(Protocol::OpenAi, &server);
    let (call, pieces) = reading(ask("hi"));
    let answer = f.run(call).unwrap();
    assert_eq!((answer.text.as_str(), answer.tokens_in, answer.tokens_out), ("Héllo", 4, 3));
    assert_eq!(*pieces.lock().unwrap(), ["Hé", "llo"]);
    let body = server.asked.lock().unwrap()[0].1.clone();
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
}

#[test]
fn an_anthropic_stream_asks_for_a_tool_and_goes_on() {
    let first = [
        json!({"type": "message_start", "message": {"id": "a1", "model": "c", "usage": {"input_tokens": 10,
            "cache_read_input_tokens": 7, "output_tokens": 1}}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me see."}}),
        json!({"type": "content_block_start", "index": 1,
            "content_block": {"type": "tool_use", "id": "t9", "name": "price_of", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_delta", "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": "{\"symbol\": \"A"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "CME\"}"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 30}}),
        json!({"type": "message_stop"}),
    ];
    let second = json!({"id": "a2", "model": "c", "content": [{"type": "text", "text": "It is 101."}],
        "usage": {"input_tokens": 20, "output_tokens": 5}});
    let server = server(vec![events(&first, ""), json_body(&second)]);
    let f = fixture(Protocol::Anthropic, &server);
    let (call, _) = reading(ask("price?"));
    let want = Want { tools: tool(), ..call.want.clone() };
    let mut conversation = Conversation::begin(&f.services, TypedCall { want, ..call }).unwrap();
    let Turn::Tools(calls) = f.runtime.block_on(conversation.turn()).unwrap() else {
        panic!("no tool was asked for")
    };
    assert_eq!(
        (&*calls[0].name, calls[0].arguments.as_str()),
        ("price_of", "{\"symbol\": \"ACME\"}")
    );
    conversation.tools_gave(vec![Message::answer(&calls[0], "101")]);
    let Turn::Answered(answer) = f.runtime.block_on(conversation.turn()).unwrap() else {
        panic!("there is no answer")
    };
    // 10 + 0.7 cached + 60, and 20 + 10.
    assert_eq!((answer.text.as_str(), answer.cost), ("It is 101.", MicroUsd(71 + 30)));
    assert_eq!((answer.tokens_in, answer.tokens_out), (37, 35));
    let asked = server.asked.lock().unwrap();
    assert!(asked[0].0.contains("anthropic-version: 2023-06-01"), "{}", asked[0].0);
    assert_eq!(asked[0].1["system"], "Be brief.");
    assert_eq!(asked[0].1["tools"][0]["input_schema"]["type"], "object");
    assert_eq!(
        asked[1].1["messages"],
        json!([{"role": "user", "content": [{"type": "text", "text": "price?"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "t9", "name": "price_of", "input": {"symbol": "ACME"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t9", "content": "101"}]}])
    );
}

#[test]
fn openai_tools_go_there_and_back() {
    let calls = json!([{"id": "c1", "type": "function", "function": {"name": "price_of", "arguments": "{}"}}]);
    let first = json!({"choices": [{"message": {"content": null, "tool_calls": calls}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1}});
    let last = chat("done", json!({"prompt_tokens": 1, "completion_tokens": 1}));
    let server = server(vec![json_body(&first), json_body(&last)]);
    let f = fixture(Protocol::OpenAi, &server);
    let call = ask("price?");
    let want = Want { tools: tool(), ..call.want.clone() };
    let mut conversation = Conversation::begin(&f.services, TypedCall { want, ..call }).unwrap();
    let Turn::Tools(calls) = f.runtime.block_on(conversation.turn()).unwrap() else {
        panic!("no tool was asked for")
    };
    conversation.tools_gave(vec![Message::answer(&calls[0], "101")]);
    assert!(matches!(f.runtime.block_on(conversation.turn()).unwrap(), Turn::Answered(_)));
    let asked = server.asked.lock().unwrap();
    assert_eq!(asked[0].1["tools"][0]["function"]["name"], "price_of");
    assert_eq!(asked[1].1["messages"][2]["tool_calls"][0]["id"], "c1");
    assert_eq!(
        asked[1].1["messages"][3],
        json!({"role": "tool", "content": "101", "tool_call_id": "c1"})
    );
}

#[test]
fn busy_providers_are_asked_again_and_cost_nothing() {
    let busy = |status| Act::Say(status, "retry-after-ms: 1\r\n", "{}".into(), usize::MAX);
    let good = chat("at last", json!({"prompt_tokens": 1, "completion_tokens": 1}));
    let server = server(vec![busy(500), busy(503), busy(529), busy(429), json_body(&good)]);
    let f = fixture(Protocol::OpenAi, &server);
    let answer = f.run(TypedCall { retries: 4, ..ask("hi") }).unwrap();
    assert_eq!((answer.text.as_str(), answer.cost), ("at last", MicroUsd(3)));
    assert_eq!(f.services.ledger.report().total.cost, MicroUsd(3));
    assert_eq!(server.asked.lock().unwrap().len(), 5);
}

#[test]
fn a_refusal_is_final_and_never_tells_the_key() {
    let key = std::env::var(KEY_ENV).unwrap();
    let bodies = [
        (401, format!("{{\"error\": {{\"message\": \"bad key {key}\"}}}}")),
        (
            429,
            format!(
                "{{\"error\": {{\"message\": \"{key} has no money\", \"code\": \"insufficient_quota\"}}}}"
            ),
        ),
        (400, format!("<html>{key}</html>")),
    ];
    for (status, body) in bodies {
        let server = server(vec![Act::Say(status, "", body, usize::MAX)]);
        let f = fixture(Protocol::OpenAi, &server);
        let error = f.run(TypedCall { retries: 3, ..ask("hi") }).unwrap_err();
        assert_eq!(error.code(), "R0606");
        assert_eq!(server.asked.lock().unwrap().len(), 1, "{status} is not asked again");
        let told = format!("{error} {error:?} {:?}", f.services.journal.records());
        assert!(!told.contains(&key), "{told}");
        assert!(told.contains("***"), "{told}");
        assert_eq!(f.services.ledger.report().total.cost, MicroUsd::ZERO);
    }
}

#[test]
fn what_was_cut_off_is_charged_as_it_was_held() {
    let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n".to_owned();
    let error = "data: {\"error\":{\"code\":502,\"message\":\"upstream\"}}\n\n".to_owned();
    let garbage = Act::Say(200, "content-type: application/json\r\n", "<html>".into(), usize::MAX);
    let other = json_body(&json!({"hello": 1}));
    for act in [
        Act::HangUp,
        Act::BreakOff(piece),
        Act::BreakOff(error),
        Act::BreakOff("data: nonsense\n\n".into()),
        Act::Endless,
        Act::Sleep,
        garbage,
        other,
    ] {
        let server = server(vec![act]);
        let f = fixture(Protocol::OpenAi, &server);
        let failed = f.run(TypedCall { timeout_ns: 1_500_000_000, ..ask("hi") }).unwrap_err();
        assert_eq!(failed.code(), "R0606", "{failed}");
        let report = f.services.ledger.report();
        assert_eq!(report.calls[0].outcome, Outcome::Uncertain, "{failed}");
        assert!(report.total.cost > MicroUsd(200), "{failed}");
        assert_eq!(report.reserved, MicroUsd::ZERO);
    }
}

#[test]
fn nothing_is_tried_again_once_a_piece_was_shown() {
    let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n".to_owned();
    let server = server(vec![Act::BreakOff(piece)]);
    let f = fixture(Protocol::OpenAi, &server);
    let (call, pieces) = reading(TypedCall { retries: 3, ..ask("hi") });
    let error = f.run(call).unwrap_err();
    assert_eq!(*pieces.lock().unwrap(), ["Hal"]);
    assert_eq!(server.asked.lock().unwrap().len(), 1);
    assert!(error.to_string().contains("part of its reply was shown"), "{error}");
}

#[test]
fn where_nobody_listens_nothing_is_charged() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let nobody = Server { url, asked: Arc::default() };
    let f = fixture(Protocol::OpenAi, &nobody);
    let error = f.run(ask("hi")).unwrap_err();
    assert_eq!(error.to_string(), "lane far gave no answer: connection refused");
    assert_eq!(f.services.ledger.report().total.cost, MicroUsd::ZERO);
}
