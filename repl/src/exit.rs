//! What the exit code of every command means; the text of `ag --help` says the same.

/// The only exit codes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Success = 0,
    /// The program ran and a Fault ended it.
    Fault = 1,
    /// The command line or its files cannot be used.
    Usage = 2,
    /// Checking found mistakes; nothing ran.
    Diagnostics = 3,
    /// Nobody reads the output any more and the program was ended: as a shell reports SIGPIPE.
    Closed = 141,
}

impl Exit {
    /// The first thing that went wrong decides.
    pub fn or(self, other: Exit) -> Exit {
        if self == Exit::Success { other } else { self }
    }
}
