//! Members and operators of Vector: a row of Floats.

use crate::builtin::declare::{Moved, Outcome, builtins};
use crate::builtin::large;
use crate::builtin::list;
use crate::builtin::sequence::Row;
use crate::builtin::support::{fail, poll, room_for};
use crate::context::Cx;
use crate::fault::code;
use crate::value::closure::FunctionRef;
use crate::value::list::{ListBuf, ListRef};
use crate::value::shape::ShapeId;
use std::cmp::Ordering;

builtins! {
    /// The number of elements.
    Vector "len" "(self: Vector) -> Int"
        example "let v : Vector = [3.0, 4.0]; v.len" => "2"
        = |_cx, xs: ListRef<'_>| Ok(xs.len() as i64);
    /// Whether it has no elements.
    Vector "is_empty" "(self: Vector) -> Bool"
        example "let v : Vector = [3.0, 4.0]; v.is_empty" => "false"
        = |_cx, xs: ListRef<'_>| Ok(xs.is_empty());
    /// The first element, if there is one.
    Vector "first" "(self: Vector) -> Float?"
        example "let v : Vector = [3.0, 4.0]; v.first" => "Some(3.0)"
        = |_cx, xs: ListRef<'_>| Ok(Row::from(xs).first());
    /// The last element, if there is one.
    Vector "last" "(self: Vector) -> Float?"
        example "let v : Vector = [3.0, 4.0]; v.last" => "Some(4.0)"
        = |_cx, xs: ListRef<'_>| Ok(Row::from(xs).last());
    /// The vector with one more element at the end. As a statement, `xs.push(x)` changes a variable: it is short for `xs = xs.push(x)`.
    Vector "push" "(self: Vector, value: Float) -> Vector"
        example "let v : Vector = [3.0, 4.0]; let t := v.push(5.0); t" => "[3.0, 4.0, 5.0]"
        = |cx, xs: ListBuf, value: Moved| list::push(cx, xs, value, ShapeId::FLOAT);
    /// The vector without its last element. As a statement, `xs.pop()` changes a variable: it is short for `xs = xs.pop()`.
    Vector "pop" "(self: Vector) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.pop" => "[3.0]"
        = |cx, xs: ListBuf| list::pop(cx, xs);
    /// The vector with an element put in before a position. As a statement, `xs.insert(0, x)` changes a variable: it is short for `xs = xs.insert(0, x)`.
    Vector "insert" "(self: Vector, index: Int, value: Float) -> Vector"
        example "let v : Vector = [3.0, 4.0]; let t := v.insert(0, 1.0); t" => "[1.0, 3.0, 4.0]"
        = |cx, xs: ListBuf, index: i64, value: Moved| list::insert(cx, xs, index, value, ShapeId::FLOAT);
    /// The vector without the element at a position. As a statement, `xs.remove(0)` changes a variable: it is short for `xs = xs.remove(0)`.
    Vector "remove" "(self: Vector, index: Int) -> Vector"
        example "let v : Vector = [3.0, 4.0]; let t := v.remove(0); t" => "[4.0]"
        = |cx, xs: ListBuf, index: i64| list::remove(cx, xs, index);
    /// Whether an element is equal to a number.
    Vector "contains" "(self: Vector, value: Float) -> Bool"
        example "let v : Vector = [3.0, 4.0]; v.contains(4.0)" => "true"
        = |cx, xs: ListRef<'_>, value: f64| Row::from(xs).contains(cx, value.to_bits());
    /// The position of the first element that is equal to a number.
    Vector "index_of" "(self: Vector, value: Float) -> Int?"
        example "let v : Vector = [3.0, 4.0]; v.index_of(4.0)" => "Some(1)"
        = |cx, xs: ListRef<'_>, value: f64| list::index_of(cx, xs, value.to_bits());
    /// The vector of what `f` gives for each element.
    Vector "map" "(self: Vector, f: (Float) -> Float) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.map(x => x * 2.0)" => "[6.0, 8.0]"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>| Row::from(xs).map(cx, f, ShapeId::VECTOR);
    /// The elements for which `f` holds.
    Vector "filter" "(self: Vector, f: (Float) -> Bool) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.filter(x => x > 3.5)" => "[4.0]"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>| {
            let kept = Row::from(xs).filter(cx, f)?;
            large::list(cx, ShapeId::VECTOR, &kept, ShapeId::FLOAT)
        };
    /// Goes through the vector with a value.
    Vector "fold" "(self: Vector, start: U, f: (U, Float) -> U) -> U"
        example "let v : Vector = [3.0, 4.0]; v.fold(0.0, (sum, x) => sum + x)" => "7.0"
        = |cx, xs: ListRef<'_>, start: Moved, f: FunctionRef<'_>, u: ShapeId| Row::from(xs).fold(cx, start, f, u);
    /// Calls `f` for each element.
    Vector "each" "(self: Vector, f: (Float) -> U) -> Unit"
        example "let v : Vector = [3.0, 4.0]; v.each(x => print(x))" => "()"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>, u: ShapeId| Row::from(xs).each(cx, f, u);
    /// How many elements `f` holds for.
    Vector "count" "(self: Vector, f: (Float) -> Bool) -> Int"
        example "let v : Vector = [3.0, 4.0]; v.count(x => x > 3.5)" => "1"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>| Row::from(xs).count(cx, f);
    /// Whether `f` holds for some element.
    Vector "any" "(self: Vector, f: (Float) -> Bool) -> Bool"
        example "let v : Vector = [3.0, 4.0]; v.any(x => x > 3.5)" => "true"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>| Row::from(xs).any(cx, f);
    /// Whether `f` holds for every element.
    Vector "all" "(self: Vector, f: (Float) -> Bool) -> Bool"
        example "let v : Vector = [3.0, 4.0]; v.all(x => x > 3.5)" => "false"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>| Row::from(xs).all(cx, f);
    /// The first element for which `f` holds.
    Vector "find" "(self: Vector, f: (Float) -> Bool) -> Float?"
        example "let v : Vector = [3.0, 4.0]; v.find(x => x > 3.5)" => "Some(4.0)"
        = |cx, xs: ListRef<'_>, f: FunctionRef<'_>| Row::from(xs).find(cx, f);
    /// The elements in order.
    Vector "sort" "(self: Vector, descending: Bool = false) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.sort(descending: true)" => "[4.0, 3.0]"
        = |cx, xs: ListRef<'_>, descending: bool| {
            let sorted = Row::from(xs).sorted(cx, descending)?;
            large::list(cx, ShapeId::VECTOR, &sorted, ShapeId::FLOAT)
        };
    /// The elements in the order of what `key` gives for them; equal ones keep theirs.
    Vector "sort_by" "<K: Ord>(self: Vector, key: (Float) -> K, descending: Bool = false) -> Vector"
        example "let v : Vector = [-3.0, 2.0]; v.sort_by(x => x * x)" => "[2.0, -3.0]"
        = |cx, xs: ListRef<'_>, key: FunctionRef<'_>, descending: bool, k: ShapeId| {
            let sorted = Row::from(xs).sorted_by(cx, key, k, descending)?;
            Ok(ListBuf::from_items(ShapeId::VECTOR, &sorted))
        };
    /// The elements from last to first.
    Vector "reverse" "(self: Vector) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.reverse" => "[4.0, 3.0]"
        = |cx, xs: ListBuf| list::reverse(cx, xs);
    /// The first `n` elements, or all if there are fewer.
    Vector "take" "(self: Vector, n: Int) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.take(1)" => "[3.0]"
        = |cx, xs: ListBuf, n: i64| list::take(cx, xs, n);
    /// The elements after the first `n`.
    Vector "drop" "(self: Vector, n: Int) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.drop(1)" => "[4.0]"
        = |cx, xs: ListRef<'_>, n: i64| list::slice(cx, xs, n, i64::MAX);
    /// The elements from `start` up to but not including `end`, cut to the vector.
    Vector "slice" "(self: Vector, start: Int, end: Int = 9223372036854775807) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v.slice(0, 1)" => "[3.0]"
        = |cx, xs: ListRef<'_>, start: i64, end: i64| list::slice(cx, xs, start, end);
    /// Pairs with the elements of another vector, as far as the shorter one goes.
    Vector "zip" "(self: Vector, other: Vector) -> List<(Float, Float)>"
        example "let v : Vector = [3.0, 4.0]; v.zip(v)" => "[(3.0, 3.0), (4.0, 4.0)]"
        = |cx, xs: ListRef<'_>, other: ListRef<'_>| Row::from(xs).zip(cx, &Row::from(other));
    /// Pairs of position and element.
    Vector "enumerate" "(self: Vector) -> List<(Int, Float)>"
        example "let v : Vector = [3.0, 4.0]; v.enumerate" => "[(0, 3.0), (1, 4.0)]"
        = |cx, xs: ListRef<'_>| Row::from(xs).enumerate(cx);
    /// The sum of the elements, in order.
    Vector "sum" "(self: Vector) -> Float"
        example "let v : Vector = [3.0, 4.0]; v.sum" => "7.0"
        = |cx, xs: ListRef<'_>| Row::from(xs).sum(cx);
    /// The smallest element.
    Vector "min" "(self: Vector) -> Float?"
        example "let v : Vector = [3.0, 4.0]; v.min" => "Some(3.0)"
        = |cx, xs: ListRef<'_>| Row::from(xs).extreme(cx, Ordering::Less);
    /// The largest element.
    Vector "max" "(self: Vector) -> Float?"
        example "let v : Vector = [3.0, 4.0]; v.max" => "Some(4.0)"
        = |cx, xs: ListRef<'_>| Row::from(xs).extreme(cx, Ordering::Greater);
    /// The sum of the products of the elements.
    Vector "dot" "(self: Vector, other: Vector) -> Float"
        example "let v : Vector = [3.0, 4.0]; v.dot(v)" => "25.0"
        = |cx, xs: ListRef<'_>, other: ListRef<'_>| dot(cx, xs, other);
    /// The length in space: the square root of the dot product with itself.
    Vector "norm" "(self: Vector) -> Float"
        example "let v : Vector = [3.0, 4.0]; v.norm" => "5.0"
        = |cx, xs: ListRef<'_>| Ok(dot(cx, xs, xs)?.sqrt());
    /// The sums of the elements.
    operator "+" "(a: Vector, b: Vector) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v + v" => "[6.0, 8.0]"
        = |cx, a: ListRef<'_>, b: ListRef<'_>| each_pair(cx, a, b, "+", |x, y| x + y);
    /// The differences of the elements.
    operator "-" "(a: Vector, b: Vector) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v - v" => "[0.0, 0.0]"
        = |cx, a: ListRef<'_>, b: ListRef<'_>| each_pair(cx, a, b, "-", |x, y| x - y);
    /// The products of the elements.
    operator "*" "(a: Vector, b: Vector) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v * v" => "[9.0, 16.0]"
        = |cx, a: ListRef<'_>, b: ListRef<'_>| each_pair(cx, a, b, "*", |x, y| x * y);
    /// Each element times a number.
    operator "*" "(a: Vector, factor: Float) -> Vector"
        example "let v : Vector = [3.0, 4.0]; v * 2.0" => "[6.0, 8.0]"
        = |cx, a: ListRef<'_>, factor: f64| scale(cx, a, factor);
    /// Each element times a number.
    operator "*" "(factor: Float, a: Vector) -> Vector"
        example "let v : Vector = [3.0, 4.0]; 2.0 * v" => "[6.0, 8.0]"
        = |cx, factor: f64, a: ListRef<'_>| scale(cx, a, factor);
    /// The element at a position; R0104 outside.
    operator "[]" "(xs: Vector, index: Int) -> Float"
        example "let v : Vector = [3.0, 4.0]; v[1]" => "4.0"
        = |cx, xs: ListRef<'_>, index: i64| list::at(cx, xs, index, ShapeId::FLOAT);
    /// The vector with another element at a position: what `v[i] = x` assigns.
    operator "[]=" "(xs: Vector, index: Int, value: Float) -> Vector"
        example "var w : Vector = [3.0, 4.0]; w[0] = 1.0; w" => "[1.0, 4.0]"
        = |cx, xs: ListBuf, index: i64, value: Moved| list::set(cx, xs, index, value, ShapeId::FLOAT);
}

