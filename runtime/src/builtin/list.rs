//! Members and operators of List.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::large;
use crate::builtin::num;
use crate::builtin::sequence::Row;
use crate::builtin::support::{fail, natural, poll, position, range_within, spend};
use crate::builtin::text::some_word;
use crate::context::Cx;
use crate::fault::code;
use crate::value::closure::FunctionRef;
use crate::value::count::{is_alone, release, retain};
use crate::value::list::{ListBuf, ListRef};
use crate::value::shape::ShapeId;
use std::cmp::Ordering;

builtins! {
    /// The number of elements.
    List "len" "(self: List<T>) -> Int"
        example "[1, 2, 3].len" => "3"
        = |_cx, xs: ListRef<'_>, _t: ShapeId| Ok(xs.len() as i64);
    /// Whether it has no elements.
    List "is_empty" "(self: List<T>) -> Bool"
        example "[1].is_empty" => "false"
        = |_cx, xs: ListRef<'_>, _t: ShapeId| Ok(xs.is_empty());
    /// The first element, if there is one.
    List "first" "(self: List<T>) -> T?"
        example "[1, 2].first" => "Some(1)"
        = |_cx, xs: ListRef<'_>, _t: ShapeId| Ok(Row::from(xs).first());
    /// The last element, if there is one.
    List "last" "(self: List<T>) -> T?"
        example "[1, 2].last" => "Some(2)"
        = |_cx, xs: ListRef<'_>, _t: ShapeId| Ok(Row::from(xs).last());
    /// The list with one more element at the end. As a statement, `xs.push(x)` changes a variable: it is short for `xs = xs.push(x)`.
    List "push" "(self: List<T>, value: T) -> List<T>"
        example "[1].push(2)" => "[1, 2]"
        = |cx, xs: ListBuf, value: Moved, t: ShapeId| push(cx, xs, value, t);
    /// The list without its last element; read that with `last` first. As a statement, `xs.pop()` changes a variable: it is short for `xs = xs.pop()`.
    List "pop" "(self: List<T>) -> List<T>"
        example "[1, 2].pop" => "[1]"
        = |cx, xs: ListBuf, _t: ShapeId| pop(cx, xs);
    /// The list with an element put in before a position (at most its length). As a statement, `xs.insert(0, x)` changes a variable: it is short for `xs = xs.insert(0, x)`.
    List "insert" "(self: List<T>, index: Int, value: T) -> List<T>"
        example "[1, 3].insert(1, 2)" => "[1, 2, 3]"
        = |cx, xs: ListBuf, index: i64, value: Moved, t: ShapeId| insert(cx, xs, index, value, t);
    /// The list without the element at a position. As a statement, `xs.remove(0)` changes a variable: it is short for `xs = xs.remove(0)`.
    List "remove" "(self: List<T>, index: Int) -> List<T>"
        example "[1, 2, 3].remove(1)" => "[1, 3]"
        = |cx, xs: ListBuf, index: i64, _t: ShapeId| remove(cx, xs, index);
    /// Whether an element is equal to a value.
    List "contains" "<T: Eq>(self: List<T>, value: T) -> Bool"
        example "[1, 2].contains(2)" => "true"
        = |cx, xs: ListRef<'_>, value: Word, _t: ShapeId| Row::from(xs).contains(cx, value.0);
    /// The position of the first element that is equal to a value.
    List "index_of" "<T: Eq>(self: List<T>, value: T) -> Int?"
        example "[\"a\", \"b\"].index_of(\"b\")" => "Some(1)"
        = |cx, xs: ListRef<'_>, value: Word, _t: ShapeId| index_of(cx, xs, value.0);
    /// The list of what `f` gives for each element.
    List "map" "(self: List<T>, f: (T) -> U) -> List<U>"
        example "[1, 2].map(x => x * 10)" => "[10, 20]"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId, u: ShapeId| Row::from(xs).map(cx, f, ShapeId::list(u));
    /// The elements for which `f` holds.
    List "filter" "(self: List<T>, f: (T) -> Bool) -> List<T>"
        example "[1, 2, 3].filter(x => x > 1)" => "[2, 3]"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId| {
            let row = Row::from(xs);
            let kept = row.filter(cx, f)?;
            row.list(cx, &kept)
        };
    /// Goes through the list with a value: `f(f(start, first), second)` and so on.
    List "fold" "(self: List<T>, start: U, f: (U, T) -> U) -> U"
        example "[1, 2, 3].fold(10, (sum, x) => sum + x)" => "16"
        = |cx, xs: ListRef<'_>, start: Moved, f: FunctionRef<'_>, _t: ShapeId, u: ShapeId| Row::from(xs).fold(cx, start, f, u);
    /// Calls `f` for each element.
    List "each" "(self: List<T>, f: (T) -> U) -> Unit"
        example "[1, 2].each(x => print(x))" => "()"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId, u: ShapeId| Row::from(xs).each(cx, f, u);
    /// How many elements `f` holds for.
    List "count" "(self: List<T>, f: (T) -> Bool) -> Int"
        example "[1, 2, 3].count(x => x > 1)" => "2"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::from(xs).count(cx, f);
    /// Whether `f` holds for some element.
    List "any" "(self: List<T>, f: (T) -> Bool) -> Bool"
        example "[1, 2].any(x => x > 1)" => "true"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::from(xs).any(cx, f);
    /// Whether `f` holds for every element.
    List "all" "(self: List<T>, f: (T) -> Bool) -> Bool"
        example "[1, 2].all(x => x > 1)" => "false"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::from(xs).all(cx, f);
    /// The first element for which `f` holds.
    List "find" "(self: List<T>, f: (T) -> Bool) -> T?"
        example "[1, 2, 3].find(x => x > 1)" => "Some(2)"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::from(xs).find(cx, f);
    /// The elements in order; equal ones keep theirs.
    List "sort" "<T: Ord>(self: List<T>, descending: Bool = false) -> List<T>"
        example "[3, 1, 2].sort" => "[1, 2, 3]"
        = |cx, xs: ListRef<'_>, descending: bool, _t: ShapeId| {
            let row = Row::from(xs);
            let sorted = row.sorted(cx, descending)?;
            row.list(cx, &sorted)
        };
    /// The elements in the order of what `key` gives for them; equal ones keep theirs.
    List "sort_by" "<T, K: Ord>(self: List<T>, key: (T) -> K, descending: Bool = false) -> List<T>"
        example "[\"ccc\", \"a\", \"bb\"].sort_by(t => t.len)" => "[\"a\", \"bb\", \"ccc\"]"
        = |cx, xs: ListRef<'_>, key: FunctionRef<'_>, descending: bool, _t: ShapeId, k: ShapeId| {
            let row = Row::from(xs);
            let sorted = row.sorted_by(cx, key, k, descending)?;
            row.list(cx, &sorted)
        };
    /// The elements from last to first.
    List "reverse" "(self: List<T>) -> List<T>"
        example "[1, 2].reverse" => "[2, 1]"
        = |cx, xs: ListBuf, _t: ShapeId| reverse(cx, xs);
    /// The first `n` elements, or all if there are fewer.
    List "take" "(self: List<T>, n: Int) -> List<T>"
        example "[1, 2, 3].take(2)" => "[1, 2]"
        = |cx, xs: ListBuf, n: i64, _t: ShapeId| take(cx, xs, n);
    /// The elements after the first `n`.
    List "drop" "(self: List<T>, n: Int) -> List<T>"
        example "[1, 2, 3].drop(2)" => "[3]"
        = |cx, xs: ListRef<'_>, n: i64, _t: ShapeId| slice(cx, xs, n, i64::MAX);
    /// The elements from `start` up to but not including `end`, cut to the list.
    List "slice" "(self: List<T>, start: Int, end: Int = 9223372036854775807) -> List<T>"
        example "[1, 2, 3].slice(1, 2)" => "[2]"
        = |cx, xs: ListRef<'_>, start: i64, end: i64, _t: ShapeId| slice(cx, xs, start, end);
    /// Pairs with the elements of another list, as far as the shorter one goes.
    List "zip" "(self: List<T>, other: List<U>) -> List<(T, U)>"
        example "[1, 2].zip([\"a\", \"b\"])" => "[(1, \"a\"), (2, \"b\")]"
        = |cx, xs: ListRef<'_>, other: ListRef<'_>, _t: ShapeId, _u: ShapeId| Row::from(xs).zip(cx, &Row::from(other));
    /// Pairs of position and element.
    List "enumerate" "(self: List<T>) -> List<(Int, T)>"
        example "[\"a\", \"b\"].enumerate" => "[(0, \"a\"), (1, \"b\")]"
        = |cx, xs: ListRef<'_>, _t: ShapeId| Row::from(xs).enumerate(cx);
    /// The elements of all lists of a list.
    List "flatten" "(self: List<List<T>>) -> List<T>"
        example "[[1], [2, 3]].flatten" => "[1, 2, 3]"
        = |cx, xs: ListRef<'_>, t: ShapeId| flatten(cx, xs, t);
    /// Lists of elements by what `key` gives for them, in the order the keys first came.
    List "group_by" "<T, K: Hash>(self: List<T>, key: (T) -> K) -> Map<K, List<T>>"
        example "[1, 2, 3].group_by(x => x % 2)" => "{ (1): [1, 3], (0): [2] }"
        = |cx, xs: ListRef<'_>, key: FunctionRef<'_>, _t: ShapeId, k: ShapeId| Row::from(xs).group_by(cx, key, k);
    /// The first of each equal elements, in order.
    List "unique" "<T: Hash>(self: List<T>) -> List<T>"
        example "[1, 2, 1].unique" => "[1, 2]"
        = |cx, xs: ListRef<'_>, _t: ShapeId| {
            let row = Row::from(xs);
            let kept = row.unique(cx)?;
            row.list(cx, &kept)
        };
    /// The sum of the elements, in order.
    List "sum" "<T: Num>(self: List<T>) -> T"
        example "[$0.10, $0.20].sum" => "$0.30"
        = |cx, xs: ListRef<'_>, _t: ShapeId| Row::from(xs).sum(cx);
    /// The smallest element; the first of equal ones.
    List "min" "<T: Ord>(self: List<T>) -> T?"
        example "[2, 1].min" => "Some(1)"
        = |cx, xs: ListRef<'_>, _t: ShapeId| Row::from(xs).extreme(cx, Ordering::Less);
    /// The largest element; the first of equal ones.
    List "max" "<T: Ord>(self: List<T>) -> T?"
        example "[2, 1].max" => "Some(2)"
        = |cx, xs: ListRef<'_>, _t: ShapeId| Row::from(xs).extreme(cx, Ordering::Greater);
    /// The elements of one list after those of another.
    operator "+" "(a: List<T>, b: List<T>) -> List<T>"
        example "[1] + [2]" => "[1, 2]"
        = |cx, a: ListBuf, b: ListRef<'_>, t: ShapeId| concat(cx, a, b, t);
    /// The element at a position; R0104 outside.
    operator "[]" "(xs: List<T>, index: Int) -> T"
        example "[1, 2][1]" => "2"
        = |cx, xs: ListRef<'_>, index: i64, t: ShapeId| at(cx, xs, index, t);
    /// The list with another element at a position: what `xs[i] = v` assigns.
    operator "[]=" "(xs: List<T>, index: Int, value: T) -> List<T>"
        example "var xs := [1, 2]; xs[0] = 7; xs" => "[7, 2]"
        = |cx, xs: ListBuf, index: i64, value: Moved, t: ShapeId| set(cx, xs, index, value, t);
    /// Whether an element of a list is equal to a value.
    operator "in" "<T: Eq>(value: T, xs: List<T>) -> Bool"
        example "2 in [1, 2]" => "true"
        = |cx, value: Word, xs: ListRef<'_>, _t: ShapeId| Row::from(xs).contains(cx, value.0);
    /// The whole numbers from one up to but not including another, as a list.
    operator ".." "(start: Int, end: Int) -> List<Int>"
        example "(0..3).len" => "3"
        = |cx, start: i64, end: i64| num::range(cx, start, end, 1);
    /// The whole numbers from one up to and including another, as a list.
    operator "..=" "(start: Int, end: Int) -> List<Int>"
        example "(1..=3).sum" => "6"
        = |cx, start: i64, end: i64| {
            // Up to the largest Int there is no end to exclude.
            match end.checked_add(1) {
                Some(end) => num::range(cx, start, end, 1),
                None => num::range(cx, start, end, 1).map(|xs| xs.push(end.cast_unsigned())),
            }
        };
}

