//! The machine that follows a reply byte by byte and says which tokens may come next.
//!
//! Its stack is a tree of frames that only grows: a step makes new frames and leaves the old ones, so trying a token and taking
//! it back costs nothing but a truncation. Deterministic: the next byte alone decides. Never: looks at a model's scores itself.

pub mod choice;

use crate::lane::grammar::compile::{DEEPEST, Digits, Grammar, Rule, RuleId, Word};
use crate::lane::grammar::vocabulary::{Trie, Vocabulary};

/// Where a reply stands: the innermost frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// The reply is complete.
const DONE: Place = Place(u32::MAX);

/// One rule under way. What the fields mean is each rule's own.
#[derive(Clone, Copy)]
struct Frame {
    rule: RuleId,
    parent: Place,
    /// The fewest tokens of everything that comes after this rule.
    below: u32,
    depth: u32,
    phase: u8,
    low: u16,
    high: u16,
    at: u32,
}

/// What a byte means for a frame.
enum Next {
    /// Goes on in this frame.
    Stay(Frame),
    /// The byte was the frame's last.
    End,
    /// The frame had ended before it: the byte belongs to what comes after.
    Before,
    /// Other rules take over.
    Open {
        rule: RuleId,
        parent: Place,
        below: u32,
    },
    /// As `Open`, and the byte is for them.
    OpenWith {
        rule: RuleId,
        parent: Place,
        below: u32,
    },
    No,
}

/// A reply in the making.
pub struct Machine<'g> {
    grammar: &'g Grammar,
    frames: Vec<Frame>,
}

impl<'g> Machine<'g> {
    /// A machine and where a reply begins.
    #[must_use]
    pub fn new(grammar: &'g Grammar) -> (Self, Place) {
        let mut machine = Self { grammar, frames: Vec::new() };
        let start = machine.open(grammar.root, DONE, 0, 0).unwrap_or(DONE);
        (machine, start)
    }

    /// The fewest tokens that complete the reply.
    #[must_use]
    pub fn fewest_tokens(&self, place: Place) -> u32 {
        self.frame(place).map_or(0, |frame| self.rest(frame).saturating_add(frame.below))
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_done(&self, place: Place) -> bool {
        place == DONE
    }

    /// Whether it is within a JSON text.
    #[must_use]
    pub fn is_in_text(&self, place: Place) -> bool {
        let rule = self.frame(place).and_then(|frame| self.rule(frame.rule));
        matches!(rule, Some(Rule::Text { .. }))
    }

    /// Whether the reply is complete as it stands; a number may still get digits.
    pub fn may_end(&mut self, place: Place) -> bool {
        let mark = self.frames.len();
        let mut place = Some(place);
        while let Some(frame) = place.and_then(|place| self.frame(place)).copied() {
            let ends = self.rest(&frame) == 0 && self.is_open_ended(&frame);
            place = if ends { self.finish(frame.parent) } else { None };
        }
        self.frames.truncate(mark);
        place == Some(DONE)
    }

    /// After a whole token; `None` if it may not come.
    pub fn take(&mut self, place: Place, bytes: &[u8]) -> Option<Place> {
        bytes.iter().try_fold(place, |place, byte| self.step(place, *byte))
    }

    /// Calls `allowed` with each token that may come next and leaves a way to end within `left` more.
    pub fn each_allowed(
        &mut self,
        place: Place,
        vocabulary: &Vocabulary,
        left: u32,
        mut allowed: impl FnMut(u32),
    ) {
        let Some(frame) = self.frame(place).copied() else { return };
        let in_text = matches!(self.rule(frame.rule), Some(Rule::Text { .. }));
        if !(in_text && frame.phase == text::INSIDE) {
            return self.walk(place, vocabulary.all(), left, &mut allowed);
        }
        if self.fewest_tokens(place) <= left {
            let fits = vocabulary.plain().iter().filter(|plain| plain.chars <= frame.at);
            fits.for_each(|plain| allowed(plain.token));
        }
        self.walk(place, vocabulary.special(), left, &mut allowed);
    }

    /// Tries the tokens of a trie, passing over all that begin with a prefix that cannot be.
    fn walk(&mut self, start: Place, trie: &Trie, left: u32, allowed: &mut impl FnMut(u32)) {
        // By depth: the place after the prefix, and how many frames there were.
        let mut places = vec![(start, self.frames.len()); trie.deepest() + 1];
        let mark = self.frames.len();
        let nodes = trie.nodes();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            let depth = usize::from(node.depth);
            let Some(&(before, frames)) = places.get(depth.wrapping_sub(1)) else { break };
            self.frames.truncate(frames);
            let Some(place) = self.step(before, node.byte) else {
                at = node.end as usize;
                continue;
            };
            if let Some(token) = node.token
                && self.fewest_tokens(place) <= left
            {
                allowed(token);
            }
            if let Some(slot) = places.get_mut(depth) {
                *slot = (place, self.frames.len());
            }
            at += 1;
        }
        self.frames.truncate(mark);
    }

