//! Storing and recalling episodes against the libraries people use.

use std::process::ExitCode;

use ag_benches::runner::run;

fn main() -> ExitCode {
    run("memory", &[])
}