/// The list with one more element, which it takes over.
pub fn push(cx: &mut Cx, xs: ListBuf, value: Moved, of: ShapeId) -> Outcome<ListBuf> {
    match large::own_list(cx, xs, 1) {
        Ok(xs) => Ok(xs.push(value.0)),
        Err(faulted) => {
            release(value.0, of);
            Err(faulted)
        }
    }
}

pub fn pop(cx: &mut Cx, xs: ListBuf) -> Outcome<ListBuf> {
    match xs.borrow().len() {
        0 => fail(cx, code::INDEX, "an empty list has no last element to remove".to_owned()),
        length => shortened(cx, xs, length - 1),
    }
}

pub fn take(cx: &mut Cx, xs: ListBuf, n: i64) -> Outcome<ListBuf> {
    let length = natural(cx, n, "a number of elements")?;
    if length >= xs.borrow().len() { Ok(xs) } else { shortened(cx, xs, length) }
}

/// The list cut to a length below its own.
fn shortened(cx: &mut Cx, xs: ListBuf, length: usize) -> Outcome<ListBuf> {
    if !is_alone(xs.borrow().word()) {
        let from = xs.borrow();
        let kept = from.items().get(..length).unwrap_or(&[]);
        return large::list(cx, from.shape(), kept, from.element());
    }
    let mut xs = xs;
    // From the end, so that what is left is a list at any time.
    while xs.borrow().len() > length {
        let next = length.max(xs.borrow().len().saturating_sub(CUT));
        xs = xs.truncate(next);
        spend(cx, CUT)?;
    }
    Ok(xs)
}

