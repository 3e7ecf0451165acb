//! Native functions as code, small agents, and a sink that keeps what it is given.

use ag_runtime::actor::kind::{AgentType, Attributes, Behavior, MAILBOX, Priority, TypeId};
use ag_runtime::actor::reference::AgentRef;
use ag_runtime::actor::selector::Selector;
use ag_runtime::actor::supervisor::Supervise;
use ag_runtime::code::{CodeHandle, FAULT, FnSlot, OK, Status, Version};
use ag_runtime::context::Cx;
use ag_runtime::context::sink::{Emission, Sink};
use ag_runtime::fault::{Fault, Faulted, Origin};
use ag_runtime::rng::Seed;
use ag_runtime::value::heap;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::record;
use ag_runtime::value::shape::{FieldShape, Shape, ShapeId, intern};
use ag_runtime::value::text::TextBuf;
use ag_runtime::world::options::WorldOptions;
use ag_runtime::world::run::{TaskHandle, TaskSpec};
use ag_runtime::world::{World, WorldHandle};
use std::sync::{Arc, Mutex};

pub const UNIT: ShapeId = ShapeId::UNIT;
pub const INT: ShapeId = ShapeId::INT;
pub const TEXT: ShapeId = ShapeId::TEXT;

pub type Body = dyn Fn(&mut Cx, &[u64]) -> Result<u64, Faulted> + Send + Sync;

struct Native {
    body: Box<Body>,
    params: Vec<ShapeId>,
}

/// The entry of every native function: owns its arguments, leaves an owned result.
unsafe extern "C" fn native(cx: *mut Cx, code: *const u8, args: *mut u64) -> Status {
    // SAFETY: the code of these versions is a `Native`, and callers pass as many arguments as it has parameters.
    let (cx, native) = unsafe { (&mut *cx, &*code.cast::<Native>()) };
    // SAFETY: as above.
    let args = unsafe { std::slice::from_raw_parts(args, native.params.len()) }.to_vec();
    let result = (native.body)(cx, &args);
    for (&arg, &shape) in args.iter().zip(&native.params) {
        ag_runtime::value::count::release(arg, shape);
    }
    match result {
        Ok(value) => {
            cx.result = value;
            OK
        }
        Err(Faulted) => FAULT,
    }
}

pub fn function(
    world: &World,
    params: &[ShapeId],
    result: ShapeId,
    body: impl Fn(&mut Cx, &[u64]) -> Result<u64, Faulted> + Send + Sync + 'static,
) -> FnSlot {
    let slot = world.functions().allocate("native");
    let code = Arc::new(Native { body: Box::new(body), params: params.to_vec() });
    let version = Version {
        name: "native".into(),
        origin: Origin::default(),
        entry: native,
        code: CodeHandle::new(code),
        params: params.into(),
        result,
        captures: 0,
    };
    world.functions().install(slot, version);
    slot
}

/// Builds one agent type.
pub struct Agent<'w> {
    world: &'w World,
    kind: AgentType,
}

impl<'w> Agent<'w> {
    /// `fields` are the inputs and then the state, which `initial` gives.
    pub fn new(
        world: &'w World,
        name: &str,
        inputs: &[(&str, ShapeId)],
        state: &[(&str, ShapeId)],
        initial: impl Fn(&mut Cx, &[u64]) -> Result<Vec<u64>, Faulted> + Send + Sync + 'static,
    ) -> Self {
        let shapes: Vec<ShapeId> = inputs.iter().map(|&(_, shape)| shape).collect();
        let items: Vec<ShapeId> = state.iter().map(|&(_, shape)| shape).collect();
        let tuple = ShapeId::tuple(&items);
        let init = function(world, &shapes, tuple, move |cx, args| {
            let items = initial(cx, args)?;
            Ok(if items.is_empty() { 0 } else { record::tuple(tuple, &items) })
        });
        let optional = |&(name, shape): &(&str, ShapeId)| FieldShape {
            required: false,
            ..FieldShape::new(name, shape)
        };
        let given = inputs.iter().map(|&(name, shape)| FieldShape::new(name, shape));
        let kind = AgentType {
            name: name.into(),
            fields: given.chain(state.iter().map(optional)).collect(),
            inputs: inputs.len() as u32,
            init,
            config: None,
            behaviors: Box::new([]),
            mailbox: MAILBOX,
            priority: Priority::Normal,
            is_predictive: false,
            is_orchestration: false,
            version: 0,
        };
        Self { world, kind }
    }

    pub fn plain(world: &'w World, name: &str) -> Self {
        Self::new(world, name, &[], &[], |_, _| Ok(Vec::new()))
    }

    pub fn counter(world: &'w World, name: &str) -> Self {
        Self::new(world, name, &[], &[("count", INT)], |_, _| Ok(vec![0]))
    }

