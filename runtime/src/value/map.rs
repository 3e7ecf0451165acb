//! Map and Set: insertion-ordered, found by a hash index.
//!
//! Entries stand in a row in the order they came; removing one leaves a gap, and the row is closed up when half
//! of it is gaps, so order is kept and removal is O(1). A Set is a Map of Units. What changes one consumes it: in place
//! when held alone. Never: a hash order seen by a program.

use crate::value::count::{is_alone, release, retain, share_into};
use crate::value::equal::{equal, hash};
use crate::value::handle::handle;
use crate::value::heap::{self, Header};
use crate::value::json::Poll;
use crate::value::shape::{Shape, ShapeId, shape};
use hashbrown::HashTable;
use std::ptr;

#[derive(Clone, Copy)]
struct Entry {
    /// `LIVE` and 63 bits of hash; 0 in a gap.
    mark: u64,
    key: u64,
    value: u64,
}

const LIVE: u64 = 1 << 63;

/// Entries that take about a millisecond to put in order.
const LARGE: usize = 1 << 14;

#[derive(Default, Clone)]
struct Body {
    entries: Vec<Entry>,
    index: HashTable<u32>,
    live: usize,
}

#[repr(C)]
struct MapObject {
    header: Header,
    /// Bytes of `body` that the heap's account knows of.
    accounted: usize,
    body: Body,
}

handle!(
    /// A borrowed Map or Set.
    MapRef, MapBuf
);

/// # Safety
/// A dead Map or Set whose keys and values were released. Gives the size of the object itself.
pub(super) unsafe fn free_body(word: u64) -> usize {
    let object = word as *mut MapObject;
    // SAFETY: the caller's promise; the body is dropped once.
    unsafe {
        heap::account(0, -((*object).accounted as i64));
        ptr::drop_in_place(&raw mut (*object).body);
    }
    size_of::<MapObject>()
}

fn shapes_of(map: ShapeId) -> (ShapeId, ShapeId) {
    match shape(map) {
        Shape::Map(key, value) => (*key, *value),
        Shape::Set(key) => (*key, ShapeId::UNIT),
        _ => (ShapeId::UNIT, ShapeId::UNIT),
    }
}

fn mark_of(key: u64, key_shape: ShapeId) -> u64 {
    hash(key, key_shape) | LIVE
}

impl Body {
    fn find(&self, key: u64, of: ShapeId) -> Option<usize> {
        let mark = mark_of(key, of);
        let matches = |&at: &u32| {
            self.entries
                .get(at as usize)
                .is_some_and(|entry| entry.mark == mark && equal(entry.key, key, of))
        };
        self.index.find(mark, matches).map(|&at| at as usize)
    }

    fn push(&mut self, entry: Entry) {
        let at = self.entries.len() as u32;
        self.entries.push(entry);
        self.live += 1;
        let entries = &self.entries;
        let rehash = |&at: &u32| entries.get(at as usize).map_or(0, |entry| entry.mark);
        self.index.insert_unique(entry.mark, at, rehash);
    }

    /// Leaves a gap; gives what was there.
    fn take(&mut self, at: usize) -> Option<Entry> {
        let slot = self.entries.get_mut(at)?;
        let entry = std::mem::replace(slot, Entry { mark: 0, key: 0, value: 0 });
        if let Ok(found) = self.index.find_entry(entry.mark, |&other| other as usize == at) {
            found.remove();
        }
        self.live -= 1;
        Some(entry)
    }

    fn has_gaps(&self) -> bool {
        self.entries.len() >= 16 && self.live * 2 < self.entries.len()
    }

    /// Whether one more entry finds its place without a look at all others.
    fn is_tidy(&self) -> bool {
        !self.has_gaps() && self.index.len() < self.index.capacity()
    }

