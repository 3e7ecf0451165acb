//! `:undo`: the moments before the last cells, and the way back to them (L-153).
//!
//! A moment holds what the globals held then; it costs what was changed since. Money, messages and everything else outside
//! stay as they are, which is told. Never: restores a part of a cell.

use std::collections::BTreeSet;
use std::sync::Arc;

use ag_lang::db::GlobalType;
use ag_lang::db::workspace::{CellId, Changes};
use ag_lang::diag::codes;
use ag_lang::engine::InstallError;
use ag_lang::types::ty::Name;
use ag_runtime::context::globals::Globals;
use ag_runtime::value::heap;

use crate::output::Output;
use crate::render::number::money;
use crate::session::command::Refusal;
use crate::session::record::Moment;
use crate::session::seat::Seat;

/// How many cells can be undone. Each may keep an earlier version of every value that it changed.
const KEPT: usize = 30;
/// Above this part of the memory limit only the last cell can be undone: what programs need goes first.
const ROOM: u64 = 4;

#[derive(Default)]
pub struct Past {
    /// Before each cell that changed something, oldest first.
    points: Vec<Point>,
    /// Before the cell that runs.
    open: Option<Point>,
}

/// Everything as it was before a cell.
pub struct Point {
    number: u32,
    newest: CellId,
    moment: Moment,
    globals: Arc<Globals>,
    results: Arc<Vec<GlobalType>>,
    /// The effects of what ran since.
    effects: BTreeSet<Name>,
}

impl Past {
    /// A statement of the cell that runs may have had these effects.
    pub fn reached_out(&mut self, effects: &[Name]) {
        if let Some(open) = &mut self.open {
            open.effects.extend(effects.iter().cloned());
        }
    }

    pub fn forget(&mut self) {
        *self = Past::default();
    }
}

impl Seat {
    pub(super) fn point(&self, number: u32) -> Point {
        let workspace = self.program.workspace.lock();
        Point {
            number,
            newest: workspace.newest(),
            results: workspace.results(),
            moment: self.record.read().moment(),
            globals: self.program.world().globals().snapshot(),
            effects: BTreeSet::new(),
        }
    }

    /// A cell begins.
    pub(super) fn begin_past(&self, number: u32) {
        if self.is_aside {
            return;
        }
        let point = self.point(number);
        let mut past = self.program.past.lock();
        past.open = Some(point);
        if !heap::has_room(0, self.program.world().memory_limit() / ROOM) {
            past.points.clear();
        }
    }

    /// A cell ended: if it gave no name another meaning there is nothing to undo.
    pub(super) fn end_past(&self) {
        if self.is_aside {
            return;
        }
        let mut past = self.program.past.lock();
        let Some(open) = past.open.take() else { return };
        if self.names_since(&open).is_empty() {
            return;
        }
        past.points.push(open);
        let excess = past.points.len().saturating_sub(KEPT);
        past.points.drain(..excess);
    }

    /// Definitions and globals that are new, other or gone since; results are none.
    fn names_since(&self, point: &Point) -> Vec<String> {
        let mut names = self.record.read().graph.changed_since(&point.moment.graph);
        names.retain(|name| !is_result(name));
        names
    }

    /// `:undo`.
    pub(super) fn undo(&self) -> Result<Vec<Output>, Refusal> {
        let (point, newest) = {
            let mut past = self.program.past.lock();
            if past.open.as_ref().is_none_or(|open| !self.names_since(open).is_empty()) {
                let message =
                    "this cell changed something itself: write `:undo` in a cell of its own";
                return Err(Refusal::new(codes::E0905, message));
            }
            let Some(point) = past.points.pop() else {
                let message = "no cell is left that could be undone";
                return Ok(vec![Output::info(message)]);
            };
            (point, past.open.take().map_or(CellId(u32::MAX), |open| open.newest))
        };
        let names = self.names_since(&point);
        let (number, effects) = (point.number, point.effects.clone());
        self.return_to(point, newest).map_err(|error| {
            let message = format!("{} could not be compiled: {}", error.function, error.message);
            Refusal::new(codes::E0905, message)
        })?;
        // What this cell does is no change to be undone, and it may undo another.
        self.program.past.lock().open = Some(Point { newest, ..self.point(number) });
        let mut told = vec![Output::info(self.undone(number, &names))];
        told.extend(self.not_undone(number, &effects));
        Ok(told)
    }

    /// Makes everything as it was at that moment, but for the cells after `until`.
    pub(super) fn return_to(&self, point: Point, until: CellId) -> Result<(), InstallError> {
        let program = &self.program;
        let Changes { broken, relinked, .. } = {
            let mut workspace = program.workspace.lock();
            let changes = workspace.return_to(point.newest, until);
            workspace.set_results(point.results);
            changes
        };
        let cells: Vec<_> = relinked.iter().map(|(cell, all)| (*cell, all)).collect();
        program.install_all(&cells)?;
        for broken in &broken {
            let why = format!("`{}` no longer checks: {}", broken.name, broken.diagnostic.message);
            broken.functions.iter().for_each(|key| program.engine.mark_broken(key, &why));
        }
        program.world().globals().restore(point.globals);
        self.record.write().return_to(point.moment);
        Ok(())
    }

    fn undone(&self, number: u32, names: &[String]) -> String {
        let record = self.record.read();
        let quoted = |kept: bool| {
            let wanted = names.iter().filter(|name| record.graph.cell(name).is_some() == kept);
            let names: Vec<String> = wanted.map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let mut text = format!("cell {number} is undone");
        for (names, what) in [(quoted(true), "as before"), (quoted(false), "gone")] {
            if !names.is_empty() {
                text.push_str(&format!("; {what}: {names}"));
            }
        }
        text
    }

    /// What a cell did that no one can take back.
    fn not_undone(&self, number: u32, effects: &BTreeSet<Name>) -> Option<Output> {
        let mut left: Vec<String> = Vec::new();
        let spent = self.cost_of(number).map_or(0, |line| line.cost_micro_usd);
        if spent != 0 {
            left.push(format!("{} that it spent", money(spent)));
        }
        let has =
            |name: &str| effects.iter().any(|e| &**e == name || e.starts_with(&format!("{name}.")));
        let kinds = [
            ("spawn", "the agents it spawned"),
            ("send", "the messages it sent"),
            ("memory.write", "what it remembered"),
            ("tool", "what its tools did"),
            ("fs", "the files it wrote"),
            ("net", "what it asked of the net"),
            ("human", "what a person answered"),
        ];
        left.extend(
            kinds.iter().filter(|(effect, _)| has(effect)).map(|(_, what)| (*what).to_owned()),
        );
        (!left.is_empty()).then(|| Output::warning(format!("not undone: {}", left.join(", "))))
    }
}

/// `_3`.
fn is_result(name: &str) -> bool {
    name.strip_prefix('_').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
