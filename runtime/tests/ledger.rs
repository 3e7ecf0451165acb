//! The ledger from outside: limits hold whatever runs in parallel, and every cent is accounted for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, VirtualClock};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::error::LedgerError;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::{
    LimitContext, LimitKind, LimitNode, Quota, QuotaAction, Window, for_message,
};
use ag_runtime::ledger::record::{CallFacts, Settlement};
use ag_runtime::ledger::report::Outcome;
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

const HOUR_NS: u64 = 3_600_000_000_000;

fn open_at(folder: &Path, clock: &Arc<VirtualClock>, budget: i64) -> Arc<Ledger> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let ledger = Ledger::open(folder, clock, Durability::Process, Some(MicroUsd(budget)));
    assert_eq!(ledger.health(), None);
    ledger
}

struct Fixture {
    folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    ledger: Arc<Ledger>,
}

fn fixture(budget: i64) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::default());
    let ledger = open_at(folder.path(), &clock, budget);
    Fixture { folder, clock, ledger }
}

fn call(lane: &str, agent: &str, cell: u32) -> CallFacts {
    CallFacts {
        lane: lane.into(),
        model: "m".into(),
        agent: agent.into(),
        cell,
        made_up: lane == "echo",
        cached: false,
    }
}

fn paid(micros: i64) -> Settlement {
    Settlement { charged: MicroUsd(micros), tokens_in: 17, tokens_out: 4, latency_ns: 5 }
}

/// Reserves, dispatches and settles.
fn spend(ledger: &Arc<Ledger>, limits: &LimitContext, worst: i64, actual: i64) {
    let mut held = ledger.reserve(limits, MicroUsd(worst), call("echo", "", 1)).unwrap();
    held.dispatch().unwrap();
    held.settle(paid(actual)).unwrap();
}

fn refusal(error: LedgerError) -> String {
    match error {
        LedgerError::Exceeded(exceeded) => exceeded.limit_name,
        other => panic!("{other}"),
    }
}

