//! The session's view of the front end: cells go in, checked cells come out; earlier definitions are kept linked.
//! Plain calls and plain data; nobody outside sees the database. A cell with an error is removed again by the session.

mod aside;
pub mod claims;
mod define;
pub mod files;
pub mod generated;
pub mod instances;
mod past;
pub mod tested;
mod unless;

use std::collections::BTreeMap;
use std::sync::Arc;

use ag_runtime::value::shape::ShapeId;
use rustc_hash::{FxHashMap, FxHashSet};
use salsa::Setter;

use crate::db::workspace::define::{define, keys};
use crate::db::workspace::instances::Instances;
use crate::db::workspace::tested::twice;
use crate::db::{CellInput, Database, GlobalType, SessionInput};
use crate::diag::Diagnostic;
use crate::hir;
use crate::hir::visit::each_function;
use crate::names::cell::{ItemKey, cell_globals, cell_items, is_named, parse_cell};
use crate::names::mention::{defines, mentions};
use crate::source::{LineColumn, LineIndex, Span};
use crate::syntax::item::{Command, Step as SyntaxStep};
use crate::types::check::{CheckedItem, check_item};
use crate::types::report::missing_name;
use crate::types::shape::shape_of;
use crate::types::step::infer_step;
use crate::types::ty::{Name, Ty};

/// A cell of the workspace; 0 is the prelude.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct CellId(pub u32);

/// A checked cell.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CheckedCell {
    /// Spans are those of the cell.
    pub diagnostics: Vec<Diagnostic>,
    pub definitions: hir::Definitions,
    /// Statements and commands in the order written; empty if there are errors.
    pub steps: Vec<Step>,
    pub changes: Changes,
}

impl CheckedCell {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)] // A cell has few; boxing each would only blur the matches of its users.
pub enum Step {
    Statement(hir::CellStep),
    Command(Command),
}

/// What a cell does to the definitions of earlier ones (L-152).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Changes {
    /// Definitions that no longer check: they fault R0901 when called.
    pub broken: Vec<Broken>,
    /// Definitions that check again.
    pub mended: Vec<Name>,
    /// Definitions whose typed tree is another now; the engine installs them again.
    pub relinked: Vec<(CellId, hir::Definitions)>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Broken {
    pub name: Name,
    pub cell: CellId,
    /// The keys of its functions.
    pub functions: Vec<hir::FunctionKey>,
    /// The first mistake; spans are those of its cell.
    pub diagnostic: Diagnostic,
}

/// Where a place in the code of an item is, for Faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub cell: CellId,
    pub span: Span,
    pub position: LineColumn,
}

/// What the engine has of a definition.
struct Linked {
    cell: CellId,
    item: u32,
    checked: CheckedItem,
}

/// Item number of a cell's own statements in an `Origin`.
pub const STATEMENTS: u32 = u32::MAX;

pub struct Workspace {
    db: Database,
    session: SessionInput,
    /// Every cell ever added, so that Faults of removed ones still have lines.
    cells: BTreeMap<CellId, CellInput>,
    live: Vec<CellId>,
    linked: FxHashMap<Name, Linked>,
    /// The text somebody looked at last.
    looked: Option<CellInput>,
    /// The globals of the unsettled cell that hold values by now.
    reached: Vec<Name>,
    instances: Instances,
}

impl Default for Workspace {
    fn default() -> Workspace {
        Workspace::new()
    }
}

impl Workspace {
    pub fn new() -> Workspace {
        let db = Database::default();
        let prelude = CellInput::new(&db, prelude_text(), None, true, None, Arc::default());
        let (none, lanes) = (Arc::new(Vec::new()), Arc::new(Vec::new()));
        let session = SessionInput::new(&db, prelude, Arc::new(Vec::new()), none, lanes);
        let cells = BTreeMap::from([(CellId(0), prelude)]);
        Workspace {
            db,
            session,
            cells,
            live: Vec::new(),
            linked: FxHashMap::default(),
            instances: Instances::default(),
            looked: None,
            reached: Vec::new(),
        }
    }

    pub fn database(&self) -> &Database {
        &self.db
    }

    /// The definitions of the prelude, to be installed first. It has no errors: a test holds it to that.
    pub fn prelude(&self) -> CheckedCell {
        self.checked(CellId(0), self.session.prelude(&self.db))
    }

