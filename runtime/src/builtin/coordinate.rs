//! Acts on many agents, and leases: the rows of section 11 about coordination, and the members of `Shards`.
//!
//! `shard`, `quorum` and `broadcast` are rows for the checker and the documentation: compiled code knows the agents' type and
//! behavior and calls `Cx::shard`, `Cx::quorum` and `Cx::broadcast` itself.

use crate::builtin::declare::{Moved, Outcome, Word, absent, builtins};
use crate::context::Cx;
use crate::coord::shard::{self, Shards};
use crate::fault::{Faulted, code};
use crate::value::equal;
use crate::value::list::ListBuf;
use crate::value::native;
use crate::value::shape::ShapeId;
use crate::value::text::TextRef;
use std::sync::Arc;

builtins! {
    /// Sends one request to many agents and gives the replies, in agent order.
    call "quorum" "(agents: Shards<A>, threshold: Int, request: M, timeout: Duration = 5s, until: Until = agree) -> List<R>"
        example "@quorum(agents: desks, threshold: 7, request: VoteRequest(trade))" => ""
        effects ["send", "suspend"] form Quorum
        = |cx| absent(cx, "quorum");
    /// Spawns `count` agents of one kind; further arguments are those of each agent.
    call "shard" "(count: Int, behavior: A, topology: Topology = mesh) -> Shards<A>"
        example "@shard(count: 10, behavior: PriceAnalyzer, topology: ring)" => ""
        effects ["spawn"] form Shard
        = |cx| absent(cx, "shard");
    /// The shard a key belongs to: a consistent hash, stable when shards are added.
    call "shard_for" "<K: Hash>(key: K, shards: Shards<A>) -> AgentRef<A>"
        example "@shard_for(key: \"ACME\", shards: desks)" => ""
        = |cx, key: Word, shards: Word, key_shape: ShapeId, _agent: ShapeId| {
            shard_for(cx, equal::hash(key.0, key_shape), shards)
        };
    /// Holds a named lease while the block runs; renewed at half its time to live.
    block "with_lease" "(resource: Text, ttl: Duration, wait: Duration = 0s) -> Unit"
        example "@with_lease(\"ACME\", ttl: 5s) { broker.execute(trade) }" => ""
        effects ["suspend"] form Scope
        = |cx, resource: TextRef<'_>, ttl: i64, wait: i64| {
            let depth = cx.open_lease(resource.as_str(), ttl, wait)?;
            Ok(i64::try_from(depth).unwrap_or(i64::MAX))
        },
        exit |cx, scope: i64| cx.close_lease(usize::try_from(scope).unwrap_or(0));
    /// Agents tell each other a message: each gets it at most once, in O(log n) rounds.
    call "broadcast" "(agents: Shards<A>, m: M, fanout: Int = 3) -> Unit"
        example "@broadcast(agents: desks, m: Alert(\"halt\"), fanout: 3)" => ""
        effects ["send"] form Broadcast
        = |cx| absent(cx, "broadcast");
    /// How many agents they are.
    Shards "len" "(self: Shards<A>) -> Int"
        example "desks.len" => ""
        = |cx, shards: Word, _agent: ShapeId| Ok(known(cx, shards)?.agents.len() as i64);
    /// Their references, in order.
    Shards "agents" "(self: Shards<A>) -> List<A>"
        example "desks.agents" => ""
        = |cx, shards: Word, agent: ShapeId| {
            let shards = known(cx, shards)?;
            Ok(Moved(ListBuf::from_items(ShapeId::list(agent), &shards.agents).into_word()))
        };
    /// One of them; R0104 if there are not so many.
    operator "[]" "(shards: Shards<A>, index: Int) -> A"
        example "desks[0]" => ""
        = |cx, shards: Word, index: i64, _agent: ShapeId| {
            let agents = &known(cx, shards)?.agents;
            let found = usize::try_from(index).ok().and_then(|at| agents.get(at).copied());
            found.map(Moved).ok_or_else(|| {
                let message = format!("index {index} of {} shards", agents.len());
                cx.fail(code::INDEX, message);
                Faulted
            })
        };
}

fn known(cx: &mut Cx, shards: Word) -> Outcome<Arc<Shards>> {
    native::payload::<Shards>(shards.0).ok_or_else(|| {
        cx.fail(code::INTERNAL, "these are no Shards");
        Faulted
    })
}

fn shard_for(cx: &mut Cx, hash: u64, shards: Word) -> Outcome<Moved> {
    let shards = known(cx, shards)?;
    let place = shard::place(hash, shards.agents.len());
    let found = place.and_then(|at| shards.agents.get(at).copied());
    found.map(Moved).ok_or_else(|| {
        cx.fail(code::INDEX, "no shard of none: the count is 0");
        Faulted
    })
}
