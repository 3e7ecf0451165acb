//! Cancellation, interrupts, time limits.

use crate::support::{Agent, INT, TEXT, Test, UNIT, ask, int, selector, spawn, text};
use ag_runtime::builtin::{BuiltinId, function, member};
use ag_runtime::code::OK;
use ag_runtime::context::Cx;
use ag_runtime::fault::Faulted;
use ag_runtime::value::list::ListBuf;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

fn spin(cx: &mut Cx) -> Result<u64, Faulted> {
    loop {
        if cx.safepoint() != OK {
            return Err(Faulted);
        }
    }
}

/// Until the other side says so; the tests are about what happens, not when.
fn wait_for(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[test]
fn a_sleeping_cell_is_cancelled() {
    let test = Test::real(1);
    let asleep = Arc::new(AtomicBool::new(false));
    let flag = asleep.clone();
    let handle = test.start(1, move |cx| {
        let _held = text("held while asleep");
        flag.store(true, Ordering::SeqCst);
        cx.sleep_ns(u64::MAX / 4).map(|()| 0)
    });
    wait_for(&asleep);
    handle.cancel("R0602");
    assert_eq!(handle.join().unwrap_err().code, "R0602");
}

#[test]
fn a_spinning_cell_is_interrupted_and_agents_live_on() {
    let test = Test::real(1);
    let kind = Agent::counter(test.world(), "A")
        .on("spin", &[TEXT], INT, |cx, _| {
            cx.set_field(0, 5);
            spin(cx)
        })
        .on("count", &[], INT, |cx, _| Ok(cx.field(0)))
        .install();
    let agent = test.cell(move |cx| spawn(cx, kind, vec![])).unwrap();
    let begun = Arc::new(AtomicBool::new(false));
    let flag = begun.clone();
    let handle = test.start(7, move |cx| {
        let work = cx.ask(agent, selector("spin"), vec![text("held")])?;
        flag.store(true, Ordering::SeqCst);
        let task = task(cx);
        let _other = cx.start_task("spinner", task)?;
        cx.await_work(&work).map(|_| 0)
    });
    wait_for(&begun);
    test.world().interrupt(7);
    assert_eq!(handle.join().unwrap_err().code, "R0602");
    // The message was cancelled with the cell, and rolled back; the agent answers.
    assert_eq!(test.cell(move |cx| ask(cx, agent, "count", vec![])).unwrap(), 0);
    test.world().settle();
    assert_eq!(test.world().scheduler().busy(), 0);
}

/// Each agent asks the next and waits: the cell answers at once, the others end behind it, and all live on.
#[test]
fn a_long_chain_of_waiting_agents_ends_with_the_cell() {
    const LENGTH: u32 = 6_000;
    let test = Test::real(2);
    let link = Arc::new(OnceLock::new());
    let own = link.clone();
    let at_its_end = Arc::new(AtomicBool::new(false));
    let flag = at_its_end.clone();
    let kind = Agent::counter(test.world(), "Link")
        .on("go", &[INT], INT, move |cx, args| {
            let left = args[0];
            cx.set_field(0, 1);
            if left == 0 {
                flag.store(true, Ordering::SeqCst);
                return cx.sleep_ns(u64::MAX / 4).map(|()| 0);
            }
            let next = spawn(cx, *own.get().unwrap(), vec![])?;
            ask(cx, next, "go", vec![int(left - 1)])
        })
        .on("count", &[], INT, |cx, _| Ok(cx.field(0)))
        .install();
    link.set(kind).unwrap();
    let first = test.cell(move |cx| spawn(cx, kind, vec![])).unwrap();
    let handle = test.start(7, move |cx| ask(cx, first, "go", vec![int(LENGTH.into())]));
    wait_for(&at_its_end);
    test.world().interrupt(7);
    assert_eq!(handle.join().unwrap_err().code, "R0602");
    test.world().settle();
    assert_eq!(test.world().scheduler().busy(), 0);
    assert_eq!(test.world().agents().live(), LENGTH + 1, "they live on");
    assert_eq!(test.cell(move |cx| ask(cx, first, "count", vec![])).unwrap(), 0, "rolled back");
}

fn task(cx: &mut Cx) -> ag_runtime::value::owned::Owned {
    let slot = crate::support::function(&cx.world, &[], INT, |cx, _| spin(cx));
    closure(slot)
}

fn closure(slot: ag_runtime::code::FnSlot) -> ag_runtime::value::owned::Owned {
    use ag_runtime::value::closure::FunctionBuf;
    use ag_runtime::value::shape::ShapeId;
    FunctionBuf::new(ShapeId::function(&[], INT), slot, &[]).into_owned()
}

#[test]
fn work_cancelled_before_it_begins_is_never_run() {
    let test = Test::seeded();
    let kind = Agent::counter(test.world(), "A")
        .on("work", &[], INT, |cx, _| {
            cx.set_field(0, cx.field(0) + 1);
            cx.sleep_ns(1_000)?;
            Ok(cx.field(0))
        })
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, kind, vec![])?;
        let first = cx.ask(agent, selector("work"), vec![])?;
        let second = cx.ask(agent, selector("work"), vec![])?;
        let reason = ag_runtime::coord::work::Reason::new("R0602", "lost the race");
        let world = cx.world.clone();
        world.cancel(&second, &reason);
        assert_eq!(cx.await_work(&first)?.value(), 1);
        assert!(cx.await_work(&second).is_err());
        assert_eq!(cx.take_fault().message, "lost the race");
        ask(cx, agent, "work", vec![])
    });
    assert_eq!(result.unwrap(), 2, "the cancelled message did not count");
}

