//! The checker: the calculus of inductive constructions in at most 1,000 lines of code.
//!
//! Built from the bottom up. Here now: universe levels. Never here: search, parsing, printing,
//! clocks, caches keyed by less than everything the answer depends on.

pub mod level;
