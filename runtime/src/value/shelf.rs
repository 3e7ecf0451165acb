//! An append-only table read without locks: the shapes and the function slots live in two of them.
//!
//! Never: moves an entry, gives an index twice. Readers load two pointers; writers take a lock.
//! An entry that `set` replaces stays alive until the shelf is dropped, so a reference from [`Shelf::get`] is good for
//! as long as the shelf is borrowed.

use parking_lot::Mutex;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// log2 of the first chunk's length; chunk `k` has `FIRST << k` entries, so 26 chunks hold any `u32`.
const FIRST_BITS: u32 = 6;
const CHUNKS: usize = 26;

pub struct Shelf<T: Send + Sync + 'static> {
    chunks: [OnceLock<Box<[AtomicPtr<T>]>>; CHUNKS],
    /// Written under `replaced`'s lock only; read anywhere.
    next: AtomicU32,
    /// Entries that were swapped out while readers may still look at them.
    replaced: Mutex<Vec<Box<T>>>,
}

impl<T: Send + Sync + 'static> Default for Shelf<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Chunk and offset of an index.
fn place(index: u32) -> (usize, usize) {
    let shifted = u64::from(index) + (1 << FIRST_BITS);
    let bits = 63 - shifted.leading_zeros();
    ((bits - FIRST_BITS) as usize, (shifted - (1 << bits)) as usize)
}

impl<T: Send + Sync + 'static> Shelf<T> {
    #[must_use]
    pub const fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            next: AtomicU32::new(0),
            replaced: Mutex::new(Vec::new()),
        }
    }

    /// How many indices are given out.
    pub fn len(&self) -> u32 {
        self.next.load(Ordering::Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives out the next index; its entry is empty until [`Shelf::set`].
    pub fn allocate(&self) -> u32 {
        let _writers = self.replaced.lock();
        let index = self.next.load(Ordering::Relaxed);
        let (chunk, _) = place(index);
        if let Some(cell) = self.chunks.get(chunk) {
            let length = 1usize << (chunk as u32 + FIRST_BITS);
            cell.get_or_init(|| (0..length).map(|_| AtomicPtr::default()).collect());
        }
        // Pairs with the Acquire in `len`: whoever sees the index sees its chunk.
        self.next.store(index + 1, Ordering::Release);
        index
    }

    fn entry(&self, index: u32) -> Option<&AtomicPtr<T>> {
        let (chunk, offset) = place(index);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    /// The entry of an index that was given out.
    fn given(&self, index: u32) -> Option<&AtomicPtr<T>> {
        if index < self.len() { self.entry(index) } else { None }
    }

    /// The entry, or `None` while it is not set.
    #[inline]
    pub fn get(&self, index: u32) -> Option<&T> {
        let pointer = self.entry(index)?.load(Ordering::Acquire);
        // SAFETY: a pointer in an entry comes from `Box::into_raw` and is freed only in `drop`.
        unsafe { pointer.as_ref() }
    }

    /// Puts an entry in place; a former one is kept aside. False when the index was never given out.
    pub fn set(&self, index: u32, value: T) -> bool {
        let Some(entry) = self.given(index) else { return false };
        let mut replaced = self.replaced.lock();
        let old = entry.swap(Box::into_raw(Box::new(value)), Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: `old` came from `Box::into_raw` here and the entry no longer holds it.
            replaced.push(unsafe { Box::from_raw(old) });
        }
        true
    }

    /// Puts an entry in place, or none, and gives the former one out.
    ///
    /// # Safety
    /// The caller keeps what it is given until no reference from [`Shelf::get`] can lead to it any more.
    pub unsafe fn swap(&self, index: u32, value: Option<T>) -> Option<Box<T>> {
        let entry = self.given(index)?;
        let _writers = self.replaced.lock();
        let new = value.map_or(ptr::null_mut(), |value| Box::into_raw(Box::new(value)));
        let old = entry.swap(new, Ordering::AcqRel);
        // SAFETY: `old` came from `Box::into_raw` in this file and the entry no longer holds it.
        (!old.is_null()).then(|| unsafe { Box::from_raw(old) })
    }

    /// Puts an entry in place if there is none; false if there was.
    pub fn set_once(&self, index: u32, value: T) -> bool {
        let Some(entry) = self.given(index) else { return false };
        let _writers = self.replaced.lock();
        if !entry.load(Ordering::Acquire).is_null() {
            return false;
        }
        entry.store(Box::into_raw(Box::new(value)), Ordering::Release);
        true
    }
}

impl<T: Send + Sync + 'static> Drop for Shelf<T> {
    fn drop(&mut self) {
        for chunk in self.chunks.iter().filter_map(OnceLock::get) {
            for entry in chunk {
                let pointer = entry.swap(ptr::null_mut(), Ordering::AcqRel);
                if !pointer.is_null() {
                    // SAFETY: from `Box::into_raw`; `&mut self` rules readers out.
                    drop(unsafe { Box::from_raw(pointer) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Shelf, place};

    #[test]
    fn places_are_dense() {
        assert_eq!(place(0), (0, 0));
        assert_eq!(place(63), (0, 63));
        assert_eq!(place(64), (1, 0));
        assert_eq!(place(191), (1, 127));
        assert_eq!(place(192), (2, 0));
        assert_eq!(place(u32::MAX).0, super::CHUNKS);
    }

    #[test]
    fn entries_stay_where_they_are() {
        let shelf = Shelf::new();
        for n in 0..1000u32 {
            let index = shelf.allocate();
            assert_eq!(index, n);
            assert!(shelf.get(index).is_none());
            assert!(shelf.set(index, n.to_string()));
        }
        let old = shelf.get(7).map(String::as_str);
        assert!(shelf.set(7, "seven".to_owned()));
        assert_eq!(old, Some("7"));
        assert_eq!(shelf.get(7).map(String::as_str), Some("seven"));
        assert!(!shelf.set_once(7, "again".to_owned()));
        assert!(!shelf.set(1000, String::new()));
        assert!(shelf.get(u32::MAX).is_none());
    }

    #[test]
    fn readers_race_with_writers() {
        let shelf = Shelf::new();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let index = shelf.allocate();
                        shelf.set(index, u64::from(index));
                    }
                });
            }
            scope.spawn(|| {
                for round in 0..20_000u32 {
                    let index = round % 4000;
                    assert!(shelf.get(index).is_none_or(|&value| value == u64::from(index)));
                }
            });
        });
        assert_eq!(shelf.len(), 4000);
    }
}
