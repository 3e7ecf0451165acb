//! `kill -9` at random points of a program that spends and remembers: what it had acknowledged is there afterwards.
//!
//! The program is `ag` itself; this process stands outside, keeps what was acknowledged, and reads the files. Never:
//! measures speed (the time of a restart is printed, and bounded only against hanging).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "crash/acknowledged.rs"]
mod acknowledged;
#[path = "crash/books.rs"]
mod books;
#[path = "crash/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ag_runtime::clock::{Clock, SystemClock};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::Window;
use ag_runtime::ledger::record::Record;
use ag_runtime::rng::Seed;
use serde_json::{Value, json};

use crate::acknowledged::Acknowledged;
use crate::books::{Call, Fate, Journal, episodes};
use crate::process::{Victim, ag_run, finish, program};

const SEED: u64 = 2;
const KILLS: u64 = 200;
/// Kills for each unit of `AG_TEST_SCALE`, once they are more. The home grows, so that many kills take longer each.
const KILLS_TO_SCALE: u64 = 50;
/// A restart takes a fraction of a second; this bounds one that hangs on a busy machine.
const RESTART_HANGS: Duration = Duration::from_secs(20);

fn scale() -> u64 {
    std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

#[test]
fn what_a_killed_process_acknowledged_is_there_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let restart = restart_notebook(folder.path());
    let mut random = Seed(SEED).rng();
    let mut acknowledged = Acknowledged::default();
    let mut uncertain = 0;
    for kill in 0..KILLS.max(KILLS_TO_SCALE * scale()) {
        // None: while it starts, recovers or makes its first calls.
        let lines = random.below(8);
        let longer_us = random.below(if lines == 0 { 300_000 } else { 15_000 });
        let command = ag_run(&home, &program("spend_and_remember.ag"));
        let victim = Victim::start(command, folder.path());
        let pid = victim.pid();
        let said = victim.kill_after(lines, Duration::from_micros(longer_us));
        let before = Journal::of(&home);
        if !said.is_empty() {
            let run = before.run_of(pid).expect("who acknowledged a cost had opened the journal");
            said.iter().for_each(|line| acknowledged.hear(run, line));
        }
        let (found, took_ms) = run_again(&home, &restart);
        println!(
            "seed {SEED}, kill {kill}: after {lines} lines and {longer_us} us, {} acknowledged; restart {took_ms} ms",
            said.len()
        );
        uncertain += check_recovery(&before, &Journal::of(&home), &found);
        acknowledged.check_costs(&Journal::of(&home));
        acknowledged.check_episodes(&episodes(&home));
    }
    let costs = acknowledged.costs();
    println!(
        "{costs} costs and {} episodes acknowledged, {uncertain} calls uncertain",
        acknowledged.episodes.len()
    );
    assert!(costs as u64 >= KILLS, "the kills came too early to say anything: {costs}");
    assert!(uncertain > 0, "no kill hit a call under way");
    check_quota(&home);
}

/// A notebook, because a file takes no `:cost`: recalls, then shows the cost.
fn restart_notebook(folder: &Path) -> PathBuf {
    let recall = std::fs::read_to_string(program("restart.ag")).unwrap();
    let cell = |text: &str| json!({ "cell_type": "code", "source": text });
    let notebook = json!({ "cells": [cell(&recall), cell(":cost")] });
    let file = folder.join("restart.ipynb");
    std::fs::write(&file, notebook.to_string()).unwrap();
    file
}

/// A trivial program on the same home. Gives what its cost view says about the crash, and its time in ms.
fn run_again(home: &Path, notebook: &Path) -> (Value, u128) {
    let mut command = ag_run(home, notebook);
    command.arg("--json");
    let (output, took) = finish(command);
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "restart: {text}{errors}");
    assert!(errors.is_empty(), "restart: {errors}");
    assert!(took < RESTART_HANGS, "restart took {took:?}");
    assert!(
        !home.join("mem.agdb-wal").exists(),
        "a program that ends leaves its store in one file"
    );
    let shown: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let cost = shown.iter().find(|output| output["output"] == "cost").expect("the cost view");
    (cost["data"]["crash"].clone(), took.as_millis())
}

/// The journal was only added to; what lay open was closed by the rule of L-95; and the person was told. Gives how many
/// calls were uncertain.
fn check_recovery(before: &Journal, after: &Journal, told: &Value) -> u64 {
    assert!(after.whole.starts_with(&before.whole), "recovery changed what was written");
    assert_eq!(after.calls, before.recovered());
    let lost = |call: &&Call| call.fate == Fate::Dispatched;
    let lost: Vec<i64> = before.calls.values().filter(lost).map(|call| call.held).collect();
    assert_eq!(told["uncertain_calls"], lost.len() as u64);
    assert_eq!(told["cost_micro_usd"], lost.iter().sum::<i64>());
    assert_eq!(told["torn_tail"], "");
    lost.len() as u64
}

