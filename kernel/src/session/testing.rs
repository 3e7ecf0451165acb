//! Runs a test (L-65) in a session of its own: virtual clock, fixed seed, echo lane, empty stores and ledger. The session
//! that has the test is not touched.
//!
//! The texts that stand before the test are taken in again. Of their statements only those run that give globals which
//! the test needs, so that a program's own output and spending are no part of its tests.

use std::path::PathBuf;
use std::sync::Arc;

use ag_lang::db::Imported;
use ag_lang::db::workspace::tested::TestInfo;
use ag_lang::db::workspace::{CellId, CheckedCell, Step, Workspace};
use ag_lang::source::{LineIndex, Span};
use ag_lang::types::test_item::{TestOptions, key};
use ag_runtime::builtin::record::load;
use ag_runtime::fault::{Fault, code};
use ag_runtime::world::run::TaskSpec;

use crate::output::diagnostic::FaultView;
use crate::output::test_run::{TestOutcome, TestView};
use crate::output::{Output, OutputSink};
use crate::session::Session;
use crate::session::evaluate::Evaluation;
use crate::session::imports;
use crate::session::options::{HomeChoice, InTest, SessionOptions};
use crate::session::running::Interrupter;
use crate::session::seat::Seat;
use crate::session::sink::{Collected, SessionSink};

/// The seed of a test that names none. Every run of it is the same.
const SEED: u64 = 7;
const LANE: &str = "echo";

/// A text that stands around tests: a file, or a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub title: String,
    pub text: String,
}

/// A test of some sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub title: String,
    /// Which source it stands in.
    pub source: usize,
    /// From 1.
    pub line: u32,
    span: Span,
    options: TestOptions,
}

/// The tests of these sources, in order. One written again replaces the earlier one of its title.
pub fn list(sources: &[Source]) -> Vec<Listed> {
    let mut workspace = Workspace::new();
    let cells: Vec<CellId> = sources.iter().map(|one| workspace.add_cell(&one.text)).collect();
    let found = workspace.tests().into_iter();
    found.filter_map(|test| listed(sources, &cells, test)).collect()
}

fn listed(sources: &[Source], cells: &[CellId], test: TestInfo) -> Option<Listed> {
    let source = cells.iter().position(|cell| *cell == test.cell)?;
    let text = &sources.get(source)?.text;
    let line = LineIndex::new(text).line_column(test.span.start, text).line + 1;
    let TestInfo { title, span, options, .. } = test;
    Some(Listed { title: title.to_string(), source, line, span, options })
}

/// Runs one test. `begun` is given the way to interrupt it.
pub fn run(
    sources: &[Source],
    folder: Option<PathBuf>,
    test: &Listed,
    begun: &dyn Fn(Interrupter),
) -> TestView {
    let origin = sources.get(test.source).map_or("", |source| &source.title);
    let collected = Arc::new(Collected::default());
    let outcome = match Session::open(session_options(&test.options, folder)) {
        Ok(session) => {
            let shown = Arc::clone(&collected) as Arc<dyn OutputSink>;
            let replay = test.options.replay.as_deref().map(str::to_owned);
            Run { session, shown, replay, imports: Vec::new() }.run(sources, test, begun)
        }
        Err(error) => {
            collected.emit(Output::Fault(FaultView::at(error.code, &error.message, None)));
            TestOutcome::Failed
        }
    };
    let outputs = collected.take();
    TestView {
        title: test.title.clone(),
        origin: origin.to_owned(),
        line: test.line,
        outcome,
        outputs,
    }
}

fn session_options(options: &TestOptions, folder: Option<PathBuf>) -> SessionOptions {
    SessionOptions {
        person: String::new(),
        home: HomeChoice::Ephemeral,
        folder,
        lane: Some(options.lane.as_deref().unwrap_or(LANE).to_owned()),
        budget_micro_usd: options.budget_micro_usd,
        seed: Some(options.seed.unwrap_or(SEED)),
        // A test uses a provider only if it names it.
        providers: options.lane.is_some(),
        workers: Some(1),
        models: None,
        arguments: Vec::new(),
        allowed: Vec::new(),
        // Only the block is replayed.
        taping: None,
        in_test: Some(InTest { real_clock: options.real_clock }),
    }
}

