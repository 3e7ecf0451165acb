//! `@auto_lane_select`: what a block asks of the lanes of all calls inside, also those of agents that it asks.
//!
//! It stands among the limits, so it travels as they do (L-96). Never: chooses; the router does.

use crate::builtin::cost::open_select;
use crate::builtin::declare::{Outcome, Word};
use crate::builtin::must;
use crate::context::Cx;
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitContext, LimitKind, Select, nodes};
use crate::value::json::to_json;
use crate::value::prelude::lane;
use crate::value::record::option;
use crate::value::shape::ShapeId;
use serde_json::Value;
use std::sync::Arc;

pub fn open(cx: &mut Cx, latency: Word, budget: Word, prefer: Word) -> Outcome<i64> {
    let latency = option(latency.0, ShapeId::option(ShapeId::DURATION));
    let budget = option(budget.0, ShapeId::option(ShapeId::MONEY));
    let number = |word: Option<u64>| word.map(|word| word.cast_signed() as f64);
    if let Some(latency) = number(latency) {
        must::check(cx, "auto_lane_select", "latency_budget", latency)?;
    }
    if let Some(budget) = number(budget) {
        must::check(cx, "auto_lane_select", "cost_budget", budget)?;
    }
    let prefer = to_json(prefer.0, ShapeId::list(lane())).unwrap_or_default();
    let select = Select { latency_budget_ns: latency, prefer: lane_names(Some(&prefer)) };
    open_select(cx, select, budget.map(|micros| MicroUsd(micros.cast_signed())))
}

/// The names in a list of lanes; none if it is no list.
pub fn lane_names(list: Option<&Value>) -> Vec<Arc<str>> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|name| name.as_str().map(Arc::from)).collect()
}

/// All budgets around a call, and the innermost preference.
#[derive(Default)]
pub struct Selection {
    pub prefer: Option<Vec<Arc<str>>>,
    pub latency_budget_ns: Option<u64>,
    pub cost_budget: Option<MicroUsd>,
}

impl Selection {
    #[must_use]
    pub fn of(limits: &LimitContext) -> Self {
        let mut found = Self::default();
        for node in nodes(limits) {
            let LimitKind::Select(select) = node.kind() else { continue };
            if found.prefer.is_none() && !select.prefer.is_empty() {
                found.prefer = Some(select.prefer.clone());
            }
            found.latency_budget_ns =
                found.latency_budget_ns.into_iter().chain(select.latency_budget_ns).min();
            let used = node.settled().checked_add(node.reserved());
            let left = node.limit().zip(used).and_then(|(limit, used)| limit.checked_sub(used));
            found.cost_budget = found.cost_budget.into_iter().chain(left).min();
        }
        found
    }
}
