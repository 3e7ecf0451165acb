//! The trusted proof checker of `ag` and, later, everything that only suggests proofs to it.
//!
//! Absences that hold: this crate knows nothing of `.ag` syntax, of the runtime, of files, clocks or
//! threads. Only [`kernel`] will be able to make a `Proved`; it has no dependencies and no `unsafe`.
#![forbid(unsafe_code)]

pub mod kernel;
