//! The lane `onnx_local`: SmolLM2 on this machine, without an account and without a network.
//!
//! Its price is what computing costs ([`PRICE`]), so that limits and the router's formula hold for it, too. The model is small:
//! it sorts clear texts, rewrites and fills small JSON; it is no reasoner. A typed call can only be answered with its type (`grammar`).
//! Never: blocks a scheduler's worker or the executor; the model's own thread computes (`thread`).

pub mod generate;
pub mod gguf;
pub mod graph;
pub mod hint;
pub mod loops;
pub mod model;
pub mod thread;
pub mod tokens;

use crate::clock::Clock;
use crate::lane::grammar::compile::Grammar;
use crate::lane::local::generate::{Ask, Stop, Told, Trouble};
use crate::lane::local::hint::{hint, open_hint};
use crate::lane::local::thread::{Compute, Job};
use crate::lane::local::tokens::{Words, most_tokens};
use crate::lane::pace::pass;
use crate::lane::price::Price;
use crate::lane::request::{
    Form, LaneCard, Message, Provider, Reply, Request, Role, SendError, Sending, Usage,
};
use crate::ledger::money::MicroUsd;
use crate::models::ModelsFolder;
use crate::models::catalog::Model;
use crate::rng::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

/// The name of the model in the catalogue.
pub const MODEL: &str = "smollm2";
/// $0.02 for an hour of a core (a small machine of any cloud), 850 tokens a second read and 110 written on one.
const PRICE: Price = Price::flat(MicroUsd(6_500), MicroUsd(50_500));
const READ_NS: u64 = 1_000_000_000 / 850;
const WRITE_NS: u64 = 1_000_000_000 / 110;
/// A prompt of 100 tokens and an answer of 60, with the model loaded.
const LATENCY_NS: u64 = 100 * READ_NS + 60 * WRITE_NS;

pub struct Local {
    card: LaneCard,
    compute: Compute,
    clock: Arc<dyn Clock>,
    seed: Seed,
    // Writer: `send`. It only counts, so that equal prompts at a temperature get answers of their own.
    calls: AtomicU64,
}

impl Local {
    /// The lane, if its model is installed there. Nothing is loaded yet.
    #[must_use]
    pub fn installed(folder: &ModelsFolder, clock: &Arc<dyn Clock>, seed: Seed) -> Option<Self> {
        let model = Model::named(MODEL).filter(|model| folder.has(model))?;
        let card = LaneCard {
            name: "onnx_local".into(),
            model: "SmolLM2-135M-Instruct".into(),
            price: PRICE,
            context_tokens: 8_192,
            latency_ns: LATENCY_NS,
            made_up: false,
        };
        Some(Self {
            card,
            compute: Compute::new(folder.clone(), model),
            clock: Arc::clone(clock),
            seed: seed.fork("onnx_local"),
            calls: AtomicU64::new(0),
        })
    }

    /// The lane under another name (`lane NAME { protocol: onnx }`).
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.card.name = name.into();
        self
    }

    async fn answer(&self, request: &Request) -> Result<Reply, SendError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let stop = Arc::new(Stop::default());
        let guard = StopOnDrop(Arc::clone(&stop));
        let (done, told) = oneshot::channel();
        let asked = Asked::of(request, self.seed.fork_at(call));
        let prepare = Box::new(move |words: &Words| asked.prepare(words));
        let gone = || SendError::Refused { reason: "the model's thread has ended".to_owned() };
        self.compute.send(Job::Answer { prepare, stop, done }).ok_or_else(gone)?;
        let told = told.await.map_err(|_| gone())?;
        drop(guard);
        let told = told.map_err(|trouble| match trouble {
            Trouble::Model(error) => SendError::Model { reason: error.to_string() },
            Trouble::Unfit(reason) => SendError::Refused { reason },
            Trouble::Stopped => SendError::Refused { reason: "it was stopped".to_owned() },
        })?;
        if self.clock.is_virtual() {
            // What it would take, so that a run with a seed does not depend on the machine's speed.
            pass(self.clock.as_ref(), told.tokens_in * READ_NS + told.tokens_out * WRITE_NS).await;
        }
        Ok(self.reply(told))
    }

    fn reply(&self, told: Told) -> Reply {
        let usage = Usage { input: told.tokens_in, output: told.tokens_out, ..Usage::default() };
        Reply {
            text: told.text,
            calls: Vec::new(),
            model: Arc::clone(&self.card.model),
            usage,
            billed: None,
            latency_ns: None,
            request_id: None,
        }
    }
}

