//! What editors and session commands ask about a program: plain data made from the queries of `types`.
//!
//! Nothing here reports mistakes or renders.

pub mod capabilities;
pub mod complete;
pub mod describe;
pub mod effects;
pub mod hover;
pub mod place;
pub mod plan;
pub mod statement;
pub mod symbols;
pub mod uses;
