//! What follows from the journal: open reservations, what each agent has been charged, this session's rows.
//!
//! The same `apply` serves recovery, the records of other processes and our own, so what is in memory is always what a
//! replay would give. Never: files; counters of limit nodes (they belong to this process only, see `reservation`).

use crate::ledger::error::{Exceeded, LedgerError, TokensExceeded};
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{
    AgentSpend, LimitContext, LimitKind, LimitNode, Need, QuotaAction, Window, nodes,
};
use crate::ledger::record::{CallFacts, Entry, Record, Settlement};
use crate::ledger::report::{Alert, CallRow, Grant, LimitRow, Notice, Outcome};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A reservation that is not over.
#[derive(Clone, Debug)]
pub struct Open {
    pub run: u64,
    pub amount: MicroUsd,
    pub call: CallFacts,
    pub quotas: Vec<Arc<str>>,
    pub is_dispatched: bool,
}

#[derive(Debug, Default)]
pub struct State {
    open: FxHashMap<u64, Open>,
    agents: FxHashMap<Arc<str>, AgentSpend>,
    rows: Vec<CallRow>,
    alerts: Vec<Alert>,
    grants: Vec<Grant>,
    /// Quotas that calls of this session met, as they were stated last.
    quotas: Vec<QuotaSeen>,
    notices: Vec<Notice>,
    /// Rows are kept for this run only; `None` while the journal of earlier runs is read.
    session_run: Option<u64>,
}

impl State {
    pub fn apply_all(&mut self, entries: &[Entry]) {
        entries.iter().for_each(|entry| self.apply(entry));
    }

    pub fn apply(&mut self, entry: &Entry) {
        match &entry.record {
            Record::Format { .. } | Record::Open { .. } => {}
            Record::Grant { limit, amount, by, quota } => {
                if let Some((agent, window)) = quota {
                    let spend = self.agents.entry(Arc::clone(agent)).or_default();
                    spend.grant(*window, entry.at_ns, *amount);
                }
                self.grants.push(Grant {
                    at_ns: entry.at_ns,
                    limit: Arc::clone(limit),
                    amount: *amount,
                    by: Arc::clone(by),
                });
            }
            Record::Reserve { run, amount, call, quotas } => {
                for agent in quotas {
                    self.agents.entry(Arc::clone(agent)).or_default().hold(*amount);
                }
                let open = Open {
                    run: *run,
                    amount: *amount,
                    call: call.clone(),
                    quotas: quotas.clone(),
                    is_dispatched: false,
                };
                self.open.insert(entry.number, open);
            }
            Record::Dispatch { reservation } => {
                if let Some(open) = self.open.get_mut(reservation) {
                    open.is_dispatched = true;
                }
            }
            Record::Settle { reservation, settlement, uncertain } => {
                let outcome = if *uncertain { Outcome::Uncertain } else { Outcome::Settled };
                self.close(*reservation, entry.at_ns, *settlement, outcome);
            }
            Record::Release { reservation } => {
                self.close(*reservation, entry.at_ns, Settlement::default(), Outcome::Released);
            }
            Record::Alert { limit, text, estimate } => self.alerts.push(Alert {
                at_ns: entry.at_ns,
                limit: Arc::clone(limit),
                text: Arc::clone(text),
                estimate: *estimate,
            }),
        }
    }

    fn close(&mut self, number: u64, at_ns: u64, settlement: Settlement, outcome: Outcome) {
        let Some(open) = self.open.remove(&number) else { return };
        for agent in &open.quotas {
            let spend = self.agents.entry(Arc::clone(agent)).or_default();
            spend.let_go(open.amount);
            if outcome != Outcome::Released {
                spend.charge(at_ns, settlement.charged);
            }
        }
        if self.session_run == Some(open.run) && outcome != Outcome::Released {
            self.rows.push(row(number, at_ns, &open, settlement, outcome));
        }
    }

    /// Earlier runs are read; from here on rows and alerts are this session's.
    pub fn begin_session(&mut self, run: u64) {
        self.session_run = Some(run);
        self.rows.clear();
        self.alerts.clear();
        self.grants.clear();
    }

