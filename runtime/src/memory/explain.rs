//! What a recall gave and why, as plain data, with one sentence a person reads.

use crate::journal::fingerprint::Fingerprint;
use crate::memory::episode::{Edge, Episode, EpisodeId};
use crate::memory::score::{Facts, Term, TermKind, total};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// How an episode became a candidate. Ranks count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Dense(u32),
    Lexical(u32),
    Entity,
    Graph,
    ShortTerm,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(rank) => write!(f, "dense #{rank}"),
            Self::Lexical(rank) => write!(f, "bm25 #{rank}"),
            Self::Entity => f.write_str("entity"),
            Self::Graph => f.write_str("graph"),
            Self::ShortTerm => f.write_str("short-term"),
        }
    }
}

/// The rank an episode would have without one term; `None`: not among the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counterfactual {
    pub without: TermKind,
    pub rank: Option<u32>,
}

/// Why an episode was recalled, at this rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// From 1.
    pub rank: u32,
    pub facts: Facts,
    /// They add up to the score.
    pub terms: Vec<Term>,
    pub routes: Vec<Route>,
    pub matched_terms: Vec<Arc<str>>,
    pub shared_entities: Vec<Arc<str>>,
    /// From this episode back to what it followed from.
    pub causal_path: Vec<Edge>,
    pub provenance_seq: Option<u64>,
    pub provenance_hash: Fingerprint,
    /// How far ahead of the next one.
    pub lead_over_next: Option<f64>,
    pub counterfactuals: Vec<Counterfactual>,
    pub sentence: String,
}

/// One recalled episode.
#[derive(Clone, Debug, PartialEq)]
pub struct Recollection {
    pub episode: Arc<Episode>,
    pub score: f64,
    pub why: Explanation,
}

/// One recall.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// Names it in this session: `:why 3`.
    pub number: u64,
    pub at_ns: u64,
    pub query: Arc<str>,
    pub agent: Arc<str>,
    pub cell: u32,
    /// Empty: short-term memory alone.
    pub collection: Arc<str>,
    pub embedder: &'static str,
    pub is_exact: bool,
    pub candidates: u64,
    pub filtered_out: u64,
    pub results: Vec<Recollection>,
}

impl Explanation {
    /// The sum of the contributions: what the score must be.
    #[must_use]
    pub fn score(&self) -> f64 {
        total(&self.terms)
    }

    /// The episodes this one followed from, nearest first.
    #[must_use]
    pub fn causal_chain(&self) -> Vec<EpisodeId> {
        self.causal_path.iter().map(|edge| edge.to).collect()
    }
}

/// The sentence: the strongest reasons first, in plain words.
#[must_use]
pub fn sentence(why: &Explanation) -> String {
    let mut reasons: Vec<(f64, String)> = why
        .terms
        .iter()
        .filter(|term| term.contribution > 0.005)
        .map(|term| (term.contribution, reason(term, why)))
        .collect();
    reasons.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut text = format!("Recalled as number {}", why.rank);
    let best: Vec<String> = reasons.into_iter().take(3).map(|(_, reason)| reason).collect();
    if !best.is_empty() {
        text.push_str(" because ");
        text.push_str(&best.join(", and "));
    }
    if let Some(age) = why.terms.iter().find(|t| t.kind == TermKind::Age && t.contribution < -0.005)
    {
        text.push_str(&format!("; its age took {:.3} away", -age.contribution));
    }
    text.push('.');
    text
}

fn reason(term: &Term, why: &Explanation) -> String {
    let list = |items: &[Arc<str>]| items.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    match term.kind {
        TermKind::Semantic => format!("its wording is {:.0} % alike", term.raw * 100.0),
        TermKind::Lexical => format!("it shares the words {}", list(&why.matched_terms)),
        TermKind::Entities => format!("it names {}", list(&why.shared_entities)),
        TermKind::Graph => "it is linked to other good matches".to_owned(),
        TermKind::Age => "it is recent".to_owned(),
        TermKind::Use => format!("it was recalled before ({:.0} times)", term.raw.exp_m1()),
    }
}

impl Recalled {
    /// What is written to the store's recall log: enough to show the recall again.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let results: Vec<Value> = self.results.iter().map(recollection_json).collect();
        json!({
            "query": &*self.query,
            "agent": &*self.agent,
            "cell": self.cell,
            "collection": &*self.collection,
            "embedder": self.embedder,
            "is_exact": self.is_exact,
            "candidates": self.candidates,
            "filtered_out": self.filtered_out,
            "results": results,
        })
    }
}

fn recollection_json(found: &Recollection) -> Value {
    let why = &found.why;
    let terms: Vec<Value> = why
        .terms
        .iter()
        .map(|term| {
            json!({
                "name": term.kind.name(),
                "raw": term.raw,
                "weight": term.weight,
                "contribution": term.contribution,
            })
        })
        .collect();
    let routes: Vec<String> = why.routes.iter().map(ToString::to_string).collect();
    let path: Vec<Value> = why
        .causal_path
        .iter()
        .map(|edge| json!([edge.to.to_string(), &*edge.kind, edge.weight, edge.evidence_seq]))
        .collect();
    json!({
        "id": found.episode.id.to_string(),
        "rank": why.rank,
        "score": found.score,
        "terms": terms,
        "routes": routes,
        "matched_terms": texts(&why.matched_terms),
        "shared_entities": texts(&why.shared_entities),
        "causal_path": path,
        "age_ns": why.facts.age_ns,
        "half_life_ns": why.facts.half_life_ns,
        "provenance": [why.provenance_seq, why.provenance_hash.to_string()],
        "sentence": why.sentence,
    })
}

fn texts(items: &[Arc<str>]) -> Vec<&str> {
    items.iter().map(|item| &**item).collect()
}
