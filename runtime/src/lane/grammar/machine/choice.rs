//! Where a reply must go on with one of some fixed words: variants, kinds, `true` and `false`.
//!
//! With whole words a caller can compare what they mean instead of the tokens that happen to begin them. Never: chooses.

use crate::lane::grammar::compile::{Rule, Word};
use crate::lane::grammar::machine::{Frame, Machine, Place};

/// One of the texts that may come next.
pub struct Alternative {
    pub text: Vec<u8>,
    /// The fewest tokens that complete the reply after it.
    pub after: u32,
}

impl Machine<'_> {
    /// The fixed texts one of which must come next, from here to their ends; `None` where something else may come.
    pub fn alternatives(&mut self, place: Place) -> Option<Vec<Alternative>> {
        let mut frame = *self.frame(place)?;
        let mut before: &[u8] = b"";
        if let Some(Rule::Space) = self.rule(frame.rule) {
            let mark = self.frames.len();
            let after = self.finish(frame.parent).and_then(|place| self.frame(place)).copied();
            self.frames.truncate(mark);
            (frame, before) = (after?, b" ");
        }
        while let Some(Rule::OneOf(rules)) = self.rule(frame.rule) {
            let [only] = rules.as_ref() else { return None };
            let high = match self.rule(*only) {
                Some(Rule::Words(words)) => words.len() as u16,
                _ => 0,
            };
            frame = Frame { rule: *only, low: 0, high, at: 0, depth: frame.depth + 1, ..frame };
        }
        let Some(Rule::Words(words)) = self.rule(frame.rule) else { return None };
        let left = words.get(usize::from(frame.low)..usize::from(frame.high))?.iter();
        let left = left.filter(|word| self.has_room(word, &frame));
        let alternative = |word: &Word| Alternative {
            text: [before, word.bytes.get(frame.at as usize..).unwrap_or_default()].concat(),
            after: word
                .then
                .map_or(0, |then| self.grammar.cost_of(then))
                .saturating_add(frame.below),
        };
        Some(left.map(alternative).collect())
    }
}
