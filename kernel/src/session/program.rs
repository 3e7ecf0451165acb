//! The program of a session: its checked text, its running code, and the world they run in.
//!
//! Shared by the session, by whoever interrupts it, and by the sinks of agents that outlive their cells. It shows nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ag_lang::db::Imported;
use ag_lang::db::workspace::{CellId, CheckedCell, STATEMENTS, Workspace};
use ag_lang::diag::Diagnostic;
use ag_lang::diag::snippet::SourceText;
use ag_lang::engine::{Context, Engine, InstallError};
use ag_lang::hir::Definitions;
use ag_lang::hir::{CellStep, FunctionKey};
use ag_lang::source::{SourceId, Span};
use ag_lang::types::shape::shape_of;
use ag_lang::types::test_item;
use ag_lang::types::ty::Ty;
use ag_runtime::code::FnSlot;
use ag_runtime::fault::{Fault, Frame, Origin, Site, code};
use ag_runtime::lane::declared::LaneSpec;
use ag_runtime::services::Services;
use ag_runtime::value::owned::Owned;
use ag_runtime::world::{World, WorldHandle};
use parking_lot::Mutex;

use crate::output::diagnostic::{DiagnosticView, FaultView, FrameView, NamedValue, Place};
use crate::output::difference::difference;
use crate::session::flood::Flood;
use crate::session::imports::{Files, Taken};
use crate::session::past::Past;
use crate::session::redefined::Versions;
use crate::session::refute::refute;
use crate::session::testing::Source as TestSource;

pub struct Program {
    /// Values of earlier moments, which end before the world does.
    pub past: Mutex<Past>,
    /// What the names of types meant, one after the other.
    pub versions: Mutex<Versions>,
    /// Shared with editors, which look at texts while cells run.
    pub workspace: Arc<Mutex<Workspace>>,
    pub engine: Engine,
    world: WorldHandle,
    /// Those that were imported.
    pub files: Mutex<Files>,
    /// What each cell's text is called: `cell 3`, `risk.ag`.
    titles: Mutex<HashMap<u32, Arc<str>>>,
    /// What agents faulted with in the background since the last cell ended.
    pub flood: Flood,
    /// How many cells were counted. Written by whoever takes a number, on any seat.
    count: AtomicU32,
}

impl Program {
    pub fn new(world: WorldHandle) -> Result<Program, InstallError> {
        let workspace = Workspace::new();
        let prelude = workspace.prelude();
        let program = Program {
            past: Mutex::default(),
            versions: Mutex::default(),
            workspace: Arc::new(Mutex::new(workspace)),
            engine: Engine::new(Arc::clone(&world)),
            world,
            files: Mutex::default(),
            titles: Mutex::default(),
            flood: Flood::default(),
            count: AtomicU32::new(0),
        };
        program.install(CellId(0), &prelude.definitions)?;
        program.world.evaluator().set(program.engine.evaluator());
        Ok(program)
    }

    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub fn services(&self) -> Option<&Services> {
        self.world.services()
    }

    /// Puts the definitions of a cell in force.
    pub fn install(&self, cell: CellId, definitions: &Definitions) -> Result<(), InstallError> {
        self.install_all(&[(cell, definitions)])
    }

    /// Puts the definitions of several cells in force at once.
    pub fn install_all(&self, cells: &[(CellId, &Definitions)]) -> Result<(), InstallError> {
        let workspace = self.workspace.lock();
        let shapes = |ty: &Ty| shape_of(workspace.database(), ty);
        let origins: Vec<_> = cells
            .iter()
            .map(|(cell, definitions)| {
                let (cell, items) = (cell.0, items(definitions));
                move |key: &FunctionKey| Origin {
                    cell,
                    item: items.get(key).copied().unwrap_or(STATEMENTS),
                }
            })
            .collect();
        let units = cells.iter().zip(&origins);
        let units: Vec<_> = units
            .map(|((_, definitions), origin)| (*definitions, Context { shapes: &shapes, origin }))
            .collect();
        self.engine.install_all(&units)?;
        drop(workspace);
        self.declare_lanes(cells.iter().flat_map(|(_, definitions)| &definitions.lanes));
        Ok(())
    }

