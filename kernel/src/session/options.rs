//! How a session is opened, and why it could not be.

use std::fmt;
use std::path::PathBuf;

use ag_runtime::world::outside::Reach;

#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    pub home: HomeChoice,
    /// The folder of the notebook or file: relative paths start there. None: the current one.
    pub folder: Option<PathBuf>,
    /// The lane every call uses; none: the router decides.
    pub lane: Option<String>,
    /// The session's limit; none: the language's default.
    pub budget_micro_usd: Option<i64>,
    /// With a seed, chance and scheduling repeat themselves.
    pub seed: Option<u64>,
    /// The folder of the models; none: the session uses no model.
    pub models: Option<PathBuf>,
    /// Who sits at the session: grants are kept under this name.
    pub person: String,
    /// What `args()` gives.
    pub arguments: Vec<String>,
    /// What programs may reach without being asked; the rest as `:set` says.
    pub allowed: Vec<Reach>,
    /// Whether calls may go to the providers whose keys are in the environment.
    pub providers: bool,
    /// Workers of the scheduler; none: one a core.
    pub workers: Option<usize>,
    /// What the session's statements take from outside is recorded, or replayed.
    pub taping: Option<Taping>,
    /// The session runs a test.
    pub in_test: Option<InTest>,
}

/// A recording, by its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taping {
    Record(String),
    Replay(String),
}

impl Taping {
    pub fn file(&self) -> &str {
        match self {
            Taping::Record(file) | Taping::Replay(file) => file,
        }
    }
}

/// What is different in a test (L-65).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InTest {
    /// The machine's clock, although there is a seed.
    pub real_clock: bool,
}

/// Where ledger, history, cache and models live (L-133).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HomeChoice {
    /// `$AG_HOME`, else `$XDG_DATA_HOME/ag`; stores in `.ag` beside the notebook.
    #[default]
    Usual,
    /// Everything in this folder.
    At(PathBuf),
    /// Everything in a folder that is deleted at the end.
    Ephemeral,
}

/// A session that could not be opened; the code is one of the language's (R1002, R1004, R1006).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupError {
    pub code: &'static str,
    pub message: String,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for SetupError {}
