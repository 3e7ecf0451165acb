//! Words, and BM25 over them in memory.

use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The usual constants (Robertson, Zaragoza 2009).
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Lower-cased runs of letters and digits, in order. `MarketSignal` also gives `market` and `signal`.
#[must_use]
pub fn words(text: &str) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = Vec::new();
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let parts = humps(run);
        if parts.len() > 1 {
            found.extend(parts.iter().map(|part| Arc::from(part.to_lowercase())));
        }
        found.push(run.to_lowercase().into());
    }
    found
}

/// The parts of a camel-case name.
fn humps(run: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut was_lower = false;
    for (at, c) in run.char_indices() {
        if c.is_uppercase() && was_lower {
            parts.push(run.get(start..at).unwrap_or_default());
            start = at;
        }
        was_lower = c.is_lowercase();
    }
    parts.push(run.get(start..).unwrap_or_default());
    parts
}

/// A searchable set of texts, numbered in the order they were added.
#[derive(Debug, Default)]
pub struct Lexicon {
    postings: FxHashMap<Arc<str>, Vec<(u32, u32)>>,
    lengths: Vec<u32>,
    total_length: u64,
    /// Texts taken out, whose numbers are not given again.
    removed: u32,
}

impl Lexicon {
    pub fn add(&mut self, words: &[Arc<str>]) {
        let number = self.lengths.len() as u32;
        let mut counts: FxHashMap<&Arc<str>, u32> = FxHashMap::default();
        for word in words {
            *counts.entry(word).or_insert(0) += 1;
        }
        for (word, count) in counts {
            self.postings.entry(Arc::clone(word)).or_default().push((number, count));
        }
        self.lengths.push(words.len() as u32);
        self.total_length += words.len() as u64;
    }

    /// Takes a text out again, given the words it was added with. The numbers of the others stay.
    pub fn remove(&mut self, number: u32, words: &[Arc<str>]) {
        for word in words {
            let Some(postings) = self.postings.get_mut(word) else { continue };
            postings.retain(|(of, _)| *of != number);
            if postings.is_empty() {
                self.postings.remove(word);
            }
        }
        if let Some(length) = self.lengths.get_mut(number as usize) {
            self.total_length -= u64::from(std::mem::take(length));
            self.removed += 1;
        }
    }

    /// The BM25 score of every text that has a word of the query.
    #[must_use]
    pub fn scores(&self, query: &[Arc<str>]) -> FxHashMap<u32, f64> {
        let mut asked: Vec<&Arc<str>> = query.iter().collect();
        asked.sort_unstable();
        asked.dedup();
        let count = self.lengths.len() as f64 - f64::from(self.removed);
        let mean = (self.total_length as f64 / count.max(1.0)).max(1.0);
        let mut scores = FxHashMap::default();
        for word in asked {
            let Some(postings) = self.postings.get(word) else { continue };
            let having = postings.len() as f64;
            let idf = (1.0 + (count - having + 0.5) / (having + 0.5)).ln();
            for &(number, times) in postings {
                let length = f64::from(self.lengths.get(number as usize).copied().unwrap_or(0));
                let times = f64::from(times);
                let saturated = times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length / mean));
                *scores.entry(number).or_insert(0.0) += idf * saturated;
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::{Lexicon, words};

    fn plain(text: &str) -> Vec<String> {
        words(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_are_found_whole_and_in_parts() {
        assert_eq!(
            plain("MarketSignal { price: 101.5 }"),
            ["market", "signal", "marketsignal", "price", "101", "5"]
        );
        assert_eq!(plain("ACME risk_score Élan"), ["acme", "risk", "score", "élan"]);
        assert_eq!(plain(" ,;"), Vec::<String>::new());
    }

    #[test]
    fn a_rare_word_counts_more_than_a_common_one() {
        let mut lexicon = Lexicon::default();
        for text in ["buy acme now", "buy globex now", "buy initech later"] {
            lexicon.add(&words(text));
        }
        let scores = lexicon.scores(&words("buy acme"));
        assert_eq!(scores.len(), 3);
        assert!(scores[&0] > 2.0 * scores[&1]);
        assert_eq!(scores[&1], scores[&2]);
        assert!(lexicon.scores(&words("nothing here")).is_empty());
    }
}
