//! Core IR and the passes on it: lowering from the typed tree, reference counting, validation, text form.

pub mod core;
pub mod flow;
pub mod held;
pub mod lower;
pub mod print;
pub mod rc;
pub mod validate;
