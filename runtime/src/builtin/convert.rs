//! Option, Result and Dyn, times, money and comparison: members and operators of values that hold or mix others.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::large;
use crate::builtin::support::{call1, fail, overflow, position};
use crate::builtin::text::texts;
use crate::context::Cx;
use crate::fault::code;
use crate::ledger::money::MicroUsd;
use crate::value::calendar;
use crate::value::closure::FunctionRef;
use crate::value::count::retain;
use crate::value::dynamic::{DynBuf, DynRef};
use crate::value::json::KIND;
use crate::value::list::{ListBuf, ListRef};
use crate::value::map::MapRef;
use crate::value::record::{self, NONE, RecordRef};
use crate::value::shape::{self, EnumShape, Shape, ShapeId, VariantShape};
use crate::value::show::{cut, show, type_name};
use crate::value::text::{TextBuf, TextRef};

builtins! {
    /// Whether there is a value.
    Option "is_some" "(self: T?) -> Bool"
        example "[1].first.is_some" => "true"
        = |_cx, x: Word, _t: ShapeId| Ok(x.0 != NONE);
    /// Whether there is no value.
    Option "is_none" "(self: T?) -> Bool"
        example "[1].first.is_none" => "false"
        = |_cx, x: Word, _t: ShapeId| Ok(x.0 == NONE);
    /// The value; R0106 if there is none.
    Option "value" "(self: T?) -> T"
        example "[1].first.value" => "1"
        = |cx, x: Word, t: ShapeId| match record::option(x.0, ShapeId::option(t)) {
            Some(word) => Ok(kept(word, t)),
            None => fail(cx, code::EMPTY_OPTION, format!("`.value` of None (of type {}?)", type_name(t))),
        };
    /// What `f` gives for the value, if there is one.
    Option "map" "(self: T?, f: (T) -> U) -> U?"
        example "[1].first.map(x => x + 1)" => "Some(2)"
        = |cx, x: Word, f: FunctionRef<'_>, t: ShapeId, u: ShapeId| match record::option(x.0, ShapeId::option(t)) {
            Some(word) => call1(cx, f, word, t).map(|word| Moved(record::some(ShapeId::option(u), word))),
            None => Ok(Moved(NONE)),
        };
    /// The value, or another one if there is none.
    Option "or" "(self: T?, default: T) -> T"
        example "[1].first.or(0)" => "1"
        = |_cx, x: Word, default: Word, t: ShapeId| Ok(kept(record::option(x.0, ShapeId::option(t)).unwrap_or(default.0), t));
    /// Whether it went well.
    Result "is_ok" "(self: Result<T, E>) -> Bool"
        example "parse_json(\"1\").is_ok" => "true"
        = |_cx, x: Word, _t: ShapeId, _e: ShapeId| Ok(record::tag(x.0) == shape::OK);
    /// Whether it went wrong.
    Result "is_err" "(self: Result<T, E>) -> Bool"
        example "parse_json(\"1\").is_err" => "false"
        = |_cx, x: Word, _t: ShapeId, _e: ShapeId| Ok(record::tag(x.0) == shape::ERR);
    /// The value; R0106 if it is an `Err`, showing it.
    Result "value" "(self: Result<T, E>) -> T"
        example "parse_json(\"1\").value" => "1"
        = |cx, x: Word, t: ShapeId, e: ShapeId| match ok(x.0, t, e) {
            Some(word) => Ok(kept(word, t)),
            None => fail(cx, code::EMPTY_OPTION, format!("`.value` of {}", cut(x.0, ShapeId::result(t, e), 200))),
        };
    /// What `f` gives for the value; an `Err` stays.
    Result "map" "(self: Result<T, E>, f: (T) -> U) -> Result<U, E>"
        example "parse_json(\"1\").map(d => d.is_null)" => "Ok(false)"
        = |cx, x: Word, f: FunctionRef<'_>, t: ShapeId, e: ShapeId, u: ShapeId| map_result(cx, x.0, f, [t, e, u]);
    /// The value, or another one if it is an `Err`.
    Result "or" "(self: Result<T, E>, default: T) -> T"
        example "parse_json(\"x\").or(0)" => "0"
        = |_cx, x: Word, default: Word, t: ShapeId, e: ShapeId| Ok(kept(ok(x.0, t, e).unwrap_or(default.0), t));
    /// The value of a key, if it is an object that has it.
    Dyn "get" "(self: Dyn, key: Text) -> Dyn?"
        example "parse_json(\"{\\\"a\\\": 1}\").value.get(\"a\")" => "Some(1)"
        = |_cx, d: DynRef<'_>, key: TextRef<'_>| {
            let found = member(d, key).map(DynBuf::into_word);
            Ok(Moved(found.map_or(NONE, |word| record::some(ShapeId::option(ShapeId::DYN), word))))
        };
    /// The keys of an object; none for anything else.
    Dyn "keys" "(self: Dyn) -> List<Text>"
        example "parse_json(\"{\\\"a\\\": 1}\").value.keys" => "[\"a\"]"
        = |cx, d: DynRef<'_>| keys(cx, d);
    /// Whether it is null.
    Dyn "is_null" "(self: Dyn) -> Bool"
        example "parse_json(\"null\").value.is_null" => "true"
        = |_cx, d: DynRef<'_>| Ok(is_null(d));
    /// The value of a key of an object; R0105 if it has none.
    operator "[]" "(d: Dyn, key: Text) -> Dyn"
        example "parse_json(\"{\\\"a\\\": 1}\").value[\"a\"]" => "1"
        = |cx, d: DynRef<'_>, key: TextRef<'_>| match member(d, key) {
            Some(found) => Ok(found),
            None => fail(cx, code::KEY, format!("no key {:?} in {}", key.as_str(), cut(d.word(), ShapeId::DYN, 200))),
        };
    /// The element of an array at a position; R0104 outside.
    operator "[]" "(d: Dyn, index: Int) -> Dyn"
        example "parse_json(\"[1, 2]\").value[1]" => "2"
        = |cx, d: DynRef<'_>, index: i64| element(cx, d, index);
    /// A time by a pattern: `%Y %m %d %H %M %S %y %j %a %A %b %B %e %I %p %f %3f %F %T %s %z %Z %%`, in UTC.
    Time "format" "(self: Time, pattern: Text) -> Text"
        example "time(\"2026-01-31T12:00:00Z\").value.format(\"%Y-%m-%d\")" => "\"2026-01-31\""
        = |cx, t: i64, pattern: TextRef<'_>| match calendar::format(t, pattern.as_str()) {
            Ok(text) => Ok(text),
            Err(unknown) => fail(cx, code::INVALID_CONVERSION, format!("`{unknown}` means nothing in a time's pattern")),
        };
    /// The time a text in RFC 3339 says, if it says one; a date alone is its midnight in UTC.
    function "time" "(text: Text) -> Time?"
        example "time(\"2026-01-31\")" => "Some(2026-01-31T00:00:00Z)"
        = |_cx, text: TextRef<'_>| {
            let time = calendar::parse_rfc3339(text.as_str()).map(i64::cast_unsigned);
            Ok(Moved(time.map_or(NONE, |word| record::some(ShapeId::option(ShapeId::TIME), word))))
        };
    /// A later time.
    operator "+" "(t: Time, d: Duration) -> Time"
        example "let t := time(\"2026-01-31\").value; t + 1h" => "2026-01-31T01:00:00Z"
        = |cx, t: Word, d: Word| plus(cx, t.0, "+", d.0, i64::checked_add);
    /// An earlier time.
    operator "-" "(t: Time, d: Duration) -> Time"
        example "let t := time(\"2026-01-31\").value; t - 1d" => "2026-01-30T00:00:00Z"
        = |cx, t: Word, d: Word| plus(cx, t.0, "-", d.0, i64::checked_sub);
    /// The time between two.
    operator "-" "(t: Time, earlier: Time) -> Duration"
        example "let t := time(\"2026-01-31\").value; (t + 1h) - t" => "1h"
        = |cx, t: i64, earlier: i64| match t.checked_sub(earlier) {
            Some(d) => Ok(d),
            None => overflow(cx, t.cast_unsigned(), "-", earlier.cast_unsigned(), ShapeId::TIME),
        };
    /// So many times a duration.
    operator "*" "(d: Duration, n: Int) -> Duration"
        example "1500ms * 2" => "3s"
        = |cx, d: i64, n: i64| times(cx, d, n, ShapeId::DURATION);
    /// So many times a duration.
    operator "*" "(n: Int, d: Duration) -> Duration"
        example "2 * 1500ms" => "3s"
        = |cx, n: i64, d: i64| times(cx, d, n, ShapeId::DURATION);
    /// How often one duration fits into another.
    operator "/" "(a: Duration, b: Duration) -> Float"
        example "3s / 2s" => "1.5"
        = |cx, a: i64, b: i64| {
            if b == 0 { return fail(cx, code::DIVISION_BY_ZERO, format!("`{} / 0s` divides by zero", show(a.cast_unsigned(), ShapeId::DURATION))); }
            Ok(a as f64 / b as f64)
        };
    /// So many times an amount.
    operator "*" "(a: Money, n: Int) -> Money"
        example "$0.10 * 3" => "$0.30"
        = |cx, a: i64, n: i64| times(cx, a, n, ShapeId::MONEY);
    /// So many times an amount.
    operator "*" "(n: Int, a: Money) -> Money"
        example "3 * $0.10" => "$0.30"
        = |cx, n: i64, a: i64| times(cx, a, n, ShapeId::MONEY);
    /// A fraction of an amount; half a micro-dollar goes to the even neighbour.
    operator "*" "(a: Money, factor: Float) -> Money"
        example "$0.10 * 0.5" => "$0.05"
        = |cx, a: i64, factor: f64| fraction(cx, a, factor);
    /// A fraction of an amount; half a micro-dollar goes to the even neighbour.
    operator "*" "(factor: Float, a: Money) -> Money"
        example "0.5 * $0.10" => "$0.05"
        = |cx, factor: f64, a: i64| fraction(cx, a, factor);
    /// A part of an amount; half a micro-dollar goes to the even neighbour.
    operator "/" "(a: Money, n: Int) -> Money"
        example "$1 / 3" => "$0.333333"
        = |cx, a: i64, n: i64| divide(cx, a, n);
    /// How often one amount fits into another.
    operator "/" "(a: Money, b: Money) -> Float"
        example "$3 / $2" => "1.5"
        = |cx, a: i64, b: i64| {
            if b == 0 { return fail(cx, code::DIVISION_BY_ZERO, format!("`{} / $0` divides by zero", MicroUsd(a))); }
            Ok(MicroUsd(a).ratio(MicroUsd(b)))
        };
    /// Whether a value stands before another.
    operator "<" "<T: Ord>(a: T, b: T) -> Bool"
        example "\"a\" < \"b\"" => "true"
        = |cx, a: Word, b: Word, t: ShapeId| Ok(large::compare(cx, a.0, b.0, t)?.is_lt());
    /// Whether a value stands before another or is equal to it.
    operator "<=" "<T: Ord>(a: T, b: T) -> Bool"
        example "\"a\" <= \"a\"" => "true"
        = |cx, a: Word, b: Word, t: ShapeId| Ok(large::compare(cx, a.0, b.0, t)?.is_le());
    /// Whether a value stands after another.
    operator ">" "<T: Ord>(a: T, b: T) -> Bool"
        example "\"a\" > \"b\"" => "false"
        = |cx, a: Word, b: Word, t: ShapeId| Ok(large::compare(cx, a.0, b.0, t)?.is_gt());
    /// Whether a value stands after another or is equal to it.
    operator ">=" "<T: Ord>(a: T, b: T) -> Bool"
        example "\"b\" >= \"a\"" => "true"
        = |cx, a: Word, b: Word, t: ShapeId| Ok(large::compare(cx, a.0, b.0, t)?.is_ge());
}

