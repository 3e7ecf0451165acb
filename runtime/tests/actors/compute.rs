//! `@cpu_intensive` behaviors run on threads of their own, and come back.

use crate::support::{Agent, INT, Test, UNIT, selector, spawn};
use ag_runtime::actor::kind::Attributes;
use ag_runtime::context::Cx;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

fn on_compute() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("ag-compute"))
}

#[test]
fn a_behavior_that_computes_holds_up_no_worker() {
    let test = Test::real(1);
    let attributes = Attributes { is_cpu_intensive: true, ..Attributes::default() };
    // It ends only when another agent has run, which the one worker must do meanwhile.
    let released = Arc::new(AtomicBool::new(false));
    let (seen, release) = (Arc::clone(&released), Arc::clone(&released));
    let agent = Agent::counter(test.world(), "Miner")
        .on_with("mine", &[], INT, attributes, move |cx, _| {
            assert!(on_compute());
            while !seen.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
            cx.sleep_ns(1_000_000)?;
            assert!(on_compute(), "after a wait too");
            cx.set_field(0, 41);
            Ok(1)
        })
        .on("count", &[], INT, |cx, _| {
            assert!(!on_compute());
            Ok(cx.field(0))
        })
        .install();
    let other = Agent::plain(test.world(), "Other")
        .on("release", &[], UNIT, move |_, _| {
            release.store(true, Ordering::Release);
            Ok(0)
        })
        .install();
    let result = test.cell(move |cx| {
        let (miner, other) = (spawn(cx, agent, vec![])?, spawn(cx, other, vec![])?);
        let mined = cx.ask(miner, selector("mine"), vec![])?;
        let released = cx.ask(other, selector("release"), vec![])?;
        let _ = cx.await_work(&released)?;
        assert_eq!(cx.await_work(&mined)?.value(), 1);
        let count = cx.ask(miner, selector("count"), vec![])?;
        Ok(cx.await_work(&count)?.value())
    });
    assert_eq!(result.unwrap(), 41);
}

#[test]
fn several_compute_at_once_and_can_be_stopped() {
    let test = Test::real(2);
    let attributes = Attributes { is_cpu_intensive: true, ..Attributes::default() };
    let both = Arc::new(Barrier::new(2));
    let loops = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&loops);
    let agent = Agent::plain(test.world(), "Miner")
        .on_with("meet", &[], UNIT, attributes, move |_: &mut Cx, _| {
            both.wait();
            Ok(0)
        })
        .on_with("forever", &[], UNIT, attributes, move |cx: &mut Cx, _| {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                if cx.safepoint() != ag_runtime::code::OK {
                    return Err(ag_runtime::fault::Faulted);
                }
            }
        })
        .install();
    let result = test.cell(move |cx| {
        let (a, b) = (spawn(cx, agent, vec![])?, spawn(cx, agent, vec![])?);
        let met = [cx.ask(a, selector("meet"), vec![])?, cx.ask(b, selector("meet"), vec![])?];
        for work in met {
            let _ = cx.await_work(&work)?;
        }
        // More of them than threads: each has its turn, and the time limit ends them all.
        let depth = cx.open_time_limit(20_000_000);
        let works: Vec<_> = (0..6)
            .map(|_| {
                let miner = spawn(cx, agent, vec![])?;
                cx.ask(miner, selector("forever"), vec![])
            })
            .collect::<Result<_, _>>()?;
        let mut stopped = 0;
        for work in &works {
            stopped += u64::from(cx.await_work(work).is_err());
        }
        cx.close_scopes(depth);
        Ok(stopped)
    });
    assert_eq!(result.unwrap(), 6);
    assert!(loops.load(Ordering::Relaxed) > 0);
}
