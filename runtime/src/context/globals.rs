//! The globals of a session: values by slot, and the snapshots of them that messages see (L-75).
//!
//! Never: changes a snapshot. A cell reads and writes the current values; a message holds the snapshot of its start. An
//! assignment copies the table only if a snapshot of it is held.

use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names a global for compiled code. A redefinition with another type gets another slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct GlobalSlot(pub u32);

/// All globals at one moment.
#[derive(Clone, Default)]
pub struct Globals {
    values: Vec<Option<Owned>>,
}

impl Globals {
    #[must_use]
    pub fn get(&self, slot: GlobalSlot) -> Option<&Owned> {
        self.values.get(slot.0 as usize)?.as_ref()
    }

    fn set(&mut self, slot: GlobalSlot, value: Option<Owned>) -> Option<Owned> {
        let index = slot.0 as usize;
        if self.values.len() <= index {
            self.values.resize(index + 1, None);
        }
        self.values.get_mut(index).and_then(|place| std::mem::replace(place, value))
    }
}

/// The current globals of a world.
#[derive(Default)]
pub struct GlobalStore {
    current: RwLock<Arc<Globals>>,
    /// A value is out to be changed in place. Set and cleared under the write lock by the running cell, which neither
    /// faults nor sleeps between the two; readers wait.
    taken: AtomicBool,
}

impl GlobalStore {
    #[must_use]
    pub fn snapshot(&self) -> Arc<Globals> {
        self.read(Arc::clone)
    }

    fn read<T>(&self, look: impl Fn(&Arc<Globals>) -> T) -> T {
        loop {
            let current = self.current.read();
            if !self.taken.load(Ordering::Relaxed) {
                return look(&current);
            }
            drop(current);
            std::thread::yield_now();
        }
    }

    /// Takes a value out, to change it in place and put it back with `set` at once. If a snapshot sees it the caller
    /// gets one more count instead, and the change copies.
    fn take(&self, slot: GlobalSlot) -> Option<Owned> {
        let mut current = self.current.write();
        let Some(globals) = Arc::get_mut(&mut current) else { return current.get(slot).cloned() };
        let value = globals.set(slot, None)?;
        self.taken.store(true, Ordering::Relaxed);
        Some(value)
    }

    #[must_use]
    pub fn get(&self, slot: GlobalSlot) -> Option<Owned> {
        self.read(|globals| globals.get(slot).cloned())
    }

    /// Sets a global from now on; what snapshots see stays. A value that must stay where it is (`context::crossing`) is no
    /// global: the name has no value then.
    pub fn set(&self, slot: GlobalSlot, value: Owned) {
        self.replace(slot, value.share_whole().ok());
    }

    pub fn remove(&self, slot: GlobalSlot) {
        self.replace(slot, None);
    }

    fn replace(&self, slot: GlobalSlot, value: Option<Owned>) {
        let mut current = self.current.write();
        let old = Arc::make_mut(&mut *current).set(slot, value);
        self.taken.store(false, Ordering::Relaxed);
        drop(current);
        // Outside the lock: releasing a value may free a large one.
        drop(old);
    }

    /// All globals are again as in that snapshot; the caller is the only one who assigns meanwhile.
    pub fn restore(&self, snapshot: Arc<Globals>) {
        let old = std::mem::replace(&mut *self.current.write(), snapshot);
        drop(old);
    }

    /// Drops all globals; snapshots keep theirs.
    pub fn clear(&self) {
        let old = std::mem::take(&mut *self.current.write());
        drop(old);
    }
}

impl Cx {
    /// A global as this coroutine sees it, owned; `None` if no cell has set it.
    #[must_use]
    pub fn global(&self, slot: GlobalSlot) -> Option<u64> {
        let value = match &self.globals {
            Some(snapshot) => snapshot.get(slot).cloned(),
            None => self.world.globals().get(slot),
        };
        value.map(Owned::into_word)
    }

    /// The last check of L-75. The checker refuses what it can follow (E0506); a function value that was given to an agent
    /// or a task is only known when it runs. What it assigned would be seen by nobody, or undo what others assigned.
    pub fn may_assign_global(&mut self, name: &str) -> Result<(), Faulted> {
        if self.globals.is_none() {
            return Ok(());
        }
        let message = format!(
            "an agent or a task sees globals as they were when it started and cannot assign `{name}`"
        );
        self.fail(code::GLOBAL_ASSIGNED, message);
        Err(Faulted)
    }

    /// Takes a global out, to be changed in place: `set_global` follows before anything can fault, sleep, or read globals.
    #[must_use]
    pub fn take_global(&mut self, slot: GlobalSlot) -> Option<u64> {
        let taken = match &self.globals {
            Some(snapshot) => snapshot.get(slot).cloned().map(Owned::into_word),
            None => self.world.globals().take(slot).map(Owned::into_word),
        };
        if taken.is_some() {
            self.hold();
        }
        taken
    }

    /// Assigns a global; takes the value over.
    pub fn set_global(&mut self, slot: GlobalSlot, value: u64, shape: ShapeId) {
        self.world.globals().set(slot, Owned::new(value, shape));
        self.let_go();
    }
}
