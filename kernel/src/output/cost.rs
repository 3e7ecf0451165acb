//! Money spent and money left, as plain data. Amounts are micro-dollars, exact.
//!
//! The rows are the finest division (cell, agent, lane, model); every sum a renderer shows is made from them, so a table
//! and its chart cannot disagree.

use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::QuotaAction;
use ag_runtime::ledger::report::{self, CallRow, Notice, Outcome, Report};
use ag_runtime::value::calendar::rfc3339;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostView {
    /// What is summed: `this session`, `cell 3`.
    pub scope: String,
    pub rows: Vec<CostRow>,
    pub budget: BudgetView,
    /// What a crash of an earlier process left behind; told by the session that found it.
    #[serde(default)]
    pub crash: CrashView,
}

/// What reading the journal had to settle.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrashView {
    /// Calls that had left and whose cost nobody knows: charged in full. They are none of this session's rows.
    pub uncertain_calls: u64,
    pub cost_micro_usd: i64,
    /// Where the cut end of the journal was put; empty if it was whole.
    pub torn_tail: String,
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
    /// What persons gave on top, oldest first.
    #[serde(default)]
    pub grants: Vec<GrantRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GrantRow {
    pub limit: String,
    pub amount_micro_usd: i64,
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// Tokens of a limit that counts them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenCounts {
    pub limit: u64,
    pub spent: u64,
    /// Held for calls under way.
    pub reserved: u64,
}

/// One limit in force. The first is the session's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LimitRow {
    pub name: String,
    pub limit_micro_usd: i64,
    pub spent_micro_usd: i64,
    /// Held for calls under way.
    pub reserved_micro_usd: i64,
    /// Part of the limit: granted by a person.
    #[serde(default)]
    pub granted_micro_usd: i64,
    /// `stop`, `ask`, `alert`, `degrade`.
    pub on_exceed: String,
    /// The text of the alert, or the lane.
    #[serde(default)]
    pub detail: String,
    /// Set where tokens are limited, and not money.
    #[serde(default)]
    pub tokens: Option<TokenCounts>,
}

/// `1 lane call, echo, 17 + 4 tokens, $0.000025`, or of an earlier cell `cell 2: 1 lane call, ...`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostLine {
    /// An earlier cell that began the calls; none: the cell it stands below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_cell: Option<u32>,
    pub calls: u64,
    pub cached_calls: u64,
    /// In order of first use.
    pub lanes: Vec<String>,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_micro_usd: i64,
    /// Those of the lanes whose answers are made up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_up: Vec<String>,
    /// Echo answered a call that named no lane, because no other is configured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stand_in: bool,
}

impl CostView {
    /// The calls of the report that `keep` keeps. Calls that never left cost nothing and are not counted.
    pub fn of(report: &Report, scope: &str, keep: impl Fn(&CallRow) -> bool) -> CostView {
        let mut rows: Vec<CostRow> = Vec::new();
        let calls = report.calls.iter().filter(|call| call.outcome != Outcome::Released);
        for call in calls.filter(|call| keep(call)) {
            let row = CostRow::of(call);
            let same = |other: &&mut CostRow| {
                (&other.cell, &other.agent, &other.lane, &other.model)
                    == (&row.cell, &row.agent, &row.lane, &row.model)
            };
            match rows.iter_mut().find(same) {
                Some(other) => other.add(&row),
                None => rows.push(row),
            }
        }
        CostView {
            scope: scope.to_owned(),
            rows,
            budget: BudgetView::of(report),
            crash: CrashView::default(),
        }
    }

    /// The whole session: all its calls, and what it found at its start.
    pub fn of_session(report: &Report) -> CostView {
        let crash = CrashView::of(report);
        CostView { crash, ..CostView::of(report, "this session", |_| true) }
    }

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
            if row.made_up && !line.made_up.contains(&row.lane) {
                line.made_up.push(row.lane.clone());
            }
        }
        (line.calls > 0).then_some(line)
    }
}

impl CrashView {
    fn of(report: &Report) -> CrashView {
        let mut view = CrashView::default();
        for notice in &report.notices {
            match notice {
                Notice::Uncertain { calls, cost } => {
                    view.uncertain_calls += calls;
                    view.cost_micro_usd = view.cost_micro_usd.saturating_add(cost.micros());
                }
                Notice::TornTail(path) => view.torn_tail = path.display().to_string(),
            }
        }
        view
    }
}

impl CostRow {
    fn of(call: &CallRow) -> CostRow {
        let cell = match call.facts.cell {
            0 => String::new(),
            number => format!("cell {number}"),
        };
        CostRow {
            cell,
            agent: call.facts.agent.to_string(),
            lane: call.facts.lane.to_string(),
            model: call.facts.model.to_string(),
            calls: 1,
            cached_calls: u64::from(call.facts.cached),
            tokens_in: call.tokens_in,
            tokens_out: call.tokens_out,
            cost_micro_usd: call.cost.micros(),
            latency_ns: call.latency_ns,
            made_up: call.facts.made_up,
            uncertain_calls: u64::from(call.outcome == Outcome::Uncertain),
        }
    }

