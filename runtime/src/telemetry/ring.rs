//! A ring of events with one writer and any readers.
//!
//! Never: blocks the writer. Readers copy and then drop what may have been overwritten meanwhile.

use crate::telemetry::event::Event;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// 256 KiB a worker: some hundred milliseconds of busy agents, minutes of ones that call lanes.
const CAPACITY: usize = 1 << 14;

#[derive(Default)]
pub struct Ring {
    words: OnceLock<Box<[[AtomicU64; 2]]>>,
    // Written by the one writer with Release after the words; readers pair it with Acquire.
    head: AtomicU64,
}

impl Ring {
    pub fn push(&self, event: Event) {
        let words =
            self.words.get_or_init(|| (0..CAPACITY).map(|_| <[AtomicU64; 2]>::default()).collect());
        let head = self.head.load(Ordering::Relaxed);
        let Some(place) = words.get(head as usize % CAPACITY) else { return };
        for (word, value) in place.iter().zip(event.encode()) {
            word.store(value, Ordering::Relaxed);
        }
        self.head.store(head + 1, Ordering::Release);
    }

    /// How many events were ever written.
    pub fn written(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// How many events written since number `since` were overwritten before anybody could read them.
    #[must_use]
    pub fn lost(&self, since: u64) -> u64 {
        self.written().saturating_sub(CAPACITY as u64).saturating_sub(since)
    }

    /// What is in the ring, oldest first, from the event number `since` to before `until`.
    #[must_use]
    pub fn read(&self, since: u64, until: Option<u64>) -> Vec<Event> {
        let Some(words) = self.words.get() else { return Vec::new() };
        let written = self.written();
        let begin = since.max(written.saturating_sub(CAPACITY as u64));
        let end = until.map_or(written, |until| until.min(written));
        let copy = |number: u64| {
            let place = words.get(number as usize % CAPACITY)?;
            Some((number, place.each_ref().map(|word| word.load(Ordering::Relaxed))))
        };
        let copied: Vec<_> = (begin..end).filter_map(copy).collect();
        // The writer may have lapped us; one more for the event it may be writing now.
        let safe = (self.written() + 1).saturating_sub(CAPACITY as u64);
        let whole =
            copied.into_iter().filter(|&(number, _)| written < CAPACITY as u64 || number >= safe);
        whole.filter_map(|(_, words)| Event::decode(words)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Ring};
    use crate::telemetry::event::{Actor, Event, Kind, MessageId};

    fn event(number: u64) -> Event {
        Event {
            time_ns: number,
            kind: Kind::Send,
            actor: Actor::new(1),
            message: MessageId::new(number),
        }
    }

    #[test]
    fn a_ring_keeps_the_newest() {
        let ring = Ring::default();
        assert!(ring.read(0, None).is_empty());
        (0..10).for_each(|number| ring.push(event(number)));
        assert_eq!(ring.read(4, None), (4..10).map(event).collect::<Vec<_>>());
        assert_eq!(ring.read(4, Some(6)), (4..6).map(event).collect::<Vec<_>>());
        let total = 2 * CAPACITY as u64 + 5;
        (10..total).for_each(|number| ring.push(event(number)));
        let read = ring.read(0, None);
        assert_eq!(read.last(), Some(&event(total - 1)));
        assert!(read.len() >= CAPACITY - 1);
    }
}
