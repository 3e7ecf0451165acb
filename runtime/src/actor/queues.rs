//! The order of the messages in a mailbox.
//!
//! Never: locks, wakes or counts against the marks; a plain data structure. Alerts come first. Among the levels the oldest
//! message of each competes, and one that is older by 10 ms beats one that is a level higher.

use crate::actor::kind::Priority;
use std::collections::VecDeque;

/// After this long a message counts as one of the next higher level (LANGUAGE.md section 11).
pub const LEVEL_NS: u64 = 10_000_000;

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    Alert,
    Level(Priority),
}

/// `T` with when it was sent.
struct Entry<T> {
    sent_ns: u64,
    item: T,
}

/// Most agents only ever get ordinary messages: the others are allocated when the first comes.
pub struct Queues<T> {
    normal: VecDeque<Entry<T>>,
    other: Option<Box<Other<T>>>,
}

struct Other<T> {
    alert: VecDeque<Entry<T>>,
    high: VecDeque<Entry<T>>,
    low: VecDeque<Entry<T>>,
}

impl<T> Default for Queues<T> {
    fn default() -> Self {
        Self { normal: VecDeque::new(), other: None }
    }
}

impl<T> Default for Other<T> {
    fn default() -> Self {
        Self { alert: VecDeque::new(), high: VecDeque::new(), low: VecDeque::new() }
    }
}

impl<T> Queues<T> {
    pub fn push(&mut self, rank: Rank, sent_ns: u64, item: T) {
        let entry = Entry { sent_ns, item };
        if rank == Rank::Level(Priority::Normal) {
            return self.normal.push_back(entry);
        }
        let other = self.other.get_or_insert_default();
        match rank {
            Rank::Alert => other.alert.push_back(entry),
            Rank::Level(Priority::High) => other.high.push_back(entry),
            Rank::Level(_) => other.low.push_back(entry),
        }
    }

    pub fn pop(&mut self) -> Option<T> {
        let Some(other) = &mut self.other else {
            return self.normal.pop_front().map(|entry| entry.item);
        };
        if let Some(entry) = other.alert.pop_front() {
            return Some(entry.item);
        }
        // The level adds to the time of sending, so that no clock is read here.
        let levels = [&mut other.high, &mut self.normal, &mut other.low];
        let keyed = levels.into_iter().enumerate().filter_map(|(level, queue)| {
            let sent_ns = queue.front()?.sent_ns;
            Some((sent_ns.saturating_add(level as u64 * LEVEL_NS), queue))
        });
        let (_, queue) = keyed.min_by_key(|(key, _)| *key)?;
        queue.pop_front().map(|entry| entry.item)
    }

    /// What [`pop`](Self::pop) would give.
    #[must_use]
    pub fn front(&self) -> Option<&T> {
        let Some(other) = &self.other else { return Some(&self.normal.front()?.item) };
        if let Some(entry) = other.alert.front() {
            return Some(&entry.item);
        }
        let levels = [&other.high, &self.normal, &other.low].into_iter().enumerate();
        let keyed = levels.filter_map(|(level, queue)| {
            let entry = queue.front()?;
            Some((entry.sent_ns.saturating_add(level as u64 * LEVEL_NS), entry))
        });
        keyed.min_by_key(|(key, _)| *key).map(|(_, entry)| &entry.item)
    }

    /// The first message, in the order in which they would leave, that is accepted.
    pub fn pop_first(&mut self, mut accepts: impl FnMut(&T) -> bool) -> Option<T> {
        let len = |queue: usize| self.queue(queue).map_or(0, VecDeque::len);
        let mut places: Vec<(usize, usize)> =
            (0..4).flat_map(|queue| (0..len(queue)).map(move |at| (queue, at))).collect();
        places.sort_by_key(|&(queue, at)| {
            match (queue, self.queue(queue).and_then(|q| q.get(at))) {
                (0, _) | (_, None) => (false, 0),
                (level, Some(entry)) => {
                    (true, entry.sent_ns.saturating_add((level as u64 - 1) * LEVEL_NS))
                }
            }
        });
        let item = |&(queue, at): &(usize, usize)| self.queue(queue)?.get(at).map(|e| &e.item);
        let (queue, at) = places.iter().find(|place| item(place).is_some_and(&mut accepts))?;
        let (queue, at) = (*queue, *at);
        self.queue_mut(queue)?.remove(at).map(|entry| entry.item)
    }

    /// Alerts, then the levels from high to low.
    fn queue(&self, number: usize) -> Option<&VecDeque<Entry<T>>> {
        let other = self.other.as_ref();
        match number {
            0 => other.map(|other| &other.alert),
            1 => other.map(|other| &other.high),
            2 => Some(&self.normal),
            _ => other.map(|other| &other.low),
        }
    }

