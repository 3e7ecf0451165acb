//! ag

pub mod actor;
pub mod builtin;
pub mod chart;
pub mod clock;
pub mod code;
pub mod context;
pub mod coord;
pub mod fault;
pub mod journal;
pub mod lane;
pub mod ledger;
pub mod memory;
pub mod models;
#[cfg(feature = "net")]
pub mod net;
pub mod place;
pub mod policy;
pub mod provided;
pub mod rng;
pub mod sched;
pub mod services;
pub mod statistics;
pub mod telemetry;
pub mod value;
pub mod world;
