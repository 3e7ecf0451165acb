//! Limits in force: a persistent chain from the innermost limit to the session, and what a quota has seen.
//!
//! The chain is shared, never copied: entering a limited block or sending a request adds a node or a pointer. Never:
//! deciding or changing amounts outside the ledger's lock; the counters here are only written there.

use crate::ledger::money::MicroUsd;
use crate::ledger::report::CallRow;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The limits in force somewhere in a program, innermost first; `None` means the session's alone.
pub type LimitContext = Option<Arc<LimitNode>>;

/// What happens at a limit that cannot cover a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaAction {
    Stop,
    Ask,
    Alert(Arc<str>),
    Degrade(Arc<str>),
}

/// The stretch of time a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    Hour,
    Day,
    Total,
}

/// What a limit belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitKind {
    Session,
    /// One submitted text; counts, limits nothing.
    Cell(u32),
    /// Shared by all instances of the agent; its sums are kept by the ledger across restarts.
    AgentQuota(Arc<str>, Window),
    /// One message of an agent, named `Agent.behavior`.
    Decision(Arc<str>),
    /// `@with_cost_limit` and its like.
    Lexical,
    /// `@measure_cost`: counts, limits nothing.
    Measure,
    /// `@with_token_limit`: limits tokens, counts money.
    Tokens,
    /// `@auto_lane_select`: says which lanes may be chosen, and limits their cost if it has a budget.
    Select(Arc<Select>),
}

/// What `@auto_lane_select` asks of lanes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    pub latency_budget_ns: Option<u64>,
    pub prefer: Vec<Arc<str>>,
}

/// What a call may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    pub money: MicroUsd,
    pub tokens: u64,
}

impl From<MicroUsd> for Need {
    fn from(money: MicroUsd) -> Self {
        Self { money, tokens: 0 }
    }
}

/// Tokens of a limit: like money, counted by the ledger alone.
#[derive(Debug)]
struct Tokens {
    limit: u64,
    reserved: AtomicI64,
    settled: AtomicI64,
}

/// One limit. Immutable but for the counters, which only the ledger writes, under its lock.
#[derive(Debug)]
pub struct LimitNode {
    kind: LimitKind,
    // Changed for the session's node only, by `:budget`.
    on_exceed: Mutex<QuotaAction>,
    parent: LimitContext,
    /// As the program states it; grants come on top.
    stated: Option<MicroUsd>,
    // Micro-dollars; `NO_LIMIT` if there is none. Writers: `Ledger::{grant, set_budget}`.
    limit: AtomicI64,
    // Part of the limit: what persons granted. Writers: as above.
    granted: AtomicI64,
    tokens: Option<Tokens>,
    // Set once a panel may show it.
    is_seen: AtomicBool,
    // Writers: the ledger, under its lock. Readers anywhere, who need no order between the two.
    reserved: AtomicI64,
    settled: AtomicI64,
    calls: Mutex<Vec<CallRow>>,
}

const NO_LIMIT: i64 = -1;

impl LimitNode {
    /// A limit inside `parent`.
    #[must_use]
    pub fn new(
        parent: LimitContext,
        kind: LimitKind,
        limit: Option<MicroUsd>,
        on_exceed: QuotaAction,
    ) -> Arc<Self> {
        Self::build(parent, kind, limit, on_exceed, None)
    }

    /// `@with_token_limit(most)`.
    #[must_use]
    pub fn tokens(parent: LimitContext, most: u64) -> Arc<Self> {
        let tokens =
            Tokens { limit: most, reserved: AtomicI64::new(0), settled: AtomicI64::new(0) };
        Self::build(parent, LimitKind::Tokens, None, QuotaAction::Stop, Some(tokens))
    }

    fn build(
        parent: LimitContext,
        kind: LimitKind,
        stated: Option<MicroUsd>,
        on_exceed: QuotaAction,
        tokens: Option<Tokens>,
    ) -> Arc<Self> {
        Arc::new(Self {
            kind,
            on_exceed: Mutex::new(on_exceed),
            parent,
            stated: stated.map(|money| money.max(MicroUsd::ZERO)),
            limit: AtomicI64::new(encode(stated)),
            granted: AtomicI64::new(0),
            tokens,
            is_seen: AtomicBool::new(false),
            reserved: AtomicI64::new(0),
            settled: AtomicI64::new(0),
            calls: Mutex::new(Vec::new()),
        })
    }