    fn frame(&self, place: Place) -> Option<&Frame> {
        self.frames.get(place.0 as usize)
    }

    fn rule(&self, rule: RuleId) -> Option<&'g Rule> {
        self.grammar.rules.get(rule as usize)
    }

    fn push(&mut self, frame: Frame) -> Place {
        self.frames.push(frame);
        Place((self.frames.len() - 1) as u32)
    }

    /// Begins a rule. `None` if it would stand too deep.
    fn open(&mut self, rule: RuleId, parent: Place, below: u32, depth: u32) -> Option<Place> {
        if depth.saturating_add(self.grammar.depth_of(rule)) > DEEPEST {
            return None;
        }
        let mut frame = Frame { rule, parent, below, depth, phase: 0, low: 0, high: 0, at: 0 };
        match self.rule(rule)? {
            Rule::Seq { items, rest } => {
                let (first, after) = (*items.first()?, *rest.first()?);
                let parent = self.push(frame);
                self.open(first, parent, below.saturating_add(after), depth + 1)
            }
            Rule::Words(words) => {
                frame.high = words.len() as u16;
                Some(self.push(frame))
            }
            _ => Some(self.push(frame)),
        }
    }

    /// Goes on after a child of `parent` has ended.
    fn finish(&mut self, parent: Place) -> Option<Place> {
        let mut parent = parent;
        loop {
            let Some(frame) = self.frame(parent).copied() else { return Some(DONE) };
            match self.rule(frame.rule)? {
                Rule::Seq { items, rest } => {
                    let at = frame.at + 1;
                    let (Some(item), Some(after)) = (items.get(at as usize), rest.get(at as usize))
                    else {
                        parent = frame.parent;
                        continue;
                    };
                    let place = self.push(Frame { at, ..frame });
                    let below = frame.below.saturating_add(*after);
                    return self.open(*item, place, below, frame.depth + 1);
                }
                Rule::List { .. } => {
                    return Some(self.push(Frame {
                        phase: list::AFTER,
                        at: frame.at + 1,
                        ..frame
                    }));
                }
                _ => parent = frame.parent,
            }
        }
    }

    fn step(&mut self, place: Place, byte: u8) -> Option<Place> {
        let mut place = place;
        loop {
            let frame = *self.frame(place)?;
            match self.next(&frame, place, byte) {
                Next::Stay(frame) => return Some(self.push(frame)),
                Next::End => return self.finish(frame.parent),
                Next::Before => place = self.finish(frame.parent)?,
                Next::Open { rule, parent, below } => {
                    return self.open(rule, parent, below, frame.depth + 1);
                }
                Next::OpenWith { rule, parent, below } => {
                    place = self.open(rule, parent, below, frame.depth + 1)?;
                }
                Next::No => return None,
            }
        }
    }

    fn next(&mut self, frame: &Frame, place: Place, byte: u8) -> Next {
        let Some(rule) = self.rule(frame.rule) else { return Next::No };
        match rule {
            Rule::Words(words) => self.word(words, frame, byte),
            Rule::Space if byte == b' ' => Next::End,
            Rule::Space => Next::Before,
            Rule::OneOf(rules) => {
                let chosen = match rules.as_ref() {
                    [only] => Some(*only),
                    many => many.iter().copied().find(|rule| self.begins_with(*rule, byte)),
                };
                let (parent, below) = (frame.parent, frame.below);
                chosen.map_or(Next::No, |rule| Next::OpenWith { rule, parent, below })
            }
            Rule::List { open, close, item, most } => {
                let fits = frame.depth + 1 + self.grammar.depth_of(*item) <= DEEPEST;
                list::next(
                    frame,
                    place,
                    byte,
                    &list::Bounds {
                        open: *open,
                        close: *close,
                        item: *item,
                        most: if fits { *most } else { 0 },
                    },
                )
            }
            Rule::Text { most } => text::next(frame, byte, *most),
            Rule::Number(digits) => number::next(frame, byte, *digits),
            Rule::Duration => duration::next(frame, byte),
            Rule::Time => time::next(frame, byte),
            Rule::Bytes { groups } => base64::next(frame, byte, *groups),
            Rule::Open | Rule::Seq { .. } => Next::No,
        }
    }

    /// Whether a rule can start with a byte. Only asked of alternatives, whose first bytes differ.
    fn begins_with(&self, rule: RuleId, byte: u8) -> bool {
        match self.rule(rule) {
            Some(Rule::Words(words)) => words.iter().any(|word| word.bytes.first() == Some(&byte)),
            Some(Rule::Seq { items, .. }) => {
                items.first().is_some_and(|first| self.begins_with(*first, byte))
            }
            Some(Rule::OneOf(rules)) => rules.iter().any(|rule| self.begins_with(*rule, byte)),
            Some(Rule::List { open, .. }) => *open == byte,
            Some(Rule::Number(_)) => byte == b'-' || byte.is_ascii_digit(),
            Some(Rule::Text { .. } | Rule::Duration | Rule::Time | Rule::Bytes { .. }) => {
                byte == b'"'
            }
            Some(Rule::Open | Rule::Space) | None => false,
        }
    }

    /// Words that still fit are a range, because they are sorted.
    fn word(&self, words: &'g [Word], frame: &Frame, byte: u8) -> Next {
        let at = frame.at as usize;
        let range = usize::from(frame.low)..usize::from(frame.high);
        let fits = |word: &Word| word.bytes.get(at) == Some(&byte) && self.has_room(word, frame);
        let Some(left) = words.get(range.clone()) else { return Next::No };
        let (Some(first), Some(last)) = (left.iter().position(fits), left.iter().rposition(fits))
        else {
            return Next::No;
        };
        let (low, high) = (range.start + first, range.start + last + 1);
        let Some(word) = words.get(low) else { return Next::No };
        if at + 1 < word.bytes.len() {
            return Next::Stay(Frame {
                low: low as u16,
                high: high as u16,
                at: frame.at + 1,
                ..*frame
            });
        }
        match word.then {
            Some(rule) => Next::Open { rule, parent: frame.parent, below: frame.below },
            None => Next::End,
        }
    }

    fn has_room(&self, word: &Word, frame: &Frame) -> bool {
        word.then.is_none_or(|then| frame.depth + 1 + self.grammar.depth_of(then) <= DEEPEST)
    }

    /// The fewest tokens that end this frame.
    fn rest(&self, frame: &Frame) -> u32 {
        match self.rule(frame.rule) {
            Some(Rule::Words(words)) => {
                let range = usize::from(frame.low)..usize::from(frame.high);
                let left = words.get(range).unwrap_or_default().iter();
                let left = left.filter(|word| self.has_room(word, frame));
                left.map(|word| self.grammar.word_cost(word, frame.at as usize))
                    .min()
                    .unwrap_or(u32::MAX)
            }
            Some(Rule::OneOf(_)) => self.grammar.cost_of(frame.rule),
            Some(Rule::List { item, .. }) => list::rest(frame, self.grammar.cost_of(*item)),
            Some(Rule::Text { .. }) => text::rest(frame),
            Some(Rule::Number(_)) => number::rest(frame),
            Some(Rule::Duration) => duration::rest(frame),
            Some(Rule::Time) => time::LENGTH - frame.at,
            Some(Rule::Bytes { .. }) => base64::rest(frame),
            Some(Rule::Space | Rule::Open | Rule::Seq { .. }) | None => 0,
        }
    }

    /// Ended by what follows, not by a byte of its own.
    fn is_open_ended(&self, frame: &Frame) -> bool {
        matches!(self.rule(frame.rule), Some(Rule::Number(_) | Rule::Space))
    }
}

