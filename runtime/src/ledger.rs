//! The ledger: money is reserved in every limit in force before a call leaves, and settled after.
//!
//! Protocol: `reserve` (held and journaled) -> `Reservation::dispatch` (on disk: from here it may be billed) ->
//! `Reservation::settle`. A reservation dropped before its dispatch is released, one dropped after it is charged in full.
//! Check and reservation are one step under one lock, across processes too, so no number of callers overshoots a limit.
//! Never: lanes, prices, floating point.

pub mod error;
pub mod flush;
pub mod journal;
pub mod money;
pub mod quota;
pub mod record;
pub mod report;
pub mod reservation;
mod runs;
mod state;

use crate::clock::Clock;
use crate::ledger::error::LedgerError;
use crate::ledger::flush::{Durability, Flusher};
use crate::ledger::journal::{Journal, broken};
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitContext, LimitKind, LimitNode, Need, QuotaAction, Window};
use crate::ledger::record::{CallFacts, Record};
use crate::ledger::report::{LimitRow, Notice, Report, total, totals_by};
use crate::ledger::reservation::Reservation;
use crate::ledger::runs::RunLock;
use crate::ledger::state::State;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

/// What a session may spend unless it says otherwise (L-96).
pub const DEFAULT_BUDGET: MicroUsd = MicroUsd(1_000_000);

/// The money of one process on one home.
#[derive(Debug)]
pub struct Ledger {
    clock: Arc<dyn Clock>,
    session: Arc<LimitNode>,
    folder: PathBuf,
    durability: Durability,
    // Opened at the first use: a program that spends nothing leaves no trace in its home. A failure is not kept: once
    // there is room again, or the file is mended, the next use goes on.
    inner: OnceLock<Inner>,
    opening: Mutex<()>,
    // Limits of blocks and decisions that calls met, for panels; dead ones go when others come.
    seen: Mutex<Vec<Weak<LimitNode>>>,
    // One question about money at a time: what one person grants may be enough for the next call.
    asking: tokio::sync::Mutex<()>,
}

/// What exists if the journal could be opened.
#[derive(Debug)]
struct Inner {
    book: Mutex<Book>,
    flusher: Flusher,
    run: u64,
    // Held for the life of the process: others tell by it that our reservations are alive.
    _alive: RunLock,
}

/// The journal and what follows from it.
#[derive(Debug)]
struct Book {
    journal: Journal,
    state: State,
}

