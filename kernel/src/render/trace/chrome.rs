//! Chrome's trace event format, as Perfetto and `chrome://tracing` open it: one process for the workers, one for the
//! agents, and an arrow for each message.

use serde_json::{Value, json};

use crate::output::trace::{MessageRow, SpanRow, TraceView};

const WORKERS: u32 = 1;
const AGENTS: u32 = 2;

/// The document: `{"traceEvents": [..], "displayTimeUnit": "ns"}`.
pub fn events(view: &TraceView) -> Value {
    let mut events = vec![named(WORKERS, "workers"), named(AGENTS, "agents")];
    for worker in 0..view.workers {
        events.push(thread(WORKERS, u64::from(worker), &format!("worker {worker}")));
    }
    for agent in &view.agents {
        events.push(thread(AGENTS, agent.id, &agent.name));
    }
    for span in &view.spans {
        if let Some(worker) = span.worker {
            events.push(complete(WORKERS, u64::from(worker), span));
        }
        events.push(complete(AGENTS, span.agent, span));
    }
    for message in &view.messages {
        events.extend(flow(message));
    }
    json!({ "traceEvents": events, "displayTimeUnit": "ns" })
}

/// The format counts microseconds.
fn micros(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

fn named(process: u32, name: &str) -> Value {
    json!({ "ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": { "name": name } })
}

fn thread(process: u32, id: u64, name: &str) -> Value {
    json!({ "ph": "M", "name": "thread_name", "pid": process, "tid": id, "args": { "name": name } })
}

fn complete(process: u32, row: u64, span: &SpanRow) -> Value {
    json!({
        "ph": "X",
        "name": span.label,
        "cat": serde_json::to_value(span.kind).unwrap_or(Value::Null),
        "pid": process,
        "tid": row,
        "ts": micros(span.start_ns),
        "dur": micros(span.end_ns.saturating_sub(span.start_ns)),
        "args": { "message": span.message, "agent": span.agent },
    })
}

/// From the sender at sending to the receiver at handling; a message from outside or still unhandled has no arrow.
fn flow(message: &MessageRow) -> Vec<Value> {
    let (Some(from), Some(handled_ns)) = (message.from, message.handled_ns) else {
        return Vec::new();
    };
    let end = |phase: &str, agent: u64, at_ns: u64| {
        json!({
            "ph": phase,
            "bp": "e",
            "name": message.label,
            // A reply has the number of its request; flows are told apart by category and number.
            "cat": if message.is_reply { "reply" } else { "message" },
            "id": message.id,
            "pid": AGENTS,
            "tid": agent,
            "ts": micros(at_ns),
            "args": { "cause": message.cause },
        })
    };
    vec![end("s", from, message.sent_ns), end("f", message.to, handled_ns)]
}
