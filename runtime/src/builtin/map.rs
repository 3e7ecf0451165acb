//! Members and operators of Map.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::large;
use crate::builtin::support::{call1, fail, poll, room_for};
use crate::context::Cx;
use crate::fault::code;
use crate::value::closure::FunctionRef;
use crate::value::count::retain;
use crate::value::list::ListBuf;
use crate::value::map::{MapBuf, MapRef};
use crate::value::record::{self, NONE, RecordBuf};
use crate::value::shape::ShapeId;
use crate::value::show::{cut, quoted};

builtins! {
    /// The number of entries.
    Map "len" "(self: Map<K, V>) -> Int"
        example "{ \"a\": 1 }.len" => "1"
        = |_cx, m: MapRef<'_>, _k: ShapeId, _v: ShapeId| Ok(m.len() as i64);
    /// The value of a key, if the map has it.
    Map "get" "(self: Map<K, V>, key: K) -> V?"
        example "{ \"a\": 1 }.get(\"a\")" => "Some(1)"
        = |_cx, m: MapRef<'_>, key: Word, _k: ShapeId, v: ShapeId| Ok(some(m.get(key.0), v));
    /// The value of a key, or a default if the map does not have it.
    Map "get" "(self: Map<K, V>, key: K, default: V) -> V"
        example "{ \"a\": 1 }.get(\"b\", default: 0)" => "0"
        = |_cx, m: MapRef<'_>, key: Word, default: Word, _k: ShapeId, v: ShapeId| Ok(kept(m.get(key.0).unwrap_or(default.0), v));
    /// The map with a value at a key. A key that is there keeps its place. As a statement, `xs.set(k, v)` changes a variable: it is short for `xs = xs.set(k, v)`.
    Map "set" "(self: Map<K, V>, key: K, value: V) -> Map<K, V>"
        example "{ \"a\": 1 }.set(\"b\", 2)" => "{ \"a\": 1, \"b\": 2 }"
        = |cx, m: MapBuf, key: Moved, value: Moved, _k: ShapeId, _v: ShapeId| large::map_set(cx, m, key.0, value.0);
    /// The map without a key. As a statement, `xs.remove(k)` changes a variable: it is short for `xs = xs.remove(k)`.
    Map "remove" "(self: Map<K, V>, key: K) -> Map<K, V>"
        example "{ \"a\": 1, \"b\": 2 }.remove(\"a\")" => "{ \"b\": 2 }"
        = |cx, m: MapBuf, key: Word, _k: ShapeId, _v: ShapeId| without(cx, m, key.0);
    /// The keys, in order.
    Map "keys" "(self: Map<K, V>) -> List<K>"
        example "{ \"a\": 1 }.keys" => "[\"a\"]"
        = |cx, m: MapRef<'_>, k: ShapeId, _v: ShapeId| list(cx, m.len(), m.keys(), k);
    /// The values, in the order of their keys.
    Map "values" "(self: Map<K, V>) -> List<V>"
        example "{ \"a\": 1 }.values" => "[1]"
        = |cx, m: MapRef<'_>, _k: ShapeId, v: ShapeId| list(cx, m.len(), m.values(), v);
    /// Pairs of key and value, in order.
    Map "entries" "(self: Map<K, V>) -> List<(K, V)>"
        example "{ \"a\": 1 }.entries" => "[(\"a\", 1)]"
        = |cx, m: MapRef<'_>, k: ShapeId, v: ShapeId| entries(cx, m, k, v);
    /// Whether it has a key.
    Map "contains" "(self: Map<K, V>, key: K) -> Bool"
        example "{ \"a\": 1 }.contains(\"a\")" => "true"
        = |_cx, m: MapRef<'_>, key: Word, _k: ShapeId, _v: ShapeId| Ok(m.contains(key.0));
    /// The same keys with what `f` gives for each value.
    Map "map_values" "(self: Map<K, V>, f: (V) -> U) -> Map<K, U>"
        example "{ \"a\": 1 }.map_values(x => x + 1)" => "{ \"a\": 2 }"
        = |cx, m: MapRef<'_>, f: FunctionRef<'_>, k: ShapeId, _v: ShapeId, u: ShapeId| map_values(cx, m, f, k, u);
    /// Both maps' entries; where both have a key, the other's value.
    Map "merge" "(self: Map<K, V>, other: Map<K, V>) -> Map<K, V>"
        example "{ \"a\": 1 }.merge({ \"a\": 2, \"b\": 3 })" => "{ \"a\": 2, \"b\": 3 }"
        = |cx, m: MapBuf, other: MapRef<'_>, k: ShapeId, v: ShapeId| merge(cx, m, other, k, v);
    /// The value of a key; R0105 if the map does not have it.
    operator "[]" "(m: Map<K, V>, key: K) -> V"
        example "{ \"a\": 1 }[\"a\"]" => "1"
        = |cx, m: MapRef<'_>, key: Word, _k: ShapeId, v: ShapeId| at(cx, m, key.0, v);
    /// The map with a value at a key: what `m[k] = v` assigns.
    operator "[]=" "(m: Map<K, V>, key: K, value: V) -> Map<K, V>"
        example "var m := { \"a\": 1 }; m[\"b\"] = 2; m" => "{ \"a\": 1, \"b\": 2 }"
        = |cx, m: MapBuf, key: Moved, value: Moved, _k: ShapeId, _v: ShapeId| large::map_set(cx, m, key.0, value.0);
    /// Whether a map has a key.
    operator "in" "(key: K, m: Map<K, V>) -> Bool"
        example "\"a\" in { \"a\": 1 }" => "true"
        = |_cx, key: Word, m: MapRef<'_>, _k: ShapeId, _v: ShapeId| Ok(m.contains(key.0));
}

