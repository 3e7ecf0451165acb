//! Limits under any order of reservations, settlements, grants and cut-off calls (L-94, L-95): what stops is never passed,
//! and the journal adds up, also for the process that opens it next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, VirtualClock};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::error::LedgerError;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::{
    LimitKind, LimitNode, Need, Quota, QuotaAction, Window, for_message,
};
use ag_runtime::ledger::record::{CallFacts, Settlement};
use ag_runtime::ledger::reservation::Reservation;
use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use std::path::Path;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Step {
    Reserve(i64, u64),
    /// Which of those held, and what part of it in percent.
    Settle(usize, i64),
    Drop(usize),
    Grant(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..400i64, 1..50u64).prop_map(|(money, tokens)| Step::Reserve(money, tokens)),
        3 => (0..8usize, 0..=100i64).prop_map(|(at, part)| Step::Settle(at, part)),
        1 => (0..8usize).prop_map(Step::Drop),
        1 => (1..300i64).prop_map(Step::Grant),
    ]
}

fn open(folder: &Path, clock: &Arc<VirtualClock>) -> Arc<Ledger> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    Ledger::open(folder, clock, Durability::Process, Some(MicroUsd(5_000)))
}

fn facts() -> CallFacts {
    CallFacts { lane: "echo".into(), agent: "Trader".into(), cell: 1, ..CallFacts::default() }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn what_stops_is_never_passed_and_the_journal_adds_up(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(VirtualClock::default());
        let ledger = open(folder.path(), &clock);
        let agent: Arc<str> = "Trader".into();
        let quota = Quota { daily: Some(MicroUsd(1_000)), on_exceed: QuotaAction::Ask, ..Quota::default() };
        let message = for_message(Some(ledger.cell(1)), &agent, "think", &quota, None);
        let quota_node = message.parent().clone().unwrap();
        let is_daily = matches!(quota_node.kind(), LimitKind::AgentQuota(_, Window::Day));
        prop_assert!(is_daily);
        let stop = LimitNode::lexical(Some(message), MicroUsd(2_000), QuotaAction::Stop);
        let tokens = LimitNode::tokens(Some(Arc::clone(&stop)), 400);
        let limits = Some(Arc::clone(&tokens));
        let mut held: Vec<Reservation> = Vec::new();
        let (mut charged, mut granted) = (0, 0);
        for step in steps {
            match step {
                Step::Reserve(money, count) => {
                    let need = Need { money: MicroUsd(money), tokens: count };
                    match ledger.reserve(&limits, need, facts()) {
                        Ok(mut reservation) => {
                            reservation.dispatch().unwrap();
                            held.push(reservation);
                        }
                        Err(LedgerError::Exceeded(_) | LedgerError::Tokens(_)) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                Step::Settle(at, part) if at < held.len() => {
                    let reservation = held.swap_remove(at);
                    let cost = MicroUsd(reservation.amount().micros() * part / 100);
                    charged += cost.micros();
                    let settlement = Settlement { charged: cost, tokens_in: 1, ..Settlement::default() };
                    reservation.settle(settlement).unwrap();
                }
                Step::Drop(at) if at < held.len() => {
                    // It had left, so it is charged in full.
                    let reservation = held.swap_remove(at);
                    charged += reservation.amount().micros();
                }
                Step::Grant(more) => {
                    granted += more;
                    ledger.grant(&quota_node, MicroUsd(more), "ana").unwrap();
                }
                Step::Settle(..) | Step::Drop(..) => {}
            }
            prop_assert!(stop.settled().micros() + stop.reserved().micros() <= 2_000);
            let (most, reserved, used) = tokens.token_counts().unwrap();
            prop_assert!(used + reserved <= most);
            let in_quota = ledger.agent_spent("Trader", Window::Day).micros() + stop.reserved().micros();
            prop_assert!(in_quota <= 1_000 + granted);
            prop_assert_eq!(stop.settled(), MicroUsd(charged));
            prop_assert_eq!(ledger.report().total.cost, MicroUsd(charged));
        }
        charged += held.iter().map(|held| held.amount().micros()).sum::<i64>();
        drop(held);
        drop((stop, tokens, limits));
        drop(ledger);
        let again = open(folder.path(), &clock);
        prop_assert_eq!(again.agent_spent("Trader", Window::Day), MicroUsd(charged));
        // The grants hold for the next process: exactly what they leave can be reserved, and no more.
        let left = 1_000 + granted - charged;
        let message = for_message(Some(again.cell(1)), &agent, "think", &quota, None);
        let limits = Some(message);
        if left > 0 && left <= 5_000 {
            prop_assert!(again.reserve(&limits, MicroUsd(left + 1), facts()).is_err());
            prop_assert!(again.reserve(&limits, MicroUsd(left), facts()).is_ok() );
        }
    }
}
