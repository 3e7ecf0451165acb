//! What editors ask while a person types: candidates, explanations, whether the text is whole.
//!
//! It answers from the last finished cell's names, from any thread, also while a cell runs.

use ag_lang::syntax::complete as syntax;

use crate::session::request::{Completeness, Completions, Inspection};

#[derive(Clone, Default)]
pub struct Inspector {}

impl Inspector {
    /// What may stand at that byte of the text.
    pub fn complete(&self, _text: &str, offset: usize) -> Completions {
        Completions { start: offset, end: offset, items: Vec::new() }
    }

    /// What is known about the name at that byte of the text.
    pub fn inspect(&self, _text: &str, _offset: usize) -> Option<Inspection> {
        None
    }

    pub fn is_complete(&self, text: &str) -> Completeness {
        match syntax::is_complete(text) {
            syntax::Completeness::Complete => Completeness::Complete,
            syntax::Completeness::Incomplete { indent } => Completeness::Incomplete { indent },
            syntax::Completeness::Invalid => Completeness::Invalid,
        }
    }
}
