//! Agents' memory: a short-term window of each instance, long-term collections in one SQLite file, and recall that says
//! why it gave what it gave.
//!
//! The store is the truth; vectors, words and entities in memory are rebuilt from it. Never: an answer without an
//! explanation whose contributions add up to its score.

pub mod agent;
pub mod corpus;
pub mod embed;
pub mod entity;
pub mod episode;
pub mod error;
pub mod explain;
pub mod lexical;
pub mod recall;
pub mod score;
pub mod session;
pub mod store;
pub mod window;
pub mod writer;