/// `[`, items with commas, `]`; a space may follow a comma. `at` counts the items.
mod list {
    use super::{Frame, Next, Place, RuleId};

    const FIRST: u8 = 1;
    pub const AFTER: u8 = 2;
    const NEXT: u8 = 3;
    const SPACED: u8 = 4;

    pub struct Bounds {
        pub open: u8,
        pub close: u8,
        pub item: RuleId,
        pub most: u32,
    }

    pub fn next(frame: &Frame, place: Place, byte: u8, bounds: &Bounds) -> Next {
        let item = Next::OpenWith { rule: bounds.item, parent: place, below: frame.below + 1 };
        let has_room = frame.at < bounds.most;
        match frame.phase {
            0 if byte == bounds.open => Next::Stay(Frame { phase: FIRST, ..*frame }),
            FIRST | AFTER if byte == bounds.close => Next::End,
            FIRST if has_room => item,
            AFTER if byte == b',' && has_room => Next::Stay(Frame { phase: NEXT, ..*frame }),
            NEXT if byte == b' ' => Next::Stay(Frame { phase: SPACED, ..*frame }),
            NEXT | SPACED => item,
            _ => Next::No,
        }
    }

    pub fn rest(frame: &Frame, item: u32) -> u32 {
        match frame.phase {
            0 => 2,
            NEXT | SPACED => item.saturating_add(1),
            _ => 1,
        }
    }
}

