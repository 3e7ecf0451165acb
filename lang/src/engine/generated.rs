//! What runs generated code (`@eval`): checks it in a workspace of its own and calls it where it was asked for.
//!
//! It runs in the coroutine of its caller, so the caller's limits and policies hold and an interrupt ends it. Checking needs
//! more stack than a coroutine has and is done on a thread; it takes milliseconds. Never: keeps code after it ran.

use crate::db::workspace::generated::Refused;
use crate::db::workspace::{STATEMENTS, Workspace};
use crate::engine::names::Names;
use crate::engine::{Context, Engine, State};
use crate::exec::interp::reclaim;
use crate::types::generated::KEY;
use crate::types::shape::shape_of;
use crate::types::ty::Name;
use ag_runtime::builtin::generated::{Generated, Run};
use ag_runtime::code::FnSlot;
use ag_runtime::context::Cx;
use ag_runtime::fault::{Fault, Faulted, Origin, code};
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::world::World;
use parking_lot::Mutex;
use std::sync::Arc;

/// No cell has it: generated code has no place in the program.
const NOWHERE: Origin = Origin { cell: u32::MAX, item: STATEMENTS };

impl Engine {
    /// To be given to the world when the prelude is in force and nothing else is.
    pub fn evaluator(&self) -> Box<Run> {
        let prelude = self.state.lock().names.clone();
        let free: Mutex<Vec<FnSlot>> = Mutex::default();
        Box::new(move |cx, generated| {
            let mut names = prelude.clone();
            names.lend(&mut free.lock());
            let engine = Engine {
                world: Arc::clone(&cx.world),
                state: Mutex::new(State { names, ..State::default() }),
            };
            let outcome = engine.evaluate(cx, generated);
            engine.clear(&prelude, &mut free.lock());
            outcome
        })
    }

    fn evaluate(
        &self,
        cx: &mut Cx,
        generated: Generated,
    ) -> Result<Result<Owned, Box<Fault>>, Faulted> {
        let checking =
            std::thread::scope(|scope| scope.spawn(|| self.prepare_generated(&generated)).join());
        let slot = match checking {
            Ok(Ok(slot)) => slot,
            Ok(Err(fault)) => return Ok(Err(fault)),
            Err(_) => {
                cx.fail(code::INTERNAL, "checking generated code failed");
                return Err(Faulted);
            }
        };
        let args: Vec<u64> =
            generated.with.into_iter().map(|(_, value)| value.into_word()).collect();
        let depth = cx.scope_depth();
        match cx.call_slot(slot, &args) {
            Ok(word) => Ok(Ok(Owned::new(word, ShapeId::DYN))),
            Err(Faulted) if cx.is_cancelled() => Err(Faulted),
            Err(Faulted) => {
                let fault = cx.take_fault();
                cx.close_scopes(depth);
                Ok(Err(fault))
            }
        }
    }

    fn prepare_generated(&self, generated: &Generated) -> Result<FnSlot, Box<Fault>> {
        let mut workspace = Workspace::new();
        let lanes = lanes(&self.world);
        workspace.set_lanes(&lanes.iter().map(|lane| &**lane).collect::<Vec<_>>());
        let with: Vec<Name> = generated.with.iter().map(|(name, _)| name.clone()).collect();
        let definitions = workspace
            .generated(&generated.source, &with, &generated.allow)
            .map_err(|Refused { code, message }| Box::new(Fault::new(code.as_str(), message)))?;
        let shapes = |ty: &_| shape_of(workspace.database(), ty);
        let cx = Context { shapes: &shapes, origin: &|_| NOWHERE };
        let internal = |message: String| Box::new(Fault::new(code::INTERNAL, message));
        self.install(&definitions, cx)
            .map_err(|error| internal(format!("{}: {}", error.function, error.message)))?;
        self.slot(KEY).ok_or_else(|| internal("generated code has no code".to_owned()))
    }

    /// Takes the code out of force and gives its slots back.
    fn clear(&self, prelude: &Names, free: &mut Vec<FnSlot>) {
        let mut state = self.state.lock();
        for slot in state.names.beyond(prelude) {
            self.world.functions().remove(slot);
            free.push(slot);
        }
        drop(state);
        reclaim::reclaim(&self.world);
    }
}

fn lanes(world: &World) -> Vec<Arc<str>> {
    let rows = world.services().map(|services| services.lanes().rows());
    rows.into_iter().flatten().map(|row| Arc::from(&*row.name)).collect()
}