impl Ledger {
    /// The journal will be in `folder`; its first use opens it and settles what a crash left open (L-95). A journal that
    /// cannot be used does not stop a session: [`Ledger::health`] tells why, and every reservation is refused.
    #[must_use]
    pub fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        durability: Durability,
        budget: Option<MicroUsd>,
    ) -> Arc<Self> {
        let session = LimitNode::new(None, LimitKind::Session, budget, QuotaAction::Stop);
        let folder = folder.to_owned();
        Arc::new(Self {
            clock,
            session,
            folder,
            durability,
            inner: OnceLock::new(),
            opening: Mutex::new(()),
            seen: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Why nothing can be spent, if so.
    #[must_use]
    pub fn health(&self) -> Option<LedgerError> {
        self.opened().err()
    }

    /// The outermost limit.
    #[must_use]
    pub fn session(&self) -> &Arc<LimitNode> {
        &self.session
    }

    /// The chain a cell begins with: it counts what the cell is charged.
    #[must_use]
    pub fn cell(&self, number: u32) -> Arc<LimitNode> {
        LimitNode::counter(Some(Arc::clone(&self.session)), LimitKind::Cell(number))
    }

    /// `:budget $x`.
    pub fn set_budget(&self, budget: Option<MicroUsd>) {
        self.session.set_limit(budget);
    }

    /// What happens to calls that the budget cannot cover.
    pub fn set_budget_action(&self, on_exceed: QuotaAction) {
        self.session.set_on_exceed(on_exceed);
    }

    /// A person raises a limit; who did is kept in the journal, on disk when this returns. A quota's grant outlives the
    /// process: it counts as long as what is spent of it does.
    pub fn grant(&self, node: &LimitNode, more: MicroUsd, by: &str) -> Result<(), LedgerError> {
        if node.limit().is_none() || more <= MicroUsd::ZERO {
            return Ok(());
        }
        let quota = match node.kind() {
            LimitKind::AgentQuota(agent, window) => Some((Arc::clone(agent), *window)),
            _ => None,
        };
        let is_quota = quota.is_some();
        let record =
            Record::Grant { limit: node.name().into(), amount: more, by: by.into(), quota };
        let inner = self.opened()?;
        let mark = inner.write(self.clock.now_ns(), record)?;
        inner.flusher.wait(mark)?;
        // What is granted to a quota the journal adds up, for all processes.
        if !is_quota {
            node.raise(more);
        }
        Ok(())
    }

    /// The limit that refused a call with these limits.
    #[must_use]
    pub fn limit_at(&self, limits: &LimitContext, at: usize) -> Option<Arc<LimitNode>> {
        state::with_session(limits, &self.session).into_iter().nth(at)
    }

    /// Whoever wants to ask a person about money waits here.
    pub async fn one_question(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.asking.lock().await
    }

    /// Holds `worst_case` in every limit of the chain, the session's included, or in none.
    pub fn reserve(
        self: &Arc<Self>,
        limits: &LimitContext,
        worst_case: impl Into<Need>,
        call: CallFacts,
    ) -> Result<Reservation, LedgerError> {
        let need = worst_case.into();
        let amount = need.money.max(MicroUsd::ZERO);
        let need = Need { money: amount, ..need };
        let inner = self.opened()?;
        let now_ns = self.clock.now_ns();
        let chain = state::with_session(limits, &self.session);
        let mut book = inner.book.lock();
        let Book { journal, state } = &mut *book;
        let (mut file, news) = journal.lock(now_ns)?;
        state.apply_all(&news);
        let alerts = state.check(&chain, need, now_ns)?;
        for alert in &alerts {
            let record = Record::Alert {
                limit: Arc::clone(&alert.limit),
                text: Arc::clone(&alert.text),
                estimate: amount,
            };
            state.apply(&file.append(now_ns, record)?);
        }
        let quotas = state::quota_agents(&chain);
        let entry = file.append(
            now_ns,
            Record::Reserve { run: inner.run, amount, call: call.clone(), quotas },
        )?;
        state.apply(&entry);
        chain.iter().for_each(|node| node.hold(need));
        inner.flusher.appended();
        drop(file);
        drop(book);
        self.remember(&chain);
        Ok(Reservation::new(Arc::clone(self), entry.number, need, chain, call, alerts))
    }

    /// What an agent's quota holds and has been charged, for panels and for the agent itself.
    #[must_use]
    pub fn agent_spent(&self, agent: &str, window: Window) -> MicroUsd {
        let now_ns = self.clock.now_ns();
        match self.opened() {
            Ok(inner) => inner.book.lock().state.agent_settled(agent, window, now_ns),
            Err(_) => MicroUsd::ZERO,
        }
    }

    /// Rows and sums of this session.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut report = Report {
            budget: self.session.limit(),
            reserved: self.session.reserved(),
            ..Report::default()
        };
        let mut quotas = Vec::new();
        if let Ok(inner) = self.opened() {
            let mut book = inner.book.lock();
            quotas = book.state.quota_rows(self.clock.now_ns());
            report.calls = book.state.rows().to_vec();
            report.alerts = book.state.alerts().to_vec();
            report.grants = book.state.grants().to_vec();
            report.notices = book.state.notices().to_vec();
        }
        report.limits = self.limit_rows(quotas);
        report.total = total(&report.calls);
        report.by_lane = totals_by(&report.calls, |row| Arc::clone(&row.facts.lane));
        report.by_agent = totals_by(&report.calls, |row| Arc::clone(&row.facts.agent));
        report.by_cell = totals_by(&report.calls, |row| row.facts.cell.to_string().into());
        report
    }

    /// The limits in force: the session's, quotas, those of blocks and decisions under way.
    fn limit_rows(&self, quotas: Vec<LimitRow>) -> Vec<LimitRow> {
        let row = |node: &LimitNode| LimitRow {
            name: node.name(),
            limit: node.limit(),
            granted: node.granted(),
            spent: node.settled(),
            held: node.reserved(),
            on_exceed: node.on_exceed(),
            tokens: node.token_counts(),
        };
        let seen = self.seen.lock();
        let under_way = seen.iter().filter_map(Weak::upgrade).map(|node| row(&node));
        std::iter::once(row(&self.session)).chain(quotas).chain(under_way).collect()
    }

    fn remember(&self, chain: &[Arc<LimitNode>]) {
        let limits = |node: &&Arc<LimitNode>| match node.kind() {
            LimitKind::Lexical | LimitKind::Tokens => true,
            LimitKind::Decision(_) | LimitKind::Select(_) => node.limit().is_some(),
            _ => false,
        };
        let new = |node: &&Arc<LimitNode>| !node.mark_seen();
        let mut new = chain.iter().filter(limits).filter(new).peekable();
        if new.peek().is_some() {
            let mut seen = self.seen.lock();
            seen.retain(|node| node.strong_count() > 0);
            seen.extend(new.map(Arc::downgrade));
        }
    }

    /// Returns when everything recorded so far is on disk.
    pub fn flush(&self) -> Result<(), LedgerError> {
        match self.inner.get() {
            Some(inner) => inner.flusher.wait_all(),
            None => Ok(()),
        }
    }

    fn opened(&self) -> Result<&Inner, LedgerError> {
        if let Some(inner) = self.inner.get() {
            return Ok(inner);
        }
        let _one_at_a_time = self.opening.lock();
        if let Some(inner) = self.inner.get() {
            return Ok(inner);
        }
        let inner = Inner::open(&self.folder, self.clock.as_ref(), self.durability)?;
        Ok(self.inner.get_or_init(|| inner))
    }
}

