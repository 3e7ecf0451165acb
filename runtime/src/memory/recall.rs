//! Recall: candidates by four routes, one score, an explanation for each result.
//!
//! Candidates are the 100 nearest by vector, the 100 best by words, what names an entity of the query, and what is linked
//! to one of those; short-term episodes always are. Never: disk, time of its own.

use crate::memory::corpus::{Corpus, best};
use crate::memory::entity::entities;
use crate::memory::episode::{Edge, Episode, EpisodeId};
use crate::memory::explain::{Counterfactual, Explanation, Recollection, Route, sentence};
use crate::memory::lexical::words;
use crate::memory::score::{Facts, TermKind, total};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// How many candidates a route gives.
const ROUTE: usize = 100;
/// How far a causal path is followed.
const STEPS: usize = 8;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub text: Arc<str>,
    pub limit: usize,
    pub min_score: f64,
    /// Fields that must be equal, in the episode's context or else its action.
    pub filter: Map<String, Value>,
}

/// What a recall looks at.
pub struct Sources<'a> {
    pub long_term: Option<&'a Corpus>,
    /// Short-term episodes that are not stored.
    pub short_term: &'a Corpus,
    /// All that are in the window, stored or not.
    pub in_window: &'a FxHashSet<EpisodeId>,
    pub half_life_ns: Option<u64>,
    pub now_ns: u64,
}

/// What a recall found, and how many candidates it had.
pub struct Search {
    pub results: Vec<Recollection>,
    pub candidates: u64,
    pub filtered_out: u64,
}

/// A query taken apart.
struct Asked {
    vector: Arc<[f32]>,
    words: Vec<Arc<str>>,
    entities: Vec<Arc<str>>,
}

/// A candidate in one of the sources.
struct Candidate<'a> {
    corpus: &'a Corpus,
    number: u32,
    episode: &'a Arc<Episode>,
    routes: Vec<Route>,
    facts: Facts,
    score: f64,
}

/// Searches all sources.
#[must_use]
pub fn search(sources: &Sources<'_>, query: &Query, vector: &Arc<[f32]>) -> Search {
    let asked = Asked {
        vector: Arc::clone(vector),
        words: words(&query.text),
        entities: entities(&query.text),
    };
    let mut found = Vec::new();
    for corpus in sources.long_term.into_iter().chain([sources.short_term]) {
        found.extend(candidates(corpus, &asked, sources));
    }
    let best_lexical = found.iter().map(|c| c.facts.lexical).fold(0.0, f64::max);
    for candidate in &mut found {
        candidate.facts.lexical =
            if best_lexical > 0.0 { candidate.facts.lexical / best_lexical } else { 0.0 };
    }
    spread(&mut found);
    let count = found.len();
    found.retain(|candidate| is_wanted(candidate.episode, &query.filter));
    let filtered_out = count - found.len();
    for candidate in &mut found {
        candidate.score = total(&candidate.facts.terms());
    }
    found.sort_by(|a, b| newer_of_equal(a, a.score, b, b.score));
    let keep = found.iter().take(query.limit).take_while(|c| c.score >= query.min_score).count();
    let results = (0..keep).filter_map(|at| recollection(&found, at, keep, &asked)).collect();
    Search { results, candidates: count as u64, filtered_out: filtered_out as u64 }
}

/// The candidates of one source, with everything but the share of words and the edges.
fn candidates<'a>(corpus: &'a Corpus, asked: &Asked, sources: &Sources<'_>) -> Vec<Candidate<'a>> {
    let lexical = corpus.lexical(&asked.words);
    let routes = routes(corpus, asked, &lexical, sources.in_window);
    let mut numbers: Vec<u32> = routes.keys().copied().collect();
    numbers.sort_unstable();
    let count = asked.entities.len();
    let make = |number: u32| {
        let entry = corpus.get(number)?;
        let shared = corpus.shared_entities(number, &asked.entities).len();
        let facts = Facts {
            cosine: corpus.similarity(number, &asked.vector),
            lexical: lexical.get(&number).copied().unwrap_or(0.0),
            entities: if count == 0 { 0.0 } else { shared as f64 / count as f64 },
            graph: 0.0,
            age_ns: sources.now_ns.saturating_sub(entry.episode.draft.at_ns),
            half_life_ns: sources.half_life_ns,
            accesses: entry.accesses,
        };
        let routes = routes.get(&number).cloned().unwrap_or_default();
        Some(Candidate { corpus, number, episode: &entry.episode, routes, facts, score: 0.0 })
    };
    numbers.into_iter().filter_map(make).collect()
}

