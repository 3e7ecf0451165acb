//! A snapshot as Chrome trace JSON, which Perfetto opens.
//!
//! Never: invents time; microseconds with three decimals are the nanoseconds of the clock.

use crate::telemetry::event::Actor;
use crate::telemetry::snapshot::{Arrow, Mark, Snapshot, Span};
use serde_json::{Value, json};

const PROCESS: u32 = 1;

/// The object of the "JSON Object Format": one thread a worker, spans, marks, and flow arrows for messages.
#[must_use]
pub fn trace_json(snapshot: &Snapshot) -> Value {
    let workers = 0..=snapshot.workers;
    let mut events: Vec<Value> = workers.map(|worker| thread_name(snapshot, worker)).collect();
    events.extend(snapshot.spans.iter().map(|span| span_event(snapshot, span)));
    events.extend(snapshot.marks.iter().map(|mark| mark_event(snapshot, mark)));
    events.extend(snapshot.messages.iter().flat_map(|arrow| flow_events(snapshot, arrow)));
    json!({ "traceEvents": events, "displayTimeUnit": "ns" })
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

fn thread_name(snapshot: &Snapshot, worker: usize) -> Value {
    let name = match worker == snapshot.workers {
        true => "outside".to_owned(),
        false => format!("worker {worker}"),
    };
    json!({ "ph": "M", "name": "thread_name", "pid": PROCESS, "tid": worker, "args": { "name": name } })
}

fn span_event(snapshot: &Snapshot, span: &Span) -> Value {
    json!({
        "ph": "X",
        "name": format!("{} {}", snapshot.name_of(span.actor), span.label),
        "cat": "message",
        "pid": PROCESS,
        "tid": span.worker,
        "ts": micros(span.begin_ns),
        "dur": micros(span.end_ns.saturating_sub(span.begin_ns)),
        "args": { "message": span.message.number(), "ended": format!("{:?}", span.ended) },
    })
}

fn mark_event(snapshot: &Snapshot, mark: &Mark) -> Value {
    json!({
        "ph": "i",
        "s": "t",
        "name": format!("{:?} {}", mark.kind, snapshot.name_of(mark.actor)),
        "pid": PROCESS,
        "tid": mark.worker,
        "ts": micros(mark.time_ns),
        "args": { "message": mark.message.number() },
    })
}

fn flow_events(snapshot: &Snapshot, arrow: &Arrow) -> Vec<Value> {
    let Some(handled_ns) = arrow.handled_ns else { return Vec::new() };
    let worker = |begin_ns: u64, actor: Actor| {
        let mut spans = snapshot.spans.iter().filter(|span| span.actor == actor);
        spans.find(|span| (span.begin_ns..=span.end_ns).contains(&begin_ns)).map(|span| span.worker)
    };
    let end = |phase: &str, time_ns: u64, actor: Actor| {
        json!({
            "ph": phase,
            "bp": "e",
            "id": arrow.message.number() << 1 | u64::from(arrow.is_reply),
            "name": &*arrow.label,
            "cat": "message",
            "pid": PROCESS,
            "tid": worker(time_ns, actor).unwrap_or(snapshot.workers),
            "ts": micros(time_ns),
        })
    };
    vec![end("s", arrow.sent_ns, arrow.sender), end("f", handled_ns, arrow.receiver)]
}
