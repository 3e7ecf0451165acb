//! What is remembered (`:memory`), as plain data.

use ag_runtime::memory::embed;
use ag_runtime::memory::error::MemoryError;
use ag_runtime::memory::session::Memories;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryView {
    /// The file of the long-term collections.
    pub store: String,
    pub bytes: u64,
    pub embedder: String,
    /// It compares words, not meaning.
    pub is_hashing_embedder: bool,
    /// Episodes that another embedder made a vector for, and this one not yet.
    pub unembedded: u64,
    pub collections: Vec<CollectionRow>,
    pub windows: Vec<WindowRow>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionRow {
    pub name: String,
    pub episodes: u64,
}

/// The short-term memory of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowRow {
    pub agent: String,
    pub episodes: u64,
    pub capacity: u64,
    /// Of their texts and vectors.
    pub bytes: u64,
}

impl WindowRow {
    fn of(row: ag_runtime::memory::session::WindowRow) -> WindowRow {
        WindowRow {
            agent: row.holder.to_string(),
            episodes: row.episodes,
            capacity: row.capacity,
            bytes: row.bytes,
        }
    }
}

impl MemoryView {
    /// The collections of the store, and the windows that hold something. It is opened to be read only if it is there.
    pub fn of(memories: &Memories) -> Result<MemoryView, MemoryError> {
        let collections = memories.collections()?.into_iter();
        let windows = memories.windows().into_iter().filter(|row| row.episodes > 0);
        let path = memories.path();
        Ok(MemoryView {
            store: path.display().to_string(),
            bytes: std::fs::metadata(path).map_or(0, |data| data.len()),
            embedder: memories.embedder().name().to_owned(),
            is_hashing_embedder: memories.embedder().name() == embed::NAME,
            unembedded: memories.unembedded() as u64,
            collections: collections
                .map(|row| CollectionRow { name: row.name.to_string(), episodes: row.episodes })
                .collect(),
            windows: windows.map(WindowRow::of).collect(),
        })
    }
}
