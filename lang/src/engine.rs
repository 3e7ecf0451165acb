//! The engine: turns checked definitions into running code, and keeps what names mean.
//!
//! A function's name leads to a slot of the function table; a redefinition with the same shapes swaps what the
//! slot holds, one with other shapes gets another slot, so that code already running can never call something
//! it was not checked against. Never: checks types, decides when a cell runs.

pub mod agents;
mod generated;
pub mod names;
mod policies;
mod provided;

use crate::engine::names::{Names, Signature};
use crate::engine::provided::Provided;
use crate::exec::bytecode::Code;
use crate::exec::emit::{self, Linker};
use crate::exec::interp::{broken, gate, interp_entry, provide, reclaim};
use crate::exec::jit::Refused;
use crate::exec::jit::listing::Listing;
use crate::exec::tier::{self, TierOf};
use crate::hir::{self, FunctionKey};
use crate::ir::{core, lower, print, rc, validate};
use crate::types::infer::invariant;
use crate::types::infer::member::short;
use crate::types::ty::{Name, Ty};
use ag_runtime::code::{CodeHandle, FnSlot, Version};
use ag_runtime::fault::Origin;
use ag_runtime::policy::Gate;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::world::World;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What the engine must be told about a cell's definitions.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The shape of a type.
    pub shapes: &'a dyn Fn(&Ty) -> ShapeId,
    /// The item a function's spans are relative to.
    pub origin: &'a dyn Fn(&FunctionKey) -> Origin,
}

/// Code that could not be made: a mistake of ours, or a function beyond the code's limits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstallError {
    pub function: FunctionKey,
    pub message: String,
}

/// What runs functions. This version has one tier.
pub const TIER: &str = "Interp";

pub struct Engine {
    world: Arc<World>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    names: Names,
    functions: FxHashMap<FunctionKey, Installed>,
    gates: FxHashMap<FunctionKey, Arc<Gate>>,
    provided: Provided,
}

/// What is known of a function besides its code.
struct Installed {
    text: Arc<str>,
    compiles: u32,
}

/// A function on its way into the table.
struct Compiled {
    slot: FnSlot,
    function: core::Function,
    code: Arc<Code>,
}

/// What is compiled for a session ends with it: code holds values, which would be freed at any time later.
impl Drop for Engine {
    fn drop(&mut self) {
        tier::finish();
    }
}

impl Engine {
    pub fn new(world: Arc<World>) -> Self {
        tier::settle();
        Self { world, state: Mutex::default() }
    }

    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Puts all functions and agents of a cell in force at once.
    pub fn install(
        &self,
        definitions: &hir::Definitions,
        cx: Context<'_>,
    ) -> Result<(), InstallError> {
        self.install_all(&[(definitions, cx)])
    }

