//! Plain data for the trace panel: agents, spans by worker, arrows of messages.
//!
//! Never: stops the workers. Counts of one agent are taken together, so `sent = handled + waiting` holds in every snapshot.

use crate::actor::mailbox::Counts;
use crate::actor::slab::Activity;
use crate::telemetry::event::{Actor, Event, Kind, MessageId};
use crate::world::World;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Rows of agents that stopped.
const RETIRED_KEPT: usize = 1024;

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    pub workers: usize,
    pub agents: Vec<AgentRow>,
    pub spans: Vec<Span>,
    pub messages: Vec<Arrow>,
    pub marks: Vec<Mark>,
    /// Names of the actors in spans and arrows.
    pub names: Vec<(Actor, Arc<str>)>,
    pub totals: Totals,
}

/// Of all messages ever: `sent = handled + waiting`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    pub sent: u64,
    pub handled: u64,
    pub waiting: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AgentRow {
    pub name: Arc<str>,
    pub actor: Actor,
    pub activity: Activity,
    pub sent: u64,
    pub handled: u64,
    pub waiting: u32,
    pub mailbox_highest: u32,
    /// From the first to the last instruction of its messages, waiting included.
    pub busy_ns: u64,
}

/// A stretch in which an actor had a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub worker: usize,
    pub actor: Actor,
    pub message: MessageId,
    pub begin_ns: u64,
    pub end_ns: u64,
    /// How it ended: `Suspend` or `End`; `Resume` if it has not.
    pub end: Kind,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    pub message: MessageId,
    pub sender: Actor,
    pub receiver: Actor,
    pub sent_ns: u64,
    /// `None` while it waits, or if its beginning is no longer in the ring.
    pub handled_ns: Option<u64>,
    pub cause: MessageId,
}

/// A moment: spawn, stop, fault, skill, memory, lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub worker: usize,
    pub kind: Kind,
    pub actor: Actor,
    pub message: MessageId,
    pub time_ns: u64,
}

/// Agents that stopped: their sums, and the last of them as rows.
#[derive(Default)]
pub(crate) struct Retired {
    totals: Totals,
    rows: VecDeque<AgentRow>,
}

impl Retired {
    pub(crate) fn add(&mut self, actor: Actor, name: &Arc<str>, counts: Counts, busy_ns: u64) {
        self.totals.sent += counts.sent;
        self.totals.handled += counts.handled;
        if self.rows.len() == RETIRED_KEPT {
            self.rows.pop_front();
        }
        self.rows.push_back(row(Arc::clone(name), actor, Activity::Stopped, counts, busy_ns));
    }
}

fn row(name: Arc<str>, actor: Actor, activity: Activity, counts: Counts, busy_ns: u64) -> AgentRow {
    let Counts { sent, handled, waiting, highest } = counts;
    AgentRow { name, actor, activity, sent, handled, waiting, mailbox_highest: highest, busy_ns }
}

/// A place in the trace, to see later only what came after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since(Vec<u64>);

impl World {
    /// Where the trace is now.
    #[must_use]
    pub fn trace_position(&self) -> Since {
        Since(self.telemetry().rings().iter().map(|ring| ring.written()).collect())
    }

    /// The agents now, and what was recorded since then.
    #[must_use]
    pub fn trace(&self, since: &Since) -> Snapshot {
        let mut snapshot =
            Snapshot { workers: self.scheduler().worker_count(), ..Snapshot::default() };
        self.add_agents(&mut snapshot);
        let rings = self.telemetry().rings().iter().enumerate();
        let events: Vec<Vec<Event>> = rings
            .map(|(worker, ring)| ring.read(since.0.get(worker).copied().unwrap_or(0)))
            .collect();
        for (worker, events) in events.iter().enumerate() {
            add_spans(&mut snapshot, worker, events);
        }
        add_arrows(&mut snapshot, &events);
        snapshot.names = self.telemetry().kept_names();
        let agents = snapshot.agents.iter().map(|row| (row.actor, Arc::clone(&row.name)));
        snapshot.names.extend(agents);
        snapshot.names.sort_unstable_by_key(|&(actor, _)| actor);
        snapshot.names.dedup_by_key(|&mut (actor, _)| actor);
        snapshot
    }

    fn add_agents(&self, snapshot: &mut Snapshot) {
        {
            let retired = self.retired().lock();
            snapshot.totals = retired.totals;
            snapshot.agents.extend(retired.rows.iter().cloned());
        }
        for (about, slot) in self.agents().tenants() {
            let counts = slot.mailbox.counts();
            let busy_ns = slot.busy_ns.load(Ordering::Relaxed);
            snapshot.totals.sent += counts.sent;
            snapshot.totals.handled += counts.handled;
            snapshot.totals.waiting += u64::from(counts.waiting);
            let name = Arc::clone(&about.kind.name);
            snapshot.agents.push(row(name, about.actor, slot.activity(), counts, busy_ns));
        }
        snapshot.agents.sort_by_key(|row| row.actor);
    }
}

fn add_spans(snapshot: &mut Snapshot, worker: usize, events: &[Event]) {
    let mut open: Option<Event> = None;
    for &event in events {
        let Event { time_ns, kind, actor, message } = event;
        match kind {
            Kind::Begin | Kind::Resume => open = Some(event),
            Kind::End | Kind::Suspend => {
                if let Some(begun) = open.take().filter(|begun| begun.actor == actor) {
                    let begin_ns = begun.time_ns;
                    let span =
                        Span { worker, actor, message, begin_ns, end_ns: time_ns, end: kind };
                    snapshot.spans.push(span);
                }
            }
            Kind::Cause | Kind::Send => {}
            _ => snapshot.marks.push(Mark { worker, kind, actor, message, time_ns }),
        }
    }
    if let (Some(begun), Some(last)) = (open, events.last()) {
        let Event { time_ns: begin_ns, actor, message, .. } = begun;
        let end_ns = last.time_ns;
        snapshot.spans.push(Span { worker, actor, message, begin_ns, end_ns, end: Kind::Resume });
    }
}

fn add_arrows(snapshot: &mut Snapshot, rings: &[Vec<Event>]) {
    let begins = rings.iter().flatten().filter(|event| event.kind == Kind::Begin);
    let begun: FxHashMap<MessageId, u64> =
        begins.map(|event| (event.message, event.time_ns)).collect();
    for events in rings {
        for pair in events.windows(2) {
            let [cause, send] = pair else { continue };
            if cause.kind != Kind::Cause || send.kind != Kind::Send {
                continue;
            }
            snapshot.messages.push(Arrow {
                message: send.message,
                sender: cause.actor,
                receiver: send.actor,
                sent_ns: send.time_ns,
                handled_ns: begun.get(&send.message).copied(),
                cause: cause.message,
            });
        }
    }
    snapshot.messages.sort_by_key(|arrow| (arrow.sent_ns, arrow.message));
}
