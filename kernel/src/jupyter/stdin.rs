//! The stdin socket: questions to the client whose cell asks, one at a time and in the order they were asked.
//!
//! A question nobody waits for any more (its cell was interrupted) gives way to the next one; an answer to it is dropped.

use std::sync::Arc;
use std::time::Duration;

use ag_runtime::context::sink::Question;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeromq::ZmqMessage;

use crate::jupyter::Kernel;
use crate::jupyter::sockets::Queue;
use crate::jupyter::wire::Request;

/// How often a question is looked after while its answer is awaited.
const LOOK: Duration = Duration::from_millis(20);

/// A question, with the request of the cell it belongs to.
pub struct Asked {
    request: Arc<Request>,
    question: Question,
}

/// Where questions wait for their turn; clones share it.
#[derive(Clone)]
pub struct Asker {
    queue: UnboundedSender<Asked>,
}

impl Asker {
    pub fn new() -> (Asker, UnboundedReceiver<Asked>) {
        let (queue, asked) = unbounded_channel();
        (Asker { queue }, asked)
    }

    pub fn ask(&self, request: &Arc<Request>, question: Question) {
        if !request.flag("allow_stdin", false) {
            return question.refuse("this front end cannot be asked (allow_stdin is false)");
        }
        let refused = self.queue.send(Asked { request: Arc::clone(request), question });
        if let Err(refused) = refused {
            refused.0.question.refuse("the kernel is leaving");
        }
    }
}

pub async fn serve(
    kernel: Arc<Kernel>,
    mut asked: UnboundedReceiver<Asked>,
    mut replies: UnboundedReceiver<ZmqMessage>,
    to: Queue,
) {
    loop {
        tokio::select! {
            next = asked.recv() => match next {
                Some(next) => put(&kernel, next, &mut replies, &to).await,
                None => break,
            },
            // Nobody asks: an answer that comes now is to a question that was given up.
            late = kernel.receive(&mut replies) => if late.is_none() { break },
        }
    }
}

/// Asks, and waits for the answer or for the question to be given up.
async fn put(
    kernel: &Kernel,
    asked: Asked,
    replies: &mut UnboundedReceiver<ZmqMessage>,
    to: &Queue,
) {
    let Asked { request, question } = asked;
    if !question.is_wanted() {
        return;
    }
    // What came before the question answers another one.
    while replies.try_recv().is_ok() {}
    let content = json!({ "prompt": question.prompt, "password": false });
    let (id, message) = kernel.signer.ask(&request, &content);
    if to.send(message).is_err() {
        return question.refuse("the kernel is leaving");
    }
    loop {
        tokio::select! {
            reply = kernel.receive(replies) => match reply {
                Some(reply) if answers(&reply, &id) => return settle(question, &reply),
                Some(_) => {}
                None => return question.refuse("the kernel is leaving"),
            },
            () = tokio::time::sleep(LOOK) => if !question.is_wanted() { return },
        }
    }
}

/// Some clients name the question they answer, others leave the parent out.
fn answers(reply: &Request, id: &str) -> bool {
    reply.kind() == "input_reply" && reply.parent_id.as_deref().is_none_or(|parent| parent == id)
}

fn settle(question: Question, reply: &Request) {
    let is_ok = reply.content.get("status").and_then(Value::as_str) != Some("error");
    match reply.content.get("value").and_then(Value::as_str) {
        Some(line) if is_ok => question.answer(line.to_owned()),
        _ => question.refuse("the question was not answered"),
    }
}
