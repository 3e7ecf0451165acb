//! Plain data for the trace panel: agents, stretches of time, arrows of messages.
//!
//! Never: stops the workers. Counts of one agent's mailbox are taken together, so `received = handled + waiting` holds in
//! every snapshot.

use crate::actor::mailbox::Counts;
use crate::actor::slab::{Activity, Slot};
use crate::telemetry::assemble::assemble;
use crate::telemetry::event::{Actor, Kind, MessageId};
use crate::world::World;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Rows of agents that stopped.
const RETIRED_KEPT: usize = 1024;

/// Times are nanoseconds since the world was opened.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    /// Spans and marks of number `workers` are of threads outside.
    pub workers: usize,
    pub taken_ns: u64,
    pub agents: Vec<AgentRow>,
    pub spans: Vec<Span>,
    pub waits: Vec<Wait>,
    pub messages: Vec<Arrow>,
    pub marks: Vec<Mark>,
    /// Names of the actors in spans and arrows, by number.
    pub names: Vec<(Actor, Arc<str>)>,
    pub totals: Totals,
    /// Events that were overwritten before this snapshot could read them.
    pub lost: u64,
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
    /// `received = handled + waiting`.
    pub received: u64,
    pub handled: u64,
    pub waiting: u32,
    pub mailbox_highest: u32,
    pub sent: u64,
    pub faults: u64,
    /// On a worker, while recording is on.
    pub busy_ns: u64,
    /// What its definition asks for and this version does not do yet.
    pub planned: &'static str,
}

/// A stretch in which an actor had a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub worker: usize,
    pub actor: Actor,
    pub message: MessageId,
    /// The behavior, or the name of the cell or task.
    pub label: Arc<str>,
    pub begin_ns: u64,
    pub end_ns: u64,
    pub ended: Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    Fault,
    /// It goes on later, after a wait or after giving way.
    Paused,
    /// It has not ended yet.
    Running,
}

/// A stretch in which an actor waited inside a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub actor: Actor,
    pub message: MessageId,
    pub reason: WaitReason,
    pub begin_ns: u64,
    /// `None` while it waits.
    pub end_ns: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    Lane,
    Memory,
    Lease,
    /// A reply, a timer, room in a mailbox, a person.
    Other,
}

/// A message on its way, or its reply on the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    pub message: MessageId,
    pub is_reply: bool,
    /// The behavior asked for.
    pub label: Arc<str>,
    /// `Actor::NONE`: from outside.
    pub sender: Actor,
    pub receiver: Actor,
    pub sent_ns: u64,
    /// When the receiver began to handle it, or went on after the reply. `None` while it waits.
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
    pub(crate) fn add(&mut self, actor: Actor, name: &Arc<str>, counts: Counts, slot: &Slot) {
        self.totals.sent += counts.sent;
        self.totals.handled += counts.handled;
        if self.rows.len() == RETIRED_KEPT {
            self.rows.pop_front();
        }
        let row = row(Arc::clone(name), actor, counts, slot);
        self.rows.push_back(AgentRow { activity: Activity::Stopped, ..row });
    }
}

fn row(name: Arc<str>, actor: Actor, counts: Counts, slot: &Slot) -> AgentRow {
    AgentRow {
        name,
        actor,
        activity: slot.activity(),
        received: counts.sent,
        handled: counts.handled,
        waiting: counts.waiting,
        mailbox_highest: counts.highest,
        sent: slot.sent.load(Relaxed),
        faults: slot.faults.load(Relaxed),
        busy_ns: slot.busy_ns.load(Relaxed),
        planned: "",
    }
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
        self.trace_between(since, None)
    }

    /// The agents now, and what was recorded from one place to another.
    #[must_use]
    pub fn trace_between(&self, since: &Since, until: Option<&Since>) -> Snapshot {
        let mut snapshot = Snapshot {
            workers: self.scheduler().worker_count(),
            taken_ns: self.telemetry().now_ns(),
            ..Snapshot::default()
        };
        self.add_agents(&mut snapshot);
        self.add_names(&mut snapshot);
        let mut events = Vec::new();
        for (worker, ring) in self.telemetry().rings().iter().enumerate() {
            let since = since.0.get(worker).copied().unwrap_or(0);
            snapshot.lost += ring.lost(since);
            let until = until.and_then(|until| until.0.get(worker).copied());
            events.push(ring.read(since, until));
        }
        assemble(&mut snapshot, &events);
        snapshot
    }

    /// The agents alone.
    #[must_use]
    pub fn agent_rows(&self) -> Vec<AgentRow> {
        let mut snapshot = Snapshot::default();
        self.add_agents(&mut snapshot);
        snapshot.agents
    }

    fn add_agents(&self, snapshot: &mut Snapshot) {
        {
            let retired = self.retired().lock();
            snapshot.totals = retired.totals;
            snapshot.agents.extend(retired.rows.iter().cloned());
        }
        for (about, slot) in self.agents().tenants() {
            let counts = slot.mailbox.counts();
            snapshot.totals.sent += counts.sent;
            snapshot.totals.handled += counts.handled;
            snapshot.totals.waiting += u64::from(counts.waiting);
            let planned = if about.kind.is_predictive { "schedule: predictive" } else { "" };
            let row = row(Arc::clone(&about.kind.name), about.actor, counts, slot);
            snapshot.agents.push(AgentRow { planned, ..row });
        }
        snapshot.agents.sort_by_key(|row| row.actor);
    }

    fn add_names(&self, snapshot: &mut Snapshot) {
        snapshot.names = self.telemetry().kept_names();
        let agents = snapshot.agents.iter().map(|row| (row.actor, Arc::clone(&row.name)));
        snapshot.names.extend(agents);
        snapshot.names.sort_by_key(|&(actor, _)| actor);
        snapshot.names.dedup_by_key(|&mut (actor, _)| actor);
    }
}

impl Snapshot {
    /// What an actor is called; agents with their number, because many share a type.
    #[must_use]
    pub fn name_of(&self, actor: Actor) -> String {
        match self.plain_name(actor) {
            Some(name) if self.is_agent(actor) => format!("{name}#{}", actor.number()),
            Some(name) => name.to_string(),
            None => "outside".to_owned(),
        }
    }

    pub(crate) fn plain_name(&self, actor: Actor) -> Option<Arc<str>> {
        let found = self.names.binary_search_by_key(&actor, |&(named, _)| named).ok()?;
        self.names.get(found).map(|(_, name)| Arc::clone(name))
    }

    fn is_agent(&self, actor: Actor) -> bool {
        self.agents.binary_search_by_key(&actor, |row| row.actor).is_ok()
    }
}
