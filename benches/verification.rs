//! What checking proofs costs, and what proved code saves.

use std::process::ExitCode;

use ag_benches::runner::run;

fn main() -> ExitCode {
    run("verification", &[])
}
