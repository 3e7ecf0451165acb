//! The dead: values nobody holds any more are freed in slices, so that a huge one never keeps an interrupt waiting.
//!
//! A release frees at most [`SLICE`] objects at once. What is left waits with the coroutine that runs on this thread: its
//! safepoints free it piece by piece, faster than a program can make more, and it moves with the coroutine from worker
//! to worker, because the parts of a dead value may still be held, and counted without atomics, by that coroutine.
//! When the coroutine has ended nobody counts them so, and a thread of its own frees the rest; memory limits wait for it.
//! Outside coroutines everything is freed at once. Never: recurses, frees an object while a part of it is not given up.

use crate::value::count::{children, free_object, is_last};
use crate::value::heap::{self, Buffer};
use parking_lot::{Condvar, Mutex};
use std::cell::RefCell;
use std::time::Duration;

/// Objects freed at once: well below a millisecond, most of it cache misses.
pub const SLICE: usize = 2048;

/// Children of one object given up before those that died with it are freed.
const CHUNK: usize = 64;

/// An object without holders; its children before `next` were given up.
#[derive(Debug)]
struct Dead {
    object: u64,
    next: usize,
}

/// Dead objects that are still to be freed.
#[derive(Debug, Default)]
pub struct Waiting(Vec<Dead>);

impl Waiting {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Frees for about so many objects' worth of time; true when nothing is left.
    fn free(&mut self, mut budget: usize) -> bool {
        let mut current = self.0.pop();
        while let Some(mut here) = current {
            let below = self.0.len();
            let first = here.next;
            let done = children(here.object, &mut here.next, CHUNK, &mut |child| {
                if is_last(child) {
                    self.0.push(Dead { object: child, next: 0 });
                }
            });
            budget = budget.saturating_sub(here.next - first + 1);
            if done {
                // SAFETY: nobody holds it and all its children were given up.
                unsafe { free_object(here.object) };
            } else {
                // Under the children that died, so that the list stays short however wide an object is.
                self.0.push(here);
                let last = self.0.len() - 1;
                self.0.swap(below, last);
            }
            if budget == 0 {
                return self.0.is_empty();
            }
            current = self.0.pop();
        }
        true
    }
}

