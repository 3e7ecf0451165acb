//! Whether an open file is still the one at its path.
//!
//! A file that was deleted or moved takes writes without complaint, and they are gone with it: who acknowledges a write
//! asks here first. Never: opens or changes anything.

use std::fs::Metadata;
use std::path::Path;

/// A file, whatever its name is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    #[cfg(unix)]
    #[must_use]
    pub fn of(file: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: file.dev(), number: file.ino() })
    }

    /// Elsewhere an open file can be neither deleted nor moved.
    #[cfg(not(unix))]
    #[must_use]
    pub fn of(_file: &Metadata) -> Option<Self> {
        None
    }

    /// The file at this path, if there is one.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().and_then(|file| Self::of(&file))
    }
}