/// A JSON text. `at` is how many characters are left; after the first byte of a longer character `high` counts the bytes that
/// are missing and `low` says what the next one may be.
mod text {
    use super::{Frame, Next};

    pub const INSIDE: u8 = 1;
    const ESCAPED: u8 = 2;
    const PARTIAL: u8 = 3;

    pub fn next(frame: &Frame, byte: u8, most: u32) -> Next {
        let stay = |phase: u8, at: u32| Next::Stay(Frame { phase, at, ..*frame });
        match (frame.phase, byte) {
            (0, b'"') => stay(INSIDE, most),
            (INSIDE, b'"') => Next::End,
            (INSIDE, _) if frame.at == 0 => Next::No,
            (INSIDE, b'\\') => stay(ESCAPED, frame.at),
            (INSIDE, b' '..=0x7f) => stay(INSIDE, frame.at - 1),
            (INSIDE, _) => first_of_many(frame, byte),
            (ESCAPED, b'"' | b'\\' | b'/' | b'n' | b't' | b'r') => stay(INSIDE, frame.at - 1),
            (PARTIAL, _) if bounds(frame.low).contains(&byte) && frame.high == 1 => {
                stay(INSIDE, frame.at - 1)
            }
            (PARTIAL, _) if bounds(frame.low).contains(&byte) => {
                Next::Stay(Frame { low: ANY, high: frame.high - 1, ..*frame })
            }
            _ => Next::No,
        }
    }

    const ANY: u16 = 0;

    /// What may follow the first byte (Unicode, table 3-7): neither overlong forms nor surrogates.
    fn bounds(low: u16) -> std::ops::RangeInclusive<u8> {
        match low {
            0xe0 => 0xa0..=0xbf,
            0xed => 0x80..=0x9f,
            0xf0 => 0x90..=0xbf,
            0xf4 => 0x80..=0x8f,
            _ => 0x80..=0xbf,
        }
    }

    fn first_of_many(frame: &Frame, byte: u8) -> Next {
        let missing = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => return Next::No,
        };
        Next::Stay(Frame { phase: PARTIAL, low: u16::from(byte), high: missing, ..*frame })
    }

    pub fn rest(frame: &Frame) -> u32 {
        match frame.phase {
            0 | ESCAPED => 2,
            PARTIAL => 1 + u32::from(frame.high),
            _ => 1,
        }
    }
}

/// A number without exponent. `at` counts the digits of the part it is in.
mod number {
    use super::{Digits, Frame, Next};

    const SIGNED: u8 = 1;
    const ZERO: u8 = 2;
    const WHOLE: u8 = 3;
    const POINT: u8 = 4;
    const DECIMALS: u8 = 5;

    pub fn next(frame: &Frame, byte: u8, digits: Digits) -> Next {
        let stay = |phase: u8, at: u32| Next::Stay(Frame { phase, at, ..*frame });
        match (frame.phase, byte) {
            (0, b'-') => stay(SIGNED, 0),
            (0 | SIGNED, b'0') => stay(ZERO, 1),
            (0 | SIGNED, b'1'..=b'9') => stay(WHOLE, 1),
            (WHOLE, b'0'..=b'9') if frame.at < digits.whole => stay(WHOLE, frame.at + 1),
            (ZERO | WHOLE, b'.') if digits.decimals > 0 => stay(POINT, 0),
            (POINT | DECIMALS, b'0'..=b'9') if frame.at < digits.decimals => {
                stay(DECIMALS, frame.at + 1)
            }
            (ZERO | WHOLE | DECIMALS, b'0'..=b'9' | b'.') => Next::No,
            (ZERO | WHOLE | DECIMALS, _) => Next::Before,
            _ => Next::No,
        }
    }

    pub fn rest(frame: &Frame) -> u32 {
        u32::from(matches!(frame.phase, 0 | SIGNED | POINT))
    }
}

/// `"5s"`, `"1.5h"`. `at` counts digits.
mod duration {
    use super::{Frame, Next};

