//! What is lost when processes die, networks part and disks fill.

use std::process::ExitCode;

use ag_benches::runner::run;

fn main() -> ExitCode {
    run("chaos", &[])
}
