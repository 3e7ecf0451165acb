//! Names of behaviors as numbers, so that a message finds its behavior by comparing words.
//!
//! Process-wide and append-only, like shapes. Never written to disk.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Selector(pub u32);

#[derive(Default)]
struct Names {
    numbers: FxHashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

static NAMES: LazyLock<Mutex<Names>> = LazyLock::new(Mutex::default);

impl Selector {
    #[must_use]
    pub fn of(name: &str) -> Self {
        let mut table = NAMES.lock();
        if let Some(&number) = table.numbers.get(name) {
            return Self(number);
        }
        let number = u32::try_from(table.names.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        table.numbers.insert(Arc::clone(&name), number);
        table.names.push(name);
        Self(number)
    }

    #[must_use]
    pub fn name(self) -> Arc<str> {
        NAMES.lock().names.get(self.0 as usize).cloned().unwrap_or_else(|| "?".into())
    }
}