    fn add(&mut self, other: &CostRow) {
        self.calls += other.calls;
        self.cached_calls += other.cached_calls;
        self.tokens_in += other.tokens_in;
        self.tokens_out += other.tokens_out;
        self.cost_micro_usd = self.cost_micro_usd.saturating_add(other.cost_micro_usd);
        self.latency_ns = self.latency_ns.saturating_add(other.latency_ns);
        self.uncertain_calls += other.uncertain_calls;
    }
}

impl BudgetView {
    /// The session's limit first, then what else is in force.
    pub fn of(report: &Report) -> BudgetView {
        let session = report.limits.first();
        let action = session.map_or(&QuotaAction::Stop, |row| &row.on_exceed);
        let session = report.budget.map(|budget| LimitRow {
            name: "session".to_owned(),
            limit_micro_usd: budget.micros(),
            spent_micro_usd: report.total.cost.micros(),
            reserved_micro_usd: report.reserved.micros(),
            granted_micro_usd: session.map_or(0, |row| row.granted.micros()),
            on_exceed: word(action).to_owned(),
            detail: detail(action),
            tokens: None,
        });
        let others = report.limits.iter().skip(1).map(LimitRow::of);
        let grants = report.grants.iter().map(|grant| GrantRow {
            limit: grant.limit.to_string(),
            amount_micro_usd: grant.amount.micros(),
            by: grant.by.to_string(),
            at: rfc3339(i64::try_from(grant.at_ns).unwrap_or(i64::MAX)),
        });
        BudgetView { limits: session.into_iter().chain(others).collect(), grants: grants.collect() }
    }
}

fn word(action: &QuotaAction) -> &'static str {
    match action {
        QuotaAction::Stop => "stop",
        QuotaAction::Ask => "ask",
        QuotaAction::Alert(_) => "alert",
        QuotaAction::Degrade(_) => "degrade",
    }
}

fn detail(action: &QuotaAction) -> String {
    match action {
        QuotaAction::Stop | QuotaAction::Ask => String::new(),
        QuotaAction::Alert(detail) | QuotaAction::Degrade(detail) => detail.to_string(),
    }
}

impl LimitRow {
    fn of(row: &report::LimitRow) -> LimitRow {
        let micros = |money: MicroUsd| money.micros();
        LimitRow {
            name: row.name.clone(),
            limit_micro_usd: row.limit.map_or(0, micros),
            spent_micro_usd: row.spent.micros(),
            reserved_micro_usd: row.held.micros(),
            granted_micro_usd: row.granted.micros(),
            on_exceed: word(&row.on_exceed).to_owned(),
            detail: detail(&row.on_exceed),
            tokens: row.tokens.map(|(limit, reserved, spent)| TokenCounts {
                limit,
                spent,
                reserved,
            }),
        }
    }

    pub fn left_micro_usd(&self) -> i64 {
        self.limit_micro_usd - self.spent_micro_usd - self.reserved_micro_usd
    }
}

#[cfg(test)]
mod tests {
    use super::CostView;
    use ag_runtime::ledger::money::MicroUsd;
    use ag_runtime::ledger::record::CallFacts;
    use ag_runtime::ledger::report::{CallRow, Notice, Outcome, Report, total};

    fn call(number: u64, lane: &str, cost: i64, outcome: Outcome) -> CallRow {
        let facts = CallFacts { lane: lane.into(), cell: 3, ..CallFacts::default() };
        CallRow {
            number,
            at_ns: 0,
            facts,
            tokens_in: 17,
            tokens_out: 4,
            latency_ns: 5,
            reserved: MicroUsd(50),
            cost: MicroUsd(cost),
            outcome,
        }
    }

    #[test]
    fn a_report_becomes_rows_that_sum_to_it() {
        let calls = vec![
            call(1, "echo", 25, Outcome::Settled),
            call(2, "echo", 25, Outcome::Uncertain),
            call(3, "echo", 0, Outcome::Released),
            call(4, "anthropic", 100, Outcome::Settled),
        ];
        let budget = Some(MicroUsd(1_000_000));
        let report = Report { total: total(&calls), calls, budget, ..Report::default() };
        let view = CostView::of(&report, "this session", |_| true);
        let rows: Vec<_> = view.rows.iter().map(|row| (row.lane.as_str(), row.calls)).collect();
        assert_eq!(rows, [("echo", 2), ("anthropic", 1)]);
        assert_eq!(view.rows[0].uncertain_calls, 1);
        assert_eq!(view.total_micro_usd(), 150);
        assert_eq!(view.budget.limits[0].left_micro_usd(), 999_850);
        assert!(CostView::of(&report, "cell 9", |call| call.facts.cell == 9).rows.is_empty());
    }
    #[test]
    fn what_a_crash_left_belongs_to_the_session_and_to_no_cell() {
        let uncertain = |calls, cost| Notice::Uncertain { calls, cost: MicroUsd(cost) };
        let notices = vec![uncertain(2, 2_070), Notice::TornTail("h/ledger.9.torn".into())];
        let report = Report { notices, ..Report::default() };
        let view = CostView::of_session(&report);
        assert_eq!((view.crash.uncertain_calls, view.crash.cost_micro_usd), (2, 2_070));
        assert_eq!(view.crash.torn_tail, "h/ledger.9.torn");
        assert_eq!(view.total_micro_usd(), 0);
        assert_eq!(CostView::of(&report, "cell 3", |_| true).crash.uncertain_calls, 0);
    }
}
