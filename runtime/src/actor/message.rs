//! A message: what is asked of an agent, by whom, for whom, and because of what.
//!
//! Never: shares unmarked values: the payload was made ready for another coroutine when it was sent.

use crate::actor::queues::Rank;
use crate::actor::reference::AgentRef;
use crate::actor::selector::Selector;
use crate::coord::broadcast::Relay;
use crate::coord::work::Work;
use crate::journal::track::Track;
use crate::ledger::quota::LimitContext;
use crate::telemetry::event::MessageId;
use crate::value::owned::Owned;
use std::sync::Arc;

pub struct Message {
    pub id: MessageId,
    /// The message, cell or task in which it was sent.
    pub cause: MessageId,
    /// The generation of the world that what it stems from was begun in.
    pub born: u64,
    pub sender: Option<AgentRef>,
    pub selector: Selector,
    pub payload: Vec<Owned>,
    /// Where the reply goes; `None` for a signal. Also says for which cell the work is done.
    pub reply: Option<Arc<Work>>,
    /// The limits of the requester; a signal carries none.
    pub limits: LimitContext,
    /// The recording or replay it belongs to, as a strand of its own.
    pub track: Option<Arc<Track>>,
    pub rank: Rank,
    pub sent_ns: u64,
    /// Whom the receiver has to tell first (`@broadcast`).
    pub relay: Option<Box<Relay>>,
}
