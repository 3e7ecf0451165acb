//! ag

pub mod chart;
pub mod clock;
pub mod ledger;
pub mod rng;