/// A borrowed word with one more holder.
fn kept(word: u64, of: ShapeId) -> Moved {
    retain(word, of);
    Moved(word)
}

/// The value of an `Ok`, borrowed.
fn ok(word: u64, t: ShapeId, e: ShapeId) -> Option<u64> {
    let payload = record::payload_words(word, ShapeId::result(t, e)).first().copied();
    if record::tag(word) == shape::OK { payload } else { None }
}

fn map_result(
    cx: &mut Cx,
    word: u64,
    f: FunctionRef<'_>,
    [t, e, u]: [ShapeId; 3],
) -> Outcome<Moved> {
    let to = ShapeId::result(u, e);
    if let Some(value) = ok(word, t, e) {
        let mapped = call1(cx, f, value, t)?;
        return Ok(Moved(record::variant(to, shape::OK, &[mapped])));
    }
    let error = record::payload_words(word, ShapeId::result(t, e)).first().copied().unwrap_or(0);
    retain(error, e);
    Ok(Moved(record::variant(to, shape::ERR, &[error])))
}

fn is_null(d: DynRef<'_>) -> bool {
    d.inner() == ShapeId::UNIT
}

/// A borrowed word as a Dyn.
fn dynamic(word: u64, of: ShapeId) -> DynBuf {
    retain(word, of);
    DynBuf::new(word, of)
}

