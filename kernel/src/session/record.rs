//! What a session remembers about its cells: what was defined where, what was computed from what, the last Fault.
//!
//! Names and numbers only; values are in the world and texts in the workspace.

use std::collections::{BTreeMap, BTreeSet};

use ag_lang::db::workspace::CellId;
use ag_lang::hir::CellStep;
use ag_lang::ide::symbols::{Symbol, symbols};
use ag_lang::types::ty::{Name, Ty};
use ag_runtime::telemetry::snapshot::Since;

use crate::output::Output;
use crate::output::diagnostic::FaultView;
use crate::output::table::ValueView;
use crate::session::graph::{Graph, Kind};
use crate::session::inspect::NameInfo;
use crate::session::program::Program;
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
    /// What `:defs` lists and editors complete, by name.
    names: BTreeMap<String, NameInfo>,
    broken: BTreeSet<String>,
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
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { cost_line: true }
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
            self.names.insert(symbol.name.to_string(), info(&symbol, number));
        }
    }

    /// A statement ran: its globals were computed from what it reads.
    pub fn assign(&mut self, step: &CellStep, number: u32) {
        for (name, ty) in &step.writes {
            let kind = match ty {
                Ty::AgentRef(_) => Kind::Agent,
                _ => Kind::Value,
            };
            let reads = step.reads.iter().map(|name| &**name);
            self.graph.assign(name, kind, number, reads);
            self.names.insert(
                name.to_string(),
                NameInfo {
                    name: name.to_string(),
                    kind: "let".to_owned(),
                    signature: ty.to_string(),
                    cell: number,
                    ..NameInfo::default()
                },
            );
        }
    }

    /// Why any of these values is stale: one sentence a value.
    pub fn stale_notes(&self, names: &[Name]) -> Vec<String> {
        let causes = |name: &Name| {
            let causes = self.graph.causes(name);
            let first = causes.first()?;
            Some(format!("`{name}` is stale: {first}"))
        };
        names.iter().filter_map(causes).collect()
    }

    /// A cell that the front end names begins: its last result stands no more.
    pub fn begin_cell(&mut self, number: u32, name: &str) {
        self.shown.forget(name);
        self.cells.insert(number, name.to_owned());
    }

    /// The front end deleted these cells.
    pub fn delete_cells(&mut self, names: &[String]) {
        names.iter().for_each(|name| self.shown.forget(name));
        let gone = self.cells.iter().filter(|(_, name)| names.contains(name));
        self.deleted.extend(gone.map(|(number, _)| *number));
    }

    /// How a result is shown in the cell that the front end names so.
    pub fn show_result(&mut self, cell: &str, view: ValueView, reads: &[Name]) -> Output {
        self.shown.show(&self.graph, cell, view, reads)
    }

    /// Results shown earlier that must now be shown otherwise.
    pub fn changed_results(&mut self) -> Vec<Output> {
        self.shown.changed(&self.graph)
    }

    pub fn names(&self) -> Vec<NameInfo> {
        self.names.values().cloned().collect()
    }

    pub fn rows(&self) -> Vec<DefinitionRow> {
        let row = |info: &NameInfo| DefinitionRow {
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

    /// Forgets the program; settings stay.
    pub fn reset(&mut self) {
        *self = Record { settings: self.settings, ..Record::default() };
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
