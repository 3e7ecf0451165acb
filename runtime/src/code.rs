//! Functions as the runtime sees them: an entry point, the code it runs, and the table that says which
//! version of a function is in force.
//!
//! Never: knows how code is made or run. Redefinition swaps a slot; what runs keeps the version it began with:
//! a replaced one is freed when every coroutine that could run it has ended.

use crate::context::Cx;
use crate::fault::Origin;
use crate::value::shape::ShapeId;
use crate::value::shelf::Shelf;
use parking_lot::Mutex;
use std::any::Any;
use std::fmt;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// What a call ended with: [`OK`] with its value in `cx.result`, or [`FAULT`] with a Fault in `cx.fault`.
pub type Status = u32;
pub const OK: Status = 0;
pub const FAULT: Status = 1;

/// The entry of compiled or interpreted code. It owns `args` and leaves an owned value in `(*cx).result`.
pub type Entry = unsafe extern "C" fn(cx: *mut Cx, code: *const u8, args: *mut u64) -> Status;

/// The thing an entry runs (a bytecode body, a JIT allocation), kept alive and otherwise unknown here.
#[derive(Clone)]
pub struct CodeHandle {
    /// Address of the code; kept as a number because a handle moves between threads.
    address: usize,
    owner: Option<Arc<dyn Any + Send + Sync>>,
}

impl CodeHandle {
    /// Code that is the value itself: the entry gets its address.
    pub fn new<T: Any + Send + Sync>(code: Arc<T>) -> Self {
        Self { address: Arc::as_ptr(&code).expose_provenance(), owner: Some(code) }
    }

    /// For entries that need no code (native functions, tests).
    #[must_use]
    pub fn none() -> Self {
        Self { address: 0, owner: None }
    }

    #[must_use]
    pub fn pointer(&self) -> *const u8 {
        ptr::with_exposed_provenance(self.address)
    }

    /// The code, if it is a `T`.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.owner.as_deref()?.downcast_ref()
    }

    /// The code, held, if it is a `T`.
    #[must_use]
    pub fn share<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::downcast(Arc::clone(self.owner.as_ref()?)).ok()
    }
}

impl fmt::Debug for CodeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code at {:#x}", self.address)
    }
}

/// One compiled body of a function. Immutable: a better one is another version.
#[derive(Debug)]
pub struct Version {
    pub name: Arc<str>,
    pub origin: Origin,
    pub entry: Entry,
    pub code: CodeHandle,
    /// Captures first, then the declared parameters.
    pub params: Box<[ShapeId]>,
    pub result: ShapeId,
    /// How many of `params` are captures.
    pub captures: u32,
}

/// Index of a function in the table. Stays the same over redefinitions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct FnSlot(pub u32);

#[derive(Default)]
pub struct FunctionTable {
    versions: Shelf<Arc<Version>>,
    /// Versions that calls no longer reach, with the epoch that began when they were replaced.
    /// In their boxes, because readers refer to the `Arc` itself.
    #[allow(clippy::redundant_allocation)]
    retired: Mutex<Vec<(u64, Box<Arc<Version>>)>>,
    /// Counts replacements. A coroutine notes it when it begins (`Control::epoch`): it can run versions only
    /// that were in force then or later.
    epoch: AtomicU64,
    names: Mutex<Vec<Arc<str>>>,
    doors: Doors,
}

/// Slots in a block of doors.
const BLOCK: usize = 64;

/// One word a slot, at an address that never changes: the compiled entry of the version in force, or null.
/// Code that calls a function reads it instead of the table.
#[derive(Default)]
struct Doors {
    // In boxes, because compiled code holds the addresses.
    #[allow(clippy::vec_box)]
    blocks: Mutex<Vec<Box<[AtomicPtr<u8>; BLOCK]>>>,
}

impl Doors {
    fn of(&self, slot: FnSlot) -> *const AtomicPtr<u8> {
        let (block, at) = (slot.0 as usize / BLOCK, slot.0 as usize % BLOCK);
        let mut blocks = self.blocks.lock();
        while blocks.len() <= block {
            blocks.push(Box::new([const { AtomicPtr::new(ptr::null_mut()) }; BLOCK]));
        }
        blocks.get(block).and_then(|block| block.get(at)).map_or(ptr::null(), ptr::from_ref)
    }

    fn set(&self, slot: FnSlot, entry: *const u8) {
        let (block, at) = (slot.0 as usize / BLOCK, slot.0 as usize % BLOCK);
        let blocks = self.blocks.lock();
        if let Some(door) = blocks.get(block).and_then(|block| block.get(at)) {
            door.store(entry.cast_mut(), Ordering::SeqCst);
        }
    }
}

