//! Rounds of a call inside a recording or a replay: one effect a round, whatever lanes and retries it took.
//!
//! A replayed round needs no lane: it may have been recorded where there was another one. It reserves nothing and costs
//! nothing; the program sees what it cost when it was recorded. Never: a round that is asked live inside a replay.

use crate::fault::{Fault, code};
use crate::journal::effect::{Noting, Payload};
use crate::journal::fingerprint::Fingerprint;
use crate::journal::line::{Failure, Line};
use crate::journal::tape::{ABSENT_NS, Found, PATIENCE_NS};
use crate::journal::track::Track;
use crate::lane::error::LaneError;
use crate::lane::pace::pass;
use crate::lane::registry::{Choice, Decision};
use crate::lane::request::{Message, Reply, StreamTo, ToolCall, ToolSpec, Usage};
use crate::lane::schema::json_schema;
use crate::lane::typed::{LaneServices, Paid, TypedCall, calls_json, messages_json, round};
use crate::ledger::money::MicroUsd;
use crate::ledger::record::{CallFacts, Settlement};
use crate::ledger::report::Alert;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

const PATH: &str = "llm";

/// One reply: from the lanes, or from the recording that is fed back.
pub(super) async fn taped(
    services: &LaneServices,
    call: &TypedCall,
    decision: &Decision,
    messages: &[Message],
) -> Result<Paid, LaneError> {
    let Some(track) = &call.track else { return round(services, call, decision, messages).await };
    let print = question(call, messages);
    match track.find(PATH, print) {
        Found::Live => live(services, call, decision, messages, track, print).await,
        Found::Given(line) => {
            track.note(PATH, print, &line.end, line.took_ns);
            given(services, call, *line, print).await
        }
        Found::Absent(fault) => {
            pass(services.clock.as_ref(), ABSENT_NS).await;
            track.give_order_up();
            Err(LaneError::Recorded(fault))
        }
        Found::Differs(fault) => Err(LaneError::Recorded(fault)),
    }
}

/// Whether a call needs no lane.
pub(super) fn is_replayed(call: &TypedCall) -> bool {
    call.track.as_ref().is_some_and(|track| track.replays(PATH))
}

/// What makes two rounds the same wherever they run: all that a lane is told, and the lane if the program names one.
fn question(call: &TypedCall, messages: &[Message]) -> Fingerprint {
    let schema = call.form.as_ref().and_then(|form| json_schema(form.shape).ok());
    let lane = match &call.want.choice {
        Choice::Auto => None,
        Choice::Lane(name) => Some(&**name),
    };
    Fingerprint::of_json(&json!({
        "messages": messages_json(messages),
        "schema": schema,
        "tools": call.want.tools.iter().map(ToolSpec::to_json).collect::<Value>(),
        "max_tokens": call.want.max_tokens,
        "temperature": call.temperature,
        "lane": lane,
        "model": call.want.model.as_deref(),
    }))
}

async fn live(
    services: &LaneServices,
    call: &TypedCall,
    decision: &Decision,
    messages: &[Message],
    track: &Arc<Track>,
    print: Fingerprint,
) -> Result<Paid, LaneError> {
    let noting = Noting::begin(track, &services.clock, PATH.into(), print);
    let pieces: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut heard = call.clone();
    if let Some(outer) = heard.stream.take() {
        let pieces = Arc::clone(&pieces);
        heard.stream = Some(Arc::new(StreamTo::new(move |text| {
            pieces.lock().push(text.to_owned());
            outer.deliver(text);
        })));
    }
    let result = round(services, &heard, decision, messages).await;
    noting.end(&match &result {
        Ok(paid) => Ok(Payload { value: write(paid, &pieces.lock()), cost: paid.row.cost }),
        Err(error) => Err(Failure::of(&error.to_fault())),
    });
    result
}

async fn given(
    services: &LaneServices,
    call: &TypedCall,
    line: Line,
    print: Fingerprint,
) -> Result<Paid, LaneError> {
    let pending = services.journal.begin(PATH, print);
    if services.clock.is_virtual() {
        pass(services.clock.as_ref(), line.took_ns).await;
    }
    let payload = match line.end {
        Ok(payload) => payload,
        Err(failure) => {
            if failure == Failure::Cancelled {
                // Whoever cancelled it there does so again.
                pass(services.clock.as_ref(), PATIENCE_NS).await;
            }
            let fault = failure.fault().unwrap_or_else(|| mismatch("was cancelled there"));
            pending.failed(&fault);
            return Err(LaneError::Recorded(Box::new(fault)));
        }
    };
    let paid = read(services, call, &payload, print)?;
    let Some(paid) = paid else {
        return Err(LaneError::Recorded(Box::new(mismatch("is no reply of a lane"))));
    };
    if let Some(stream) = &call.stream {
        let pieces = payload.value.get("pieces").and_then(Value::as_array);
        let pieces = pieces.map(Vec::as_slice).unwrap_or_default();
        pieces.iter().filter_map(Value::as_str).for_each(|piece| stream.deliver(piece));
    }
    pending.done(payload);
    Ok(paid)
}

