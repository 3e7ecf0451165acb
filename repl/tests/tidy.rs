//! Rules of the tree that no compiler checks: layers, sizes, unsafe code, the effect door, generated pages.
//!
//! Every rule says why it exists, and each failure names the file. `UPDATE=1` rewrites generated pages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "tidy/codes.rs"]
mod codes;
#[path = "tidy/effects.rs"]
mod effects;
#[path = "tidy/generated.rs"]
mod generated;
#[path = "tidy/language.rs"]
mod language;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/seed.rs"]
mod seed;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/tree.rs"]
mod tree;
