//! Short-term memory: the last `capacity` episodes of one agent instance that are younger than `ttl`.

use crate::memory::corpus::Entry;
use std::collections::VecDeque;

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

    fn expire(&mut self, now_ns: u64) {
        // An episode may be dated by its program, so age does not follow the order of arrival.
        let ttl_ns = self.ttl_ns;
        self.entries.retain(|entry| now_ns.saturating_sub(entry.episode.draft.at_ns) < ttl_ns);
    }
}