    /// `@with_cost_limit(limit, on_exceed)`.
    #[must_use]
    pub fn lexical(parent: LimitContext, limit: MicroUsd, on_exceed: QuotaAction) -> Arc<Self> {
        Self::new(parent, LimitKind::Lexical, Some(limit), on_exceed)
    }

    /// `@auto_lane_select(..)`: its cost budget stops.
    #[must_use]
    pub fn select(parent: LimitContext, select: Select, budget: Option<MicroUsd>) -> Arc<Self> {
        Self::new(parent, LimitKind::Select(Arc::new(select)), budget, QuotaAction::Stop)
    }

    /// A node that only counts.
    #[must_use]
    pub fn counter(parent: LimitContext, kind: LimitKind) -> Arc<Self> {
        Self::new(parent, kind, None, QuotaAction::Stop)
    }

    #[must_use]
    pub fn kind(&self) -> &LimitKind {
        &self.kind
    }

    #[must_use]
    pub fn on_exceed(&self) -> QuotaAction {
        self.on_exceed.lock().clone()
    }

    #[must_use]
    pub fn parent(&self) -> &LimitContext {
        &self.parent
    }

    #[must_use]
    pub fn limit(&self) -> Option<MicroUsd> {
        let micros = self.limit.load(Ordering::Relaxed);
        (micros != NO_LIMIT).then_some(MicroUsd(micros))
    }

    /// The most tokens, those held, and those used, if it limits them.
    #[must_use]
    pub fn token_counts(&self) -> Option<(u64, u64, u64)> {
        let tokens = self.tokens.as_ref()?;
        let count = |of: &AtomicI64| u64::try_from(of.load(Ordering::Relaxed)).unwrap_or(0);
        Some((tokens.limit, count(&tokens.reserved), count(&tokens.settled)))
    }

    /// Held by calls that are not over.
    #[must_use]
    pub fn reserved(&self) -> MicroUsd {
        MicroUsd(self.reserved.load(Ordering::Relaxed))
    }

    /// Charged so far through this node.
    #[must_use]
    pub fn settled(&self) -> MicroUsd {
        MicroUsd(self.settled.load(Ordering::Relaxed))
    }

    /// The finished calls, for a measurement.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRow> {
        self.calls.lock().clone()
    }

    /// What a person reads when this limit says no.
    #[must_use]
    pub fn name(&self) -> String {
        self.to_string()
    }

    pub(in crate::ledger) fn set_limit(&self, limit: Option<MicroUsd>) {
        self.limit.store(encode(limit), Ordering::Relaxed);
        self.granted.store(0, Ordering::Relaxed);
    }

    pub(in crate::ledger) fn set_on_exceed(&self, action: QuotaAction) {
        *self.on_exceed.lock() = action;
    }

    /// Whether it was marked before.
    pub(in crate::ledger) fn mark_seen(&self) -> bool {
        self.is_seen.swap(true, Ordering::Relaxed)
    }

    /// What persons granted on top of what the program states.
    pub(in crate::ledger) fn granted(&self) -> MicroUsd {
        MicroUsd(self.granted.load(Ordering::Relaxed))
    }

    /// A grant of a person.
    pub(in crate::ledger) fn raise(&self, more: MicroUsd) {
        let raised = |limit: i64| (limit != NO_LIMIT).then(|| limit.saturating_add(more.micros()));
        let before = self.limit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raised);
        if before.is_ok() {
            self.granted.fetch_add(more.micros(), Ordering::Relaxed);
        }
    }

    pub(in crate::ledger) fn hold(&self, need: Need) {
        self.reserved.fetch_add(need.money.micros(), Ordering::Relaxed);
        if let Some(tokens) = &self.tokens {
            tokens.reserved.fetch_add(need.tokens.cast_signed(), Ordering::Relaxed);
        }
    }

    pub(in crate::ledger) fn let_go(&self, need: Need) {
        self.reserved.fetch_sub(need.money.micros(), Ordering::Relaxed);
        if let Some(tokens) = &self.tokens {
            tokens.reserved.fetch_sub(need.tokens.cast_signed(), Ordering::Relaxed);
        }
    }

    pub(in crate::ledger) fn charge(&self, row: &CallRow, tokens_used: u64) {
        self.settled.fetch_add(row.cost.micros(), Ordering::Relaxed);
        if let Some(tokens) = &self.tokens {
            tokens.settled.fetch_add(tokens_used.cast_signed(), Ordering::Relaxed);
        }
        if self.kind == LimitKind::Measure {
            self.calls.lock().push(row.clone());
        }
    }
}

