//! The undo log, redefinition, globals.

use crate::support::{Agent, INT, TEXT, Test, UNIT, ask, int, selector, spawn, text};
use ag_runtime::context::globals::GlobalSlot;
use ag_runtime::fault::Faulted;
use ag_runtime::value::text::TextRef;

#[test]
fn a_fault_takes_back_what_its_message_changed() {
    let test = Test::real(2);
    let agent = Agent::new(test.world(), "A", &[], &[("n", INT), ("t", TEXT)], |_, _| {
        Ok(vec![7, text("before").into_word()])
    })
    .on("set", &[INT], UNIT, |cx, args| {
        for step in 0..3 {
            cx.set_field(0, args[0] + step);
            cx.set_field(1, text("after").into_word());
        }
        let taken = cx.take_field(1);
        cx.set_field(1, taken);
        if args[0] > 100 {
            // A Fault while a field is taken out.
            let taken = cx.take_field(1);
            ag_runtime::value::count::release(taken, TEXT);
            cx.fail("R0401", "too large");
            return Err(Faulted);
        }
        Ok(0)
    })
    .on("n", &[], INT, |cx, _| Ok(cx.field(0)))
    .on("t", &[], TEXT, |cx, _| Ok(cx.field_owned(1)))
    .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, agent, vec![])?;
        assert_eq!(ask(cx, agent, "set", vec![int(1000)]), Err(Faulted));
        assert_eq!(cx.take_fault().code, "R0401");
        assert_eq!(ask(cx, agent, "n", vec![])?, 7);
        let work = cx.ask(agent, selector("t"), vec![])?;
        let shown = cx.await_work(&work)?;
        // SAFETY: a Text.
        assert_eq!(unsafe { TextRef::from_word(shown.value()) }.as_str(), "before");
        ask(cx, agent, "set", vec![int(10)])?;
        ask(cx, agent, "n", vec![])
    });
    assert_eq!(result.unwrap(), 12);
}

#[test]
fn an_instance_takes_new_code_at_its_next_message_and_keeps_its_state() {
    let test = Test::real(2);
    let world = test.world();
    let add = |by: u64| {
        move |cx: &mut ag_runtime::context::Cx, _: &[u64]| {
            cx.set_field(0, cx.field(0) + by);
            Ok(cx.field(0))
        }
    };
    let kind = Agent::counter(world, "A").on("add", &[], INT, add(1)).install();
    let agent = test
        .cell(move |cx| {
            let agent = spawn(cx, kind, vec![])?;
            assert_eq!(ask(cx, agent, "add", vec![])?, 1);
            Ok(agent)
        })
        .unwrap();
    // The same field and a new one with an initialiser, in another order.
    Agent::new(world, "A", &[], &[("extra", INT), ("count", INT)], |_, _| Ok(vec![50, 60]))
        .on("add", &[], INT, |cx, _| {
            cx.set_field(1, cx.field(1) + 10);
            Ok(cx.field(0) + cx.field(1))
        })
        .on("new", &[], INT, |cx, _| Ok(cx.field(0)))
        .install();
    assert!(world.held_back(kind).is_empty());
    let result = test.cell(move |cx| {
        assert_eq!(ask(cx, agent, "add", vec![])?, 61);
        ask(cx, agent, "new", vec![])
    });
    assert_eq!(result.unwrap(), 50);
    // A field of another type: the instance keeps the code it has.
    Agent::new(world, "A", &[], &[("count", TEXT)], |_, _| Ok(vec![text("x").into_word()]))
        .on("add", &[], INT, |_, _| Ok(0))
        .install();
    assert_eq!(test.cell(move |cx| ask(cx, agent, "add", vec![])).unwrap(), 71);
    let held: Vec<String> = world.held_back(kind).into_iter().map(|held| held.why).collect();
    assert_eq!(held, ["`count` has another type"]);
}

#[test]
fn a_message_sees_the_globals_of_its_start() {
    let test = Test::seeded();
    let global = GlobalSlot(3);
    test.world().globals().set(global, int(1));
    let reader = Agent::plain(test.world(), "Reader")
        .on("read", &[], INT, move |cx, _| {
            let before = cx.global(global).unwrap();
            cx.sleep_ns(1_000)?;
            assert_eq!(cx.global(global), Some(before));
            Ok(before)
        })
        .install();
    let result = test.cell(move |cx| {
        let reader = spawn(cx, reader, vec![])?;
        let first = cx.ask(reader, selector("read"), vec![])?;
        cx.sleep_ns(500)?;
        cx.set_global(global, 2, INT);
        assert_eq!(cx.global(global), Some(2));
        assert_eq!(cx.await_work(&first)?.value(), 1);
        ask(cx, reader, "read", vec![])
    });
    assert_eq!(result.unwrap(), 2);
}
