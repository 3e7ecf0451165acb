//! What every benchmark shares: the list of targets, the form of a result, and the runner that judges it.
//!
//! A benchmark only measures. Whether a goal is met is computed here from `targets.toml`, so no benchmark can say it of itself.

pub mod client;
pub mod machine;
pub mod row;
pub mod runner;
pub mod targets;
