//! Agents, tasks and cells driven by hand-written entries: the real entry interface without a compiler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod builtins;
mod cancel;
mod compute;
mod deterministic;
mod life;
mod limits;
mod messages;
mod services;
mod state;
mod stress;
mod support;
mod waiting;