    /// Adds a cell behind all others. The globals of the cells before it are settled, if the session did not.
    pub fn add_cell(&mut self, text: &str) -> CellId {
        for id in self.live.clone() {
            self.settle(id, None);
        }
        let (id, _) = self.take_in(text);
        self.live.push(id);
        self.reached.clear();
        self.publish();
        id
    }

    fn take_in(&mut self, text: &str) -> (CellId, CellInput) {
        let next = self.cells.keys().next_back().map_or(0, |last| last.0 + 1);
        let cell = CellInput::new(&self.db, Arc::from(text), None, false, None, Arc::default());
        self.cells.insert(CellId(next), cell);
        (CellId(next), cell)
    }

    /// Takes a cell and what it defined away; earlier definitions of its names mean something again.
    pub fn remove_cell(&mut self, id: CellId) -> Changes {
        let Some(cell) = self.cells.get(&id).copied().filter(|_| self.live.contains(&id)) else {
            return Changes::default();
        };
        self.live.retain(|live| *live != id);
        self.publish();
        let changed = self.defined_by(cell);
        let was_linked = self.linked.values().any(|linked| linked.cell == id);
        self.linked.retain(|_, linked| linked.cell != id);
        if !was_linked && cell_items(&self.db, cell).iter().any(|i| is_named(i.tree(&self.db))) {
            // It never took effect.
            return Changes::default();
        }
        let mut changes = self.relink(changed, None);
        self.instances.forget(id);
        let needed = self.linked.values().flat_map(|linked| linked.checked.instances.clone());
        let needed = needed.collect();
        self.instantiate(needed, None, &mut changes, &mut hir::Definitions::default());
        changes
    }

    /// Looks at a text as if it were the next cell; it is gone afterwards.
    pub fn look<T>(&mut self, text: &str, look: impl FnOnce(&Database, CellInput) -> T) -> T {
        // One input for all looks: a person types for hours, and an input lives as long as the database.
        let cell = match self.looked {
            Some(cell) => {
                cell.set_text(&mut self.db).to(Arc::from(text));
                cell
            }
            None => CellInput::new(&self.db, Arc::from(text), None, false, None, Arc::default()),
        };
        self.looked = Some(cell);
        let cells = Arc::clone(self.session.cells(&self.db));
        let with = cells.iter().copied().chain([cell]).collect();
        self.session.set_cells(&mut self.db).to(Arc::new(with));
        let found = look(&self.db, cell);
        self.session.set_cells(&mut self.db).to(cells);
        found
    }

    /// A statement of the cell that runs gave these globals values.
    pub fn reach(&mut self, names: impl IntoIterator<Item = Name>) {
        self.reached.extend(names);
    }

    /// Checks a text that is evaluated beside the cell that runs (L-159): it sees what holds values by now, and it
    /// defines and assigns nothing (E0904).
    pub fn aside(&mut self, text: &str) -> (CellId, CheckedCell) {
        let inputs = self.live.iter().filter_map(|id| self.cells.get(id).copied());
        let unsettled: Vec<CellInput> =
            inputs.filter(|cell| cell.settled(&self.db).is_none()).collect();
        for cell in &unsettled {
            let mut globals = self.globals(*cell);
            globals.retain(|global| self.reached.contains(&global.name));
            cell.set_settled(&mut self.db).to(Some(Arc::new(globals)));
        }
        let (id, cell) = self.take_in(text);
        let cells = Arc::clone(self.session.cells(&self.db));
        let with = cells.iter().copied().chain([cell]).collect();
        self.session.set_cells(&mut self.db).to(Arc::new(with));
        let mut checked = self.checked(id, cell);
        checked.diagnostics.extend(aside::changes(&self.db, cell));
        if checked.has_errors() {
            (checked.definitions, checked.steps) = Default::default();
        }
        self.session.set_cells(&mut self.db).to(cells);
        for cell in unsettled {
            cell.set_settled(&mut self.db).to(None);
        }
        (id, checked)
    }

