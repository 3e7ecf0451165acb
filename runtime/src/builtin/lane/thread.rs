//! Threads: conversations that a program keeps (L-125). Calls without one are independent.
//!
//! A Thread is an identity: copies mean the same conversation. Never: part of a message, or of two calls at once.

use crate::builtin::declare::{Moved, Outcome, Word};
use crate::context::Cx;
use crate::lane::request::{Message, Role};
use crate::value::json::from_json;
use crate::value::native::{native, payload};
use crate::value::shape::ShapeId;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// What was said so far: the system text, then questions, tools and answers. Replies that did not fit are not kept.
#[derive(Debug, Default)]
pub struct Conversation {
    messages: Mutex<Vec<Message>>,
}

impl Conversation {
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().clone()
    }

    pub fn add(&self, exchange: Vec<Message>) {
        self.messages.lock().extend(exchange);
    }
}

/// The shape of the handle.
#[must_use]
pub fn thread_shape() -> ShapeId {
    ShapeId::opaque("Thread")
}

#[must_use]
pub fn conversation(word: u64) -> Option<Arc<Conversation>> {
    payload(word)
}

fn handle(messages: Vec<Message>) -> Moved {
    let conversation = Conversation { messages: Mutex::new(messages) };
    Moved(native(thread_shape(), Arc::new(conversation)))
}

pub fn begin(system: &str) -> Moved {
    let system = (!system.is_empty()).then(|| Message::new(Role::System, system));
    handle(system.into_iter().collect())
}

pub fn fork(this: Word) -> Moved {
    handle(conversation(this.0).map(|known| known.messages()).unwrap_or_default())
}

pub fn messages(cx: &mut Cx, this: Word) -> Outcome<Moved> {
    let known = conversation(this.0).map(|known| known.messages()).unwrap_or_default();
    let rows: Value = known.iter().map(row).collect();
    let of = ShapeId::list(ShapeId::record(&[("role", ShapeId::TEXT), ("text", ShapeId::TEXT)]));
    match from_json(&rows, of) {
        Ok(word) => Ok(Moved(word)),
        Err(_) => {
            crate::builtin::memory::fail(cx, crate::fault::code::INTERNAL, "a Thread has no list")
        }
    }
}

/// A request for tools is shown as what it asks for.
fn row(message: &Message) -> Value {
    let mut parts: Vec<String> = Vec::new();
    if !message.text.is_empty() || message.calls.is_empty() {
        parts.push(message.text.clone());
    }
    parts.extend(message.calls.iter().map(|call| format!("{}({})", call.name, call.arguments)));
    json!({"role": message.role.name(), "text": parts.join("\n")})
}
