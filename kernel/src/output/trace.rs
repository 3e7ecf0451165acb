//! What the scheduler did, as plain data: who ran where and when, and which message caused what.
//!
//! Times are nanoseconds since the trace's own start. A trace is a window: what fell out of the ring is counted in
//! `dropped`, never silently missing.

mod snapshot;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TraceView {
    /// What the window covers: `cell 3`, `last 2 s`.
    pub scope: String,
    pub duration_ns: u64,
    pub workers: u32,
    pub agents: Vec<AgentRow>,
    pub spans: Vec<SpanRow>,
    pub messages: Vec<MessageRow>,
    /// Events that fell out of the ring before they were read.
    pub dropped: u64,
    /// Lanes in it whose answers are made up (echo, simulated).
    pub made_up_lanes: Vec<String>,
}

/// The agents alone, as `:agents` shows them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentsView {
    pub agents: Vec<AgentRow>,
    /// Agents that exist but are not listed.
    pub hidden: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentRow {
    /// Unique in the session; what `SpanRow::agent` and `MessageRow` name.
    pub id: u64,
    /// `TradingAgent#1`, `cell 3`.
    pub name: String,
    pub type_name: String,
    /// `idle`, `running`, `waiting`, `stopped`, `faulted`.
    pub state: String,
    /// False for cells and tasks, which have a row in a timeline but no mailbox.
    pub is_agent: bool,
    /// Messages that reached its mailbox.
    pub received: u64,
    pub handled: u64,
    pub in_mailbox: u64,
    pub sent: u64,
    pub faults: u64,
    pub busy_ns: u64,
    /// What its definition asks for and this version does not do yet: `schedule: predictive`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub planned: String,
}

/// A stretch of one agent's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanRow {
    pub agent: u64,
    /// The worker it ran on; none while it waits.
    pub worker: Option<u32>,
    pub kind: SpanKind,
    /// The behavior, the lane, what is waited for.
    pub label: String,
    pub start_ns: u64,
    pub end_ns: u64,
    /// The message being handled.
    pub message: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// On a worker.
    Run,
    /// Waiting for a lane.
    Lane,
    /// Waiting for a store.
    Memory,
    /// Waiting for a reply, a channel, a timer, a person.
    Wait,
    /// A run that ended in a Fault.
    Fault,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    pub id: u64,
    /// None: from outside any agent.
    pub from: Option<u64>,
    pub to: u64,
    pub label: String,
    pub sent_ns: u64,
    /// None while it lies in the mailbox.
    pub handled_ns: Option<u64>,
    /// The message during whose handling it was sent.
    pub cause: Option<u64>,
    pub is_reply: bool,
}

impl TraceView {
    /// Messages as people count them: a reply is the end of one, not one more.
    pub fn requests(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.iter().filter(|message| !message.is_reply)
    }
}
