//! Machine code as text, for people.
//!
//! Made for whoever asks: compiling with text takes longer, and nobody reads most of it. Never: runs.

/// The machine code of one function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// An instruction or a label a line, as Cranelift writes them.
    pub machine: String,
    /// What Cranelift was given, before its optimisations.
    pub clif: String,
    /// The length of the machine code.
    pub bytes: usize,
    /// The kind of machine: `x86_64`, `aarch64`.
    pub machine_name: String,
}