    /// The same entries in the same order without gaps, with room for as many again; `None` if it was stopped.
    fn tidied(&self, spare: usize, poll: Poll<'_>) -> Option<Self> {
        let capacity = self.live + spare;
        let mut made = Self {
            entries: Vec::with_capacity(capacity),
            index: HashTable::with_capacity(capacity),
            live: 0,
        };
        for entry in self.entries.iter().filter(|entry| entry.mark != 0) {
            made.push(*entry);
            if poll() {
                return None;
            }
        }
        Some(made)
    }

    fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.index.allocation_size()
    }
}

impl<'a> MapRef<'a> {
    fn body(self) -> &'a Body {
        // SAFETY: a handle is a live Map or Set for its lifetime.
        unsafe { &(*(self.word() as *const MapObject)).body }
    }

    #[must_use]
    pub fn len(self) -> usize {
        self.body().live
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn key_shape(self) -> ShapeId {
        shapes_of(self.shape()).0
    }

    #[must_use]
    pub fn value_shape(self) -> ShapeId {
        shapes_of(self.shape()).1
    }

    /// The value of a key, borrowed.
    #[must_use]
    pub fn get(self, key: u64) -> Option<u64> {
        let at = self.body().find(key, self.key_shape())?;
        self.body().entries.get(at).map(|entry| entry.value)
    }

    #[must_use]
    pub fn contains(self, key: u64) -> bool {
        self.body().find(key, self.key_shape()).is_some()
    }

    /// Keys and values in order, borrowed.
    pub fn entries(self) -> impl Iterator<Item = (u64, u64)> + 'a {
        let live = self.body().entries.iter().filter(|entry| entry.mark != 0);
        live.map(|entry| (entry.key, entry.value))
    }

    pub fn keys(self) -> impl Iterator<Item = u64> + 'a {
        self.entries().map(|(key, _)| key)
    }

    pub fn values(self) -> impl Iterator<Item = u64> + 'a {
        self.entries().map(|(_, value)| value)
    }

    /// The key that came last, borrowed.
    #[must_use]
    pub fn last_key(self) -> Option<u64> {
        let last = self.body().entries.iter().rev().find(|entry| entry.mark != 0);
        last.map(|entry| entry.key)
    }

    /// For loops: the entry at or after a position, and the position after it. Begin with 0.
    #[must_use]
    pub fn next(self, position: usize) -> Option<(usize, u64, u64)> {
        let rest = self.body().entries.get(position..)?;
        let (gap, entry) = rest.iter().enumerate().find(|(_, entry)| entry.mark != 0)?;
        Some((position + gap + 1, entry.key, entry.value))
    }

    /// As `count::children`.
    pub(super) fn children(
        self,
        next: &mut usize,
        most: usize,
        visit: &mut dyn FnMut(u64),
    ) -> bool {
        let (key, value) = shapes_of(self.shape());
        let (keys, values) = (!key.is_scalar(), !value.is_scalar());
        if !keys && !values {
            return true;
        }
        let rest = self.body().entries.get(*next..).unwrap_or(&[]);
        let part = rest.get(..most).unwrap_or(rest);
        for entry in part.iter().filter(|entry| entry.mark != 0) {
            if keys {
                visit(entry.key);
            }
            if values {
                visit(entry.value);
            }
        }
        *next += part.len();
        part.len() == rest.len()
    }
}

impl MapBuf {
    /// An empty one; `map` is its own shape.
    #[must_use]
    pub fn new(map: ShapeId) -> Self {
        Self::with_body(map, Body::default())
    }

    #[must_use]
    pub fn with_capacity(map: ShapeId, capacity: usize) -> Self {
        let entries = Vec::with_capacity(capacity);
        let index = HashTable::with_capacity(capacity);
        Self::with_body(map, Body { entries, index, live: 0 })
    }

    fn with_body(map: ShapeId, body: Body) -> Self {
        let object = heap::allocate(size_of::<MapObject>(), map).cast::<MapObject>();
        // SAFETY: fresh memory of that size; both fields are written before anybody reads them.
        let mut made = unsafe {
            (&raw mut (*object).accounted).write(0);
            (&raw mut (*object).body).write(body);
            Self::from_word(object as u64)
        };
        made.settle();
        made
    }

