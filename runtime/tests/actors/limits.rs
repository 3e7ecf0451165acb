//! Steps, depth, fairness, deadlock.

use crate::support::{Agent, INT, Test, agent_shape, ask, function, selector, spawn};
use ag_runtime::code::OK;
use ag_runtime::fault::Faulted;
use ag_runtime::rng::Seed;
use ag_runtime::value::owned::Owned;
use ag_runtime::world::options::{Limits, WorldOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_program_that_takes_too_many_steps_faults() {
    let limits = Limits { steps: 100_000, ..Limits::default() };
    let test = Test::with(WorldOptions { limits, ..WorldOptions::seeded(Seed(1)) });
    let code = test.code(|cx| {
        loop {
            if cx.safepoint() != OK {
                return Err(Faulted);
            }
        }
    });
    assert_eq!(code, "R0109");
    // The count begins anew with the next cell.
    let code = test.code(|cx| {
        for _ in 0..90_000 {
            assert_eq!(cx.safepoint(), OK);
        }
        Ok(0)
    });
    assert_eq!(code, "no fault");
}

#[test]
fn a_program_that_fills_the_memory_faults() {
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let test = Test::with(WorldOptions { limits, ..WorldOptions::seeded(Seed(1)) });
    let code = test.code(|cx| {
        let mut kept = Vec::new();
        loop {
            kept.push(crate::support::text("sixteen bytes or more of text"));
            if cx.safepoint() != OK {
                return Err(Faulted);
            }
        }
    });
    assert_eq!(code, "R0113");
    assert_eq!(test.code(|_| Ok(0)), "no fault");
}

#[test]
fn endless_recursion_is_a_fault_by_frames_and_by_native_stack() {
    let test = Test::seeded();
    let recursive = Arc::new(std::sync::OnceLock::new());
    let this = recursive.clone();
    let slot = function(test.world(), &[INT], INT, move |cx, args| {
        cx.call_slot(*this.get().unwrap(), &[args[0] + 1])
    });
    recursive.set(slot).unwrap();
    assert_eq!(test.code(move |cx| cx.call_slot(slot, &[0])), "R0110");
    let frames = test.code(|cx| {
        let mut frames = Vec::new();
        loop {
            let frame = cx.registers.enter(3);
            if frame.is_null() {
                cx.fail_depth();
                frames.into_iter().rev().for_each(|frame| cx.registers.leave(frame));
                return Err(Faulted);
            }
            frames.push(frame);
        }
    });
    assert_eq!(frames, "R0110");
}

#[test]
fn a_loop_lets_others_have_the_only_worker() {
    let test = Test::real(1);
    let seen = Arc::new(AtomicBool::new(false));
    let flag = seen.clone();
    let kind = Agent::plain(test.world(), "A")
        .on("tell", &[], INT, move |_, _| {
            flag.store(true, Ordering::SeqCst);
            Ok(0)
        })
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, kind, vec![])?;
        cx.signal(agent, selector("tell"), vec![])?.unwrap();
        while !seen.load(Ordering::SeqCst) {
            assert_eq!(cx.safepoint(), OK);
        }
        Ok(1)
    });
    assert_eq!(result.unwrap(), 1);
}

/// Asks the agent it is given to ask the agent it was given, and so on.
fn chain(test: &Test) -> ag_runtime::actor::kind::TypeId {
    Agent::new(test.world(), "Link", &[], &[("next", agent_shape())], |_, _| Ok(vec![0]))
        .on("follow", &[agent_shape()], INT, |cx, args| {
            cx.set_field(0, args[0]);
            Ok(0)
        })
        .on("hop", &[INT], INT, |cx, args| match args[0] {
            0 => Ok(0),
            left => Ok(1 + ask(cx, cx.field(0), "hop", vec![crate::support::int(left - 1)])?),
        })
        .install()
}

fn ring(
    cx: &mut ag_runtime::context::Cx,
    link: ag_runtime::actor::kind::TypeId,
    size: usize,
) -> Result<Vec<u64>, Faulted> {
    let agents: Vec<u64> = (0..size).map(|_| spawn(cx, link, vec![])).collect::<Result<_, _>>()?;
    for (at, &agent) in agents.iter().enumerate() {
        let next = Owned::new(agents[(at + 1) % size], agent_shape());
        ask(cx, agent, "follow", vec![next])?;
    }
    Ok(agents)
}

#[test]
fn two_hundred_agents_wait_for_each_other_on_two_workers() {
    let test = Test::real(2);
    let link = chain(&test);
    let result = test.cell(move |cx| {
        let agents = ring(cx, link, 200)?;
        // From several starting points at a time, each chain of replies ends before it meets itself.
        let mut sum = 0;
        for _ in 0..20 {
            sum += ask(cx, agents[0], "hop", vec![crate::support::int(199)])?;
        }
        Ok(sum)
    });
    assert_eq!(result.unwrap(), 20 * 199);
}

#[test]
fn the_wait_that_closes_a_cycle_faults() {
    let test = Test::real(2);
    let link = chain(&test);
    for size in [1, 2, 5] {
        let fault = test
            .cell(move |cx| {
                let agents = ring(cx, link, size)?;
                ask(cx, agents[0], "hop", vec![crate::support::int(1000)])
            })
            .unwrap_err();
        assert_eq!(fault.code, "R0710");
        assert_eq!(fault.message.matches("Link").count(), size + 1);
    }
}