impl Provider for Local {
    fn card(&self) -> &LaneCard {
        &self.card
    }

    fn count_tokens(&self, messages: &[Message], form: Option<&Form>) -> u64 {
        let messages = with_hint(messages, form);
        match self.compute.words() {
            Some(words) => words.conversation(&messages).len() as u64,
            None => most_tokens(&messages),
        }
    }

    fn takes_tools(&self) -> bool {
        // It has seen none: what it writes where a tool is offered is noise.
        false
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a> {
        Box::pin(self.answer(request))
    }

    fn notice(&self) -> Option<String> {
        let is_loaded = self.compute.memory_bytes().is_some();
        (!is_loaded).then(|| format!("loading {} ...", self.card.model))
    }

    fn memory_bytes(&self) -> Option<u64> {
        self.compute.memory_bytes()
    }

    fn unload(&self) -> bool {
        self.compute.unload()
    }
}

/// A request as the model's thread needs it.
struct Asked {
    messages: Vec<Message>,
    /// As `messages`, without the words of the type, and those without what is asked.
    open: Vec<Message>,
    blank: Vec<Message>,
    form: Option<Form>,
    max_tokens: u32,
    temperature: f64,
    seed: Seed,
}

impl Asked {
    fn of(request: &Request, seed: Seed) -> Self {
        let form = request.form.as_ref();
        Self {
            messages: with_hint(&request.messages, form),
            open: form.map_or_else(Vec::new, |form| open_question(&request.messages, form)),
            blank: form.map_or_else(Vec::new, |form| open_form(&request.messages, form)),
            form: request.form.clone(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            seed,
        }
    }

    fn prepare(self, words: &Words) -> Result<Ask, Trouble> {
        let grammar = match &self.form {
            Some(form) => {
                let grammar = Grammar::of(form.shape, &words.vocabulary);
                let none = || Trouble::Unfit("the type has no finite JSON value".to_owned());
                Some(grammar.ok_or_else(none)?)
            }
            None => None,
        };
        Ok(Ask {
            prompt: words.conversation(&self.messages),
            open: words.conversation(&self.open),
            blank: words.conversation(&self.blank),
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            seed: self.seed,
            grammar,
        })
    }
}

fn with_hint(messages: &[Message], form: Option<&Form>) -> Vec<Message> {
    form.map_or_else(|| messages.to_vec(), |form| with_line(messages, &hint(form.shape)))
}

/// What a type's JSON looks like is said at the end of the first question; answers and repairs follow it.
fn with_line(messages: &[Message], hint: &str) -> Vec<Message> {
    let mut messages = messages.to_vec();
    if let Some(question) = messages.iter_mut().find(|message| message.role == Role::User) {
        question.text.push_str("\nAnswer in JSON: ");
        question.text.push_str(hint);
    }
    messages
}

/// What a choice between the words of a type is made by.
fn open_question(messages: &[Message], form: &Form) -> Vec<Message> {
    with_line(messages, &open_hint(form.shape))
}

/// The same, in which the user says nothing.
fn open_form(messages: &[Message], form: &Form) -> Vec<Message> {
    let mut messages = messages.to_vec();
    for message in messages.iter_mut().filter(|message| message.role == Role::User) {
        message.text.clear();
    }
    with_line(&messages, &open_hint(form.shape))
}

/// A call that is dropped stops its model.
struct StopOnDrop(Arc<Stop>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