/// Which routes lead to which episodes.
fn routes(
    corpus: &Corpus,
    asked: &Asked,
    lexical: &FxHashMap<u32, f64>,
    in_window: &FxHashSet<EpisodeId>,
) -> FxHashMap<u32, Vec<Route>> {
    let mut routes: FxHashMap<u32, Vec<Route>> = FxHashMap::default();
    for (number, rank) in corpus.nearest(&asked.vector, ROUTE).into_iter().zip(1..) {
        routes.entry(number).or_default().push(Route::Dense(rank));
    }
    let scored = lexical.iter().map(|(number, score)| (*number, *score)).collect();
    for (number, rank) in best(scored, ROUTE).into_iter().zip(1..) {
        routes.entry(number).or_default().push(Route::Lexical(rank));
    }
    for entity in &asked.entities {
        // The latest ones: a common name must not make everything a candidate.
        for number in corpus.naming(entity).iter().rev().take(ROUTE) {
            let known = routes.entry(*number).or_default();
            if !known.contains(&Route::Entity) {
                known.push(Route::Entity);
            }
        }
    }
    let mut linked: Vec<u32> = Vec::new();
    for number in routes.keys() {
        let Some(entry) = corpus.get(*number) else { continue };
        let others = corpus.edges(entry.episode.id).iter().map(|e| other_end(e, entry.episode.id));
        linked.extend(others.filter_map(|id| corpus.number_of(id)));
    }
    for number in linked {
        let known = routes.entry(number).or_default();
        if !known.contains(&Route::Graph) {
            known.push(Route::Graph);
        }
    }
    for number in in_window.iter().filter_map(|id| corpus.number_of(*id)) {
        routes.entry(number).or_default().push(Route::ShortTerm);
    }
    routes
}

fn other_end(edge: &Edge, of: EpisodeId) -> EpisodeId {
    if edge.from == of { edge.to } else { edge.from }
}

/// Gives every candidate its share of its neighbours' base.
fn spread(found: &mut [Candidate<'_>]) {
    let bases: FxHashMap<EpisodeId, f64> =
        found.iter().map(|candidate| (candidate.episode.id, candidate.facts.base())).collect();
    for candidate in found {
        let id = candidate.episode.id;
        let edges = candidate.corpus.edges(id).iter();
        candidate.facts.graph = edges
            .map(|edge| edge.weight * bases.get(&other_end(edge, id)).copied().unwrap_or(0.0))
            .sum();
    }
}

fn is_wanted(episode: &Episode, filter: &Map<String, Value>) -> bool {
    filter.iter().all(|(key, wanted)| {
        let has = episode.draft.context.get(key).or_else(|| episode.draft.action.get(key));
        has.is_some_and(|has| equal(has, wanted))
    })
}

/// Equal as the language sees it: `1` and `1.0` are the same number.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Better first, of equal ones the newer.
fn newer_of_equal(a: &Candidate<'_>, a_score: f64, b: &Candidate<'_>, b_score: f64) -> Ordering {
    b_score
        .total_cmp(&a_score)
        .then(b.episode.draft.at_ns.cmp(&a.episode.draft.at_ns))
        .then(b.episode.id.cmp(&a.episode.id))
}

fn recollection(
    found: &[Candidate<'_>],
    at: usize,
    kept: usize,
    asked: &Asked,
) -> Option<Recollection> {
    let candidate = found.get(at)?;
    let next = found.get(at + 1);
    let mut why = Explanation {
        rank: at as u32 + 1,
        facts: candidate.facts,
        terms: candidate.facts.terms(),
        routes: candidate.routes.clone(),
        matched_terms: matched(candidate.episode, &asked.words),
        shared_entities: candidate.corpus.shared_entities(candidate.number, &asked.entities),
        causal_path: causal_path(candidate.corpus, candidate.episode.id),
        provenance_seq: candidate.episode.event_seq,
        provenance_hash: candidate.episode.hash,
        lead_over_next: next.map(|next| candidate.score - next.score),
        counterfactuals: counterfactuals(found, candidate, kept),
        sentence: String::new(),
    };
    why.sentence = sentence(&why);
    Some(Recollection { episode: Arc::clone(candidate.episode), score: candidate.score, why })
}

/// The words of the query that the episode has, each once.
fn matched(episode: &Episode, asked: &[Arc<str>]) -> Vec<Arc<str>> {
    let own: FxHashSet<Arc<str>> = words(&episode.draft.searched_text()).into_iter().collect();
    let mut shared: Vec<Arc<str>> = Vec::new();
    for word in asked {
        if own.contains(word) && !shared.contains(word) {
            shared.push(Arc::clone(word));
        }
    }
    shared
}

/// From an episode back along the strongest edge each time.
fn causal_path(corpus: &Corpus, start: EpisodeId) -> Vec<Edge> {
    let mut path: Vec<Edge> = Vec::new();
    let mut at = start;
    while path.len() < STEPS {
        let is_new = |edge: &&Edge| edge.to != start && path.iter().all(|step| step.to != edge.to);
        let back = corpus.edges(at).iter().filter(|edge| edge.from == at).filter(is_new);
        let strongest =
            back.max_by(|a, b| a.weight.total_cmp(&b.weight).then(b.to.cmp(&a.to))).cloned();
        let Some(edge) = strongest else { break };
        at = edge.to;
        path.push(edge);
    }
    path
}

/// The rank without each term that counts for something here.
fn counterfactuals(
    found: &[Candidate<'_>],
    candidate: &Candidate<'_>,
    kept: usize,
) -> Vec<Counterfactual> {
    let terms = candidate.facts.terms();
    let counts = |kind: TermKind| terms.iter().any(|t| t.kind == kind && t.contribution != 0.0);
    TermKind::ALL
        .into_iter()
        .filter(|kind| counts(*kind))
        .map(|without| {
            let own = candidate.facts.score_without(without);
            let ahead = found.iter().filter(|other| {
                other.episode.id != candidate.episode.id
                    && newer_of_equal(other, other.facts.score_without(without), candidate, own)
                        == Ordering::Less
            });
            let rank = ahead.count() + 1;
            Counterfactual { without, rank: (rank <= kept).then_some(rank as u32) }
        })
        .collect()
}
