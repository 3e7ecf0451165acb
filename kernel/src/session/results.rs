//! Results: `_` and `_N`, and expressions that a front end wants evaluated beside a cell.

use std::sync::Arc;

use ag_lang::types::ty::{Name, Ty};
use ag_runtime::value::owned::Owned;
use parking_lot::Mutex;

use crate::output::table::ValueView;
use crate::output::{Output, OutputSink};
use crate::render::{self, Failure, MimeBundle};
use crate::session::command::tour;
use crate::session::evaluate::{Evaluation, Last, result_view};
use crate::session::graph::result_name;
use crate::session::request::CellRequest;
use crate::session::seat::Seat;
use crate::session::sink::Collected;

impl Seat {
    /// Binds the result to `_` and `_N` (L-151) and tells how it looks. The handle of something just shown adds nothing.
    pub(super) fn keep_result(
        &self,
        request: &CellRequest,
        number: u32,
        value: Owned,
        ty: &Ty,
        last: &Last,
    ) -> Option<ValueView> {
        let notes = self.record.read().stale_notes(&last.reads);
        let view = result_view(&self.program, &value, ty, notes);
        if request.is_counted() && !self.is_aside {
            self.bind_result("_", &value, ty);
            self.bind_result(&result_name(number), &value, ty);
            let mut record = self.record.write();
            record.gave(number, number, last, ty);
            record.set_last_result(number);
        }
        (!matches!(ty, Ty::Opaque("Display" | "Progress"))).then_some(view)
    }

    /// The name of the cell, if its result may be marked later: beside the session a result is one of its start.
    fn marked<'r>(&self, request: &'r CellRequest) -> Option<&'r str> {
        request.cell_id.as_deref().filter(|_| request.is_counted() && !self.is_aside)
    }

    pub(super) fn begin_cell(&self, request: &CellRequest, number: u32) {
        if !request.deleted_cells.is_empty() && !self.is_aside {
            self.record.write().delete_cells(&request.deleted_cells);
        }
        if let Some(cell) = self.marked(request) {
            self.record.write().begin_cell(number, cell);
        }
    }

    pub(super) fn show_result(
        &self,
        request: &CellRequest,
        view: ValueView,
        reads: &[Name],
    ) -> Output {
        match self.marked(request) {
            Some(cell) => self.record.write().show_result(cell, view, reads),
            None => Output::Value(view),
        }
    }

    /// Marks results of earlier cells where they stand. A silent cell shows nothing: the next one tells.
    pub(super) fn show_changed_results(&self, request: &CellRequest, sink: &Arc<dyn OutputSink>) {
        if request.silent || self.is_aside {
            return;
        }
        let changed = self.record.write().changed_results();
        changed.into_iter().for_each(|output| sink.emit(output));
    }

    /// Runs a text inside the cell under way; its result is a result of that cell. What it shows is told in order.
    pub(super) fn run_inside(&self, text: &str, title: &str) -> Vec<Output> {
        let collected = Arc::new(Collected::default());
        let sink: Arc<dyn OutputSink> = Arc::clone(&collected) as Arc<dyn OutputSink>;
        let number = self.program.count();
        // Its place is named by the title; what makes it a file, that commands are refused, does not hold here.
        let request = CellRequest { file: Some(title.to_owned()), ..CellRequest::new(text) };
        let ended = Evaluation::new(self, &request, number, &sink).run(false);
        let last = ended.last;
        let keep = |(value, ty)| self.keep_result(&request, number, value, &ty, &last);
        if let Some(view) = ended.result.and_then(keep) {
            sink.emit(Output::Value(view));
        }
        collected.take()
    }

    /// Whether the terminal goes on with the tour when nothing is entered.
    pub fn is_on_tour(&self) -> bool {
        self.record.read().tour.is_some()
    }

    /// The code that this text runs as a step of the tour.
    pub fn code_of_tour(&self, text: &str) -> Option<&'static str> {
        let is_next = text.split_whitespace().eq([":tour", "next"]);
        let number = self.record.read().tour.filter(|_| is_next)?;
        Some(tour::steps().get(number.checked_sub(1)?)?.code)
    }

    /// What a global or a result holds.
    pub(super) fn value_of(&self, name: &str) -> Option<Owned> {
        self.program.value_of(name)
    }

    pub(super) fn bind_result(&self, name: &str, value: &Owned, ty: &Ty) {
        self.program.engine.set_global(name, value.clone());
        self.program.workspace.lock().set_result(name, ty.clone());
    }

    pub(super) fn user_expressions(
        &self,
        wanted: &[(String, String)],
        number: u32,
    ) -> Vec<(String, Result<MimeBundle, Failure>)> {
        let evaluate =
            |(name, text): &(String, String)| (name.clone(), self.expression(text, number));
        wanted.iter().map(evaluate).collect()
    }

    /// Evaluates an expression that shows nothing and belongs to the cell before it: what it spends is that cell's.
    fn expression(&self, text: &str, number: u32) -> Result<MimeBundle, Failure> {
        let title = format!("an expression beside cell {number}");
        let request = CellRequest { silent: true, file: Some(title), ..CellRequest::new(text) };
        let failed = Arc::new(FirstFailure::default());
        let sink: Arc<dyn OutputSink> = Arc::clone(&failed) as Arc<dyn OutputSink>;
        self.running.begin(number);
        let ended = Evaluation::new(self, &request, number, &sink).run(false);
        self.running.end();
        if let Some(failure) = failed.0.lock().take() {
            return Err(failure);
        }
        let view =
            ended.result.map(|(value, ty)| result_view(&self.program, &value, &ty, Vec::new()));
        Ok(view.and_then(|view| render::mime(&Output::Value(view))).unwrap_or_default())
    }
}

/// Keeps the first failure; everything else is not shown.
#[derive(Default)]
struct FirstFailure(Mutex<Option<Failure>>);

impl OutputSink for FirstFailure {
    fn emit(&self, output: Output) {
        if output.is_failure() {
            let mut first = self.0.lock();
            if first.is_none() {
                *first = render::failure(&output);
            }
        }
    }
}
