//! A searchable set of episodes in memory: vectors, words, entities and edges, all rebuilt from the store.
//!
//! Search is exact: every vector is compared. Never: disk, scores (see `score`).

use crate::memory::embed::{DIM, cosine};
use crate::memory::entity::same;
use crate::memory::episode::{Edge, Episode, EpisodeId, Outcome};
use crate::memory::lexical::{Lexicon, words};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// An episode with what is searched of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub episode: Arc<Episode>,
    pub vector: Arc<[f32]>,
    pub accesses: u64,
}

impl Entry {
    /// What its texts and its vector take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let draft = &self.episode.draft;
        let entities: usize = draft.entities.iter().map(|entity| entity.len()).sum();
        let texts = draft.context_text.len() + draft.action_text.len() + draft.outcome.text().len();
        texts + entities + size_of_val::<[f32]>(&self.vector)
    }

    /// Says how the episode ended; who holds it from an earlier recall keeps what that gave.
    pub fn conclude(&mut self, outcome: &Outcome) {
        Arc::make_mut(&mut self.episode).draft.outcome = outcome.clone();
    }
}

#[derive(Debug, Default)]
pub struct Corpus {
    /// None: forgotten. Numbers are not given again.
    entries: Vec<Option<Entry>>,
    // Side by side, so that a scan reads memory in order.
    vectors: Vec<f32>,
    lexicon: Lexicon,
    by_id: FxHashMap<EpisodeId, u32>,
    /// Keys are lower-case.
    by_entity: FxHashMap<String, Vec<u32>>,
    edges: FxHashMap<EpisodeId, Vec<Edge>>,
}

impl Corpus {
    /// Adds an episode unless it is there.
    pub fn add(&mut self, entry: Entry) {
        let number = self.entries.len() as u32;
        if self.by_id.contains_key(&entry.episode.id) || entry.vector.len() != DIM {
            return;
        }
        self.by_id.insert(entry.episode.id, number);
        self.vectors.extend_from_slice(&entry.vector);
        self.lexicon.add(&words(&entry.episode.draft.searched_text()));
        for entity in &entry.episode.draft.entities {
            self.by_entity.entry(entity.to_lowercase()).or_default().push(number);
        }
        self.entries.push(Some(entry));
    }

    /// Takes an episode out of everything that finds it.
    pub fn forget(&mut self, id: EpisodeId) {
        let Some(number) = self.by_id.remove(&id) else { return };
        let at = number as usize;
        let Some(entry) = self.entries.get_mut(at).and_then(Option::take) else { return };
        if let Some(vector) = self.vectors.get_mut(at * DIM..(at + 1) * DIM) {
            vector.fill(0.0);
        }
        self.lexicon.remove(number, &words(&entry.episode.draft.searched_text()));
        for entity in &entry.episode.draft.entities {
            if let Some(numbers) = self.by_entity.get_mut(&entity.to_lowercase()) {
                numbers.retain(|of| *of != number);
            }
        }
        for edge in self.edges.remove(&id).unwrap_or_default() {
            let other = if edge.from == id { edge.to } else { edge.from };
            if let Some(edges) = self.edges.get_mut(&other) {
                edges.retain(|edge| edge.from != id && edge.to != id);
            }
        }
    }

    /// Says how an episode ended.
    pub fn conclude(&mut self, id: EpisodeId, outcome: &Outcome) {
        if let Some(entry) = self.entry_mut(id) {
            entry.conclude(outcome);
        }
    }

    fn entry_mut(&mut self, id: EpisodeId) -> Option<&mut Entry> {
        let number = self.by_id.get(&id)?;
        self.entries.get_mut(*number as usize)?.as_mut()
    }

    /// Adds an edge; it is found from both ends.
    pub fn link(&mut self, edge: &Edge) {
        self.edges.entry(edge.from).or_default().push(edge.clone());
        if edge.from != edge.to {
            self.edges.entry(edge.to).or_default().push(edge.clone());
        }
    }

    /// Replaces an episode's vector.
    pub fn revise(&mut self, id: EpisodeId, vector: &Arc<[f32]>) {
        let Some(number) = self.number_of(id).map(|number| number as usize) else { return };
        let row = self.vectors.get_mut(number * DIM..(number + 1) * DIM);
        let entry = self.entries.get_mut(number).and_then(Option::as_mut);
        if let (Some(entry), Some(row)) = (entry, row)
            && vector.len() == DIM
        {
            entry.vector = Arc::clone(vector);
            row.copy_from_slice(vector);
        }
    }

    /// Counts a use.
    pub fn touch(&mut self, id: EpisodeId) {
        if let Some(entry) = self.entry_mut(id) {
            entry.accesses += 1;
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)?.as_ref()
    }

    #[must_use]
    pub fn number_of(&self, id: EpisodeId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    /// The edges at an episode, in the order they were made.
    #[must_use]
    pub fn edges(&self, id: EpisodeId) -> &[Edge] {
        self.edges.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The cosine of an episode with the query, not below 0.
    #[must_use]
    pub fn similarity(&self, number: u32, query: &[f32]) -> f64 {
        let start = number as usize * DIM;
        let vector = self.vectors.get(start..start + DIM).unwrap_or_default();
        f64::from(cosine(vector, query).max(0.0))
    }

    /// The `count` nearest by vector, nearest first; of equal ones the newer.
    #[must_use]
    pub fn nearest(&self, query: &[f32], count: usize) -> Vec<u32> {
        let scored = self
            .vectors
            .chunks_exact(DIM)
            .zip(0u32..)
            .map(|(vector, number)| (number, f64::from(cosine(vector, query))))
            .filter(|(_, similarity)| *similarity > 0.0);
        best(scored.collect(), count)
    }

    /// BM25 of every episode that has a word of the query.
    #[must_use]
    pub fn lexical(&self, query: &[Arc<str>]) -> FxHashMap<u32, f64> {
        self.lexicon.scores(query)
    }

    /// The episodes that name an entity.
    #[must_use]
    pub fn naming(&self, entity: &str) -> &[u32] {
        self.by_entity.get(&entity.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The entities of an episode that are also in the query.
    #[must_use]
    pub fn shared_entities(&self, number: u32, query: &[Arc<str>]) -> Vec<Arc<str>> {
        let Some(entry) = self.get(number) else { return Vec::new() };
        let own = &entry.episode.draft.entities;
        query.iter().filter(|asked| own.iter().any(|has| same(has, asked))).cloned().collect()
    }
}

/// The `count` best, best first; of equal ones the later.
#[must_use]
pub fn best(mut scored: Vec<(u32, f64)>, count: usize) -> Vec<u32> {
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
    if scored.len() > count && count > 0 {
        scored.select_nth_unstable_by(count - 1, order);
    }
    scored.truncate(count);
    scored.sort_unstable_by(order);
    scored.into_iter().map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_best_come_first_and_ties_go_to_the_later() {
        let scored = vec![(0, 1.0), (1, 3.0), (2, 3.0), (3, 2.0), (4, 0.5)];
        assert_eq!(best(scored.clone(), 3), [2, 1, 3]);
        assert_eq!(best(scored.clone(), 99), [2, 1, 3, 0, 4]);
        assert_eq!(best(scored, 0), Vec::<u32>::new());
    }
}
