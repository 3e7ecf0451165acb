//! A stable merge sort that can be interrupted.
//!
//! The standard library's cannot be stopped in the middle. Never: compares by anything but the order it is given.

use crate::builtin::declare::Outcome;
use crate::builtin::support::{poll, room_for};
use crate::context::Cx;
use crate::value::equal::compare;
use crate::value::shape::ShapeId;
use std::cmp::Ordering;

/// Runs of this length are sorted by insertion first.
const RUN: usize = 16;

/// Sorts words of a shape, each with a word that goes along with it.
pub struct Sorter {
    pub key: ShapeId,
    pub descending: bool,
}

impl Sorter {
    fn order(&self, a: u64, b: u64) -> Ordering {
        let order = compare(a, b, self.key);
        if self.descending { order.reverse() } else { order }
    }

    /// Sorts pairs of key and companion by key; equal keys keep their order.
    pub fn sort(&self, cx: &mut Cx, mut items: Vec<(u64, u64)>) -> Outcome<Vec<(u64, u64)>> {
        room_for(cx, items.len().saturating_mul(2))?;
        for run in items.chunks_mut(RUN) {
            self.insert(run);
        }
        let mut merged = Vec::with_capacity(items.len());
        let mut width = RUN;
        while width < items.len() {
            merged.clear();
            for pair in items.chunks(width * 2) {
                let (left, right) = pair.split_at(width.min(pair.len()));
                self.merge(cx, left, right, &mut merged)?;
            }
            std::mem::swap(&mut items, &mut merged);
            width *= 2;
        }
        Ok(items)
    }

    fn insert(&self, run: &mut [(u64, u64)]) {
        for end in 1..run.len() {
            let Some((last, sorted)) = run.get(..=end).and_then(<[_]>::split_last) else { return };
            let at = sorted.partition_point(|item| self.order(item.0, last.0).is_le());
            if let Some(tail) = run.get_mut(at..=end) {
                tail.rotate_right(1);
            }
        }
    }

    fn merge(
        &self,
        cx: &mut Cx,
        mut left: &[(u64, u64)],
        mut right: &[(u64, u64)],
        into: &mut Vec<(u64, u64)>,
    ) -> Outcome<()> {
        while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
            poll(cx, into.len())?;
            // The left one first when equal: that makes it stable.
            if self.order(first.0, second.0).is_le() {
                into.push(*first);
                left = left_rest;
            } else {
                into.push(*second);
                right = right_rest;
            }
        }
        into.extend_from_slice(left);
        into.extend_from_slice(right);
        Ok(())
    }
}
