//! From the runtime's telemetry to the timeline's rows.
//!
//! Never: interprets events; telemetry gives the stretches and arrows, this gives them the names and times of the view.

use ag_runtime::actor::slab::Activity;
use ag_runtime::telemetry::event::{Actor, Kind, MessageId};
use ag_runtime::telemetry::snapshot::{Arrow, Ended, Snapshot, Span, Wait, WaitReason};

use super::{AgentRow, MessageRow, SpanKind, SpanRow, TraceView};

impl TraceView {
    /// `scope` names the window; `made_up_lanes` are the lanes in it whose answers are made up.
    pub fn of(snapshot: &Snapshot, scope: &str, made_up_lanes: Vec<String>) -> TraceView {
        let origin = origin(snapshot);
        let mut spans = runs(snapshot, origin);
        spans.extend(waits(snapshot, origin));
        spans.sort_by_key(|span| (span.start_ns, span.agent));
        let messages = snapshot.messages.iter().map(|arrow| message(arrow, origin)).collect();
        let last = spans.iter().map(|span| span.end_ns).max().unwrap_or(0);
        TraceView {
            scope: scope.to_owned(),
            duration_ns: last,
            workers: u32::try_from(snapshot.workers).unwrap_or(u32::MAX),
            agents: agents(snapshot),
            spans,
            messages,
            dropped: snapshot.lost,
            made_up_lanes,
        }
    }
}

/// The first moment of the window.
fn origin(snapshot: &Snapshot) -> u64 {
    let spans = snapshot.spans.iter().map(|span| span.begin_ns);
    let messages = snapshot.messages.iter().map(|arrow| arrow.sent_ns);
    spans.chain(messages).min().unwrap_or(0)
}

fn id(actor: Actor) -> u64 {
    u64::from(actor.number())
}

fn number(message: MessageId) -> Option<u64> {
    (message != MessageId::NONE).then(|| message.number())
}

fn runs(snapshot: &Snapshot, origin: u64) -> Vec<SpanRow> {
    let row = |span: &Span| SpanRow {
        agent: id(span.actor),
        worker: u32::try_from(span.worker).ok(),
        kind: if span.ended == Ended::Fault { SpanKind::Fault } else { SpanKind::Run },
        label: span.label.to_string(),
        start_ns: span.begin_ns.saturating_sub(origin),
        end_ns: span.end_ns.saturating_sub(origin),
        message: number(span.message),
    };
    snapshot.spans.iter().map(row).collect()
}

/// The stretches in which an actor waited; one that still waits does so until the end of the window.
fn waits(snapshot: &Snapshot, origin: u64) -> Vec<SpanRow> {
    let last = snapshot.spans.iter().map(|span| span.end_ns).max().unwrap_or(origin);
    let row = |wait: &Wait| {
        let (kind, label) = match wait.reason {
            WaitReason::Lane => (SpanKind::Lane, "lane"),
            WaitReason::Memory => (SpanKind::Memory, "memory"),
            WaitReason::Lease => (SpanKind::Wait, "lease"),
            WaitReason::Other => (SpanKind::Wait, "waits"),
        };
        let end_ns = wait.end_ns.unwrap_or_else(|| last.max(wait.begin_ns));
        SpanRow {
            agent: id(wait.actor),
            worker: None,
            kind,
            label: label.to_owned(),
            start_ns: wait.begin_ns.saturating_sub(origin),
            end_ns: end_ns.saturating_sub(origin),
            message: number(wait.message),
        }
    };
    snapshot.waits.iter().map(row).collect()
}

fn message(arrow: &Arrow, origin: u64) -> MessageRow {
    MessageRow {
        id: arrow.message.number(),
        from: (arrow.sender != Actor::NONE).then(|| id(arrow.sender)),
        to: id(arrow.receiver),
        label: arrow.label.to_string(),
        sent_ns: arrow.sent_ns.saturating_sub(origin),
        handled_ns: arrow.handled_ns.map(|at| at.saturating_sub(origin)),
        cause: number(arrow.cause),
        is_reply: arrow.is_reply,
    }
}

/// The agents that appear in the window or live now, and the cells and tasks that ran in it.
fn agents(snapshot: &Snapshot) -> Vec<AgentRow> {
    let in_spans = snapshot.spans.iter().map(|span| span.actor);
    let in_messages = snapshot.messages.iter().flat_map(|arrow| [arrow.sender, arrow.receiver]);
    let mut actors: Vec<Actor> = in_spans.chain(in_messages).collect();
    actors.extend(snapshot.agents.iter().map(|row| row.actor));
    actors.retain(|actor| *actor != Actor::NONE);
    actors.sort_unstable();
    actors.dedup();
    actors.into_iter().map(|actor| agent(snapshot, actor)).collect()
}

fn agent(snapshot: &Snapshot, actor: Actor) -> AgentRow {
    let own = |arrow: &&Arrow| arrow.sender == actor && !arrow.is_reply;
    let sent = snapshot.messages.iter().filter(own).count() as u64;
    let marks = snapshot.marks.iter().filter(|mark| mark.actor == actor);
    let faults = marks.filter(|mark| mark.kind == Kind::Fault).count() as u64;
    let name = name(snapshot, actor);
    match snapshot.agents.iter().find(|row| row.actor == actor) {
        Some(row) => AgentRow {
            id: id(actor),
            name: format!("{}#{}", row.name, actor.number()),
            type_name: row.name.to_string(),
            state: state(row.activity).to_owned(),
            is_agent: true,
            received: row.received,
            handled: row.handled,
            in_mailbox: u64::from(row.waiting),
            sent: row.sent,
            faults: row.faults,
            busy_ns: row.busy_ns,
            planned: row.planned.to_owned(),
        },
        None => {
            let own = snapshot.spans.iter().filter(|span| span.actor == actor);
            let busy_ns = own.map(|span| span.end_ns.saturating_sub(span.begin_ns)).sum();
            AgentRow { id: id(actor), name, sent, faults, busy_ns, ..AgentRow::default() }
        }
    }
}