/// What the agents' quota counts, after all those restarts, is what the journal says.
fn check_quota(home: &Path) {
    let journal = Journal::of(home);
    let cost = |call: &Call| match call.fate {
        Fate::Settled { cost, .. } if call.agent == "Worker" => cost,
        _ => 0,
    };
    let of_agents: i64 = journal.calls.values().map(cost).sum();
    let ledger = open(home, Arc::new(SystemClock::new()));
    assert_eq!(ledger.agent_spent("Worker", Window::Day), MicroUsd(of_agents));
}

fn open(home: &Path, clock: Arc<dyn Clock>) -> Arc<Ledger> {
    let ledger = Ledger::open(home, clock, Durability::Process, None);
    assert_eq!(ledger.health(), None);
    ledger
}

/// A journal that `ag` wrote until it was killed, cut at every byte.
#[test]
fn a_real_journal_cut_at_any_byte_keeps_every_record_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let victim = Victim::start(ag_run(&home, &program("spend_and_remember.ag")), folder.path());
    victim.kill_after(2, Duration::from_millis(3));
    let bytes = std::fs::read(home.join("ledger.jsonl")).unwrap();
    assert!(Journal::read(&bytes).charged() > 0, "nothing was settled");
    let target = folder.path().join("cut");
    for cut in 0..=bytes.len() {
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("ledger.jsonl"), &bytes[..cut]).unwrap();
        drop(open(&target, Arc::new(SystemClock::new())));
        // A line that lacks only its newline is whole.
        let is_whole = bytes.get(cut) == Some(&b'\n');
        let kept = Journal::read(&bytes[..cut + usize::from(is_whole)]);
        let after = Journal::of(&target);
        assert!(after.whole.starts_with(&kept.whole), "cut at {cut}: a record is gone");
        assert_eq!(after.calls, kept.recovered(), "cut at {cut}");
        std::fs::remove_dir_all(&target).unwrap();
    }
}

/// Micro-dollars, as in `spend_the_quota.ag`.
const QUOTA: i64 = 55_000;

#[test]
fn three_processes_share_the_quota_of_an_agent() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    for spender in together(&home, folder.path()) {
        let (code, errors) = spender.end();
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains("R0601"), "{errors}");
    }
    let journal = Journal::of(&home);
    let (mut held, mut settled, mut worst) = (0, 0, 0);
    for entry in &journal.entries {
        match &entry.record {
            Record::Reserve { amount, .. } => {
                held += amount.micros();
                worst = amount.micros();
            }
            Record::Release { reservation } => held -= journal.calls[reservation].held,
            Record::Settle { reservation, settlement, .. } => {
                held -= journal.calls[reservation].held;
                settled += settlement.charged.micros();
            }
            _ => {}
        }
        assert!(held + settled <= QUOTA, "record {}: {held} held, {settled} spent", entry.number);
    }
    assert_eq!(held, 0, "every call ended");
    assert!(journal.calls.len() >= 3_000, "too few calls to say anything: {}", journal.calls.len());
    assert!(settled + worst > QUOTA, "the last one was refused with room left: {settled}");
    check_overlap(&journal);
}

/// How many processes spend.
const SPENDERS: usize = 3;

/// Starts the processes, and lets them go on when each has been charged for its first call.
fn together(home: &Path, scratch: &Path) -> Vec<Victim> {
    let mut spenders: Vec<Victim> = (0..SPENDERS)
        .map(|at| {
            let scratch = scratch.join(at.to_string());
            std::fs::create_dir(&scratch).unwrap();
            let mut command = ag_run(home, &program("spend_the_quota.ag"));
            command.stdin(Stdio::piped());
            Victim::start(command, &scratch)
        })
        .collect();
    spenders.iter().for_each(|spender| assert_eq!(spender.line(), "spent once\n"));
    spenders.iter_mut().for_each(|spender| spender.tell("go\n"));
    spenders
}

/// Every process was charged for a thousand calls, and for its first before any of them had its second.
fn check_overlap(journal: &Journal) {
    let mut settled: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for entry in &journal.entries {
        if let Record::Settle { reservation, .. } = &entry.record {
            settled.entry(journal.calls[reservation].run).or_default().push(entry.number);
        }
    }
    let counts: Vec<usize> = settled.values().map(Vec::len).collect();
    println!("calls of each process: {counts:?}");
    assert_eq!(counts.len(), SPENDERS, "{counts:?}");
    assert!(counts.iter().all(|count| *count >= 1_000), "{counts:?}");
    let last_first = settled.values().map(|numbers| numbers[0]).max();
    let first_second = settled.values().map(|numbers| numbers[1]).min();
    assert!(last_first < first_second, "{last_first:?} {first_second:?}");
}
