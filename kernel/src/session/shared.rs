//! A map by name that costs little to copy: `:undo` and editors hold one of each cell, and each cell changes a few names.
//!
//! Names are spread over parts by their hash; a copy shares all parts, and a change copies one of them. So what a cell pays
//! grows with a part, a hundredth of the session. Never: an order but that of the names.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A session of thousands of names has dozens in each.
const PARTS: usize = 128;

type Part<V> = Arc<BTreeMap<Arc<str>, V>>;

#[derive(Debug, Clone)]
pub struct Shared<V> {
    parts: Vec<Part<V>>,
    len: usize,
}

impl<V> Default for Shared<V> {
    fn default() -> Shared<V> {
        Shared { parts: (0..PARTS).map(|_| Arc::default()).collect(), len: 0 }
    }
}

fn part_of(name: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0)
}

impl<V: Clone> Shared<V> {
    fn part(&self, name: &str) -> Option<&BTreeMap<Arc<str>, V>> {
        self.parts.get(part_of(name)).map(|part| &**part)
    }

    fn part_mut(&mut self, name: &str) -> Option<&mut BTreeMap<Arc<str>, V>> {
        self.parts.get_mut(part_of(name)).map(Arc::make_mut)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, name: &str) -> Option<&V> {
        self.part(name)?.get(name)
    }

    pub fn get_key_value(&self, name: &str) -> Option<(&Arc<str>, &V)> {
        self.part(name)?.get_key_value(name)
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Copies nothing if there is no such name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        match self.contains_key(name) {
            true => self.part_mut(name)?.get_mut(name),
            false => None,
        }
    }

    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: V) -> Option<V> {
        let name = name.into();
        let before = self.part_mut(name.borrow())?.insert(Arc::clone(&name), value);
        self.len += usize::from(before.is_none());
        before
    }

    pub fn remove(&mut self, name: &str) -> Option<V> {
        if !self.contains_key(name) {
            return None;
        }
        let gone = self.part_mut(name)?.remove(name);
        self.len -= usize::from(gone.is_some());
        gone
    }

    /// In the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &V)> {
        let mut all: Vec<(&Arc<str>, &V)> =
            self.parts.iter().flat_map(|part| part.iter()).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all.into_iter()
    }

    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.iter().map(|(name, _)| name)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// What stands in parts that the two do not share: all that differs, and some that does not. In no order.
    pub fn apart<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = (&'s Arc<str>, &'s V)> {
        let pairs = self.parts.iter().zip(&other.parts);
        pairs.filter(|(own, others)| !Arc::ptr_eq(own, others)).flat_map(|(own, _)| own.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;
    use std::collections::BTreeMap;

    /// Against a plain map, over many changes and copies.
    #[test]
    fn it_is_a_map_and_copies_do_not_change() {
        let (mut shared, mut plain) = (Shared::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for n in 0..2_000_u32 {
            let name = format!("name {}", n.wrapping_mul(2_654_435_761) % 300);
            match n % 5 {
                0 => assert_eq!(shared.remove(&name), plain.remove(name.as_str())),
                1 => {
                    let (one, other) = (shared.get_mut(&name), plain.get_mut(name.as_str()));
                    assert_eq!(one, other);
                    one.into_iter().chain(other).for_each(|value| *value += 1);
                }
                _ => assert_eq!(shared.insert(&*name, n), plain.insert(name.clone(), n)),
            }
            if n % 400 == 0 {
                copies.push((shared.clone(), plain.clone()));
            }
        }
        copies.push((shared, plain));
        for (shared, plain) in copies {
            let all: Vec<(&str, u32)> = shared.iter().map(|(name, n)| (&**name, *n)).collect();
            assert_eq!(all, plain.iter().map(|(name, n)| (&**name, *n)).collect::<Vec<_>>());
            assert_eq!(shared.len(), plain.len());
        }
    }

    /// The bound of what a cell pays: one part for each name it changes, however many there are.
    #[test]
    fn a_change_keeps_all_other_parts_shared() {
        let mut shared = Shared::default();
        (0..10_000).for_each(|n| {
            shared.insert(format!("name {n}"), n);
        });
        let before = shared.clone();
        assert_eq!(shared.apart(&before).count(), 0);
        shared.insert("name 7", 8);
        shared.remove("missing");
        let apart: Vec<_> = shared.apart(&before).collect();
        assert!(apart.len() < 200, "{}", apart.len());
        assert!(apart.iter().any(|(name, n)| &***name == "name 7" && **n == 8));
        assert_eq!(before.get("name 7"), Some(&7));
    }
}
