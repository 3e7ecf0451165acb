//! Equality, order and hashes of values, by shape.
//!
//! Steps through a value with a list of open pairs, so depth costs no stack. Never: compares functions or Futures
//! by content (the checker refuses those, E0306).

use crate::value::dynamic::DynRef;
use crate::value::json::Poll;
use crate::value::list::ListRef;
use crate::value::map::MapRef;
use crate::value::record::RecordRef;
use crate::value::shape::{Shape, ShapeId, shape};
use crate::value::text::{BytesRef, TextRef};
use crate::value::{count, json, native, record};
use rustc_hash::FxHasher;
use std::cmp::Ordering;
use std::hash::Hasher;

/// What is still to be compared.
enum Step {
    Pair(u64, u64, ShapeId),
    /// Elements of two lists from a position on, as far as both go.
    Items {
        a: u64,
        b: u64,
        next: usize,
    },
}

type Open = Vec<Step>;

/// Elements of lists that are opened at once.
const ITEMS: usize = 256;

/// Structural `==`. Map, Set and records in any order; NaN is unequal to itself.
#[must_use]
pub fn equal(a: u64, b: u64, of: ShapeId) -> bool {
    // Nothing stops it.
    equal_polled(a, b, of, &mut || false).unwrap_or(false)
}

/// As [`equal`], of values that may be huge: `None` if it was stopped.
pub fn equal_polled(a: u64, b: u64, of: ShapeId, poll: Poll<'_>) -> Option<bool> {
    let mut open = Open::new();
    let mut current = Some(Step::Pair(a, b, of));
    while let Some(step) = current {
        let is_equal = match step {
            Step::Pair(a, b, of) => equal_here(a, b, of, &mut open, poll)?,
            Step::Items { a, b, next } => equal_items(a, b, next, &mut open),
        };
        if !is_equal {
            return Some(false);
        }
        if poll() {
            return None;
        }
        current = open.pop();
    }
    Some(true)
}

/// Words that are compared at once.
const WORDS: usize = 1 << 14;

fn equal_items(a: u64, b: u64, next: usize, open: &mut Open) -> bool {
    // SAFETY: the words of an open step are lists that live as long as the values compared.
    let (left, right) = unsafe { (ListRef::from_word(a), ListRef::from_word(b)) };
    let element = left.element();
    let is_plain = element.is_scalar() && element != ShapeId::FLOAT;
    let end = next + if is_plain { WORDS } else { ITEMS };
    if end < left.len() {
        open.push(Step::Items { a, b, next: end });
    }
    let part = |list: ListRef<'static>| list.items().get(next..end.min(list.len())).unwrap_or(&[]);
    let (left, right) = (part(left), part(right));
    if is_plain {
        return left == right;
    }
    open.extend(left.iter().zip(right).map(|(&a, &b)| Step::Pair(a, b, element)));
    true
}

/// The fields of a record, tuple or enum value, with their shapes.
fn fields(word: u64, of: ShapeId) -> Vec<(u64, ShapeId)> {
    // SAFETY: called for values of the tuple and record shapes below.
    let words = || unsafe { RecordRef::from_word(word) }.fields().iter().copied();
    match shape(of) {
        Shape::Enum(_) => {
            let shapes = record::payload(of, record::tag(word)).iter().map(|field| field.shape);
            record::payload_words(word, of).iter().copied().zip(shapes).collect()
        }
        Shape::Tuple(items) => words().zip(items.iter().copied()).collect(),
        Shape::Record(record) => words().zip(record.fields.iter().map(|it| it.shape)).collect(),
        _ => Vec::new(),
    }
}

