//! The money journal after a crash: cut anywhere, damaged, newer, shared by processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, VirtualClock};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::{LimitContext, Quota, Window, for_message};
use ag_runtime::ledger::record::{CallFacts, Settlement};
use ag_runtime::ledger::report::Notice;
use std::path::Path;
use std::sync::Arc;

fn open(folder: &Path) -> Arc<Ledger> {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::default());
    let ledger = Ledger::open(folder, clock, Durability::Process, Some(MicroUsd(1_000_000)));
    let _ = ledger.health();
    ledger
}

#[test]
fn a_ledger_nobody_uses_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::default());
    let ledger = Ledger::open(folder.path(), clock, Durability::Disk, None);
    let _cell = ledger.cell(1);
    ledger.flush().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn limits(ledger: &Ledger) -> LimitContext {
    let quota = Quota { total: Some(MicroUsd(1_000_000)), ..Quota::default() };
    let agent: Arc<str> = "A".into();
    Some(for_message(Some(ledger.cell(1)), &agent, "b", &quota, None))
}

fn facts() -> CallFacts {
    CallFacts { lane: "echo".into(), agent: "A".into(), ..CallFacts::default() }
}

fn paid(micros: i64) -> Settlement {
    Settlement { charged: MicroUsd(micros), ..Settlement::default() }
}

fn spent(ledger: &Ledger) -> i64 {
    ledger.agent_spent("A", Window::Total).micros()
}

/// The text of a journal as a killed process leaves it, and after each line what must have been charged at recovery.
fn crashed_journal(folder: &Path) -> (Vec<u8>, Vec<(usize, i64)>) {
    let file = folder.join("ledger.jsonl");
    let len = || std::fs::metadata(&file).unwrap().len() as usize;
    let ledger = open(folder);
    let mut steps = vec![(0, 0), (len(), 0)];
    let mut settled = 0;
    for (worst, actual) in [(100, 25), (200, 200), (300, 0)] {
        let mut held = ledger.reserve(&limits(&ledger), MicroUsd(worst), facts()).unwrap();
        steps.push((len(), settled));
        held.dispatch().unwrap();
        steps.push((len(), settled + worst));
        held.settle(paid(actual)).unwrap();
        settled += actual;
        steps.push((len(), settled));
    }
    let mut lost = ledger.reserve(&limits(&ledger), MicroUsd(7), facts()).unwrap();
    steps.push((len(), settled));
    lost.dispatch().unwrap();
    steps.push((len(), settled + 7));
    let never_left = ledger.reserve(&limits(&ledger), MicroUsd(9), facts()).unwrap();
    steps.push((len(), settled + 7));
    let bytes = std::fs::read(&file).unwrap();
    drop((lost, never_left));
    (bytes, steps)
}

#[test]
fn a_journal_cut_at_any_byte_keeps_every_record_before_the_cut() {
    let origin = tempfile::tempdir().unwrap();
    let (bytes, steps) = crashed_journal(origin.path());
    let target = tempfile::tempdir().unwrap();
    for cut in 0..=bytes.len() {
        let folder = target.path().join(cut.to_string());
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("ledger.jsonl"), &bytes[..cut]).unwrap();
        let ledger = open(&folder);
        assert_eq!(ledger.health(), None, "cut at {cut}");
        // A line that lacks only its newline is whole.
        let (whole, expected) = *steps.iter().rev().find(|(len, _)| *len <= cut + 1).unwrap();
        assert_eq!(spent(&ledger), expected, "cut at {cut}");
        let torn = ledger.report().notices.iter().find_map(|notice| match notice {
            Notice::TornTail(path) => Some(std::fs::read(path).unwrap()),
            Notice::Uncertain { .. } => None,
        });
        let tail = bytes.get(whole..cut).unwrap_or_default();
        // The first step covers two lines, the header and the run.
        if whole > 0 {
            assert_eq!(torn.unwrap_or_default(), tail, "cut at {cut}: the torn tail is kept aside");
        }
        // It can be used again, and what it says then holds after one more reopening.
        let mut held = ledger.reserve(&limits(&ledger), MicroUsd(1), facts()).unwrap();
        held.dispatch().unwrap();
        held.settle(paid(1)).unwrap();
        drop(ledger);
        assert_eq!(spent(&open(&folder)), expected + 1, "cut at {cut}");
    }
}

