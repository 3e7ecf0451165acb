//! The state behind a notebook or a terminal, and the one way to evaluate a cell in it.
//!
//! Front ends speak to it in the plain data of [`request`]; they never reach the engine or the runtime past it.

pub mod history;
pub mod request;
