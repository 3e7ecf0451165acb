//! Writing an answer token by token: the best one, or one by chance, among those that may come.
//!
//! Chance is Gumbel noise on the scores, which draws exactly from their distribution without sorting it. Never: waits.

use crate::lane::grammar::compile::Grammar;
use crate::lane::grammar::machine::{Machine, Place};
use crate::lane::local::loops;
use crate::lane::local::model::{Conversation, Model};
use crate::lane::local::tokens::Words;
use crate::models::ModelError;
use crate::rng::{Rng, Seed};
use ort::session::RunOptions;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is to be answered.
pub struct Ask {
    pub prompt: Vec<u32>,
    /// The prompt that decides between words of the type: it does not name them.
    pub open: Vec<u32>,
    /// The same without what is asked: what it makes the model say is its habit, not its answer.
    pub blank: Vec<u32>,
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
    let longest = ask.prompt.len().max(ask.open.len());
    let (most, context) = (longest + ask.max_tokens as usize, model.context());
    if most > context {
        return Err(Trouble::Unfit(format!(
            "{} tokens and {} for the answer exceed the {context} the model can see",
            longest, ask.max_tokens
        )));
    }
    let mut writer = Writer::new(ask, &words)?;
    let mut reader = Reader::new(model, ask, stop)?;
    while writer.goes_on() && writer.write(&mut reader)? {}
    reader.end();
    if !writer.is_complete() {
        return Err(Trouble::Unfit("the model ended its answer too early".to_owned()));
    }
    Ok(Told {
        text: words.text(&writer.written),
        tokens_in: ask.prompt.len() as u64,
        tokens_out: writer.written.len() as u64,
    })
}

/// The model's readings of what is asked.
struct Reader<'m> {
    model: &'m mut Model,
    stop: &'m Stop,
    options: Arc<RunOptions>,
    /// Of the whole question; an answer that is one word of its type needs none.
    asked: Reading<'m>,
    /// Of `Ask::open` and `Ask::blank`; an answer without a choice needs none.
    open: Reading<'m>,
    blank: Reading<'m>,
}

/// A prompt and what is written behind it, read when somebody wants to know how it goes on.
struct Reading<'m> {
    prompt: &'m [u32],
    /// Tokens that the prompt and the answer may have together.
    most: usize,
    conversation: Option<Conversation>,
    /// How many of the written tokens are read.
    read: usize,
}

impl<'m> Reading<'m> {
    fn of(prompt: &'m [u32], ask: &Ask) -> Self {
        let most = prompt.len() + ask.max_tokens as usize;
        Self { prompt, most, conversation: None, read: 0 }
    }

    /// The scores of what may follow.
    fn scores(
        &mut self,
        model: &mut Model,
        written: &[u32],
        options: &RunOptions,
    ) -> Result<&[f32], ModelError> {
        let new = written.get(self.read..).unwrap_or_default();
        self.read = written.len();
        match &mut self.conversation {
            Some(conversation) => model.read(conversation, new, options),
            none => {
                let begun = none.insert(model.begin(self.most)?);
                model.read(begun, &[self.prompt, new].concat(), options)
            }
        }
    }
}

impl<'m> Reader<'m> {
    fn new(model: &'m mut Model, ask: &'m Ask, stop: &'m Stop) -> Result<Self, Trouble> {
        let options = RunOptions::new().map_err(|error| Trouble::Unfit(error.to_string()))?;
        let options = Arc::new(options);
        stop.show(&options);
        let [asked, open, blank] =
            [&ask.prompt, &ask.open, &ask.blank].map(|prompt| Reading::of(prompt, ask));
        Ok(Self { model, stop, options, asked, open, blank })
    }

    /// The scores of all tokens that may follow what is written.
    fn scores(&mut self, written: &[u32]) -> Result<&[f32], Trouble> {
        told(self.stop, || self.asked.scores(self.model, written, &self.options))
    }

    /// How much likelier what is asked makes each of `tokens`. Constants that all share are left in.
    ///
    /// A small model answers by habit: the word it was told first, the commoner word. What it would answer if nothing were asked
    /// is taken away (Zhao et al., Calibrate Before Use, 2021; Holtzman et al., Surface Form Competition, 2021).
    fn gains(&mut self, written: &[u32], tokens: &[u32]) -> Result<Vec<f32>, Trouble> {
        let mut of = |reading: &mut Reading<'_>| -> Result<Vec<f32>, Trouble> {
            let scores = told(self.stop, || reading.scores(self.model, written, &self.options))?;
            let score = |token: &u32| scores.get(*token as usize).copied().unwrap_or(f32::MIN);
            Ok(tokens.iter().map(score).collect())
        };
        let (open, blank) = (of(&mut self.open)?, of(&mut self.blank)?);
        Ok(open.iter().zip(&blank).map(|(open, blank)| open - blank).collect())
    }

    fn end(self) {
        let readings = [self.asked, self.open, self.blank];
        self.model.end(readings.into_iter().filter_map(|reading| reading.conversation));
    }
}

/// What a step gave, unless it was stopped.
fn told<T>(stop: &Stop, step: impl FnOnce() -> Result<T, ModelError>) -> Result<T, Trouble> {
    if stop.is_set() {
        return Err(Trouble::Stopped);
    }
    step().map_err(|error| if stop.is_set() { Trouble::Stopped } else { Trouble::Model(error) })
}

/// The state of an answer.
struct Writer<'a> {
    ask: &'a Ask,
    words: &'a Words,
    rng: Rng,
    written: Vec<u32>,
    form: Option<(Machine<'a>, Place)>,
}