    fn object(&mut self) -> &mut MapObject {
        debug_assert!(is_alone(self.word), "a map is changed while others hold it");
        // SAFETY: held alone (every caller made it so) and `&mut self`.
        unsafe { &mut *(self.word as *mut MapObject) }
    }

    /// Tells the heap's account what the body grew or shrank by.
    fn settle(&mut self) {
        let object = self.object();
        let (now, before) = (object.body.bytes(), object.accounted);
        if now != before {
            object.accounted = now;
            heap::account(0, now as i64 - before as i64);
        }
    }

    /// Held by the caller alone: itself, or a copy whose keys and values have one more holder.
    fn unique(self) -> Self {
        if is_alone(self.word) {
            return self;
        }
        let source = self.borrow();
        let (key_shape, value_shape) = shapes_of(source.shape());
        for (key, value) in source.entries() {
            retain(key, key_shape);
            retain(value, value_shape);
        }
        Self::with_body(source.shape(), source.body().clone())
    }

    /// A copy held by the caller alone; `None` if it was stopped.
    #[must_use]
    pub fn copy_of(source: MapRef<'_>, poll: Poll<'_>) -> Option<Self> {
        let (key_shape, value_shape) = shapes_of(source.shape());
        let mut copy = Self::with_capacity(source.shape(), source.len() + 1);
        for entry in source.body().entries.iter().filter(|entry| entry.mark != 0) {
            retain(entry.key, key_shape);
            retain(entry.value, value_shape);
            copy.object().body.push(*entry);
            if poll() {
                return None;
            }
        }
        Some(copy)
    }

    /// Whether the next change looks at a few entries only. The map must be held alone.
    #[must_use]
    pub fn is_tidy(&mut self) -> bool {
        self.object().body.is_tidy()
    }

    /// Makes it so; false if it was stopped, and then it is as it was. The map must be held alone.
    #[must_use]
    pub fn tidy(&mut self, poll: Poll<'_>) -> bool {
        let body = &self.object().body;
        let Some(tidied) = body.tidied(body.live.max(4), poll) else { return false };
        self.object().body = tidied;
        self.settle();
        true
    }

    /// The map with `value` at `key`; takes both over. A key that is there keeps its place.
    #[must_use]
    pub fn set(self, key: u64, value: u64) -> Self {
        let mut map = self.unique();
        let (key_shape, value_shape) = shapes_of(map.borrow().shape());
        let found = map.borrow().body().find(key, key_shape);
        share_into(map.word, key, key_shape);
        share_into(map.word, value, value_shape);
        let body = &mut map.object().body;
        if let Some(entry) = found.and_then(|at| body.entries.get_mut(at)) {
            let old = std::mem::replace(&mut entry.value, value);
            release(old, value_shape);
            release(key, key_shape);
        } else {
            body.push(Entry { mark: mark_of(key, key_shape), key, value });
            map.settle();
        }
        map
    }

    /// The set with an element, which it takes over.
    #[must_use]
    pub fn insert(self, key: u64) -> Self {
        self.set(key, 0)
    }

    /// The map without a key (borrowed).
    #[must_use]
    pub fn remove(self, key: u64) -> Self {
        let (key_shape, value_shape) = shapes_of(self.borrow().shape());
        let Some(at) = self.borrow().body().find(key, key_shape) else { return self };
        let mut map = self.unique();
        if let Some(gone) = map.object().body.take(at) {
            release(gone.key, key_shape);
            release(gone.value, value_shape);
        }
        // A large one keeps its gaps until somebody tidies it who can be stopped meanwhile.
        if map.object().body.has_gaps() && map.borrow().len() < LARGE {
            let _ = map.tidy(&mut || false);
        }
        map.settle();
        map
    }
}