/// A borrowed word with one more holder.
fn kept(word: u64, of: ShapeId) -> Moved {
    retain(word, of);
    Moved(word)
}

pub fn some(word: Option<u64>, of: ShapeId) -> Moved {
    match word {
        Some(word) => Moved(record::some(ShapeId::option(of), kept(word, of).0)),
        None => Moved(NONE),
    }
}

fn list(
    cx: &mut Cx,
    length: usize,
    words: impl Iterator<Item = u64>,
    of: ShapeId,
) -> Outcome<ListBuf> {
    let words = large::collect(cx, length, words)?;
    large::list(cx, ShapeId::list(of), &words, of)
}

/// The map without a key, or the set without an element.
pub fn without(cx: &mut Cx, m: MapBuf, key: u64) -> Outcome<MapBuf> {
    if !m.borrow().contains(key) {
        return Ok(m);
    }
    Ok(large::own_map(cx, m)?.remove(key))
}

fn entries(cx: &mut Cx, m: MapRef<'_>, key: ShapeId, value: ShapeId) -> Outcome<ListBuf> {
    let pair = ShapeId::tuple(&[key, value]);
    room_for(cx, m.len().saturating_mul(4))?;
    let mut made = ListBuf::with_capacity(ShapeId::list(pair), m.len());
    for (at, (k, v)) in m.entries().enumerate() {
        poll(cx, at)?;
        retain(k, key);
        retain(v, value);
        made.append(RecordBuf::new(pair, &[k, v]).into_word());
    }
    Ok(made)
}

fn map_values(
    cx: &mut Cx,
    m: MapRef<'_>,
    f: FunctionRef<'_>,
    key: ShapeId,
    to: ShapeId,
) -> Outcome<MapBuf> {
    let mut made = MapBuf::new(ShapeId::map(key, to));
    for (at, (k, v)) in m.entries().enumerate() {
        poll(cx, at)?;
        let value = call1(cx, f, v, m.value_shape())?;
        retain(k, key);
        made = large::map_set(cx, made, k, value)?;
    }
    Ok(made)
}

fn merge(
    cx: &mut Cx,
    m: MapBuf,
    other: MapRef<'_>,
    key: ShapeId,
    value: ShapeId,
) -> Outcome<MapBuf> {
    let mut merged = m;
    for (at, (k, v)) in other.entries().enumerate() {
        poll(cx, at)?;
        retain(k, key);
        retain(v, value);
        merged = large::map_set(cx, merged, k, v)?;
    }
    Ok(merged)
}

/// How many keys a fault lists.
const SHOWN_KEYS: usize = 5;

fn at(cx: &mut Cx, m: MapRef<'_>, key: u64, of: ShapeId) -> Outcome<Moved> {
    if let Some(word) = m.get(key) {
        return Ok(kept(word, of));
    }
    let mut keys: Vec<String> =
        m.keys().take(SHOWN_KEYS).map(|word| cut(word, m.key_shape(), 40)).collect();
    if m.len() > SHOWN_KEYS {
        keys.push(format!("{} more", m.len() - SHOWN_KEYS));
    }
    let known = if keys.is_empty() { "which is empty".into() } else { keys.join(", ") };
    let key = quoted(key, m.key_shape());
    fail(cx, code::KEY, format!("no key {key} in the map ({known})"))
}
