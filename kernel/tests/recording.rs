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

/// Tools written in the language, one that provides another, a person who is asked first, a model that calls them; and code
/// that was given as a text, with and without effects, in agents and in tasks.
const GENERATED: &[&str] = &[
    r#"tool Store {
         @read_only function stamp(n : Int) -> Text { return "$n ${@random()} ${@now()}" }
         @destructive function write(name : Text, text : Text) -> Int
           requires text.len > 0
         { write_text(name, text); print("wrote $name"); return text.len }
       }
       tool Quoting : Store {
         @destructive function write(name : Text, text : Text) -> Int {
           let said : Text := @llm_call("quote $text")
           return said.len + Store().write(name, said)
         }
       }
       policy Careful { ask tool.Quoting.write where text.len > 3; allow tool }
       agent Clerk {
         tools { store : Store }
         behavior file(text : Text) -> Text {
           let stamp := store.stamp(text.len)
           let score := @judge("$text $stamp", "is it short?\necho: {\"score\": 0.25}")
           let found := @eval("\"\${@random()} \${who as Text}\"", with: { who: text }, allow: ["random"])
           return "$stamp $score $found ${store.write("${text}.txt", text)}"
         }
       }"#,
    ":policy Careful",
    r#"let clerks := [@spawn(Clerk, store: Store()), @spawn(Clerk, store: Quoting())]
       clerks.map(clerk => [await clerk.file("a"), await clerk.file("long")]).flatten"#,
    r#"match try Store().write("empty.txt", "") { Ok(n) => "$n", Err(fault) => fault.code }"#,
    r#"let store := Store()
       let said : Text := @llm_call("""
File it
echo: {"tool": "stamp", "arguments": {"n": "x"}}
echo: {"tool": "stamp", "arguments": {"n": 7}}
echo: "filed"
""", tools: [store.stamp])
       said"#,
    r#"@judge({ greeting: "hello" }, "is it polite?")"#,
    r#"let source := "let said : Text := @llm_call(\"of \${n as Int} \${@random()}\")\nprint(said)\n[said, \"\${@now()}\"]"
       @eval(source, with: { n: 3 }, allow: ["llm", "random", "clock", "output"])"#,
    r#"@parallel([1, 2, 3, 4], n => @eval("[\"\$n \${@random()}\"]", with: { n: n }, allow: ["random"]))"#,
    r#"@eval("write_text(\"made.txt\", \"x\")\nread_text(\"made.txt\")", allow: ["fs"])"#,
    r#"[@eval("@random()"), @eval("1 +"), @eval("read_text(\"absent.txt\")", allow: ["fs"])]"#,
    r#"match try @with_cost_limit($0.000001) { @judge(1, "is it one?") } { Ok(n) => "$n", Err(fault) => fault.code }"#,
];

/// Many senders, one mailbox: in which order their messages are handled is chance, and part of what is shown.
const CROWD: &[&str] = &[
    r#"agent Book {
         state { seen : List<Text> = [] }
         behavior add(t : Text) -> Int { seen.push(t); return seen.len }
         @priority(high) behavior urgent(t : Text) { seen.push("!$t") }
         behavior all() -> List<Text> { return seen }
       }
       agent Sender(book : AgentRef<Book>, name : Text) {
         behavior run(n : Int) -> List<Int> {
           var places : List<Int> := []
           for i in 0..n {
             var spun := 0
             for j in 0..(@random() * 400.0).round { spun += j }
             let sent := @signal(book, Book.add("$name$i"))
             if i % 5 == 0 { let hurried := @signal(book, Book.urgent("$name$i")) }
             if i % 3 == 0 { places.push(await book.add("r$name$i")) }
           }
           return places
         }
       }"#,
    r#"let book := @spawn(Book)
       let senders := ["a", "b", "c", "d", "e", "f", "g", "h"].map(name => @spawn(Sender, book, name))
       senders.map(sender => sender.run(15)).map(running => await running)"#,
    "await book.all()",
    r#"let twice := @record("inner.cassette") {
         let own := @spawn(Book)
         let both := [@spawn(Sender, own, "x"), @spawn(Sender, own, "y"), @spawn(Sender, own, "z")].map(s => s.run(9))
         let places := both.map(running => await running)
         "$places ${await own.all()}"
       }
       twice"#,
];

struct Run {
    shown: String,
    charged: i64,
    /// The trace as `:trace` tells it.
    trace: String,
}

fn run(
    cells: &[&str],
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
    for cell in cells {
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
    let live = run(
        CELLS,
        folder.path(),
        first.path(),
        Some(Taping::Record(file.clone())),
        None,
        Some("Ada"),
    );
    assert!(live.charged > 0 && live.shown.contains("for Ada"), "{}", live.shown);
    assert!(!live.shown.contains("R0"), "{}", live.shown);
    // What it read is not there any more, nobody answers, and the memory is empty.
    for seed in [Some(1), Some(2), None] {
        let own = home();
        let again =
            run(CELLS, folder.path(), own.path(), Some(Taping::Replay(file.clone())), seed, None);
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
            let run = run(CELLS, folder.path(), home.path(), Some(taping), Some(7), Some("Ada"));
            (run, std::fs::read_to_string(folder.path().join("day.cassette")).unwrap())
        })
        .collect();
    assert_eq!(runs[0].0.shown, runs[1].0.shown);
    assert_eq!(runs[0].0.trace, runs[1].0.trace);
    assert_eq!(runs[0].1, runs[1].1);
    assert!(runs[0].1.lines().count() > 30);
}