    /// The type of an expression, as the session would see it; its mistakes if it has any.
    pub fn type_of(&mut self, text: &str) -> Result<Ty, Vec<Diagnostic>> {
        self.look(text, |db, cell| {
            let parsed = parse_cell(db, cell);
            let mut mistakes = parsed.diagnostics.clone();
            let last = parsed.cell.body.order.len().checked_sub(1);
            let step = last.map(|at| infer_step(db, cell, number(at)));
            mistakes.extend(step.into_iter().flat_map(|step| step.diagnostics.clone()));
            mistakes.retain(Diagnostic::is_error);
            match step.and_then(|step| step.step.as_ref()) {
                Some(step) if mistakes.is_empty() => Ok(step.function.result.clone()),
                _ => Err(mistakes),
            }
        })
    }

    fn publish(&mut self) {
        let cells = self.live.iter().filter_map(|id| self.cells.get(id).copied()).collect();
        self.session.set_cells(&mut self.db).to(Arc::new(cells));
    }

    /// Fixes the types of a cell's globals: they hold values now. `ran`: the names that were reached, if not all.
    pub fn settle(&mut self, id: CellId, ran: Option<&[Name]>) {
        let Some(cell) = self.cells.get(&id).copied() else { return };
        if cell.settled(&self.db).is_some() && ran.is_none() {
            return;
        }
        let ran = ran.map(|names| names.iter().collect::<FxHashSet<_>>());
        let reached = self.globals(cell).into_iter().filter(|global| match &ran {
            Some(names) => names.contains(&global.name),
            None => global.ty != Ty::Error,
        });
        let reached: Vec<GlobalType> = reached.collect();
        // A cell that ran and gave no name a meaning need not be looked at for every cell after it.
        if ran.is_some() && reached.is_empty() && cell_items(&self.db, cell).is_empty() {
            self.live.retain(|live| *live != id);
        }
        cell.set_settled(&mut self.db).to(Some(Arc::new(reached)));
    }

    /// The globals a cell declares, with their types.
    fn globals(&self, cell: CellInput) -> Vec<GlobalType> {
        if let Some(settled) = cell.settled(&self.db) {
            return settled.to_vec();
        }
        // The last declaration of a name counts, and its place.
        let mut seen = FxHashSet::default();
        let declared = cell_globals(&self.db, cell).iter().rev();
        let latest = declared.filter(|declared| seen.insert(&declared.name)).filter_map(|found| {
            let globals = &infer_step(&self.db, cell, found.step).globals;
            globals.iter().find(|global| global.name == found.name).cloned()
        });
        let mut found: Vec<GlobalType> = latest.collect();
        found.reverse();
        found
    }

    /// Says which results exist: `_`, `_3`.
    pub fn set_result(&mut self, name: &str, ty: Ty) {
        let mut results: Vec<GlobalType> = self.session.results(&self.db).to_vec();
        results.retain(|result| *result.name != *name);
        results.push(GlobalType { name: Arc::from(name), ty, mutable: false });
        self.session.set_results(&mut self.db).to(Arc::new(results));
    }

    /// Says which lanes exist; while none are named, any name is a lane.
    pub fn set_lanes(&mut self, lanes: &[&str]) {
        let lanes = lanes.iter().map(|lane| Arc::from(*lane)).collect();
        self.session.set_lanes(&mut self.db).to(Arc::new(lanes));
    }

    /// The lanes that were named.
    pub fn lanes(&self) -> Arc<Vec<Name>> {
        Arc::clone(self.session.lanes(&self.db))
    }

    /// Checks a cell whole (L-150). Without errors its definitions are taken as installed.
    pub fn check(&mut self, id: CellId) -> CheckedCell {
        let Some(cell) = self.cells.get(&id).copied() else { return CheckedCell::default() };
        let mut checked = self.checked(id, cell);
        if checked.has_errors() {
            return checked;
        }
        for (at, item) in cell_items(&self.db, cell).iter().enumerate() {
            if is_named(item.tree(&self.db)) {
                let linked = Linked {
                    cell: id,
                    item: number(at),
                    checked: check_item(&self.db, *item).clone(),
                };
                self.linked.insert(item.name(&self.db), linked);
            }
        }
        let changed = self.defined_by(cell);
        let mut changes = self.relink(changed, Some(id));
        let needed = self.instances_of(cell);
        self.instantiate(needed, Some(id), &mut changes, &mut checked.definitions);
        checked.changes = changes;
        checked
    }

