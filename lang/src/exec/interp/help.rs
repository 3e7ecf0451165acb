//! Runs helpers: data with many parts, globals, agents, Faults the program raises.
//!
//! Each takes over and gives what `ir::core::uses` says. Never: runs bytecode itself.
#![allow(clippy::indexing_slicing)]

pub mod agent;
pub mod coordinate;
pub mod data;
pub mod raise;

use crate::exec::helper::Helper;
use crate::ir::core::Aux;
use ag_runtime::builtin::large;
use ag_runtime::context::Cx;
use ag_runtime::fault::{Faulted, code};
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;

/// Runs one; its operands are in order.
pub fn run(cx: &mut Cx, helper: &Helper, args: &[u64]) -> Result<u64, Faulted> {
    match helper {
        Helper::Plain(aux, result) => plain(cx, aux, *result, args),
        Helper::GlobalGet(slot, name) => known(cx.global(*slot), cx, name),
        Helper::GlobalTake(slot, name) => {
            cx.may_assign_global(name)?;
            known(cx.take_global(*slot), cx, name)
        }
        Helper::GlobalSet(slot, shape, name) => {
            if let Err(faulted) = cx.may_assign_global(name) {
                drop(Owned::new(args[0], *shape));
                return Err(faulted);
            }
            cx.set_global(*slot, args[0], *shape);
            Ok(0)
        }
        Helper::AgentSet(index) => {
            cx.set_field(*index, args[0]);
            Ok(0)
        }
        Helper::Spawn(kind, shapes) => agent::spawn(cx, *kind, shapes, args),
        Helper::Shard(kind, shapes) => coordinate::shard(cx, *kind, shapes, args),
        Helper::Quorum { selector, operands, result } => {
            coordinate::quorum(cx, *selector, operands, *result, args)
        }
        Helper::Broadcast(selector, shapes) => coordinate::broadcast(cx, *selector, shapes, args),
        Helper::Request { selector, payload, future } => {
            agent::request(cx, *selector, payload, *future, args)
        }
        Helper::Signal { selector, payload, result } => {
            agent::signal(cx, *selector, payload, *result, args)
        }
    }
}

/// A global's value, if the cell that gives it one ran.
fn known(value: Option<u64>, cx: &mut Cx, name: &str) -> Result<u64, Faulted> {
    value.ok_or_else(|| {
        let message = format!("`{name}` has no value: its cell did not run to its end");
        cx.fail(code::BROKEN_DEFINITION, message);
        Faulted
    })
}

fn plain(cx: &mut Cx, aux: &Aux, result: ShapeId, args: &[u64]) -> Result<u64, Faulted> {
    match aux {
        Aux::List(shape) => Ok(data::list(*shape, args)),
        Aux::Vector => Ok(data::vector(args)),
        Aux::Set(shape) => Ok(data::set(*shape, args)),
        Aux::Map(shape) => Ok(data::map(*shape, args)),
        Aux::Template(pieces) => data::template(cx, pieces, args),
        Aux::Prompt(pieces) => Ok(data::kept(result, pieces, args)),
        Aux::Equal(shape) => large::equals(cx, args[0], args[1], *shape).map(u64::from),
        Aux::ToDyn(shape) => Ok(data::to_dyn(*shape, args[0])),
        Aux::FromDyn { target, optional } => {
            data::from_dyn(cx, *target, *optional, result, args[0])
        }
        Aux::AsTool => Ok(args[0]),
        Aux::TextToPrompt => Ok(data::text_to_kept(result, args[0])),
        Aux::ListToVector => data::list_to_vector(cx, args[0]),
        Aux::ListToSet(_) => data::list_to_set(cx, result, args[0]),
        Aux::Sequence(shape) => data::sequence(cx, *shape, result, args[0]),
        Aux::SetIndex(shape) => data::set_index(cx, *shape, args),
        Aux::GetIndex(shape) => data::get_index(cx, *shape, args),
        Aux::TakeIndex(shape) => data::take_index(cx, *shape, args),
        Aux::FreshContainer(shape) => cx.holding(|cx| data::fresh_container(cx, *shape, args[0])),
        Aux::Slice(shape) => data::slice(cx, *shape, args),
        Aux::AgentGet(index) => Ok(cx.field_owned(*index)),
        Aux::AgentTake(index) => Ok(cx.take_field(*index)),
        Aux::Append(_) => cx.holding(|cx| data::append(cx, args)),
        Aux::SelfRef => agent::self_ref(cx),
        Aux::Hold => {
            cx.hold();
            Ok(0)
        }
        Aux::LetGo => {
            cx.let_go();
            Ok(0)
        }
        Aux::ScopeDepth => Ok(cx.scope_depth() as u64),
        Aux::CloseScopes => {
            let caught = cx.fault.take();
            cx.close_scopes(args[0] as usize);
            cx.fault = caught;
            // The limit that passed stands around the `try`: it is not for this one to catch.
            if cx.is_cancelled() {
                // Noted again on the way to the next one.
                cx.fault.as_mut().map(|fault| fault.chain.pop());
                return Err(Faulted);
            }
            Ok(0)
        }
        Aux::TakeFault(shape) => Ok(raise::take_fault(cx, *shape)),
        Aux::Raise(raise) => Err(raise::raise(cx, raise, args)),
        Aux::GlobalGet(_)
        | Aux::GlobalTake(_)
        | Aux::GlobalSet(_)
        | Aux::AgentSet(_)
        | Aux::Spawn(_)
        | Aux::Coordinate(_)
        | Aux::Request { .. }
        | Aux::Signal { .. } => {
            cx.fail(code::INTERNAL, "a name was not linked");
            Err(Faulted)
        }
    }
}
