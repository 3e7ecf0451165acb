//! What goes to a lane and what comes back, and the interface every lane implements.
//!
//! Never: money held or charged; a lane only says what it used.

use crate::lane::price::Price;
use crate::ledger::money::MicroUsd;
use crate::value::shape::ShapeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
    /// What a tool gave.
    Tool,
}

impl Role {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub text: String,
    /// Of an assistant: the tools it asks for beside its text.
    pub calls: Vec<ToolCall>,
    /// Of a tool: the call this is the answer to.
    pub answers: Option<Arc<str>>,
}

impl Message {
    #[must_use]
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, text: text.into(), calls: Vec::new(), answers: None }
    }

    /// What a tool gave to a call.
    #[must_use]
    pub fn answer(call: &ToolCall, text: impl Into<String>) -> Self {
        Self { answers: Some(Arc::clone(&call.id)), ..Self::new(Role::Tool, text) }
    }

    /// What this adds to the size of a request: an upper bound of its tokens, whatever the tokenizer.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let calls = self.calls.iter().map(|c| c.id.len() + c.name.len() + c.arguments.len());
        (self.text.len() + calls.sum::<usize>()) as u64
    }
}

/// A tool as a model is told of it (L-124).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSpec {
    pub name: Arc<str>,
    pub description: Arc<str>,
    /// The JSON schema of its arguments: an object.
    pub parameters: serde_json::Value,
}

impl ToolSpec {
    /// As it stands in a fingerprint; providers write their own forms.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "name": &*self.name,
            "description": &*self.description,
            "parameters": self.parameters,
        })
    }
}

/// A model asks for a tool. The arguments are what it wrote, which may be no JSON at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    pub id: Arc<str>,
    pub name: Arc<str>,
    pub arguments: String,
}

/// Takes the pieces of a reply while it is written (`stream: f`).
pub struct StreamTo {
    take: Box<dyn Fn(&str) + Send + Sync>,
    // Writers: whoever sends the request, and the call between two rounds; both are one task, one after the other.
    delivered: AtomicBool,
}

impl StreamTo {
    #[must_use]
    pub fn new(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { take: Box::new(take), delivered: AtomicBool::new(false) }
    }

    pub fn deliver(&self, text: &str) {
        if !text.is_empty() {
            self.delivered.store(true, Ordering::Relaxed);
            (self.take)(text);
        }
    }

    /// Something of this round's reply has been seen, so that the round must not be tried again.
    #[must_use]
    pub fn has_delivered(&self) -> bool {
        self.delivered.load(Ordering::Relaxed)
    }

    pub fn next_round(&self) {
        self.delivered.store(false, Ordering::Relaxed);
    }
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
    /// Which message asks; those before it are an earlier conversation, those after it tools and repairs.
    pub question: usize,
    /// `None`: any text will do.
    pub form: Option<Form>,
    /// What the model may ask for.
    pub tools: Arc<[ToolSpec]>,
    pub max_tokens: u32,
    pub temperature: f64,
    /// How long the lane may take.
    pub timeout_ns: u64,
    /// Who reads along.
    pub stream: Option<Arc<StreamTo>>,
}

impl Request {
    /// A plain question; the rest as `@llm_call` has it by default.
    #[must_use]
    pub fn of(messages: Vec<Message>, form: Option<Form>) -> Self {
        Self {
            question: messages.len().saturating_sub(1),
            messages,
            form,
            tools: Arc::new([]),
            max_tokens: 512,
            temperature: 0.0,
            timeout_ns: 60_000_000_000,
            stream: None,
        }
    }
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
    /// The tools the model asks for before it answers.
    pub calls: Vec<ToolCall>,
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

    /// An upper bound of the tokens that say which tools there are.
    fn count_tools(&self, tools: &[ToolSpec]) -> u64 {
        tools.iter().map(|tool| tool.to_json().to_string().len() as u64).sum()
    }

    /// Whether its model can ask for tools.
    fn takes_tools(&self) -> bool {
        true
    }

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