    fn queue_mut(&mut self, number: usize) -> Option<&mut VecDeque<Entry<T>>> {
        let other = self.other.as_mut();
        match number {
            0 => other.map(|other| &mut other.alert),
            1 => other.map(|other| &mut other.high),
            2 => Some(&mut self.normal),
            _ => other.map(|other| &mut other.low),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        let other = self.other.as_ref();
        self.normal.len()
            + other.map_or(0, |other| other.alert.len() + other.high.len() + other.low.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All messages, in the order in which they would leave if no other came.
    #[must_use]
    pub fn in_order(&self) -> Vec<&T> {
        let level = |level: u64| {
            move |entry: &'_ Entry<T>| (true, entry.sent_ns.saturating_add(level * LEVEL_NS), level)
        };
        let (of_high, of_normal, of_low) = (level(0), level(1), level(2));
        let mut all: Vec<((bool, u64, u64), &T)> =
            self.normal.iter().map(|entry| (of_normal(entry), &entry.item)).collect();
        if let Some(other) = &self.other {
            all.extend(other.high.iter().map(|entry| (of_high(entry), &entry.item)));
            all.extend(other.low.iter().map(|entry| (of_low(entry), &entry.item)));
            all.extend(other.alert.iter().map(|entry| ((false, 0, 0), &entry.item)));
        }
        // Stable: those of one queue keep their order.
        all.sort_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, item)| item).collect()
    }

    /// All messages, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let other = self.other.iter().flat_map(|other| [&other.alert, &other.high, &other.low]);
        other.chain([&self.normal]).flatten().map(|entry| &entry.item)
    }
}

#[cfg(test)]
mod tests {
    use super::{LEVEL_NS, Queues, Rank};
    use crate::actor::kind::Priority;
    use proptest::collection::vec;
    use proptest::strategy::{Just, Strategy};
    use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

    fn rank() -> impl Strategy<Value = Rank> {
        prop_oneof![
            1 => Just(Rank::Alert),
            2 => Just(Rank::Level(Priority::High)),
            4 => Just(Rank::Level(Priority::Normal)),
            2 => Just(Rank::Level(Priority::Low)),
        ]
    }

    fn level(rank: Rank) -> u64 {
        match rank {
            Rank::Alert | Rank::Level(Priority::High) => 0,
            Rank::Level(Priority::Normal) => 1,
            Rank::Level(Priority::Low) => 2,
        }
    }

    proptest! {
        /// Against the rule written down plainly: alerts in order, then the least of sending time plus 10 ms a level.
        #[test]
        fn messages_leave_by_the_rule(steps in vec((rank(), 0u64..3 * LEVEL_NS, 0u8..2), 0..200)) {
            let mut queues = Queues::default();
            let mut model: Vec<(Rank, u64, usize)> = Vec::new();
            let mut now = 0;
            for (number, (rank, passed, pop)) in steps.into_iter().enumerate() {
                now += passed;
                queues.push(rank, now, number);
                model.push((rank, now, number));
                prop_assert_eq!(queues.len(), model.len());
                if pop == 0 {
                    continue;
                }
                let best = model.iter().enumerate().min_by_key(|(_, (rank, sent, number))| {
                    let ordinary = *rank != Rank::Alert;
                    (ordinary, if ordinary { sent + level(*rank) * LEVEL_NS } else { 0 }, level(*rank), *number)
                });
                let (_, _, expected) = model.remove(best.unwrap().0);
                prop_assert_eq!(queues.front(), Some(&expected));
                let popped = if number % 2 == 0 { queues.pop() } else { queues.pop_first(|_| true) };
                prop_assert_eq!(popped, Some(expected));
            }
            // The first that is accepted, whatever stands before it; nothing else moves.
            let before: Vec<usize> = queues.in_order().into_iter().copied().collect();
            let third = before.iter().copied().find(|number| number % 3 == 0);
            prop_assert_eq!(queues.pop_first(|number| number % 3 == 0), third);
            let rest: Vec<usize> = before.into_iter().filter(|n| Some(*n) != third).collect();
            prop_assert_eq!(queues.in_order().into_iter().copied().collect::<Vec<_>>(), rest);
            model.retain(|(_, _, number)| Some(*number) != third);
            prop_assert_eq!(queues.iter().count(), model.len());
            let announced: Vec<usize> = queues.in_order().into_iter().copied().collect();
            let left: Vec<usize> = std::iter::from_fn(|| queues.pop()).collect();
            prop_assert_eq!(&announced, &left);
            for _ in left {
                model.pop();
            }
            while queues.pop().is_some() {
                model.pop();
            }
            prop_assert!(model.is_empty());
        }
    }
}
