//! Writing an answer token by token: the best one, or one by chance, among those that may come.
//!
//! Chance is Gumbel noise on the scores, which draws exactly from their distribution without sorting it. Never: waits.

use crate::lane::grammar::compile::Grammar;
use crate::lane::grammar::machine::{Machine, Place};
use crate::lane::local::model::Model;
use crate::models::ModelError;
use crate::rng::{Rng, Seed};
use ort::session::RunOptions;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is to be answered.
pub struct Ask {
    pub prompt: Vec<u32>,
    pub max_tokens: u32,
    pub temperature: f64,
    pub seed: Seed,
    /// What the answer must look like; none: any text.
    pub grammar: Option<Grammar>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub text: String,
    pub tokens_in: u64,
    pub tokens_out: u64,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    Model(ModelError),
    /// The request cannot be answered by this model.
    Unfit(String),
    Stopped,
}

impl From<ModelError> for Trouble {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

/// Ends an answer from outside, also in the middle of a token.
#[derive(Default)]
pub struct Stop {
    // Written by whoever stops, read between tokens; the lock orders it with `running`.
    is_set: AtomicBool,
    running: Mutex<Option<Arc<RunOptions>>>,
}

impl Stop {
    pub fn stop(&self) {
        let running = self.running.lock();
        self.is_set.store(true, Ordering::Release);
        if let Some(options) = running.as_ref() {
            // An error leaves the run to end by itself; the flag is looked at after it.
            let _ = options.terminate();
        }
    }

    #[must_use]
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    fn show(&self, options: &Arc<RunOptions>) {
        *self.running.lock() = Some(Arc::clone(options));
    }
}

/// Answers.
pub fn answer(model: &mut Model, ask: &Ask, stop: &Stop) -> Result<Told, Trouble> {
    let words = Arc::clone(&model.words);
    let (most, context) = (ask.prompt.len() + ask.max_tokens as usize, model.context());
    if most > context {
        return Err(Trouble::Unfit(format!(
            "{} tokens and {} for the answer exceed the {context} the model can see",
            ask.prompt.len(),
            ask.max_tokens
        )));
    }
    let mut writer = Writer::new(ask)?;
    model.begin(most)?;
    let options = RunOptions::new().map_err(|error| Trouble::Unfit(error.to_string()))?;
    let options = Arc::new(options);
    stop.show(&options);
    let step = |model: &mut Model, tokens: &[u32], writer: &mut Writer<'_>| {
        if stop.is_set() {
            return Err(Trouble::Stopped);
        }
        match model.read(tokens, &options) {
            Ok(scores) => Ok(writer.choose(scores, &words.vocabulary, &words.stops())),
            Err(_) if stop.is_set() => Err(Trouble::Stopped),
            Err(error) => Err(Trouble::Model(error)),
        }
    };
    let mut next = step(model, &ask.prompt, &mut writer)?;
    while let Some(token) = next {
        writer.written.push(token);
        if !writer.goes_on() {
            break;
        }
        next = step(model, &[token], &mut writer)?;
    }
    if !writer.is_complete() {
        return Err(Trouble::Unfit("the model ended its answer too early".to_owned()));
    }
    Ok(Told {
        text: words.text(&writer.written),
        tokens_in: ask.prompt.len() as u64,
        tokens_out: writer.written.len() as u64,
    })
}

/// The state of an answer.
struct Writer<'a> {
    ask: &'a Ask,
    rng: Rng,
    written: Vec<u32>,
    form: Option<(Machine<'a>, Place)>,
}

impl<'a> Writer<'a> {
    fn new(ask: &'a Ask) -> Result<Self, Trouble> {
        let form = ask.grammar.as_ref().map(Machine::new);
        if let Some(grammar) = &ask.grammar
            && grammar.fewest_tokens() > ask.max_tokens
        {
            return Err(Trouble::Unfit(format!(
                "a value of this type needs at least {} tokens, and max_tokens is {}",
                grammar.fewest_tokens(),
                ask.max_tokens
            )));
        }
        Ok(Self { ask, rng: ask.seed.rng(), written: Vec::new(), form })
    }

    fn left(&self) -> u32 {
        self.ask.max_tokens.saturating_sub(self.written.len() as u32)
    }

    fn goes_on(&self) -> bool {
        let is_done = self.form.as_ref().is_some_and(|(machine, place)| machine.is_done(*place));
        self.left() > 0 && !is_done
    }

    fn is_complete(&mut self) -> bool {
        self.form.as_mut().is_none_or(|(machine, place)| machine.may_end(*place))
    }

    /// The next token; `None` where the answer ends.
    fn choose(
        &mut self,
        scores: &[f32],
        vocabulary: &crate::lane::grammar::vocabulary::Vocabulary,
        stops: &[u32],
    ) -> Option<u32> {
        let left = self.left().checked_sub(1)?;
        let mut best =
            Best { scores, temperature: self.ask.temperature, rng: &mut self.rng, top: None };
        match &mut self.form {
            None => {
                let written =
                    (0..vocabulary.len() as u32).filter(|t| vocabulary.bytes(*t).is_some());
                written.chain(stops.iter().copied()).for_each(|token| best.look(token));
            }
            Some((machine, place)) => {
                machine.each_allowed(*place, vocabulary, left, |token| best.look(token));
                if machine.may_end(*place) {
                    stops.iter().for_each(|token| best.look(*token));
                }
            }
        }
        let (_, token) = best.top?;
        if stops.contains(&token) {
            return None;
        }
        if let Some((machine, place)) = &mut self.form {
            *place = machine.take(*place, vocabulary.bytes(token)?)?;
        }
        Some(token)
    }
}

/// The best of the tokens looked at.
struct Best<'a> {
    scores: &'a [f32],
    temperature: f64,
    rng: &'a mut Rng,
    top: Option<(f64, u32)>,
}

impl Best<'_> {
    fn look(&mut self, token: u32) {
        let Some(score) = self.scores.get(token as usize) else { return };
        let mut score = f64::from(*score);
        if self.temperature > 0.0 {
            // Open at 0, so that both logarithms are finite.
            let uniform = self.rng.next_f64().max(f64::MIN_POSITIVE);
            score = score / self.temperature - (-uniform.ln()).ln();
        }
        if self.top.is_none_or(|(top, _)| score > top) {
            self.top = Some((score, token));
        }
    }
}
