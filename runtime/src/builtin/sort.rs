//! A stable merge sort that can be interrupted.
//!
//! The standard library's cannot be stopped in the middle. Never: compares by anything but the order it is given.

use crate::builtin::declare::Outcome;
use crate::builtin::large;
use crate::builtin::support::{poll, room_for, spend};
use crate::context::Cx;
use crate::value::equal::compare;
use crate::value::shape::ShapeId;
use std::cmp::Ordering;

/// Runs of this length are sorted by insertion first.
const RUN: usize = 16;

/// Pairs copied together.
const PART: usize = 4096;

/// Runs sorted between two safepoints.
const RUNS: usize = 64;

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

    /// The items in the order of their keys; those with equal keys keep theirs.
    pub fn sort(&self, cx: &mut Cx, keys: &[u64], items: &[u64]) -> Outcome<Vec<u64>> {
        // Two rows of pairs, and what is given.
        room_for(cx, items.len().saturating_mul(5))?;
        let mut pairs = Vec::with_capacity(items.len());
        for (at, (&key, &item)) in keys.iter().zip(items).enumerate() {
            poll(cx, at)?;
            pairs.push((key, item));
        }
        let mut merged = Vec::with_capacity(pairs.len());
        for (at, run) in pairs.chunks_mut(RUN).enumerate() {
            self.insert(run);
            if at % RUNS == RUNS - 1 {
                spend(cx, RUNS * RUN)?;
            }
        }
        let mut width = RUN;
        while width < pairs.len() {
            merged.clear();
            for pair in pairs.chunks(width * 2) {
                let (left, right) = pair.split_at(width.min(pair.len()));
                self.merge(cx, left, right, &mut merged)?;
            }
            std::mem::swap(&mut pairs, &mut merged);
            width *= 2;
        }
        large::collect(cx, pairs.len(), pairs.into_iter().map(|(_, item)| item))
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
        for part in left.chunks(PART).chain(right.chunks(PART)) {
            into.extend_from_slice(part);
            spend(cx, part.len() / 4)?;
        }
        Ok(())
    }
}
