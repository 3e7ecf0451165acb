//! Episodes: what was the case, what was done, how it ended.

use crate::journal::fingerprint::Fingerprint;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// Names an episode. Stored ones keep their number for good; short-term ones live as long as their window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EpisodeId {
    Short(u64),
    Stored(u64),
}

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(number) => write!(f, "st{number}"),
            Self::Stored(number) => write!(f, "ep{number}"),
        }
    }
}

impl EpisodeId {
    /// Reads what [`EpisodeId`] shows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| digits.parse().ok();
        match text.split_at_checked(2)? {
            ("ep", digits) => number(digits).map(Self::Stored),
            ("st", digits) => number(digits).map(Self::Short),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pending,
    Known(Arc<str>),
}

impl Outcome {
    /// `pending`, or what is known.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Known(text) => text,
        }
    }
}

/// What a program gives to be remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub context: Value,
    pub action: Value,
    /// `show` of both: what is searched.
    pub context_text: Arc<str>,
    pub action_text: Arc<str>,
    pub outcome: Outcome,
    /// Extracted from the texts if empty.
    pub entities: Vec<Arc<str>>,
    pub at_ns: u64,
}

impl Draft {
    #[must_use]
    pub fn searched_text(&self) -> String {
        format!("{} {}", self.context_text, self.action_text)
    }
}

/// An episode in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    pub id: EpisodeId,
    pub agent: Arc<str>,
    pub draft: Draft,
    /// Where it stands in the store's log, and its fingerprint.
    pub event_seq: Option<u64>,
    pub hash: Fingerprint,
}

/// The fingerprint of an episode in its collection. The same episode at the same time is the same episode.
#[must_use]
pub fn fingerprint(collection: &str, draft: &Draft) -> Fingerprint {
    Fingerprint::of_json(&json!({
        "collection": collection,
        "context": draft.context,
        "action": draft.action,
        "outcome": draft.outcome.text(),
        "at_ns": draft.at_ns,
    }))
}

/// A link between episodes, and the record that proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: EpisodeId,
    pub to: EpisodeId,
    pub kind: Arc<str>,
    pub weight: f64,
    pub evidence_seq: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::EpisodeId;

    #[test]
    fn ids_read_back_and_nothing_else_does() {
        for id in [EpisodeId::Stored(17), EpisodeId::Short(0)] {
            assert_eq!(EpisodeId::parse(&id.to_string()), Some(id));
        }
        for bad in ["", "e", "ep", "17", "ep-1", "xx3", "ép1"] {
            assert_eq!(EpisodeId::parse(bad), None, "{bad}");
        }
    }
}
