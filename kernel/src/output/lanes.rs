//! The lanes and how the last one was chosen (`:lanes`), as plain data.

use ag_runtime::lane::registry::{Decision, LaneRow};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedderRow {
    pub model: String,
    pub memory_bytes: u64,
}

#[derive(Debug, Clone, Default)]
pub struct LanesView {
    pub lanes: Vec<LaneRow>,
    /// The model that memories are compared by, while it is in memory.
    pub embedder: Option<EmbedderRow>,
    pub last: Option<Decision>,
}
