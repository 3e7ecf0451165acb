//! The language engine of `ag`: text to tree to types to IR to execution.
//!
//! No IO, no sessions, no rendering; every analysis returns a value and diagnostics.

pub mod diag;
pub mod source;
pub mod syntax;
