//! `fetch`: a request to a URL.
//!
//! The coroutine gives its worker back until the answer is there; an interrupt cuts the connection. Never: a request without
//! permission (L-92), or a body larger than the memory limit.

use crate::builtin::declare::{Moved, Outcome, builtins};
use crate::builtin::human::text;
use crate::builtin::memory::build;
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::{Fault, Faulted};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::journal::secret::is_secret_header;
use crate::policy::Verdict;
use crate::value::map::MapRef;
use crate::value::shape::ShapeId;
use crate::value::text::TextRef;
use crate::world::outside::Reach;
use serde_json::{Value, json};
use std::sync::Arc;

builtins! {
    /// A request to a URL, which needs permission (`:set net allow`). A bad status is no Fault; no answer in time is R0608.
    function "fetch" "(url: Text, method: Text = \"GET\", headers: Map<Text, Text> = {}, body: Text = \"\", timeout: Duration = 30s) -> { status: Int, headers: Map<Text, Text>, body: Text }"
        example "fetch(\"https://example.org\").status" => ""
        effects ["net", "suspend"]
        = |cx, url: TextRef<'_>, method: TextRef<'_>, headers: MapRef<'_>, body: TextRef<'_>, timeout: i64| {
            let request = Request {
                url: url.as_str().to_owned(),
                method: method.as_str().to_owned(),
                headers: texts(headers),
                body: body.as_str().to_owned(),
                timeout_ns: timeout,
                memory_bytes: cx.world.memory_limit(),
            };
            fetch(cx, request)
        };
}

/// What a program asks for.
#[derive(Debug)]
pub struct Request {
    pub url: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub timeout_ns: i64,
    /// The limit of live bytes that the body must stay within.
    pub memory_bytes: u64,
}

fn texts(map: MapRef<'_>) -> Vec<(String, String)> {
    // SAFETY: the checker saw to it that keys and values are Texts.
    let text = |word| unsafe { TextRef::from_word(word) }.as_str().to_owned();
    map.entries().map(|(key, value)| (text(key), text(value))).collect()
}

/// `{ status : Int, headers : Map<Text, Text>, body : Text }`; the fields of a record are sorted by name.
fn reply() -> ShapeId {
    ShapeId::record(&[
        ("body", ShapeId::TEXT),
        ("headers", ShapeId::map(ShapeId::TEXT, ShapeId::TEXT)),
        ("status", ShapeId::INT),
    ])
}

fn fetch(cx: &mut Cx, request: Request) -> Outcome<Moved> {
    let print = Fingerprint::of_json(&json!({
        "url": request.url,
        "method": request.method,
        "headers": fingerprinted(&request.headers),
        "body": request.body,
    }));
    let pending = match cx.begin("net", print)? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => return cx.given_as(*line, reply()),
    };
    let answer = match may_reach(cx, &request) {
        Ok(Err(refusal)) => Ok(Err(refusal)),
        Ok(Ok(())) => exchange(cx, request),
        Err(Faulted) => Err(Faulted),
    };
    match answer {
        Ok(Ok(reply_json)) => {
            pending.done(Payload::free(reply_json.clone()));
            build(cx, &reply_json, reply())
        }
        Ok(Err(fault)) => {
            pending.faulted(&fault);
            cx.raise(Box::new(fault));
            Err(Faulted)
        }
        Err(Faulted) => {
            cx.end_faulted(pending);
            Err(Faulted)
        }
    }
}

/// What rules, settings and the person say, in this order. The inner error is the refusal.
fn may_reach(cx: &mut Cx, request: &Request) -> Outcome<Result<(), Fault>> {
    let world = Arc::clone(&cx.world);
    let arguments = || vec![text("url", &request.url), text("method", &request.method)];
    match cx.ruled("net", &arguments)? {
        Some(Verdict::Ask) => return cx.ask_permission("net", &arguments).map(Ok),
        Some(_) => return Ok(Ok(())),
        None => {}
    }
    match world.permissions().refusal(Reach::Net, "`fetch` reaches the network") {
        None => Ok(Ok(())),
        Some(refusal) => cx.ask_instead(Reach::Net, refusal, &arguments),
    }
}

/// Headers without the values that are keys: with another key it is the same request.
fn fingerprinted(headers: &[(String, String)]) -> Vec<(&str, Option<&str>)> {
    let value = |name, value| (!is_secret_header(name)).then_some(value);
    headers.iter().map(|(name, text)| (name.as_str(), value(name, text.as_str()))).collect()
}

#[cfg(feature = "net")]
fn exchange(cx: &mut Cx, request: Request) -> Outcome<Result<Value, Fault>> {
    let world = Arc::clone(&cx.world);
    let services = crate::builtin::memory::services(cx, &world)?;
    let io = match services.io() {
        Ok(io) => io,
        Err(error) => return Ok(Err(no_answer(&error.to_string()))),
    };
    let web = services.web().clone();
    let mut running = None;
    let answer = cx.wait(|completer| {
        let task = async move { completer.complete(web.exchange(request).await) };
        running = Some(io.spawn(task));
    });
    if answer.is_err()
        && let Some(running) = running
    {
        running.abort();
    }
    answer
}

#[cfg(feature = "net")]
fn no_answer(why: &str) -> Fault {
    Fault::new(crate::fault::code::TOOL_FAILED, why)
}

#[cfg(not(feature = "net"))]
fn exchange(_: &mut Cx, _: Request) -> Outcome<Result<Value, Fault>> {
    let message = "this ag was built without the network (the feature `net`)";
    Ok(Err(Fault::new(crate::fault::code::TOOL_FAILED, message)))
}
