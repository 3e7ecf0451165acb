//! Arithmetic, locals, calls, conditions, loops, Faults with places.

use crate::build::{
    add, arith, at, block, body, call, cell_with, compare, expr, float, for_range, function,
    if_else, int, int_local, let_, lt, mul, ret, run, set, sub, when, while_,
};
use crate::support::session;
use ag_lang::hir::{Arith, Compare, ExprKind};
use ag_lang::types::ty::Ty;

#[test]
fn arithmetic_is_exact_and_ordered() {
    let mut session = session();
    assert_eq!(session.run(add(int(2), mul(int(3), int(4)))).unwrap(), "14");
    assert_eq!(session.run(arith(Arith::Div, int(-7), int(2))).unwrap(), "-3");
    assert_eq!(session.run(arith(Arith::Rem, int(-7), int(2))).unwrap(), "-1");
    assert_eq!(session.run(arith(Arith::Rem, int(i64::MIN), int(-1))).unwrap(), "0");
    assert_eq!(session.run(add(float(0.5), float(0.25))).unwrap(), "0.75");
    let less = compare(Compare::Ge, float(f64::NAN), float(1.0));
    assert_eq!(session.run(if_else(less, int(1), int(2))).unwrap(), "2");
}

#[test]
fn overflow_is_a_fault_with_its_place_and_values() {
    let mut session = session();
    let fault = session.run(at(4, 9, add(int(i64::MAX), int(1)))).unwrap_err();
    assert_eq!(fault.code, "R0101");
    assert_eq!(fault.message, "overflow: 9223372036854775807 + 1");
    let site = fault.at.unwrap();
    assert_eq!((site.start, site.end, site.origin.cell), (4, 9, 1));
    let fault = session.run(arith(Arith::Div, int(1), int(0))).unwrap_err();
    assert_eq!(fault.code, "R0102");
    assert_eq!(fault.message, "division by zero: 1 / 0");
}

fn fib() -> ag_lang::hir::Function {
    let smaller = |by: i64| call("fib", vec![sub(int_local(0), int(by))], Ty::Int);
    let base = when(lt(int_local(0), int(2)), ret(int_local(0)));
    let rest = ret(at(20, 40, add(smaller(1), smaller(2))));
    function("fib", 1, &[Ty::Int], Ty::Int, block(vec![run(base)], rest))
}

#[test]
fn functions_call_themselves() {
    let mut session = session();
    session.define(vec![fib()]);
    assert_eq!(session.run(call("fib", vec![int(20)], Ty::Int)).unwrap(), "6765");
}

#[test]
fn loops_carry_assigned_locals() {
    let mut session = session();
    let count = while_(
        lt(int_local(0), int(10)),
        body(vec![set(1, add(int_local(1), int_local(0))), set(0, add(int_local(0), int(1)))]),
    );
    let program = block(vec![let_(0, int(0)), let_(1, int(0)), run(count)], int_local(1));
    assert_eq!(session.run_function(cell_with(&[Ty::Int, Ty::Int], program)).unwrap(), "45");
    for (low, high, inclusive, want) in [(0, 5, false, "10"), (0, 5, true, "15"), (5, 0, true, "0")]
    {
        let sum = for_range(
            1,
            int(low),
            int(high),
            inclusive,
            body(vec![set(0, add(int_local(0), int_local(1)))]),
        );
        let program = block(vec![let_(0, int(0)), run(sum)], int_local(0));
        assert_eq!(session.run_function(cell_with(&[Ty::Int, Ty::Int], program)).unwrap(), want);
    }
    let last =
        for_range(1, int(i64::MAX - 1), int(i64::MAX), true, body(vec![set(0, int_local(1))]));
    let program = block(vec![let_(0, int(0)), run(last)], int_local(0));
    let shown = session.run_function(cell_with(&[Ty::Int, Ty::Int], program)).unwrap();
    assert_eq!(shown, i64::MAX.to_string());
}

#[test]
fn break_and_continue_leave_what_was_assigned() {
    let mut session = session();
    let stop = when(compare(Compare::Eq, int_local(1), int(5)), expr(ExprKind::Break, Ty::Never));
    let odd = compare(Compare::Eq, arith(Arith::Rem, int_local(1), int(2)), int(1));
    let skip = when(odd, expr(ExprKind::Continue, Ty::Never));
    let add_it = set(0, add(int_local(0), int_local(1)));
    let sum = for_range(1, int(0), int(100), false, body(vec![run(stop), run(skip), add_it]));
    let program = block(vec![let_(0, int(0)), run(sum)], int_local(0));
    assert_eq!(session.run_function(cell_with(&[Ty::Int, Ty::Int], program)).unwrap(), "6");
}

#[test]
fn deep_recursion_is_a_fault_and_the_session_goes_on() {
    let mut session = session();
    let again = call("down", vec![add(int_local(0), int(1))], Ty::Int);
    session.define(vec![function("down", 1, &[Ty::Int], Ty::Int, ret(add(again, int(1))))]);
    let fault = session.run(call("down", vec![int(0)], Ty::Int)).unwrap_err();
    assert_eq!(fault.code, "R0110");
    assert!(fault.chain.iter().all(|frame| &*frame.function == "down"));
    assert_eq!(session.run(int(1)).unwrap(), "1");
}

#[test]
fn a_chain_names_the_callers() {
    let mut session = session();
    let inner =
        function("inner", 0, &[], Ty::Int, ret(at(1, 2, arith(Arith::Div, int(1), int(0)))));
    let outer = function("outer", 0, &[], Ty::Int, ret(at(3, 4, call("inner", vec![], Ty::Int))));
    session.define(vec![inner, outer]);
    let fault = session.run(at(5, 6, call("outer", vec![], Ty::Int))).unwrap_err();
    let chain: Vec<(&str, u32)> =
        fault.chain.iter().map(|frame| (&*frame.function, frame.site.start)).collect();
    assert_eq!(chain, [("inner", 1), ("outer", 3), ("cell 1", 5)]);
}
