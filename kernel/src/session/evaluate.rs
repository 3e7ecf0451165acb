//! One cell from its text to what it shows: check it whole, put its definitions in force, run its statements in order.
//!
//! A cell with a mistake defines nothing and runs nothing (L-150); a Fault keeps what was done before it (L-155).

use std::sync::Arc;
use std::time::{Duration, Instant};

use ag_lang::db::Imported;
use ag_lang::db::workspace::{Broken, CellId, CheckedCell, Step};
use ag_lang::diag::{Diagnostic, codes};
use ag_lang::engine::InstallError;
use ag_lang::hir::CellStep;
use ag_lang::ide::statement::{Statement, statement};
use ag_lang::stop::Stopped;
use ag_lang::syntax::item::{Command, Sigil};
use ag_lang::types::ty::{Name, Ty};
use ag_runtime::context::globals::Globals;
use ag_runtime::fault::{Fault, code};
use ag_runtime::ledger::quota::LimitContext;
use ag_runtime::value::owned::Owned;
use ag_runtime::world::run::TaskSpec;

use crate::output::table::ValueView;
use crate::output::{Output, OutputSink};
use crate::session::answers::View;
use crate::session::command::{self, Modifier};
use crate::session::imports;
use crate::session::program::Program;
use crate::session::refute::refute;
use crate::session::request::{CellRequest, CellStatus};
use crate::session::seat::Seat;
use crate::session::sink::SessionSink;

/// A cell on its way.
pub struct Evaluation<'s> {
    seat: &'s Seat,
    shown: Arc<dyn OutputSink>,
    text: &'s str,
    title: String,
    cell: CellId,
    number: u32,
    limits: LimitContext,
    /// Beside the session: the values as of its start.
    globals: Option<Arc<Globals>>,
    /// Where the text's imports lead.
    imports: Vec<Imported>,
    last: Last,
    times: Times,
}

/// The last statement: what a result was computed by, and from what.
#[derive(Debug, Clone, Default)]
pub struct Last {
    pub reads: Vec<Name>,
    pub text: String,
}

/// Where the time of a cell went.
#[derive(Debug, Clone, Default)]
pub struct Times {
    pub check: Duration,
    pub compile: Duration,
    pub run: Duration,
    /// Whether any statement ran.
    pub has_run: bool,
}

/// What a cell came to.
pub struct Ended {
    pub status: CellStatus,
    /// The value of the last expression with its type, if it is to be shown.
    pub result: Option<(Owned, Ty)>,
    pub last: Last,
    pub times: Times,
}

impl Ended {
    fn without_result(status: CellStatus) -> Ended {
        Ended { status, result: None, last: Last::default(), times: Times::default() }
    }
}

