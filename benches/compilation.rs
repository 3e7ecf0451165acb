//! From text to tree to types to code: what a person waits for after an edit.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use ag_benches::row::Measured;
use ag_benches::runner::{Bench, run};
use ag_lang::db::workspace::Workspace;
use ag_lang::ide::complete::complete;
use ag_lang::syntax::lexer::SourceKind;
use ag_lang::syntax::parse::parse;

/// The smallest of so many repetitions is a sample.
const REPETITIONS: usize = 20;
const SAMPLES: usize = 10;

fn main() -> ExitCode {
    run(
        "compilation",
        &[
            Bench { name: "parse_700_byte_cell", measure: parse_cell },
            Bench { name: "cold_check_1000", measure: check_functions },
            Bench { name: "completion_p95_1000_cells", measure: complete_in_session },
        ],
    )
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

/// Functions in a file, or cells in a session.
const MANY: usize = 1000;

/// A function as people write them, that calls the one before it.
fn function(number: usize) -> String {
    let before = match number {
        0 => "n".to_owned(),
        _ => format!("f{}(n - 1)", number - 1),
    };
    format!(
        "/// Step {number}.\nfunction f{number}(n : Int) -> Int {{\n  require n > 0 else return {number}\n  \
         let next := [n, {number}].map(x => x * 2).sum\n  if next > 100 {{ return {before} }}\n  return next\n}}\n"
    )
}

/// A new workspace, its prelude too, and everything checked.
fn check_functions() -> Result<Measured, String> {
    let text: String = (0..MANY).map(function).collect();
    let once = || {
        let began = Instant::now();
        let mut workspace = Workspace::new();
        let cell = workspace.add_cell(&text);
        let checked = black_box(workspace.check(cell));
        let took = began.elapsed().as_secs_f64() * 1e3;
        match checked.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            Some(mistake) => Err(mistake.message.clone()),
            None => Ok(took),
        }
    };
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let mut smallest = f64::INFINITY;
        for _ in 0..5 {
            smallest = smallest.min(once()?);
        }
        samples.push(smallest);
    }
    Ok(Measured { metric: "median of the smallest of 5", samples, peers: vec![] })
}

/// What a person may have typed when candidates are wanted.
const TYPED: [&str; 5] = ["f", "v12", "let x := f7", "v3.", "print(v99"];

/// In a session that defined a function and a value in each cell; every text is another one, as while typing.
fn complete_in_session() -> Result<Measured, String> {
    let mut workspace = Workspace::new();
    for number in 0..MANY {
        let cell =
            workspace.add_cell(&format!("{}let v{number} := f{number}(3)\n", function(number)));
        if workspace.check(cell).has_errors() {
            return Err(format!("cell {number} does not check"));
        }
    }
    let mut typed = 0;
    let mut once = |text: &str| {
        typed += 1;
        let text = format!("let before{typed} := 1\n{text}");
        let began = Instant::now();
        let found = complete(&mut workspace, &text, u32::try_from(text.len()).unwrap_or(u32::MAX));
        let took = began.elapsed().as_secs_f64() * 1e3;
        if found.candidates.is_empty() {
            Err(format!("nothing is offered after `{text}`"))
        } else {
            Ok(took)
        }
    };
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let mut times = Vec::new();
        for text in TYPED.iter().cycle().take(100) {
            times.push(once(text)?);
        }
        times.sort_by(f64::total_cmp);
        samples.extend(times.get(times.len() * 95 / 100));
    }
    Ok(Measured { metric: "median of the 95th percentile of 100", samples, peers: vec![] })
}