/// Compares what can be compared at once; the rest becomes open pairs.
fn equal_here(a: u64, b: u64, of: ShapeId, open: &mut Open, poll: Poll<'_>) -> Option<bool> {
    let mut all = |found: &mut dyn Iterator<Item = bool>| {
        for is_equal in found {
            if !is_equal {
                return Some(false);
            }
            if poll() {
                return None;
            }
        }
        Some(true)
    };
    // SAFETY: in every arm both words are values of the shape that is matched.
    Some(unsafe {
        match shape(of) {
            Shape::Float => f64::from_bits(a) == f64::from_bits(b),
            Shape::Text => a == b || text(a) == text(b),
            Shape::Bytes => BytesRef::from_word(a).as_slice() == BytesRef::from_word(b).as_slice(),
            Shape::Vector | Shape::List(_) => {
                open.push(Step::Items { a, b, next: 0 });
                ListRef::from_word(a).len() == ListRef::from_word(b).len()
            }
            Shape::Set(_) => {
                let (a, b) = (MapRef::from_word(a), MapRef::from_word(b));
                a.len() == b.len() && all(&mut a.keys().map(|key| b.contains(key)))?
            }
            Shape::Map(_, value) => {
                let (a, b) = (MapRef::from_word(a), MapRef::from_word(b));
                let mut entries = a.entries().map(|(key, mine)| {
                    b.get(key).is_some_and(|other| {
                        open.push(Step::Pair(mine, other, *value));
                        true
                    })
                });
                a.len() == b.len() && all(&mut entries)?
            }
            Shape::Tuple(_) | Shape::Record(_) => {
                let pairs = fields(a, of).into_iter().zip(fields(b, of));
                open.extend(pairs.map(|((a, of), (b, _))| Step::Pair(a, b, of)));
                true
            }
            Shape::Enum(_) => {
                let pairs = fields(a, of).into_iter().zip(fields(b, of));
                open.extend(pairs.map(|((a, of), (b, _))| Step::Pair(a, b, of)));
                record::tag(a) == record::tag(b)
            }
            Shape::Dyn => equal_dyn(DynRef::from_word(a), DynRef::from_word(b), open),
            Shape::Opaque(_) | Shape::Future(_) | Shape::Channel(_) => same(a, b),
            _ => a == b,
        }
    })
}

/// # Safety
/// A live Text.
unsafe fn text<'a>(word: u64) -> &'a str {
    // SAFETY: the caller's promise.
    unsafe { TextRef::from_word(word) }.as_str()
}

/// Handles are equal when they mean the same thing; Texts under another name by content.
fn same(a: u64, b: u64) -> bool {
    match count::object_shape(a) {
        // SAFETY: the header says that both are Texts.
        Some(ShapeId::TEXT) => unsafe { text(a) == text(b) },
        _ => native::same(a, b),
    }
}

/// Values of different shapes are equal as Dyn when their JSON is.
fn equal_dyn(a: DynRef<'_>, b: DynRef<'_>, open: &mut Open) -> bool {
    let (left, right) = (a.inner(), b.inner());
    if left == right {
        open.push(Step::Pair(a.value(), b.value(), left));
        return true;
    }
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => match (json::to_json(a.value(), left), json::to_json(b.value(), right)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        },
        _ => false,
    }
}

fn number(value: DynRef<'_>) -> Option<f64> {
    match value.inner() {
        ShapeId::INT => Some(value.value().cast_signed() as f64),
        ShapeId::FLOAT => Some(f64::from_bits(value.value())),
        _ => None,
    }
}

/// Order of values of an Ord type. NaN stands after all other numbers.
#[must_use]
pub fn compare(a: u64, b: u64, of: ShapeId) -> Ordering {
    // Nothing stops it.
    compare_polled(a, b, of, &mut || false).unwrap_or(Ordering::Equal)
}

/// As [`compare`], of values that may be huge: `None` if it was stopped.
pub fn compare_polled(a: u64, b: u64, of: ShapeId, poll: Poll<'_>) -> Option<Ordering> {
    let mut open = Open::new();
    let mut current = Some(Step::Pair(a, b, of));
    while let Some(step) = current {
        let order = match step {
            Step::Pair(a, b, of) => compare_here(a, b, of, &mut open),
            Step::Items { a, b, next } => compare_items(a, b, next, &mut open),
        };
        if order.is_ne() {
            return Some(order);
        }
        if poll() {
            return None;
        }
        current = open.pop();
    }
    Some(Ordering::Equal)
}

/// Opens the next elements of two lists, the first one last; behind the last ones the shorter list comes first.
fn compare_items(a: u64, b: u64, next: usize, open: &mut Open) -> Ordering {
    // SAFETY: the words of an open step are lists that live as long as the values compared.
    let (left, right) = unsafe { (ListRef::from_word(a), ListRef::from_word(b)) };
    let end = next + ITEMS;
    if end < left.len().min(right.len()) {
        open.push(Step::Items { a, b, next: end });
    } else {
        open.push(Step::Pair(left.len() as u64, right.len() as u64, ShapeId::INT));
    }
    let element = left.element();
    let part = |list: ListRef<'static>| list.items().get(next..end.min(list.len())).unwrap_or(&[]);
    let pairs = part(left).iter().zip(part(right)).map(|(&a, &b)| Step::Pair(a, b, element));
    let start = open.len();
    open.extend(pairs);
    open.get_mut(start..).unwrap_or_default().reverse();
    Ordering::Equal
}

