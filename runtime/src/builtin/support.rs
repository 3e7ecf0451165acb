//! What the bodies of builtins share: faults that show the values, polling, room, callbacks.
//!
//! Never: a builtin itself.

use crate::builtin::declare::Outcome;
use crate::code::OK;
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::value::closure::FunctionRef;
use crate::value::count::retain;
use crate::value::heap;
use crate::value::shape::ShapeId;
use crate::value::show;
use crate::world::World;

/// Elements handled between two looks at the safepoint: well below a millisecond of the slowest steps.
const POLL_EVERY: usize = 1024;

/// Below this an allocation is left to the safepoint's own check.
const SMALL_BYTES: usize = 64 * 1024;

/// Ends a body with a Fault.
pub fn fail<T>(cx: &mut Cx, code: &'static str, message: String) -> Outcome<T> {
    cx.fail(code, message);
    Err(Faulted)
}

/// Called for each element by loops that can be long. An element counts as a step, so that such a loop gives its
/// worker back as often as interpreted code does.
#[inline]
pub fn poll(cx: &mut Cx, at: usize) -> Outcome<()> {
    if at % POLL_EVERY == POLL_EVERY - 1 { spend(cx, POLL_EVERY) } else { Ok(()) }
}

/// A safepoint after work that took as long as so many steps.
#[inline]
pub fn spend(cx: &mut Cx, steps: usize) -> Outcome<()> {
    if cx.spend(steps) == OK { Ok(()) } else { Err(Faulted) }
}

/// Called before something large is made: R0113 instead of an abort.
pub fn room(cx: &mut Cx, bytes: usize) -> Outcome<()> {
    if bytes < SMALL_BYTES || cx.has_room(bytes as u64) {
        return Ok(());
    }
    if cx.is_cancelled() {
        cx.fail_cancelled();
        return Err(Faulted);
    }
    let message = no_room(&cx.world, bytes as u64);
    fail(cx, code::MEMORY_LIMIT, message)
}

/// Why there is no room for a value. What is held matters to one that would fit alone.
fn no_room(world: &World, bytes: u64) -> String {
    let (asked, limit) = (heap::size(bytes), world.told_memory_limit());
    let mut message = format!("a value of {asked} would exceed the memory limit of {limit}");
    if bytes <= world.memory_limit() {
        message.push_str(&world.told_held());
    }
    message
}

/// Room for so many words.
pub fn room_for(cx: &mut Cx, words: usize) -> Outcome<()> {
    room(cx, words.saturating_mul(size_of::<u64>()))
}

/// Calls a function of one parameter with a value that stays the caller's.
pub fn call1(cx: &mut Cx, f: FunctionRef<'_>, value: u64, of: ShapeId) -> Outcome<u64> {
    retain(value, of);
    cx.call(f.word(), &[value])
}

/// Whether a predicate holds.
pub fn holds(cx: &mut Cx, f: FunctionRef<'_>, value: u64, of: ShapeId) -> Outcome<bool> {
    call1(cx, f, value, of).map(|word| word != 0)
}

/// `9223372036854775807 + 1` does not fit.
pub fn overflow<T>(cx: &mut Cx, a: u64, op: &str, b: u64, of: ShapeId) -> Outcome<T> {
    let (a, b) = (show::show(a, of), show::show(b, of));
    let name = show::type_name(of);
    fail(cx, code::OVERFLOW, format!("`{a} {op} {b}` is outside the range of {name}"))
}

/// An index into something of a length, as a position.
pub fn position(cx: &mut Cx, index: i64, length: usize, what: &str) -> Outcome<usize> {
    match usize::try_from(index) {
        Ok(at) if at < length => Ok(at),
        _ if index < 0 => fail(
            cx,
            code::INDEX,
            format!(
                "index {index} is outside {what} of {}; positions count from 0, {}",
                elements(length, what),
                match what {
                    "a text" => "and `t[t.len - 1]` is the last character",
                    _ => "and `last` gives the last element",
                }
            ),
        ),
        _ => fail(
            cx,
            code::INDEX,
            format!("index {index} is outside {what} of {}", elements(length, what)),
        ),
    }
}

fn elements(length: usize, what: &str) -> String {
    let noun = if what == "a text" { "character" } else { "element" };
    format!("{length} {noun}{}", if length == 1 { "" } else { "s" })
}

/// A count that must not be negative.
pub fn natural(cx: &mut Cx, n: i64, what: &str) -> Outcome<usize> {
    match usize::try_from(n) {
        Ok(n) => Ok(n),
        Err(_) => fail(cx, code::INVALID_CONVERSION, format!("{what} must not be negative: {n}")),
    }
}

/// Start and end of a slice: cut to the length, an end before the start is the start.
pub fn range_within(cx: &mut Cx, start: i64, end: i64, length: usize) -> Outcome<(usize, usize)> {
    let start = natural(cx, start, "the start of a slice")?.min(length);
    let end = natural(cx, end, "the end of a slice")?.min(length);
    Ok((start, end.max(start)))
}

/// Checked `a + b` of a Num type.
pub fn add(cx: &mut Cx, a: u64, b: u64, of: ShapeId) -> Outcome<u64> {
    if of == ShapeId::FLOAT {
        return Ok((f64::from_bits(a) + f64::from_bits(b)).to_bits());
    }
    match a.cast_signed().checked_add(b.cast_signed()) {
        Some(sum) => Ok(sum.cast_unsigned()),
        None => overflow(cx, a, "+", b, of),
    }
}

/// The sum of words of a Num type, in order.
pub fn sum(cx: &mut Cx, items: impl Iterator<Item = u64>, of: ShapeId) -> Outcome<u64> {
    let mut total = 0;
    for (at, item) in items.enumerate() {
        poll(cx, at)?;
        total = add(cx, total, item, of)?;
    }
    Ok(total)
}

/// A Float as an Int: R0103 when it is none.
pub fn to_int(cx: &mut Cx, value: f64, name: &str, original: f64) -> Outcome<i64> {
    // 2^63 is exact as a float; i64::MAX is not.
    let limit = 9_223_372_036_854_775_808.0;
    if value >= -limit && value < limit {
        return Ok(value as i64);
    }
    let shown = show::float(original);
    fail(cx, code::INVALID_CONVERSION, format!("`{name}({shown})` is no Int"))
}
