//! Numbers: the functions and the members of Int and Float.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::support::{fail, natural, poll, room_for, sum, to_int};
use crate::context::Cx;
use crate::fault::code;
use crate::value::count::retain;
use crate::value::equal::compare;
use crate::value::list::{ListBuf, ListRef};
use crate::value::shape::ShapeId;
use crate::value::show::{show, type_name};

builtins! {
    /// The distance from zero.
    function "abs" "<T: Num>(x: T) -> T"
        example "abs(-3)" => "3"
        = |cx, x: Word, t: ShapeId| abs(cx, x.0, t);
    /// The smaller of two values.
    function "min" "<T: Ord>(a: T, b: T) -> T"
        example "min(2, 1)" => "1"
        = |_cx, a: Word, b: Word, t: ShapeId| Ok(kept(if compare(b.0, a.0, t).is_lt() { b } else { a }, t));
    /// The larger of two values.
    function "max" "<T: Ord>(a: T, b: T) -> T"
        example "max(2.5, 1.0)" => "2.5"
        = |_cx, a: Word, b: Word, t: ShapeId| Ok(kept(if compare(b.0, a.0, t).is_gt() { b } else { a }, t));
    /// The sum of a list, in order.
    function "sum" "<T: Num>(xs: List<T>) -> T"
        example "sum([1, 2, 3])" => "6"
        = |cx, xs: ListRef<'_>, t: ShapeId| sum(cx, xs.items().iter().copied(), t).map(Moved);
    /// The whole numbers from `start` up to but not including `end`.
    function "range" "(start: Int, end: Int, step: Int = 1) -> List<Int>"
        example "range(0, 10, step: 3)" => "[0, 3, 6, 9]"
        = |cx, start: i64, end: i64, step: i64| range(cx, start, end, step);
    /// The square root.
    function "sqrt" "(x: Float) -> Float"
        example "sqrt(2.25)" => "1.5"
        = |_cx, x: f64| Ok(x.sqrt());
    /// `base` raised to `exponent`. An Int needs an exponent that is not negative.
    function "pow" "<T: Num>(base: T, exponent: T) -> T"
        example "pow(2, 10)" => "1024"
        = |cx, base: Word, exponent: Word, t: ShapeId| pow(cx, base.0, exponent.0, t);
    /// e raised to `x`.
    function "exp" "(x: Float) -> Float"
        example "exp(0.0)" => "1.0"
        = |_cx, x: f64| Ok(x.exp());
    /// The natural logarithm.
    function "ln" "(x: Float) -> Float"
        example "ln(1.0)" => "0.0"
        = |_cx, x: f64| Ok(x.ln());
    /// The logarithm to base 10.
    function "log10" "(x: Float) -> Float"
        example "log10(1000.0)" => "3.0"
        = |_cx, x: f64| Ok(x.log10());
    /// The sine of an angle in radians.
    function "sin" "(x: Float) -> Float"
        example "sin(0.0)" => "0.0"
        = |_cx, x: f64| Ok(x.sin());
    /// The cosine of an angle in radians.
    function "cos" "(x: Float) -> Float"
        example "cos(0.0)" => "1.0"
        = |_cx, x: f64| Ok(x.cos());
    /// The tangent of an angle in radians.
    function "tan" "(x: Float) -> Float"
        example "tan(0.0)" => "0.0"
        = |_cx, x: f64| Ok(x.tan());
    /// The angle of the point (`x`, `y`) in radians.
    function "atan2" "(y: Float, x: Float) -> Float"
        example "atan2(0.0, 1.0)" => "0.0"
        = |_cx, y: f64, x: f64| Ok(y.atan2(x));
    /// The largest Int not above `x`.
    function "floor" "(x: Float) -> Int"
        example "floor(-1.5)" => "-2"
        = |cx, x: f64| to_int(cx, x.floor(), "floor", x);
    /// The smallest Int not below `x`.
    function "ceil" "(x: Float) -> Int"
        example "ceil(1.2)" => "2"
        = |cx, x: f64| to_int(cx, x.ceil(), "ceil", x);
    /// The nearest Int; a half goes away from zero.
    function "round" "(x: Float) -> Int"
        example "round(2.5)" => "3"
        = |cx, x: f64| to_int(cx, x.round(), "round", x);
    /// A Float with exactly so many decimals.
    function "fixed" "(x: Float, decimals: Int) -> Text"
        example "fixed(1.5, 2)" => "\"1.50\""
        = |cx, x: f64, decimals: i64| {
            let decimals = natural(cx, decimals, "the number of decimals")?.min(300);
            Ok(format!("{x:.decimals$}"))
        };
    /// `a + b`, wrapped around at the ends of Int.
    function "wrapping_add" "(a: Int, b: Int) -> Int"
        example "wrapping_add(9223372036854775807, 1)" => "-9223372036854775808"
        = |_cx, a: i64, b: i64| Ok(a.wrapping_add(b));
    /// `a - b`, wrapped around at the ends of Int.
    function "wrapping_sub" "(a: Int, b: Int) -> Int"
        example "wrapping_sub(5, 7)" => "-2"
        = |_cx, a: i64, b: i64| Ok(a.wrapping_sub(b));
    /// `a * b`, wrapped around at the ends of Int.
    function "wrapping_mul" "(a: Int, b: Int) -> Int"
        example "wrapping_mul(4611686018427387904, 4)" => "0"
        = |_cx, a: i64, b: i64| Ok(a.wrapping_mul(b));
    /// The bits set in both.
    function "bit_and" "(a: Int, b: Int) -> Int"
        example "bit_and(12, 10)" => "8"
        = |_cx, a: i64, b: i64| Ok(a & b);
    /// The bits set in either.
    function "bit_or" "(a: Int, b: Int) -> Int"
        example "bit_or(12, 10)" => "14"
        = |_cx, a: i64, b: i64| Ok(a | b);
    /// The bits set in exactly one.
    function "bit_xor" "(a: Int, b: Int) -> Int"
        example "bit_xor(12, 10)" => "6"
        = |_cx, a: i64, b: i64| Ok(a ^ b);
    /// The bits moved up by 0 to 63 places; what leaves is lost.
    function "shift_left" "(a: Int, places: Int) -> Int"
        example "shift_left(1, 10)" => "1024"
        = |cx, a: i64, places: i64| Ok(a << shift(cx, places)?);
    /// The bits moved down by 0 to 63 places; the sign stays.
    function "shift_right" "(a: Int, places: Int) -> Int"
        example "shift_right(-8, 1)" => "-4"
        = |cx, a: i64, places: i64| Ok(a >> shift(cx, places)?);
    /// The Float of an Int.
    Int "to_float" "(self: Int) -> Float"
        example "3.to_float" => "3.0"
        = |_cx, x: i64| Ok(x as f64);
    /// The distance from zero.
    Int "abs" "(self: Int) -> Int"
        example "(-3).abs" => "3"
        = |cx, x: Word| abs(cx, x.0, ShapeId::INT);
    /// The smaller of two numbers.
    Int "min" "(self: Int, other: Int) -> Int"
        example "1.min(2)" => "1"
        = |_cx, x: i64, other: i64| Ok(x.min(other));
    /// The larger of two numbers.
    Int "max" "(self: Int, other: Int) -> Int"
        example "1.max(2)" => "2"
        = |_cx, x: i64, other: i64| Ok(x.max(other));
    /// The largest Int not above it.
    Float "floor" "(self: Float) -> Int"
        example "1.5.floor" => "1"
        = |cx, x: f64| to_int(cx, x.floor(), "floor", x);
    /// The smallest Int not below it.
    Float "ceil" "(self: Float) -> Int"
        example "1.5.ceil" => "2"
        = |cx, x: f64| to_int(cx, x.ceil(), "ceil", x);
    /// The nearest Int; a half goes away from zero.
    Float "round" "(self: Float) -> Int"
        example "1.4.round" => "1"
        = |cx, x: f64| to_int(cx, x.round(), "round", x);
    /// The distance from zero.
    Float "abs" "(self: Float) -> Float"
        example "(-1.5).abs" => "1.5"
        = |_cx, x: f64| Ok(x.abs());
    /// The smaller of two numbers.
    Float "min" "(self: Float, other: Float) -> Float"
        example "1.5.min(2.0)" => "1.5"
        = |_cx, x: f64, other: f64| Ok(if other < x { other } else { x });
    /// The larger of two numbers.
    Float "max" "(self: Float, other: Float) -> Float"
        example "1.5.max(2.0)" => "2.0"
        = |_cx, x: f64, other: f64| Ok(if other > x { other } else { x });
}

