//! Compiled programs against C, JavaScript, Lua and Python.

use std::process::ExitCode;

use ag_benches::runner::run;

fn main() -> ExitCode {
    run("engine", &[])
}