    /// The lanes a cell declares (L-62).
    fn declare_lanes<'d>(&self, lanes: impl Iterator<Item = &'d LaneSpec>) {
        let Some(services) = self.services() else { return };
        let mut any = false;
        for spec in lanes {
            services.declare_lane(spec);
            any = true;
        }
        if any {
            self.name_lanes();
        }
    }

    /// Makes a step of a cell ready to run.
    pub fn prepare(&self, cell: CellId, step: &CellStep) -> Result<FnSlot, InstallError> {
        let workspace = self.workspace.lock();
        self.engine.prepare(
            step,
            Context {
                shapes: &|ty| shape_of(workspace.database(), ty),
                origin: &|_| Origin { cell: cell.0, item: STATEMENTS },
            },
        )
    }

    /// Forgets definitions, values and agents; money and memory stay.
    pub fn reset(&self) -> Result<(), InstallError> {
        self.world.forget();
        *self.workspace.lock() = Workspace::new();
        self.titles.lock().clear();
        *self.files.lock() = Files::default();
        let prelude = self.workspace.lock().prelude();
        self.install(CellId(0), &prelude.definitions)
    }

    /// The number of the last counted cell.
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    /// The number of a cell that begins. One that is not counted goes by the next number and leaves it free.
    pub fn take_number(&self, is_counted: bool) -> u32 {
        match is_counted {
            true => self.count.fetch_add(1, Ordering::SeqCst) + 1,
            false => self.count() + 1,
        }
    }

    /// Tells the checker which bare names are lanes (L-40).
    pub fn name_lanes(&self) {
        let Some(services) = self.services() else { return };
        let rows = services.lanes().rows();
        let names: Vec<&str> = rows.iter().map(|row| &*row.name).collect();
        self.workspace.lock().set_lanes(&names);
    }

    pub fn pin(&self, name: Option<&str>) -> Result<(), String> {
        let services = self.services().ok_or("this session has no lanes")?;
        services.lanes().pin(name).map_err(|error| error.to_string())
    }

    /// Whether every lane call of this session is answered without a model.
    pub fn answers_are_made_up(&self) -> bool {
        let Some(services) = self.services() else { return true };
        let lanes = services.lanes();
        let rows = lanes.rows();
        match lanes.pinned() {
            Some(pinned) => rows.iter().any(|row| row.name == pinned && row.made_up),
            None => rows.iter().filter(|row| row.configured).all(|row| row.made_up),
        }
    }

    /// The texts whose definitions are in force, oldest first.
    pub fn live_sources(&self) -> Vec<TestSource> {
        let live = {
            let workspace = self.workspace.lock();
            let own = workspace.live().iter().filter(|id| !workspace.is_file(**id));
            own.copied().collect::<Vec<_>>()
        };
        let source = |id: CellId| {
            let (title, text) = self.source(id)?;
            Some(TestSource { title: title.to_string(), text: text.to_string() })
        };
        live.into_iter().filter_map(source).collect()
    }

    /// What a global or a result holds.
    pub fn value_of(&self, name: &str) -> Option<Owned> {
        let (name, shape) = {
            let workspace = self.workspace.lock();
            let global = workspace.global(name)?;
            let shape = workspace.shape(&global.ty);
            (global.name, shape)
        };
        self.engine.global(&name, shape)
    }

    /// A statement ran: what its globals held as other types is let go.
    pub fn replaced_globals(&self, step: &CellStep) {
        let workspace = self.workspace.lock();
        for (name, ty) in &step.writes {
            self.engine.replaced_global(name, shape_of(workspace.database(), ty));
        }
    }

    /// Checks a text as if it were the next cell; nothing is defined and nothing runs.
    pub fn inquire(
        &self,
        text: &str,
        title: &str,
        imports: Vec<Imported>,
    ) -> (CellId, CheckedCell) {
        let (cell, checked) = {
            let mut workspace = self.workspace.lock();
            let cell = workspace.add_cell(text);
            workspace.set_imports(cell, imports);
            let mut checked = workspace.check(cell);
            refute(&workspace, cell, &mut checked, &AtomicBool::new(false));
            workspace.remove_cell(cell);
            (cell, checked)
        };
        self.name_source(cell, title);
        (cell, checked)
    }

    pub fn name_source(&self, cell: CellId, title: &str) {
        self.titles.lock().insert(cell.0, title.into());
    }

    /// The title and text of a cell.
    fn source(&self, cell: CellId) -> Option<(Arc<str>, Arc<str>)> {
        let title = self.titles.lock().get(&cell.0).cloned();
        let text = self.workspace.lock().text(cell)?;
        Some((title.unwrap_or_else(|| "prelude".into()), text))
    }

    /// The diagnostics of files that were taken in.
    pub fn views_of_files(&self, files: &Taken) -> Vec<DiagnosticView> {
        let views = files.cells.iter().map(|(id, checked)| self.views(*id, &checked.diagnostics));
        views.flatten().collect()
    }

    /// Diagnostics of one cell; their labels may lead into others.
    pub fn views(&self, cell: CellId, diagnostics: &[Diagnostic]) -> Vec<DiagnosticView> {
        diagnostics.iter().map(|diagnostic| self.view(cell, diagnostic)).collect()
    }

    pub fn view(&self, cell: CellId, diagnostic: &Diagnostic) -> DiagnosticView {
        let other = diagnostic.labels.iter().filter_map(|label| label.source);
        let mut texts: HashMap<Option<SourceId>, (Arc<str>, Arc<str>)> = HashMap::new();
        texts.extend(self.source(cell).map(|found| (None, found)));
        for id in other.chain(diagnostic.primary.source) {
            texts.extend(self.source(CellId(id.0)).map(|found| (Some(id), found)));
        }
        DiagnosticView::new(diagnostic, &|source| {
            let (title, text) = texts.get(&source)?;
            Some(SourceText { title, text })
        })
    }

    /// A Fault with the lines it and its callers stood on.
    pub fn fault_view(&self, fault: &Fault) -> FaultView {
        let found = fault.at.and_then(|site| self.locate(site));
        let place = found.as_ref().map(|(title, text, span)| (SourceText { title, text }, *span));
        FaultView {
            chain: self.chain(fault),
            values: values(fault),
            difference: sides(fault),
            data: fault.data.clone(),
            ..FaultView::at(fault.code, &fault.message, place)
        }
    }

    /// The callers, innermost first; one that stands many times in a row is told once.
    fn chain(&self, fault: &Fault) -> Vec<FrameView> {
        let mut chain: Vec<FrameView> = Vec::new();
        let mut last = None;
        for frame in &fault.chain {
            if last == Some(frame)
                && let Some(same) = chain.last_mut()
            {
                same.times += 1;
                continue;
            }
            last = Some(frame);
            chain.push(self.frame(frame));
        }
        chain
    }

    fn frame(&self, frame: &Frame) -> FrameView {
        let found = self.locate(frame.site);
        // Statements of a cell are a function of their own, called as the cell is.
        let function = match (&found, frame.site.origin.item) {
            (Some((title, ..)), STATEMENTS) if !frame.function.contains('{') => title.to_string(),
            _ => match test_item::title(&frame.function) {
                Some(title) => format!("test {title:?}"),
                None => match frame.function.strip_suffix(".{invariant}") {
                    Some(owner) => format!("the invariant of {owner}"),
                    None => frame.function.to_string(),
                },
            },
        };
        let place = |(title, text, span): (Arc<str>, Arc<str>, Span)| {
            Place::new(SourceText { title: &title, text: &text }, span)
        };
        FrameView { times: 1, function, at: found.map(place) }
    }

    fn locate(&self, site: Site) -> Option<(Arc<str>, Arc<str>, Span)> {
        let place = self.workspace.lock().line(&site)?;
        let (title, text) = self.source(place.cell)?;
        Some((title, text, place.span))
    }
}