    pub fn on(
        self,
        name: &str,
        params: &[ShapeId],
        result: ShapeId,
        body: impl Fn(&mut Cx, &[u64]) -> Result<u64, Faulted> + Send + Sync + 'static,
    ) -> Self {
        self.on_with(name, params, result, Attributes::default(), body)
    }

    pub fn on_with(
        mut self,
        name: &str,
        params: &[ShapeId],
        result: ShapeId,
        attributes: Attributes,
        body: impl Fn(&mut Cx, &[u64]) -> Result<u64, Faulted> + Send + Sync + 'static,
    ) -> Self {
        let slot = function(self.world, params, result, body);
        let fields = params.iter().map(|&shape| FieldShape::new("p", shape)).collect();
        let mut behaviors = std::mem::take(&mut self.kind.behaviors).into_vec();
        let behavior = Behavior::new(name, fields, result, slot);
        behaviors.push(Behavior { attributes, ..behavior });
        self.kind.behaviors = behaviors.into();
        self
    }

    pub fn mailbox(mut self, capacity: u32) -> Self {
        self.kind.mailbox = capacity;
        self
    }

    pub fn install(self) -> TypeId {
        self.world.agent_types().install(self.kind)
    }
}

pub fn selector(name: &str) -> Selector {
    Selector::of(name)
}

pub fn int(value: u64) -> Owned {
    Owned::new(value, INT)
}

pub fn text(value: &str) -> Owned {
    TextBuf::new(value).into_owned()
}

pub fn agent_shape() -> ShapeId {
    intern(Shape::AgentRef("A".into()))
}

/// A request and its reply.
pub fn ask(cx: &mut Cx, agent: u64, name: &str, payload: Vec<Owned>) -> Result<u64, Faulted> {
    let work = cx.ask(agent, selector(name), payload)?;
    Ok(cx.await_work(&work)?.into_word())
}

pub fn spawn(cx: &mut Cx, kind: TypeId, inputs: Vec<Owned>) -> Result<u64, Faulted> {
    cx.spawn(kind, inputs, Supervise::Escalate).map(AgentRef::pack)
}

/// Keeps emissions as text.
#[derive(Default)]
pub struct Kept(Mutex<Vec<String>>);

impl Kept {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for Kept {
    fn emit(&self, cell: u32, emission: Emission) {
        let line = match emission {
            Emission::Text { text, .. } => format!("{cell}: {text}"),
            Emission::Fault { source, fault } => format!("{cell}: {source}: {}", fault.code),
            other => format!("{cell}: {other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

/// The balance is the process's: tests in one process take turns.
static TURN: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

/// A world whose values are all gone at its end.
pub struct Test {
    _turn: parking_lot::MutexGuard<'static, ()>,
    world: Option<WorldHandle>,
    before: heap::Usage,
    pub sink: Arc<Kept>,
}

impl Test {
    pub fn with(options: WorldOptions) -> Self {
        let turn = TURN.lock();
        let before = heap::live();
        Self { _turn: turn, world: Some(World::open(options)), before, sink: Arc::default() }
    }

    /// Real time and this many workers.
    pub fn real(workers: usize) -> Self {
        Self::with(WorldOptions { workers, ..WorldOptions::real(Seed(1)) })
    }

    pub fn seeded() -> Self {
        Self::with(WorldOptions::seeded(Seed(1)))
    }

    pub fn world(&self) -> &Arc<World> {
        self.world.as_ref().unwrap()
    }

    pub fn start(
        &self,
        cell: u32,
        body: impl Fn(&mut Cx) -> Result<u64, Faulted> + Send + Sync + 'static,
    ) -> TaskHandle {
        let slot = function(self.world(), &[], INT, move |cx, _| body(cx));
        let name = format!("cell {cell}").into();
        let sink = self.sink.clone();
        self.world().run(TaskSpec {
            name,
            slot,
            args: Vec::new(),
            sink,
            limits: None,
            cell,
            globals: None,
        })
    }

    /// Runs a cell to its end.
    pub fn cell(
        &self,
        body: impl Fn(&mut Cx) -> Result<u64, Faulted> + Send + Sync + 'static,
    ) -> Result<u64, Box<Fault>> {
        self.start(1, body).join().map(Owned::into_word)
    }

    pub fn code(
        &self,
        body: impl Fn(&mut Cx) -> Result<u64, Faulted> + Send + Sync + 'static,
    ) -> &'static str {
        self.cell(body).map_or_else(|fault| fault.code, |_| "no fault")
    }

    /// Ends the world early.
    pub fn close(&mut self) {
        drop(self.world.take());
        assert_eq!(heap::live(), self.before, "values are left");
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        if self.world.is_some() && !std::thread::panicking() {
            self.close();
        }
    }
}