impl Inner {
    fn open(folder: &Path, clock: &dyn Clock, durability: Durability) -> Result<Self, LedgerError> {
        std::fs::create_dir_all(folder).map_err(|e| broken(folder, &e))?;
        let path = folder.join("ledger.jsonl");
        let mut journal = Journal::open(&path)?;
        let flusher = Flusher::new(journal.flush_handle()?, path, durability);
        let now_ns = clock.now_ns();
        let mut state = State::default();
        let (mut file, entries) = journal.lock(now_ns)?;
        state.apply_all(&entries);
        let (calls, cost) = runs::recover(folder, &mut file, &mut state, now_ns)?;
        let run = file.next_number();
        let alive = RunLock::take(folder, run)?;
        state.apply(&file.append(now_ns, Record::Open { pid: std::process::id() })?);
        drop(file);
        if calls > 0 {
            state.note(Notice::Uncertain { calls, cost });
        }
        if let Some(torn) = journal.torn() {
            state.note(Notice::TornTail(torn.to_owned()));
        }
        state.begin_session(run);
        flusher.appended();
        flusher.wait_all()?;
        Ok(Self { book: Mutex::new(Book { journal, state }), flusher, run, _alive: alive })
    }

    /// Appends one record and makes the state follow.
    fn write(&self, now_ns: u64, record: Record) -> Result<flush::Mark, LedgerError> {
        self.write_with(now_ns, record, || {})
    }

    /// The same, and changes the counters of limits within the same lock, whether the journal can be written or not.
    fn write_with(
        &self,
        now_ns: u64,
        record: Record,
        count: impl FnOnce(),
    ) -> Result<flush::Mark, LedgerError> {
        let mut book = self.book.lock();
        count();
        let Book { journal, state } = &mut *book;
        let (mut file, news) = journal.lock(now_ns)?;
        state.apply_all(&news);
        state.apply(&file.append(now_ns, record)?);
        Ok(self.flusher.appended())
    }
}