/// A limit below zero means the same as zero: nothing may be spent.
fn encode(limit: Option<MicroUsd>) -> i64 {
    limit.map_or(NO_LIMIT, |money| money.micros().max(0))
}

impl fmt::Display for LimitNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            LimitKind::Session => f.write_str("the session's budget"),
            LimitKind::Cell(number) => write!(f, "cell {number}"),
            LimitKind::AgentQuota(agent, window) => write!(f, "the {window} quota of {agent}"),
            LimitKind::Decision(name) => write!(f, "max_cost_per_decision of {name}"),
            LimitKind::Lexical => match self.stated {
                Some(limit) => write!(f, "@with_cost_limit({limit})"),
                None => f.write_str("@with_cost_limit"),
            },
            LimitKind::Measure => f.write_str("@measure_cost"),
            LimitKind::Select(_) => match self.stated {
                Some(budget) => write!(f, "@auto_lane_select(cost_budget: {budget})"),
                None => f.write_str("@auto_lane_select"),
            },
            LimitKind::Tokens => {
                write!(f, "@with_token_limit({})", self.tokens.as_ref().map_or(0, |t| t.limit))
            }
        }
    }
}

impl Window {
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Total];

    /// As the journal writes it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.to_string() == name)
    }
}

impl fmt::Display for QuotaAction {
    /// As a program writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => f.write_str("stop"),
            Self::Ask => f.write_str("ask"),
            Self::Alert(text) => write!(f, "alert({text:?})"),
            Self::Degrade(lane) => write!(f, "degrade({lane})"),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Total => "total",
        })
    }
}

/// The nodes of a chain, innermost first.
pub fn nodes(chain: &LimitContext) -> impl Iterator<Item = &Arc<LimitNode>> {
    std::iter::successors(chain.as_ref(), |node| node.parent.as_ref())
}

/// The quota of one agent, as its `cost_policy` states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub hourly: Option<MicroUsd>,
    pub daily: Option<MicroUsd>,
    pub total: Option<MicroUsd>,
    pub on_exceed: QuotaAction,
}

impl Default for Quota {
    fn default() -> Self {
        Self { hourly: None, daily: None, total: None, on_exceed: QuotaAction::Stop }
    }
}

/// Adds the limits of one message of an agent to those it came with: its quota, then the decision.
#[must_use]
pub fn for_message(
    parent: LimitContext,
    agent: &Arc<str>,
    behavior: &str,
    quota: &Quota,
    max_cost: Option<MicroUsd>,
) -> Arc<LimitNode> {
    let windows =
        [(Window::Total, quota.total), (Window::Day, quota.daily), (Window::Hour, quota.hourly)];
    let mut chain = parent;
    for (window, limit) in windows {
        if limit.is_some() {
            let kind = LimitKind::AgentQuota(Arc::clone(agent), window);
            chain = Some(LimitNode::new(chain, kind, limit, quota.on_exceed.clone()));
        }
    }
    let name = LimitKind::Decision(format!("{agent}.{behavior}").into());
    LimitNode::new(chain, name, max_cost, QuotaAction::Stop)
}

/// What one agent has been charged, by window. Rebuilt from the journal when it is opened.
#[derive(Debug)]
pub struct AgentSpend {
    reserved: i64,
    total: i64,
    hour: Sliding,
    day: Sliding,
    granted: Granted,
}

/// What persons granted on top of the quotas; a grant ages as what is spent of it does.
#[derive(Debug)]
struct Granted {
    total: i64,
    hour: Sliding,
    day: Sliding,
}

const HOUR_NS: u64 = 3_600_000_000_000;

impl Default for Granted {
    fn default() -> Self {
        Self { total: 0, hour: Sliding::new(HOUR_NS), day: Sliding::new(24 * HOUR_NS) }
    }
}

impl Default for AgentSpend {
    fn default() -> Self {
        Self {
            reserved: 0,
            total: 0,
            hour: Sliding::new(HOUR_NS),
            day: Sliding::new(24 * HOUR_NS),
            granted: Granted::default(),
        }
    }
}

impl AgentSpend {
    pub(in crate::ledger) fn hold(&mut self, amount: MicroUsd) {
        self.reserved = self.reserved.saturating_add(amount.micros());
    }

