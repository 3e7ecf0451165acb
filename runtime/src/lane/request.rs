//! What goes to a lane and what comes back, and the interface every lane implements.
//!
//! Never: money held or charged; a lane only says what it used.

use crate::lane::price::Price;
use crate::ledger::money::MicroUsd;
use crate::value::shape::ShapeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub text: String,
}

/// What is wrong with a reply, and where: `$.orders[2].quantity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: String,
    pub message: String,
}

/// Says what is wrong with a JSON value as an answer; nothing if it is one.
pub type Check = Arc<dyn Fn(&serde_json::Value) -> Vec<Problem> + Send + Sync>;

/// The type an answer must have, as JSON.
#[derive(Clone)]
pub struct Form {
    pub shape: ShapeId,
    pub check: Check,
}

/// One question to one lane.
#[derive(Clone)]
pub struct Request {
    pub messages: Vec<Message>,
    /// `None`: any text will do.
    pub form: Option<Form>,
    pub max_tokens: u32,
    pub temperature: f64,
}

/// What a call used, in buckets that do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub output: u64,
    /// Of the output, billed like it.
    pub reasoning: u64,
}

impl Usage {
    /// All tokens that went in.
    #[must_use]
    pub fn tokens_in(&self) -> u64 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h
    }

    /// All tokens that came out.
    #[must_use]
    pub fn tokens_out(&self) -> u64 {
        self.output + self.reasoning
    }
}

/// A lane's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub text: String,
    pub model: Arc<str>,
    pub usage: Usage,
    /// What the provider says it cost; otherwise the lane's price decides.
    pub billed: Option<MicroUsd>,
    /// Set by lanes whose time is not the wall's.
    pub latency_ns: Option<u64>,
    pub request_id: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The provider said no and bills nothing: 429, 5xx. May be tried again, after `retry_after_ns` if given.
    Busy { reason: String, retry_after_ns: Option<u64> },
    /// The provider said no for good: a bad key, a bad request. Nothing is billed.
    Refused { reason: String },
    /// Its model's files are missing or damaged. Nothing is billed.
    Model { reason: String },
    /// Cut off after it left: it may have been billed.
    Lost { reason: String },
}

/// What is known of a lane without asking it.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneCard {
    pub name: Arc<str>,
    pub model: Arc<str>,
    pub price: Price,
    pub context_tokens: u64,
    /// The catalogue's guess, until there are measurements.
    pub latency_ns: u64,
    /// True for echo and simulated lanes: their answers are no model's and are marked so.
    pub made_up: bool,
}

pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply, SendError>> + Send + 'a>>;

/// A way to run inference.
pub trait Provider: Send + Sync {
    fn card(&self) -> &LaneCard;

    /// An upper bound of the tokens of the messages, and of what says the form of the answer.
    fn count_tokens(&self, messages: &[Message], form: Option<&Form>) -> u64;

    /// Sends a request. Dropping the future cuts the call off.
    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a>;

    /// What a person should know before the next call, because it will take longer.
    fn notice(&self) -> Option<String> {
        None
    }

    /// The memory a lane holds on this machine; `None` while it holds none.
    fn memory_bytes(&self) -> Option<u64> {
        None
    }

    /// Gives that memory back until the next call. False if there was none.
    fn unload(&self) -> bool {
        false
    }
}
