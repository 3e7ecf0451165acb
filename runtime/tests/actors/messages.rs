//! Requests, signals, order, backpressure.

use crate::support::{Agent, INT, TEXT, Test, UNIT, ask, int, selector, spawn, text};
use ag_runtime::actor::kind::{Attributes, Priority};
use ag_runtime::actor::request::Backpressure;
use ag_runtime::fault::Faulted;
use ag_runtime::value::count::retain;
use ag_runtime::value::text::TextRef;

#[test]
fn two_agents_play_ping_pong() {
    let test = Test::real(2);
    let pong = Agent::counter(test.world(), "Pong")
        .on("ping", &[INT], INT, |cx, args| {
            cx.set_field(0, cx.field(0) + 1);
            Ok(args[0] + 1)
        })
        .on("count", &[], INT, |cx, _| Ok(cx.field(0)))
        .install();
    let result = test.cell(move |cx| {
        let pong = spawn(cx, pong, vec![])?;
        let mut ball = 0;
        for _ in 0..1000 {
            ball = ask(cx, pong, "ping", vec![int(ball)])?;
        }
        assert_eq!(ball, 1000);
        ask(cx, pong, "count", vec![])
    });
    assert_eq!(result.unwrap(), 1000);
}

#[test]
fn counted_values_travel_both_ways() {
    let test = Test::real(2);
    let echo = Agent::plain(test.world(), "Echo")
        .on("say", &[TEXT], TEXT, |_, args| {
            retain(args[0], TEXT);
            Ok(args[0])
        })
        .install();
    let result = test.cell(move |cx| {
        let echo = spawn(cx, echo, vec![])?;
        let said = text("a text that lives on the heap");
        let work = cx.ask(echo, selector("say"), vec![said.clone()])?;
        let back = cx.await_work(&work)?;
        assert_eq!(back.value(), said.value(), "sending does not copy");
        // SAFETY: a Text.
        assert_eq!(
            unsafe { TextRef::from_word(back.value()) }.as_str(),
            "a text that lives on the heap"
        );
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
}

#[test]
fn messages_of_one_sender_stay_in_order() {
    let test = Test::real(2);
    let list =
        Agent::new(test.world(), "Log", &[], &[("sum", INT), ("last", INT)], |_, _| Ok(vec![0, 0]))
            .mailbox(50_000)
            .on("note", &[INT], UNIT, |cx, args| {
                assert_eq!(args[0], cx.field(1) + 1, "in order");
                cx.set_field(1, args[0]);
                Ok(0)
            })
            .on("last", &[], INT, |cx, _| Ok(cx.field(1)))
            .install();
    let result = test.cell(move |cx| {
        let log = spawn(cx, list, vec![])?;
        for number in 1..=10_000 {
            cx.signal(log, selector("note"), vec![int(number)])?.unwrap();
        }
        ask(cx, log, "last", vec![])
    });
    assert_eq!(result.unwrap(), 10_000);
}

#[test]
fn above_high_water_signals_are_refused_and_requests_wait_for_low_water() {
    let test = Test::seeded();
    let slow = Agent::counter(test.world(), "Slow")
        .mailbox(10)
        .on("work", &[], INT, |cx, _| {
            cx.sleep_ns(1_000_000)?;
            cx.set_field(0, cx.field(0) + 1);
            Ok(cx.field(0))
        })
        .install();
    let result = test.cell(move |cx| {
        let slow = spawn(cx, slow, vec![])?;
        // Let it take the first one, which it holds while it sleeps.
        cx.signal(slow, selector("work"), vec![])?.unwrap();
        cx.sleep_ns(1)?;
        for _ in 0..8 {
            cx.signal(slow, selector("work"), vec![])?.unwrap();
        }
        let refused = cx.signal(slow, selector("work"), vec![])?;
        assert_eq!(refused, Err(Backpressure(8)));
        let before = cx.now_ns();
        let work = cx.ask(slow, selector("work"), vec![])?;
        // Room came when the mailbox had drained from 8 to the low mark of 2.
        assert_eq!((cx.now_ns() - before).div_ceil(1_000_000), 6);
        assert_eq!(cx.await_work(&work)?.value(), 10);
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
    let totals = test.world().trace(&Default::default()).totals;
    assert_eq!((totals.sent, totals.handled, totals.waiting), (10, 10, 0));
}

#[test]
fn alerts_come_first_and_priorities_go_by_level() {
    let test = Test::seeded();
    let level = |priority| Attributes { priority: Some(priority), ..Attributes::default() };
    let alert = Attributes { is_alert: true, ..Attributes::default() };
    let say = |line: &'static str| {
        move |cx: &mut ag_runtime::context::Cx, _: &[u64]| {
            cx.print(ag_runtime::context::sink::Stream::Out, line);
            Ok(0)
        }
    };
    let agent = Agent::plain(test.world(), "A")
        .on("block", &[], UNIT, |cx, _| cx.sleep_ns(1_000_000).map(|()| 0))
        .on_with("low", &[], UNIT, level(Priority::Low), say("low"))
        .on("normal", &[], UNIT, say("normal"))
        .on_with("high", &[], UNIT, level(Priority::High), say("high"))
        .on_with("alert", &[], UNIT, alert, say("alert"))
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, agent, vec![])?;
        let mut works = Vec::new();
        for name in ["block", "low", "normal", "high", "alert"] {
            works.push(cx.ask(agent, selector(name), vec![])?);
        }
        for work in works {
            let _ = cx.await_work(&work)?;
        }
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
    assert_eq!(test.sink.lines(), ["1: alert", "1: high", "1: normal", "1: low"]);
}

#[test]
fn a_message_the_receiver_does_not_have_faults_at_the_sender() {
    let test = Test::real(1);
    let agent =
        Agent::plain(test.world(), "A").on("one", &[INT], INT, |_, args| Ok(args[0])).install();
    let code = test.code(move |cx| {
        let agent = spawn(cx, agent, vec![])?;
        assert_eq!(ask(cx, agent, "one", vec![text("not an Int")]), Err(Faulted));
        assert_eq!(cx.take_fault().code, "R0901");
        ask(cx, agent, "other", vec![])
    });
    assert_eq!(code, "R0901");
}

#[test]
fn a_fault_of_the_other_side_is_raised_by_await() {
    let test = Test::real(2);
    let agent = Agent::plain(test.world(), "A")
        .on("fail", &[], INT, |cx, _| {
            cx.fail("R0401", "on purpose");
            Err(Faulted)
        })
        .install();
    let fault = test
        .cell(move |cx| {
            let agent = spawn(cx, agent, vec![])?;
            ask(cx, agent, "fail", vec![])
        })
        .unwrap_err();
    assert_eq!((fault.code, fault.message.as_str()), ("R0401", "on purpose"));
    assert!(test.sink.lines().is_empty(), "it was awaited");
}

#[test]
fn a_fault_nobody_awaits_is_shown_by_the_cell() {
    let test = Test::seeded();
    let agent = Agent::plain(test.world(), "A")
        .on("fail", &[], INT, |cx, _| {
            cx.fail("R0401", "on purpose");
            Err(Faulted)
        })
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, agent, vec![])?;
        cx.signal(agent, selector("fail"), vec![])?.unwrap();
        drop(cx.ask(agent, selector("fail"), vec![])?);
        cx.sleep_ns(1).map(|()| 0)
    });
    assert_eq!(result.unwrap(), 0);
    assert_eq!(test.sink.lines(), ["1: A: R0401", "1: fail: R0401"]);
}