fn name(snapshot: &Snapshot, actor: Actor) -> String {
    let found = snapshot.names.binary_search_by_key(&actor, |&(named, _)| named);
    let found = found.ok().and_then(|at| snapshot.names.get(at));
    found.map_or_else(|| format!("#{}", actor.number()), |(_, name)| name.to_string())
}

fn state(activity: Activity) -> &'static str {
    match activity {
        Activity::Idle => "idle",
        Activity::Running => "running",
        Activity::Waiting => "waiting",
        Activity::Stopped => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use ag_runtime::actor::slab::Activity;
    use ag_runtime::telemetry::event::{Actor, MessageId};
    use ag_runtime::telemetry::snapshot::{
        AgentRow, Arrow, Ended, Snapshot, Span, Wait, WaitReason,
    };

    use crate::output::trace::{SpanKind, TraceView};

    const CELL: u32 = 1;
    const AGENT: u32 = 2;

    fn span(actor: u32, message: u64, begin_ns: u64, end_ns: u64, ended: Ended) -> Span {
        Span {
            worker: 0,
            actor: Actor::new(actor),
            message: MessageId::new(message),
            label: "decide".into(),
            begin_ns,
            end_ns,
            ended,
        }
    }

    fn wait(actor: u32, message: u64, reason: WaitReason, begin_ns: u64, end_ns: u64) -> Wait {
        Wait {
            actor: Actor::new(actor),
            message: MessageId::new(message),
            reason,
            begin_ns,
            end_ns: Some(end_ns),
        }
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            workers: 2,
            agents: vec![AgentRow {
                name: "Desk".into(),
                actor: Actor::new(AGENT),
                activity: Activity::Idle,
                received: 3,
                handled: 2,
                waiting: 1,
                mailbox_highest: 1,
                sent: 0,
                faults: 1,
                busy_ns: 700,
                planned: "",
            }],
            spans: vec![
                span(CELL, 1, 1000, 1100, Ended::Paused),
                span(AGENT, 2, 1200, 1300, Ended::Paused),
                span(AGENT, 2, 1600, 1700, Ended::Paused),
                span(AGENT, 2, 1800, 1850, Ended::Fault),
                span(CELL, 1, 1900, 2000, Ended::Well),
            ],
            waits: vec![
                wait(CELL, 1, WaitReason::Other, 1100, 1900),
                wait(AGENT, 2, WaitReason::Lane, 1300, 1600),
                wait(AGENT, 2, WaitReason::Memory, 1700, 1800),
            ],
            messages: vec![Arrow {
                message: MessageId::new(2),
                is_reply: false,
                label: "decide".into(),
                sender: Actor::new(CELL),
                receiver: Actor::new(AGENT),
                sent_ns: 1090,
                handled_ns: Some(1200),
                cause: MessageId::new(1),
            }],
            names: vec![(Actor::new(CELL), "cell 3".into()), (Actor::new(AGENT), "Desk".into())],
            ..Snapshot::default()
        }
    }

    #[test]
    fn waits_stand_between_the_runs() {
        let view = TraceView::of(&snapshot(), "cell 3", Vec::new());
        let kinds: Vec<_> =
            view.spans.iter().map(|s| (s.agent, s.kind, s.start_ns, s.end_ns)).collect();
        assert_eq!(
            kinds,
            [
                (1, SpanKind::Run, 0, 100),
                (1, SpanKind::Wait, 100, 900),
                (2, SpanKind::Run, 200, 300),
                (2, SpanKind::Lane, 300, 600),
                (2, SpanKind::Run, 600, 700),
                (2, SpanKind::Memory, 700, 800),
                (2, SpanKind::Fault, 800, 850),
                (1, SpanKind::Run, 900, 1000),
            ]
        );
        assert_eq!(view.duration_ns, 1000);
    }

    #[test]
    fn cells_have_rows_but_are_no_agents() {
        let view = TraceView::of(&snapshot(), "cell 3", Vec::new());
        let rows: Vec<_> = view.agents.iter().map(|a| (a.name.as_str(), a.is_agent)).collect();
        assert_eq!(rows, [("cell 3", false), ("Desk#2", true)]);
        let desk = &view.agents[1];
        assert_eq!(desk.received, desk.handled + desk.in_mailbox);
        assert_eq!((desk.faults, view.agents[0].sent), (1, 1));
    }

    #[test]
    fn messages_have_causes() {
        let view = TraceView::of(&snapshot(), "cell 3", Vec::new());
        assert_eq!((view.messages[0].from, view.messages[0].cause), (Some(1), Some(1)));
        assert_eq!((view.messages[0].sent_ns, view.messages[0].handled_ns), (90, Some(200)));
    }

    #[test]
    fn nothing_becomes_nothing() {
        let view = TraceView::of(&Snapshot::default(), "cell 1", Vec::new());
        assert_eq!((view.duration_ns, view.agents.len()), (0, 0));
    }
}
