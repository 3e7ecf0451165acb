//! From text to tree: tokens, separators, the recovering parser, and what editors ask of them.
//!
//! Everything here is a pure function of the text. It always returns a tree and diagnostics, never fails and never
//! panics; it knows nothing of names, types or sessions.

pub mod ast;
pub mod brackets;
pub mod complete;
pub mod cursor;
pub mod division;
pub mod habits;
pub mod highlight;
pub mod intrinsics;
pub mod item;
pub mod lexer;
pub mod parse;
pub mod print;
pub mod rename;
pub mod separators;
pub mod token;
pub mod walk;
pub mod words;