impl FunctionTable {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new slot without code. Calling it before [`FunctionTable::install`] is R0901.
    pub fn allocate(&self, name: &str) -> FnSlot {
        // Under the lock of the names, so that both lists number alike.
        let mut names = self.names.lock();
        names.push(name.into());
        FnSlot(self.versions.allocate())
    }

    /// Puts a version in force for all calls from now on.
    pub fn install(&self, slot: FnSlot, version: Version) {
        self.replace(slot, Some(Arc::new(version)));
    }

    /// Takes the code of a slot out of force: calling it is R0901 until another is installed.
    pub fn remove(&self, slot: FnSlot) {
        self.replace(slot, None);
    }

    fn replace(&self, slot: FnSlot, version: Option<Arc<Version>>) {
        let mut retired = self.retired.lock();
        // Before the epoch moves on: a coroutine that begins after it must not find the old code.
        self.doors.set(slot, ptr::null());
        // SAFETY: kept in `retired` until `reclaim`, whose caller knows that nobody looks at it.
        if let Some(old) = unsafe { self.versions.swap(slot.0, version) } {
            let began = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
            retired.push((began, old));
        }
    }

    /// The word in which compiled code finds the compiled entry of a slot: null while there is none. The address stays good
    /// as long as the table.
    pub fn door(&self, slot: FnSlot) -> *const AtomicPtr<u8> {
        self.doors.of(slot)
    }

    /// Lets compiled code call `entry` directly, if the version in force still runs `code`. The entry lives as long as the
    /// version's code.
    pub fn open(&self, slot: FnSlot, code: *const u8, entry: *const u8) {
        self.doors.of(slot);
        // Under this lock no version is replaced.
        let _replacing = self.retired.lock();
        if self.current(slot).is_some_and(|version| version.code.pointer() == code) {
            self.doors.set(slot, entry);
        }
    }

    /// The epoch a coroutine notes before its first look at the table.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// How many versions wait to be freed.
    pub fn retired(&self) -> usize {
        self.retired.lock().len()
    }

    /// Frees the versions that were replaced before every coroutine under way began.
    ///
    /// # Safety
    /// `oldest` is not above the epoch noted by any coroutine that runs or sleeps, and nobody outside of
    /// coroutines holds a reference from [`FunctionTable::current`].
    pub unsafe fn reclaim(&self, oldest: u64) {
        let mut retired = self.retired.lock();
        let (dead, alive) =
            std::mem::take(&mut *retired).into_iter().partition(|(began, _)| *began <= oldest);
        *retired = alive;
        drop(retired);
        drop::<Vec<_>>(dead);
    }

    /// The version in force: two loads. `None` before the first installation.
    #[inline]
    #[must_use]
    pub fn current(&self, slot: FnSlot) -> Option<&Arc<Version>> {
        self.versions.get(slot.0)
    }

    #[must_use]
    pub fn name(&self, slot: FnSlot) -> Option<Arc<str>> {
        self.names.lock().get(slot.0 as usize).cloned()
    }

    pub fn len(&self) -> u32 {
        self.versions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{CodeHandle, FnSlot, FunctionTable, OK, Status, Version};
    use crate::context::Cx;
    use crate::fault::Origin;
    use crate::value::shape::ShapeId;
    use std::sync::Arc;

    unsafe extern "C" fn nothing(_: *mut Cx, _: *const u8, _: *mut u64) -> Status {
        OK
    }

    fn version(name: &str, code: CodeHandle) -> Version {
        Version {
            name: name.into(),
            origin: Origin::default(),
            entry: nothing,
            code,
            params: Box::new([]),
            result: ShapeId::UNIT,
            captures: 0,
        }
    }

    #[test]
    fn redefinition_swaps_a_slot_and_old_code_dies_when_let_go() {
        let table = FunctionTable::new();
        let slot = table.allocate("f");
        assert!(table.current(slot).is_none());
        let code = Arc::new(42u64);
        table.install(slot, version("f", CodeHandle::new(code.clone())));
        let running = table.current(slot).unwrap().clone();
        table.install(slot, version("f", CodeHandle::none()));
        assert_eq!(running.code.get::<u64>(), Some(&42));
        assert!(table.current(slot).unwrap().code.pointer().is_null());
        drop((running, table));
        assert_eq!(Arc::strong_count(&code), 1);
    }

    #[test]
    fn slots_keep_their_names() {
        let table = FunctionTable::new();
        let slot = table.allocate("f");
        assert_eq!(table.name(slot).as_deref(), Some("f"));
        assert_eq!(table.name(FnSlot(99)), None);
    }
}
