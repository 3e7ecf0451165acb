//! Tasks, channels and money under load: in the deterministic scheduler over many seeds, and on several real workers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::CellRequest;
use ag_runtime::ledger::record::{Entry, Record};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

#[derive(Default)]
struct Collect {
    text: Mutex<String>,
    news: Condvar,
}

impl OutputSink for Collect {
    fn emit(&self, output: Output) {
        let shown = match &output {
            Output::Fault(fault) => format!("{}: {}\n", fault.code, fault.message),
            other => render::terminal(other, &Style { width: 100, color: false }),
        };
        self.text.lock().unwrap().push_str(&shown);
        self.news.notify_all();
    }
}

impl Collect {
    fn wait_for(&self, what: &str) {
        let mut text = self.text.lock().unwrap();
        while !text.contains(what) {
            text = self.news.wait(text).unwrap();
        }
    }
}

fn open(home: &Path, seed: Option<u64>, workers: usize) -> Session {
    let options = SessionOptions {
        home: HomeChoice::At(home.to_owned()),
        folder: Some(home.to_owned()),
        lane: Some("echo".to_string()),
        seed,
        workers: Some(workers),
        ..SessionOptions::default()
    };
    Session::open(options).expect("a session")
}

fn run(session: &mut Session, text: &str) -> String {
    let collect = Arc::new(Collect::default());
    let sink: Arc<dyn OutputSink> = collect.clone();
    session.evaluate(CellRequest::new(text.to_owned()), &sink);

    collect.text.lock().unwrap().clone()
}

fn scale() -> u64 {
    std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// What every limit may hold at any moment, in micro-dollars.
const LIMIT: i64 = 100_000;

/// Each call holds at most 55 + 2 * 60 micro-dollars and costs about 100: a thousand of them want the whole limit.
const RACE: &str = r#"
agent Worker {
  behavior work(i : Int) -> Bool {
    let reply := try @llm_call("Task $i of a thousand that run at the same time under one limit, which holds all of them: whatever they do, however they end, never more than it.", max_tokens: 60)
    return reply is Ok(_)
  }
}
function race(workers : List<AgentRef<Worker>>) -> Text {
  return @with_cost_limit($0.10) {
    let done := @parallel(0..1000, i => await workers[i % 100].work(i), limit: 1000)
    "${done.count(ok => ok)} of ${done.len} for ${(@spent() / $0.000001).round}"
  }
}
let workers := (0..100).map(_ => @spawn(Worker))
print(race(workers))
"#;

/// Reads the journal line by line: what was held and charged never exceeds the limit, everything held was closed, and the
/// sum of what was charged is what the program was told.
fn audit(home: &Path, told: i64) {
    let bytes = std::fs::read(home.join("ledger.jsonl")).expect("the journal");
    let mut held: BTreeMap<u64, i64> = BTreeMap::new();
    let (mut charged, mut most) = (0, 0);
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let entry = Entry::from_line(line).expect("a whole line");
        match &entry.record {
            Record::Reserve { amount, .. } => drop(held.insert(entry.number, amount.micros())),
            Record::Release { reservation } => drop(held.remove(reservation).unwrap()),
            Record::Settle { reservation, settlement, .. } => {
                held.remove(reservation).unwrap();
                charged += settlement.charged.micros();
            }
            _ => {}
        }
        most = most.max(charged + held.values().sum::<i64>());
    }
    assert!(held.is_empty(), "left open: {held:?}");
    assert_eq!(charged, told, "the journal's sum is what the limit was charged");
    assert!(most <= LIMIT, "{most} were held and charged at once");
    assert!(charged > LIMIT / 2, "only {charged} were spent: the limit was never wanted");
}

fn budget_race(seed: Option<u64>, workers: usize) {
    let home = tempfile::tempdir().unwrap();
    let shown = {
        let mut session = open(home.path(), seed, workers);
        run(&mut session, RACE)
    };
    let line = shown.lines().find(|line| line.contains(" of 1000 for ")).expect(&shown);
    let told = line.rsplit(' ').next().unwrap().parse().unwrap();
    audit(home.path(), told);
}

/// 50 seeds at AG_TEST_SCALE=20, the length of the long run.
#[test]
fn a_thousand_tasks_never_spend_more_than_their_limit() {
    for seed in 0..(5 * scale()).div_ceil(2) {
        budget_race(Some(seed), 1);
    }
}

