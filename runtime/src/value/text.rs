//! Text and Bytes: immutable, except that a text somebody holds alone grows in place.
//!
//! A Text knows its length in bytes and in characters; where the two agree it is ASCII, and indexing is O(1).
//! Never: invalid UTF-8, a byte offset shown to a program.

use crate::value::count::is_unique;
use crate::value::handle::handle;
use crate::value::heap::{self, Header};
use crate::value::shape::ShapeId;
use std::ops::Range;
use std::{ptr, slice, str};

#[repr(C)]
struct TextObject {
    header: Header,
    bytes: usize,
    chars: usize,
    capacity: usize,
}

#[repr(C)]
struct BytesObject {
    header: Header,
    length: usize,
    capacity: usize,
}

handle!(
    /// A borrowed Text.
    TextRef, TextBuf
);
handle!(
    /// A borrowed Bytes value.
    BytesRef, BytesBuf
);

const BASE: usize = size_of::<TextObject>();
const BYTES_BASE: usize = size_of::<BytesObject>();

/// # Safety
/// A live Text.
pub(super) unsafe fn size(word: u64) -> usize {
    // SAFETY: the caller's promise.
    BASE + unsafe { (*(word as *const TextObject)).capacity }
}

/// # Safety
/// A live Bytes value.
pub(super) unsafe fn bytes_size(word: u64) -> usize {
    // SAFETY: the caller's promise.
    BYTES_BASE + unsafe { (*(word as *const BytesObject)).capacity }
}

fn count_chars(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

impl<'a> TextRef<'a> {
    fn object(self) -> &'a TextObject {
        // SAFETY: a handle is a live Text for its lifetime.
        unsafe { &*(self.word() as *const TextObject) }
    }

    #[must_use]
    pub fn as_str(self) -> &'a str {
        // SAFETY: the first `bytes` bytes behind the object are initialised UTF-8 and do not change while borrowed.
        unsafe {
            let data = (self.word() as *const u8).add(BASE);
            str::from_utf8_unchecked(slice::from_raw_parts(data, self.object().bytes))
        }
    }

    /// Length in characters.
    #[must_use]
    pub fn len(self) -> usize {
        self.object().chars
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.object().bytes == 0
    }

    #[must_use]
    pub fn is_ascii(self) -> bool {
        self.object().chars == self.object().bytes
    }

    /// Bytes it has room for.
    #[must_use]
    pub fn capacity(self) -> usize {
        self.object().capacity
    }

    /// Byte offset of a character; the end for positions past it.
    #[must_use]
    pub fn offset(self, position: usize) -> usize {
        let text = self.as_str();
        if self.is_ascii() {
            return position.min(text.len());
        }
        text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
    }

    /// The character at a position.
    #[must_use]
    pub fn char_at(self, position: usize) -> Option<char> {
        let text = self.as_str();
        if self.is_ascii() {
            return text.as_bytes().get(position).map(|&byte| char::from(byte));
        }
        text.chars().nth(position)
    }

    /// The characters of a range of positions, cut to the text.
    #[must_use]
    pub fn slice(self, range: Range<usize>) -> &'a str {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        self.as_str().get(start..end.max(start)).unwrap_or("")
    }

    /// Position in characters of a byte offset.
    #[must_use]
    pub fn position(self, offset: usize) -> usize {
        if self.is_ascii() {
            return offset;
        }
        self.as_str().get(..offset).map_or(0, |before| before.chars().count())
    }
}

impl TextBuf {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::with_chars(text, count_chars(text), text.len())
    }

    fn with_chars(text: &str, chars: usize, capacity: usize) -> Self {
        let object = heap::allocate(BASE + capacity, ShapeId::TEXT).cast::<TextObject>();
        // SAFETY: fresh memory of BASE + capacity bytes, and capacity >= text.len().
        unsafe {
            (*object).bytes = text.len();
            (*object).chars = chars;
            (*object).capacity = capacity;
            let data = object.cast::<u8>().add(BASE);
            ptr::copy_nonoverlapping(text.as_ptr(), data, text.len());
            Self::from_word(object as u64)
        }
    }

    /// An empty one with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self::with_chars("", 0, bytes)
    }

    /// Appends: in place when held alone, so building a text piece by piece is linear.
    #[must_use]
    pub fn append(self, more: &str) -> Self {
        let (bytes, chars) = (self.borrow().object().bytes, self.borrow().len());
        let needed = bytes + more.len();
        let added = count_chars(more);
        if !is_unique(self.word) {
            let grown = Self::with_chars(self.borrow().as_str(), chars, needed);
            return grown.append(more);
        }
        let mut object = self.into_word() as *mut TextObject;
        // SAFETY: held alone; the object is grown before bytes behind the old capacity are written.
        // `more` cannot lie inside it, because a borrow of this text would be a second holder or end with `self`.
        unsafe {
            let capacity = (*object).capacity;
            if needed > capacity {
                let target = needed.max(capacity * 2).max(32);
                let moved = heap::reallocate(object.cast(), BASE + capacity, BASE + target);
                object = moved.cast();
                (*object).capacity = target;
            }
            let end = object.cast::<u8>().add(BASE + bytes);
            ptr::copy_nonoverlapping(more.as_ptr(), end, more.len());
            (*object).bytes = needed;
            (*object).chars = chars + added;
            Self::from_word(object as u64)
        }
    }
}

impl Default for TextBuf {
    fn default() -> Self {
        Self::new("")
    }
}

impl From<&str> for TextBuf {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for TextBuf {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl<'a> BytesRef<'a> {
    #[must_use]
    pub fn as_slice(self) -> &'a [u8] {
        // SAFETY: a handle is a live Bytes value; its `length` bytes are initialised and never change.
        unsafe {
            let object = &*(self.word() as *const BytesObject);
            slice::from_raw_parts((self.word() as *const u8).add(BYTES_BASE), object.length)
        }
    }
}

impl BytesBuf {
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut made = Self::with_capacity(bytes.len());
        made.extend(bytes);
        made
    }

    /// Empty, with room for so many bytes: it is filled before anybody else sees it.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let object = heap::allocate(BYTES_BASE + capacity, ShapeId::BYTES).cast::<BytesObject>();
        // SAFETY: fresh memory of that size.
        unsafe {
            (*object).length = 0;
            (*object).capacity = capacity;
            Self::from_word(object as u64)
        }
    }

    /// Adds bytes, as many as there is room for.
    pub fn extend(&mut self, bytes: &[u8]) {
        debug_assert!(is_unique(self.word), "bytes are changed while others hold them");
        // SAFETY: held alone by whoever fills it; no more is written than there is room for behind the length.
        unsafe {
            let object = self.word as *mut BytesObject;
            let length = (*object).length;
            let count = bytes.len().min((*object).capacity - length);
            let data = object.cast::<u8>().add(BYTES_BASE + length);
            ptr::copy_nonoverlapping(bytes.as_ptr(), data, count);
            (*object).length = length + count;
        }
    }
}
