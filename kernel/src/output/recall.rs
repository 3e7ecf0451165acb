//! Why a recall gave what it gave, as plain data.
//!
//! `score` of a row is the sum of its terms' contributions; renderers show both and rely on it.

use ag_runtime::memory::embed;
use ag_runtime::memory::explain::{Explanation, Recalled, Recollection};
use ag_runtime::memory::score::Term;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecallView {
    pub id: u64,
    pub query: String,
    pub agent: String,
    pub cell: String,
    pub collection: String,
    /// The embedder: a hashing one understands words, not meaning, and the card says so.
    pub embedder: String,
    pub is_hashing_embedder: bool,
    /// Whether every candidate was compared, or an approximate index chose them.
    pub is_exact: bool,
    pub candidates: u64,
    pub filtered_out: u64,
    pub results: Vec<RecollectionRow>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecollectionRow {
    /// From 1.
    pub rank: u32,
    pub episode: String,
    pub context: String,
    pub action: String,
    pub outcome: String,
    pub score: f64,
    pub terms: Vec<TermRow>,
    /// How it became a candidate: `dense #3`, `bm25 #1`, `graph`, `short-term`.
    pub routes: Vec<String>,
    pub matched_terms: Vec<String>,
    pub shared_entities: Vec<String>,
    pub causal_path: Vec<CausalStep>,
    pub age_ns: u64,
    pub half_life_ns: Option<u64>,
    /// Where in the store's log it stands, and its fingerprint.
    pub provenance_seq: Option<u64>,
    pub provenance_hash: String,
    /// Score ahead of the next one.
    pub lead_over_next: Option<f64>,
    pub counterfactuals: Vec<Counterfactual>,
    pub sentence: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TermRow {
    pub name: String,
    pub raw: f64,
    pub weight: f64,
    pub contribution: f64,
}

/// From the episode `from`, over an edge of this kind, to the next one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CausalStep {
    pub episode: String,
    pub kind: String,
    pub weight: f64,
    pub evidence_seq: Option<u64>,
}

/// The rank it would have without one term; none: not among the results.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counterfactual {
    pub without: String,
    pub rank: Option<u32>,
}

impl RecallView {
    pub fn of(recalled: &Recalled) -> RecallView {
        RecallView {
            id: recalled.number,
            query: recalled.query.to_string(),
            agent: recalled.agent.to_string(),
            cell: match recalled.cell {
                0 => String::new(),
                number => format!("cell {number}"),
            },
            collection: match &*recalled.collection {
                "" => "short-term memory".to_owned(),
                name => name.to_owned(),
            },
            embedder: recalled.embedder.to_owned(),
            is_hashing_embedder: recalled.embedder == embed::NAME,
            is_exact: recalled.is_exact,
            candidates: recalled.candidates,
            filtered_out: recalled.filtered_out,
            results: recalled.results.iter().map(RecollectionRow::of).collect(),
        }
    }
}

impl RecollectionRow {
    fn of(found: &Recollection) -> RecollectionRow {
        let (draft, why) = (&found.episode.draft, &found.why);
        RecollectionRow {
            rank: why.rank,
            episode: found.episode.id.to_string(),
            context: draft.context_text.to_string(),
            action: draft.action_text.to_string(),
            outcome: draft.outcome.text().to_owned(),
            score: found.score,
            terms: why.terms.iter().map(TermRow::of).collect(),
            routes: why.routes.iter().map(ToString::to_string).collect(),
            matched_terms: why.matched_terms.iter().map(ToString::to_string).collect(),
            shared_entities: why.shared_entities.iter().map(ToString::to_string).collect(),
            causal_path: causal_path(why),
            age_ns: why.facts.age_ns,
            half_life_ns: why.facts.half_life_ns,
            provenance_seq: why.provenance_seq,
            provenance_hash: why.provenance_hash.to_string(),
            lead_over_next: why.lead_over_next,
            counterfactuals: why.counterfactuals.iter().map(Counterfactual::of).collect(),
            sentence: why.sentence.clone(),
        }
    }
}

fn causal_path(why: &Explanation) -> Vec<CausalStep> {
    let step = |edge: &ag_runtime::memory::episode::Edge| CausalStep {
        episode: edge.to.to_string(),
        kind: edge.kind.to_string(),
        weight: edge.weight,
        evidence_seq: edge.evidence_seq,
    };
    why.causal_path.iter().map(step).collect()
}

impl TermRow {
    fn of(term: &Term) -> TermRow {
        TermRow {
            name: term.kind.name().to_owned(),
            raw: term.raw,
            weight: term.weight,
            contribution: term.contribution,
        }
    }
}

impl Counterfactual {
    fn of(other: &ag_runtime::memory::explain::Counterfactual) -> Counterfactual {
        Counterfactual { without: other.without.name().to_owned(), rank: other.rank }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ag_runtime::journal::fingerprint::Fingerprint;
    use ag_runtime::memory::embed;
    use ag_runtime::memory::episode::{Draft, Edge, Episode, EpisodeId, Outcome};
    use ag_runtime::memory::explain::{Explanation, Recalled, Recollection, Route};
    use ag_runtime::memory::score::Facts;
    use serde_json::json;

    use super::RecallView;

    fn recalled() -> Recalled {
        let facts = Facts {
            cosine: 0.9,
            lexical: 0.5,
            entities: 1.0,
            graph: 0.2,
            age_ns: 7,
            half_life_ns: Some(100),
            accesses: 3,
        };
        let hash = Fingerprint::of_json(&json!(1));
        let draft = Draft {
            context: json!({}),
            action: json!("Hold"),
            context_text: "Signal".into(),
            action_text: "Hold".into(),
            outcome: Outcome::Pending,
            entities: Vec::new(),
            at_ns: 0,
        };
        let id = EpisodeId::Stored(41);
        let edge = Edge {
            from: id,
            to: EpisodeId::Stored(12),
            kind: "recalled".into(),
            weight: 0.8,
            evidence_seq: Some(71),
        };
        let why = Explanation {
            rank: 1,
            facts,
            terms: facts.terms(),
            routes: vec![Route::Dense(1), Route::Graph],
            matched_terms: vec!["acme".into()],
            shared_entities: Vec::new(),
            causal_path: vec![edge],
            provenance_seq: Some(76),
            provenance_hash: hash,
            lead_over_next: None,
            counterfactuals: Vec::new(),
            sentence: "Recalled as number 1.".into(),
        };
        let score = why.score();
        let episode = Episode { id, agent: "Desk".into(), draft, event_seq: Some(76), hash };
        Recalled {
            number: 3,
            at_ns: 0,
            query: "ACME?".into(),
            agent: "Desk".into(),
            cell: 0,
            collection: "".into(),
            embedder: embed::NAME,
            is_exact: true,
            candidates: 4,
            filtered_out: 0,
            results: vec![Recollection { episode: Arc::new(episode), score, why }],
        }
    }

    #[test]
    fn contributions_add_up_to_the_score() {
        let view = RecallView::of(&recalled());
        let row = &view.results[0];
        let sum: f64 = row.terms.iter().map(|term| term.contribution).sum();
        assert!((sum - row.score).abs() < 1e-9);
        assert_eq!(row.terms.len(), 6);
    }

    #[test]
    fn what_is_unknown_is_said_in_words() {
        let view = RecallView::of(&recalled());
        assert_eq!((view.cell.as_str(), view.collection.as_str()), ("", "short-term memory"));
        assert!(view.is_hashing_embedder);
        assert_eq!(view.results[0].causal_path[0].episode, "ep12");
        assert_eq!(view.results[0].routes, ["dense #1", "graph"]);
    }
}
