//! Helpers: operations that are calls into the engine, with their names resolved to slots.
//!
//! Never: runs anything (`interp::help` does).

use crate::exec::emit::Linker;
use crate::hir::Coordinate;
use crate::ir::core::Aux;
use ag_runtime::actor::kind::TypeId;
use ag_runtime::actor::selector::Selector;
use ag_runtime::context::globals::GlobalSlot;
use ag_runtime::value::shape::ShapeId;

#[derive(Clone, PartialEq, Debug)]
pub enum Helper {
    /// As in Core IR; the shape is the result's.
    Plain(Aux, ShapeId),
    GlobalGet(GlobalSlot, crate::types::ty::Name),
    GlobalTake(GlobalSlot, crate::types::ty::Name),
    GlobalSet(GlobalSlot, ShapeId, crate::types::ty::Name),
    AgentSet(u32),
    /// The shapes of parameters and ports, then of the supervision.
    Spawn(TypeId, Box<[ShapeId]>),
    /// The shapes of all operands.
    Shard(TypeId, Box<[ShapeId]>),
    Quorum {
        selector: Selector,
        operands: Box<[ShapeId]>,
        result: ShapeId,
    },
    Broadcast(Selector, Box<[ShapeId]>),
    Request {
        selector: Selector,
        payload: Box<[ShapeId]>,
        future: ShapeId,
    },
    Signal {
        selector: Selector,
        payload: Box<[ShapeId]>,
        result: ShapeId,
    },
}

impl Helper {
    pub fn of(aux: &Aux, result: ShapeId, args: &[ShapeId], linker: &mut Linker<'_>) -> Self {
        let payload = || args.iter().skip(1).copied().collect();
        match aux {
            Aux::GlobalGet(name) => Self::GlobalGet((linker.global)(name, result), name.clone()),
            Aux::GlobalTake(name) => Self::GlobalTake((linker.global)(name, result), name.clone()),
            Aux::GlobalSet(name) => {
                let shape = args.first().copied().unwrap_or(ShapeId::UNIT);
                Self::GlobalSet((linker.global)(name, shape), shape, name.clone())
            }
            Aux::AgentSet(index) => Self::AgentSet(*index),
            Aux::Spawn(name) => Self::Spawn((linker.agent)(name), args.into()),
            Aux::Coordinate(Coordinate::Shard(name)) => {
                Self::Shard((linker.agent)(name), args.into())
            }
            Aux::Coordinate(Coordinate::Quorum { agent, behavior }) => Self::Quorum {
                selector: (linker.behavior)(agent, *behavior),
                operands: args.into(),
                result,
            },
            Aux::Coordinate(Coordinate::Broadcast { agent, behavior }) => {
                Self::Broadcast((linker.behavior)(agent, *behavior), args.into())
            }
            Aux::Request { agent, behavior } => Self::Request {
                selector: (linker.behavior)(agent, *behavior),
                payload: payload(),
                future: result,
            },
            Aux::Signal { agent, behavior } => Self::Signal {
                selector: (linker.behavior)(agent, *behavior),
                payload: payload(),
                result,
            },
            plain => Self::Plain(plain.clone(), result),
        }
    }
}
