//! Bad input and broken surroundings: what a file, a disk or another process may do to `ag`, and what it does then.
//!
//! Every case ends in a code of section 17 and a sentence that says what to do; the session goes on with what does not
//! need the broken part; nothing acknowledged is lost, nothing is overwritten. The real binary runs. Never: timing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/home.rs"]
mod home;
#[path = "faults/locks.rs"]
mod locks;
#[path = "faults/place.rs"]
mod place;
#[path = "support/skip.rs"]
mod skip;
#[path = "faults/stores.rs"]
mod stores;
#[path = "faults/text.rs"]
mod text;