struct Run {
    session: Session,
    shown: Arc<dyn OutputSink>,
    replay: Option<String>,
    /// Where the imports of the next text lead.
    imports: Vec<Imported>,
}

impl Run {
    fn run(
        mut self,
        sources: &[Source],
        test: &Listed,
        begun: &dyn Fn(Interrupter),
    ) -> TestOutcome {
        self.session.seat.running.begin(1);
        begun(self.session.interrupter());
        let outcome = self.steps(sources, test);
        self.session.seat.running.end();
        outcome
    }

    fn steps(&mut self, sources: &[Source], test: &Listed) -> TestOutcome {
        let (mut cells, mut own) = (Vec::new(), None);
        for (at, source) in sources.iter().enumerate() {
            if let Err(outcome) = self.files(&source.text, &mut cells) {
                return outcome;
            }
            // What does not check defines nothing here either.
            let (id, checked) = self.take_in(&source.title, &source.text);
            if !checked.has_errors() {
                cells.push((id, checked));
            } else if at == test.source {
                own = Some((id, checked));
            } else {
                self.session.seat.program.workspace.lock().remove_cell(id);
            }
        }
        // Alone and last: it is checked against what its sources mean together.
        let text = sources.get(test.source).map(|source| alone(&source.text, test.span));
        let title = sources.get(test.source).map(|source| source.title.clone());
        let own = own
            .unwrap_or_else(|| self.take_in(&title.unwrap_or_default(), &text.unwrap_or_default()));
        let (id, checked) = own;
        if checked.has_errors() {
            let views = self.session.seat.program.views(id, &checked.diagnostics);
            self.shown.emit(Output::Diagnostics(views));
            return TestOutcome::Rejected;
        }
        cells.push((id, checked));
        match self.execute(&cells, id, &test.title) {
            Ok(()) => TestOutcome::Passed,
            Err(fault) => {
                let view = self.session.seat.program.fault_view(&fault);
                self.shown.emit(Output::Fault(view));
                TestOutcome::Failed
            }
        }
    }

    /// The files that a text imports.
    fn files(
        &mut self,
        text: &str,
        cells: &mut Vec<(CellId, CheckedCell)>,
    ) -> Result<(), TestOutcome> {
        let program = &self.session.seat.program;
        let files = imports::take_in(program, &self.session.seat.folder, text);
        if files.has_errors() {
            self.shown.emit(Output::Diagnostics(program.views_of_files(&files)));
            return Err(TestOutcome::Rejected);
        }
        cells.extend(files.cells);
        self.imports = files.imports;
        Ok(())
    }

    fn take_in(&mut self, title: &str, text: &str) -> (CellId, CheckedCell) {
        let imports = std::mem::take(&mut self.imports);
        let mut workspace = self.session.seat.program.workspace.lock();
        let id = workspace.add_cell(text);
        workspace.set_imports(id, imports);
        let checked = workspace.check(id);
        drop(workspace);
        self.session.seat.program.name_source(id, title);
        (id, checked)
    }

    fn execute(
        &mut self,
        cells: &[(CellId, CheckedCell)],
        own: CellId,
        title: &str,
    ) -> Result<(), Box<Fault>> {
        let steps: Vec<(CellId, &[Step])> =
            cells.iter().map(|(id, checked)| (*id, checked.steps.as_slice())).collect();
        let needed = self.session.seat.program.workspace.lock().needed(own, &steps);
        for (id, checked) in cells {
            let mut evaluation = Evaluation::of(&self.session.seat, *id, 1, &self.shown);
            evaluation.define(checked).map_err(|error| {
                let message = format!("{}: {}", error.function, error.message);
                Box::new(Fault::new(code::INTERNAL, message))
            })?;
            for (at, step) in checked.steps.iter().enumerate() {
                if let Step::Statement(step) = step
                    && needed.contains(&(*id, at))
                {
                    evaluation.statement(step)?;
                }
            }
        }
        self.block(title)
    }

