//! A world to run typed trees in, and the balance of the heap around it.

use crate::build::cell;
use ag_lang::db::workspace::{Step, Workspace};
use ag_lang::engine::{Context, Engine};
use ag_lang::hir::{CellStep, Definitions, Expr, Function, FunctionKey};
use ag_lang::types::ty::Ty;
use ag_runtime::code::FnSlot;
use ag_runtime::context::sink::{Emission, Sink};
use ag_runtime::fault::{Fault, Origin};
use ag_runtime::rng::Seed;
use ag_runtime::value::heap;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::{
    FieldShape, RecordShape, Shape, ShapeId, declare, define, is_defined,
};
use ag_runtime::world::options::{Limits, WorldOptions};
use ag_runtime::world::run::{TaskHandle, TaskSpec};
use ag_runtime::world::{World, WorldHandle};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;

/// Values are counted process-wide: tests that look at the balance take turns.
static TURN: Mutex<()> = Mutex::new(());

#[derive(Default)]
pub struct Collected(pub Mutex<String>);

impl Sink for Collected {
    fn emit(&self, _cell: u32, emission: Emission) {
        if let Emission::Text { text, .. } = emission {
            self.0.lock().push_str(&text);
        }
    }
}

pub struct Session {
    pub engine: Engine,
    pub out: Arc<Collected>,
    world: Option<WorldHandle>,
    before: heap::Usage,
    cells: u32,
    _turn: MutexGuard<'static, ()>,
}

pub fn session() -> Session {
    session_with(Limits::default())
}

pub fn session_with(limits: Limits) -> Session {
    let turn = TURN.lock();
    let before = heap::live();
    let mut options = WorldOptions::seeded(Seed(7));
    options.limits = limits;
    let world = World::open(options);
    let engine = Engine::new(Arc::clone(&world));
    let out = Arc::new(Collected::default());
    Session { engine, out, world: Some(world), before, cells: 0, _turn: turn }
}

impl Session {
    pub fn define(&self, functions: Vec<Function>) {
        let definitions = Definitions { functions, ..Definitions::default() };
        self.engine.install(&definitions, context()).unwrap();
    }

    /// Runs an expression as a cell; its value as `show` gives it.
    pub fn run(&mut self, body: Expr) -> Result<String, Box<Fault>> {
        self.run_function(cell(body))
    }

    pub fn run_function(&mut self, function: Function) -> Result<String, Box<Fault>> {
        let step =
            CellStep { function, shows: true, writes: vec![], changes: vec![], reads: vec![] };
        self.run_step(&step)
    }

    pub fn run_step(&mut self, step: &CellStep) -> Result<String, Box<Fault>> {
        let slot = self.engine.prepare(step, context()).unwrap();
        Ok(self.run_slot(slot)?.show())
    }

    /// Starts a function as a cell and does not wait for it.
    pub fn start(&mut self, key: &str) -> TaskHandle {
        let slot = self.engine.slot(key).unwrap();
        self.cells += 1;
        let spec = TaskSpec {
            name: key.into(),
            slot,
            args: vec![],
            sink: Arc::clone(&self.out) as Arc<dyn Sink>,
            limits: None,
            cell: self.cells,
            globals: None,
        };
        self.engine.world().run(spec)
    }

    pub fn last_cell(&self) -> u32 {
        self.cells
    }

    pub fn run_slot(&mut self, slot: FnSlot) -> Result<Owned, Box<Fault>> {
        self.cells += 1;
        let spec = TaskSpec {
            name: "cell".into(),
            slot,
            args: vec![],
            sink: Arc::clone(&self.out) as Arc<dyn Sink>,
            limits: None,
            cell: self.cells,
            globals: None,
        };
        self.engine.world().run(spec).join()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(world) = self.world.take() {
            world.globals().clear();
            drop(world);
        }
        if !std::thread::panicking() {
            let engine = std::mem::replace(
                &mut self.engine,
                Engine::new(Arc::clone(&World::open(WorldOptions::seeded(Seed(1))))),
            );
            let world = Arc::downgrade(engine.world());
            drop(engine);
            assert_eq!(world.strong_count(), 0, "somebody keeps the world");
            assert_eq!(heap::live().objects, self.before.objects, "values left or freed twice");
        }
    }
}

pub fn context() -> Context<'static> {
    Context { shapes: &shape, origin: &|_| Origin { cell: 1, item: 0 } }
}