impl<'a> Writer<'a> {
    fn new(ask: &'a Ask, words: &'a Words) -> Result<Self, Trouble> {
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
        Ok(Self { ask, words, rng: ask.seed.rng(), written: Vec::new(), form })
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

    /// Writes what comes next: a token, or one of the words between which the type leaves the choice. False at the end.
    fn write(&mut self, reader: &mut Reader<'_>) -> Result<bool, Trouble> {
        if self.form.is_none() && self.has_looped() {
            return Ok(false);
        }
        let choice = self.choice();
        if choice.len() > 1 {
            return self.decide(reader, choice).map(|()| true);
        }
        let next = self.next(reader.scores(&self.written)?);
        Ok(next.is_some_and(|token| self.take(token).is_some()))
    }

    /// Whether free text came to say the same again; then only the first time is left of it.
    fn has_looped(&mut self) -> bool {
        let Some(found) = loops::at_end(&self.written) else { return false };
        self.written.truncate(self.written.len() - found.length * (found.copies - 1));
        true
    }

    /// The next token; `None` where the answer ends.
    fn next(&mut self, scores: &[f32]) -> Option<u32> {
        let left = self.left().checked_sub(1)?;
        let usual = self.choose(scores, left)?;
        match self.shortest_way_out(usual) {
            Some(shortest) => self.choose(scores, left.min(shortest)),
            None => Some(usual),
        }
    }

    /// How few tokens can complete a typed reply after the next one, if it came to say the same again. A text that is part of
    /// what is repeated goes on to its own end: closing it at once would leave it cut or empty.
    fn shortest_way_out(&self, usual: u32) -> Option<u32> {
        let (machine, place) = self.form.as_ref()?;
        let found = loops::at_end(&self.written)?;
        let has_quote = |token: &u32| {
            self.words.vocabulary.bytes(*token).is_some_and(|bytes| bytes.contains(&b'"'))
        };
        let repeats_texts = self.written.iter().rev().take(found.length).any(has_quote);
        let goes_on = machine.is_in_text(*place) && repeats_texts && !has_quote(&usual);
        (!goes_on).then(|| machine.fewest_tokens(*place).saturating_sub(1))
    }

    /// The tokens of each word that may come here, if it must be one of them.
    fn choice(&mut self) -> Vec<Vec<u32>> {
        let left = self.left();
        let Some((machine, place)) = &mut self.form else { return Vec::new() };
        let alternatives = machine.alternatives(*place).unwrap_or_default();
        let tokens = alternatives.iter().map(|alternative| {
            let tokens = self.words.encode(str::from_utf8(&alternative.text).unwrap_or_default());
            let fits = (tokens.len() as u32).saturating_add(alternative.after) <= left;
            fits.then_some(tokens).filter(|tokens| !tokens.is_empty())
        });
        tokens.flatten().collect()
    }

    /// Writes one of some words, deciding wherever their tokens part.
    fn decide(&mut self, reader: &mut Reader<'_>, mut words: Vec<Vec<u32>>) -> Result<(), Trouble> {
        let mut at = 0;
        loop {
            let mut next: Vec<u32> =
                words.iter().filter_map(|word| word.get(at).copied()).collect();
            next.sort_unstable();
            next.dedup();
            let token = match next.as_slice() {
                [] => return Ok(()),
                [only] => *only,
                several => {
                    let gains = reader.gains(&self.written, several)?;
                    let mut best = Best::new(self.ask.temperature, &mut self.rng);
                    several.iter().zip(gains).for_each(|(token, gain)| best.look(*token, gain));
                    best.token().unwrap_or_default()
                }
            };
            let wrong = || Trouble::Unfit("a word of the type is not among its tokens".to_owned());
            self.take(token).ok_or_else(wrong)?;
            words.retain(|word| word.get(at) == Some(&token));
            at += 1;
        }
    }

    /// The best token that leaves a way to end within `left` more.
    fn choose(&mut self, scores: &[f32], left: u32) -> Option<u32> {
        let (vocabulary, stops) = (&self.words.vocabulary, self.words.stops());
        let mut best = Best::new(self.ask.temperature, &mut self.rng);
        let mut look = |token: u32| {
            if let Some(score) = scores.get(token as usize) {
                best.look(token, *score);
            }
        };
        match &mut self.form {
            None => {
                let written =
                    (0..vocabulary.len() as u32).filter(|t| vocabulary.bytes(*t).is_some());
                written.chain(stops).for_each(look);
            }
            Some((machine, place)) => {
                machine.each_allowed(*place, vocabulary, left, &mut look);
                if machine.may_end(*place) {
                    stops.into_iter().for_each(look);
                }
            }
        }
        best.token().filter(|token| !stops.contains(token))
    }

    /// Puts a token behind what is written; `None` if it cannot stand there.
    fn take(&mut self, token: u32) -> Option<()> {
        if let Some((machine, place)) = &mut self.form {
            *place = machine.take(*place, self.words.vocabulary.bytes(token)?)?;
        }
        self.written.push(token);
        Some(())
    }
}

/// The best of the tokens looked at.
struct Best<'a> {
    temperature: f64,
    rng: &'a mut Rng,
    top: Option<(f64, u32)>,
}

impl<'a> Best<'a> {
    fn new(temperature: f64, rng: &'a mut Rng) -> Self {
        Self { temperature, rng, top: None }
    }

    fn look(&mut self, token: u32, score: f32) {
        let mut score = f64::from(score);
        if self.temperature > 0.0 {
            // Open at 0, so that both logarithms are finite.
            let uniform = self.rng.next_f64().max(f64::MIN_POSITIVE);
            score = score / self.temperature - (-uniform.ln()).ln();
        }
        if self.top.is_none_or(|(top, _)| score > top) {
            self.top = Some((score, token));
        }
    }

    fn token(self) -> Option<u32> {
        self.top.map(|(_, token)| token)
    }
}
