//! The register stack of one coroutine: frames of `u64` registers in chunks that never move.
//!
//! Never: moves or frees a chunk while a frame lives in it, or interprets a register. Frames are strictly nested: the last one
//! entered is the first one left.
#![allow(clippy::indexing_slicing)]

use std::mem::offset_of;
use std::ptr::null_mut;

const FIRST_CHUNK: usize = 1 << 10;
const LARGEST_CHUNK: usize = 1 << 18;
/// What an idle pooled context keeps: more than this is given back when its work ends.
const KEPT_WORDS: usize = 1 << 14;
/// Frames nested deeper than this are Fault R0110.
pub const DEFAULT_DEPTH: u32 = 100_000;

pub struct RegisterStack {
    top: *mut u64,
    limit: *mut u64,
    depth: u32,
    max_depth: u32,
    current: usize,
    chunks: Vec<Chunk>,
}

struct Chunk {
    words: Box<[u64]>,
    /// Where the frames of this chunk ended when a later chunk was begun.
    resume: *mut u64,
}

impl Chunk {
    fn new(words: usize) -> Self {
        let mut words = vec![0; words].into_boxed_slice();
        let resume = words.as_mut_ptr();
        Self { words, resume }
    }
}

impl Default for RegisterStack {
    fn default() -> Self {
        Self {
            top: null_mut(),
            limit: null_mut(),
            depth: 0,
            max_depth: DEFAULT_DEPTH,
            current: 0,
            chunks: Vec::new(),
        }
    }
}

impl RegisterStack {
    /// For compiled code, which counts its calls itself.
    pub const DEPTH_OFFSET: usize = offset_of!(RegisterStack, depth);
    pub const MAX_DEPTH_OFFSET: usize = offset_of!(RegisterStack, max_depth);

    pub fn set_max_depth(&mut self, depth: u32) {
        self.max_depth = depth;
    }

    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// A frame of `words` registers with unspecified contents, or null if the depth limit is reached.
    /// It stays valid until `leave` is called with it.
    #[inline]
    pub fn enter(&mut self, words: usize) -> *mut u64 {
        if self.depth >= self.max_depth {
            return null_mut();
        }
        let room = (self.limit as usize - self.top as usize) / size_of::<u64>();
        if words > room || self.top.is_null() {
            self.next_chunk(words);
        }
        let frame = self.top;
        self.depth += 1;
        self.top = frame.wrapping_add(words);
        frame
    }

    /// A frame for a function that has counted its depth itself, in compiled code.
    pub fn enter_counted(&mut self, words: usize) -> *mut u64 {
        self.depth -= 1;
        self.enter(words)
    }

    /// Ends the frame that `enter` gave last.
    #[inline]
    pub fn leave(&mut self, frame: *mut u64) {
        self.depth -= 1;
        self.top = frame;
        if self.current > 0 && frame == self.chunks[self.current].words.as_mut_ptr() {
            self.previous_chunk();
        }
    }

    #[cold]
    fn next_chunk(&mut self, words: usize) {
        if let Some(chunk) = self.chunks.get_mut(self.current) {
            chunk.resume = self.top;
        }
        let next = if self.chunks.is_empty() { 0 } else { self.current + 1 };
        if self.chunks.get(next).is_none_or(|chunk| chunk.words.len() < words) {
            let size = (FIRST_CHUNK << (2 * next).min(8)).clamp(words, LARGEST_CHUNK.max(words));
            // Chunks after the current one hold no frame, so they may go.
            self.chunks.truncate(next);
            self.chunks.push(Chunk::new(size));
        }
        self.current = next;
        let range = self.chunks[next].words.as_mut_ptr_range();
        (self.top, self.limit) = (range.start, range.end);
    }

    #[cold]
    fn previous_chunk(&mut self) {
        self.current -= 1;
        let chunk = &mut self.chunks[self.current];
        self.top = chunk.resume;
        self.limit = chunk.words.as_mut_ptr_range().end;
    }

    /// Empties the stack for the next coroutine and gives unusual growth back.
    pub(crate) fn reset(&mut self) {
        let mut kept = 0;
        self.chunks.retain(|chunk| {
            kept += chunk.words.len();
            kept <= KEPT_WORDS
        });
        self.current = 0;
        self.depth = 0;
        let range = self.chunks.first_mut().map(|chunk| chunk.words.as_mut_ptr_range());
        (self.top, self.limit) =
            range.map_or((null_mut(), null_mut()), |range| (range.start, range.end));
    }
}

#[cfg(test)]
mod tests {
    use super::RegisterStack;
    use proptest::collection::vec;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn the_depth_limit_gives_null_and_not_a_crash() {
        let mut stack = RegisterStack::default();
        stack.set_max_depth(3);
        let frames: Vec<_> = (0..3).map(|_| stack.enter(8)).collect();
        assert!(frames.iter().all(|frame| !frame.is_null()));
        assert!(stack.enter(8).is_null());
        stack.leave(frames[2]);
        assert!(!stack.enter(0).is_null());
    }

    proptest! {
        /// Whatever the frame sizes, a frame's registers keep what was written while deeper frames come and go.
        #[test]
        fn frames_keep_their_contents(steps in vec((0usize..3000, 0u8..3), 1..200)) {
            let mut stack = RegisterStack::default();
            let mut live: Vec<(*mut u64, usize, u64)> = Vec::new();
            for (step, (words, action)) in steps.into_iter().enumerate() {
                if action == 0 && let Some((frame, words, mark)) = live.pop() {
                    for index in 0..words {
                        // SAFETY: the frame is live and has `words` registers.
                        prop_assert_eq!(unsafe { *frame.add(index) }, mark);
                    }
                    stack.leave(frame);
                    continue;
                }
                let frame = stack.enter(words);
                prop_assert!(!frame.is_null());
                for index in 0..words {
                    // SAFETY: as above.
                    unsafe { *frame.add(index) = step as u64 };
                }
                live.push((frame, words, step as u64));
            }
            prop_assert_eq!(stack.depth() as usize, live.len());
            for (frame, words, mark) in live.into_iter().rev() {
                for index in 0..words {
                    // SAFETY: as above.
                    prop_assert_eq!(unsafe { *frame.add(index) }, mark);
                }
                stack.leave(frame);
            }
            prop_assert_eq!(stack.depth(), 0);
        }
    }
}