/// The value of a key of an object: of a Map with Text keys, a field of a record or of a variant, which also has its `kind`.
fn member(d: DynRef<'_>, key: TextRef<'_>) -> Option<DynBuf> {
    match shape::shape(d.inner()) {
        Shape::Map(ShapeId::TEXT, value) => {
            as_map(d).get(key.word()).map(|word| dynamic(word, *value))
        }
        Shape::Record(of) => {
            let at = of.fields.iter().position(|field| &*field.name == key.as_str())?;
            Some(dynamic(as_record(d).field(at)?, of.fields.get(at)?.shape))
        }
        Shape::Enum(variants) => {
            let variant = payload(d, variants)?;
            if key.as_str() == KIND {
                return Some(DynBuf::new(TextBuf::new(&variant.name).into_word(), ShapeId::TEXT));
            }
            let at = variant.fields.iter().position(|field| &*field.name == key.as_str())?;
            let word = *record::payload_words(d.value(), d.inner()).get(at)?;
            Some(dynamic(word, variant.fields.get(at)?.shape))
        }
        _ => None,
    }
}

/// The variant of an enum whose JSON are objects.
fn payload(d: DynRef<'_>, variants: &'static EnumShape) -> Option<&'static VariantShape> {
    let variant = variants.variants.get(record::tag(d.value()) as usize);
    variant.filter(|_| !variants.is_unit_only())
}