#[test]
fn a_lost_call_is_charged_in_full_once_and_shown_as_uncertain() {
    let origin = tempfile::tempdir().unwrap();
    let (bytes, steps) = crashed_journal(origin.path());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ledger.jsonl"), &bytes).unwrap();
    let expected = steps.last().unwrap().1;
    let first = open(folder.path());
    assert_eq!(spent(&first), expected);
    assert_eq!(first.report().notices, [Notice::Uncertain { calls: 1, cost: MicroUsd(7) }]);
    drop(first);
    let second = open(folder.path());
    assert_eq!(spent(&second), expected);
    assert_eq!(second.report().notices, []);
}

#[test]
fn damage_in_the_middle_refuses_to_spend_and_changes_nothing() {
    let origin = tempfile::tempdir().unwrap();
    let (mut bytes, steps) = crashed_journal(origin.path());
    bytes[steps[3].0 - 20] ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.jsonl");
    std::fs::write(&file, &bytes).unwrap();
    let ledger = open(folder.path());
    assert_eq!(ledger.health().unwrap().code(), "R1002");
    let refused = ledger.reserve(&None, MicroUsd(1), facts()).unwrap_err();
    assert_eq!(refused.code(), "R1002");
    assert!(refused.to_string().contains("damaged at line"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_line_taken_out_of_the_middle_is_damage_too() {
    let origin = tempfile::tempdir().unwrap();
    let (bytes, steps) = crashed_journal(origin.path());
    let mut without = bytes[..steps[2].0].to_vec();
    without.extend_from_slice(&bytes[steps[3].0..]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ledger.jsonl"), &without).unwrap();
    assert_eq!(open(folder.path()).health().unwrap().code(), "R1002");
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"{"n":0,"at_ns":1,"op":"format","version":2}"#;
    let line = format!("{:08x} {body}\n", crc32fast::hash(body.as_bytes()));
    std::fs::write(folder.path().join("ledger.jsonl"), &line).unwrap();
    let ledger = open(folder.path());
    assert_eq!(ledger.health().unwrap().code(), "R1003");
    assert_eq!(std::fs::read_to_string(folder.path().join("ledger.jsonl")).unwrap(), line);
}

#[test]
fn a_home_that_cannot_be_written_is_an_error_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain");
    std::fs::write(&file, "").unwrap();
    let ledger = open(&file.join("below"));
    assert_eq!(ledger.health().unwrap().code(), "R1006");
    assert_eq!(ledger.report().calls, []);
}

#[test]
fn two_ledgers_on_one_home_share_a_quota_and_leave_each_others_calls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (open(folder.path()), open(folder.path()));
    let quota = Quota { total: Some(MicroUsd(100)), ..Quota::default() };
    let agent: Arc<str> = "A".into();
    let chain = |ledger: &Arc<Ledger>| -> LimitContext {
        Some(for_message(Some(ledger.cell(1)), &agent, "b", &quota, None))
    };
    let mut held = a.reserve(&chain(&a), MicroUsd(60), facts()).unwrap();
    held.dispatch().unwrap();
    let refused = b.reserve(&chain(&b), MicroUsd(41), facts()).unwrap_err();
    assert_eq!(refused.code(), "R0601");
    // A third one that opens now must not take the first one's call for a dead one's.
    let c = open(folder.path());
    assert_eq!(c.report().notices, []);
    held.settle(paid(10)).unwrap();
    let other = b.reserve(&chain(&b), MicroUsd(90), facts()).unwrap();
    drop(other);
    assert!(c.reserve(&chain(&c), MicroUsd(91), facts()).is_err());
}