#[must_use]
pub fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Open pairs are taken from the end, so what is compared first is pushed last.
fn compare_here(a: u64, b: u64, of: ShapeId, open: &mut Open) -> Ordering {
    // SAFETY: in every arm both words are values of the shape that is matched.
    unsafe {
        match shape(of) {
            Shape::Float => compare_floats(f64::from_bits(a), f64::from_bits(b)),
            Shape::Text => text(a).cmp(text(b)),
            Shape::Bytes => {
                BytesRef::from_word(a).as_slice().cmp(BytesRef::from_word(b).as_slice())
            }
            Shape::List(_) | Shape::Vector => {
                open.push(Step::Items { a, b, next: 0 });
                Ordering::Equal
            }
            Shape::Tuple(_) | Shape::Record(_) | Shape::Enum(_) => {
                if matches!(shape(of), Shape::Enum(_)) && record::tag(a) != record::tag(b) {
                    return record::tag(a).cmp(&record::tag(b));
                }
                let pairs = fields(a, of).into_iter().zip(fields(b, of)).rev();
                open.extend(pairs.map(|((a, of), (b, _))| Step::Pair(a, b, of)));
                Ordering::Equal
            }
            Shape::Opaque(_) if count::object_shape(a) == Some(ShapeId::TEXT) => {
                text(a).cmp(text(b))
            }
            // These have no order; the checker never asks (`Ord`, L-37).
            Shape::Map(..) | Shape::Set(_) | Shape::Dyn | Shape::Function(_) => Ordering::Equal,
            _ => a.cast_signed().cmp(&b.cast_signed()),
        }
    }
}

/// A hash that agrees with [`equal`].
#[must_use]
pub fn hash(word: u64, of: ShapeId) -> u64 {
    let mut state = FxHasher::default();
    let mut open = Vec::new();
    let mut current = Some((word, of));
    while let Some((word, of)) = current {
        hash_here(word, of, &mut state, &mut open);
        current = open.pop();
    }
    state.finish()
}

fn hash_here(word: u64, of: ShapeId, state: &mut FxHasher, open: &mut Vec<(u64, ShapeId)>) {
    // SAFETY: in every arm the word is a value of the shape that is matched.
    unsafe {
        match shape(of) {
            // 0.0 and -0.0 are equal.
            Shape::Float => state.write_u64((f64::from_bits(word) + 0.0).to_bits()),
            Shape::Text => state.write(text(word).as_bytes()),
            Shape::Bytes => state.write(BytesRef::from_word(word).as_slice()),
            Shape::List(_) | Shape::Vector => {
                let list = ListRef::from_word(word);
                let element = list.element();
                state.write_usize(list.len());
                open.extend(list.items().iter().rev().map(|&item| (item, element)));
            }
            Shape::Set(key) => state.write_u64(
                MapRef::from_word(word).keys().fold(0, |sum, it| sum.wrapping_add(hash(it, *key))),
            ),
            Shape::Map(key, value) => {
                let entry = |(k, v)| hash(k, *key).rotate_left(5).wrapping_mul(hash(v, *value) | 1);
                let entries = MapRef::from_word(word).entries();
                state.write_u64(entries.fold(0, |sum, it| sum.wrapping_add(entry(it))));
            }
            Shape::Enum(_) => {
                state.write_u32(record::tag(word));
                open.extend(fields(word, of).into_iter().rev());
            }
            Shape::Tuple(_) | Shape::Record(_) => open.extend(fields(word, of).into_iter().rev()),
            // Equal Dyns may have different shapes; what they agree on is their kind and, for numbers, the number.
            Shape::Dyn => {
                let number = number(DynRef::from_word(word));
                state.write_u64(number.map_or(1, |number| (number + 0.0).to_bits()));
            }
            Shape::Opaque(_) | Shape::Future(_) | Shape::Channel(_) => {
                if count::object_shape(word) == Some(ShapeId::TEXT) {
                    state.write(text(word).as_bytes());
                }
            }
            _ => state.write_u64(word),
        }
    }
}
