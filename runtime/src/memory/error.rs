//! Why memory cannot answer. Every case has a code of the language's table.

use crate::fault::code;
use crate::memory::embed::{DIM, NAME};
use crate::memory::episode::EpisodeId;
use rusqlite::ffi;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoryError {
    DiskFull {
        path: PathBuf,
    },
    Corrupt {
        path: PathBuf,
        reason: String,
    },
    Newer {
        path: PathBuf,
    },
    Locked {
        path: PathBuf,
    },
    /// The store was deleted or moved while this process used it.
    Gone {
        path: PathBuf,
    },
    Unwritable {
        path: PathBuf,
        reason: String,
    },
    /// No embedder gives vectors of this length.
    NoEmbedder {
        dim: u64,
    },
    /// The embedder's model is missing or damaged.
    Model(String),
    /// No memory has this episode: it was forgotten, or its window let it go.
    NoEpisode {
        id: EpisodeId,
    },
    /// The store was closed while the write waited.
    Closed,
}

/// A write that failed, and a shared index that cannot be made longer.
const CANNOT_GROW: [i32; 2] = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE];

impl MemoryError {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DiskFull { .. } => code::DISK_FULL,
            Self::Corrupt { .. } => code::STORE_CORRUPT,
            Self::Newer { .. } => code::STORE_NEWER,
            Self::Locked { .. } => code::STORE_LOCKED,
            Self::NoEpisode { .. } => code::KEY,
            Self::NoEmbedder { .. } | Self::Model(_) => code::MODEL,
            Self::Gone { .. } | Self::Unwritable { .. } | Self::Closed => code::HOME,
        }
    }

    #[must_use]
    pub fn from_io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::DiskFull { path }
            }
            _ => Self::Unwritable { path, reason: error.to_string() },
        }
    }

    #[must_use]
    pub fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Sqlite;
        let (path, reason) = (path.to_owned(), error.to_string());
        let extended = error.sqlite_error().map_or(0, |failure| failure.extended_code);
        match error.sqlite_error_code() {
            Some(Sqlite::DiskFull) => Self::DiskFull { path },
            // SQLite knows a full disk, but not a full quota or a limit on a file's size: those are failed writes.
            Some(Sqlite::SystemIoFailure) if CANNOT_GROW.contains(&extended) => {
                Self::DiskFull { path }
            }
            Some(Sqlite::SystemIoFailure) => Self::Unwritable { path, reason },
            Some(Sqlite::DatabaseBusy | Sqlite::DatabaseLocked) => Self::Locked { path },
            Some(Sqlite::CannotOpen | Sqlite::ReadOnly | Sqlite::PermissionDenied) => {
                Self::Unwritable { path, reason }
            }
            _ => Self::Corrupt { path, reason },
        }
    }
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull { path } => {
                write!(
                    f,
                    "no space left for the memory store {}; free some and run this again, nothing stored is lost",
                    path.display()
                )
            }
            Self::Corrupt { path, reason } => write!(
                f,
                "the memory store {} is damaged ({reason}); it was left as it is. Restore the file, or move it away \
                 to begin a new one",
                path.display()
            ),
            Self::Newer { path } => write!(
                f,
                "the memory store {} was written by a newer version of ag; update ag, or move the file away",
                path.display()
            ),
            Self::Locked { path } => {
                write!(
                    f,
                    "the memory store {} is held by another process; end what it is doing there and run this again",
                    path.display()
                )
            }
            Self::Gone { path } => write!(
                f,
                "the memory store {} was deleted or moved while this session used it; put it back, or restart the \
                 session to begin a new one",
                path.display()
            ),
            Self::Unwritable { path, reason } => write!(
                f,
                "the memory store {} cannot be used: {reason}. Make the file and its folder writable, or use another --home",
                path.display()
            ),
            Self::NoEpisode { id } => write!(
                f,
                "no memory has the episode {id}: it was forgotten, or its short-term window let it go"
            ),
            Self::NoEmbedder { dim } => write!(
                f,
                "no embedder gives vectors of {dim} numbers: {NAME} gives {DIM} (leave `dim` out)"
            ),
            Self::Model(reason) => write!(f, "memories cannot be compared: {reason}"),
            Self::Closed => f.write_str("the memory store was closed"),
        }
    }
}

impl std::error::Error for MemoryError {}
