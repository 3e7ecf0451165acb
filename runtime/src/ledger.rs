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
use crate::ledger::quota::{LimitContext, LimitKind, LimitNode, QuotaAction, Window};
use crate::ledger::record::{CallFacts, Record};
use crate::ledger::report::{Notice, Report, total, totals_by};
use crate::ledger::reservation::Reservation;
use crate::ledger::runs::RunLock;
use crate::ledger::state::State;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

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
        let (inner, opening) = (OnceLock::new(), Mutex::new(()));
        Arc::new(Self { clock, session, folder, durability, inner, opening })
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

    /// A person raises a limit; who did is kept in the journal.
    pub fn grant(&self, node: &LimitNode, more: MicroUsd, by: &str) -> Result<(), LedgerError> {
        let Some(limit) = node.limit() else { return Ok(()) };
        let record = Record::Grant { limit: node.name().into(), amount: more, by: by.into() };
        self.opened()?.write(self.clock.now_ns(), record)?;
        node.set_limit(Some(limit.checked_add(more).unwrap_or(MicroUsd::MAX)));
        Ok(())
    }

    /// Holds `worst_case` in every limit of the chain, the session's included, or in none.
    pub fn reserve(
        self: &Arc<Self>,
        limits: &LimitContext,
        worst_case: MicroUsd,
        call: CallFacts,
    ) -> Result<Reservation, LedgerError> {
        let inner = self.opened()?;
        let now_ns = self.clock.now_ns();
        let amount = worst_case.max(MicroUsd::ZERO);
        let chain = state::with_session(limits, &self.session);
        let mut book = inner.book.lock();
        let Book { journal, state } = &mut *book;
        let (mut file, news) = journal.lock(now_ns)?;
        state.apply_all(&news);
        let alerts = state.check(&chain, amount, now_ns)?;
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
        chain.iter().for_each(|node| node.hold(amount));
        inner.flusher.appended();
        drop(file);
        drop(book);
        Ok(Reservation::new(Arc::clone(self), entry.number, amount, chain, call, alerts))
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
        if let Ok(inner) = self.opened() {
            let book = inner.book.lock();
            report.calls = book.state.rows().to_vec();
            report.alerts = book.state.alerts().to_vec();
            report.notices = book.state.notices().to_vec();
        }
        report.total = total(&report.calls);
        report.by_lane = totals_by(&report.calls, |row| Arc::clone(&row.facts.lane));
        report.by_agent = totals_by(&report.calls, |row| Arc::clone(&row.facts.agent));
        report.by_cell = totals_by(&report.calls, |row| row.facts.cell.to_string().into());
        report
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
