//! Work on values that may be huge, in pieces with a safepoint between: copies, searches, texts as they grow.
//!
//! What a builtin does besides one loop over elements goes through here, so that an interrupt, a limit or another agent
//! waits for one piece at most. Room is asked for before memory is. Never: a result that differs from the plain call's.

use crate::builtin::declare::Outcome;
use crate::builtin::support::{room, room_for, spend};
use crate::context::Cx;
use crate::fault::Faulted;
use crate::value::count::{is_alone, is_unique, release, retain};
use crate::value::list::ListBuf;
use crate::value::map::{MapBuf, MapRef};
use crate::value::shape::ShapeId;
use crate::value::text::{BytesBuf, TextBuf, TextRef};
use crate::value::{equal, show};

/// Bytes copied or looked at between two safepoints: tens of microseconds.
const BYTES: usize = 64 << 10;

/// Elements copied, with their counts, between two safepoints.
const ITEMS: usize = 4096;

/// Bytes that take as long as one step of interpreted code.
const BYTES_PER_STEP: usize = 64;

/// A safepoint after work on so many bytes.
pub fn spend_bytes(cx: &mut Cx, bytes: usize) -> Outcome<()> {
    spend(cx, bytes.div_ceil(BYTES_PER_STEP))
}

/// The safepoint as conversions of `value` ask it: once for each element; true when a Fault is set.
pub fn polled(cx: &mut Cx) -> impl FnMut() -> bool {
    let mut at = 0usize;
    move || {
        at += 1;
        at.is_multiple_of(1024) && spend(cx, 1024).is_err()
    }
}

/// The longest beginning of `text` of at most `bytes` bytes, and the rest.
fn split(text: &str, bytes: usize) -> (&str, &str) {
    text.split_at(text.floor_char_boundary(bytes))
}

/// A text that is built piece by piece.
#[derive(Debug, Default)]
pub struct Growing {
    text: TextBuf,
    /// Bytes added since the last safepoint.
    fresh: usize,
    capacity: usize,
}

impl Growing {
    /// For a text of about `bytes` bytes; R0113 if there is no room for them.
    pub fn new(cx: &mut Cx, bytes: usize) -> Outcome<Self> {
        room(cx, bytes)?;
        Ok(Self { text: TextBuf::with_capacity(bytes), fresh: 0, capacity: bytes })
    }

    /// Goes on with a text; in place if it is held alone.
    fn from_text(text: TextBuf) -> Self {
        let capacity = text.borrow().capacity();
        Self { text, fresh: 0, capacity }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.text.borrow().as_str().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, cx: &mut Cx, piece: &str) -> Outcome<()> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (now, later) = split(rest, BYTES);
            rest = later;
            self.reserve(cx, now.len())?;
            // Taken out for the call only: a text held alone grows in place.
            let text = std::mem::take(&mut self.text);
            self.text = text.append(now);
            self.fresh += now.len();
            if self.fresh >= BYTES {
                spend_bytes(cx, std::mem::take(&mut self.fresh))?;
            }
        }
        Ok(())
    }

    fn reserve(&mut self, cx: &mut Cx, more: usize) -> Outcome<()> {
        let needed = self.len().saturating_add(more);
        if needed > self.capacity {
            // As `append` will grow it.
            self.capacity = needed.max(self.capacity.saturating_mul(2));
            room(cx, self.capacity)?;
        }
        Ok(())
    }

    /// A value as `show` gives it.
    pub fn show(&mut self, cx: &mut Cx, word: u64, of: ShapeId) -> Outcome<()> {
        if of == ShapeId::TEXT {
            // SAFETY: a value of shape Text, borrowed for the call.
            return self.push(cx, unsafe { TextRef::from_word(word) }.as_str());
        }
        match show::pieces(word, of, &mut |piece| self.push(cx, piece).is_err()) {
            true => Err(Faulted),
            false => Ok(()),
        }
    }

    #[must_use]
    pub fn finish(self) -> TextBuf {
        self.text
    }
}

/// The text of a value, as `show` gives it; a Text is itself.
pub fn shown(cx: &mut Cx, word: u64, of: ShapeId) -> Outcome<TextBuf> {
    if of == ShapeId::TEXT {
        // SAFETY: a value of shape Text, borrowed for the call.
        return Ok(unsafe { TextRef::from_word(word) }.to_owned());
    }
    let mut text = Growing::new(cx, 0)?;
    text.show(cx, word, of)?;
    Ok(text.finish())
}