    fn checked(&self, id: CellId, cell: CellInput) -> CheckedCell {
        let db = &self.db;
        let parsed = parse_cell(db, cell);
        let mut out =
            CheckedCell { diagnostics: parsed.diagnostics.clone(), ..CheckedCell::default() };
        for (at, item) in cell_items(db, cell).iter().enumerate() {
            let checked = check_item(db, *item);
            let base = parsed.cell.items.get(at).map_or(0, |item| item.span.start);
            out.diagnostics.extend(checked.diagnostics.iter().cloned().map(|d| d.shifted(base)));
            define(&mut out.definitions, checked, number(at));
        }
        out.diagnostics.extend(self.declared_twice(cell));
        out.diagnostics.extend(files::imports(db, cell));
        for (at, step) in parsed.cell.body.order.iter().enumerate() {
            match step {
                SyntaxStep::Command(command) => {
                    let command = parsed.cell.commands.get(*command as usize);
                    out.steps.extend(command.cloned().map(Step::Command));
                }
                SyntaxStep::Stmt(_) => {
                    let checked = infer_step(db, cell, number(at));
                    out.diagnostics.extend(checked.diagnostics.iter().cloned());
                    out.steps.extend(checked.step.clone().map(|mut step| {
                        name_step(&mut step.function, id, at);
                        Step::Statement(step)
                    }));
                }
            }
        }
        crate::types::report::without_echoes(
            &mut out.diagnostics,
            cell.text(db),
            &parsed.diagnostics,
        );
        missing_once(&mut out.diagnostics);
        if out.has_errors() {
            out.definitions = hir::Definitions::default();
            out.steps.clear();
        }
        out
    }

    /// E0204: two items, or an item and a global, of one name in a cell.
    fn declared_twice(&self, cell: CellInput) -> Vec<Diagnostic> {
        let db = &self.db;
        let parsed = parse_cell(db, cell);
        let mut seen: FxHashMap<Name, Span> = FxHashMap::default();
        let mut out = Vec::new();
        for item in parsed.cell.items.iter().filter(|item| is_named(&item.tree)) {
            let span = item.tree.name.span.shifted(item.span.start);
            let name = item.tree.name.name.text();
            match seen.get(&name) {
                Some(first) => out.push(twice(&name, span, *first)),
                None => {
                    seen.insert(name, span);
                }
            }
        }
        for global in cell_globals(db, cell) {
            if let Some(first) = seen.get(&global.name) {
                out.push(twice(&global.name, global.span, *first));
            }
        }
        out.extend(self.tested_twice(cell));
        out
    }

    /// All names whose meaning a cell gives.
    fn defined_by(&self, cell: CellInput) -> FxHashSet<Name> {
        let db = &self.db;
        let items = cell_items(db, cell).iter().flat_map(|item| defines(item.tree(db)));
        let globals = cell_globals(db, cell).iter().map(|global| global.name.clone());
        files::as_imported(items.chain(globals))
    }

    /// Checks whatever may be concerned by new meanings of `changed` again, until nothing else changes.
    fn relink(&mut self, mut changed: FxHashSet<Name>, by: Option<CellId>) -> Changes {
        let mut changes = Changes::default();
        let mut done: FxHashSet<(CellId, u32)> = FxHashSet::default();
        loop {
            let found = self.concerned(&changed, by, &done);
            if found.is_empty() {
                return changes;
            }
            for (cell, item, name) in found {
                done.insert((cell, item));
                changed.extend(self.relink_item(cell, item, &name, &mut changes));
            }
        }
    }

