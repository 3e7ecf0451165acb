//! What a session remembers about its cells: what was defined where, what was computed from what, the last Fault.
//!
//! Names and numbers only; values are in the world and texts in the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ag_lang::db::GlobalType;
use ag_lang::db::workspace::CellId;
use ag_lang::hir::CellStep;
use ag_lang::ide::statement::Statement;
use ag_lang::ide::symbols::{Symbol, symbols};
use ag_lang::types::ty::{Name, Ty};
use ag_runtime::telemetry::snapshot::Since;

use crate::output::Output;
use crate::output::diagnostic::FaultView;
use crate::output::table::ValueView;
use crate::session::evaluate::Last;
use crate::session::graph::{Cause, Graph, Kept, KeptStatement, Kind, Ran, Written, result_name};
use crate::session::inspect::NameInfo;
use crate::session::program::Program;
use crate::session::shared::Shared;
use crate::session::shown::Shown;
use crate::session::state::DefinitionRow;

#[derive(Clone, Default)]
pub struct Record {
    pub graph: Graph,
    pub fault: Option<FaultView>,
    pub settings: Settings,
    /// What a command offers as the next input (`:edit`).
    pub offered: Option<String>,
    /// The step of the tour that is shown.
    pub tour: Option<usize>,
    /// The cell whose cost was told before its end.
    pub cost_told: Option<u32>,
    /// The lane calls that a line below some cell has told, by their numbers in the journal.
    pub told_calls: BTreeSet<u64>,
    /// What `:defs` lists and editors complete, by name. Shared with the moments `:undo` goes back to.
    names: Shared<Arc<NameInfo>>,
    broken: BTreeSet<String>,
    /// The cell whose result `_` is.
    last_result: Option<u32>,
    /// Values a person did not want computed again after each cell, with why they were stale then.
    declined: BTreeMap<String, Vec<Cause>>,
    /// The results that stand in the notebook.
    shown: Shown,
    /// The front end's name of each cell that has one.
    cells: BTreeMap<u32, String>,
    /// Cells that the front end no longer has; what they defined stays.
    deleted: BTreeSet<u32>,
    /// Where the trace stood when each cell began.
    traces: BTreeMap<u32, Since>,
}

/// What `:set` changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether a line under a cell tells what its lane calls cost.
    pub cost_line: bool,
    /// Whether stale values are computed again after every cell.
    pub reactive: bool,
}

/// What `:undo` restores of a record.
#[derive(Clone)]
pub struct Moment {
    pub graph: Graph,
    names: Shared<Arc<NameInfo>>,
    broken: BTreeSet<String>,
    last_result: Option<u32>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { cost_line: true, reactive: false }
    }
}

impl Record {
    /// The definitions of a cell are in force.
    pub fn define(&mut self, program: &Program, cell: CellId, number: u32) {
        let workspace = program.workspace.lock();
        for symbol in symbols(&workspace, cell) {
            let uses: Vec<&str> = symbol.uses.iter().map(|name| &**name).collect();
            self.graph.define(&symbol.name, symbol.fingerprint, number, uses);
            self.mend(&symbol.name);
            let info = info(&symbol, number);
            self.names.insert(Arc::clone(&symbol.name), Arc::new(info));
        }
    }

    /// A statement ran: its globals were computed from what it reads.
    pub fn ran(&mut self, step: &CellStep, number: u32, statement: &Statement) {
        let writes = step.writes.iter().map(|(name, ty)| Written {
            name,
            kind: kind(ty),
            is_fresh: statement.fresh.contains(name),
        });
        let changes = step.changes.iter().filter_map(|name| {
            let kind = self.graph.kind(name)?;
            Some(Written { name, kind, is_fresh: false })
        });
        let writes = writes.chain(changes).collect();
        self.enter(number, &statement.text, writes, &step.reads, None);
        for (name, ty) in &step.writes {
            self.name_value(name, ty, number);
        }
    }

    /// The result of a cell was computed, in `cell`.
    pub fn gave(&mut self, number: u32, cell: u32, last: &Last, ty: &Ty) {
        let name = result_name(number);
        let writes = vec![Written { name: &name, kind: kind(ty), is_fresh: true }];
        self.enter(cell, &last.text, writes, &last.reads, Some(number));
    }

    /// `_` is the result of that cell from now on.
    pub fn set_last_result(&mut self, number: u32) {
        self.last_result = Some(number);
    }

    fn enter(
        &mut self,
        cell: u32,
        text: &str,
        writes: Vec<Written<'_>>,
        reads: &[Name],
        result: Option<u32>,
    ) {
        let last = self.last_result.map(result_name);
        let reads_last = reads.iter().any(|name| &**name == "_");
        let named = reads.iter().filter(|name| &***name != "_").map(|name| &**name);
        let reads = named.chain(last.as_deref().filter(|_| reads_last)).collect();
        self.graph.ran(&Ran { text, cell, writes, reads, result, reads_last });
    }

    /// Why any of these values is stale: one sentence a value.
    pub fn stale_notes(&self, names: &[Name]) -> Vec<String> {
        let stale = self.graph.stale();
        let causes = |name: &Name| {
            let causes = self.graph.causes(name, &stale);
            let first = causes.first()?;
            Some(format!("`{name}` is stale: {first}"))
        };
        names.iter().filter_map(causes).collect()
    }

