//! Values: one `u64` a register, told apart by a shape; counted objects behind those that are not one word.
//!
//! Never: a type of the language (the checker's business), a boxed enum of values, tracing collection.

pub mod shape;
pub mod shelf;