    /// The live definitions that mention one of the names, or are one of them and not installed.
    fn concerned(
        &self,
        changed: &FxHashSet<Name>,
        by: Option<CellId>,
        done: &FxHashSet<(CellId, u32)>,
    ) -> Vec<(CellId, u32, Name)> {
        let db = &self.db;
        let mut latest: FxHashMap<Name, (CellId, u32, ItemKey<'_>)> = FxHashMap::default();
        for (id, cell) in self.live.iter().filter_map(|id| Some((*id, *self.cells.get(id)?))) {
            for (at, item) in cell_items(db, cell).iter().enumerate() {
                if is_named(item.tree(db)) {
                    latest.insert(item.name(db), (id, number(at), *item));
                }
            }
        }
        let mut found: Vec<(CellId, u32, Name)> = Vec::new();
        for (name, (cell, at, item)) in latest {
            if Some(cell) == by || done.contains(&(cell, at)) {
                continue;
            }
            let installed = self.linked.get(&name).is_some_and(|l| l.cell == cell && l.item == at);
            let mentioned = mentions(db, item).iter().any(|name| changed.contains(name));
            if mentioned || (!installed && changed.contains(&name)) {
                found.push((cell, at, name));
            }
        }
        found.sort();
        found
    }

    /// The names whose meaning changed with this definition.
    fn relink_item(
        &mut self,
        cell: CellId,
        at: u32,
        name: &Name,
        changes: &mut Changes,
    ) -> Vec<Name> {
        let Some(input) = self.cells.get(&cell).copied() else { return Vec::new() };
        let Some(item) = cell_items(&self.db, input).get(at as usize).copied() else {
            return Vec::new();
        };
        let checked = check_item(&self.db, item).clone();
        let before = self.linked.get(name).filter(|l| l.cell == cell && l.item == at);
        if before.is_some_and(|before| before.checked == checked) {
            return Vec::new();
        }
        let was_whole = before.is_none_or(|before| !before.checked.failed);
        let parsed = parse_cell(&self.db, input);
        let base = parsed.cell.items.get(at as usize).map_or(0, |item| item.span.start);
        if checked.failed && was_whole {
            let mut functions = before.map(|b| keys(&b.checked)).unwrap_or_default();
            functions.extend(self.instances.of(name));
            let first = checked.diagnostics.iter().find(|d| d.is_error()).cloned();
            changes.broken.extend(first.map(|diagnostic| Broken {
                name: name.clone(),
                cell,
                functions,
                diagnostic: diagnostic.shifted(base),
            }));
        }
        if !checked.failed {
            changes.mended.extend((!was_whole).then(|| name.clone()));
            let mut definitions = hir::Definitions::default();
            define(&mut definitions, &checked, at);
            changes.relinked.push((cell, definitions));
        }
        let names = defines(item.tree(&self.db));
        self.linked.insert(name.clone(), Linked { cell, item: at, checked });
        names
    }

    /// The run-time shape of a type.
    pub fn shape(&self, ty: &Ty) -> ShapeId {
        shape_of(&self.db, ty)
    }

    /// The text of a cell, also of one that was removed.
    pub fn text(&self, id: CellId) -> Option<Arc<str>> {
        self.cells.get(&id).map(|cell| cell.text(&self.db).clone())
    }

    /// Where a place of a Fault is.
    pub fn line(&self, site: &ag_runtime::fault::Site) -> Option<Place> {
        let id = CellId(site.origin.cell);
        let cell = *self.cells.get(&id)?;
        let base = match site.origin.item {
            STATEMENTS => 0,
            item => parse_cell(&self.db, cell).cell.items.get(item as usize)?.span.start,
        };
        let text = cell.text(&self.db);
        let span = Span::new(site.start, site.end).shifted(base);
        let position = LineIndex::new(text).line_column(span.start, text);
        Some(Place { cell: id, span, position })
    }

    /// The cells whose definitions are in force, oldest first.
    pub fn live(&self) -> &[CellId] {
        &self.live
    }

    /// A cell's input, for the queries of `ide`.
    pub fn input(&self, id: CellId) -> Option<CellInput> {
        self.cells.get(&id).copied()
    }
}

/// The prelude: structs and enums that programs and builtins share.
fn prelude_text() -> Arc<str> {
    let own = include_str!("../prelude.ag");
    Arc::from(format!("{own}\n{}", ag_runtime::builtin::PRELUDE))
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A name that is missing in several places of a cell is reported at the first.
fn missing_once(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span.start);
    let mut seen = FxHashSet::default();
    diagnostics.retain(|diagnostic| match missing_name(diagnostic) {
        Some(name) => seen.insert(name),
        None => true,
    });
}

/// `cell.2.{lambda 1}` -> `cell 7.2.{lambda 1}`.
fn name_step(function: &mut hir::Function, cell: CellId, step: usize) {
    let from = format!("cell.{step}");
    let to = format!("cell {}.{step}", cell.0);
    each_function(function, &mut |function| {
        if let Some(rest) = function.key.strip_prefix(&from) {
            function.key = Arc::from(format!("{to}{rest}"));
        }
        function.item = STATEMENTS;
    });
}
