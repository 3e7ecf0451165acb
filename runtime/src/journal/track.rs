//! Which recording or replay a coroutine belongs to, and as which strand of it.
//!
//! A strand is one run of a coroutine: the block itself, a task, the handling of one message. It is named by what it was begun
//! by and how many that one had begun before, so it has the same name in every run, however many workers there are. Never:
//! a number of the scheduler, of an agent or of a thread.

use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::journal::line::{Failure, Line};
use crate::journal::tape::{Found, Tape};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The message that a mailbox gave last of those that belong to a tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    tape: u64,
    strand: u64,
    parent: u64,
}

/// A strand of a tape, inside those around it.
pub struct Track {
    tape: Arc<Tape>,
    strand: u64,
    /// What began it.
    parent: u64,
    // Written by the coroutine of this strand alone, through whichever context it has.
    begun: AtomicU64,
    outer: Option<Arc<Track>>,
}

impl Track {
    /// The block a tape was opened for, or the next statement of a session.
    #[must_use]
    pub fn root(tape: &Arc<Tape>, outer: Option<Arc<Track>>) -> Arc<Self> {
        let strand = mixed(0, tape.next_root());
        Arc::new(Self {
            tape: Arc::clone(tape),
            strand,
            parent: 0,
            begun: AtomicU64::new(0),
            outer,
        })
    }

    /// Something that this strand begins: a task, a message, an agent. None if all tapes around it are closed.
    #[must_use]
    pub fn child(&self) -> Option<Arc<Self>> {
        let outer = self.outer.as_ref().and_then(|outer| outer.child());
        if self.tape.is_closed() {
            return outer;
        }
        let number = self.begun.fetch_add(1, Relaxed);
        Some(Arc::new(Self {
            tape: Arc::clone(&self.tape),
            strand: mixed(self.strand, number),
            parent: self.strand,
            begun: AtomicU64::new(0),
            outer,
        }))
    }

    #[must_use]
    pub fn tape(&self) -> &Arc<Tape> {
        &self.tape
    }

    #[must_use]
    pub fn outer(&self) -> Option<&Arc<Self>> {
        self.outer.as_ref()
    }

    /// What the innermost replay has for an effect that is about to happen; live if there is none.
    pub fn find(&self, path: &str, fingerprint: Fingerprint) -> Found {
        match self.tape.find(self.strand, path, fingerprint) {
            Found::Live => match &self.outer {
                Some(outer) => outer.find(path, fingerprint),
                None => Found::Live,
            },
            found => found,
        }
    }

    /// Whether a replay stands in for such effects.
    #[must_use]
    pub fn replays(&self, path: &str) -> bool {
        self.tape.replays(path) || self.outer.as_ref().is_some_and(|outer| outer.replays(path))
    }

    /// Who sent the message that this is the handling of.
    #[must_use]
    pub fn parent(&self) -> u64 {
        self.parent
    }

    /// Whether the message is the next, as the replays around it were recorded; `last`: the one of its mailbox before.
    /// `None` if they say nothing of it.
    #[must_use]
    pub fn follows(&self, last: &[Taken]) -> Option<bool> {
        let before = self.tape.before(self.strand);
        let own = before.map(|at| self.last_of(last).is_some_and(|taken| taken.strand == at));
        match (own, self.outer.as_ref().and_then(|outer| outer.follows(last))) {
            (Some(own), Some(outer)) => Some(own && outer),
            (own, outer) => own.or(outer),
        }
    }

    /// The message is handled next. Messages of one sender and rank come in their order anyway and are not written down.
    pub fn take(&self, is_same_rank: bool, last: &mut Vec<Taken>) {
        if let Some(before) = self.last_of(last)
            && !(is_same_rank && before.parent == self.parent)
        {
            self.tape.note_order(self.strand, before.strand);
        }
        last.retain(|taken| taken.tape != self.tape.id());
        if !self.tape.is_closed() {
            let (tape, strand, parent) = (self.tape.id(), self.strand, self.parent);
            last.push(Taken { tape, strand, parent });
        }
        if let Some(outer) = &self.outer {
            outer.take(is_same_rank, last);
        }
    }

    /// Replays around here do without the order of messages from now on.
    pub fn give_order_up(&self) {
        self.tape.give_order_up();
        self.outer.iter().for_each(|outer| outer.give_order_up());
    }

    fn last_of(&self, last: &[Taken]) -> Option<Taken> {
        last.iter().copied().find(|taken| taken.tape == self.tape.id())
    }

    /// Tells every recording around here that an effect begins; `number` is another for each.
    pub fn begin(&self, number: u64, path: &Arc<str>, fingerprint: Fingerprint) {
        let line = Line {
            sequence: 0,
            strand: self.strand,
            path: Arc::clone(path),
            fingerprint,
            end: Err(Failure::Cancelled),
            took_ns: 0,
        };
        self.tape.begin(number, line);
        self.outer.iter().for_each(|outer| outer.begin(number, path, fingerprint));
    }

    /// The effect of that number ended.
    pub fn end(&self, number: u64) {
        self.tape.end(number);
        self.outer.iter().for_each(|outer| outer.end(number));
    }

    /// Tells every recording around here how an effect ended.
    pub fn note(
        &self,
        path: &str,
        fingerprint: Fingerprint,
        end: &Result<Payload, Failure>,
        took_ns: u64,
    ) {
        let line = Line {
            sequence: 0,
            strand: self.strand,
            path: path.into(),
            fingerprint,
            end: end.clone(),
            took_ns,
        };
        self.tape.note(line);
        if let Some(outer) = &self.outer {
            outer.note(path, fingerprint, end, took_ns);
        }
    }
}

/// The child `number` of a strand: 64 bits (SplitMix64's finaliser over both), so a chain of messages has names of one length.
fn mixed(parent: u64, number: u64) -> u64 {
    let mut z = parent.rotate_left(17) ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Track;
    use crate::journal::tape::Tape;
    use std::collections::HashSet;

    #[test]
    fn strands_are_named_by_what_began_them() {
        let names = |tape: &std::sync::Arc<Tape>| {
            let root = Track::root(tape, None);
            let mut found = vec![root.strand];
            let mut level = vec![root];
            for _ in 0..4 {
                let next: Vec<_> =
                    level.iter().flat_map(|track| (0..6).filter_map(|_| track.child())).collect();
                found.extend(next.iter().map(|track| track.strand));
                level = next;
            }
            found
        };
        let (first, second) = (names(&Tape::recording("a")), names(&Tape::recording("b")));
        assert_eq!(first, second);
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), first.len());
    }

    #[test]
    fn a_closed_tape_has_no_new_strands() {
        let (outer, inner) = (Tape::recording("a"), Tape::recording("b"));
        let around = Track::root(&outer, None);
        let track = Track::root(&inner, Some(around));
        inner.close();
        let child = track.child().unwrap();
        assert!(std::sync::Arc::ptr_eq(child.tape(), &outer));
        outer.close();
        assert!(track.child().is_none());
    }
}
