//! Waiting for what happens outside, at any depth.

use crate::support::{INT, Test, function};
use ag_runtime::code::{FAULT, OK, Status};
use ag_runtime::context::Cx;
use ag_runtime::context::wait::Completer;
use ag_runtime::fault::Faulted;
use ag_runtime::value::closure::FunctionBuf;
use ag_runtime::value::shape::ShapeId;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

#[test]
fn a_completion_before_the_suspension_is_not_lost() {
    let test = Test::real(1);
    let result = test.cell(|cx| cx.wait(|completer| completer.complete(5)));
    assert_eq!(result.unwrap(), 5);
}

#[test]
fn a_completion_from_another_thread_resumes_the_coroutine() {
    let test = Test::real(2);
    let (send, receive) = mpsc::channel::<Completer<u64>>();
    let send = Mutex::new(send);
    let handle = test.start(1, move |cx| {
        let send = send.lock().unwrap().clone();
        let mut sum = 0;
        for _ in 0..100 {
            sum += cx.wait(|completer| send.send(completer).unwrap())?;
        }
        Ok(sum)
    });
    for number in 0..100 {
        receive.recv().unwrap().complete(number);
    }
    assert_eq!(handle.join().unwrap().value(), 4950);
}

#[test]
fn a_waiting_coroutine_gives_its_worker_back() {
    let test = Test::real(1);
    let completers = Arc::new(Mutex::new(Vec::new()));
    let kept = completers.clone();
    let waiting =
        test.start(1, move |cx| cx.wait(|completer| kept.lock().unwrap().push(completer)));
    // The only worker runs another cell to its end meanwhile.
    assert_eq!(test.cell(|_| Ok(1)).unwrap(), 1);
    let completer: Completer<u64> = loop {
        match completers.lock().unwrap().pop() {
            Some(completer) => break completer,
            None => std::thread::sleep(Duration::from_micros(50)),
        }
    };
    completer.complete(9);
    assert_eq!(waiting.join().unwrap().value(), 9);
}

#[test]
fn a_completer_that_is_dropped_ends_the_wait() {
    let test = Test::seeded();
    assert_eq!(test.code(|cx| cx.wait(|completer: Completer<u64>| drop(completer))), "R0999");
}

#[test]
fn a_cancelled_waiter_is_not_wanted_any_more() {
    let test = Test::real(1);
    let (send, receive) = mpsc::channel::<Completer<u64>>();
    let send = Mutex::new(send);
    let handle = test.start(1, move |cx| {
        let send = send.lock().unwrap().clone();
        cx.wait(|completer| send.send(completer).unwrap())
    });
    let completer = receive.recv().unwrap();
    assert!(completer.is_wanted());
    handle.cancel("R0602");
    assert_eq!(handle.join().unwrap_err().code, "R0602");
    assert!(!completer.is_wanted());
    completer.complete(1);
}

#[test]
fn virtual_time_stands_still_while_something_outside_is_under_way() {
    let test = Test::seeded();
    let (send, receive) = mpsc::channel::<Completer<u64>>();
    let send = Mutex::new(send);
    // Before the sleeper starts: alone in the world, it may have slept to its end at once.
    let begun = test.world().clock().now_ns();
    let sleeper = test.start(1, |cx| cx.sleep_ns(1_000_000).map(|()| cx.now_ns()));
    let outside = test.start(2, move |cx| {
        let send = send.lock().unwrap().clone();
        cx.wait(|completer| send.send(completer).unwrap())
    });
    let completer = receive.recv().unwrap();
    let frozen = test.world().clock().now_ns();
    completer.complete(3);
    assert_eq!(outside.join().unwrap().value(), 3);
    assert_eq!(sleeper.join().unwrap().value(), begun + 1_000_000);
    assert!(frozen == begun || frozen == begun + 1_000_000);
}

/// As a builtin like `map` does: calls a function value for each element, here through the C interface.
extern "C" fn sum_of(cx: *mut Cx, args: *const u64) -> Status {
    // SAFETY: called with the running context and two words below.
    let (cx, function, count) = unsafe { (&mut *cx, *args, *args.add(1)) };
    let mut sum = 0;
    for element in 0..count {
        match cx.call(function, &[element]) {
            Ok(value) => sum += value,
            Err(Faulted) => return FAULT,
        }
    }
    cx.result = sum;
    OK
}

#[test]
fn a_lambda_called_by_a_builtin_may_wait() {
    let test = Test::real(2);
    let lambda = function(test.world(), &[INT, INT], INT, |cx, args| {
        cx.sleep_ns(10_000)?;
        let (captured, element) = (args[0], args[1]);
        let later = cx.wait(move |completer| {
            std::thread::spawn(move || completer.complete(element * 2));
        })?;
        Ok(captured + later)
    });
    let works: Vec<_> = (0..20)
        .map(|_| {
            test.start(1, move |cx| {
                let shape = ShapeId::function(&[INT], INT);
                let function = FunctionBuf::new(shape, lambda, &[(1, INT)]);
                let words = [function.borrow().word(), 10];
                match sum_of(cx, words.as_ptr()) {
                    OK => Ok(cx.result),
                    _ => Err(Faulted),
                }
            })
        })
        .collect();
    for work in works {
        assert_eq!(work.join().unwrap().value(), 100);
    }
}

#[test]
fn a_thread_outside_may_wait_too() {
    let test = Test::real(1);
    let mut cx = Cx::detached(test.world());
    let value = cx.wait(|completer| {
        std::thread::spawn(move || completer.complete(4));
    });
    assert_eq!(value, Ok(4));
}
