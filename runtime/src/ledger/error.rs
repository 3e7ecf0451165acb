//! Why the ledger says no. Every case has a code of the language's table and a sentence for a person.

use crate::fault::code;
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::QuotaAction;
use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// A limit cannot cover the call.
    Exceeded(Box<Exceeded>),
    /// The journal's middle is damaged; it was left as it is.
    Corrupt {
        path: PathBuf,
        line: u64,
    },
    /// The journal was written by a newer version.
    Newer {
        path: PathBuf,
    },
    /// Another process holds the journal's lock for too long.
    Locked {
        path: PathBuf,
    },
    DiskFull {
        path: PathBuf,
    },
    /// The journal was deleted or moved while this process used it.
    Gone {
        path: PathBuf,
    },
    /// The journal cannot be read or written.
    Unwritable {
        path: PathBuf,
        reason: String,
    },
}

/// The limit that refused, and by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    pub limit_name: String,
    pub limit: MicroUsd,
    pub settled: MicroUsd,
    pub reserved: MicroUsd,
    pub estimate: MicroUsd,
    pub on_exceed: QuotaAction,
}

impl LedgerError {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exceeded(_) => code::MONEY,
            Self::DiskFull { .. } => code::DISK_FULL,
            Self::Corrupt { .. } => code::STORE_CORRUPT,
            Self::Newer { .. } => code::STORE_NEWER,
            Self::Locked { .. } => code::STORE_LOCKED,
            Self::Gone { .. } | Self::Unwritable { .. } => code::HOME,
        }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceeded(e) => e.fmt(f),
            Self::Corrupt { path, line } => write!(
                f,
                "the money journal {} is damaged at line {}; nothing was changed and nothing can be \
                 spent. Restore the file, or move it away to begin a new one",
                path.display(),
                line + 1
            ),
            Self::Newer { path } => write!(
                f,
                "the money journal {} was written by a newer version of ag; update ag, or use another --home",
                path.display()
            ),
            Self::Locked { path } => write!(
                f,
                "the money journal {} is held by another process that does not let go; end that process (`lsof` shows \
                 it), or use another --home",
                path.display()
            ),
            Self::DiskFull { path } => {
                write!(
                    f,
                    "no space left for the money journal {}; free some and run this again, nothing recorded is lost",
                    path.display()
                )
            }
            Self::Gone { path } => write!(
                f,
                "the money journal {} was deleted or moved while this session used it; put it back, or restart the \
                 session to begin a new one",
                path.display()
            ),
            Self::Unwritable { path, reason } => {
                write!(
                    f,
                    "the money journal {} cannot be used: {reason}. Make it writable, or use another --home",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for LedgerError {}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cannot cover this call: it may cost up to {}, the limit is {}, {} is spent",
            self.limit_name, self.estimate, self.limit, self.settled
        )?;
        if self.reserved > MicroUsd::ZERO {
            write!(f, " and {} is held by calls under way", self.reserved)?;
        }
        Ok(())
    }
}
