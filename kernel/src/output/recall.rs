//! Why a recall gave what it gave, as plain data.
//!
//! `score` of a row is the sum of its terms' contributions; renderers show both and rely on it.

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
