//! Agents, messages and scheduling against the actor systems people use.

use std::process::ExitCode;

use ag_benches::runner::run;

fn main() -> ExitCode {
    run("coordination", &[])
}