/// A Text of a part of another.
pub fn text(cx: &mut Cx, part: &str) -> Outcome<TextBuf> {
    if part.len() <= BYTES {
        return Ok(TextBuf::new(part));
    }
    let mut text = Growing::new(cx, part.len())?;
    text.push(cx, part)?;
    Ok(text.finish())
}

/// One text after the other: in place where the first is held alone.
pub fn append(cx: &mut Cx, first: TextBuf, second: &str) -> Outcome<TextBuf> {
    let length = first.borrow().as_str().len();
    if length.max(second.len()) <= BYTES {
        room(cx, length + second.len())?;
        return Ok(first.append(second));
    }
    let mut text = if is_unique(first.borrow().word()) {
        Growing::from_text(first)
    } else {
        let mut copy = Growing::new(cx, length + second.len())?;
        copy.push(cx, first.borrow().as_str())?;
        copy
    };
    text.push(cx, second)?;
    Ok(text.finish())
}

pub fn bytes(cx: &mut Cx, from: &[u8]) -> Outcome<BytesBuf> {
    room(cx, from.len())?;
    let mut made = BytesBuf::with_capacity(from.len());
    for part in from.chunks(BYTES) {
        made.extend(part);
        spend_bytes(cx, part.len())?;
    }
    Ok(made)
}

/// Whether to look for more matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Search {
    On,
    Done,
}

/// Calls `found` with where each match of `part` (not empty) begins, from left to right and without overlaps.
pub fn matches(
    cx: &mut Cx,
    text: &str,
    part: &str,
    mut found: impl FnMut(&mut Cx, usize) -> Outcome<Search>,
) -> Outcome<()> {
    // A match is looked for where it lies whole, so windows overlap by the part's length.
    let window = BYTES.max(part.len().saturating_mul(4));
    let mut from = 0usize;
    loop {
        let end = text.floor_char_boundary(from.saturating_add(window).min(text.len()));
        let here = text.get(from..end).unwrap_or("");
        let mut next = from;
        for (at, _) in here.match_indices(part) {
            next = from + at + part.len();
            if found(cx, from + at)? == Search::Done {
                return Ok(());
            }
        }
        if end == text.len() {
            return Ok(());
        }
        spend_bytes(cx, end - from)?;
        from = next.max(text.floor_char_boundary((end + 1).saturating_sub(part.len())));
    }
}

/// Where `part` first begins, in bytes.
pub fn find(cx: &mut Cx, text: &str, part: &str) -> Outcome<Option<usize>> {
    if part.is_empty() {
        return Ok(Some(0));
    }
    let mut first = None;
    matches(cx, text, part, |_, at| {
        first = Some(at);
        Ok(Search::Done)
    })?;
    Ok(first)
}

/// Calls `each` with the pieces of a text that may be handled one by one.
pub fn in_pieces(
    cx: &mut Cx,
    text: &str,
    mut each: impl FnMut(&mut Cx, &str) -> Outcome<Search>,
) -> Outcome<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let (now, later) = split(rest, BYTES);
        rest = later;
        if each(cx, now)? == Search::Done {
            return Ok(());
        }
        spend_bytes(cx, now.len())?;
    }
    Ok(())
}

/// The byte at which the character at a position begins; the end for positions past it.
pub fn offset(cx: &mut Cx, text: TextRef<'_>, position: usize) -> Outcome<usize> {
    if text.is_ascii() || text.as_str().len() <= BYTES {
        return Ok(text.offset(position));
    }
    let (mut offset, mut left) = (0, position);
    in_pieces(cx, text.as_str(), |_, piece| {
        let chars = piece.chars().count();
        if left < chars {
            offset += piece.char_indices().nth(left).map_or(0, |(at, _)| at);
            return Ok(Search::Done);
        }
        left -= chars;
        offset += piece.len();
        Ok(Search::On)
    })?;
    Ok(offset)
}