/// The item each function came from.
pub fn items(definitions: &Definitions) -> HashMap<FunctionKey, u32> {
    let agents = definitions.agents.iter().flat_map(|agent| {
        let behaviors = agent.behaviors.iter().map(|behavior| &behavior.function);
        std::iter::once(&agent.init).chain(&agent.config).chain(behaviors)
    });
    let functions = definitions.functions.iter().chain(agents);
    functions.map(|function| (function.key.clone(), function.item)).collect()
}

/// The values a Fault reports beside its message, if it does. Those of a condition are in the message unless they are long.
fn values(fault: &Fault) -> Vec<NamedValue> {
    let is_condition = matches!(fault.code, code::ASSERT | code::REQUIRE);
    let values = match is_condition {
        true if fault.message.contains(" where ") => None,
        true => fault.data.as_object(),
        false if fault.code == code::CONTRACT && fault.message.contains(" where ") => None,
        false => fault.data.get("values").and_then(|values| values.as_object()),
    };
    let Some(values) = values else { return Vec::new() };
    values
        .iter()
        .map(|(name, value)| NamedValue { name: name.clone(), value: text(value) })
        .collect()
}

fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How the two sides of an assertion differ.
fn sides(fault: &Fault) -> Vec<String> {
    let side = |name: &str| {
        let shown = fault.data.get(name)?.as_str()?;
        // A text is shown as its literal, which for this purpose is near enough to JSON's.
        Some(serde_json::from_str::<String>(shown).unwrap_or_else(|_| shown.to_owned()))
    };
    match (fault.code, side("left"), side("right")) {
        (code::ASSERT, Some(left), Some(right)) => difference(&left, &right),
        _ => Vec::new(),
    }
}