/// The shapes of test types: structs are written as Adts whose fields are their arguments.
pub fn shape(ty: &Ty) -> ShapeId {
    match ty {
        Ty::Unit | Ty::Never => ShapeId::UNIT,
        Ty::Bool => ShapeId::BOOL,
        Ty::Int => ShapeId::INT,
        Ty::Float => ShapeId::FLOAT,
        Ty::Text => ShapeId::TEXT,
        Ty::Money => ShapeId::MONEY,
        Ty::Duration => ShapeId::DURATION,
        Ty::Dyn => ShapeId::DYN,
        Ty::List(element) => ShapeId::list(shape(element)),
        Ty::Map(key, value) => ShapeId::map(shape(key), shape(value)),
        Ty::Tuple(items) => ShapeId::tuple(&items.iter().map(shape).collect::<Vec<_>>()),
        Ty::Function(of) => {
            ShapeId::function(&of.params.iter().map(shape).collect::<Vec<_>>(), shape(&of.result))
        }
        Ty::Adt(adt) if &*adt.name == "Option" => ShapeId::option(shape(&adt.args[0])),
        Ty::Adt(adt) if &*adt.name == "Result" => {
            ShapeId::result(shape(&adt.args[0]), shape(&adt.args[1]))
        }
        Ty::Adt(adt) if &*adt.name == "Fault" => fault_shape(),
        Ty::Adt(adt) => {
            let id = declare(&adt.name, adt.fingerprint);
            if !is_defined(id) {
                let fields = adt.args.iter().enumerate();
                let fields =
                    fields.map(|(at, ty)| FieldShape::new(&format!("f{at}"), shape(ty))).collect();
                let name = Some(adt.name.clone());
                define(id, Shape::Record(RecordShape { name, fields, is_tool: false }));
            }
            id
        }
        other => panic!("no shape for {other}"),
    }
}

fn fault_shape() -> ShapeId {
    let site = ShapeId::option(ShapeId::record(&[
        ("cell", ShapeId::INT),
        ("start", ShapeId::INT),
        ("end", ShapeId::INT),
    ]));
    let frame = ShapeId::record(&[("function", ShapeId::TEXT), ("at", site)]);
    ShapeId::record(&[
        ("code", ShapeId::TEXT),
        ("message", ShapeId::TEXT),
        ("at", site),
        ("chain", ShapeId::list(frame)),
        ("data", ShapeId::DYN),
    ])
}

/// A session that reads text: checked by the front end, run by the engine.
pub struct Text {
    pub session: Session,
    pub workspace: Workspace,
}

pub fn text_session() -> Text {
    text_session_with(Limits::default())
}

pub fn text_session_with(limits: Limits) -> Text {
    let session = session_with(limits);
    let workspace = Workspace::new();
    let prelude = workspace.prelude();
    let shapes = |ty: &Ty| workspace.shape(ty);
    let cx = Context { shapes: &shapes, origin: &|_| Origin::default() };
    session.engine.install(&prelude.definitions, cx).unwrap();
    Text { session, workspace }
}

impl Text {
    /// Runs a cell; what its last expression shows, and what it printed before that.
    pub fn cell(&mut self, text: &str) -> Result<String, Box<Fault>> {
        let id = self.workspace.add_cell(text);
        let checked = self.workspace.check(id);
        assert!(!checked.has_errors(), "{text}\n{:#?}", checked.diagnostics);
        let shapes = |ty: &Ty| self.workspace.shape(ty);
        let origin = |_: &FunctionKey| Origin { cell: id.0, item: 0 };
        let cx = Context { shapes: &shapes, origin: &origin };
        for broken in &checked.changes.broken {
            for key in &broken.functions {
                self.session.engine.mark_broken(key, &broken.diagnostic.message);
            }
        }
        let relinked = checked.changes.relinked.iter().map(|(_, definitions)| (definitions, cx));
        let units: Vec<_> = std::iter::once((&checked.definitions, cx)).chain(relinked).collect();
        self.session.engine.install_all(&units).unwrap();
        let mut shown = String::new();
        for step in &checked.steps {
            let Step::Statement(step) = step else { continue };
            let slot = self.session.engine.prepare(step, cx).unwrap();
            let value = self.session.run_slot(slot);
            self.session.engine.release(&step.function.key);
            let value = value?;
            if step.shows {
                shown = value.show();
            }
        }
        self.workspace.settle(id, None);
        let printed = std::mem::take(&mut *self.session.out.0.lock());
        Ok(format!("{printed}{shown}"))
    }
}
