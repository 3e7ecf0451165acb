//! A recorded notebook replays offline, byte-identical, at $0; and under a seed every run is the same (L-160, L-161).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions, Taping};
use ag_kernel::session::request::CellRequest;
use ag_runtime::context::sink::Question;
use ag_runtime::ledger::record::{Entry, Record};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What the cells show, but for what they cost, which is the difference.
#[derive(Default)]
struct Shown {
    text: Mutex<String>,
    answer: Option<&'static str>,
}

impl OutputSink for Shown {
    fn emit(&self, output: Output) {
        let shown = match &output {
            Output::CostLine(_) => return,
            Output::Fault(fault) => format!("{}: {}\n", fault.code, fault.message),
            other => render::terminal(other, &Style { width: 100, color: false }),
        };
        self.text.lock().unwrap().push_str(&shown);
    }

    fn ask(&self, question: Question) {
        match self.answer {
            Some(answer) => question.answer(answer.to_owned()),
            None => question.refuse("nobody is there"),
        }
    }
}

const CELLS: &[&str] = &[
    "tool Desk { function price(symbol : Text) -> Float { return 100.0 + @random() } }\n\
     function lookup(symbol : Text) -> Float { return Desk().price(symbol) }\n\
     agent Trader(name : Text) {\n\
       tools { desk : Desk = Desk() }\n\
       state { luck : Float = @random(), asked : Int = 0 }\n\
       behavior advise(symbol : Text) -> Text {\n\
         asked += 1\n\
         let price := desk.price(symbol)\n\
         let known := @recall(\"advice for $symbol\", limit: 2)\n\
         let said := @llm_call(\"$name $asked: $symbol at $price, knowing ${known.len}\")\n\
         let kept := @remember(Episode { context: symbol, action: said })\n\
         return \"$said $luck $kept\"\n\
       }\n\
     }",
    "let who := input(\"Who? \")\nprint(\"for $who at ${@now()}\")\n@random()",
    "let traders := [\"a\", \"b\", \"c\", \"d\"].map(name => @spawn(Trader, name))\n\
     let asked := traders.map(trader => [trader.advise(\"ACME\"), trader.advise(\"GLOBEX\")]).flatten\n\
     for future in asked { print(await future) }",
    "@parallel([1, 2, 3, 4, 5], n => \"$n ${@llm_call(\"number $n ${@random()}\")}\")",
    "let answer : Text := @llm_call(\"What does ACME cost?\\necho: {\\\"tool\\\": \\\"lookup\\\", \\\"arguments\\\": {\\\"symbol\\\": \\\"ACME\\\"}}\\necho: \\\"about 100\\\"\", tools: [lookup])\nanswer",
    "match try read_text(\"absent.txt\") { Ok(text) => text, Err(fault) => fault.message }",
    "let t := @llm_call(\"told piece by piece\", stream: piece => print(\"[$piece]\"))\nt",
    "@recall(\"GLOBEX\").map(found => found.score)",
];

struct Run {
    shown: String,
    charged: i64,
    /// The trace as `:trace` tells it.
    trace: String,
}

fn run(
    folder: &Path,
    home: &Path,
    taping: Option<Taping>,
    seed: Option<u64>,
    answer: Option<&'static str>,
) -> Run {
    let options = SessionOptions {
        home: HomeChoice::At(home.to_owned()),
        folder: Some(folder.to_owned()),
        lane: Some("echo".to_owned()),
        seed,
        workers: seed.is_none().then_some(4),
        taping,
        ..SessionOptions::default()
    };
    let mut session = Session::open(options).expect("a session");
    let sink = Arc::new(Shown { answer, ..Shown::default() });
    let shown: Arc<dyn OutputSink> = sink.clone();
    for cell in CELLS {
        session.evaluate(CellRequest::new((*cell).to_owned()), &shown);
    }
    session.end_taping().into_iter().filter(Output::is_warning).for_each(|left| shown.emit(left));
    let text = std::mem::take(&mut *sink.text.lock().unwrap());
    session.evaluate(CellRequest::new(":trace".to_owned()), &shown);
    let trace = sink.text.lock().unwrap().clone();
    drop(session);
    Run { shown: text, charged: charged(home), trace }
}

/// All that the journal of a home has settled.
fn charged(home: &Path) -> i64 {
    let journal = std::fs::read(home.join("ledger.jsonl")).unwrap();
    let lines = journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let entries = lines.filter_map(|line| Entry::from_line(line).ok());
    let settled = entries.filter_map(|entry| match entry.record {
        Record::Settle { settlement, .. } => Some(settlement.charged.micros()),
        _ => None,
    });
    settled.sum()
}

#[test]
fn a_recording_of_four_workers_replays_at_no_cost_with_the_same_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let home = || tempfile::tempdir().unwrap();
    let file = "day.cassette".to_owned();
    let first = home();
    let live =
        run(folder.path(), first.path(), Some(Taping::Record(file.clone())), None, Some("Ada"));
    assert!(live.charged > 0 && live.shown.contains("for Ada"), "{}", live.shown);
    assert!(!live.shown.contains("R0"), "{}", live.shown);
    // What it read is not there any more, nobody answers, and the memory is empty.
    for seed in [Some(1), Some(2), None] {
        let own = home();
        let again = run(folder.path(), own.path(), Some(Taping::Replay(file.clone())), seed, None);
        assert_eq!(again.shown, live.shown, "seed {seed:?}");
        assert_eq!(again.charged, 0);
    }
}

#[test]
fn under_a_seed_every_run_gives_the_same_outputs_recording_and_trace() {
    // One folder: a file that is not there is told with its path.
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<(Run, String)> = (0..2)
        .map(|_| {
            let home = tempfile::tempdir().unwrap();
            let taping = Taping::Record("day.cassette".to_owned());
            let run = run(folder.path(), home.path(), Some(taping), Some(7), Some("Ada"));
            (run, std::fs::read_to_string(folder.path().join("day.cassette")).unwrap())
        })
        .collect();
    assert_eq!(runs[0].0.shown, runs[1].0.shown);
    assert_eq!(runs[0].0.trace, runs[1].0.trace);
    assert_eq!(runs[0].1, runs[1].1);
    assert!(runs[0].1.lines().count() > 30);
}