#[test]
fn a_cycle_under_a_time_limit_is_no_deadlock() {
    let test = Test::seeded();
    let link = chain(&test);
    let code = test.code(move |cx| {
        let agents = ring(cx, link, 3)?;
        cx.open_time_limit(1_000_000);
        ask(cx, agents[0], "hop", vec![crate::support::int(1000)])
    });
    assert_eq!(code, "R0602");
}

#[test]
fn an_answered_agent_that_has_not_gone_on_yet_is_no_part_of_a_cycle() {
    let test = Test::seeded();
    let shape = agent_shape();
    let kind = Agent::plain(test.world(), "A")
        .on("leaf", &[], INT, |_, _| Ok(1))
        .on("back", &[shape], INT, |cx, args| ask(cx, args[0], "leaf", vec![]))
        .on("begin", &[shape], INT, move |cx, args| {
            let own = cx.self_ref().unwrap().pack();
            let leaf = cx.ask(args[0], selector("leaf"), vec![])?;
            // Behind the leaf in the other's mailbox: it is answered first, and then waits for this agent.
            let back = cx.ask(args[0], selector("back"), vec![Owned::new(own, shape)])?;
            drop(back);
            Ok(cx.await_work(&leaf)?.value())
        })
        .install();
    let result = test.cell(move |cx| {
        let (one, other) = (spawn(cx, kind, vec![])?, spawn(cx, kind, vec![])?);
        let begun = ask(cx, one, "begin", vec![Owned::new(other, shape)])?;
        cx.sleep_ns(1)?;
        Ok(begun)
    });
    assert_eq!(result.unwrap(), 1);
    assert!(test.sink.lines().is_empty(), "{:?}", test.sink.lines());
}

#[test]
fn agents_that_wait_for_room_in_each_others_mailbox_are_a_cycle() {
    let test = Test::seeded();
    let shape = agent_shape();
    let kind = Agent::plain(test.world(), "A")
        .mailbox(10)
        .on("leaf", &[], INT, |_, _| Ok(1))
        .on("flood", &[shape], INT, |cx, args| {
            for _ in 0..20 {
                drop(cx.ask(args[0], selector("leaf"), vec![])?);
            }
            Ok(0)
        })
        .install();
    let result = test.cell(move |cx| {
        let (one, other) = (spawn(cx, kind, vec![])?, spawn(cx, kind, vec![])?);
        let first = cx.ask(one, selector("flood"), vec![Owned::new(other, shape)])?;
        let second = cx.ask(other, selector("flood"), vec![Owned::new(one, shape)])?;
        let ends = [cx.await_work(&first), cx.await_work(&second)];
        assert_eq!(
            ends.iter().filter(|end| end.is_err()).count(),
            1,
            "one faults, the other goes on"
        );
        assert_eq!(cx.take_fault().code, "R0710");
        Ok(0)
    });
    assert_eq!(result.unwrap(), 0);
}

/// An agent that asks another, which asks it back, under a limit that it leaves before it waits.
#[test]
fn who_began_to_wait_under_a_limit_that_was_left_is_part_of_a_cycle() {
    let test = Test::seeded();
    let shape = agent_shape();
    let kind = Agent::plain(test.world(), "A")
        .on("leaf", &[], INT, |_, _| Ok(1))
        .on("back", &[shape], INT, |cx, args| ask(cx, args[0], "leaf", vec![]))
        .on("begin", &[shape], INT, move |cx, args| {
            let own = cx.self_ref().unwrap().pack();
            let scope = cx.open_time_limit(1_000_000_000);
            let back = cx.ask(args[0], selector("back"), vec![Owned::new(own, shape)])?;
            cx.sleep_ns(1_000)?;
            cx.close_scopes(scope);
            Ok(cx.await_work(&back)?.value())
        })
        .install();
    let fault = test.cell(move |cx| {
        let (one, other) = (spawn(cx, kind, vec![])?, spawn(cx, kind, vec![])?);
        ask(cx, one, "begin", vec![Owned::new(other, shape)])
    });
    let fault = fault.unwrap_err();
    assert_eq!(fault.code, "R0710");
    assert!(fault.message.starts_with("agents wait for each other"), "{fault}");
}

#[test]
fn a_cancelled_request_that_nobody_comes_to_is_no_wait() {
    let test = Test::seeded();
    let shape = agent_shape();
    let kind = Agent::plain(test.world(), "A")
        .on("leaf", &[], INT, |_, _| Ok(1))
        .on("late", &[shape], INT, |cx, args| {
            let scope = cx.open_time_limit(1_000);
            let leaf = cx.ask(args[0], selector("leaf"), vec![])?;
            assert!(cx.sleep_ns(5_000).is_err());
            assert_eq!(cx.take_fault().code, "R0602");
            cx.close_scopes(scope);
            Ok(cx.await_work(&leaf)?.value())
        })
        .on("begin", &[shape], INT, move |cx, args| {
            let own = cx.self_ref().unwrap().pack();
            ask(cx, args[0], "late", vec![Owned::new(own, shape)])
        })
        .install();
    let code = test.code(move |cx| {
        let (one, other) = (spawn(cx, kind, vec![])?, spawn(cx, kind, vec![])?);
        ask(cx, one, "begin", vec![Owned::new(other, shape)])
    });
    assert_eq!(code, "R0602");
}
