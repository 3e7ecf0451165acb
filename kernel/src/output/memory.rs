//! What is remembered (`:memory`), as plain data.

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryView {
    /// The file of the long-term collections.
    pub store: String,
    pub bytes: u64,
    pub embedder: String,
    /// It compares words, not meaning.
    pub is_hashing_embedder: bool,
    pub collections: Vec<CollectionRow>,
    pub windows: Vec<WindowRow>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionRow {
    pub name: String,
    pub episodes: u64,
    pub facts: u64,
    pub links: u64,
    pub index: String,
}

/// The short-term memory of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowRow {
    pub agent: String,
    pub episodes: u64,
    pub capacity: u64,
}
