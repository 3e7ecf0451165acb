//! Types of agents as the runtime sees them, and the table that says which version of each is in force.
//!
//! Never: changes a version. A redefinition is a new one; instances take it at their next message if their state fits.

use crate::actor::selector::Selector;
use crate::code::FnSlot;
use crate::value::shape::{FieldShape, ShapeId};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Default capacity of a mailbox (L-74).
pub const MAILBOX: u32 = 1000;

/// One version of an agent's definition. Its functions have slots of their own: an instance that keeps this version when
/// the agent is redefined runs this code on.
#[derive(Debug)]
pub struct AgentType {
    pub name: Arc<str>,
    /// Parameters, then ports, then state; a field that is not `required` has an initialiser.
    pub fields: Box<[FieldShape]>,
    /// How many of `fields` are parameters and ports: what `@spawn` gives.
    pub inputs: u32,
    /// Parameters and ports to a tuple of the state fields (Unit if there are none).
    pub init: FnSlot,
    /// Parameters and ports to a record with the keys `memory` and `cost_policy`, read as JSON.
    pub config: Option<FnSlot>,
    pub behaviors: Box<[Behavior]>,
    pub mailbox: u32,
    /// Of all messages of the agent that do not say otherwise.
    pub priority: Priority,
    /// `@schedule(predictive)`: kept for a scheduler that measures.
    pub is_predictive: bool,
    /// Its initialiser is its own statements: it runs once, whatever is redefined (L-77).
    pub is_orchestration: bool,
    /// Set when the version is installed.
    pub version: u64,
}

#[derive(Debug)]
pub struct Behavior {
    pub name: Arc<str>,
    pub selector: Selector,
    pub params: Box<[FieldShape]>,
    pub result: ShapeId,
    pub function: FnSlot,
    pub attributes: Attributes,
}

impl Behavior {
    #[must_use]
    pub fn new(name: &str, params: Box<[FieldShape]>, result: ShapeId, function: FnSlot) -> Self {
        let selector = Selector::of(name);
        let attributes = Attributes::default();
        Self { name: name.into(), selector, params, result, function, attributes }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes {
    pub priority: Option<Priority>,
    /// An `alert` member: before all queued ordinary messages.
    pub is_alert: bool,
    /// A `decision` member: recorded with its votes, cost and recalled memories.
    pub is_decision: bool,
    /// A `critical_section` member: holds the lease of its type while it runs.
    pub is_critical: bool,
    pub is_cpu_intensive: bool,
}

/// `@priority`: strict between levels, but an older message gains a level every 10 ms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Priority {
    High,
    #[default]
    Normal,
    Low,
}

impl AgentType {
    #[must_use]
    pub fn behavior(&self, selector: Selector) -> Option<&Behavior> {
        self.behaviors.iter().find(|behavior| behavior.selector == selector)
    }

    /// The state fields.
    #[must_use]
    pub fn state(&self) -> &[FieldShape] {
        self.fields.get(self.inputs as usize..).unwrap_or(&[])
    }

    #[must_use]
    pub fn input_fields(&self) -> &[FieldShape] {
        self.fields.get(..self.inputs as usize).unwrap_or(&[])
    }
}

/// Names an agent type for compiled code; stays the same over redefinitions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct TypeId(pub u32);

/// A name and the version it now means.
#[derive(Debug)]
pub struct TypeCell {
    name: Arc<str>,
    // Counts installations; read at each message, where Acquire pairs with the Release of `install`.
    version: AtomicU64,
    current: RwLock<Option<Arc<AgentType>>>,
}

impl TypeCell {
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn current(&self) -> Option<Arc<AgentType>> {
        self.current.read().clone()
    }

    fn install(&self, mut kind: AgentType) -> Arc<AgentType> {
        let mut current = self.current.write();
        kind.version = self.version.load(Ordering::Relaxed) + 1;
        let kind = Arc::new(kind);
        *current = Some(Arc::clone(&kind));
        self.version.store(kind.version, Ordering::Release);
        kind
    }
}

/// The agent types of a world.
#[derive(Default)]
pub struct TypeTable {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    ids: FxHashMap<Arc<str>, TypeId>,
    cells: Vec<Arc<TypeCell>>,
}

impl TypeTable {
    /// The id of a name; a new one has no version yet.
    pub fn id(&self, name: &str) -> TypeId {
        if let Some(&id) = self.inner.read().ids.get(name) {
            return id;
        }
        let mut inner = self.inner.write();
        let next = TypeId(u32::try_from(inner.cells.len()).unwrap_or(u32::MAX));
        let id = *inner.ids.entry(name.into()).or_insert(next);
        if id == next {
            let current = RwLock::new(None);
            let version = AtomicU64::new(0);
            inner.cells.push(Arc::new(TypeCell { name: name.into(), version, current }));
        }
        id
    }

    #[must_use]
    pub fn cell(&self, id: TypeId) -> Option<Arc<TypeCell>> {
        self.inner.read().cells.get(id.0 as usize).cloned()
    }

    /// Puts a definition in force: for new agents at once, for instances at their next message.
    pub fn install(&self, kind: AgentType) -> TypeId {
        let id = self.id(&kind.name);
        if let Some(cell) = self.cell(id) {
            cell.install(kind);
        }
        id
    }
}
