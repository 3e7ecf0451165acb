//! Money, limits, clock and chance: the rows of section 11 that read or bound what a block uses.

use crate::actor::config::read_action;
use crate::builtin::declare::{Outcome, Word, builtins};
use crate::builtin::memory::services;
use crate::builtin::must;
use crate::context::Cx;
use crate::context::scope::{Scope, TIME_HAS_PASSED};
use crate::context::sink::Emission;
use crate::fault::{Faulted, code};
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitContext, LimitKind, LimitNode, Select};
use crate::value::json::to_json;
use crate::value::prelude::quota_action;
use std::sync::Arc;

builtins! {
    /// What the innermost limit or measurement (else the cell) has been charged.
    call "spent" "() -> Money"
        example "@spent()" => "$0.00"
        = |cx| spent(cx);
    /// The time of the program's clock.
    call "now" "() -> Time"
        example "@now()" => ""
        effects ["clock"]
        = |cx| cx.program_time();
    /// A number from 0.0 up to 1.0 of the program's seed.
    call "random" "() -> Float"
        example "@random()" => ""
        effects ["random"]
        = |cx| cx.program_random();
    /// Bounds the money of everything inside, also of agents it asks.
    block "with_cost_limit" "(limit: Money, on_exceed: QuotaAction = stop) -> Unit"
        example "@with_cost_limit($0.10) { @llm_call(p) }" => ""
        form Scope
        = |cx, limit: i64, on_exceed: Word| open_cost_limit(cx, MicroUsd(limit), on_exceed),
        exit |cx, scope: i64| close(cx, scope);
    /// Bounds the time of the block; R0602 ends it.
    block "with_time_limit" "(limit: Duration) -> Unit"
        example "@with_time_limit(2s) { await desk.ask(q) }" => ""
        form Scope
        = |cx, limit: i64| open_time_limit(cx, limit),
        exit |cx, scope: i64| close(cx, scope);
    /// Bounds the tokens of the block; R0603 ends it.
    block "with_token_limit" "(n: Int) -> Unit"
        example "@with_token_limit(10_000) { @llm_call(p) }" => ""
        form Scope
        = |cx, n: i64| open_token_limit(cx, n),
        exit |cx, scope: i64| close(cx, scope);
    /// Shows cost, tokens and latency of the block by lane.
    block "measure_cost" "() -> Unit"
        example "@measure_cost { @llm_call(p) }" => ""
        form Scope
        = |cx| open_measurement(cx),
        exit |cx, scope: i64| close(cx, scope);
}

fn spent(cx: &mut Cx) -> Outcome<i64> {
    let charged = match &cx.limits {
        Some(innermost) => innermost.settled(),
        None => MicroUsd::ZERO,
    };
    Ok(charged.micros())
}

fn open_cost_limit(cx: &mut Cx, limit: MicroUsd, on_exceed: Word) -> Outcome<i64> {
    must::check(cx, "with_cost_limit", "limit", limit.micros() as f64)?;
    let action = to_json(on_exceed.0, quota_action()).unwrap_or_default();
    let outer = limits(cx)?;
    let node = LimitNode::lexical(outer.clone(), limit, read_action(&action));
    cx.limits = Some(Arc::clone(&node));
    Ok(depth(cx.open_scope(Box::new(Limited { node, outer, shows: false }))))
}

/// What is left of a deadline may be nothing, or less: then it has passed, and nothing of the block runs.
fn open_time_limit(cx: &mut Cx, limit: i64) -> Outcome<i64> {
    match u64::try_from(limit) {
        Ok(limit_ns) if limit_ns > 0 => Ok(depth(cx.open_time_limit(limit_ns))),
        _ => {
            cx.fail(code::TIME, TIME_HAS_PASSED);
            Err(Faulted)
        }
    }
}

fn open_token_limit(cx: &mut Cx, most: i64) -> Outcome<i64> {
    must::check(cx, "with_token_limit", "n", most as f64)?;
    let most = u64::try_from(most).unwrap_or(0);
    let outer = limits(cx)?;
    let node = LimitNode::tokens(outer.clone(), most);
    cx.limits = Some(Arc::clone(&node));
    Ok(depth(cx.open_scope(Box::new(Limited { node, outer, shows: false }))))
}

/// `@auto_lane_select`: what it asks of lanes travels as limits do.
pub(super) fn open_select(cx: &mut Cx, select: Select, budget: Option<MicroUsd>) -> Outcome<i64> {
    let outer = limits(cx)?;
    let node = LimitNode::select(outer.clone(), select, budget);
    cx.limits = Some(Arc::clone(&node));
    Ok(depth(cx.open_scope(Box::new(Limited { node, outer, shows: false }))))
}

fn open_measurement(cx: &mut Cx) -> Outcome<i64> {
    let outer = limits(cx)?;
    let node = LimitNode::counter(outer.clone(), LimitKind::Measure);
    cx.limits = Some(Arc::clone(&node));
    Ok(depth(cx.open_scope(Box::new(Limited { node, outer, shows: true }))))
}

/// The limits in force, the session's at least.
fn limits(cx: &mut Cx) -> Outcome<LimitContext> {
    if cx.limits.is_some() {
        return Ok(cx.limits.clone());
    }
    let world = Arc::clone(&cx.world);
    let services = services(cx, &world)?;
    Ok(Some(Arc::clone(services.ledger().session())))
}

/// A block under a limit or a measurement. What it asked others for goes on counting after its end (L-96).
struct Limited {
    node: Arc<LimitNode>,
    outer: LimitContext,
    /// A measurement shows what it saw.
    shows: bool,
}

impl Scope for Limited {
    fn close(self: Box<Self>, cx: &mut Cx) {
        if self.shows {
            cx.emit(Emission::Measured(self.node.calls()));
        }
        cx.limits = self.outer;
    }
}

/// Blocks are closed by the depth they were opened at.
pub(super) fn depth(scopes: usize) -> i64 {
    i64::try_from(scopes).unwrap_or(i64::MAX)
}

pub(super) fn close(cx: &mut Cx, scope: i64) -> Outcome<()> {
    cx.close_scopes(usize::try_from(scope).unwrap_or(0));
    Ok(())
}
