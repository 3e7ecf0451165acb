//! Runs the benchmarks of one category, judges them, shows them and adds them to the history.
//!
//! The history is appended to only when `AG_BENCH_HISTORY` names its folder; `make bench` does that, CI does not.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::machine::circumstances;
use crate::row::{Measured, Row, judge};
use crate::targets;

/// A benchmark of a category, by its name in the list.
pub struct Bench {
    pub name: &'static str,
    pub measure: fn() -> Result<Measured, String>,
}

/// The body of a category's `main`.
pub fn run(category: &str, benches: &[Bench]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    // Cargo passes `--bench`; any other word selects benchmarks by name.
    let wanted: Vec<&String> =
        arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let rows = match measure(category, benches, &wanted) {
        Ok(rows) => rows,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::FAILURE;
        }
    };
    for row in &rows {
        if json {
            println!("{}", serde_json::to_string(row).unwrap_or_default());
        } else {
            println!("{}", line(row));
        }
    }
    match std::env::var_os("AG_BENCH_HISTORY")
        .map(|folder| append(Path::new(&folder), category, &rows))
    {
        Some(Err(error)) => {
            eprintln!("error: the history cannot be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// A row for every target of the category, measured or not. A bench with two targets is measured once.
fn measure(category: &str, benches: &[Bench], wanted: &[&String]) -> Result<Vec<Row>, String> {
    let targets = targets::all()?;
    let mine: Vec<_> = targets
        .iter()
        .filter(|target| target.category == category)
        .filter(|target| {
            wanted.is_empty() || wanted.iter().any(|name| target.bench.contains(name.as_str()))
        })
        .collect();
    if let Some(stray) =
        benches.iter().find(|bench| !targets.iter().any(|target| target.bench == bench.name))
    {
        return Err(format!("{} is not in targets.toml", stray.name));
    }
    let at = circumstances();
    let mut done: Vec<(&str, Result<Measured, String>)> = Vec::new();
    let mut rows = Vec::new();
    for target in mine {
        if !done.iter().any(|(name, _)| *name == target.bench) {
            let bench = benches.iter().find(|bench| bench.name == target.bench);
            let measured =
                bench.map_or(Err("not measured yet".to_owned()), |bench| (bench.measure)());
            done.push((&target.bench, measured));
        }
        if let Some((_, measured)) = done.iter().find(|(name, _)| *name == target.bench) {
            rows.push(judge(target, measured, &at));
        }
    }
    Ok(rows)
}

/// One row for a person.
fn line(row: &Row) -> String {
    let value = row.value.map_or("-".to_owned(), |value| format!("{value:.3} {}", row.unit));
    let peer = match (&row.peer, row.peer_value, row.ratio) {
        (Some(name), Some(value), Some(ratio)) => format!("{name} {value:.3}, ratio {ratio:.3}"),
        (Some(name), _, _) => name.clone(),
        _ => String::new(),
    };
    let verdict = if row.met { "met" } else { "not met" };
    let why = row.skipped_why.as_deref().map_or(String::new(), |why| format!(" ({why})"));
    format!("{:28} {value:>16}  goal {:<8} {verdict}{why}  {peer}", row.bench, row.goal)
}

fn append(folder: &Path, category: &str, rows: &[Row]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut lines = String::new();
    for row in rows {
        lines.push_str(&serde_json::to_string(row)?);
        lines.push('\n');
    }
    let path = folder.join(format!("{category}.ndjson"));
    OpenOptions::new().create(true).append(true).open(path)?.write_all(lines.as_bytes())
}