/// Elements given up between two safepoints.
const CUT: usize = 1024;

pub fn insert(cx: &mut Cx, xs: ListBuf, index: i64, value: Moved, of: ShapeId) -> Outcome<ListBuf> {
    // One past the end is a place to insert at.
    let length = xs.borrow().len();
    match usize::try_from(index) {
        Ok(at) if at <= length => match large::own_list(cx, xs, 1) {
            Ok(xs) => Ok(xs.insert(at, value.0)),
            Err(faulted) => {
                release(value.0, of);
                Err(faulted)
            }
        },
        _ => {
            release(value.0, of);
            let message = format!("position {index} is outside 0..={length}, where one can insert");
            fail(cx, code::INDEX, message)
        }
    }
}

pub fn remove(cx: &mut Cx, xs: ListBuf, index: i64) -> Outcome<ListBuf> {
    let at = position(cx, index, xs.borrow().len(), "a list")?;
    Ok(large::own_list(cx, xs, 0)?.remove(at))
}

pub fn index_of(cx: &mut Cx, xs: ListRef<'_>, value: u64) -> Outcome<Moved> {
    let found = Row::from(xs).position(cx, value)?;
    Ok(some_word(found.map(|at| at as u64), ShapeId::INT))
}

pub fn reverse(cx: &mut Cx, xs: ListBuf) -> Outcome<ListBuf> {
    let mut xs = large::own_list(cx, xs, 0)?;
    // Pairs from both ends, a part of them at a time.
    let length = xs.borrow().len();
    for start in (0..length / 2).step_by(SWAPPED) {
        let items = xs.items_mut();
        for at in start..(start + SWAPPED).min(length / 2) {
            items.swap(at, length - 1 - at);
        }
        spend(cx, SWAPPED / 4)?;
    }
    Ok(xs)
}

