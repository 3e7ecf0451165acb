//! Sessions over time: interrupts, redefinition under running code, code that is freed.

use crate::build::{
    add, block, body, boolean, call, call_value, compare, expr, function, function_ty, int,
    int_local, lambda, let_, local, lt, ret, run, set, sub, when, while_,
};
use crate::support::{session, text_session};
use ag_lang::hir::Compare;
use ag_lang::types::ty::Ty;
use std::time::Duration;

#[test]
fn an_endless_loop_can_be_interrupted() {
    let mut session = session();
    let spin = while_(boolean(true), body(vec![]));
    session.define(vec![function("spin", 0, &[], Ty::Unit, spin)]);
    let handle = session.start("spin");
    assert!(handle.try_join().is_none());
    session.engine.world().interrupt(session.last_cell());
    assert!(handle.join().unwrap_err().message.contains("interrupted"));
    assert_eq!(session.run(int(1)).unwrap(), "1");
}

#[test]
fn a_try_does_not_catch_an_interrupt() {
    let mut session = session();
    let spin = while_(boolean(true), body(vec![]));
    let fault = crate::build::adt("Fault", vec![]);
    let tried =
        expr(ag_lang::hir::ExprKind::Try(Box::new(spin)), crate::build::result_of(Ty::Unit, fault));
    session.define(vec![function("spin", 0, &[], Ty::Unit, body(vec![run(tried)]))]);
    let handle = session.start("spin");
    std::thread::sleep(Duration::from_millis(5));
    session.engine.world().interrupt(session.last_cell());
    assert!(handle.join().is_err());
}

/// `countdown` calls `step` once a round; it is redefined while it runs.
#[test]
fn running_code_finishes_on_its_old_version() {
    let mut session = session();
    let step = |by: i64| function("step", 1, &[Ty::Int], Ty::Int, ret(sub(int_local(0), int(by))));
    let base = when(compare(Compare::Le, int_local(0), int(0)), ret(int(0)));
    let next = call("step", vec![int_local(0)], Ty::Int);
    let again = add(int(1), call("rounds", vec![next], Ty::Int));
    let rounds = function("rounds", 1, &[Ty::Int], Ty::Int, block(vec![run(base)], ret(again)));
    session.define(vec![step(1), rounds.clone()]);
    assert_eq!(session.run(call("rounds", vec![int(10)], Ty::Int)).unwrap(), "10");
    session.define(vec![step(5)]);
    assert_eq!(session.run(call("rounds", vec![int(10)], Ty::Int)).unwrap(), "2");
    // Another signature is another slot: the caller that is not compiled again goes on with the step it knows.
    session.define(vec![function("step", 0, &[], Ty::Int, ret(int(0)))]);
    assert_eq!(session.run(call("rounds", vec![int(10)], Ty::Int)).unwrap(), "2");
}

#[test]
fn a_sleeping_coroutine_keeps_the_code_it_began_with() {
    let mut session = text_session();
    let define = |n: u32| {
        format!(
            "function slow() -> Int {{\n  @sleep(1h)\n  return helper() + {n}\n}}\nfunction helper() -> Int {{ return {n} }}"
        )
    };
    session.cell(&define(0)).unwrap();
    let handle = session.session.start("slow");
    while session.session.engine.world().clock().monotonic_ns() == 0 && handle.try_join().is_none()
    {
        std::thread::yield_now();
    }
    for n in 1..=200 {
        session.cell(&define(n)).unwrap();
    }
    let value = handle.join().unwrap().value();
    assert!(
        value == 200 || value == 0,
        "the frame of the first version calls what is in force: {value}"
    );
}

#[test]
fn replaced_code_is_freed() {
    let mut session = session();
    let version = |n: i64| function("f", 0, &[], Ty::Int, ret(int(n)));
    for n in 0..2000 {
        session.define(vec![version(n)]);
    }
    assert_eq!(session.run(call("f", vec![], Ty::Int)).unwrap(), "1999");
    let table = session.engine.world().functions();
    assert!(table.retired() < 100, "{} versions wait", table.retired());
    assert_eq!(table.len(), 2);
    assert_eq!(session.engine.compiles("f"), 2000);
}

#[test]
fn steps_of_cells_are_freed() {
    let mut session = text_session();
    session.cell("var n := 0").unwrap();
    let before = session.session.engine.world().functions().len();
    for _ in 0..300 {
        session.cell("n += 1").unwrap();
    }
    assert_eq!(session.cell("n").unwrap(), "300");
    let table = session.session.engine.world().functions();
    assert!(table.len() <= before + 2, "{} slots after {before}", table.len());
    assert!(table.retired() < 100);
}

#[test]
fn lambdas_keep_the_code_they_were_made_with() {
    let mut session = text_session();
    session.cell("function adder(n : Int) -> (Int) -> Int { return x => x + n }").unwrap();
    session.cell("let f := adder(1)").unwrap();
    session.cell("function adder(n : Int) -> (Int) -> Int { return x => x * 100 + n }").unwrap();
    assert_eq!(session.cell("(f(1), adder(1)(1))").unwrap(), "(2, 101)");
}

#[test]
fn recursion_through_builtins_is_bounded_too() {
    let mut session = text_session();
    session
        .cell("function deep(xs : List<Int>) -> Int { return xs.map(x => deep(xs)).sum }")
        .unwrap();
    assert_eq!(session.cell("deep([1])").unwrap_err().code, "R0110");
    assert_eq!(session.cell("1 + 1").unwrap(), "2");
}

#[test]
fn a_shared_counter_is_one_variable() {
    let mut session = session();
    let mut inner = function(
        "cell 1.{lambda 1}",
        0,
        &[Ty::Int],
        Ty::Unit,
        body(vec![set(0, add(int_local(0), int(1)))]),
    );
    inner.locals[0].boxed = true;
    let bump = lambda(inner, vec![crate::build::capture(0, 0)]);
    let calls = while_(
        lt(int_local(0), int(5)),
        body(vec![run(call_value(local(1, function_ty(vec![], Ty::Unit)), vec![], Ty::Unit))]),
    );
    let program = block(vec![let_(0, int(0)), let_(1, bump), run(calls)], int_local(0));
    let mut cell = crate::build::cell_with(&[Ty::Int, function_ty(vec![], Ty::Unit)], program);
    cell.locals[0].boxed = true;
    assert_eq!(session.run_function(cell).unwrap(), "5");
}
