//! Stopping, supervision, many agents, the end of a world.

use crate::support::{Agent, INT, TEXT, Test, UNIT, ask, int, selector, spawn, text};
use ag_runtime::actor::reference::AgentRef;
use ag_runtime::actor::supervisor::Supervise;
use ag_runtime::fault::Faulted;
use ag_runtime::rng::Seed;
use ag_runtime::world::options::{Limits, WorldOptions};

#[test]
fn a_stopped_agent_ends_its_message_and_refuses_the_rest() {
    let test = Test::seeded();
    let agent = Agent::plain(test.world(), "A")
        .on("work", &[], INT, |cx, _| cx.sleep_ns(1_000).map(|()| 42))
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, agent, vec![])?;
        let first = cx.ask(agent, selector("work"), vec![])?;
        let second = cx.ask(agent, selector("work"), vec![])?;
        cx.sleep_ns(1)?;
        cx.stop_agent(agent);
        assert_eq!(cx.await_work(&first)?.value(), 42);
        assert!(cx.await_work(&second).is_err());
        assert_eq!(cx.take_fault().code, "R0704");
        assert_eq!(ask(cx, agent, "work", vec![]), Err(Faulted));
        assert_eq!(cx.take_fault().code, "R0704");
        assert_eq!(cx.signal(agent, selector("work"), vec![])?, Ok(()));
        cx.stop_agent(agent);
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
    assert_eq!(test.world().agents().live(), 0);
}

/// Counts its messages; faults at every third.
fn fragile(test: &Test) -> ag_runtime::actor::kind::TypeId {
    Agent::counter(test.world(), "Fragile")
        .on("work", &[], INT, |cx, _| {
            cx.set_field(0, cx.field(0) + 1);
            if cx.field(0) == 3 {
                cx.fail("R0102", "division by zero");
                return Err(Faulted);
            }
            Ok(cx.field(0))
        })
        .install()
}

#[test]
fn restart_runs_the_initialisers_again_and_gives_up_when_it_happens_too_often() {
    let test = Test::seeded();
    let fragile = fragile(&test);
    let result = test.cell(move |cx| {
        let supervise = Supervise::Restart { max: 2, within_ns: 1_000_000 };
        let agent = cx.spawn(fragile, vec![], supervise)?.pack();
        let mut seen = Vec::new();
        for _ in 0..12 {
            seen.push(ask(cx, agent, "work", vec![]).map_err(|Faulted| cx.take_fault().code));
        }
        let fault = Err("R0102");
        assert_eq!(seen[..9], [Ok(1), Ok(2), fault, Ok(1), Ok(2), fault, Ok(1), Ok(2), fault]);
        assert_eq!(seen[9..], [Err("R0704"); 3]);
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
}

#[test]
fn by_default_a_fault_ends_the_message_and_not_the_agent() {
    let test = Test::seeded();
    let fragile = fragile(&test);
    let result = test.cell(move |cx| {
        let agent = spawn(cx, fragile, vec![])?;
        for _ in 0..2 {
            ask(cx, agent, "work", vec![])?;
        }
        for _ in 0..3 {
            assert_eq!(ask(cx, agent, "work", vec![]), Err(Faulted));
            assert_eq!(cx.take_fault().code, "R0102");
        }
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
}

#[test]
fn an_agent_under_stop_supervision_stops() {
    let test = Test::seeded();
    let fragile = fragile(&test);
    let result = test.cell(move |cx| {
        let agent = cx.spawn(fragile, vec![], Supervise::Stop)?.pack();
        let codes: Vec<_> = (0..4)
            .map(|_| ask(cx, agent, "work", vec![]).map_err(|Faulted| cx.take_fault().code))
            .collect();
        assert_eq!(codes, [Ok(1), Ok(2), Err("R0102"), Err("R0704")]);
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
}

#[test]
fn an_initialiser_that_faults_stops_the_agent_and_says_why() {
    let test = Test::seeded();
    let kind = Agent::new(test.world(), "A", &[("name", TEXT)], &[("n", INT)], |cx, _| {
        cx.fail("R0102", "division by zero");
        Err(Faulted)
    })
    .on("n", &[], INT, |cx, _| Ok(cx.field(1)))
    .install();
    let code = test.code(move |cx| {
        let agent = spawn(cx, kind, vec![text("a")])?;
        ask(cx, agent, "n", vec![])
    });
    assert_eq!(code, "R0102", "who asks is told why it never started");
    assert!(test.sink.lines().is_empty(), "and so nobody else needs to be");
}

#[test]
fn agents_beyond_the_limit_are_refused() {
    let limits = Limits { agents: 3, ..Limits::default() };
    let test = Test::with(WorldOptions { limits, ..WorldOptions::seeded(Seed(1)) });
    let kind = Agent::plain(test.world(), "A").install();
    let code = test.code(move |cx| {
        for _ in 0..3 {
            spawn(cx, kind, vec![])?;
        }
        spawn(cx, kind, vec![])
    });
    assert_eq!(code, "R0703");
}

#[test]
fn ten_thousand_agents_come_and_go_and_leave_nothing() {
    let test = Test::real(2);
    let kind = Agent::new(test.world(), "A", &[("name", TEXT)], &[("t", TEXT)], |_, _| {
        Ok(vec![text("some state on the heap").into_word()])
    })
    .on("add", &[INT], INT, |_, args| Ok(args[0] + 1))
    .install();
    for _ in 0..2 {
        let result = test.cell(move |cx| {
            let mut agents = Vec::new();
            for _ in 0..10_000 {
                agents.push(spawn(cx, kind, vec![text("an input on the heap")])?);
            }
            let mut works = Vec::new();
            for &agent in &agents {
                works.push(cx.ask(agent, selector("add"), vec![int(1)])?);
            }
            let mut sum = 0;
            for work in works {
                sum += cx.await_work(&work)?.value();
            }
            agents.iter().for_each(|&agent| cx.stop_agent(agent));
            Ok(sum)
        });
        assert_eq!(result.unwrap(), 20_000);
        test.world().settle();
        assert_eq!(test.world().agents().live(), 0);
    }
    let trace = test.world().trace(&Default::default());
    assert_eq!((trace.totals.sent, trace.totals.handled), (20_000, 20_000));
    assert!(test.world().scheduler().busy() == 0);
}

#[test]
fn dropping_a_world_ends_sleepers_spinners_and_waiters() {
    let mut test = Test::real(2);
    let kind = Agent::plain(test.world(), "A")
        .on("sleep", &[TEXT], UNIT, |cx, _| cx.sleep_ns(u64::MAX / 4).map(|()| 0))
        .on("spin", &[TEXT], UNIT, |cx, _| {
            loop {
                if cx.safepoint() != ag_runtime::code::OK {
                    return Err(Faulted);
                }
            }
        })
        .install();
    let started = test.cell(move |cx| {
        let mut last = AgentRef { slot: 0, generation: 1 }.pack();
        for number in 0..20 {
            last = spawn(cx, kind, vec![])?;
            let name = if number == 0 { "spin" } else { "sleep" };
            cx.signal(last, selector(name), vec![text("held")])?.unwrap();
            cx.signal(last, selector(name), vec![text("queued")])?.unwrap();
        }
        Ok(last)
    });
    let last = started.unwrap();
    let waiting = test.start(2, move |cx| ask(cx, last, "sleep", vec![text("asked")]));
    test.close();
    assert_eq!(waiting.join().unwrap_err().code, "R0704");
    assert!(
        test.sink.lines().is_empty(),
        "the end of a session is no news: {:?}",
        test.sink.lines()
    );
}
