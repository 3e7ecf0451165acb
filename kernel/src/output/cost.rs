//! Money spent and money left, as plain data. Amounts are micro-dollars, exact.
//!
//! The rows are the finest division (cell, agent, lane, model); every sum a renderer shows is made from them, so a table
//! and its chart cannot disagree.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostView {
    /// What is summed: `this session`, `cell 3`.
    pub scope: String,
    pub rows: Vec<CostRow>,
    pub budget: BudgetView,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostRow {
    /// Empty when the call belongs to no cell.
    pub cell: String,
    pub agent: String,
    pub lane: String,
    pub model: String,
    pub calls: u64,
    pub cached_calls: u64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_micro_usd: i64,
    pub latency_ns: u64,
    /// The lane made the answers up (echo, simulated).
    pub made_up: bool,
    /// Calls whose cost is known only as an upper bound (cut off after dispatch).
    pub uncertain_calls: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BudgetView {
    pub limits: Vec<LimitRow>,
}

/// One limit in force. The first is the session's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitRow {
    pub name: String,
    pub limit_micro_usd: i64,
    pub spent_micro_usd: i64,
    /// Held for calls under way.
    pub reserved_micro_usd: i64,
    /// `stop`, `ask`, `alert`, `degrade`.
    pub on_exceed: String,
}

/// `1 lane call, echo, 17 + 4 tokens, $0.000025`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostLine {
    pub calls: u64,
    pub cached_calls: u64,
    /// In order of first use.
    pub lanes: Vec<String>,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_micro_usd: i64,
}

impl CostView {
    pub fn total_micro_usd(&self) -> i64 {
        self.rows.iter().map(|row| row.cost_micro_usd).sum()
    }

    /// The line under a cell; none if no lane was called.
    pub fn line(&self) -> Option<CostLine> {
        let mut line = CostLine::default();
        for row in &self.rows {
            line.calls += row.calls;
            line.cached_calls += row.cached_calls;
            line.tokens_in += row.tokens_in;
            line.tokens_out += row.tokens_out;
            line.cost_micro_usd += row.cost_micro_usd;
            if !line.lanes.contains(&row.lane) {
                line.lanes.push(row.lane.clone());
            }
        }
        (line.calls > 0).then_some(line)
    }
}

impl LimitRow {
    pub fn left_micro_usd(&self) -> i64 {
        self.limit_micro_usd - self.spent_micro_usd - self.reserved_micro_usd
    }
}
