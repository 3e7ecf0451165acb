//! Counted objects: their header, where their memory comes from, and how much is in use.
//!
//! The global allocator, because sizes vary and objects are freed on other threads than they were made on.
//! Accounting is exact when no coroutine runs. Never: looks inside an object (`value::count` does).

use crate::value::ceiling::{ceiling, crowded};
use crate::value::shape::ShapeId;
use parking_lot::Mutex;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering, fence};

/// Bit 31 of a count: other threads may hold the object, so it is counted atomically.
pub const SHARED: u32 = 1 << 31;

/// All objects are aligned to 8, so a pointer is never odd: odd words are enum values without payload.
const ALIGN: usize = 8;

/// What every counted object begins with.
///
/// Without [`SHARED`] only the coroutine that holds the object touches the count, by plain loads and stores.
/// The bit is set by that coroutine before the object can be seen elsewhere (publication gives the ordering),
/// and cleared by the last holder, who has it alone.
#[repr(C)]
pub struct Header {
    count: AtomicU32,
    shape: ShapeId,
}

impl Header {
    #[must_use]
    pub fn shape(&self) -> ShapeId {
        self.shape
    }

    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.count.load(Ordering::Relaxed) & SHARED != 0
    }

    /// How many hold it.
    #[must_use]
    pub fn holders(&self) -> u32 {
        self.count.load(Ordering::Relaxed) & !SHARED
    }

    /// 2^31 holders would need 16 GiB of registers; the memory limit stops a program long before.
    #[inline]
    pub fn retain(&self) {
        let count = self.count.load(Ordering::Relaxed);
        if count & SHARED == 0 {
            self.count.store(count + 1, Ordering::Relaxed);
        } else {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Gives one count up; true when it was the last.
    #[inline]
    #[must_use]
    pub fn release(&self) -> bool {
        let count = self.count.load(Ordering::Relaxed);
        if count & SHARED == 0 {
            self.count.store(count - 1, Ordering::Relaxed);
            return count == 1;
        }
        // Release: what this holder did with the object happens before the last holder frees it (Acquire).
        let last = self.count.fetch_sub(1, Ordering::Release) == SHARED | 1;
        if last {
            fence(Ordering::Acquire);
        }
        last
    }

    /// Whether the caller holds it alone and may change it in place. An object that was shared and has come back
    /// to one holder is taken out of sharing: what is put into it from now on need not be shared.
    #[inline]
    #[must_use]
    pub fn make_unique(&self) -> bool {
        match self.count.load(Ordering::Acquire) {
            1 => true,
            count if count == SHARED | 1 => {
                self.count.store(1, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// Whether the caller holds it alone. As `make_unique`, but a shared object stays one: who changes it shares what is
    /// put into it.
    #[inline]
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.count.load(Ordering::Acquire) & !SHARED == 1
    }

    /// From now on counted atomically. Only its one coroutine may call this.
    pub fn mark_shared(&self) {
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count | SHARED, Ordering::Relaxed);
    }

    /// Takes `mark_shared` back, before anybody else has seen the object.
    pub fn unmark_shared(&self) {
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count & !SHARED, Ordering::Relaxed);
    }
}

fn layout(bytes: usize) -> Layout {
    // Sizes come from lengths that were checked against the limit; rounding up cannot overflow below isize::MAX.
    Layout::from_size_align(bytes.max(size_of::<Header>()), ALIGN)
        .unwrap_or_else(|_| handle_alloc_error(Layout::new::<Header>()))
}

/// A new object with one holder. Everything after the header is uninitialised.
#[must_use]
pub fn allocate(bytes: usize, shape: ShapeId) -> *mut Header {
    let layout = layout(bytes);
    // SAFETY: the layout is never of size zero.
    let object = unsafe { alloc(layout) }.cast::<Header>();
    if object.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: fresh memory, large and aligned enough for a header.
    unsafe { object.write(Header { count: AtomicU32::new(1), shape }) };
    account(1, bytes as i64);
    object
}

/// Grows or shrinks an object that the caller holds alone.
///
/// # Safety
/// `object` came from [`allocate`] with `old` bytes; nobody else holds it.
#[must_use]
pub unsafe fn reallocate(object: *mut Header, old: usize, new: usize) -> *mut Header {
    let target = layout(new);
    // SAFETY: the caller's promise; the new size is not zero and was checked by `layout`.
    let moved = unsafe { realloc(object.cast(), layout(old), target.size()) }.cast::<Header>();
    if moved.is_null() {
        handle_alloc_error(target);
    }
    account(0, new as i64 - old as i64);
    moved
}

/// Frees the memory of a dead object.
///
/// # Safety
/// `object` came from [`allocate`] with `bytes`, is not used again, and its children were released.
pub unsafe fn free(object: *mut Header, bytes: usize) {
    account(-1, -(bytes as i64));
    // SAFETY: the caller's promise.
    unsafe { dealloc(object.cast(), layout(bytes)) };
}

/// The memory of a dead object on its way back to the system.
#[derive(Debug)]
pub struct Buffer {
    object: *mut Header,
    bytes: usize,
}

// SAFETY: nobody else has the memory, and any thread may free it.
unsafe impl Send for Buffer {}

impl Buffer {
    /// # Safety
    /// As [`free`].
    #[must_use]
    pub unsafe fn new(object: *mut Header, bytes: usize) -> Self {
        Self { object, bytes }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the promise of `new`.
        unsafe { free(self.object, self.bytes) };
    }
}

/// Objects and bytes in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    pub objects: i64,
    pub bytes: i64,
}

/// The counters of one thread, on cache lines of their own. Written by the thread that owns the shard,
/// except `LATE`, which threads share while they end; read by [`live`].
#[repr(align(128))]
struct Shard {
    objects: AtomicI64,
    bytes: AtomicI64,
}

impl Shard {
    const fn new() -> Self {
        Self { objects: AtomicI64::new(0), bytes: AtomicI64::new(0) }
    }
}

struct Shards {
    all: Vec<&'static Shard>,
    /// Of threads that ended: the next thread takes one over, sums and all.
    free: Vec<&'static Shard>,
}

static SHARDS: Mutex<Shards> = Mutex::new(Shards { all: Vec::new(), free: Vec::new() });
static LATE: Shard = Shard::new();

struct Lease(&'static Shard);

impl Lease {
    fn take() -> Self {
        let mut shards = SHARDS.lock();
        if let Some(shard) = shards.free.pop() {
            return Self(shard);
        }
        let shard: &'static Shard = Box::leak(Box::new(Shard::new()));
        shards.all.push(shard);
        Self(shard)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        SHARDS.lock().free.push(self.0);
    }
}

thread_local! {
    static LEASE: Lease = Lease::take();
}

/// Never inlined: a caller that suspends between two of these resumes on another thread, and must not keep the
/// first thread's shard in a register.
#[inline(never)]
pub(crate) fn account(objects: i64, bytes: i64) {
    let counted = LEASE.try_with(|lease| {
        let shard = lease.0;
        // Only this thread writes the shard, so no read-modify-write is needed.
        shard.objects.store(shard.objects.load(Ordering::Relaxed) + objects, Ordering::Relaxed);
        shard.bytes.store(shard.bytes.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    });
    if counted.is_err() {
        LATE.objects.fetch_add(objects, Ordering::Relaxed);
        LATE.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What the whole process uses: exact when no coroutine runs, near otherwise.
#[must_use]
pub fn live() -> Usage {
    let shards = SHARDS.lock();
    let mut usage = Usage::default();
    for shard in shards.all.iter().copied().chain([&LATE]) {
        usage.objects += shard.objects.load(Ordering::Relaxed);
        usage.bytes += shard.bytes.load(Ordering::Relaxed);
    }
    usage
}

/// `512.0 MiB`, `2.0 GiB`: sizes for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// Whether `bytes` more would stay within a limit. Under `ulimit -v` what is held must be able to double: a list that grows
/// takes twice its size before it lets go of what it has, and where the address space ends the process aborts.
#[must_use]
pub fn has_room(bytes: u64, limit: u64) -> bool {
    let used = u64::try_from(live().bytes).unwrap_or(0);
    let ahead = bytes.max(used.saturating_mul(2));
    used.saturating_add(bytes) <= limit.min(ceiling().bytes) && crowded(ahead).is_none()
}