    pub fn note(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    pub fn open_reservations(&self) -> impl Iterator<Item = (u64, &Open)> {
        self.open.iter().map(|(number, open)| (*number, open))
    }

    pub fn agent_settled(&mut self, agent: &str, window: Window, now_ns: u64) -> MicroUsd {
        self.agents.get_mut(agent).map_or(MicroUsd::ZERO, |spend| spend.settled(window, now_ns))
    }

    pub fn rows(&self) -> &[CallRow] {
        &self.rows
    }

    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether every limit can cover `amount`. The strictest refusal wins; limits that only warn give alerts.
    pub fn check(
        &mut self,
        chain: &[Arc<LimitNode>],
        need: Need,
        now_ns: u64,
    ) -> Result<Vec<Alert>, LedgerError> {
        if let Some(exceeded) = chain.iter().find_map(|node| tokens_exceeded(node, need.tokens)) {
            return Err(LedgerError::Tokens(Box::new(exceeded)));
        }
        let amount = need.money;
        let mut refused: Option<Exceeded> = None;
        let mut alerts = Vec::new();
        for (at, node) in chain.iter().enumerate() {
            let Some(exceeded) = self.exceeded((at, node), amount, now_ns) else { continue };
            if let QuotaAction::Alert(text) = &exceeded.on_exceed {
                alerts.push(Alert {
                    at_ns: now_ns,
                    limit: exceeded.limit_name.as_str().into(),
                    text: Arc::clone(text),
                    estimate: amount,
                });
            } else if refused.as_ref().is_none_or(|r| strictness(&exceeded) > strictness(r)) {
                refused = Some(exceeded);
            }
        }
        match refused {
            Some(exceeded) => Err(LedgerError::Exceeded(Box::new(exceeded))),
            None => Ok(alerts),
        }
    }

    fn exceeded(
        &mut self,
        (at, node): (usize, &Arc<LimitNode>),
        amount: MicroUsd,
        now_ns: u64,
    ) -> Option<Exceeded> {
        let mut limit = node.limit()?;
        let (settled, reserved) = match node.kind() {
            LimitKind::AgentQuota(agent, window) => {
                self.see(agent, *window, limit, node);
                let spend = self.agents.entry(Arc::clone(agent)).or_default();
                let granted = spend.granted(*window, now_ns);
                limit = limit.checked_add(granted).unwrap_or(MicroUsd::MAX);
                (spend.settled(*window, now_ns), spend.reserved())
            }
            _ => (node.settled(), node.reserved()),
        };
        let wanted = settled.checked_add(reserved).and_then(|used| used.checked_add(amount));
        if wanted.is_some_and(|wanted| wanted <= limit) {
            return None;
        }
        let (on_exceed, limit_name) = (node.on_exceed(), node.name());
        let (estimate, refused) = (amount, None);
        Some(Exceeded { limit_name, limit, settled, reserved, estimate, on_exceed, at, refused })
    }

    /// Keeps what a quota says, for panels.
    fn see(&mut self, agent: &Arc<str>, window: Window, limit: MicroUsd, node: &LimitNode) {
        let known = self.quotas.iter_mut().find(|q| q.agent == *agent && q.window == window);
        match known {
            Some(seen) => (seen.limit, seen.on_exceed) = (limit, node.on_exceed()),
            None => self.quotas.push(QuotaSeen {
                agent: Arc::clone(agent),
                window,
                name: node.name(),
                limit,
                on_exceed: node.on_exceed(),
            }),
        }
    }

    /// The quotas that were met, as they are now.
    pub fn quota_rows(&mut self, now_ns: u64) -> Vec<LimitRow> {
        let Self { quotas, agents, .. } = self;
        let rows = quotas.iter().map(|quota| {
            let spend = agents.entry(Arc::clone(&quota.agent)).or_default();
            let granted = spend.granted(quota.window, now_ns);
            LimitRow {
                name: quota.name.clone(),
                limit: quota.limit.checked_add(granted),
                granted,
                spent: spend.settled(quota.window, now_ns),
                held: spend.reserved(),
                on_exceed: quota.on_exceed.clone(),
                tokens: None,
            }
        });
        rows.collect()
    }
}

#[derive(Debug)]
struct QuotaSeen {
    agent: Arc<str>,
    window: Window,
    name: String,
    limit: MicroUsd,
    on_exceed: QuotaAction,
}

fn tokens_exceeded(node: &LimitNode, estimate: u64) -> Option<TokensExceeded> {
    let (limit, reserved, settled) = node.token_counts()?;
    let wanted = settled.saturating_add(reserved).saturating_add(estimate);
    let limit_name = node.name();
    (wanted > limit).then_some(TokensExceeded { limit_name, limit, settled, reserved, estimate })
}

fn strictness(exceeded: &Exceeded) -> u8 {
    match exceeded.on_exceed {
        QuotaAction::Stop => 3,
        QuotaAction::Ask => 2,
        QuotaAction::Degrade(_) => 1,
        QuotaAction::Alert(_) => 0,
    }
}

fn row(number: u64, at_ns: u64, open: &Open, settlement: Settlement, outcome: Outcome) -> CallRow {
    CallRow {
        number,
        at_ns,
        facts: open.call.clone(),
        tokens_in: settlement.tokens_in,
        tokens_out: settlement.tokens_out,
        latency_ns: settlement.latency_ns,
        reserved: open.amount,
        cost: settlement.charged,
        outcome,
    }
}

/// The nodes of a chain, innermost first; the session's comes last even if the chain forgot it.
pub fn with_session(limits: &LimitContext, session: &Arc<LimitNode>) -> Vec<Arc<LimitNode>> {
    let mut chain: Vec<Arc<LimitNode>> = nodes(limits).cloned().collect();
    if !chain.iter().any(|node| Arc::ptr_eq(node, session)) {
        chain.push(Arc::clone(session));
    }
    chain
}

/// The agents whose quotas a call counts for, each once.
pub fn quota_agents(chain: &[Arc<LimitNode>]) -> Vec<Arc<str>> {
    let mut agents: Vec<Arc<str>> = Vec::new();
    for node in chain {
        if let LimitKind::AgentQuota(agent, _) = node.kind()
            && !agents.contains(agent)
        {
            agents.push(Arc::clone(agent));
        }
    }
    agents
}
