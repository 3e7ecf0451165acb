//! From the runtime's telemetry to the timeline's rows.
//!
//! Never: interprets events; telemetry gives the stretches and arrows, this gives them the names and times of the view.
//! The window of a cell lists who did something in it, and counts that; the session lists all agents with all they did.

use std::collections::HashMap;

use ag_runtime::actor::slab::Activity;
use ag_runtime::telemetry::event::{Actor, Kind, MessageId};
use ag_runtime::telemetry::snapshot::{
    self as telemetry, Arrow, Ended, Snapshot, Span, Wait, WaitReason,
};

use super::{AgentRow, MessageRow, SpanKind, SpanRow, TraceView};

impl TraceView {
    /// The window of one cell. `made_up_lanes` are the lanes in it whose answers are made up.
    pub fn of_cell(snapshot: &Snapshot, number: u32, made_up_lanes: Vec<String>) -> TraceView {
        let agents = Counts::of(snapshot).rows(snapshot, Listed::InWindow);
        TraceView::of(snapshot, format!("cell {number}"), agents, made_up_lanes)
    }

    /// All that is still known.
    pub fn of_session(snapshot: &Snapshot, made_up_lanes: Vec<String>) -> TraceView {
        let agents = Counts::of(snapshot).rows(snapshot, Listed::All);
        TraceView::of(snapshot, "this session".to_owned(), agents, made_up_lanes)
    }

    fn of(
        snapshot: &Snapshot,
        scope: String,
        agents: Vec<AgentRow>,
        made_up_lanes: Vec<String>,
    ) -> TraceView {
        let origin = origin(snapshot);
        let mut spans = runs(snapshot, origin);
        spans.extend(waits(snapshot, origin));
        spans.sort_by_key(|span| (span.start_ns, span.agent));
        let messages = snapshot.messages.iter().map(|arrow| message(arrow, origin)).collect();
        let last = spans.iter().map(|span| span.end_ns).max().unwrap_or(0);
        TraceView {
            scope,
            duration_ns: last,
            workers: u32::try_from(snapshot.workers).unwrap_or(u32::MAX),
            agents,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    InWindow,
    All,
}

/// What the actors did in the window.
#[derive(Default)]
struct Counts(HashMap<Actor, Count>);

#[derive(Clone, Copy, Default)]
struct Count {
    received: u64,
    handled: u64,
    sent: u64,
    faults: u64,
    busy_ns: u64,
}

impl Counts {
    fn of(snapshot: &Snapshot) -> Counts {
        let mut counts = Counts::default();
        for span in &snapshot.spans {
            counts.at(span.actor).busy_ns += span.end_ns.saturating_sub(span.begin_ns);
        }
        for arrow in &snapshot.messages {
            let is_request = u64::from(!arrow.is_reply);
            counts.at(arrow.sender).sent += is_request;
            let receiver = counts.at(arrow.receiver);
            receiver.received += is_request;
            receiver.handled += if arrow.handled_ns.is_some() { is_request } else { 0 };
        }
        for mark in snapshot.marks.iter().filter(|mark| mark.kind == Kind::Fault) {
            if let Some(count) = counts.0.get_mut(&mark.actor) {
                count.faults += 1;
            }
        }
        counts.0.remove(&Actor::NONE);
        counts
    }

    fn at(&mut self, actor: Actor) -> &mut Count {
        self.0.entry(actor).or_default()
    }

    /// In the order in which the actors began.
    fn rows(&self, snapshot: &Snapshot, listed: Listed) -> Vec<AgentRow> {
        let known: HashMap<Actor, _> = snapshot.agents.iter().map(|row| (row.actor, row)).collect();
        let mut actors: Vec<Actor> = self.0.keys().copied().collect();
        if listed == Listed::All {
            actors.extend(known.keys().filter(|actor| !self.0.contains_key(actor)));
        }
        actors.sort_unstable();
        let row = |actor| {
            let count = self.0.get(&actor).copied().unwrap_or_default();
            let own = count.row(actor, name(snapshot, actor));
            match (known.get(&actor), listed) {
                (Some(agent), Listed::InWindow) => as_agent(own, agent),
                (Some(agent), Listed::All) => of_its_life(as_agent(own, agent), agent),
                (None, _) => own,
            }
        };
        actors.into_iter().map(row).collect()
    }
}

impl Count {
    fn row(self, actor: Actor, name: String) -> AgentRow {
        let Count { received, handled, sent, faults, busy_ns } = self;
        let in_mailbox = received.saturating_sub(handled);
        let (id, rest) = (id(actor), AgentRow::default());
        AgentRow { id, name, received, handled, in_mailbox, sent, faults, busy_ns, ..rest }
    }
}

fn as_agent(row: AgentRow, agent: &telemetry::AgentRow) -> AgentRow {
    AgentRow {
        name: format!("{}#{}", agent.name, agent.actor.number()),
        type_name: agent.name.to_string(),
        state: state(agent.activity).to_owned(),
        is_agent: true,
        planned: agent.planned.to_owned(),
        ..row
    }
}

fn of_its_life(row: AgentRow, agent: &telemetry::AgentRow) -> AgentRow {
    AgentRow {
        received: agent.received,
        handled: agent.handled,
        in_mailbox: u64::from(agent.waiting),
        sent: agent.sent,
        faults: agent.faults,
        busy_ns: agent.busy_ns,
        ..row
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
        let view = TraceView::of_cell(&snapshot(), 3, Vec::new());
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
        let view = TraceView::of_cell(&snapshot(), 3, Vec::new());
        let rows: Vec<_> = view.agents.iter().map(|a| (a.name.as_str(), a.is_agent)).collect();
        assert_eq!(rows, [("cell 3", false), ("Desk#2", true)]);
        let desk = &view.agents[1];
        assert_eq!((desk.received, desk.handled, desk.in_mailbox), (1, 1, 0), "in this window");
        assert_eq!((desk.busy_ns, view.agents[0].sent), (250, 1));
        let session = TraceView::of_session(&snapshot(), Vec::new());
        let desk = &session.agents[1];
        assert_eq!((desk.received, desk.handled, desk.in_mailbox), (3, 2, 1), "all its life");
        assert_eq!((desk.busy_ns, desk.faults), (700, 1));
    }

    #[test]
    fn agents_that_did_nothing_in_the_window_of_a_cell_are_not_in_it() {
        let mut snapshot = snapshot();
        let later = AgentRow { actor: Actor::new(7), ..snapshot.agents[0].clone() };
        snapshot.agents.push(later);
        let names = |view: TraceView| view.agents.into_iter().map(|row| row.name).collect();
        let cell: Vec<_> = names(TraceView::of_cell(&snapshot, 3, Vec::new()));
        assert_eq!(cell, ["cell 3", "Desk#2"]);
        let session: Vec<_> = names(TraceView::of_session(&snapshot, Vec::new()));
        assert_eq!(session, ["cell 3", "Desk#2", "Desk#7"]);
    }

    #[test]
    fn messages_have_causes() {
        let view = TraceView::of_cell(&snapshot(), 3, Vec::new());
        assert_eq!((view.messages[0].from, view.messages[0].cause), (Some(1), Some(1)));
        assert_eq!((view.messages[0].sent_ns, view.messages[0].handled_ns), (90, Some(200)));
    }

    #[test]
    fn nothing_becomes_nothing() {
        let view = TraceView::of_cell(&Snapshot::default(), 1, Vec::new());
        assert_eq!((view.duration_ns, view.agents.len()), (0, 0));
    }
}
