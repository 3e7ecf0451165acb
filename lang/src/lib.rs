//! The language engine of `ag`: text to tree to types to IR to execution.
//!
//! No IO, no sessions, no rendering; every analysis returns a value and diagnostics.

pub mod db;
pub mod diag;
pub mod engine;
pub mod exec;
pub mod hir;
pub mod ide;
pub mod ir;
pub mod names;
pub mod source;
pub mod stop;
pub mod syntax;
pub mod types;