/// Pairs swapped between two safepoints.
const SWAPPED: usize = 4096;

pub fn slice(cx: &mut Cx, xs: ListRef<'_>, start: i64, end: i64) -> Outcome<ListBuf> {
    let (start, end) = range_within(cx, start, end, xs.len())?;
    let row = Row::from(xs);
    row.list_as(cx, xs.shape(), xs.items().get(start..end).unwrap_or(&[]))
}

pub fn concat(cx: &mut Cx, a: ListBuf, b: ListRef<'_>, of: ShapeId) -> Outcome<ListBuf> {
    if b.is_empty() {
        return Ok(a);
    }
    let mut joined = large::own_list(cx, a, b.len())?;
    joined.reserve(b.len());
    large::extend(cx, &mut joined, b.items(), of)?;
    Ok(joined)
}

pub fn at(cx: &mut Cx, xs: ListRef<'_>, index: i64, of: ShapeId) -> Outcome<Moved> {
    let at = position(cx, index, xs.len(), "a list")?;
    let item = xs.get(at).unwrap_or(0);
    retain(item, of);
    Ok(Moved(item))
}

pub fn set(cx: &mut Cx, xs: ListBuf, index: i64, value: Moved, of: ShapeId) -> Outcome<ListBuf> {
    match position(cx, index, xs.borrow().len(), "a list") {
        Ok(at) => match large::own_list(cx, xs, 0) {
            Ok(xs) => Ok(xs.set(at, value.0)),
            Err(faulted) => {
                release(value.0, of);
                Err(faulted)
            }
        },
        Err(faulted) => {
            release(value.0, of);
            Err(faulted)
        }
    }
}

fn flatten(cx: &mut Cx, xs: ListRef<'_>, of: ShapeId) -> Outcome<ListBuf> {
    let mut flat = ListBuf::with_capacity(ShapeId::list(of), 0);
    for (at, &inner) in xs.items().iter().enumerate() {
        poll(cx, at)?;
        // SAFETY: the elements are lists, as the signature says.
        let inner = unsafe { ListRef::from_word(inner) };
        flat = concat(cx, flat, inner, of)?;
    }
    Ok(flat)
}