fn mismatch(what: &str) -> Fault {
    Fault::new(code::REPLAY, format!("what was recorded of this lane call {what}"))
}

fn write(paid: &Paid, pieces: &[String]) -> Value {
    let row = &paid.row;
    let alerts = paid.alerts.iter().map(|alert| json!([&*alert.limit, &*alert.text]));
    let ids = paid.reply.calls.iter().map(|call| json!(&*call.id));
    json!({
        "lane": &*row.facts.lane,
        "model": &*paid.reply.model,
        "text": paid.reply.text,
        "calls": calls_json(&paid.reply.calls),
        "call_ids": ids.collect::<Value>(),
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "latency_ns": row.latency_ns,
        "reserved_micro_usd": row.reserved.micros(),
        "made_up": paid.made_up,
        "alerts": alerts.collect::<Value>(),
        "pieces": pieces,
    })
}

/// None if this is no reply.
fn read(
    services: &LaneServices,
    call: &TypedCall,
    payload: &Payload,
    fingerprint: Fingerprint,
) -> Result<Option<Paid>, LaneError> {
    let Some(recorded) = Recorded::of(&payload.value) else { return Ok(None) };
    let facts = CallFacts {
        lane: recorded.lane,
        model: Arc::clone(&recorded.reply.model),
        agent: Arc::clone(&call.want.agent),
        cell: call.want.cell,
        made_up: recorded.made_up,
        cached: true,
    };
    let held = services.ledger.reserve(&call.limits, MicroUsd::ZERO, facts)?;
    let (tokens_in, tokens_out) = (recorded.tokens_in, recorded.tokens_out);
    let mut row =
        held.settle(Settlement { charged: MicroUsd::ZERO, tokens_in, tokens_out, latency_ns: 0 })?;
    // The ledger has its row; this one is what the program sees.
    row.cost = payload.cost;
    row.reserved = recorded.reserved;
    row.latency_ns = recorded.latency_ns;
    let (alerts, made_up) = (recorded.alerts, recorded.made_up);
    Ok(Some(Paid { reply: recorded.reply, row, alerts, made_up, fingerprint }))
}

struct Recorded {
    lane: Arc<str>,
    reply: Reply,
    tokens_in: u64,
    tokens_out: u64,
    latency_ns: u64,
    reserved: MicroUsd,
    made_up: bool,
    alerts: Vec<Alert>,
}

impl Recorded {
    fn of(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let number = |key: &str| value.get(key).and_then(Value::as_u64);
        let list = |key: &str| value.get(key).and_then(Value::as_array).map(Vec::as_slice);
        let calls = list("calls")?.iter().zip(list("call_ids")?).map(|(call, id)| {
            Some(ToolCall {
                id: id.as_str()?.into(),
                name: call.get("tool")?.as_str()?.into(),
                arguments: call.get("arguments")?.as_str()?.to_owned(),
            })
        });
        let alerts = list("alerts")?.iter().map(|alert| {
            let part = |at: usize| alert.get(at).and_then(Value::as_str).map(Arc::from);
            let (at_ns, estimate) = (0, MicroUsd::ZERO);
            Some(Alert { at_ns, limit: part(0)?, text: part(1)?, estimate })
        });
        let (tokens_in, tokens_out) = (number("tokens_in")?, number("tokens_out")?);
        Some(Self {
            lane: text("lane")?.into(),
            reply: Reply {
                text: text("text")?.to_owned(),
                calls: calls.collect::<Option<Vec<_>>>()?,
                model: text("model")?.into(),
                usage: Usage { input: tokens_in, output: tokens_out, ..Usage::default() },
                billed: None,
                latency_ns: number("latency_ns"),
                request_id: None,
            },
            tokens_in,
            tokens_out,
            latency_ns: number("latency_ns")?,
            reserved: MicroUsd(value.get("reserved_micro_usd")?.as_i64()?),
            made_up: value.get("made_up")?.as_bool()?,
            alerts: alerts.collect::<Option<Vec<_>>>()?,
        })
    }
}
