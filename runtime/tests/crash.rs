//! Processes that are killed while they spend and remember: what they acknowledged is there afterwards.
//!
//! The test runs its own binary as the process to kill; acknowledgements are kept by the parent, read from a pipe.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, SystemClock};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::{LimitContext, Quota, Window, for_message};
use ag_runtime::ledger::record::{CallFacts, Entry, Record, Settlement};
use ag_runtime::memory::agent::{AgentMemory, Asker, MemoryConfig};
use ag_runtime::memory::episode::{Draft, EpisodeId, Outcome};
use ag_runtime::memory::recall::Query;
use ag_runtime::memory::session::Memories;
use ag_runtime::rng::Seed;
use serde_json::{Map, json};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

const FOLDER: &str = "AG_CRASH_FOLDER";
const QUOTA: &str = "AG_CRASH_QUOTA";

/// Kills by default; `AG_TEST_SCALE` multiplies them.
const KILLS: u64 = 12;

fn scale() -> u64 {
    std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn ledger(folder: &Path) -> Arc<Ledger> {
    Ledger::open(&folder.join("home"), clock(), Durability::Disk, None)
}

fn memory(folder: &Path) -> (Arc<Memories>, AgentMemory) {
    let memories = Memories::new(&folder.join(".ag"), clock(), Durability::Disk);
    let config = MemoryConfig { collection: Some("c".into()), ..MemoryConfig::default() };
    (Arc::clone(&memories), AgentMemory::new(memories, config))
}

fn limits(ledger: &Ledger, total: i64) -> LimitContext {
    let quota = Quota { total: Some(MicroUsd(total)), ..Quota::default() };
    let agent: Arc<str> = "A".into();
    Some(for_message(Some(ledger.cell(1)), &agent, "b", &quota, None))
}

fn say(line: &str) {
    // Straight to the pipe: the harness holds `println!` back.
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

fn draft(number: u64) -> Draft {
    Draft {
        context: json!({"n": number, "pid": std::process::id()}),
        action: json!("Hold"),
        context_text: format!("episode {number} of process {}", std::process::id()).into(),
        action_text: "Hold".into(),
        outcome: Outcome::Pending,
        entities: vec![],
        at_ns: clock().now_ns(),
    }
}

/// What the killed process runs: four threads that spend and remember for ever, saying what was acknowledged.
#[test]
#[ignore = "run by the tests of this file"]
fn child_spends_and_remembers() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let ledger = ledger(&folder);
    let (_memories, memory) = memory(&folder);
    let limits = limits(&ledger, i64::MAX);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (ledger, memory, limits) = (&ledger, &memory, &limits);
            scope.spawn(move || {
                for round in 0u64.. {
                    spend(ledger, limits, 100, 7 + thread);
                    let asker = Asker { agent: "A".into(), cell: 1, message: round };
                    let query = Query {
                        text: "episode".into(),
                        limit: 3,
                        min_score: 0.0,
                        filter: Map::new(),
                    };
                    memory.recall(&query, &asker).unwrap();
                    let (done, wait) = channel();
                    let done = Box::new(move |id| done.send(id).unwrap());
                    memory.remember(draft(round * 4 + thread.unsigned_abs()), &[], &asker, done);
                    say(&format!("E {}\n", wait.recv().unwrap().unwrap()));
                }
            });
        }
    });
}

fn spend(ledger: &Arc<Ledger>, limits: &LimitContext, worst: i64, actual: i64) {
    let facts = CallFacts { lane: "echo".into(), ..CallFacts::default() };
    let mut held = ledger.reserve(limits, MicroUsd(worst), facts).unwrap();
    held.dispatch().unwrap();
    let number = held.number();
    held.settle(Settlement { charged: MicroUsd(actual), ..Settlement::default() }).unwrap();
    say(&format!("S {number} {actual}\n"));
}

