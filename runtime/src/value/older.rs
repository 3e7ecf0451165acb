//! How values of types that were redefined are named: `Trade#1` (L-152).
//!
//! Which types are older a session knows, and only while it shows something; a program that makes text of a value gets the
//! name alone. Never: changes what a value is.

use crate::value::shape::ShapeId;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::sync::Arc;

/// The number of each type that is not the newest of its name.
pub type Older = FxHashMap<ShapeId, u32>;

thread_local! {
    static OLDER: RefCell<Option<Arc<Older>>> = const { RefCell::new(None) };
}

/// Shows with these types numbered.
pub fn numbered<T>(older: &Arc<Older>, show: impl FnOnce() -> T) -> T {
    /// Also when `show` unwinds.
    struct Back(Option<Arc<Older>>);
    impl Drop for Back {
        fn drop(&mut self) {
            OLDER.set(self.0.take());
        }
    }
    let wanted = Some(Arc::clone(older)).filter(|older| !older.is_empty());
    let _back = Back(OLDER.replace(wanted));
    show()
}

/// The number of a type, if it is an older one.
pub(super) fn number(of: ShapeId) -> Option<u32> {
    OLDER.with_borrow(|older| older.as_ref()?.get(&of).copied())
}
