//! Runs one section of a literate page in a fresh, deterministic session and compares.

mod shape;

use crate::page::{Cell, Expected, Section};
use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::CellRequest;
use ag_lang::exec::tier::{self, Mode};
use ag_runtime::context::sink::Question;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The kinds of block that must be there when a cell gives something of that kind.
const STRICT: [&str; 3] = ["output", "fault", "asked"];

/// Lines to replace in the page, and by what.
pub type Edit = (Range<usize>, String);

/// Compares every cell with its blocks; the error tells all differences of the section.
pub fn check(section: &Section) -> Result<(), String> {
    check_cells(&section.cells)
}

/// A section whose last cell needs a part that is not there: the cells before it hold, it does not.
pub fn check_planned(section: &Section, part: &str) -> Result<(), String> {
    let Some((_, before)) = section.cells.split_last() else { return Ok(()) };
    check_cells(before)?;
    match check_cells(&section.cells) {
        Ok(()) => Err(format!("this holds now: its heading need not wait for the {part}")),
        Err(_) => Ok(()),
    }
}

fn check_cells(cells: &[Cell]) -> Result<(), String> {
    let mut problems = String::new();
    // What died before this section is none of its business.
    ag_runtime::value::dying::finish(|| false);
    let before = ag_runtime::value::heap::live();
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut session = open(folder.path());
        for cell in cells {
            let seen = evaluate(&mut session, cell);
            compare(cell, &seen, &mut problems);
        }
    }
    // What died last may still be freed in the background.
    ag_runtime::value::dying::finish(|| false);
    let after = ag_runtime::value::heap::live();
    if after != before {
        let _ = writeln!(problems, "heap not balanced: {before:?} before, {after:?} after");
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// What `UPDATE=1` writes: the blocks as the section gives them now.
pub fn observe(section: &Section) -> Vec<Edit> {
    let mut edits = Vec::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut session = open(folder.path());
    for cell in &section.cells {
        let seen = evaluate(&mut session, cell);
        for block in cell.expected.iter().filter(|block| block.kind != "answers") {
            let got = seen.of(&block.kind);
            // A shape is written by a person.
            if !(block.is_shape && holds(block, &got)) {
                edits.push((block.lines.clone(), got));
            }
        }
        let end = cell.line - 1 + cell.code.lines().count() + 1;
        for kind in STRICT {
            let text = seen.of(kind);
            if !text.is_empty() && !cell.expected.iter().any(|block| block.kind == kind) {
                edits.push((end..end, format!("\n```{kind}\n{text}```\n")));
            }
        }
    }
    edits
}

/// The page with the edits made, last first.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, new) in edits {
        lines.splice(range, new.lines().map(str::to_string));
    }
    lines.join("\n") + "\n"
}

/// What one cell gave, by kind of block.
struct Seen {
    outputs: Vec<Output>,
    /// Questions, each as it was put to the person.
    asked: String,
}

impl Seen {
    fn of(&self, kind: &str) -> String {
        if kind == "asked" {
            return self.asked.clone();
        }
        let style = Style { width: 80, color: false };
        let chosen = self.outputs.iter().filter(|output| kind_of(output) == kind);
        let text: String = chosen.map(|output| shown(output, &style)).collect();
        // Trailing blanks would be invisible in the page.
        text.lines().map(|line| as_interpreted(line.trim_end()) + "\n").collect()
    }
}

/// Pages say what a fresh function runs on; a run of all pages on another tier (`AG_TIERS`) is asked for nothing else.
fn as_interpreted(line: &str) -> String {
    match (tier::mode(), line.split_once(": compiled, ")) {
        (Mode::AtOnce, Some((name, _))) => format!("{name}: interpreter"),
        (Mode::AtOnce, None) if line.contains(" bytes of machine code for ") => {
            format!("{line}; it still runs in the interpreter")
        }
        _ => line.to_owned(),
    }
}

fn shown(output: &Output, style: &Style) -> String {
    match output {
        Output::Fault(fault) => format!("{}: {}\n", fault.code, fault.message),
        // A terminal rewrites it in place.
        Output::Progress(_) => render::terminal(output, style) + "\n",
        _ => render::terminal(output, style),
    }
}

