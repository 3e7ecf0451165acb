//! Replies that cannot be wrong: the JSON a type allows, as a machine over bytes that says which tokens may come next.
//!
//! `compile` turns a shape into rules, `machine` runs them, `vocabulary` holds the model's tokens so that the machine can
//! look at all of them in a fraction of a millisecond. A token is allowed only if what remains can still be finished within the
//! tokens left: so every reply ends, and every reply that ends is of the type. Never: a model, scores kept between tokens.

pub mod compile;
pub mod machine;
pub mod vocabulary;