impl<'s> Evaluation<'s> {
    pub fn new(
        seat: &'s Seat,
        request: &'s CellRequest,
        number: u32,
        shown: &Arc<dyn OutputSink>,
    ) -> Evaluation<'s> {
        let title = request.file.clone().unwrap_or_else(|| format!("cell {number}"));
        let cell = CellId::default();
        Evaluation { text: &request.text, title, ..Evaluation::of(seat, cell, number, shown) }
    }

    /// A cell that was taken in already.
    pub fn of(
        seat: &'s Seat,
        cell: CellId,
        number: u32,
        shown: &Arc<dyn OutputSink>,
    ) -> Evaluation<'s> {
        let program = &seat.program;
        Evaluation {
            seat,
            shown: Arc::clone(shown),
            text: "",
            title: String::new(),
            cell,
            number,
            limits: program.services().map(|services| services.ledger().cell(number)),
            globals: seat.is_aside.then(|| program.world().globals().snapshot()),
            imports: Vec::new(),
            last: Last::default(),
            times: Times::default(),
        }
    }

    /// Checks, defines, runs. The cell's own result is given, not shown.
    pub fn run(mut self, is_file: bool) -> Ended {
        let ended = self.evaluate(is_file);
        Ended { times: self.times, ..ended }
    }

    fn evaluate(&mut self, is_file: bool) -> Ended {
        let started = Instant::now();
        if let Err(status) = self.take_in_files() {
            return Ended::without_result(status);
        }
        let checked = self.check();
        self.times.check = started.elapsed();
        let Ok(mut checked) = checked else {
            self.fault(&Fault::new(code::TIME, "interrupted"));
            return Ended::without_result(CellStatus::Faulted);
        };
        if is_file {
            refuse_commands(&mut checked);
        }
        let modifiers = self.take_modifiers(&mut checked);
        self.show_diagnostics(&checked.diagnostics);
        if checked.has_errors() {
            self.seat.program.workspace.lock().remove_cell(self.cell);
            return Ended::without_result(CellStatus::Rejected);
        }
        if !self.seat.is_aside
            && let Err(error) = self.define(&checked)
        {
            return self.internal(&error);
        }
        self.times.compile = started.elapsed() - self.times.check;
        let started = Instant::now();
        let ended = self.steps(checked.steps);
        if modifiers.contains(&Modifier::Time) {
            let took_ms = started.elapsed().as_secs_f64() * 1e3;
            self.shown.emit(Output::info(format!("cell {} took {took_ms:.3} ms", self.number)));
        }
        ended
    }

    /// The files that the text imports, and those known that were changed: checked, put in force, and run.
    fn take_in_files(&mut self) -> Result<(), CellStatus> {
        if self.seat.is_aside {
            return Ok(());
        }
        let program = &self.seat.program;
        let taken = imports::take_in(program, &self.seat.folder, self.text);
        let views = program.views_of_files(&taken);
        if !views.is_empty() {
            self.shown.emit(Output::Diagnostics(views));
        }
        if taken.has_errors() {
            return Err(CellStatus::Rejected);
        }
        taken.notes.into_iter().for_each(|note| self.shown.emit(Output::warning(note)));
        self.imports = taken.imports;
        for (id, checked) in taken.cells {
            let mut file = Evaluation::of(self.seat, id, self.number, &self.shown);
            if let Err(error) = file.define(&checked) {
                return Err(file.internal(&error).status);
            }
            let status = file.steps(checked.steps).status;
            if status != CellStatus::Ok {
                return Err(status);
            }
        }
        Ok(())
    }

    /// Takes the text in as a cell of its number, and checks it whole; interrupted meanwhile it leaves nothing behind.
    fn check(&mut self) -> Result<CheckedCell, Stopped> {
        let program = &self.seat.program;
        let stop = self.seat.running.flag();
        let checked = {
            let mut workspace = program.workspace.lock();
            let (cell, checked) = match self.seat.is_aside {
                true => workspace.aside(self.text),
                false => {
                    let cell = workspace.add_cell(self.text);
                    workspace.set_imports(cell, std::mem::take(&mut self.imports));
                    let checked = workspace.check_unless(cell, stop);
                    let mut checked = checked.inspect_err(|_| workspace.discard(cell))?;
                    refute(&workspace, cell, &mut checked, stop);
                    (cell, checked)
                }
            };
            self.cell = cell;
            checked
        };
        program.name_source(self.cell, &self.title);
        Ok(checked)
    }

    /// `%%name` lines: what is to be done around the cell. A wrong one is a diagnostic of the cell.
    fn take_modifiers(&self, checked: &mut CheckedCell) -> Vec<Modifier> {
        let mut modifiers = Vec::new();
        let diagnostics = &mut checked.diagnostics;
        checked.steps.retain(|step| {
            let Step::Command(line) = step else { return true };
            if line.sigil != Sigil::DoublePercent {
                return true;
            }
            match command::modifier(&line.name.name.text(), &line.rest) {
                Ok(modifier) => modifiers.push(modifier),
                Err(refusal) => diagnostics.push(refusal.diagnostic(line.span)),
            }
            false
        });
        modifiers
    }

    fn show_diagnostics(&self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        let views = self.seat.program.views(self.cell, diagnostics);
        self.shown.emit(Output::Diagnostics(views));
    }

    /// Puts the cell's definitions in force, and those of earlier cells that mean something else now.
    pub fn define(&mut self, checked: &CheckedCell) -> Result<(), InstallError> {
        let program = &self.seat.program;
        let relinked = checked.changes.relinked.iter().map(|(cell, all)| (*cell, all));
        let cells: Vec<_> =
            std::iter::once((self.cell, &checked.definitions)).chain(relinked).collect();
        program.install_all(&cells)?;
        let all = || cells.iter().map(|(_, definitions)| *definitions);
        program.note_types(all());
        program.moved_agents(all()).into_iter().for_each(|output| self.shown.emit(output));
        for name in &checked.changes.mended {
            self.seat.record.write().mend(name);
        }
        for broken in &checked.changes.broken {
            self.mark_broken(broken);
            self.seat.record.write().break_definition(&broken.name);
        }
        self.seat.record.write().define(&self.seat.program, self.cell, self.number);
        Ok(())
    }

    fn mark_broken(&self, broken: &Broken) {
        let program = &self.seat.program;
        let why = format!("`{}` no longer checks: {}", broken.name, broken.diagnostic.message);
        for key in &broken.functions {
            program.engine.mark_broken(key, &broken.diagnostic.message);
        }
        self.shown.emit(Output::warning(format!(
            "{why} ({}); calling it is R0901",
            broken.diagnostic.code
        )));
    }

    fn steps(&mut self, steps: Vec<Step>) -> Ended {
        let mut result = None;
        let mut reached = Vec::new();
        for step in steps {
            match step {
                Step::Command(line) => {
                    if let Err(status) = self.command(&line) {
                        return self.settled(&reached, Ended::without_result(status));
                    }
                }
                Step::Statement(step) => {
                    match self.statement(&step) {
                        Ok(value) => {
                            let names = step.writes.iter().map(|(name, _)| name.clone());
                            self.seat.program.workspace.lock().reach(names.clone());
                            reached.extend(names);
                            let ty = step.function.result.clone();
                            result = step.shows.then_some((value, ty));
                        }
                        Err(fault) => {
                            self.fault(&fault);
                            let ended = Ended::without_result(CellStatus::Faulted);
                            return self.settled(&reached, ended);
                        }
                    };
                }
            }
        }
        let is_shown = |(_, ty): &(Owned, Ty)| !matches!(ty, Ty::Unit | Ty::Never);
        let result = result.filter(is_shown);
        let last = std::mem::take(&mut self.last);
        self.settled(&reached, Ended { last, result, ..Ended::without_result(CellStatus::Ok) })
    }

    /// Globals that were reached hold values now; the others do not exist.
    fn settled(&self, reached: &[Name], ended: Ended) -> Ended {
        if self.seat.is_aside {
            return ended;
        }
        self.seat.program.workspace.lock().settle(self.cell, Some(reached));
        ended
    }

    fn command(&mut self, line: &Command) -> Result<(), CellStatus> {
        let name = line.name.name.text();
        let is_refused = self.seat.is_aside && command::changes(&name, &line.rest);
        let outputs = match is_refused {
            true => Err(command::refused_aside(&name)),
            false => {
                let shown = Some(&self.shown);
                let mut view = View { shown, number: self.number, ..self.seat.view() };
                command::run(line.sigil, &name, &line.rest, &mut view)
            }
        };
        // What the command set going comes before the next statement.
        self.seat.rest();
        if self.seat.running.is_interrupted() {
            self.fault(&Fault::new(code::TIME, "interrupted"));
            return Err(CellStatus::Faulted);
        }
        match outputs {
            Ok(outputs) => {
                // The mistakes of the text after `:type` are mistakes of the cell.
                let is_wrong =
                    outputs.iter().any(|o| matches!(o, Output::Diagnostics(_)) && o.is_failure());
                if is_wrong {
                    self.seat.account(self.number, &self.shown);
                }
                outputs.into_iter().for_each(|output| self.shown.emit(output));
                if is_wrong {
                    return Err(CellStatus::Rejected);
                }
            }
            Err(refusal) => {
                self.seat.account(self.number, &self.shown);
                self.show_diagnostics(&[refusal.diagnostic(line.span)]);
                return Err(CellStatus::Rejected);
            }
        }
        Ok(())
    }

    pub fn statement(&mut self, step: &CellStep) -> Result<Owned, Box<Fault>> {
        let Seat { program, running, .. } = self.seat;
        if running.is_interrupted() {
            return Err(Box::new(Fault::new(code::TIME, "interrupted")));
        }
        if !self.seat.is_aside {
            let position = program.world().trace_position();
            self.seat.record.write().begin_trace(self.number, position);
        }
        let started = Instant::now();
        let slot = program.prepare(self.cell, step).map_err(|error| {
            let message = format!("{}: {}", error.function, error.message);
            Box::new(Fault::new(code::INTERNAL, message))
        })?;
        self.times.compile += started.elapsed();
        let started = Instant::now();
        let task = program.world().run(TaskSpec {
            name: format!("cell {}", self.number).into(),
            slot,
            args: Vec::new(),
            sink: Arc::new(SessionSink::new(program, &self.shown)),
            limits: self.limits.clone(),
            cell: self.number,
            globals: self.globals.clone(),
        });
        // Asked for after the look above and before the task was known: whoever asked found nothing to cancel.
        if running.is_interrupted() {
            running.interrupt(program.world());
        }
        let ended = task.join();
        self.seat.rest();
        self.times.run += started.elapsed();
        self.times.has_run = true;
        // Its code runs once.
        program.engine.release(&step.function.key);
        let statement = statement(&program.workspace.lock(), self.cell, step).unwrap_or_default();
        if !self.seat.is_aside {
            program.past.lock().reached_out(&step.function.effects);
            self.remember(step, &statement, ended.is_ok());
        }
        self.last = Last { reads: step.reads.clone(), text: statement.text };
        ended
    }

    /// What a statement gave values; one that faulted may have given them to what it changes, not to what it declares.
    fn remember(&self, step: &CellStep, statement: &Statement, is_done: bool) {
        let mut step = step.clone();
        if !is_done {
            step.writes.retain(|(name, _)| !statement.fresh.contains(name));
        }
        if step.writes.is_empty() && step.changes.is_empty() {
            return;
        }
        if is_done {
            self.seat.program.replaced_globals(&step);
        }
        self.seat.record.write().ran(&step, self.number, statement);
    }

    fn fault(&mut self, fault: &Fault) {
        let view = self.seat.program.fault_view(fault);
        self.seat.record.write().fault = Some(view.clone());
        self.seat.account(self.number, &self.shown);
        self.shown.emit(Output::Fault(view));
    }

    /// Our own mistake: told with a code, and the session goes on.
    fn internal(&mut self, error: &InstallError) -> Ended {
        self.seat.program.workspace.lock().remove_cell(self.cell);
        let message = format!("{} could not be compiled: {}", error.function, error.message);
        self.fault(&Fault::new(code::INTERNAL, message));
        Ended::without_result(CellStatus::Faulted)
    }
}

/// Session commands have no place in a file (L-5).
pub fn refuse_commands(checked: &mut CheckedCell) {
    let refused = checked.steps.iter().filter_map(|step| match step {
        Step::Command(line) => Some(Diagnostic::new(
            codes::E0108,
            line.span,
            "session commands belong in cells, not in files",
        )),
        Step::Statement(_) => None,
    });
    let refused: Vec<Diagnostic> = refused.collect();
    checked.diagnostics.extend(refused);
}

/// A result as it is shown, with what should be known about it.
pub fn result_view(program: &Program, value: &Owned, ty: &Ty, notes: Vec<String>) -> ValueView {
    ValueView { type_name: ty.to_string(), notes, ..program.view_of(value) }
}
