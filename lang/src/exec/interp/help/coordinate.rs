//! Helpers that act on many agents at once: `@shard`, `@quorum`, `@broadcast`.
//!
//! Never: decides anything; the runtime's `coord` does. Operands are taken over, whatever happens.

use crate::exec::interp::help::agent::{owned, supervision};
use ag_runtime::actor::kind::TypeId;
use ag_runtime::actor::selector::Selector;
use ag_runtime::context::Cx;
use ag_runtime::coord::broadcast::Broadcast;
use ag_runtime::coord::quorum::{Quorum, Until};
use ag_runtime::coord::shard::{self, Shards, Topology};
use ag_runtime::fault::Faulted;
use ag_runtime::value::list::{ListBuf, ListRef};
use ag_runtime::value::native;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::record;
use ag_runtime::value::shape::{Shape, ShapeId, shape};
use std::collections::BTreeSet;

/// The name of a variant without payload.
fn variant(value: &Owned) -> &'static str {
    let Shape::Enum(of) = shape(value.shape()) else { return "" };
    of.variants.get(record::tag(value.value()) as usize).map_or("", |variant| &variant.name)
}

/// The next operand as a word of a scalar type.
fn word(operands: &mut impl Iterator<Item = Owned>) -> i64 {
    operands.next().map_or(0, |operand| operand.value().cast_signed())
}

pub fn shard(cx: &mut Cx, kind: TypeId, shapes: &[ShapeId], args: &[u64]) -> Result<u64, Faulted> {
    let mut inputs = owned(shapes, args);
    let supervise = match inputs.pop() {
        Some(value) => supervision(cx, &value)?,
        None => Default::default(),
    };
    let mut operands = inputs.into_iter();
    let count = word(&mut operands);
    let topology = operands.next().map_or(Topology::Mesh, |value| match variant(&value) {
        "Ring" => Topology::Ring,
        "Star" => Topology::Star,
        _ => Topology::Mesh,
    });
    let shards = cx.shard(kind, count, topology, operands.collect(), supervise)?;
    Ok(shard::handle(shards))
}

pub fn quorum(
    cx: &mut Cx,
    selector: Selector,
    shapes: &[ShapeId],
    result: ShapeId,
    args: &[u64],
) -> Result<u64, Faulted> {
    let mut operands = owned(shapes, args).into_iter();
    let agents = once_each(operands.next().map(|list| words(&list)).unwrap_or_default());
    let threshold = word(&mut operands);
    let timeout_ns = u64::try_from(word(&mut operands)).unwrap_or(0);
    let until = operands.next().map_or(Until::Agree, |value| match variant(&value) {
        "Replies" => Until::Replies,
        _ => Until::Agree,
    });
    let quorum = Quorum { threshold, timeout_ns, until };
    let replies = cx.quorum(&agents, selector, operands.collect(), &quorum)?;
    let list = ListBuf::with_capacity(result, replies.len());
    Ok(replies.into_iter().fold(list, |list, reply| list.push(reply.into_word())).into_word())
}

pub fn broadcast(
    cx: &mut Cx,
    selector: Selector,
    shapes: &[ShapeId],
    args: &[u64],
) -> Result<u64, Faulted> {
    let mut operands = owned(shapes, args).into_iter();
    let Some(agents) = operands.next() else { return Ok(0) };
    let fanout = word(&mut operands);
    // Only a handle may be looked into as one.
    let is_handle = matches!(shape(agents.shape()), Shape::Opaque(_));
    let shards = is_handle.then(|| native::payload::<Shards>(agents.value())).flatten();
    let (agents, topology) = match shards {
        Some(shards) => (shards.agents.clone(), shards.topology),
        None => (once_each(words(&agents)), Topology::Mesh),
    };
    let broadcast = Broadcast { topology, fanout };
    cx.broadcast(agents, selector, operands.collect(), &broadcast)?;
    Ok(0)
}

/// An agent that is listed twice is told once and has one vote.
fn once_each(mut agents: Vec<u64>) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    agents.retain(|agent| seen.insert(*agent));
    agents
}

/// The references in a list of agents.
fn words(list: &Owned) -> Vec<u64> {
    // SAFETY: the checker passes a list of references, which are words; the handle does not outlive the list.
    let list = unsafe { ListRef::from_word(list.value()) };
    (0..list.len()).filter_map(|at| list.get(at)).collect()
}