    const OPEN: u8 = 1;
    const WHOLE: u8 = 2;
    const POINT: u8 = 3;
    const DECIMALS: u8 = 4;
    /// An `n` or `u`, which wants its `s`.
    const FRACTION: u8 = 5;
    /// An `m`, which may have one.
    const MINUTE: u8 = 6;
    const UNIT: u8 = 7;
    const DIGITS: u32 = 4;

    pub fn next(frame: &Frame, byte: u8) -> Next {
        let stay = |phase: u8, at: u32| Next::Stay(Frame { phase, at, ..*frame });
        match (frame.phase, byte) {
            (0, b'"') => stay(OPEN, 0),
            (OPEN | WHOLE, b'0'..=b'9') if frame.at < DIGITS => stay(WHOLE, frame.at + 1),
            (WHOLE, b'.') => stay(POINT, 0),
            (POINT | DECIMALS, b'0'..=b'9') if frame.at < DIGITS => stay(DECIMALS, frame.at + 1),
            (WHOLE | DECIMALS, b'n' | b'u') => stay(FRACTION, 0),
            (WHOLE | DECIMALS, b'm') => stay(MINUTE, 0),
            (WHOLE | DECIMALS, b's' | b'h' | b'd' | b'w') => stay(UNIT, 0),
            (FRACTION | MINUTE, b's') => stay(UNIT, 0),
            (MINUTE | UNIT, b'"') => Next::End,
            _ => Next::No,
        }
    }

    pub fn rest(frame: &Frame) -> u32 {
        match frame.phase {
            0 => 4,
            OPEN | POINT => 3,
            WHOLE | DECIMALS | FRACTION => 2,
            _ => 1,
        }
    }
}

/// `"2026-01-31T12:00:00Z"`, from 1970 to 2199. `low` is the number of the part so far, `high` the month.
mod time {
    use super::{Frame, Next};

    pub const LENGTH: u32 = 22;
    const FORM: &[u8; 22] = b"\"YYYY-MM-DDTHH:II:SSZ\"";

    pub fn next(frame: &Frame, byte: u8) -> Next {
        let Some(kind) = FORM.get(frame.at as usize) else { return Next::No };
        let goes_on = Frame { at: frame.at + 1, ..*frame };
        if matches!(kind, b'"' | b'-' | b'T' | b':' | b'Z') {
            return match (*kind == byte, goes_on.at == LENGTH) {
                (false, _) => Next::No,
                (true, true) => Next::End,
                (true, false) => Next::Stay(Frame { low: 0, ..goes_on }),
            };
        }
        if !byte.is_ascii_digit() {
            return Next::No;
        }
        let number = frame.low * 10 + u16::from(byte - b'0');
        let is_whole = FORM.get(goes_on.at as usize) != Some(kind);
        // What the part may be in the end, cut to the digits there are.
        let (least, most) = range(*kind, frame.high);
        let digits = FORM.iter().skip(goes_on.at as usize).take_while(|k| *k == kind).count();
        let scale = 10u16.pow(digits as u32);
        if number < least / scale || number > most / scale {
            return Next::No;
        }
        let high = if is_whole && *kind == b'M' { number } else { frame.high };
        Next::Stay(Frame { low: number, high, ..goes_on })
    }

    /// February has 28 days here: whether the year is a leap year is not kept.
    fn range(kind: u8, month: u16) -> (u16, u16) {
        match kind {
            b'Y' => (1970, 2199),
            b'M' => (1, 12),
            b'D' => match month {
                2 => (1, 28),
                4 | 6 | 9 | 11 => (1, 30),
                _ => (1, 31),
            },
            b'H' => (0, 23),
            _ => (0, 59),
        }
    }
}

/// Base64 in whole groups of four. `at` counts the characters, `low` those of the padding.
mod base64 {
    use super::{Frame, Next};

    const INSIDE: u8 = 1;

    pub fn next(frame: &Frame, byte: u8, groups: u32) -> Next {
        let in_group = frame.at % 4;
        match (frame.phase, byte) {
            (0, b'"') => Next::Stay(Frame { phase: INSIDE, ..*frame }),
            (INSIDE, b'"') if in_group == 0 => Next::End,
            (INSIDE, b'=') if in_group >= 2 => {
                Next::Stay(Frame { at: frame.at + 1, low: 1, ..*frame })
            }
            (INSIDE, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/')
                if frame.low == 0 && frame.at < groups * 4 =>
            {
                Next::Stay(Frame { at: frame.at + 1, ..*frame })
            }
            _ => Next::No,
        }
    }

    pub fn rest(frame: &Frame) -> u32 {
        match frame.phase {
            0 => 2,
            _ => 1 + (4 - frame.at % 4) % 4,
        }
    }
}
