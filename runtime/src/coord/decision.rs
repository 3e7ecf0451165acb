//! Decisions of orchestrations (L-77): what was asked, what was answered, who voted, what it cost, what was remembered.
//!
//! Never: kept without bound; the newest are kept, a recording is a file. Values are kept as the text of `show`: they must not
//! hold the program's own values alive.

use crate::context::Cx;
use crate::fault::Fault;
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::ledger::money::MicroUsd;
use crate::value::owned::Owned;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many decisions are kept for `:decisions`.
const KEPT: usize = 1_000;

/// Characters of one text that are kept.
const KEPT_TEXT: usize = 2_000;

/// One message to a `decision` member, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Counts the decisions of the session from 1.
    pub number: u64,
    /// The agent with its number: `MarketMonitoring#3`.
    pub agent: String,
    pub name: Arc<str>,
    /// The cell it was made for.
    pub cell: u32,
    pub at_ns: u64,
    /// Parameters with the text of what was given.
    pub input: Vec<(Arc<str>, String)>,
    /// What it gave, or the Fault it ended with.
    pub result: Result<String, String>,
    pub votes: Vec<Vote>,
    pub cost: MicroUsd,
    pub recalled: Vec<String>,
}

/// What one agent said to a `@quorum` of the decision, or why it said nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub by: String,
    pub said: Result<String, String>,
}

/// A decision under way.
#[derive(Default)]
pub struct Draft {
    pub name: Arc<str>,
    pub input: Vec<(Arc<str>, String)>,
    pub votes: Vec<Vote>,
    pub recalled: Vec<String>,
}

/// The newest decisions of a world.
#[derive(Default)]
pub struct DecisionLog {
    inner: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    made: u64,
    kept: VecDeque<Decision>,
}

impl DecisionLog {
    /// Oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Decision> {
        self.inner.lock().kept.iter().cloned().collect()
    }

    /// How many there have been.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.inner.lock().made
    }

    fn add(&self, mut decision: Decision) -> u64 {
        let mut log = self.inner.lock();
        log.made += 1;
        decision.number = log.made;
        if log.kept.len() == KEPT {
            log.kept.pop_front();
        }
        log.kept.push_back(decision);
        log.made
    }
}

impl Draft {
    /// `input`: the names of the parameters with what was given.
    #[must_use]
    pub fn new<'a>(
        name: &Arc<str>,
        input: impl Iterator<Item = (&'a Arc<str>, &'a Owned)>,
    ) -> Box<Self> {
        let input = input.map(|(name, value)| (Arc::clone(name), clipped(value.show())));
        let input = input.collect();
        Box::new(Self { name: Arc::clone(name), input, ..Self::default() })
    }
}

impl Cx {
    /// The decision ended: it goes into the journal as one effect, and to those that `:decisions` shows.
    pub(crate) fn note_decision(&mut self, result: &Result<Owned, Box<Fault>>) {
        let Some(draft) = self.decision.take() else { return };
        let result = match result {
            Ok(value) => Ok(clipped(value.show())),
            Err(fault) => Err(clipped(fault.to_string())),
        };
        let cost = self.limits.as_ref().map_or(MicroUsd::ZERO, |node| node.settled());
        let decision = Decision {
            number: 0,
            agent: format!("{}#{}", self.serving.name, self.serving.actor.number()),
            name: draft.name,
            cell: self.audience.cell,
            at_ns: self.now_ns(),
            input: draft.input,
            result,
            votes: draft.votes,
            cost,
            recalled: draft.recalled,
        };
        let asked = json!({ "decision": &*decision.name, "input": inputs(&decision) });
        let print = Fingerprint::of_json(&asked);
        let pending = self.world.effects().begin("decision", print);
        match &decision.result {
            Ok(_) => pending.done(Payload { value: as_json(&decision), cost }),
            Err(fault) => pending.failed(fault),
        };
        self.world.decisions().add(decision);
    }
}

fn inputs(decision: &Decision) -> Value {
    let input = decision.input.iter();
    Value::Object(input.map(|(name, text)| (name.to_string(), json!(text))).collect())
}

/// One decision as data.
#[must_use]
pub fn as_json(decision: &Decision) -> Value {
    let told = |said: &Result<String, String>| match said {
        Ok(text) => json!({ "value": text }),
        Err(fault) => json!({ "fault": fault }),
    };
    let vote = |vote: &Vote| json!({ "by": vote.by, "said": told(&vote.said) });
    json!({
        "agent": decision.agent,
        "decision": &*decision.name,
        "input": inputs(decision),
        "result": told(&decision.result),
        "votes": decision.votes.iter().map(vote).collect::<Vec<_>>(),
        "cost_micro_usd": decision.cost.0,
        "recalled": decision.recalled,
    })
}

fn clipped(text: String) -> String {
    match text.char_indices().nth(KEPT_TEXT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