/// The position in characters of a byte of the text.
pub fn position(cx: &mut Cx, text: TextRef<'_>, offset: usize) -> Outcome<usize> {
    if text.is_ascii() {
        return Ok(offset);
    }
    let mut chars = 0;
    in_pieces(cx, text.as_str().get(..offset).unwrap_or(""), |_, piece| {
        chars += piece.chars().count();
        Ok(Search::On)
    })?;
    Ok(chars)
}

/// Adds elements of a shape, each with one more holder.
pub fn extend(cx: &mut Cx, list: &mut ListBuf, items: &[u64], of: ShapeId) -> Outcome<()> {
    for part in items.chunks(ITEMS) {
        if !of.is_scalar() {
            part.iter().for_each(|&item| retain(item, of));
        }
        list.extend(part);
        spend(cx, if of.is_scalar() { part.len() / 8 } else { part.len() })?;
    }
    Ok(())
}

/// A list of elements of a shape, each with one more holder; `list` is the list's own shape.
pub fn list(cx: &mut Cx, list: ShapeId, items: &[u64], of: ShapeId) -> Outcome<ListBuf> {
    room_for(cx, items.len())?;
    let mut made = ListBuf::with_capacity(list, items.len());
    extend(cx, &mut made, items, of)?;
    Ok(made)
}

/// The list held alone, with room for `more` elements: itself, or a copy.
pub fn own_list(cx: &mut Cx, list: ListBuf, more: usize) -> Outcome<ListBuf> {
    let length = list.borrow().len();
    if is_alone(list.borrow().word()) {
        let capacity = list.borrow().capacity();
        if length + more > capacity {
            room_for(cx, (length + more).max(capacity.saturating_mul(2)))?;
        }
        return Ok(list);
    }
    room_for(cx, length.saturating_add(more))?;
    let from = list.borrow();
    let mut copy = ListBuf::with_capacity(from.shape(), length + more);
    extend(cx, &mut copy, from.items(), from.element())?;
    Ok(copy)
}

/// Of the smallest memory a map may have, so many times is copied or put in order at once.
const ENTRY_BYTES: usize = 48;

/// The map held alone, with room for one more entry: itself, or a copy.
pub fn own_map(cx: &mut Cx, map: MapBuf) -> Outcome<MapBuf> {
    let entries = map.borrow().len();
    if is_alone(map.borrow().word()) {
        let mut map = map;
        if map.is_tidy() {
            return Ok(map);
        }
        room(cx, entries.saturating_mul(ENTRY_BYTES))?;
        return match map.tidy(&mut polled(cx)) {
            true => Ok(map),
            false => Err(Faulted),
        };
    }
    room(cx, entries.saturating_mul(ENTRY_BYTES))?;
    MapBuf::copy_of(map.borrow(), &mut polled(cx)).ok_or(Faulted)
}

/// The map with a value at a key; takes both over.
pub fn map_set(cx: &mut Cx, map: MapBuf, key: u64, value: u64) -> Outcome<MapBuf> {
    let (of, to) = (map.borrow().key_shape(), map.borrow().value_shape());
    match own_map(cx, map) {
        Ok(map) => Ok(map.set(key, value)),
        Err(faulted) => {
            release(key, of);
            release(value, to);
            Err(faulted)
        }
    }
}

/// The keys of a map or the elements of a set, borrowed.
pub fn keys(cx: &mut Cx, map: MapRef<'_>) -> Outcome<Vec<u64>> {
    collect(cx, map.len(), map.keys())
}

/// Words in a row.
pub fn collect(
    cx: &mut Cx,
    expected: usize,
    words: impl Iterator<Item = u64>,
) -> Outcome<Vec<u64>> {
    room_for(cx, expected)?;
    let mut row = Vec::with_capacity(expected);
    for word in words {
        row.push(word);
        if row.len().is_multiple_of(ITEMS) {
            spend(cx, ITEMS / 4)?;
        }
    }
    Ok(row)
}

/// Structural `==`.
pub fn equals(cx: &mut Cx, a: u64, b: u64, of: ShapeId) -> Outcome<bool> {
    equal::equal_polled(a, b, of, &mut polled(cx)).ok_or(Faulted)
}

/// The order of two values of an Ord type.
pub fn compare(cx: &mut Cx, a: u64, b: u64, of: ShapeId) -> Outcome<std::cmp::Ordering> {
    equal::compare_polled(a, b, of, &mut polled(cx)).ok_or(Faulted)
}