/// One more holder of a borrowed value, to be given.
fn kept(word: Word, of: ShapeId) -> Moved {
    retain(word.0, of);
    Moved(word.0)
}

fn abs(cx: &mut Cx, x: u64, of: ShapeId) -> Outcome<Moved> {
    if of == ShapeId::FLOAT {
        return Ok(Moved(f64::from_bits(x).abs().to_bits()));
    }
    match x.cast_signed().checked_abs() {
        Some(magnitude) => Ok(Moved(magnitude.cast_unsigned())),
        None => {
            let (shown, name) = (show(x, of), type_name(of));
            fail(cx, code::OVERFLOW, format!("`abs({shown})` is outside the range of {name}"))
        }
    }
}

fn pow(cx: &mut Cx, base: u64, exponent: u64, of: ShapeId) -> Outcome<Moved> {
    if of == ShapeId::FLOAT {
        let power = f64::from_bits(base).powf(f64::from_bits(exponent));
        return Ok(Moved(power.to_bits()));
    }
    let shown = || format!("`pow({}, {})`", show(base, of), show(exponent, of));
    let Ok(places) = u32::try_from(exponent.cast_signed()) else {
        let message = format!("{} has no whole value", shown());
        return fail(cx, code::INVALID_CONVERSION, message);
    };
    match base.cast_signed().checked_pow(places) {
        Some(power) if of == ShapeId::INT => Ok(Moved(power.cast_unsigned())),
        Some(_) => {
            let message = format!("{}: only Int and Float have powers", shown());
            fail(cx, code::INVALID_CONVERSION, message)
        }
        None => fail(cx, code::OVERFLOW, format!("{} is outside the range of Int", shown())),
    }
}

fn shift(cx: &mut Cx, places: i64) -> Outcome<u32> {
    match u32::try_from(places) {
        Ok(places) if places < 64 => Ok(places),
        _ => fail(
            cx,
            code::INVALID_CONVERSION,
            format!("a shift is by 0 to 63 places, not {places}"),
        ),
    }
}

/// The numbers from `start` by `step`, up to but not including `end`.
pub fn range(cx: &mut Cx, start: i64, end: i64, step: i64) -> Outcome<ListBuf> {
    if step == 0 {
        return fail(cx, code::INVALID_CONVERSION, "a range cannot go by steps of 0".to_owned());
    }
    let distance = (i128::from(end) - i128::from(start)) * i128::from(step.signum());
    let step_size = i128::from(step.unsigned_abs());
    let count = (distance.max(0) + step_size - 1) / step_size;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    room_for(cx, count)?;
    let mut list = ListBuf::with_capacity(ShapeId::list(ShapeId::INT), count);
    let mut next = start;
    for at in 0..count {
        poll(cx, at)?;
        list.append(next.cast_unsigned());
        // The last step may leave the range of Int; its sum is not used.
        next = next.wrapping_add(step);
    }
    Ok(list)
}