#[test]
fn nor_do_they_on_several_workers() {
    for _ in 0..scale().div_ceil(10) {
        budget_race(None, 4);
    }
}

/// Everything at once on real threads; what it gives does not depend on their order.
const CROWD: &str = r#"
function crowd() -> (Int, Int, Int, List<Int>) {
  let numbers : Channel<Int> := @channel(capacity: 3)
  let sums : Channel<Int> := @channel(capacity: 2)
  let takers := (0..8).map(_ => @task {
    var sum := 0
    for n in numbers { sum += n }
    sums.send(sum)
  })
  let senders := @parallel(0..8, s => { for n in 0..200 { numbers.send(n) }; s })
  numbers.close()
  var total := 0
  for _ in 0..8 { total += sums.recv() ?? 0 }
  var won := 0
  for i in 0..30 {
    won += @race([@task { loop { }; 0 }, @task { 1 }, @task { @sleep(1h); 0 }])
  }
  let faulted := (0..10).map(k => try @parallel(0..50, n => 100 / (n - k)))
  let order := @parallel(0..100, n => { if n % 7 == 0 { @sleep(1ms) }; n * n }, limit: 16)
  return (total, won, faulted.count(r => r is Err(_)), order.take(5))
}
crowd()
"#;

#[test]
fn a_crowd_of_tasks_on_several_workers_loses_nothing() {
    for round in 0..2 * scale() {
        let before = ag_runtime::value::heap::live();
        {
            let home = tempfile::tempdir().unwrap();
            let mut session = open(home.path(), None, 4);
            let shown = run(&mut session, CROWD);
            assert!(shown.contains("(159200, 30, 10, [0, 1, 4, 9, 16])"), "round {round}: {shown}");
        }
        ag_runtime::value::dying::finish(|| false);
        assert_eq!(ag_runtime::value::heap::live(), before, "round {round}");
    }
}

#[test]
fn an_interrupt_ends_a_wait_for_ever_and_with_no_cell_what_tasks_do() {
    let home = tempfile::tempdir().unwrap();
    let mut session = open(home.path(), None, 2);
    let interrupter = session.interrupter();
    let stop = session.interrupter();
    run(
        &mut session,
        "let forever := @task { loop { }; 0 }\nlet silent : Channel<Int> := @channel()",
    );
    let collect = Arc::new(Collect::default());
    let sink: Arc<dyn OutputSink> = collect.clone();
    let watched = Arc::clone(&collect);
    let stopper = std::thread::spawn(move || {
        watched.wait_for("waiting");
        interrupter.interrupt();
    });
    let cell = "print(\"waiting\")\nsilent.recv()\nprint(\"never\")";
    session.evaluate(CellRequest::new(cell.to_owned()), &sink);
    stopper.join().unwrap();
    let shown = collect.text.lock().unwrap().clone();
    assert!(shown.contains("R0602: interrupted") && !shown.contains("never"), "{shown}");
    stop.stop();
    let after = run(
        &mut session,
        "match try await forever { Ok(_) => print(\"ended\"), Err(f) => print(f.message) }",
    );
    assert_eq!(after, "interrupted\n");
}

/// What a `try` would have kept for its handler is given up, too, when an interrupt passes it.
#[test]
fn an_interrupt_within_a_try_leaves_no_values() {
    let before = ag_runtime::value::heap::live();
    {
        let home = tempfile::tempdir().unwrap();
        let mut session = open(home.path(), None, 2);
        let interrupter = session.interrupter();
        let collect = Arc::new(Collect::default());
        let sink: Arc<dyn OutputSink> = collect.clone();
        let watched = Arc::clone(&collect);
        let stopper = std::thread::spawn(move || {
            watched.wait_for("filling");
            interrupter.interrupt();
        });
        let cell = "function fill() -> Int {\n\
                    var named : Map<Int, Text> := {}\n\
                    let outer := try { let inner := try { named.set(0, \"a\"); print(\"filling\"); loop { named.set(1, show(named.len)) } } }\n\
                    return named.len\n}\nfill()";
        session.evaluate(CellRequest::new(cell.to_owned()), &sink);
        stopper.join().unwrap();
        let shown = collect.text.lock().unwrap().clone();
        assert!(shown.contains("R0602: interrupted"), "{shown}");
    }
    ag_runtime::value::dying::finish(|| false);
    assert_eq!(ag_runtime::value::heap::live(), before);
}
