//! What a lane call costs besides the lane, and what routing saves.

use std::process::ExitCode;

use ag_benches::runner::run;

fn main() -> ExitCode {
    run("lanes", &[])
}