#[test]
fn a_thousand_calls_at_once_never_overshoot_any_limit() {
    let f = fixture(1_000_000);
    let block = LimitNode::lexical(f.ledger.cell(1).into(), MicroUsd(7_300), QuotaAction::Stop);
    let limits: LimitContext = Some(Arc::clone(&block));
    let (granted, peak) = (AtomicU64::new(0), AtomicI64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (f, limits, granted, peak, block) = (&f, &limits, &granted, &peak, &block);
            scope.spawn(move || {
                for i in 0..125 {
                    let Ok(mut held) = f.ledger.reserve(limits, MicroUsd(100), call("echo", "", 1))
                    else {
                        continue;
                    };
                    peak.fetch_max(
                        block.reserved().micros() + block.settled().micros(),
                        Ordering::Relaxed,
                    );
                    match (thread + i) % 3 {
                        0 => drop(held),
                        1 => {
                            held.dispatch().unwrap();
                            held.settle(paid(40)).unwrap();
                            granted.fetch_add(40, Ordering::Relaxed);
                        }
                        _ => {
                            held.dispatch().unwrap();
                            drop(held);
                            granted.fetch_add(100, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    assert!(peak.load(Ordering::Relaxed) > 0);
    assert!(block.settled() <= MicroUsd(7_300));
    assert_eq!(block.settled().micros() as u64, granted.load(Ordering::Relaxed));
    assert_eq!(block.reserved(), MicroUsd::ZERO);
    assert_eq!(f.ledger.session().settled(), block.settled());
    assert_eq!(f.ledger.report().total.cost, block.settled());
}

#[test]
fn a_refused_call_holds_nothing_and_names_the_limit() {
    let f = fixture(1_000);
    let outer = LimitNode::lexical(f.ledger.cell(1).into(), MicroUsd(500), QuotaAction::Stop);
    let inner: LimitContext =
        Some(LimitNode::lexical(Some(Arc::clone(&outer)), MicroUsd(5_000), QuotaAction::Stop));
    let error = f.ledger.reserve(&inner, MicroUsd(501), call("echo", "", 1)).unwrap_err();
    assert_eq!(error.code(), "R0601");
    assert_eq!(
        error.to_string(),
        "@with_cost_limit($0.0005) cannot cover this call: it may cost up to $0.000501, the limit is $0.0005, $0.00 is spent; a smaller `max_tokens` makes it cheaper"
    );
    assert_eq!(outer.reserved(), MicroUsd::ZERO);
    // The outermost limit is the session's even where the chain does not name it.
    let bare = f.ledger.reserve(&None, MicroUsd(1_001), call("echo", "", 1)).unwrap_err();
    assert_eq!(refusal(bare), "the session's budget");
}

#[test]
fn money_spent_in_a_block_counts_in_every_limit_around_it() {
    let f = fixture(1_000_000);
    let cell = f.ledger.cell(3);
    let measure = LimitNode::counter(Some(Arc::clone(&cell)), LimitKind::Measure);
    let inner = LimitNode::lexical(Some(Arc::clone(&measure)), MicroUsd(100), QuotaAction::Stop);
    spend(&f.ledger, &Some(Arc::clone(&inner)), 90, 25);
    spend(&f.ledger, &Some(Arc::clone(&cell)), 90, 10);
    assert_eq!(inner.settled(), MicroUsd(25));
    assert_eq!(measure.settled(), MicroUsd(25));
    assert_eq!(measure.calls().len(), 1);
    assert_eq!(cell.settled(), MicroUsd(35));
    assert_eq!(f.ledger.session().settled(), MicroUsd(35));
    assert_eq!(f.ledger.report().remaining(), Some(MicroUsd(999_965)));
}

#[test]
fn an_agents_quota_is_shared_and_survives_a_restart() {
    let f = fixture(1_000_000);
    let quota =
        Quota { daily: Some(MicroUsd(100)), hourly: Some(MicroUsd(60)), ..Quota::default() };
    let agent: Arc<str> = "Trader".into();
    let message = |ledger: &Arc<Ledger>| -> LimitContext {
        Some(for_message(Some(ledger.cell(1)), &agent, "trade", &quota, None))
    };
    spend(&f.ledger, &message(&f.ledger), 50, 50);
    let again = f.ledger.reserve(&message(&f.ledger), MicroUsd(11), call("echo", "Trader", 1));
    assert_eq!(refusal(again.unwrap_err()), "the hourly quota of Trader");

    let Fixture { folder, clock, ledger } = f;
    drop(ledger);
    clock.advance(HOUR_NS);
    let ledger = open_at(folder.path(), &clock, 1_000_000);
    assert_eq!(ledger.agent_spent("Trader", Window::Hour), MicroUsd(0));
    assert_eq!(ledger.agent_spent("Trader", Window::Day), MicroUsd(50));
    spend(&ledger, &message(&ledger), 45, 45);
    clock.advance(HOUR_NS);
    let again = ledger.reserve(&message(&ledger), MicroUsd(6), call("echo", "Trader", 1));
    assert_eq!(refusal(again.unwrap_err()), "the daily quota of Trader");
    assert_eq!(ledger.report().calls.len(), 1, "rows are the session's, quotas the journal's");
}

#[test]
fn an_agent_that_asks_itself_is_charged_once() {
    let f = fixture(1_000_000);
    let quota = Quota { total: Some(MicroUsd(100)), ..Quota::default() };
    let agent: Arc<str> = "A".into();
    let outer = for_message(Some(f.ledger.cell(1)), &agent, "a", &quota, None);
    let inner = for_message(Some(outer), &agent, "b", &quota, None);
    spend(&f.ledger, &Some(inner), 60, 60);
    assert_eq!(f.ledger.agent_spent("A", Window::Total), MicroUsd(60));
}

#[test]
fn a_warning_limit_lets_the_call_go_on_and_is_recorded() {
    let f = fixture(1_000_000);
    let alert = QuotaAction::Alert("quota_exceeded".into());
    let limits: LimitContext =
        Some(LimitNode::lexical(f.ledger.cell(1).into(), MicroUsd(10), alert));
    let held = f.ledger.reserve(&limits, MicroUsd(11), call("echo", "", 1)).unwrap();
    assert_eq!(&*held.alerts()[0].text, "quota_exceeded");
    drop(held);
    assert_eq!(f.ledger.report().alerts.len(), 1);
}

#[test]
fn the_strictest_of_the_limits_that_refuse_decides() {
    let f = fixture(5);
    let degrade = QuotaAction::Degrade("echo".into());
    let inner = LimitNode::lexical(f.ledger.cell(1).into(), MicroUsd(1), degrade);
    let limits: LimitContext = Some(inner);
    let error = f.ledger.reserve(&limits, MicroUsd(6), call("echo", "", 1)).unwrap_err();
    assert_eq!(refusal(error), "the session's budget");
    let LedgerError::Exceeded(e) =
        f.ledger.reserve(&limits, MicroUsd(5), call("echo", "", 1)).unwrap_err()
    else {
        panic!("not a limit")
    };
    assert_eq!(e.on_exceed, QuotaAction::Degrade("echo".into()));
}

#[test]
fn a_provider_that_bills_more_is_charged_in_full() {
    let f = fixture(1_000);
    let mut held = f.ledger.reserve(&None, MicroUsd(10), call("x", "", 1)).unwrap();
    held.dispatch().unwrap();
    let row = held.settle(paid(2_000)).unwrap();
    assert!(row.is_overcharged());
    assert_eq!(f.ledger.session().settled(), MicroUsd(2_000));
    assert_eq!(f.ledger.report().remaining(), Some(MicroUsd::ZERO));
    let next = f.ledger.reserve(&None, MicroUsd(1), call("x", "", 1)).unwrap_err();
    assert_eq!(next.code(), "R0601");
}

#[test]
fn a_person_may_grant_more() {
    let f = fixture(10);
    assert!(f.ledger.reserve(&None, MicroUsd(15), call("x", "", 1)).is_err());
    f.ledger.grant(&Arc::clone(f.ledger.session()), MicroUsd(5), "ana").unwrap();
    assert!(f.ledger.reserve(&None, MicroUsd(15), call("x", "", 1)).is_ok());
    f.ledger.set_budget(None);
    assert!(f.ledger.reserve(&None, MicroUsd(i64::MAX), call("x", "", 1)).is_ok());
}

#[test]
fn sums_too_large_for_money_are_refused_not_wrapped() {
    let f = fixture(i64::MAX);
    let held = f.ledger.reserve(&None, MicroUsd(i64::MAX), call("x", "", 1)).unwrap();
    let second = f.ledger.reserve(&None, MicroUsd(1), call("x", "", 1)).unwrap_err();
    assert_eq!(second.code(), "R0601");
    drop(held);
    assert!(f.ledger.reserve(&None, MicroUsd(1), call("x", "", 1)).is_ok());
}

#[test]
fn reports_group_by_lane_agent_and_cell() {
    let f = fixture(1_000_000);
    for (lane, agent, cell, cost) in
        [("echo", "A", 1, 10), ("echo", "B", 1, 20), ("paid", "A", 2, 30)]
    {
        let mut held = f.ledger.reserve(&None, MicroUsd(cost), call(lane, agent, cell)).unwrap();
        held.dispatch().unwrap();
        held.settle(paid(cost)).unwrap();
    }
    let report = f.ledger.report();
    let sums = |totals: &[ag_runtime::ledger::report::Total]| -> Vec<(String, i64, u64)> {
        totals.iter().map(|t| (t.key.to_string(), t.cost.micros(), t.made_up)).collect()
    };
    assert_eq!(sums(&report.by_lane), [("echo".into(), 30, 2), ("paid".into(), 30, 0)]);
    assert_eq!(sums(&report.by_agent), [("A".into(), 40, 1), ("B".into(), 20, 1)]);
    assert_eq!(sums(&report.by_cell), [("1".into(), 30, 2), ("2".into(), 30, 0)]);
    assert_eq!((report.total.calls, report.total.tokens_in), (3, 51));
    assert!(report.calls.iter().all(|row| row.outcome == Outcome::Settled));
}

/// What may happen to one call.
#[derive(Clone, Debug)]
enum Fate {
    NeverLeft,
    Lost,
    Paid(i64),
}

fn fates() -> impl Strategy<Value = Vec<(i64, Fate)>> {
    let fate = prop::sample::select(vec![0u8, 1, 2]);
    prop::collection::vec((1i64..500, fate, any::<u16>()), 0..30).prop_map(|calls| {
        let fated = |(worst, fate, share): (i64, u8, u16)| {
            let actual = worst * i64::from(share) / i64::from(u16::MAX);
            (worst, [Fate::NeverLeft, Fate::Lost, Fate::Paid(actual)][fate as usize].clone())
        };
        calls.into_iter().map(fated).collect()
    })
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn the_books_balance_and_no_limit_is_passed(calls in fates(), limit in 100i64..3_000) {
        let f = fixture(1_000_000);
        let quota = Quota { total: Some(MicroUsd(limit)), ..Quota::default() };
        let agent: Arc<str> = "A".into();
        let limits: LimitContext =
            Some(for_message(Some(f.ledger.cell(1)), &agent, "b", &quota, None));
        let mut expected = 0;
        for (worst, fate) in calls {
            let fits = expected + worst <= limit;
            let held = f.ledger.reserve(&limits, MicroUsd(worst), call("echo", "A", 1));
            prop_assert_eq!(held.is_ok(), fits);
            let Ok(mut held) = held else { continue };
            match fate {
                Fate::NeverLeft => {}
                Fate::Lost => { held.dispatch().unwrap(); expected += worst; }
                Fate::Paid(actual) => {
                    held.dispatch().unwrap();
                    held.settle(paid(actual)).unwrap();
                    expected += actual;
                }
            }
        }
        prop_assert_eq!(f.ledger.agent_spent("A", Window::Total), MicroUsd(expected));
        prop_assert_eq!(f.ledger.session().settled(), MicroUsd(expected));
        prop_assert!(expected <= limit);
        // A second reader of the same journal comes to the same sum.
        let second = open_at(f.folder.path(), &f.clock, 1);
        prop_assert_eq!(second.agent_spent("A", Window::Total), MicroUsd(expected));
    }
}
