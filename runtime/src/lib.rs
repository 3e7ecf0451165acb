//! ag

pub mod chart;
