//! One call's money, from the moment it is held until it is settled or given back.
//!
//! Never leaks: whatever way a call ends, dropping the reservation closes it by the rule of L-95.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitNode, Need};
use crate::ledger::record::{CallFacts, Record, Settlement};
use crate::ledger::report::{Alert, CallRow, Outcome};
use std::sync::Arc;

/// Money held in every limit in force.
#[derive(Debug)]
pub struct Reservation {
    ledger: Arc<Ledger>,
    number: u64,
    need: Need,
    chain: Vec<Arc<LimitNode>>,
    call: CallFacts,
    alerts: Vec<Alert>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Held,
    Dispatched,
    Closed,
}

impl Reservation {
    pub(in crate::ledger) fn new(
        ledger: Arc<Ledger>,
        number: u64,
        need: Need,
        chain: Vec<Arc<LimitNode>>,
        call: CallFacts,
        alerts: Vec<Alert>,
    ) -> Self {
        Self { ledger, number, need, chain, call, alerts, stage: Stage::Held }
    }

    /// Its number in the journal; the same in every run that reads it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    #[must_use]
    pub fn amount(&self) -> MicroUsd {
        self.need.money
    }

    /// Limits that only warn and were passed.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// Marks that the call is about to leave. When this returns, reservation and mark are on disk: a crash from here on
    /// charges the call in full. If it fails the call must not be made.
    pub fn dispatch(&mut self) -> Result<(), LedgerError> {
        let inner = self.ledger.opened()?;
        let now_ns = self.ledger.clock.now_ns();
        let mark = inner.write(now_ns, Record::Dispatch { reservation: self.number })?;
        self.stage = Stage::Dispatched;
        inner.flusher.wait(mark)
    }

    /// Charges what the call cost, also if that is more than was held. The record is in the file when this returns and
    /// on disk with the next flush: losing it to a power failure leaves the mark, which charges no less.
    pub fn settle(mut self, settlement: Settlement) -> Result<CallRow, LedgerError> {
        self.close(settlement, Outcome::Settled)
    }

    fn close(&mut self, settlement: Settlement, outcome: Outcome) -> Result<CallRow, LedgerError> {
        self.stage = Stage::Closed;
        let now_ns = self.ledger.clock.now_ns();
        let row = CallRow {
            number: self.number,
            at_ns: now_ns,
            facts: self.call.clone(),
            tokens_in: settlement.tokens_in,
            tokens_out: settlement.tokens_out,
            latency_ns: settlement.latency_ns,
            reserved: self.need.money,
            cost: settlement.charged,
            outcome,
        };
        let reservation = self.number;
        let record = match outcome {
            Outcome::Released => Record::Release { reservation },
            _ => {
                Record::Settle { reservation, settlement, uncertain: outcome == Outcome::Uncertain }
            }
        };
        // Nobody knows what an uncertain call used: it is charged all that was held.
        let tokens = match outcome {
            Outcome::Uncertain => self.need.tokens,
            _ => settlement.tokens_in.saturating_add(settlement.tokens_out),
        };
        let count = || {
            for node in &self.chain {
                // Charge before letting go: who reads in between sees too much spent, never too little.
                if outcome != Outcome::Released {
                    node.charge(&row, tokens);
                }
                node.let_go(self.need);
            }
        };
        self.ledger.opened()?.write_with(now_ns, record, count)?;
        Ok(row)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // An error means the journal is gone; what it holds already is the truth the next run recovers from.
        match self.stage {
            Stage::Closed => {}
            Stage::Held => drop(self.close(Settlement::default(), Outcome::Released)),
            Stage::Dispatched => {
                let settlement = Settlement { charged: self.need.money, ..Settlement::default() };
                drop(self.close(settlement, Outcome::Uncertain));
            }
        }
    }
}
