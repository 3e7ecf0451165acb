//! The rows of section 11 that act on the scheduler, called as compiled code calls them.

use crate::support::{Agent, INT, Test, int, selector, spawn};
use ag_runtime::builtin::intrinsic;
use ag_runtime::code::OK;
use ag_runtime::context::Cx;
use ag_runtime::fault::Faulted;
use ag_runtime::value::shape::{Shape, intern};

fn call(cx: &mut Cx, name: &str, args: &[u64]) -> Result<u64, Faulted> {
    let row = intrinsic(name).unwrap().get().unwrap();
    assert_eq!(row.words as usize, args.len());
    if (row.call)(cx, args.as_ptr()) == OK { Ok(cx.result) } else { Err(Faulted) }
}

#[test]
fn await_stop_sleep_now_and_random() {
    let test = Test::seeded();
    let agent = Agent::plain(test.world(), "A")
        .on("double", &[INT], INT, |_, args| Ok(args[0] * 2))
        .install();
    let result = test.cell(move |cx| {
        let agent = spawn(cx, agent, vec![])?;
        let future_shape = intern(Shape::Future(INT));
        let future = cx.request(agent, selector("double"), vec![int(21)], future_shape)?;
        let value = call(cx, "await", &[future, u64::from(INT.0)])?;
        assert_eq!(
            call(cx, "await", &[future, u64::from(INT.0)])?,
            value,
            "a Future may be awaited twice"
        );
        ag_runtime::value::count::release(future, future_shape);

        let before = call(cx, "now", &[])?;
        call(cx, "sleep", &[3_000_000])?;
        assert_eq!(call(cx, "now", &[])? - before, 3_000_000);
        call(cx, "sleep", &[(-5i64).cast_unsigned()])?;
        let random = f64::from_bits(call(cx, "random", &[])?);
        assert!((0.0..1.0).contains(&random));

        call(cx, "stop", &[agent, 0])?;
        cx.sleep_ns(1)?;
        assert_eq!(cx.world.agents().live(), 0);
        Ok(value)
    });
    assert_eq!(result.unwrap(), 42);
    let effects = test.world().effects().records();
    let paths: Vec<&str> = effects.iter().map(|effect| &*effect.path).collect();
    assert_eq!(paths, ["clock", "clock", "clock", "clock", "random"]);
}
