//! The seeded scheduler: the same trace on every run (L-161).

use crate::support::{Agent, INT, Test, ask, int, selector, spawn};
use ag_runtime::telemetry::chrome::trace_json;
use ag_runtime::telemetry::snapshot::Snapshot;

/// A small market: agents that sleep for random times, ask each other and signal.
fn run() -> (Vec<String>, Snapshot) {
    let test = Test::seeded();
    let world = test.world();
    let teller = Agent::counter(world, "Teller")
        .on("tell", &[INT], INT, |cx, args| {
            let pause = (cx.world.random() * 1e6) as u64;
            cx.sleep_ns(pause)?;
            cx.set_field(0, cx.field(0) + args[0]);
            let line = format!("{} at {}", cx.field(0), cx.now_ns());
            cx.print(ag_runtime::context::sink::Stream::Out, line);
            Ok(cx.field(0))
        })
        .install();
    let clerk = Agent::plain(world, "Clerk")
        .on("work", &[crate::support::agent_shape(), INT], INT, |cx, args| {
            cx.signal(args[0], selector("tell"), vec![int(100)])?.unwrap();
            ask(cx, args[0], "tell", vec![int(args[1])])
        })
        .install();
    for cell in 1..=3 {
        let handle = test.start(cell, move |cx| {
            let tellers: Vec<u64> =
                (0..3).map(|_| spawn(cx, teller, vec![])).collect::<Result<_, _>>()?;
            let mut works = Vec::new();
            for number in 0..20u64 {
                let clerk = spawn(cx, clerk, vec![])?;
                let teller = tellers[number as usize % 3];
                let payload = vec![
                    ag_runtime::value::owned::Owned::new(teller, crate::support::agent_shape()),
                    int(number),
                ];
                works.push(cx.ask(clerk, selector("work"), payload)?);
            }
            let mut sum = 0;
            for work in works {
                sum += cx.await_work(&work)?.value();
            }
            Ok(sum)
        });
        handle.join().unwrap();
    }
    test.world().settle();
    let trace = test.world().trace(&Default::default());
    (test.sink.lines(), trace)
}

#[test]
fn two_runs_with_one_seed_have_one_trace() {
    let (lines, trace) = run();
    let (again, trace_again) = run();
    assert_eq!(lines, again);
    assert_eq!(trace, trace_again);
    assert!(!trace.messages.is_empty());
}

#[test]
fn the_trace_tells_who_sent_what_because_of_what() {
    let (_, trace) = run();
    let totals = trace.totals;
    assert_eq!(totals.sent, totals.handled + totals.waiting);
    assert_eq!(totals.sent, 3 * 60);
    let sent: u64 = trace.agents.iter().map(|row| row.received).sum();
    assert_eq!(sent, totals.sent);
    for row in &trace.agents {
        assert_eq!(row.received, row.handled + u64::from(row.waiting), "{row:?}");
        assert_eq!(row.faults, 0);
    }
    let requests = || trace.messages.iter().filter(|arrow| !arrow.is_reply);
    assert_eq!(requests().count() as u64, totals.sent);
    // Two of three messages are requests; each was answered.
    assert_eq!(trace.messages.iter().filter(|arrow| arrow.is_reply).count(), 3 * 40);
    for arrow in requests().filter(|arrow| trace.name_of(arrow.receiver).starts_with("Clerk")) {
        assert_eq!(&*arrow.label, "work");
        assert!(trace.name_of(arrow.sender).starts_with("cell"), "{arrow:?}");
        assert!(arrow.handled_ns.is_some());
        // What a clerk sends is caused by what it was asked.
        let caused = requests().filter(|other| other.cause == arrow.message);
        assert_eq!(caused.filter(|other| other.sender == arrow.receiver).count(), 2);
    }
}

#[test]
fn the_chrome_trace_has_spans_names_and_arrows() {
    let (_, trace) = run();
    let json = trace_json(&trace);
    let events = json["traceEvents"].as_array().unwrap();
    let of_phase = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
    assert_eq!(of_phase("X"), trace.spans.len());
    assert_eq!(of_phase("s"), of_phase("f"));
    let arrived = trace.messages.iter().filter(|arrow| arrow.handled_ns.is_some()).count();
    assert_eq!(of_phase("s"), arrived);
    assert!(trace.waits.iter().all(|wait| wait.end_ns.is_some()));
    assert_eq!(of_phase("M"), 2);
}
