//! Compiled programs against C, JavaScript, Lua and Python.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use ag_benches::row::{Measured, PeerMeasured};
use ag_benches::runner::{Bench, run};
use ag_kernel::output::{Output, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::{CellRequest, CellStatus};
use ag_lang::exec::tier::{self, Mode};

/// A program's time is the smallest of so many runs, on both sides.
const REPETITIONS: usize = 5;
const SAMPLES: usize = 3;

const NUMERIC: &str = include_str!("programs/engine/numeric.ag");

/// Each program's call and what it gives: the peers print the same.
const CALLS: [&str; 9] = [
    "fib(32)",
    "nested_sum(4000)",
    "mandelbrot(300, 200)",
    "sieve(2_000_000)",
    "dots(100_000, 100)",
    "nbody(50_000)",
    "fannkuch(9)",
    "spectral_norm(300)",
    "matrix_multiply(200)",
];

fn main() -> ExitCode {
    run(
        "engine",
        &[
            Bench { name: "numeric_geomean", measure: numeric },
            Bench { name: "interpreter_numeric_geomean", measure: interpreted },
        ],
    )
}

fn numeric() -> Result<Measured, String> {
    let peers = vec![c()?, peer("node 20", "node", &["--version"], "numeric.js")]
        .into_iter()
        .flatten()
        .collect();
    measured(Mode::WhenHot, peers)
}

fn interpreted() -> Result<Measured, String> {
    let python = peer("CPython 3.11", "python3", &["--version"], "numeric.py");
    measured(Mode::Interpreted, python.into_iter().collect())
}

fn measured(mode: Mode, peers: Vec<PeerMeasured>) -> Result<Measured, String> {
    tier::set_mode(mode);
    let samples: Result<Vec<f64>, String> = (0..SAMPLES).map(|_| ours()).collect();
    tier::set_mode(Mode::WhenHot);
    Ok(Measured { metric: "geomean of the smallest of 5", samples: samples?, peers })
}

struct Nothing;

impl OutputSink for Nothing {
    fn emit(&self, output: Output) {
        if let Output::Fault(fault) = output {
            eprintln!("{}: {}", fault.code, fault.message);
        }
    }
}

/// The programs in a session as people have it, each as a cell.
fn ours() -> Result<f64, String> {
    let options = SessionOptions { home: HomeChoice::Ephemeral, ..SessionOptions::default() };
    let mut session = Session::open(options).map_err(|error| error.to_string())?;
    let sink: Arc<dyn OutputSink> = Arc::new(Nothing);
    let mut cell = |text: &str| {
        let began = Instant::now();
        let status = session.evaluate(CellRequest::new(text.to_owned()), &sink).status;
        let took = began.elapsed().as_secs_f64() * 1e3;
        if status == CellStatus::Ok { Ok(took) } else { Err(format!("`{text}` failed")) }
    };
    cell(NUMERIC)?;
    let mut best = Vec::new();
    for call in CALLS {
        let mut smallest = f64::INFINITY;
        for _ in 0..REPETITIONS {
            smallest = smallest.min(cell(call)?);
        }
        if std::env::var_os("AG_BENCH_EACH").is_some() {
            eprintln!("{call} {smallest:.3}");
        }
        best.push(smallest);
    }
    Ok(geomean(&best))
}

fn geomean(times: &[f64]) -> f64 {
    (times.iter().map(|time| time.ln()).sum::<f64>() / times.len() as f64).exp()
}

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/engine").join(name)
}

/// The programs in C with the same checks, if there is a compiler.
fn c() -> Result<Option<PeerMeasured>, String> {
    let Some(version) = said("gcc", &["-dumpfullversion"]) else { return Ok(None) };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let binary = folder.path().join("numeric");
    let source = program("numeric.c");
    let args =
        ["-O2".as_ref(), source.as_os_str(), "-o".as_ref(), binary.as_os_str(), "-lm".as_ref()];
    let compiled = Command::new("gcc").args(args).status().map_err(|error| error.to_string())?;
    if !compiled.success() {
        return Err("gcc refused numeric.c".to_owned());
    }
    Ok(samples("gcc -O2 checked", version, || said(binary.to_str()?, &[])))
}

fn peer(name: &str, command: &str, version: &[&str], file: &str) -> Option<PeerMeasured> {
    let file = program(file);
    let version = said(command, version)?;
    samples(name, version, || said(command, &[file.to_str()?]))
}

fn samples(name: &str, version: String, once: impl Fn() -> Option<String>) -> Option<PeerMeasured> {
    let samples = (0..SAMPLES).map(|_| told(&once()?)).collect::<Option<Vec<f64>>>()?;
    Some(PeerMeasured { name: name.to_owned(), version: version.trim().to_owned(), samples })
}

/// The geomean of lines `name result ms`.
fn told(text: &str) -> Option<f64> {
    let times: Option<Vec<f64>> = text
        .lines()
        .map(|line| line.rsplit(' ').next().and_then(|time| time.parse().ok()))
        .collect();
    times.filter(|times| times.len() == CALLS.len()).map(|times| geomean(&times))
}

fn said(command: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(command).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
