//! Where the output of a coroutine goes, and for which cell.
//!
//! Never: renders. What is shown leaves the runtime as values and text; `kernel` turns it into Outputs.

use crate::context::wait::Completer;
use crate::fault::Fault;
use crate::journal::track::Track;
use crate::ledger::report::CallRow;
use crate::value::owned::Owned;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::oneshot;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    Out,
    Err,
}

/// One thing a program shows. `id` names a display that later emissions may replace.
#[derive(Debug)]
pub enum Emission {
    Text {
        stream: Stream,
        text: String,
    },
    Value {
        id: u64,
        update: bool,
        value: Owned,
    },
    /// A state of a bar.
    Progress {
        id: u64,
        label: Arc<str>,
        done: u64,
        total: u64,
        update: bool,
    },
    /// Forget what the cell has shown; with `wait`, when the next output comes.
    Clear {
        wait: bool,
    },
    /// The finished calls of an `@measure_cost` block.
    Measured(Vec<CallRow>),
    /// A Fault nobody awaits, from the agent or task called `source`.
    Fault {
        source: Arc<str>,
        fault: Box<Fault>,
    },
}

/// Takes emissions, from any worker and after the cell ended too. Must not block for long: a worker waits meanwhile.
pub trait Sink: Send + Sync {
    fn emit(&self, cell: u32, emission: Emission);

    /// Puts a question to the person behind the cell; it may be answered much later, from any thread.
    fn ask(&self, _cell: u32, question: Question) {
        question.refuse("nobody can be asked here");
    }
}

/// What a program waits for a person to answer. Dropping it unanswered ends the wait with R0999.
pub struct Question {
    pub prompt: String,
    reply: Reply,
}

/// Who waits for the answer.
enum Reply {
    Coroutine(Completer<Answer>),
    /// Something that runs on the executor of lanes.
    Call(Arc<Mutex<Option<oneshot::Sender<Answer>>>>),
}

/// A line, or why there is none.
pub type Answer = Result<String, String>;

impl Question {
    #[must_use]
    pub fn new(prompt: String, reply: Completer<Answer>) -> Self {
        Self { prompt, reply: Reply::Coroutine(reply) }
    }

    /// A question of a lane call, and where its answer comes. Giving that up gives the question up.
    #[must_use]
    pub fn of_call(prompt: String) -> (Self, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let sender = Arc::new(Mutex::new(Some(sender)));
        (Self { prompt, reply: Reply::Call(sender) }, receiver)
    }

    pub fn answer(self, line: String) {
        self.complete(Ok(line));
    }

    pub fn refuse(self, why: &str) {
        self.complete(Err(why.to_owned()));
    }

    fn complete(self, answer: Answer) {
        match self.reply {
            Reply::Coroutine(completer) => completer.complete(answer),
            Reply::Call(sender) => {
                let sender = sender.lock().take();
                // If nobody listens any more the call was cut off.
                drop(sender.map(|sender| sender.send(answer)));
            }
        }
    }

    /// False once the program no longer waits: it was interrupted or cancelled.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        match &self.reply {
            Reply::Coroutine(completer) => completer.is_wanted(),
            Reply::Call(sender) => is_open(sender),
        }
    }

    /// The same for somebody who does not have the question.
    pub fn watch(&self) -> Box<dyn Fn() -> bool + Send> {
        match &self.reply {
            Reply::Coroutine(completer) => Box::new(completer.watch()),
            Reply::Call(sender) => {
                let sender = Arc::clone(sender);
                Box::new(move || is_open(&sender))
            }
        }
    }
}

fn is_open(sender: &Mutex<Option<oneshot::Sender<Answer>>>) -> bool {
    sender.lock().as_ref().is_some_and(|sender| !sender.is_closed())
}

/// The cell some work is done for and where its output goes.
#[derive(Clone)]
pub struct Audience {
    pub cell: u32,
    pub sink: Arc<dyn Sink>,
    /// What this work is recorded on or replayed from.
    pub track: Option<Arc<Track>>,
}

impl Audience {
    /// The same for something that is begun from here.
    #[must_use]
    pub fn child(&self) -> Self {
        let track = self.track.as_ref().and_then(|track| track.child());
        Self { cell: self.cell, sink: Arc::clone(&self.sink), track }
    }

    pub fn emit(&self, emission: Emission) {
        self.sink.emit(self.cell, emission);
    }

    pub fn ask(&self, question: Question) {
        self.sink.ask(self.cell, question);
    }

    /// For work nobody watches.
    #[must_use]
    pub fn nobody() -> Self {
        Self { cell: 0, sink: Arc::new(Discard), track: None }
    }
}

/// Drops everything.
pub struct Discard;

impl Sink for Discard {
    fn emit(&self, _: u32, _: Emission) {}
}
