//! `ag test`: finds the tests of programs and notebooks, runs each in a session of its own, several at a time.
//!
//! It only finds, orders and shows; what a test is and how it runs is the session's business.

pub mod find;
mod junit;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ag_kernel::output::OutputSink;
use ag_kernel::output::test_run::{TestOutcome, TestView, TestsView};
use ag_kernel::render::test_run::test_terminal;
use ag_kernel::session::running::Interrupter;
use ag_kernel::session::testing;
use serde_json::json;

use crate::args::TestArgs;
use crate::command::test::find::{Found, Job};
use crate::exit::Exit;
use crate::refuse;
use crate::term::interrupt::{Guests, on_interrupt_of};
use crate::term::paint;
use crate::term::sink::{JsonSink, TerminalSink};

/// A test that ran, and how long that took.
struct Ran {
    view: TestView,
    took: Duration,
}

pub fn test(arguments: &TestArgs) -> Exit {
    let Found { jobs, rejected, files } = match find::find(&arguments.paths, arguments.filter()) {
        Ok(found) => found,
        Err(message) => return refuse(message),
    };
    let sink: Arc<dyn OutputSink> = match arguments.json {
        true => Arc::new(JsonSink::default()),
        false => Arc::new(TerminalSink::default()),
    };
    let has_rejected = !rejected.is_empty();
    rejected.into_iter().for_each(|output| sink.emit(output));
    if jobs.is_empty() && !has_rejected {
        return refuse(match arguments.filter() {
            Some(text) => format!("no test's name contains `{text}` ({files} files looked at)"),
            None => format!("no tests found ({files} files looked at); `ag new NAME` writes some"),
        });
    }
    let began = Instant::now();
    let all = run_all(&jobs, arguments);
    let took = began.elapsed();
    if let Some(path) = &arguments.junit
        && let Err(error) = std::fs::write(path, junit::report(&all))
    {
        return refuse(format!("{} was not written: {error}", path.display()));
    }
    let is_whole = all.len() == jobs.len();
    let view = TestsView { tests: all.into_iter().map(|ran| ran.view).collect() };
    summarise(&view, jobs.len(), took, arguments.json);
    if view.is_success() && is_whole && !has_rejected { Exit::Success } else { Exit::Fault }
}

fn summarise(view: &TestsView, wanted: usize, took: Duration, as_json: bool) {
    let missing = wanted - view.tests.len();
    if as_json {
        let data = json!({
            "tests": view.tests.len(),
            "passed": view.passed(),
            "failed": view.tests.len() - view.passed(),
            "not_run": missing,
            "took_ms": took.as_millis() as u64,
        });
        return JsonSink::default().line(&json!({ "output": "summary", "data": data }));
    }
    if view.tests.is_empty() {
        return;
    }
    let not_run = if missing > 0 { format!(", {missing} not run") } else { String::new() };
    paint::line(&format!("{}{not_run} ({:.2} s)", view.summary(), took.as_secs_f64()));
}

/// Runs them on several threads; they are told in their order all the same.
fn run_all(jobs: &[Job], arguments: &TestArgs) -> Vec<Ran> {
    let next = AtomicUsize::new(0);
    let stop = Arc::new(AtomicBool::new(false));
    let guests = Guests::default();
    on_interrupt_of(guests.clone(), Arc::clone(&stop));
    let table =
        Table { rows: Mutex::new(jobs.iter().map(|_| None).collect()), told: Mutex::new(0) };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.jobs.unwrap_or(cores).clamp(1, jobs.len().max(1));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let began = Instant::now();
            let begun = |interrupter: Interrupter| {
                guests.add(interrupter.clone());
                // Asked for between the look above and here.
                if stop.load(Ordering::Relaxed) {
                    interrupter.interrupt();
                }
            };
            let view = testing::run(&job.sources, job.folder.clone(), &job.test, &begun);
            table.set(job.number, Ran { view, took: began.elapsed() });
            table.tell(arguments.json);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let rows = table.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.into_iter().flatten().collect()
}

struct Table {
    rows: Mutex<Vec<Option<Ran>>>,
    /// How many rows were shown.
    told: Mutex<usize>,
}

impl Table {
    fn set(&self, number: usize, ran: Ran) {
        if let Some(row) = held(&self.rows).get_mut(number) {
            *row = Some(ran);
        }
    }

    /// Shows the rows that are next in order and have ended.
    fn tell(&self, as_json: bool) {
        let mut told = held(&self.told);
        let rows = held(&self.rows);
        let style = paint::style();
        while let Some(Some(Ran { view, took })) = rows.get(*told) {
            match as_json {
                true => {
                    let mut data = json!(view);
                    if let Some(data) = data.as_object_mut() {
                        data.insert("took_ms".to_owned(), json!(took.as_secs_f64() * 1e3));
                    }
                    JsonSink::default().line(&json!({ "output": "test", "data": data }));
                }
                false => paint::text(&test_terminal(view, &style)),
            }
            *told += 1;
        }
    }
}

/// A panic of another thread leaves nothing half done that matters here.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_failed(view: &TestView) -> bool {
    view.outcome != TestOutcome::Passed
}

/// What a path is called in reports.
fn named(path: &Path) -> String {
    let name = path.display().to_string();
    name.strip_prefix("./").map(str::to_owned).unwrap_or(name)
}
