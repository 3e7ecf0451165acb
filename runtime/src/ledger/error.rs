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
    /// A limit of tokens cannot cover the call.
    Tokens(Box<TokensExceeded>),
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
    /// Where the limit stands in the chain of the call, innermost first.
    pub at: usize,
    /// A person was asked for more and did not give it; why.
    pub refused: Option<String>,
}

impl Exceeded {
    /// What would have to be granted for the call to happen.
    #[must_use]
    pub fn missing(&self) -> MicroUsd {
        let used = self.settled.checked_add(self.reserved);
        let wanted = used.and_then(|used| used.checked_add(self.estimate));
        wanted.and_then(|wanted| wanted.checked_sub(self.limit)).unwrap_or(MicroUsd::MAX)
    }
}

/// The limit of tokens that refused, and by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensExceeded {
    pub limit_name: String,
    pub limit: u64,
    pub settled: u64,
    pub reserved: u64,
    pub estimate: u64,
}

impl LedgerError {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exceeded(e) if e.refused.is_some() => code::REFUSED,
            Self::Exceeded(_) => code::MONEY,
            Self::Tokens(_) => code::TOKENS,
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
            Self::Tokens(e) => e.fmt(f),
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
        match self.refused.as_deref() {
            // Who has spent nothing asks why: an answer of unknown length is what costs so much.
            None if self.settled.checked_add(self.reserved) == Some(MicroUsd::ZERO) => {
                f.write_str("; a smaller `max_tokens` makes it cheaper")
            }
            None => Ok(()),
            Some("") => f.write_str("; more was refused"),
            Some(why) => write!(f, "; more was refused: {why}"),
        }
    }
}

impl fmt::Display for TokensExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cannot cover this call: it may take up to {} tokens, {} are used",
            self.limit_name, self.estimate, self.settled
        )?;
        if self.reserved > 0 {
            write!(f, " and {} are held by calls under way", self.reserved)?;
        }
        Ok(())
    }
}
