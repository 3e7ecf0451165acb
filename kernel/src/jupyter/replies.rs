//! The contents of replies that change nothing: what the kernel is, candidates, explanations, history.

use jupyter_protocol::{
    CodeMirrorMode, CompleteReply, IsCompleteReply, KernelInfoReply, LanguageInfo, ReplyStatus,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::jupyter::offsets::{byte_of, characters_to};
use crate::jupyter::wire::{PROTOCOL_VERSION, Request};
use crate::session::history::{HistoryEntry, HistoryQuery};
use crate::session::inspect::Inspector;
use crate::session::request::{Completeness, Completion, Completions};
use crate::session::seat::Beside;

/// How many entries a tail gives when the request does not say.
const TAIL_DEFAULT: usize = 10;

pub fn kernel_info() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let mut reply = value(&KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL_VERSION.to_owned(),
        implementation: "ag".to_owned(),
        implementation_version: version.to_owned(),
        language_info: LanguageInfo {
            name: "agentic".to_owned(),
            version: version.to_owned(),
            mimetype: Some("text/x-agentic".to_owned()),
            file_extension: Some(".ag".to_owned()),
            // The nearest that Pygments has: without one, exported HTML shows code without colours.
            pygments_lexer: Some("rust".to_owned()),
            codemirror_mode: Some(CodeMirrorMode::Simple("agentic".to_owned())),
            nbconvert_exporter: None,
        },
        banner: format!(
            "ag {version}: agents, their money and their memory. `:help` shows what there is."
        ),
        help_links: Vec::new(),
        debugger: false,
        error: None,
    });
    if let Some(reply) = reply.as_object_mut() {
        // The typed reply has no field for it (protocol 5.5).
        reply.insert("supported_features".to_owned(), json!(["kernel subshells"]));
    }
    reply
}

pub fn complete(inspector: &Inspector, request: &Request) -> Value {
    let code = request.text("code");
    let cursor = cursor(request);
    let Completions { start, end, items } = inspector.complete(code, byte_of(code, cursor));
    let (start, end) = (characters_to(code, start), characters_to(code, end));
    let types: Vec<Value> = items.iter().map(|item| typed_candidate(item, start, end)).collect();
    let metadata =
        Map::from_iter([("_jupyter_types_experimental".to_owned(), Value::Array(types))]);
    let matches = items.into_iter().map(|item| item.text).collect();
    let status = ReplyStatus::Ok;
    value(&CompleteReply {
        matches,
        cursor_start: start,
        cursor_end: end,
        metadata,
        status,
        error: None,
    })
}

fn typed_candidate(item: &Completion, start: usize, end: usize) -> Value {
    json!({ "start": start, "end": end, "text": item.text, "type": item.kind, "signature": item.signature })
}

pub fn inspect(inspector: &Inspector, request: &Request) -> Value {
    let code = request.text("code");
    match inspector.inspect(code, byte_of(code, cursor(request))) {
        Some(found) => json!({
            "status": "ok", "found": true, "metadata": {},
            "data": { "text/plain": found.text, "text/markdown": found.markdown },
        }),
        None => json!({ "status": "ok", "found": false, "data": {}, "metadata": {} }),
    }
}

pub fn is_complete(inspector: &Inspector, request: &Request) -> Value {
    value(&match inspector.is_complete(request.text("code")) {
        Completeness::Complete => IsCompleteReply::complete(),
        Completeness::Incomplete { indent } => IsCompleteReply::incomplete(indent),
        Completeness::Invalid => IsCompleteReply::invalid(),
    })
}

pub fn history(session: &Beside, request: &Request) -> Value {
    let with_output = request.flag("output", false);
    let item = |entry: HistoryEntry| match with_output {
        true => json!([entry.session, entry.line, [entry.input, entry.output]]),
        false => json!([entry.session, entry.line, entry.input]),
    };
    let found: Vec<Value> =
        session.history(&history_query(request)).into_iter().map(item).collect();
    json!({ "status": "ok", "history": found })
}

fn history_query(request: &Request) -> HistoryQuery {
    let count = |key| request.number(key).and_then(|number| usize::try_from(number).ok());
    let line = |key| request.number(key).and_then(|number| u32::try_from(number).ok());
    match request.text("hist_access_type") {
        "tail" => HistoryQuery::Tail { n: count("n").unwrap_or(TAIL_DEFAULT) },
        "search" => {
            let pattern =
                request.content.get("pattern").and_then(Value::as_str).unwrap_or("*").to_owned();
            HistoryQuery::Search { pattern, n: count("n"), unique: request.flag("unique", false) }
        }
        _ => HistoryQuery::Range {
            session: request.number("session").unwrap_or(0),
            start: line("start").unwrap_or(0),
            stop: line("stop"),
        },
    }
}

/// Where the cursor stands, in characters; at the end when the request does not say.
fn cursor(request: &Request) -> usize {
    request.number("cursor_pos").map_or(usize::MAX, |at| usize::try_from(at).unwrap_or(0))
}

fn value(content: &impl Serialize) -> Value {
    serde_json::to_value(content).unwrap_or_else(|_| json!({}))
}