#[test]
fn tools_written_in_the_language_and_generated_code_replay_at_no_cost() {
    let folder = tempfile::tempdir().unwrap();
    let file = "made.cassette".to_owned();
    let home = tempfile::tempdir().unwrap();
    let taping = Taping::Record(file.clone());
    let live = run(GENERATED, folder.path(), home.path(), Some(taping), None, Some("yes"));
    assert!(live.charged > 0, "{}", live.shown);
    for (part, count) in
        [("wrote", 4), ("Z 0.25 Ok", 4), ("Ok(", 10), ("R0403", 1), ("E0504", 1), ("R0601", 1)]
    {
        assert_eq!(live.shown.matches(part).count(), count, "{part} in\n{}", live.shown);
    }
    let written = ["a.txt", "long.txt", "made.txt"].map(|name| folder.path().join(name));
    written.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    for seed in [Some(1), None] {
        let home = tempfile::tempdir().unwrap();
        let taping = Taping::Replay(file.clone());
        let again = run(GENERATED, folder.path(), home.path(), Some(taping), seed, None);
        assert_eq!(again.shown, live.shown, "seed {seed:?}");
        assert_eq!(again.charged, 0);
        // What the methods and the generated code write is not written again.
        assert!(!written.iter().any(|path| path.exists()));
    }
}

/// L-161: the order of messages in each mailbox is in a recording that several workers made.
#[test]
fn mailboxes_are_replayed_in_the_order_that_several_workers_made() {
    let folder = tempfile::tempdir().unwrap();
    let home = || tempfile::tempdir().unwrap();
    let file = "crowd.cassette".to_owned();
    let plain = run(CROWD, folder.path(), home().path(), None, Some(1), None);
    assert!(!plain.shown.contains("R0") && plain.shown.contains("!a0"), "{}", plain.shown);
    let mut has_chance = false;
    for _ in 0..3 {
        let taping = Some(Taping::Record(file.clone()));
        let live = run(CROWD, folder.path(), home().path(), taping, None, None);
        has_chance |= live.shown != plain.shown;
        for seed in [Some(1), Some(2), None] {
            let taping = Some(Taping::Replay(file.clone()));
            let again = run(CROWD, folder.path(), home().path(), taping, seed, None);
            assert_eq!(again.shown, live.shown, "seed {seed:?}");
        }
    }
    // Else there was no order to keep.
    assert!(has_chance);
}

/// Calls that somebody cut off: a limit of time, one of money, a Fault beside them. What was cut off is not written down always
/// before the recording ends, and may not even have begun.
const CUT_OFF: &[&str] = &[
    "function say(t : Text) -> Text { return @llm_call(t) }\n\
     match try @with_time_limit(2ms) { say(\"a\") } { Ok(x) => x, Err(f) => f.code }",
    "match try @with_cost_limit($0.0021) { @parallel(range(0, 8), x => say(\"hello\"), limit: 8).len } {\n\
       Ok(x) => show(x), Err(f) => f.code + f.message }",
    "match try @parallel(range(0, 5), i => { if i == 3 { @sleep(1ms); assert false }; say(\"p$i\") }) {\n\
       Ok(x) => show(x), Err(f) => f.code }",
];

#[test]
fn what_was_cut_off_is_cut_off_again() {
    let folder = tempfile::tempdir().unwrap();
    let home = || tempfile::tempdir().unwrap();
    let file = "cut.cassette".to_owned();
    for _ in 0..4 {
        let taping = Some(Taping::Record(file.clone()));
        let live = run(CUT_OFF, folder.path(), home().path(), taping, None, None);
        assert!(live.shown.contains("R0602") && live.shown.contains("R0601"), "{}", live.shown);
        for seed in [Some(1), None] {
            let taping = Some(Taping::Replay(file.clone()));
            let own = home();
            let again = run(CUT_OFF, folder.path(), own.path(), taping, seed, None);
            // Without a virtual clock a refusal may come before what stood beside it was asked: that is told.
            let (shown, _) = again.shown.split_once("the replay of").unwrap_or((&again.shown, ""));
            let is_exact = seed.is_none() || again.shown == live.shown;
            assert!(
                is_exact && shown == live.shown,
                "seed {seed:?}: {} {}",
                again.shown,
                live.shown
            );
            assert_eq!(again.charged, 0);
        }
    }
}

/// A changed program is told that it is another; nobody waits for messages that it does not send.
#[test]
fn a_replay_of_another_program_ends_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = "crowd.cassette".to_owned();
    let home = tempfile::tempdir().unwrap();
    let taping = Some(Taping::Record(file.clone()));
    run(CROWD, folder.path(), home.path(), taping, None, None);
    // One sender says nothing: what came after its messages would wait for ever.
    let changed =
        CROWD[0].replace("for i in 0..n", "for i in 0..(if name == \"c\" { 0 } else { n })");
    for seed in [Some(1), None] {
        let home = tempfile::tempdir().unwrap();
        let cells = [&[changed.as_str()], &CROWD[1..3]].concat();
        let taping = Some(Taping::Replay(file.clone()));
        let again = run(&cells, folder.path(), home.path(), taping, seed, None);
        assert!(
            again.shown.contains("the replay of `crowd.cassette` has ended, and"),
            "{}",
            again.shown
        );
        assert!(again.shown.contains(", [], [") && !again.shown.contains("R0"), "{}", again.shown);
    }
}
