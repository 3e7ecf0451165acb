//! Members and operators of Set. What has an order of its own gives a List.

use crate::builtin::declare::{Moved, Word, builtins};
use crate::builtin::large;
use crate::builtin::map::{self, some};
use crate::builtin::sequence::Row;
use crate::builtin::support::range_within;
use crate::builtin::text::{join, some_word};
use crate::value::closure::FunctionRef;
use crate::value::list::ListRef;
use crate::value::map::{MapBuf, MapRef};
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use crate::value::text::TextRef;
use std::cmp::Ordering;

builtins! {
    /// The number of elements.
    Set "len" "(self: Set<T>) -> Int"
        example "let s : Set<Int> = [2, 1]; s.len" => "2"
        = |_cx, xs: MapRef<'_>, _t: ShapeId| Ok(xs.len() as i64);
    /// Whether it has no elements.
    Set "is_empty" "(self: Set<T>) -> Bool"
        example "let s : Set<Int> = [2, 1]; s.is_empty" => "false"
        = |_cx, xs: MapRef<'_>, _t: ShapeId| Ok(xs.is_empty());
    /// The element that came first, if there is one.
    Set "first" "(self: Set<T>) -> T?"
        example "let s : Set<Int> = [2, 1]; s.first" => "Some(2)"
        = |_cx, xs: MapRef<'_>, t: ShapeId| Ok(some(xs.keys().next(), t));
    /// The element that came last, if there is one.
    Set "last" "(self: Set<T>) -> T?"
        example "let s : Set<Int> = [2, 1]; s.last" => "Some(1)"
        = |_cx, xs: MapRef<'_>, t: ShapeId| Ok(some(xs.last_key(), t));
    /// The set with one more element. As a statement, `xs.insert(x)` changes a variable: it is short for `xs = xs.insert(x)`.
    Set "insert" "(self: Set<T>, value: T) -> Set<T>"
        example "let s : Set<Int> = [2, 1]; let t := s.insert(3); t" => "{2, 1, 3}"
        = |cx, xs: MapBuf, value: Moved, _t: ShapeId| large::map_set(cx, xs, value.0, 0);
    /// The set without an element. As a statement, `xs.remove(k)` changes a variable: it is short for `xs = xs.remove(k)`.
    Set "remove" "(self: Set<T>, value: T) -> Set<T>"
        example "let s : Set<Int> = [2, 1]; let t := s.remove(2); t" => "{1}"
        = |cx, xs: MapBuf, value: Word, _t: ShapeId| map::without(cx, xs, value.0);
    /// Whether it has an element.
    Set "contains" "(self: Set<T>, value: T) -> Bool"
        example "let s : Set<Int> = [2, 1]; s.contains(2)" => "true"
        = |_cx, xs: MapRef<'_>, value: Word, _t: ShapeId| Ok(xs.contains(value.0));
    /// The list of what `f` gives for each element.
    Set "map" "(self: Set<T>, f: (T) -> U) -> List<U>"
        example "let s : Set<Int> = [2, 1]; s.map(x => x * 10)" => "[20, 10]"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId, u: ShapeId| Row::of_set(cx, xs)?.map(cx, f, ShapeId::list(u));
    /// The elements for which `f` holds.
    Set "filter" "(self: Set<T>, f: (T) -> Bool) -> Set<T>"
        example "let s : Set<Int> = [2, 1]; s.filter(x => x > 1)" => "{2}"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId| {
            let row = Row::of_set(cx, xs)?;
            let kept = row.filter(cx, f)?;
            row.set(cx, &kept)
        };
    /// Goes through the set with a value: `f(f(start, first), second)` and so on.
    Set "fold" "(self: Set<T>, start: U, f: (U, T) -> U) -> U"
        example "let s : Set<Int> = [2, 1]; s.fold(0, (sum, x) => sum + x)" => "3"
        = |cx, xs: MapRef<'_>, start: Moved, f: FunctionRef<'_>, _t: ShapeId, u: ShapeId| {
            // Ours until the fold takes it over.
            let start = Owned::new(start.0, u);
            let row = Row::of_set(cx, xs)?;
            row.fold(cx, Moved(start.into_word()), f, u)
        };
    /// Calls `f` for each element.
    Set "each" "(self: Set<T>, f: (T) -> U) -> Unit"
        example "let s : Set<Int> = [2, 1]; s.each(x => print(x))" => "()"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId, u: ShapeId| Row::of_set(cx, xs)?.each(cx, f, u);
    /// How many elements `f` holds for.
    Set "count" "(self: Set<T>, f: (T) -> Bool) -> Int"
        example "let s : Set<Int> = [2, 1]; s.count(x => x > 1)" => "1"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.count(cx, f);
    /// Whether `f` holds for some element.
    Set "any" "(self: Set<T>, f: (T) -> Bool) -> Bool"
        example "let s : Set<Int> = [2, 1]; s.any(x => x > 1)" => "true"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.any(cx, f);
    /// Whether `f` holds for every element.
    Set "all" "(self: Set<T>, f: (T) -> Bool) -> Bool"
        example "let s : Set<Int> = [2, 1]; s.all(x => x > 1)" => "false"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.all(cx, f);
    /// The first element for which `f` holds.
    Set "find" "(self: Set<T>, f: (T) -> Bool) -> T?"
        example "let s : Set<Int> = [2, 1]; s.find(x => x < 2)" => "Some(1)"
        = |cx, xs: MapRef<'_>, f: FunctionRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.find(cx, f);
    /// The elements in order.
    Set "sort" "<T: Ord>(self: Set<T>, descending: Bool = false) -> List<T>"
        example "let s : Set<Int> = [2, 1]; s.sort" => "[1, 2]"
        = |cx, xs: MapRef<'_>, descending: bool, _t: ShapeId| {
            let row = Row::of_set(cx, xs)?;
            let sorted = row.sorted(cx, descending)?;
            row.list(cx, &sorted)
        };
    /// The elements in the order of what `key` gives for them.
    Set "sort_by" "<T, K: Ord>(self: Set<T>, key: (T) -> K, descending: Bool = false) -> List<T>"
        example "let s : Set<Int> = [2, 1]; s.sort_by(x => x)" => "[1, 2]"
        = |cx, xs: MapRef<'_>, key: FunctionRef<'_>, descending: bool, _t: ShapeId, k: ShapeId| {
            let row = Row::of_set(cx, xs)?;
            let sorted = row.sorted_by(cx, key, k, descending)?;
            row.list(cx, &sorted)
        };
    /// The elements as a list, the last one first.
    Set "reverse" "(self: Set<T>) -> List<T>"
        example "let s : Set<Int> = [2, 1]; s.reverse" => "[1, 2]"
        = |cx, xs: MapRef<'_>, _t: ShapeId| {
            let row = Row::of_set(cx, xs)?;
            let items = large::collect(cx, row.items.len(), row.items.iter().rev().copied())?;
            row.list(cx, &items)
        };
    /// The first `n` elements, or all if there are fewer.
    Set "take" "(self: Set<T>, n: Int) -> Set<T>"
        example "let s : Set<Int> = [2, 1]; s.take(1)" => "{2}"
        = |cx, xs: MapRef<'_>, n: i64, _t: ShapeId| {
            let (_, end) = range_within(cx, 0, n, xs.len())?;
            let row = Row::of_set(cx, xs)?;
            row.set(cx, row.items.get(..end).unwrap_or(&[]))
        };
    /// The elements after the first `n`.
    Set "drop" "(self: Set<T>, n: Int) -> Set<T>"
        example "let s : Set<Int> = [2, 1]; s.drop(1)" => "{1}"
        = |cx, xs: MapRef<'_>, n: i64, _t: ShapeId| {
            let (start, _) = range_within(cx, n, i64::MAX, xs.len())?;
            let row = Row::of_set(cx, xs)?;
            row.set(cx, row.items.get(start..).unwrap_or(&[]))
        };
    /// The set without the element that came last; read that with `last` first. As a statement, `xs.pop()` changes a variable: it is short for `xs = xs.pop()`.
    Set "pop" "(self: Set<T>) -> Set<T>"
        example "let s : Set<Int> = [2, 1]; let t := s.pop; t" => "{2}"
        = |cx, xs: MapRef<'_>, _t: ShapeId| {
            let row = Row::of_set(cx, xs)?;
            row.set(cx, row.items.split_last().map_or(&[], |(_, rest)| rest))
        };
    /// The elements from position `start` up to but not including `end`, cut to the set.
    Set "slice" "(self: Set<T>, start: Int, end: Int = 9223372036854775807) -> Set<T>"
        example "let s : Set<Int> = [2, 1, 3]; s.slice(1, 2)" => "{1}"
        = |cx, xs: MapRef<'_>, start: i64, end: i64, _t: ShapeId| {
            let (start, end) = range_within(cx, start, end, xs.len())?;
            let row = Row::of_set(cx, xs)?;
            row.set(cx, row.items.get(start..end).unwrap_or(&[]))
        };
    /// As the how many-th an element came, counted from 0.
    Set "index_of" "(self: Set<T>, value: T) -> Int?"
        example "let s : Set<Int> = [2, 1]; s.index_of(1)" => "Some(1)"
        = |cx, xs: MapRef<'_>, value: Word, _t: ShapeId| {
            let found = Row::of_set(cx, xs)?.position(cx, value.0)?;
            Ok(some_word(found.map(|at| at as u64), ShapeId::INT))
        };
    /// Pairs of elements at the same position, as many as the shorter one has.
    Set "zip" "(self: Set<T>, other: List<U>) -> List<(T, U)>"
        example "let s : Set<Int> = [2, 1]; s.zip([\"a\", \"b\"])" => "[(2, \"a\"), (1, \"b\")]"
        = |cx, xs: MapRef<'_>, other: ListRef<'_>, _t: ShapeId, _u: ShapeId| Row::of_set(cx, xs)?.zip(cx, &Row::from(other));
    /// Pairs of position and element.
    Set "enumerate" "(self: Set<T>) -> List<(Int, T)>"
        example "let s : Set<Int> = [2, 1]; s.enumerate" => "[(0, 2), (1, 1)]"
        = |cx, xs: MapRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.enumerate(cx);
    /// Lists of elements by what `key` gives for them.
    Set "group_by" "<T, K: Hash>(self: Set<T>, key: (T) -> K) -> Map<K, List<T>>"
        example "let s : Set<Int> = [2, 1]; s.group_by(x => x % 2)" => "{ (0): [2], (1): [1] }"
        = |cx, xs: MapRef<'_>, key: FunctionRef<'_>, _t: ShapeId, k: ShapeId| Row::of_set(cx, xs)?.group_by(cx, key, k);
    /// The texts of a set with a separator between them.
    Set "join" "(self: Set<Text>, separator: Text = \"\") -> Text"
        example "let s : Set<Text> = [\"a\", \"b\"]; s.join(\"-\")" => "\"a-b\""
        = |cx, xs: MapRef<'_>, separator: TextRef<'_>| {
            let items = large::keys(cx, xs)?;
            join(cx, &items, separator)
        };
    /// The sum of the elements.
    Set "sum" "<T: Num>(self: Set<T>) -> T"
        example "let s : Set<Int> = [2, 1]; s.sum" => "3"
        = |cx, xs: MapRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.sum(cx);
    /// The smallest element.
    Set "min" "<T: Ord>(self: Set<T>) -> T?"
        example "let s : Set<Int> = [2, 1]; s.min" => "Some(1)"
        = |cx, xs: MapRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.extreme(cx, Ordering::Less);
    /// The largest element.
    Set "max" "<T: Ord>(self: Set<T>) -> T?"
        example "let s : Set<Int> = [2, 1]; s.max" => "Some(2)"
        = |cx, xs: MapRef<'_>, _t: ShapeId| Row::of_set(cx, xs)?.extreme(cx, Ordering::Greater);
    /// Whether a set has an element.
    operator "in" "(value: T, xs: Set<T>) -> Bool"
        example "let s : Set<Int> = [2, 1]; 2 in s" => "true"
        = |_cx, value: Word, xs: MapRef<'_>, _t: ShapeId| Ok(xs.contains(value.0));
}