fn start(test: &str, folder: &Path, quota: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(QUOTA, quota)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[derive(Default)]
struct Acknowledged {
    episodes: HashSet<EpisodeId>,
    settled: HashMap<u64, i64>,
}

impl Acknowledged {
    /// A line without its end may be cut, so it counts for nothing.
    fn read(&mut self, line: &str) {
        let Some(line) = line.strip_suffix('\n') else { return };
        let parts: Vec<&str> = line.split(' ').collect();
        match parts.as_slice() {
            ["E", id] => drop(self.episodes.insert(EpisodeId::parse(id).unwrap())),
            ["S", number, cost] => {
                self.settled.insert(number.parse().unwrap(), cost.parse().unwrap());
            }
            _ => {}
        }
    }
}

/// Lets the child work until its first acknowledgement and a random while longer, kills it, and reads what it said.
fn kill_soon(mut child: Child, while_ms: u64, acknowledged: &mut Acknowledged) {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("S ") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the child ended by itself");
        acknowledged.read(&line);
    }
    let reader = std::thread::spawn(move || {
        let mut rest = Vec::new();
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            rest.push(std::mem::take(&mut line));
        }
        rest
    });
    std::thread::sleep(Duration::from_millis(while_ms));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap().iter().for_each(|line| acknowledged.read(line));
}

#[test]
fn what_a_killed_process_acknowledged_is_there_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    let mut random = Seed(1).rng();
    for kill in 0..KILLS * scale() {
        let child = start("child_spends_and_remembers", folder.path(), "");
        kill_soon(child, random.below(80), &mut acknowledged);
        check(folder.path(), &acknowledged, kill);
    }
    assert!(acknowledged.settled.len() as u64 >= KILLS);
    assert!(!acknowledged.episodes.is_empty());
}

fn check(folder: &Path, acknowledged: &Acknowledged, kill: u64) {
    let ledger = ledger(folder);
    assert_eq!(ledger.health(), None, "kill {kill}");
    let (memories, memory) = memory(folder);
    let asker = Asker { agent: "A".into(), cell: 1, message: 0 };
    let query = Query { text: "episode".into(), limit: 1, min_score: 0.0, filter: Map::new() };
    memory.recall(&query, &asker).unwrap();
    let store = memories.long_term().unwrap();
    let loaded = store.read().unwrap();
    let corpus = loaded.corpus("c");
    for id in &acknowledged.episodes {
        let found = corpus.and_then(|corpus| corpus.number_of(*id));
        assert!(found.is_some(), "kill {kill}: {id} was acknowledged");
    }
    let text = std::fs::read_to_string(folder.join("home/ledger.jsonl")).unwrap();
    let mut open = HashSet::new();
    let mut settled = HashMap::new();
    for line in text.lines() {
        let entry = Entry::from_line(line.as_bytes()).unwrap();
        match entry.record {
            Record::Reserve { .. } => drop(open.insert(entry.number)),
            Record::Release { reservation } => drop(open.remove(&reservation)),
            Record::Settle { reservation, settlement, .. } => {
                open.remove(&reservation);
                settled.insert(reservation, settlement.charged.micros());
            }
            _ => {}
        }
    }
    assert_eq!(open, HashSet::new(), "kill {kill}: recovery closes every reservation");
    for (number, cost) in &acknowledged.settled {
        assert_eq!(settled.get(number), Some(cost), "kill {kill}: settlement of {number}");
    }
    let total: i64 = settled.values().sum();
    assert_eq!(ledger.agent_spent("A", Window::Total), MicroUsd(total));
}

/// Spends until the quota refuses, then ends.
#[test]
#[ignore = "run by the tests of this file"]
fn child_spends_its_quota() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let quota: i64 = std::env::var(QUOTA).unwrap().parse().unwrap();
    let ledger = ledger(&folder);
    let limits = limits(&ledger, quota);
    let facts = || CallFacts { lane: "echo".into(), ..CallFacts::default() };
    while let Ok(mut held) = ledger.reserve(&limits, MicroUsd(10), facts()) {
        held.dispatch().unwrap();
        held.settle(Settlement { charged: MicroUsd(10), ..Settlement::default() }).unwrap();
    }
}

#[test]
fn three_processes_on_one_home_share_a_quota_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<Child> =
        (0..3).map(|_| start("child_spends_its_quota", folder.path(), "605")).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ledger = ledger(folder.path());
    assert_eq!(ledger.agent_spent("A", Window::Total), MicroUsd(600));
    assert_eq!(ledger.report().notices, []);
}
