//! Work beside the caller: tasks, the first of several, many at once (LANGUAGE.md section 11).

use crate::builtin::declare::{Moved, Word, builtins};
use crate::coord::{parallel, race};
use crate::value::list::ListRef;
use crate::value::native::native;
use crate::value::owned::Owned;
use crate::value::shape::{Shape, ShapeId, intern};

builtins! {
    /// Runs the block beside the caller; what it captures is copied by value. `return` inside ends the task.
    block "task" "(body: () -> T) -> Future<T>"
        example "let f := @task { slow_sum(1_000_000) }" => ""
        effects ["spawn"] form Task
        = |cx, body: Moved, value: ShapeId| {
            let body = Owned::new(body.0, ShapeId::function(&[], value));
            let work = cx.start_task("task", body)?;
            Ok(Moved(native(intern(Shape::Future(value)), work)))
        };
    /// Calls `f` for each element, at most `limit` at a time; results in the order of `xs`. The first Fault cancels the rest.
    call "parallel" "(xs: List<T>, f: (T) -> U, limit: Int = 8) -> List<U>"
        example "@parallel([1, 2], x => x * 10)" => "[10, 20]"
        effects ["spawn", "suspend"]
        = |cx, xs: ListRef<'_>, f: Word, limit: i64, element: ShapeId, result: ShapeId| {
            let f = Owned::retained(f.0, ShapeId::function(&[element], result));
            parallel::run(cx, xs, &f, limit, result)
        };
    /// The first of several Futures to end, with a value or a Fault; the others are cancelled and have ended when it returns.
    call "race" "(futures: List<Future<T>>) -> T"
        example "@race([fast.ask(q), careful.ask(q)])" => ""
        effects ["suspend"]
        = |cx, futures: ListRef<'_>, _value: ShapeId| {
            race::run(cx, futures).map(|value| Moved(value.into_word()))
        };
}
