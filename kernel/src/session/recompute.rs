//! Stale values computed again, each after those it is computed from (L-153).
//!
//! What a value was made by runs again whole, from the statement that needs no earlier value. If one of its statements no
//! longer checks, faults, or may not run, everything it would have changed stays as it is. Never: runs a statement with an
//! effect outside (other than a made-up lane call) without asking.

use std::collections::BTreeSet;
use std::sync::Arc;

use ag_lang::db::workspace::{CellId, CheckedCell, Step};
use ag_runtime::value::show::quote;
use parking_lot::Mutex;

use crate::output::table::{Column, TableView};
use crate::output::{Output, OutputSink};
use crate::render::text::one_line;
use crate::session::evaluate::{Ended, Evaluation, result_view};
use crate::session::graph::{Group, Statement, result_name};
use crate::session::request::{CellRequest, CellStatus};
use crate::session::seat::Seat;
use crate::session::sink::Forward;

/// Longer values are cut in the list: they can be shown by their names.
const SHOWN: usize = 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Asked,
    /// `:set reactive on`.
    AfterCell,
}

struct Run<'s> {
    seat: &'s Seat,
    shown: &'s Arc<dyn OutputSink>,
    number: u32,
    occasion: Occasion,
    table: TableView,
    /// Values that stay stale.
    left: BTreeSet<String>,
    why: Vec<Output>,
    /// A person allowed everything that follows.
    allowed: bool,
}

impl Seat {
    /// `:run stale`.
    pub(super) fn run_stale(&self, shown: &Arc<dyn OutputSink>, number: u32) -> Vec<Output> {
        let outputs = self.recompute(shown, number, Occasion::Asked);
        match outputs.is_empty() {
            true => vec![Output::info("nothing is stale")],
            false => outputs,
        }
    }

    /// After a cell, if the session is reactive.
    pub(super) fn react(&self, shown: &Arc<dyn OutputSink>, number: u32) {
        if self.is_aside || self.running.is_interrupted() || !self.record.read().settings.reactive {
            return;
        }
        let outputs = self.recompute(shown, number, Occasion::AfterCell);
        outputs.into_iter().for_each(|output| shown.emit(output));
    }

    fn recompute(
        &self,
        shown: &Arc<dyn OutputSink>,
        number: u32,
        occasion: Occasion,
    ) -> Vec<Output> {
        let plan = self.record.read().graph.plan();
        let table = TableView::new(vec![Column::left("computed again"), Column::left("value")]);
        let (left, why) = (BTreeSet::new(), Vec::new());
        let allowed = false;
        let mut run = Run { seat: self, shown, number, occasion, table, left, why, allowed };
        for group in &plan {
            if self.running.is_interrupted() {
                break;
            }
            run.group(group);
        }
        let table = Some(run.table).filter(|table| !table.rows.is_empty()).map(Output::Table);
        table.into_iter().chain(run.why).collect()
    }
}

