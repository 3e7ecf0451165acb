//! What the ledger shows: calls as rows, sums by lane, agent and cell, what is left. Plain data; never rendering.

use crate::ledger::money::MicroUsd;
use crate::ledger::quota::QuotaAction;
use crate::ledger::record::CallFacts;
use std::path::PathBuf;
use std::sync::Arc;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Settled,
    /// Charged in full, because it left and nobody knows what it cost.
    Uncertain,
    /// It never left; nothing was charged.
    Released,
}

/// One finished call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// The number of its reservation in the journal.
    pub number: u64,
    pub at_ns: u64,
    pub facts: CallFacts,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub latency_ns: u64,
    pub reserved: MicroUsd,
    pub cost: MicroUsd,
    pub outcome: Outcome,
}

impl CallRow {
    /// True if the provider billed more than the worst case (shown as W0803).
    #[must_use]
    pub fn is_overcharged(&self) -> bool {
        self.cost > self.reserved
    }
}

/// The sum of some calls.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Total {
    pub key: Arc<str>,
    pub calls: u64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub latency_ns: u64,
    pub cost: MicroUsd,
    /// How many of the calls were answered by echo or a simulated lane.
    pub made_up: u64,
    pub uncertain: u64,
}

impl Total {
    fn add(&mut self, row: &CallRow) {
        self.calls += 1;
        self.tokens_in += row.tokens_in;
        self.tokens_out += row.tokens_out;
        self.latency_ns = self.latency_ns.saturating_add(row.latency_ns);
        self.cost = self.cost.checked_add(row.cost).unwrap_or(MicroUsd::MAX);
        self.made_up += u64::from(row.facts.made_up);
        self.uncertain += u64::from(row.outcome == Outcome::Uncertain);
    }
}

/// An alert of a limit that only warns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub at_ns: u64,
    pub limit: Arc<str>,
    pub text: Arc<str>,
    pub estimate: MicroUsd,
}

/// More money for a limit, given by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub at_ns: u64,
    pub limit: Arc<str>,
    pub amount: MicroUsd,
    pub by: Arc<str>,
}

/// A limit that is in force, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRow {
    pub name: String,
    /// With what was granted; none where tokens are limited.
    pub limit: Option<MicroUsd>,
    pub granted: MicroUsd,
    pub spent: MicroUsd,
    pub held: MicroUsd,
    pub on_exceed: QuotaAction,
    /// The most tokens, those held and those used.
    pub tokens: Option<(u64, u64, u64)>,
}

/// Something the person should know about the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A line cut by a crash was moved there.
    TornTail(PathBuf),
    /// So many calls of an earlier process were charged in full.
    Uncertain { calls: u64, cost: MicroUsd },
}

/// What the session knows about its money.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    pub calls: Vec<CallRow>,
    pub total: Total,
    pub by_lane: Vec<Total>,
    pub by_agent: Vec<Total>,
    pub by_cell: Vec<Total>,
    pub budget: Option<MicroUsd>,
    pub reserved: MicroUsd,
    pub alerts: Vec<Alert>,
    pub grants: Vec<Grant>,
    /// The session's limit first, then quotas, then limits of what runs.
    pub limits: Vec<LimitRow>,
    pub notices: Vec<Notice>,
}

impl Report {
    /// What the session may still spend.
    #[must_use]
    pub fn remaining(&self) -> Option<MicroUsd> {
        let used = self.total.cost.checked_add(self.reserved)?;
        let left = self.budget?.checked_sub(used)?;
        Some(left.max(MicroUsd::ZERO))
    }
}

/// The sum of all rows.
#[must_use]
pub fn total(rows: &[CallRow]) -> Total {
    let mut sum = Total { key: "total".into(), ..Total::default() };
    rows.iter().for_each(|row| sum.add(row));
    sum
}

/// Sums by `key`, in order of first appearance.
#[must_use]
pub fn totals_by(rows: &[CallRow], key: impl Fn(&CallRow) -> Arc<str>) -> Vec<Total> {
    let mut sums: Vec<Total> = Vec::new();
    for row in rows {
        let key = key(row);
        match sums.iter_mut().find(|total| total.key == key) {
            Some(total) => total.add(row),
            None => {
                let mut total = Total { key, ..Total::default() };
                total.add(row);
                sums.push(total);
            }
        }
    }
    sums
}