thread_local! {
    /// The dead of the coroutine that runs on this thread; `None` while none does.
    static HERE: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

/// Frees a dead object and everything that dies with it: now, or the rest of it later.
#[cold]
#[inline(never)]
pub fn destroy(word: u64) {
    let mut dead = Waiting(Vec::new());
    let mut here = Dead { object: word, next: 0 };
    // As `Waiting::free` begins, but without a list for what has no children of its own that die.
    let done = children(word, &mut here.next, CHUNK, &mut |child| {
        if is_last(child) {
            dead.0.push(Dead { object: child, next: 0 });
        }
    });
    if done {
        // SAFETY: as in `Waiting::free`.
        unsafe { free_object(word) };
    } else {
        dead.0.insert(0, here);
    }
    if dead.is_empty() || dead.free(SLICE) {
        return;
    }
    if let Some(mut dead) = keep(dead) {
        dead.free(usize::MAX);
    }
}

/// Leaves the dead to the running coroutine; gives them back where there is none.
fn keep(dead: Waiting) -> Option<Waiting> {
    let mut left = Some(dead);
    // A thread that ends has no list any more, and no coroutine.
    let _ = HERE.try_with(|here| {
        if let Some(waiting) = here.borrow_mut().as_mut() {
            waiting.0.extend(left.take().into_iter().flat_map(|dead| dead.0));
        }
    });
    left
}

/// A coroutine begins to run on this thread, with what it left.
#[inline(never)]
pub fn enter(waiting: Waiting) {
    HERE.with(|here| *here.borrow_mut() = Some(waiting));
}

/// The coroutine leaves this thread: what is still to be freed goes with it.
#[inline(never)]
#[must_use]
pub fn leave() -> Waiting {
    HERE.with(|here| here.borrow_mut().take()).unwrap_or_default()
}

/// Frees for about so many objects' worth of time, for the running coroutine; true when nothing waits.
#[inline(never)]
pub fn free_some(budget: usize) -> bool {
    let taken = HERE.with(|here| here.borrow_mut().as_mut().map(std::mem::take));
    let Some(mut waiting) = taken.filter(|waiting| !waiting.is_empty()) else { return true };
    // Not under the borrow: the last holder of a handle may release other values.
    let done = waiting.free(budget);
    if !done && let Some(mut waiting) = keep(waiting) {
        return waiting.free(usize::MAX);
    }
    done
}

/// What the thread that frees in the background has to do.
#[derive(Default)]
struct Background {
    waiting: Vec<Waiting>,
    buffers: Vec<Buffer>,
    is_started: bool,
    is_busy: bool,
}

static BACKGROUND: Mutex<Background> = Mutex::new(Background {
    waiting: Vec::new(),
    buffers: Vec::new(),
    is_started: false,
    is_busy: false,
});
/// Something to do, or nothing any more.
static CHANGED: Condvar = Condvar::new();

/// The coroutine has ended: nobody else counts what is left without atomics.
pub fn hand_over(mut waiting: Waiting) {
    if waiting.is_empty() {
        return;
    }
    let mut background = BACKGROUND.lock();
    if start(&mut background) {
        background.waiting.push(waiting);
        CHANGED.notify_all();
        return;
    }
    drop(background);
    waiting.free(usize::MAX);
}

/// Memory so large that giving it back takes long.
pub fn hand_over_buffer(buffer: Buffer) {
    let mut background = BACKGROUND.lock();
    if start(&mut background) {
        background.buffers.push(buffer);
        CHANGED.notify_all();
    }
    // Without the thread the buffer is freed here, as it is dropped.
}

fn start(background: &mut Background) -> bool {
    if !background.is_started {
        let builder = std::thread::Builder::new().name("ag-free".to_owned());
        background.is_started = builder.spawn(run).is_ok();
    }
    background.is_started
}

fn run() {
    let mut background = BACKGROUND.lock();
    loop {
        let (waiting, buffers) =
            (std::mem::take(&mut background.waiting), std::mem::take(&mut background.buffers));
        background.is_busy = !waiting.is_empty() || !buffers.is_empty();
        if !background.is_busy {
            CHANGED.notify_all();
            CHANGED.wait(&mut background);
            continue;
        }
        drop(background);
        drop(buffers);
        waiting.into_iter().for_each(|mut waiting| {
            waiting.free(usize::MAX);
        });
        background = BACKGROUND.lock();
    }
}

/// How long [`finish`] waits before it asks whether it still has to.
const LOOK: Duration = Duration::from_millis(2);

/// Frees all that is dead, before somebody is told that there is no room; ends early when `stop` says so.
pub fn finish(stop: impl Fn() -> bool) {
    while !stop() && !free_some(SLICE) {}
    let mut background = BACKGROUND.lock();
    while (background.is_busy || !background.waiting.is_empty() || !background.buffers.is_empty())
        && !stop()
    {
        let _ = CHANGED.wait_for(&mut background, LOOK);
    }
}

/// Bytes from which memory is given back in the background: about a millisecond of page tables.
pub const LARGE: usize = 16 << 20;

/// Frees the memory of an object whose size is known.
///
/// # Safety
/// As [`heap::free`].
pub unsafe fn free(object: *mut heap::Header, bytes: usize) {
    if bytes < LARGE {
        // SAFETY: the caller's promise.
        return unsafe { heap::free(object, bytes) };
    }
    // SAFETY: the caller's promise.
    hand_over_buffer(unsafe { Buffer::new(object, bytes) });
}

#[cfg(test)]
mod tests {
    use super::{SLICE, Waiting, enter, finish, free_some, hand_over, leave};
    use crate::value::count::{release, retain};
    use crate::value::heap::Header;
    use crate::value::list::ListBuf;
    use crate::value::shape::ShapeId;
    use crate::value::text::TextBuf;

    fn texts(count: usize) -> u64 {
        let mut list = ListBuf::with_capacity(ShapeId::list(ShapeId::TEXT), count);
        for _ in 0..count {
            list.append(TextBuf::new("x").into_word());
        }
        list.into_word()
    }

    fn holders(word: u64) -> u32 {
        // SAFETY: a live object begins with a header.
        unsafe { &*(word as *const Header) }.holders()
    }

    #[test]
    fn a_huge_value_is_freed_in_slices_and_what_others_hold_of_it_stays() {
        let kept = TextBuf::new("kept").into_word();
        let of = ShapeId::list(ShapeId::TEXT);
        let mut list = ListBuf::with_capacity(of, 3 * SLICE);
        for _ in 0..3 * SLICE {
            retain(kept, ShapeId::TEXT);
            list.append(kept);
        }
        enter(Waiting::default());
        release(list.into_word(), of);
        let after_one = holders(kept);
        assert!(after_one > 1, "one release frees one slice");
        assert!(!free_some(SLICE / 2));
        assert!(holders(kept) < after_one);
        // It moves with its coroutine to another thread.
        let waiting = leave();
        assert!(
            !waiting.is_empty() && free_some(1),
            "nothing waits on a thread without a coroutine"
        );
        enter(waiting);
        while !free_some(SLICE) {}
        assert_eq!(holders(kept), 1);
        assert!(leave().is_empty());
        release(kept, ShapeId::TEXT);
    }

    #[test]
    fn outside_coroutines_all_is_freed_at_once_and_the_rest_of_ended_ones_in_the_background() {
        let of = ShapeId::list(ShapeId::TEXT);
        let kept = TextBuf::new("kept").into_word();
        let nested = |count: usize| {
            let list = texts(count);
            retain(kept, ShapeId::TEXT);
            // SAFETY: a list of texts held here alone.
            unsafe { ListBuf::from_word(list) }.push(kept).into_word()
        };
        release(nested(5 * SLICE), of);
        assert_eq!(holders(kept), 1);
        let list = nested(5 * SLICE);
        enter(Waiting::default());
        release(list, of);
        hand_over(leave());
        finish(|| false);
        assert_eq!(holders(kept), 1);
        release(kept, ShapeId::TEXT);
    }
}
