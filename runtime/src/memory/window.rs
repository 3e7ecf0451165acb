//! Short-term memory: the last `capacity` episodes of one agent instance that are younger than `ttl`.

use crate::memory::corpus::Entry;
use crate::memory::episode::{EpisodeId, Outcome};
use std::collections::VecDeque;

/// How much is in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub episodes: u64,
    pub capacity: u64,
    pub bytes: u64,
}

#[derive(Debug)]
pub struct Window {
    capacity: usize,
    ttl_ns: u64,
    entries: VecDeque<Entry>,
}

impl Window {
    #[must_use]
    pub fn new(capacity: usize, ttl_ns: u64) -> Self {
        Self { capacity, ttl_ns, entries: VecDeque::new() }
    }

    pub fn push(&mut self, entry: Entry, now_ns: u64) {
        self.entries.push_back(entry);
        while self.entries.len() > self.capacity {
            self.entries.pop_front();
        }
        self.expire(now_ns);
    }

    /// What is in the window now, oldest first.
    pub fn live(&mut self, now_ns: u64) -> impl Iterator<Item = &Entry> {
        self.expire(now_ns);
        self.entries.iter()
    }

    pub fn held(&mut self, now_ns: u64) -> Held {
        self.expire(now_ns);
        let bytes: usize = self.entries.iter().map(Entry::bytes).sum();
        Held {
            episodes: self.entries.len() as u64,
            capacity: self.capacity as u64,
            bytes: bytes as u64,
        }
    }

    /// Says how an episode ended. False if it is not here.
    pub fn conclude(&mut self, id: EpisodeId, outcome: &Outcome) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.episode.id == id);
        entry.map(|entry| entry.conclude(outcome)).is_some()
    }

    /// Removes an episode. False if it is not here.
    pub fn forget(&mut self, id: EpisodeId) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.episode.id != id);
        self.entries.len() < before
    }

    fn expire(&mut self, now_ns: u64) {
        // An episode may be dated by its program, so age does not follow the order of arrival.
        let ttl_ns = self.ttl_ns;
        self.entries.retain(|entry| now_ns.saturating_sub(entry.episode.draft.at_ns) < ttl_ns);
    }
}
