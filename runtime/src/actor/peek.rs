//! What waits in a mailbox, as people see it.
//!
//! Never: keeps a value alive; a payload is text here, cut short.

use crate::actor::mailbox::{Counts, Marks};
use crate::actor::message::Message;
use crate::actor::queues::Rank;
use crate::actor::reference::AgentRef;
use crate::value::show;
use std::sync::Arc;

/// Bytes of a payload's text.
const SHOWN: usize = 200;

/// A mailbox at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peeked {
    pub marks: Marks,
    pub counts: Counts,
    /// The next to be handled comes first; those who look may ask for a few only.
    pub waiting: Vec<Waiting>,
}

/// A message that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub behavior: Arc<str>,
    /// `(1, "a")`, cut short.
    pub payload: String,
    /// `None`: a cell or a task.
    pub sender: Option<AgentRef>,
    pub rank: Rank,
    /// Whether somebody waits for the reply.
    pub is_request: bool,
    /// On the world's monotonic clock.
    pub sent_ns: u64,
}

impl Waiting {
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let mut payload = String::new();
        for value in &message.payload {
            if payload.len() < SHOWN {
                payload += if payload.is_empty() { "" } else { ", " };
                payload += &show::cut(value.value(), value.shape(), SHOWN - payload.len());
            }
        }
        Self {
            behavior: message.selector.name(),
            payload: format!("({payload})"),
            sender: message.sender,
            rank: message.rank,
            is_request: message.reply.is_some(),
            sent_ns: message.sent_ns,
        }
    }
}