fn same_length(cx: &mut Cx, a: ListRef<'_>, b: ListRef<'_>, op: &str) -> Outcome<()> {
    if a.len() == b.len() {
        return Ok(());
    }
    let message = format!("`{op}` needs vectors of one length, not {} and {}", a.len(), b.len());
    fail(cx, code::INDEX, message)
}

fn each_pair(
    cx: &mut Cx,
    a: ListRef<'_>,
    b: ListRef<'_>,
    op: &str,
    f: fn(f64, f64) -> f64,
) -> Outcome<ListBuf> {
    same_length(cx, a, b, op)?;
    room_for(cx, a.len())?;
    let mut made = ListBuf::with_capacity(ShapeId::VECTOR, a.len());
    for (at, (&x, &y)) in a.floats().iter().zip(b.floats()).enumerate() {
        poll(cx, at)?;
        made.append(f(x, y).to_bits());
    }
    Ok(made)
}

fn scale(cx: &mut Cx, a: ListRef<'_>, factor: f64) -> Outcome<ListBuf> {
    room_for(cx, a.len())?;
    let mut made = ListBuf::with_capacity(ShapeId::VECTOR, a.len());
    for (at, &x) in a.floats().iter().enumerate() {
        poll(cx, at)?;
        made.append((x * factor).to_bits());
    }
    Ok(made)
}

/// In order, so that every tier gives the same bits.
fn dot(cx: &mut Cx, a: ListRef<'_>, b: ListRef<'_>) -> Outcome<f64> {
    same_length(cx, a, b, "dot")?;
    let mut sum = 0.0;
    for (at, (&x, &y)) in a.floats().iter().zip(b.floats()).enumerate() {
        poll(cx, at)?;
        sum += x * y;
    }
    Ok(sum)
}