    /// A cell that the front end names begins: its last result stands no more.
    pub fn begin_cell(&mut self, number: u32, name: &str) {
        self.shown.forget(name);
        let before =
            self.cells.iter().filter(|(_, other)| *other == name).map(|(number, _)| *number);
        before.for_each(|before| self.graph.retire(&result_name(before)));
        self.cells.insert(number, name.to_owned());
    }

    /// The front end deleted these cells.
    pub fn delete_cells(&mut self, names: &[String]) {
        names.iter().for_each(|name| self.shown.forget(name));
        let gone = self.cells.iter().filter(|(_, name)| names.contains(name));
        let gone: Vec<u32> = gone.map(|(number, _)| *number).collect();
        gone.iter().for_each(|number| self.graph.retire(&result_name(*number)));
        self.deleted.extend(gone);
    }

    /// How a result is shown in the cell that the front end names so.
    pub fn show_result(&mut self, cell: &str, view: ValueView, reads: &[Name]) -> Output {
        self.shown.show(&self.graph, cell, view, reads)
    }

    /// A result was computed again: how it is shown where it stands, if it still does.
    pub fn show_again(&mut self, number: u32, view: ValueView, reads: &[Name]) -> Option<Output> {
        let cell = self.cells.get(&number)?;
        let latest = self.cells.iter().rev().find(|(_, name)| *name == cell)?;
        (*latest.0 == number).then(|| self.shown.show_again(&self.graph, cell, view, reads))?
    }

    /// Results shown earlier that must now be shown otherwise.
    pub fn changed_results(&mut self) -> Vec<Output> {
        self.shown.changed(&self.graph)
    }

    pub fn names(&self) -> Shared<Arc<NameInfo>> {
        self.names.clone()
    }

    pub fn rows(&self) -> Vec<DefinitionRow> {
        let row = |info: &Arc<NameInfo>| DefinitionRow {
            name: info.name.clone(),
            kind: info.kind.clone(),
            signature: info.signature.clone(),
            cell: info.cell,
            is_broken: self.broken.contains(&info.name),
            is_deleted: self.deleted.contains(&info.cell),
        };
        self.names.values().map(row).collect()
    }

    /// A definition that no longer checks.
    pub fn break_definition(&mut self, name: &str) {
        self.broken.insert(name.to_owned());
    }

    /// A definition that checks again.
    pub fn mend(&mut self, name: &str) {
        self.broken.remove(name);
    }

    /// A cell runs a statement; the first one begins its trace.
    pub fn begin_trace(&mut self, number: u32, since: Since) {
        self.traces.entry(number).or_insert(since);
    }

    /// Where the trace stood when a cell began, and when the next one did.
    pub fn trace_of(&self, number: u32) -> Option<(&Since, Option<&Since>)> {
        let since = self.traces.get(&number)?;
        Some((since, self.traces.range(number + 1..).next().map(|(_, next)| next)))
    }

    /// The last cell that ran anything.
    pub fn last_cell(&self, count: u32) -> Option<u32> {
        self.traces.keys().rev().find(|number| **number <= count).copied()
    }

    /// Values came from another session.
    pub fn restore(
        &mut self,
        cell: u32,
        statements: &[KeptStatement],
        values: &[Kept],
        globals: &[GlobalType],
    ) {
        self.graph.restore(cell, statements, values);
        for global in globals {
            self.name_value(&global.name, &global.ty, cell);
        }
    }

    fn name_value(&mut self, name: &Name, ty: &Ty, cell: u32) {
        let (kind, signature) = ("let".to_owned(), ty.to_string());
        let info =
            NameInfo { name: name.to_string(), kind, signature, cell, ..NameInfo::default() };
        self.names.insert(Arc::clone(name), Arc::new(info));
    }

    pub fn broken(&self) -> &BTreeSet<String> {
        &self.broken
    }

    /// Values that somebody did not want computed again are not asked about until they are stale for another reason.
    pub fn decline(&mut self, names: &[String]) {
        let stale = self.graph.stale();
        let causes = |name: &String| (name.clone(), self.graph.causes(name, &stale));
        self.declined.extend(names.iter().map(causes).collect::<Vec<_>>());
    }

    pub fn is_declined(&self, name: &str) -> bool {
        let causes = || self.graph.causes(name, &self.graph.stale());
        self.declined.get(name).is_some_and(|declined| *declined == causes())
    }

    /// To come back to.
    pub fn moment(&self) -> Moment {
        let Record { graph, names, broken, last_result, .. } = self;
        let (graph, names, broken) = (graph.clone(), names.clone(), broken.clone());
        Moment { graph, names, broken, last_result: *last_result }
    }

    pub fn return_to(&mut self, moment: Moment) {
        self.graph.return_to(&moment.graph);
        (self.names, self.broken) = (moment.names, moment.broken);
        self.last_result = moment.last_result;
    }

    /// Forgets the program; settings stay.
    pub fn reset(&mut self) {
        *self = Record { settings: self.settings, ..Record::default() };
    }
}

fn kind(ty: &Ty) -> Kind {
    match ty {
        Ty::AgentRef(_) => Kind::Agent,
        _ => Kind::Value,
    }
}

/// A symbol as editors and `:defs` know it.
pub fn info(symbol: &Symbol, number: u32) -> NameInfo {
    NameInfo {
        name: symbol.name.to_string(),
        kind: symbol.kind.to_owned(),
        signature: symbol.signature.clone(),
        doc: symbol.doc.clone(),
        cell: number,
        members: symbol.members.iter().map(|member| info(member, number)).collect(),
    }
}
