//! Values: one `u64` a register, told apart by a shape; counted objects behind those that are not one word.
//!
//! A function that takes a word and a shape trusts that they belong together; the checker saw to it, and no program
//! can break it. Never: a type of the language (the checker's business), a boxed enum of values, tracing collection.

pub mod calendar;
pub mod ceiling;
pub mod closure;
pub mod count;
pub mod dying;
pub mod dynamic;
pub mod equal;
pub mod grid;
mod handle;
pub mod heap;
pub mod json;
pub mod list;
pub mod machine;
pub mod map;
pub mod media;
pub mod native;
pub mod older;
pub mod owned;
pub mod prelude;
pub mod record;
pub mod shape;
pub mod shelf;
pub mod show;
pub mod template;
pub mod text;
