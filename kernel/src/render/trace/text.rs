//! The timeline in block characters, for a terminal and for `text/plain`.

use super::rows::{Row, RowOf, Slice, rows, slices};
use crate::output::trace::{MessageRow, SpanKind, SpanRow, TraceView};
use crate::render::Style;
use crate::render::number::{count, duration};
use crate::render::text::{Ink, clip, columns, one_line, pad};

const MOST_AGENTS: usize = 16;
const MOST_MESSAGES: usize = 10;
/// Columns for the names.
const LABEL: usize = 20;

pub fn terminal(view: &TraceView, style: &Style) -> String {
    let width = style.width.max(40);
    let plot = width - LABEL - 2;
    let mut out = header(view, style);
    if view.spans.is_empty() {
        out.push_str("nothing ran in this window\n");
        return out;
    }
    out.push_str(&axis(view.duration_ns, plot, style));
    let mut group = None;
    for row in rows(view, MOST_AGENTS) {
        let is_worker = matches!(row.of, RowOf::Worker(_));
        if group.is_some_and(|group| group != is_worker) {
            out.push('\n');
        }
        group = Some(is_worker);
        out.push_str(&row_line(&row, view.duration_ns, plot, style));
    }
    let legend = "█ runs  ≈ lane  ≡ memory  · waits  × fault";
    out.push_str(&style.ink(Ink::Muted, &format!("{}{legend}", " ".repeat(LABEL + 1))));
    out.push('\n');
    out + &messages(view, style)
}

/// `trace of cell 3: 12.4 ms, 2 agents, 4 messages`
pub fn summary(view: &TraceView) -> String {
    let (name, counts) = parts(view);
    format!("{name}: {counts}")
}

fn parts(view: &TraceView) -> (String, String) {
    let sent = view.requests().count();
    let handled = view.requests().filter(|message| message.handled_ns.is_some()).count();
    let waiting = sent - handled;
    let messages = match waiting {
        0 => count(handled as u64, "message"),
        n => format!("{}, {n} of them unhandled", count(sent as u64, "message")),
    };
    let agents = count(view.agents.iter().filter(|row| row.is_agent).count() as u64, "agent");
    let name = format!("trace of {}", clip(&one_line(&view.scope), 24));
    (name, format!("{}, {agents}, {messages}", duration(view.duration_ns)))
}

fn header(view: &TraceView, style: &Style) -> String {
    let (name, counts) = parts(view);
    let mut out = format!("{}: {counts}\n", style.ink(Ink::Strong, &name));
    if !view.made_up_lanes.is_empty() {
        let lanes = view.made_up_lanes.join(", ");
        out.push_str(&style.ink(Ink::Warning, &format!("made-up answers ({lanes})")));
        out.push('\n');
    }
    if view.dropped > 0 {
        let text = format!("{} fell out of the ring", count(view.dropped, "older event"));
        out.push_str(&style.ink(Ink::Warning, &text));
        out.push('\n');
    }
    out
}

fn axis(duration_ns: u64, plot: usize, style: &Style) -> String {
    let end = duration(duration_ns);
    let middle = duration(duration_ns / 2);
    let half = pad("0", plot / 2 - columns(&middle) / 2, false);
    let line = pad(&(half + &middle), plot.saturating_sub(columns(&end)), false) + &end;
    style.ink(Ink::Muted, &format!("{}{line}", " ".repeat(LABEL + 1))) + "\n"
}

fn row_line(row: &Row<'_>, duration_ns: u64, plot: usize, style: &Style) -> String {
    let mut out = pad(&one_line(&row.label), LABEL, false);
    out.push('│');
    let mut run: Option<(Option<Ink>, String)> = None;
    for slice in slices(&row.spans, duration_ns, plot) {
        let (ink, c) = slice.map_or((None, ' '), |slice| mark(&slice));
        match &mut run {
            Some((same, text)) if *same == ink => text.push(c),
            _ => {
                out.push_str(&painted(run.take(), style));
                run = Some((ink, c.to_string()));
            }
        }
    }
    out.push_str(&painted(run, style));
    out.trim_end().to_owned() + "\n"
}

fn painted(run: Option<(Option<Ink>, String)>, style: &Style) -> String {
    match run {
        Some((Some(ink), text)) => style.ink(ink, &text),
        Some((None, text)) => text,
        None => String::new(),
    }
}

fn mark(slice: &Slice) -> (Option<Ink>, char) {
    match slice.kind {
        SpanKind::Run if slice.share > 0.75 => (Some(Ink::Accent), '█'),
        SpanKind::Run if slice.share > 0.5 => (Some(Ink::Accent), '▓'),
        SpanKind::Run if slice.share > 0.25 => (Some(Ink::Accent), '▒'),
        SpanKind::Run => (Some(Ink::Accent), '░'),
        SpanKind::Lane => (Some(Ink::Warning), '≈'),
        SpanKind::Memory => (Some(Ink::Good), '≡'),
        SpanKind::Wait => (Some(Ink::Muted), '·'),
        SpanKind::Fault => (Some(Ink::Error), '×'),
    }
}

fn messages(view: &TraceView, style: &Style) -> String {
    let mut out = String::new();
    let name = |id: Option<u64>| -> String {
        let found = id.and_then(|id| view.agents.iter().find(|agent| agent.id == id));
        found.map_or_else(|| "outside".to_owned(), |agent| one_line(&agent.name))
    };
    for message in view.messages.iter().take(MOST_MESSAGES) {
        let (from, to) = (name(message.from), name(Some(message.to)));
        let line = message_line(message, &from, &to) + &cause(view, message);
        out.push_str(&clip(&line, style.width));
        out.push('\n');
    }
    let more = view.messages.len().saturating_sub(MOST_MESSAGES);
    if more > 0 {
        out.push_str(&style.ink(Ink::Muted, &format!("… {}", count(more as u64, "more message"))));
        out.push('\n');
    }
    out
}

fn message_line(message: &MessageRow, from: &str, to: &str) -> String {
    let kind = if message.is_reply { "reply to " } else { "" };
    let waited = match message.handled_ns {
        Some(at) => format!("after {}", duration(at.saturating_sub(message.sent_ns))),
        None => "in mailbox".to_owned(),
    };
    let label = one_line(&message.label);
    format!(
        "#{} {from} → {to}  {kind}{label}  at {}, {waited}",
        message.id,
        duration(message.sent_ns)
    )
}

/// The message that made the sender send, which stands above: causes come first. A cell and a task are their own cause, and
/// a reply has that of its request.
fn cause(view: &TraceView, message: &MessageRow) -> String {
    let Some(cause) = message.cause.filter(|_| !message.is_reply) else { return String::new() };
    let is_own = |span: &SpanRow| span.message == Some(cause) && Some(span.agent) == message.from;
    if view.requests().any(|request| request.id == cause) {
        format!(", caused by #{cause}")
    } else if view.spans.iter().any(is_own) {
        String::new()
    } else {
        ", caused earlier".to_owned()
    }
}