#[test]
fn a_time_limit_ends_its_block_and_what_the_block_asked_for() {
    let test = Test::seeded();
    let kind = Agent::counter(test.world(), "A")
        .on("slow", &[], UNIT, |cx, _| {
            cx.set_field(0, 1);
            cx.sleep_ns(1_000_000_000).map(|()| 0)
        })
        .on("count", &[], INT, |cx, _| Ok(cx.field(0)))
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, kind, vec![])?;
        let begun = cx.now_ns();
        let depth = cx.open_time_limit(2_000_000);
        assert_eq!(ask(cx, agent, "slow", vec![]), Err(Faulted));
        assert!(cx.is_cancelled(), "inside the block `try` must not catch it");
        cx.close_scopes(depth);
        assert!(!cx.is_cancelled());
        assert_eq!(cx.take_fault().code, "R0602");
        assert_eq!(cx.now_ns() - begun, 2_000_000);
        // Inside the limit nothing happens, and the timer goes with the block.
        let depth = cx.open_time_limit(2_000_000);
        let count = ask(cx, agent, "count", vec![])?;
        cx.close_scopes(depth);
        cx.sleep_ns(5_000_000)?;
        Ok(count)
    });
    assert_eq!(result.unwrap(), 0, "the message under the limit was rolled back");
}

#[test]
fn a_time_limit_stops_a_loop_that_never_waits() {
    let test = Test::real(1);
    let code = test.code(|cx| {
        cx.open_time_limit(1_000_000);
        spin(cx)
    });
    assert_eq!(code, "R0602");
}

/// Calls a builtin of one argument in a cell that is interrupted: it must stop inside.
fn stops_inside(test: &Test, row: BuiltinId, generic: &'static [ShapeId], make: fn() -> Owned) {
    let name = row.get().unwrap().name;
    let handle = test.start(7, move |cx| {
        let large = make();
        let shapes = generic.iter().map(|shape| u64::from(shape.0));
        let words: Vec<u64> = std::iter::once(large.value()).chain(shapes).collect();
        let row = row.get().unwrap();
        assert_eq!(row.words as usize, words.len(), "{name}");
        let world = cx.world.clone();
        world.interrupt(7);
        assert_ne!((row.call)(cx, words.as_ptr()), OK, "{name} went on to its end");
        Err(Faulted)
    });
    assert_eq!(handle.join().unwrap_err().code, "R0602", "{name}");
}

#[test]
fn long_builtins_stop_inside_and_leave_nothing() {
    let test = Test::real(1);
    let ints: fn() -> Owned = || ListBuf::from_items(ShapeId::list(INT), &[7; 5_000]).into_owned();
    let document: fn() -> Owned = || text(&format!("[{}1]", "1,".repeat(5_000)));
    let characters: fn() -> Owned = || text(&"x".repeat(5_000));
    let of_list: &'static [ShapeId] = vec![ShapeId::list(INT)].leak();
    stops_inside(&test, function("json").unwrap(), of_list, ints);
    stops_inside(&test, function("parse_json").unwrap(), &[], document);
    stops_inside(&test, member("Text", "chars").unwrap(), &[], characters);
    stops_inside(&test, member("List", "enumerate").unwrap(), &[INT], ints);
}
