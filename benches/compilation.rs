//! From text to tree to types to code: what a person waits for after an edit.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use ag_benches::row::Measured;
use ag_benches::runner::{Bench, run};
use ag_lang::syntax::lexer::SourceKind;
use ag_lang::syntax::parse::parse;

/// The smallest of so many repetitions is a sample.
const REPETITIONS: usize = 20;
const SAMPLES: usize = 10;

fn main() -> ExitCode {
    run("compilation", &[Bench { name: "parse_700_byte_cell", measure: parse_cell }])
}

/// A cell of about 700 bytes as people write them: an agent, a function, a call.
const CELL: &str = include_str!("programs/cell_700.ag");

fn parse_cell() -> Result<Measured, String> {
    let once = || {
        let began = Instant::now();
        black_box(parse(black_box(CELL), SourceKind::Cell));
        began.elapsed().as_secs_f64() * 1e6
    };
    let sample = || (0..REPETITIONS).map(|_| once()).fold(f64::INFINITY, f64::min);
    Ok(Measured {
        metric: "median of the smallest of 20",
        samples: (0..SAMPLES).map(|_| sample()).collect(),
        peers: vec![],
    })
}
