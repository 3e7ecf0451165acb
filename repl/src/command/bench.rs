//! `ag bench`: says whether newer results differ from older ones, and how results are made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ag_runtime::statistics::{Comparison, Direction, Verdict, compare};
use serde_json::Value;

use crate::exit::Exit;
use crate::refuse;
use crate::term::paint;

const HOW: &str = "\
make bench-setup                       installs the programs that are compared with
make bench CATEGORY=notebook           measures one category into benches/history/
ag bench --compare OLD.ndjson NEW.ndjson   says which results changed";

/// What one file holds of one benchmark: all its run-level samples, in the order of the lines.
struct Series {
    unit: String,
    direction: Direction,
    samples: Vec<f64>,
}

type Results = BTreeMap<String, Series>;

pub fn bench(compare: Option<&[PathBuf]>) -> Exit {
    match compare {
        Some([old, new]) => match (read(old), read(new)) {
            (Ok(old), Ok(new)) => report(&old, &new),
            (Err(why), _) | (_, Err(why)) => refuse(why),
        },
        _ => {
            paint::line(HOW);
            Exit::Success
        }
    }
}

/// Worse results are a failure, so that a script can stop at them.
fn report(old: &Results, new: &Results) -> Exit {
    let mut exit = Exit::Success;
    let mut unmatched = Vec::new();
    for (name, newer) in new {
        let older = old.get(name).map(|older| older.samples.as_slice()).unwrap_or_default();
        match compare(older, &newer.samples, newer.direction) {
            Some(found) => {
                paint::line(&line(name, newer, older, &found));
                if found.verdict == Verdict::Worse {
                    exit = Exit::Fault;
                }
            }
            None => unmatched.push(name.as_str()),
        }
    }
    if !unmatched.is_empty() {
        paint::line(&format!("without older samples: {}", unmatched.join(", ")));
    }
    exit
}

fn line(name: &str, series: &Series, older: &[f64], found: &Comparison) -> String {
    let percent = |share: f64| format!("{:+.1} %", share * 100.0);
    let verdict = match found.verdict {
        Verdict::Noise => "noise",
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Unknown => "unknown (too few samples)",
    };
    let all: Vec<f64> = older.iter().chain(&series.samples).copied().collect();
    format!(
        "{name:40} {:.3} -> {:.3} {}  {} [{}, {}]  {verdict}  {}",
        found.old_median,
        found.new_median,
        series.unit,
        percent(found.change),
        percent(found.change_low),
        percent(found.change_high),
        sparkline(&all),
    )
}

/// The samples in the order they were taken, at most 30 of the newest.
fn sparkline(samples: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = samples.get(samples.len().saturating_sub(30)..).unwrap_or_default();
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: &f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        BARS.get((share * 7.0).round() as usize).copied().unwrap_or('▁')
    };
    shown.iter().map(bar).collect()
}

fn read(path: &Path) -> Result<Results, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let mut results = Results::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row = serde_json::from_str(line)
            .map_err(|error| format!("{}, line {}: {error}", path.display(), number + 1))?;
        add(&mut results, &row);
    }
    Ok(results)
}

/// A bench with two goals has two rows with the same samples; those of one run count once.
fn add(results: &mut Results, row: &Value) {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let samples = row.get("samples").and_then(Value::as_array);
    let samples: Vec<f64> = samples.into_iter().flatten().filter_map(Value::as_f64).collect();
    if samples.is_empty() {
        return;
    }
    let direction = if text("better") == "higher" {
        Direction::HigherIsBetter
    } else {
        Direction::LowerIsBetter
    };
    let name = format!("{}/{}", text("category"), text("bench"));
    let new = || Series { unit: text("unit").to_owned(), direction, samples: Vec::new() };
    let series = results.entry(name).or_insert_with(new);
    if !series.samples.ends_with(&samples) {
        series.samples.extend(samples);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Results, add, report, sparkline};
    use crate::exit::Exit;

    fn results(middle: f64, count: usize) -> Results {
        let samples: Vec<f64> = (0..count).map(|i| middle + 0.01 * i as f64).collect();
        let row = json!({ "category": "c", "bench": "b", "unit": "us", "better": "lower", "samples": samples });
        let mut results = Results::new();
        add(&mut results, &row);
        add(&mut results, &row);
        results
    }

    #[test]
    fn rows_of_one_run_count_once() {
        assert_eq!(results(1.0, 10)["c/b"].samples.len(), 10);
    }

    #[test]
    fn worse_results_fail() {
        assert_eq!(report(&results(100.0, 50), &results(120.0, 10)), Exit::Fault);
        assert_eq!(report(&results(100.0, 50), &results(80.0, 10)), Exit::Success);
        assert_eq!(
            report(&results(100.0, 5), &results(120.0, 10)),
            Exit::Success,
            "too few to say"
        );
        assert_eq!(report(&Results::new(), &results(1.0, 10)), Exit::Success);
    }

    #[test]
    fn a_flat_series_is_a_flat_line() {
        assert_eq!(sparkline(&[1.0, 1.0]), "▁▁");
        assert_eq!(sparkline(&[1.0, 2.0]), "▁█");
    }
}