impl Run<'_> {
    fn group(&mut self, group: &Group) {
        let is_declined = |name: &String| self.seat.record.read().is_declined(name);
        if self.occasion == Occasion::AfterCell && group.stale.iter().all(is_declined) {
            self.left.extend(group.names.iter().cloned());
            return;
        }
        if let Err(why) = self.compute(group) {
            let stay = if group.stale.len() == 1 { "stays" } else { "stay" };
            let names: Vec<String> = group.stale.iter().map(|name| format!("`{name}`")).collect();
            self.why.push(Output::warning(format!("{} {stay} stale: {why}", names.join(", "))));
            self.left.extend(group.names.iter().cloned());
            if self.occasion == Occasion::AfterCell {
                self.seat.record.write().decline(&group.stale);
            }
        }
    }

    fn compute(&mut self, group: &Group) -> Result<(), String> {
        if let Some(first) = group.waits_for.iter().find(|name| self.left.contains(*name)) {
            return Err(format!("`{first}` is"));
        }
        let is_known = |statement: &Arc<Statement>| !statement.text.is_empty();
        if group.statements.is_empty() || !group.statements.iter().all(is_known) {
            return Err("the statement that made it is not known".to_owned());
        }
        if group.statements.iter().any(|statement| statement.reads_last) {
            return Err("it was computed from `_`, which is another result now".to_owned());
        }
        self.allow(group)?;
        let seat = self.seat;
        let point = seat.point(self.number);
        let mut rows = Vec::new();
        for statement in &group.statements {
            match self.statement(statement) {
                Ok(row) => rows.extend(row),
                Err(why) => {
                    let back = seat.return_to(point, CellId(u32::MAX));
                    return Err(back.err().map_or(why, |error| error.message));
                }
            }
        }
        for name in &group.names {
            let value = seat.value_of(name).map(|value| seat.program.view_of(&value).text);
            if let Some(text) = value.filter(|_| !rows.iter().any(|(known, _)| known == name)) {
                rows.push((name.clone(), text));
            }
        }
        for (name, text) in rows {
            self.table.push(vec![name.into(), cut(&one_line(&text)).into()]);
        }
        Ok(())
    }

    /// Checks the statements together, and asks if they reach outside.
    fn allow(&mut self, group: &Group) -> Result<(), String> {
        let texts: Vec<&str> = group.statements.iter().map(|statement| &*statement.text).collect();
        let (_, checked) =
            self.seat.program.inquire(&texts.join(";\n"), "stale values", Vec::new());
        if let Some(first) = checked.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            return Err(format!(
                "what made it no longer checks: {} ({})",
                first.message,
                first.code.as_str()
            ));
        }
        let effects = self.outside(&checked);
        if effects.is_empty() || self.allowed {
            return Ok(());
        }
        let names: Vec<&str> = group.stale.iter().map(String::as_str).collect();
        let question = format!(
            "computing {} again has effects: {}. Run it? [yes/no/all] ",
            names.join(", "),
            effects.join(", ")
        );
        let refused = |why| format!("it has effects ({}), and {why}", effects.join(", "));
        match self.ask(&question).map_err(refused)?.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            "a" | "all" => {
                self.allowed = true;
                Ok(())
            }
            _ => Err(format!("it was not allowed to run again ({})", effects.join(", "))),
        }
    }

    /// The effects that a person is asked about.
    fn outside(&self, checked: &CheckedCell) -> Vec<String> {
        let is_made_up = self.seat.program.answers_are_made_up();
        let harmless = |effect: &str| {
            matches!(effect, "output" | "global" | "suspend") || (effect == "llm" && is_made_up)
        };
        let steps = checked.steps.iter().filter_map(|step| match step {
            Step::Statement(step) => Some(&step.function.effects),
            Step::Command(_) => None,
        });
        let effects: BTreeSet<&str> =
            steps.flatten().map(|effect| &**effect).filter(|effect| !harmless(effect)).collect();
        effects.into_iter().map(str::to_owned).collect()
    }

    /// A question to the person, through the program's own door for them.
    fn ask(&self, question: &str) -> Result<String, String> {
        if self.seat.record.read().graph.cell("input").is_some() {
            return Err("nobody can be asked: `input` was defined anew".to_owned());
        }
        let mut text = String::from("input(");
        quote(question, &mut text);
        text.push(')');
        let ended = self.evaluate(&text, "a question")?;
        ended.result.map(|(value, _)| value.show()).ok_or_else(|| "nobody answered".to_owned())
    }

    /// Runs one statement; the row of its result if that is shown here.
    fn statement(&self, statement: &Statement) -> Result<Option<(String, String)>, String> {
        let title = match statement.result {
            Some(number) => result_name(number),
            None => format!("cell {}, again", statement.cell),
        };
        let ended = self.evaluate(&statement.text, &title)?;
        let (Some(number), Some((value, ty))) = (statement.result, ended.result) else {
            return Ok(None);
        };
        let name = result_name(number);
        self.seat.bind_result(&name, &value, &ty);
        let view = result_view(&self.seat.program, &value, &ty, Vec::new());
        let text = view.text.clone();
        let mut record = self.seat.record.write();
        record.gave(number, self.number, &ended.last, &ty);
        let again = record.show_again(number, view, &ended.last.reads);
        drop(record);
        if let Some(output) = again {
            self.shown.emit(output);
        }
        Ok(Some((name, text)))
    }

    /// A text as part of the cell that runs; its warnings were told when it ran first.
    fn evaluate(&self, text: &str, title: &str) -> Result<Ended, String> {
        let failure = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&failure);
        let forward = Forward::new(self.shown, move |output| match output {
            Output::Fault(fault) => {
                *kept.lock() = Some(format!("{} ({})", fault.message, fault.code));
                None
            }
            Output::Diagnostics(_) => None,
            other => Some(other),
        });
        let sink: Arc<dyn OutputSink> = Arc::new(forward);
        let request = CellRequest { file: Some(title.to_owned()), ..CellRequest::new(text) };
        let ended = Evaluation::new(self.seat, &request, self.number, &sink).run(false);
        let why = failure.lock().take();
        match (ended.status, why) {
            (CellStatus::Ok, _) => Ok(ended),
            (_, Some(why)) => Err(why),
            (..) => Err("it no longer checks".to_owned()),
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text.split_at(at).0),
        None => text.to_owned(),
    }
}