    /// The test's own block.
    fn block(&self, title: &str) -> Result<(), Box<Fault>> {
        let Seat { program, running, .. } = &self.session.seat;
        if running.is_interrupted() {
            return Err(Box::new(Fault::new(code::TIME, "interrupted")));
        }
        let Some(slot) = program.engine.slot(&key(title)) else {
            return Err(Box::new(Fault::new(code::INTERNAL, "the test has no code")));
        };
        if let Some(file) = &self.replay {
            let tape = load(&self.session.seat.folder, file).map_err(Box::new)?;
            program.world().effects().set_session(Some(tape));
        }
        let task = program.world().run(TaskSpec {
            name: format!("test {title}").into(),
            slot,
            args: Vec::new(),
            sink: Arc::new(SessionSink::new(program, &self.shown)),
            limits: program.services().map(|services| services.ledger().cell(1)),
            cell: 1,
            globals: None,
        });
        // Asked for after the look above and before the task was known.
        if running.is_interrupted() {
            running.interrupt(program.world());
        }
        task.join()?;
        self.session.end_taping().into_iter().for_each(|output| self.shown.emit(output));
        Ok(())
    }
}

/// The text with everything but one part blank: what stands there keeps its line and column.
fn alone(text: &str, span: Span) -> String {
    let (start, end) = (span.start as usize, span.end as usize);
    let kept = |at: usize, c: char| (start..end).contains(&at) || c == '\n';
    let char = |(at, c): (usize, char)| {
        // As many bytes as before, so that spans mean the same places.
        let blanks = if kept(at, c) { 0 } else { c.len_utf8() };
        std::iter::repeat_n(' ', blanks).chain((blanks == 0).then_some(c))
    };
    text.char_indices().flat_map(char).collect()
}

#[cfg(test)]
mod tests {
    use super::{Listed, Source, alone, list, run};
    use crate::output::test_run::{TestOutcome, TestView};
    use ag_lang::source::Span;

    fn source(text: &str) -> Vec<Source> {
        vec![Source { title: "a.ag".into(), text: text.into() }]
    }

    fn all(text: &str) -> Vec<TestView> {
        let sources = source(text);
        list(&sources).iter().map(|test: &Listed| run(&sources, None, test, &|_| ())).collect()
    }

    #[test]
    fn a_part_alone_keeps_its_place() {
        let text = "let ä := 1\ntest \"x\" { }\nf()";
        let at = u32::try_from(text.find("test").unwrap()).unwrap();
        let blank = alone(text, Span::new(at, at + 12));
        assert_eq!(blank, format!("{}\ntest \"x\" {{ }}\n   ", " ".repeat(11)));
        assert_eq!(blank.len(), text.len());
    }

    #[test]
    fn only_what_a_test_needs_runs() {
        let views = all("let a := 1\nvar b := a\nb += 1\nprint(\"noise\")\nlet never := 1 / 0\n\
                         test \"b\" { assert b == 2 }");
        assert_eq!(views.len(), 1);
        assert_eq!(
            (views[0].outcome, views[0].outputs.len()),
            (TestOutcome::Passed, 0),
            "{views:?}"
        );
        assert_eq!(views[0].place(), "a.ag:6");
    }

    #[test]
    fn tests_do_not_see_each_other() {
        let views = all("var n := 0\ntest \"a\" { n += 1; assert n == 1 }\n\
                         test \"b\" { n += 1; assert n == 1 }");
        assert!(views.iter().all(|view| view.outcome == TestOutcome::Passed), "{views:?}");
    }

    #[test]
    fn one_written_again_replaces_the_first() {
        let cell = |text: &str| Source { title: "cell".into(), text: text.into() };
        let sources = [cell("test \"a\" { assert false }"), cell("test \"a\" { assert true }")];
        let found = list(&sources);
        assert_eq!(found.len(), 1);
        assert_eq!(run(&sources, None, &found[0], &|_| ()).outcome, TestOutcome::Passed);
    }
}
