//! The `ag` command: a terminal for people, `run` and `check` for scripts, `kernel` for Jupyter.
//!
//! It only chooses and shows; what a cell means is the session's business.

mod args;
mod command;
mod exit;
mod jupyter;
mod term;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use crate::args::{Arguments, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    ag_runtime::value::ceiling::share_address_space();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => match forgotten_run(&error) {
            Some(file) => {
                let message = format!("there is no command `{file}`; to run it: ag run {file}");
                return ExitCode::from(refuse(message) as u8);
            }
            None => error.exit(),
        },
    };
    let exit = match arguments.command {
        None => command::repl::repl(&arguments.session),
        Some(Command::Repl { session }) => command::repl::repl(&session),
        Some(Command::Run(run)) => command::run::run(&run),
        Some(Command::Check { files, json }) => command::check::check(&files, json),
        Some(Command::Test(test)) => command::test::test(&test),
        Some(Command::Doctor { json, home }) => command::doctor::doctor(json, home),
        Some(Command::New { name }) => command::new::new(&name),
        Some(Command::Explain { code }) => command::explain::explain(&code),
        Some(Command::Kernel { action }) => command::kernel::kernel(&action),
        #[cfg(not(feature = "models"))]
        Some(Command::Models { .. }) => refuse(
            "R1005: this build of ag has no models; one with the feature `models` has (`cargo build --release`)",
        ),
        #[cfg(feature = "models")]
        Some(Command::Models { action }) => command::models::models(&action),
        Some(Command::Bench { compare }) => command::bench::bench(compare.as_deref()),
    };
    ExitCode::from(exit as u8)
}

/// The program or notebook that somebody wrote where a command belongs.
fn forgotten_run(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    (word.ends_with(".ag") || word.ends_with(".ipynb")).then(|| word.clone())
}

/// Says on stderr why the command could not be carried out.
fn refuse(message: impl std::fmt::Display) -> Exit {
    term::paint::error_line(&message.to_string());
    Exit::Usage
}