fn kind_of(output: &Output) -> &'static str {
    match output {
        Output::Fault(_) => "fault",
        Output::Diagnostics(_) => "diagnostics",
        Output::Cost(_) | Output::CostChart(_) | Output::Budget(_) | Output::CostLine(_) => {
            "ledger"
        }
        Output::Trace(_) | Output::Agents(_) => "trace",
        Output::Recall(_) => "recall",
        _ => "output",
    }
}

/// Beside an empty folder: what one section writes, no other finds.
fn open(folder: &Path) -> Session {
    let options = SessionOptions {
        home: HomeChoice::Ephemeral,
        folder: Some(folder.to_owned()),
        lane: Some("echo".to_string()),
        seed: Some(7),
        workers: Some(1),
        ..SessionOptions::default()
    };
    Session::open(options).expect("a session on an ephemeral home")
}

#[derive(Default)]
struct Collect {
    outputs: Mutex<Vec<Output>>,
    /// What the person will say, a line each.
    answers: Mutex<VecDeque<String>>,
    asked: Mutex<String>,
}

impl OutputSink for Collect {
    fn emit(&self, output: Output) {
        self.outputs.lock().unwrap().push(output);
    }

    fn ask(&self, question: Question) {
        let Some(answer) = self.answers.lock().unwrap().pop_front() else {
            return question.refuse("nobody can be asked here");
        };
        writeln!(self.asked.lock().unwrap(), "{}{answer}", question.prompt).unwrap();
        question.answer(answer);
    }
}

fn evaluate(session: &mut Session, cell: &Cell) -> Seen {
    let answers = cell.expected.iter().filter(|block| block.kind == "answers");
    let answers = answers.flat_map(|block| block.text.lines().map(str::to_owned)).collect();
    let collect = Arc::new(Collect { answers: Mutex::new(answers), ..Collect::default() });
    let sink: Arc<dyn OutputSink> = collect.clone();
    let request = CellRequest::new(cell.code.clone());
    match cell.is_beside {
        true => drop(session.beside().evaluate(request, &sink)),
        false => drop(session.evaluate(request, &sink)),
    }
    let outputs = std::mem::take(&mut *collect.outputs.lock().unwrap());
    let asked = std::mem::take(&mut *collect.asked.lock().unwrap());
    Seen { outputs, asked }
}

fn compare(cell: &Cell, seen: &Seen, problems: &mut String) {
    for block in cell.expected.iter().filter(|e| e.kind != "answers") {
        let Expected { kind, text, .. } = block;
        let got = seen.of(kind);
        if !holds(block, &got) {
            let _ = writeln!(problems, "line {}: {kind} expected:\n{text}got:\n{got}", cell.line);
        }
    }
    for kind in STRICT {
        let got = seen.of(kind);
        if !got.is_empty() && !cell.expected.iter().any(|block| block.kind == kind) {
            let _ = writeln!(problems, "line {}: unexpected {kind}:\n{got}", cell.line);
        }
    }
    compare_diagnostics(cell, seen, problems);
}

fn holds(block: &Expected, got: &str) -> bool {
    match block.is_shape {
        true => shape::matches(&block.text, got),
        false => block.text == got,
    }
}

/// Every marker has its diagnostic on its line, and no diagnostic is without a marker.
fn compare_diagnostics(cell: &Cell, seen: &Seen, problems: &mut String) {
    let mut got: Vec<(usize, String)> = Vec::new();
    for output in &seen.outputs {
        let Output::Diagnostics(list) = output else { continue };
        for view in list {
            let line = view.places.first().map_or(0, |place| place.line as usize);
            got.push((line, view.code.clone()));
        }
    }
    let mut wanted: Vec<(usize, String)> =
        cell.markers().into_iter().map(|marker| (marker.line, marker.code)).collect();
    got.sort();
    wanted.sort();
    if got != wanted {
        let _ =
            writeln!(problems, "line {}: diagnostics expected {wanted:?}, got {got:?}", cell.line);
        for output in &seen.outputs {
            if let Output::Diagnostics(_) = output {
                problems.push_str(&render::terminal(output, &Style { width: 100, color: false }));
            }
        }
    }
}
