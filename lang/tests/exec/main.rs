//! The engine: programs in the typed tree are lowered, checked, emitted and run in a world with a virtual
//! clock; every test ends with as many values alive as it began with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, dead_code)]

mod agents;
mod basics;
mod build;
mod data;
mod oracle;
mod programs;
mod random;
mod reductions;
mod sessions;
mod stores;
mod support;
mod tiers;
