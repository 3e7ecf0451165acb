//! What List, Set and Vector have in common: bodies over a row of words of one shape.
//!
//! Never: knows how the row is stored. Words are borrowed; what is kept gets one more holder.

use crate::builtin::declare::{Moved, Outcome};
use crate::builtin::large;
use crate::builtin::sort::Sorter;
use crate::builtin::support::{call1, holds, poll, room_for, sum};
use crate::context::Cx;
use crate::value::closure::FunctionRef;
use crate::value::count::{release, retain};
use crate::value::equal::compare;
use crate::value::list::{ListBuf, ListRef};
use crate::value::map::{MapBuf, MapRef};
use crate::value::owned::Owned;
use crate::value::record::{self, NONE, RecordBuf};
use crate::value::shape::ShapeId;
use std::borrow::Cow;
use std::cmp::Ordering;

/// The elements of a collection, borrowed, and their shape.
pub struct Row<'a> {
    pub items: Cow<'a, [u64]>,
    pub element: ShapeId,
}

impl<'a> From<ListRef<'a>> for Row<'a> {
    fn from(list: ListRef<'a>) -> Self {
        Self { items: Cow::Borrowed(list.items()), element: list.element() }
    }
}

impl Row<'_> {
    /// The elements of a set.
    pub fn of_set(cx: &mut Cx, set: MapRef<'_>) -> Outcome<Self> {
        Ok(Self { items: large::keys(cx, set)?.into(), element: set.key_shape() })
    }

    /// `Some` of an element with one more holder.
    fn some(&self, item: Option<u64>) -> Moved {
        let Some(item) = item else { return Moved(NONE) };
        retain(item, self.element);
        Moved(record::some(ShapeId::option(self.element), item))
    }

    pub fn first(&self) -> Moved {
        self.some(self.items.first().copied())
    }

    pub fn last(&self) -> Moved {
        self.some(self.items.last().copied())
    }

    pub fn contains(&self, cx: &mut Cx, value: u64) -> Outcome<bool> {
        self.position(cx, value).map(|at| at.is_some())
    }

    pub fn position(&self, cx: &mut Cx, value: u64) -> Outcome<Option<usize>> {
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            if large::equals(cx, item, value, self.element)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// A list of some of the elements.
    pub fn list(&self, cx: &mut Cx, items: &[u64]) -> Outcome<ListBuf> {
        self.list_as(cx, ShapeId::list(self.element), items)
    }

    /// As `list`, of the collection's own shape (a Vector).
    pub fn list_as(&self, cx: &mut Cx, of: ShapeId, items: &[u64]) -> Outcome<ListBuf> {
        large::list(cx, of, items, self.element)
    }

    /// A set of some of the elements.
    pub fn set(&self, cx: &mut Cx, items: &[u64]) -> Outcome<MapBuf> {
        self.set_as(cx, ShapeId::set(self.element), items)
    }

    pub fn set_as(&self, cx: &mut Cx, of: ShapeId, items: &[u64]) -> Outcome<MapBuf> {
        let mut set = MapBuf::new(of);
        for (at, &item) in items.iter().enumerate() {
            poll(cx, at)?;
            retain(item, self.element);
            set = large::map_set(cx, set, item, 0)?;
        }
        Ok(set)
    }

    /// What `f` gives for each element.
    pub fn map(&self, cx: &mut Cx, f: FunctionRef<'_>, list: ShapeId) -> Outcome<ListBuf> {
        room_for(cx, self.items.len())?;
        let mut made = ListBuf::with_capacity(list, self.items.len());
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            made.append(call1(cx, f, item, self.element)?);
        }
        Ok(made)
    }

    /// The elements for which `f` holds, borrowed.
    pub fn filter(&self, cx: &mut Cx, f: FunctionRef<'_>) -> Outcome<Vec<u64>> {
        let mut kept = Vec::new();
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            if holds(cx, f, item, self.element)? {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// `f(f(f(start, a), b), c)`: takes the start over.
    pub fn fold(
        &self,
        cx: &mut Cx,
        start: Moved,
        f: FunctionRef<'_>,
        of: ShapeId,
    ) -> Outcome<Owned> {
        let mut folded = Owned::new(start.0, of);
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            retain(item, self.element);
            let next = cx.call(f.word(), &[folded.into_word(), item]);
            folded = match next {
                Ok(word) => Owned::new(word, of),
                Err(faulted) => return Err(faulted),
            };
        }
        Ok(folded)
    }

    /// Calls `f` for each element; what it gives is dropped.
    pub fn each(&self, cx: &mut Cx, f: FunctionRef<'_>, result: ShapeId) -> Outcome<()> {
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            let word = call1(cx, f, item, self.element)?;
            release(word, result);
        }
        Ok(())
    }

    pub fn count(&self, cx: &mut Cx, f: FunctionRef<'_>) -> Outcome<i64> {
        self.filter(cx, f).map(|kept| kept.len() as i64)
    }

    /// The first element for which `f` gives `wanted`.
    fn search(&self, cx: &mut Cx, f: FunctionRef<'_>, wanted: bool) -> Outcome<Option<u64>> {
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            if holds(cx, f, item, self.element)? == wanted {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    pub fn any(&self, cx: &mut Cx, f: FunctionRef<'_>) -> Outcome<bool> {
        self.search(cx, f, true).map(|found| found.is_some())
    }

    pub fn all(&self, cx: &mut Cx, f: FunctionRef<'_>) -> Outcome<bool> {
        self.search(cx, f, false).map(|found| found.is_none())
    }

    pub fn find(&self, cx: &mut Cx, f: FunctionRef<'_>) -> Outcome<Moved> {
        let found = self.search(cx, f, true)?;
        Ok(self.some(found))
    }

    /// The smallest or the largest element; the first of equal ones.
    pub fn extreme(&self, cx: &mut Cx, better: Ordering) -> Outcome<Moved> {
        let mut best: Option<u64> = None;
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            if best.is_none_or(|best| compare(item, best, self.element) == better) {
                best = Some(item);
            }
        }
        Ok(self.some(best))
    }

    pub fn sum(&self, cx: &mut Cx) -> Outcome<Moved> {
        sum(cx, self.items.iter().copied(), self.element).map(Moved)
    }

    /// The elements in order, borrowed.
    pub fn sorted(&self, cx: &mut Cx, descending: bool) -> Outcome<Vec<u64>> {
        let sorter = Sorter { key: self.element, descending };
        sorter.sort(cx, &self.items, &self.items)
    }

    /// The elements in the order of what `f` gives for them, borrowed.
    pub fn sorted_by(
        &self,
        cx: &mut Cx,
        f: FunctionRef<'_>,
        key: ShapeId,
        descending: bool,
    ) -> Outcome<Vec<u64>> {
        let keys = self.map(cx, f, ShapeId::list(key))?;
        Sorter { key, descending }.sort(cx, keys.borrow().items(), &self.items)
    }

    /// Pairs with a row of another shape, as far as the shorter one goes.
    pub fn zip(&self, cx: &mut Cx, other: &Row<'_>) -> Outcome<ListBuf> {
        let pair = ShapeId::tuple(&[self.element, other.element]);
        let length = self.items.len().min(other.items.len());
        room_for(cx, length.saturating_mul(4))?;
        let mut pairs = ListBuf::with_capacity(ShapeId::list(pair), length);
        for (at, (&a, &b)) in self.items.iter().zip(other.items.iter()).enumerate() {
            poll(cx, at)?;
            retain(a, self.element);
            retain(b, other.element);
            pairs.append(RecordBuf::new(pair, &[a, b]).into_word());
        }
        Ok(pairs)
    }

    /// Pairs of position and element.
    pub fn enumerate(&self, cx: &mut Cx) -> Outcome<ListBuf> {
        let positions = large::collect(cx, self.items.len(), 0..self.items.len() as u64)?;
        Row { items: positions.into(), element: ShapeId::INT }.zip(cx, self)
    }

    /// Lists of elements by what `f` gives for them, in the order the keys first came.
    pub fn group_by(&self, cx: &mut Cx, f: FunctionRef<'_>, key: ShapeId) -> Outcome<MapBuf> {
        let list = ShapeId::list(self.element);
        let mut groups: Vec<ListBuf> = Vec::new();
        let mut places = MapBuf::new(ShapeId::map(key, ShapeId::INT));
        for (at, &item) in self.items.iter().enumerate() {
            poll(cx, at)?;
            let found = Owned::new(call1(cx, f, item, self.element)?, key);
            retain(item, self.element);
            match places.borrow().get(found.value()) {
                Some(place) => {
                    if let Some(group) = groups.get_mut(place as usize) {
                        group.append(item);
                    }
                }
                None => {
                    let place = groups.len() as u64;
                    groups.push(ListBuf::from_items(list, &[item]));
                    places = large::map_set(cx, places, found.into_word(), place)?;
                }
            }
        }
        let mut made = MapBuf::new(ShapeId::map(key, list));
        for (at, (word, group)) in places.borrow().keys().zip(groups).enumerate() {
            poll(cx, at)?;
            retain(word, key);
            made = large::map_set(cx, made, word, group.into_word())?;
        }
        Ok(made)
    }

    /// The first of each equal elements, borrowed.
    pub fn unique(&self, cx: &mut Cx) -> Outcome<Vec<u64>> {
        let set = self.set(cx, &self.items)?;
        large::keys(cx, set.borrow())
    }
}