fn keys(cx: &mut Cx, d: DynRef<'_>) -> Outcome<ListBuf> {
    match shape::shape(d.inner()) {
        Shape::Map(ShapeId::TEXT, _) => {
            // SAFETY: the keys are Texts.
            texts(cx, as_map(d).keys().map(|key| unsafe { TextRef::from_word(key) }.as_str()))
        }
        Shape::Record(record) => texts(cx, record.fields.iter().map(|field| &*field.name)),
        Shape::Enum(variants) => {
            let variant = payload(d, variants);
            let fields = variant.iter().flat_map(|variant| &*variant.fields);
            let kind = variant.map(|_| KIND);
            texts(cx, kind.into_iter().chain(fields.map(|field| &*field.name)))
        }
        _ => texts(cx, std::iter::empty()),
    }
}

fn element(cx: &mut Cx, d: DynRef<'_>, index: i64) -> Outcome<DynBuf> {
    let Some(len) = array_len(d) else {
        let shown = cut(d.word(), ShapeId::DYN, 200);
        return fail(cx, code::INDEX, format!("{shown} is no array: it has no element {index}"));
    };
    let at = position(cx, index, len, "an array")?;
    Ok(part(d, at).unwrap_or_else(|| DynBuf::new(0, ShapeId::UNIT)))
}

/// How many elements it has, if its JSON is an array.
fn array_len(d: DynRef<'_>) -> Option<usize> {
    match shape::shape(d.inner()) {
        Shape::List(_) | Shape::Vector => Some(as_list(d).len()),
        Shape::Tuple(items) => Some(items.len()),
        Shape::Set(_) => Some(as_map(d).len()),
        _ => None,
    }
}

fn part(d: DynRef<'_>, at: usize) -> Option<DynBuf> {
    Some(match shape::shape(d.inner()) {
        Shape::Tuple(items) => dynamic(as_record(d).field(at)?, *items.get(at)?),
        Shape::Set(key) => dynamic(as_map(d).keys().nth(at)?, *key),
        _ => dynamic(as_list(d).get(at)?, as_list(d).element()),
    })
}

fn as_list<'d>(d: DynRef<'d>) -> ListRef<'d> {
    // SAFETY: what is inside has the shape it is stored with, which is matched first.
    unsafe { ListRef::from_word(d.value()) }
}

fn as_map<'d>(d: DynRef<'d>) -> MapRef<'d> {
    // SAFETY: as `as_list`.
    unsafe { MapRef::from_word(d.value()) }
}

fn as_record<'d>(d: DynRef<'d>) -> RecordRef<'d> {
    // SAFETY: as `as_list`.
    unsafe { RecordRef::from_word(d.value()) }
}

fn plus(cx: &mut Cx, time: u64, op: &str, by: u64, f: fn(i64, i64) -> Option<i64>) -> Outcome<i64> {
    if let Some(sum) = f(time.cast_signed(), by.cast_signed()) {
        return Ok(sum);
    }
    let (time, by) = (show(time, ShapeId::TIME), show(by, ShapeId::DURATION));
    fail(cx, code::OVERFLOW, format!("`{time} {op} {by}` is outside the range of Time"))
}

fn times(cx: &mut Cx, amount: i64, n: i64, of: ShapeId) -> Outcome<i64> {
    if let Some(product) = amount.checked_mul(n) {
        return Ok(product);
    }
    let (shown, name) = (show(amount.cast_unsigned(), of), type_name(of));
    fail(cx, code::OVERFLOW, format!("`{shown} * {n}` is outside the range of {name}"))
}

fn fraction(cx: &mut Cx, amount: i64, factor: f64) -> Outcome<i64> {
    match MicroUsd(amount).checked_mul_f64(factor) {
        Some(product) => Ok(product.micros()),
        None => {
            let message = format!("`{} * {factor:?}` is no amount of Money", MicroUsd(amount));
            fail(cx, code::OVERFLOW, message)
        }
    }
}

fn divide(cx: &mut Cx, amount: i64, n: i64) -> Outcome<i64> {
    match MicroUsd(amount).checked_div(n) {
        Some(part) => Ok(part.micros()),
        None if n == 0 => {
            let message = format!("`{} / 0` divides by zero", MicroUsd(amount));
            fail(cx, code::DIVISION_BY_ZERO, message)
        }
        None => overflow(cx, amount.cast_unsigned(), "/", n.cast_unsigned(), ShapeId::MONEY),
    }
}