    /// The same for what several cells define: they may call each other, so all names get their slots before any code
    /// is made.
    pub fn install_all(
        &self,
        units: &[(&hir::Definitions, Context<'_>)],
    ) -> Result<(), InstallError> {
        let mut state = self.state.lock();
        let mut sources: Vec<(&hir::Function, Context<'_>)> = Vec::new();
        for (definitions, cx) in units {
            sources.extend(definitions.functions.iter().map(|function| (function, *cx)));
            policies::keep_gates(&mut state.gates, definitions);
            state.provided.define(definitions, *cx);
            for agent in &definitions.agents {
                let behaviors = agent.behaviors.iter().map(|behavior| &behavior.function);
                let functions = std::iter::once(&agent.init).chain(&agent.config).chain(behaviors);
                sources.extend(functions.map(|function| (function, *cx)));
                state.names.declare_agent(agent);
                let fields = agent.fields.iter();
                let layout = fields.map(|field| (field.name.clone(), (cx.shapes)(&field.ty)));
                state.names.declare_layout(&agent.name, layout.collect());
            }
        }
        self.compile(&mut state, &sources)?;
        let State { provided, names, .. } = &mut *state;
        provided.publish(&self.world, names);
        for (definitions, cx) in units {
            policies::define(&self.world, &mut state.names, definitions);
            for agent in &definitions.agents {
                let kind = agents::kind(&self.world, &mut state.names, agent, cx.shapes);
                self.world.agent_types().install(kind);
            }
        }
        Ok(())
    }

    /// Makes a step of a cell ready to run.
    pub fn prepare(&self, step: &hir::CellStep, cx: Context<'_>) -> Result<FnSlot, InstallError> {
        let mut state = self.state.lock();
        self.compile(&mut state, &[(&step.function, cx)])?;
        Ok(state.names.slot(self.world.functions(), &step.function.key))
    }

    /// Forgets a step of a cell that has run: its code is freed, its name means nothing. Lambdas it made live on.
    pub fn release(&self, key: &FunctionKey) {
        let mut state = self.state.lock();
        state.functions.remove(key);
        if let Some(slot) = state.names.forget(key) {
            self.world.functions().remove(slot);
        }
        reclaim::reclaim(&self.world);
    }

    /// A function that no longer checks: calling it is R0901 until it is installed again.
    pub fn mark_broken(&self, key: &FunctionKey, why: &str) {
        let state = self.state.lock();
        if let Some(slot) = state.names.known_slot(key) {
            broken::install(self.world.functions(), slot, why);
        }
    }

    /// The Core IR of a function, for `:ir`.
    pub fn ir(&self, key: &str) -> Option<Arc<str>> {
        self.state.lock().functions.get(key).map(|installed| Arc::clone(&installed.text))
    }

    /// The tier that calls of a function run on now.
    pub fn tier(&self, key: &str) -> TierOf {
        self.code(key).map_or_else(TierOf::default, |code| code.tier.of())
    }

    /// Its machine code as text, made for this if it runs interpreted; none if it has no code.
    pub fn listing(&self, key: &str) -> Option<Result<Listing, Refused>> {
        Some(tier::listing(self.code(key)?, &self.world))
    }

    fn code(&self, key: &str) -> Option<Arc<Code>> {
        let version = self.world.functions().current(self.slot(key)?)?;
        gate::behind(&version.code)
    }

    /// How often a function was compiled in this session.
    pub fn compiles(&self, key: &str) -> u32 {
        self.state.lock().functions.get(key).map_or(0, |installed| installed.compiles)
    }

    /// A global has a value of this shape now: those it had under the same name as another type are let go.
    pub fn replaced_global(&self, name: &Name, shape: ShapeId) {
        let state = self.state.lock();
        for slot in state.names.other_globals(name, shape) {
            self.world.globals().remove(slot);
        }
    }

    /// Sets a global from outside a cell, as the session does with results.
    pub fn set_global(&self, name: &str, value: Owned) {
        let slot = {
            let mut state = self.state.lock();
            let name = Name::from(name);
            state.names.global(&name, value.shape())
        };
        self.replaced_global(&Name::from(name), value.shape());
        self.world.globals().set(slot, value);
    }

    /// The value of a global of this shape.
    pub fn global(&self, name: &Name, shape: ShapeId) -> Option<Owned> {
        let slot = self.state.lock().names.global(name, shape);
        self.world.globals().get(slot)
    }

    pub fn slot(&self, key: &str) -> Option<FnSlot> {
        self.state.lock().names.known_slot(key)
    }

    fn compile(
        &self,
        state: &mut State,
        sources: &[(&hir::Function, Context<'_>)],
    ) -> Result<(), InstallError> {
        let mut functions = Vec::new();
        for (source, cx) in sources {
            for (depth, mut function) in lower::function(source, cx.shapes).into_iter().enumerate()
            {
                rc::insert(&mut function);
                validate::check(&function).map_err(|message| error(&function, message))?;
                let origin = (cx.origin)(&source.key);
                functions.push((function, origin, depth > 0));
            }
        }
        let table = self.world.functions();
        for (function, _, is_lambda) in &functions {
            state.names.bind(table, &function.name, Signature::of(function), *is_lambda);
            if state.provided.is_required(&function.name) {
                let key = hir::gate::provided_key(&function.name);
                state.names.bind(table, &key, Signature::of(function), false);
            }
        }
        let mut compiled = Vec::with_capacity(functions.len());
        for (function, origin, _) in functions {
            compiled.push(self.emit(state, function, origin)?);
        }
        for unit in compiled {
            let code = Arc::clone(&unit.code);
            install(state, &self.world, unit);
            tier::installed(&code, &self.world);
        }
        reclaim::reclaim(&self.world);
        Ok(())
    }

    fn emit(
        &self,
        state: &mut State,
        function: core::Function,
        origin: Origin,
    ) -> Result<Compiled, InstallError> {
        let table = self.world.functions();
        let types = self.world.agent_types();
        let slot = state.names.slot(table, &function.name);
        let names = std::cell::RefCell::new(&mut state.names);
        let mut linker = Linker {
            function: &mut |key| names.borrow_mut().slot(table, key),
            global: &mut |name, shape| names.borrow_mut().global(name, shape),
            agent: &mut |name| types.id(name),
            behavior: &mut |agent, index| names.borrow().behavior(agent, index),
            origin,
        };
        let mut code = emit::code(&function, &mut linker)
            .map_err(|too_large| error(&function, format!("too many {}", too_large.0)))?;
        code.slot = slot;
        Ok(Compiled { slot, function, code: Arc::new(code) })
    }
}

fn install(state: &mut State, world: &World, unit: Compiled) {
    let Compiled { slot, function, code } = unit;
    let version = Version {
        name: Arc::clone(&function.name),
        origin: code.origin,
        entry: interp_entry,
        params: code.params.clone(),
        result: function.result,
        captures: function.captures,
        code: CodeHandle::new(Arc::clone(&code)),
    };
    if state.provided.is_required(&version.name) {
        let key = hir::gate::provided_key(&version.name);
        let slot = state.names.slot(world.functions(), &key);
        let method = short(&version.name).into();
        world.functions().install(slot, provide::version(key, &version, method));
    }
    let version = match state.gates.get(&function.name) {
        Some(gate) => gate::before(version, code, Arc::clone(gate)),
        None => version,
    };
    if let ([checked], true) = (&*version.params, invariant::is_check(&function.name)) {
        world.invariants().install(*checked, slot);
    }
    world.functions().install(slot, version);
    let text: Arc<str> = print::text(&function).into();
    let known = state.functions.entry(function.name.clone());
    let known = known.or_insert_with(|| Installed { text: Arc::clone(&text), compiles: 0 });
    known.text = text;
    known.compiles += 1;
}

fn error(function: &core::Function, message: String) -> InstallError {
    InstallError { function: function.name.clone(), message }
}
