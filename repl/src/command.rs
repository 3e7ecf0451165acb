//! One file a command; each gives an exit code and has already said why.

pub mod bench;
pub mod check;
pub mod doctor;
pub mod explain;
pub mod kernel;
#[cfg(feature = "models")]
pub mod models;
pub mod new;
pub mod repl;
pub mod run;
pub mod test;