    pub(in crate::ledger) fn let_go(&mut self, amount: MicroUsd) {
        self.reserved = self.reserved.saturating_sub(amount.micros());
    }

    pub(in crate::ledger) fn charge(&mut self, at_ns: u64, amount: MicroUsd) {
        self.total = self.total.saturating_add(amount.micros());
        self.hour.add(at_ns, amount.micros());
        self.day.add(at_ns, amount.micros());
    }

    pub(in crate::ledger) fn grant(&mut self, window: Window, at_ns: u64, amount: MicroUsd) {
        match window {
            Window::Hour => self.granted.hour.add(at_ns, amount.micros()),
            Window::Day => self.granted.day.add(at_ns, amount.micros()),
            Window::Total => {
                self.granted.total = self.granted.total.saturating_add(amount.micros());
            }
        }
    }

    /// Granted on top of the quota of a window that ends now.
    pub fn granted(&mut self, window: Window, now_ns: u64) -> MicroUsd {
        MicroUsd(match window {
            Window::Hour => self.granted.hour.sum(now_ns),
            Window::Day => self.granted.day.sum(now_ns),
            Window::Total => self.granted.total,
        })
    }

    /// Charged in the window that ends now.
    pub fn settled(&mut self, window: Window, now_ns: u64) -> MicroUsd {
        MicroUsd(match window {
            Window::Hour => self.hour.sum(now_ns),
            Window::Day => self.day.sum(now_ns),
            Window::Total => self.total,
        })
    }

    /// Held by calls that are not over; counts in every window.
    #[must_use]
    pub fn reserved(&self) -> MicroUsd {
        MicroUsd(self.reserved)
    }
}

/// A sum over the last `span_ns`.
#[derive(Debug)]
struct Sliding {
    span_ns: u64,
    entries: VecDeque<(u64, i64)>,
    sum: i64,
}

impl Sliding {
    fn new(span_ns: u64) -> Self {
        Self { span_ns, entries: VecDeque::new(), sum: 0 }
    }

    fn add(&mut self, at_ns: u64, amount: i64) {
        self.entries.push_back((at_ns, amount));
        self.sum = self.sum.saturating_add(amount);
    }

    fn sum(&mut self, now_ns: u64) -> i64 {
        let span_ns = self.span_ns;
        let is_old = |at_ns: u64| now_ns.saturating_sub(at_ns) >= span_ns;
        while let Some((_, amount)) = self.entries.pop_front_if(|(at_ns, _)| is_old(*at_ns)) {
            self.sum = self.sum.saturating_sub(amount);
        }
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::{AgentSpend, LimitKind, LimitNode, Quota, QuotaAction, Window, for_message, nodes};
    use crate::ledger::money::MicroUsd;
    use std::sync::Arc;

    #[test]
    fn a_window_forgets_what_is_older() {
        let mut spend = AgentSpend::default();
        let minute = 60_000_000_000;
        spend.charge(0, MicroUsd(5));
        spend.charge(59 * minute, MicroUsd(7));
        assert_eq!(spend.settled(Window::Hour, 59 * minute), MicroUsd(12));
        assert_eq!(spend.settled(Window::Hour, 60 * minute), MicroUsd(7));
        assert_eq!(spend.settled(Window::Day, 60 * minute), MicroUsd(12));
        assert_eq!(spend.settled(Window::Day, 25 * 60 * minute), MicroUsd(0));
        assert_eq!(spend.settled(Window::Total, u64::MAX), MicroUsd(12));
    }

    #[test]
    fn a_message_adds_its_quotas_and_its_decision() {
        let root = LimitNode::counter(None, LimitKind::Session);
        let quota = Quota { daily: Some(MicroUsd(100)), ..Quota::default() };
        let agent: Arc<str> = "TradingAgent".into();
        let node = for_message(Some(root), &agent, "trade", &quota, Some(MicroUsd(7)));
        let names: Vec<String> = nodes(&Some(node)).map(|n| n.name()).collect();
        assert_eq!(
            names,
            [
                "max_cost_per_decision of TradingAgent.trade",
                "the daily quota of TradingAgent",
                "the session's budget"
            ]
        );
    }

    #[test]
    fn a_negative_limit_covers_nothing() {
        let node = LimitNode::lexical(None, MicroUsd(-5), QuotaAction::Stop);
        assert_eq!(node.limit(), Some(MicroUsd(0)));
    }
}
