//! Faults nobody awaits, told without a flood: the first few in full, then how often the same place faulted.
//!
//! By counts, not by time, so that a seeded run shows the same on every run. Counts last until the next cell ends. It shows
//! nothing itself.

use std::collections::HashMap;

use ag_runtime::fault::{Fault, Site};
use parking_lot::Mutex;

/// So many are told in full, since their values may differ.
const IN_FULL: u64 = 3;

#[derive(Default)]
pub struct Flood(Mutex<HashMap<Key, Told>>);

#[derive(PartialEq, Eq, Hash, Clone)]
struct Key {
    source: String,
    code: &'static str,
    at: Option<Site>,
}

struct Told {
    count: u64,
    told: u64,
    /// When it came first among those that did.
    order: usize,
}

/// What is to be said of one more.
#[derive(Debug, PartialEq, Eq)]
pub enum Say {
    InFull,
    /// A line with the number so far.
    Count(u64),
    Nothing,
}

impl Flood {
    pub fn count(&self, source: &str, fault: &Fault) -> Say {
        let mut all = self.0.lock();
        let order = all.len();
        let key = Key { source: source.to_owned(), code: fault.code, at: fault.at };
        let entry = all.entry(key).or_insert(Told { count: 0, told: 0, order });
        entry.count += 1;
        let say = match entry.count {
            ..=IN_FULL => Say::InFull,
            count if is_round(count) => Say::Count(count),
            _ => return Say::Nothing,
        };
        entry.told = entry.count;
        say
    }

    /// What was not told, one line a place, and forgets all.
    pub fn rest(&self) -> Vec<String> {
        let mut all: Vec<(Key, Told)> = std::mem::take(&mut *self.0.lock()).into_iter().collect();
        all.retain(|(_, told)| told.count > told.told);
        all.sort_by_key(|(_, told)| told.order);
        all.iter().map(|(key, told)| line(&key.source, key.code, told.count)).collect()
    }
}

/// A power of ten.
fn is_round(count: u64) -> bool {
    count.checked_ilog10().is_some_and(|power| 10_u64.pow(power) == count)
}

pub fn line(source: &str, code: &str, count: u64) -> String {
    format!("{source} faulted {count} times in the same way ({code}), and nobody awaits it")
}

#[cfg(test)]
mod tests {
    use ag_runtime::fault::Fault;

    use super::{Flood, Say};

    #[test]
    fn a_million_equal_faults_are_a_few_lines() {
        let flood = Flood::default();
        let fault = Fault::new("R0102", "division by zero");
        let mut said = Vec::new();
        for _ in 0..1_000_057 {
            match flood.count("A", &fault) {
                Say::Nothing => {}
                say => said.push(say),
            }
        }
        assert_eq!(flood.count("B", &fault), Say::InFull, "another source is another flood");
        let mut expected = vec![Say::InFull, Say::InFull, Say::InFull];
        expected.extend((1..=6).map(|power| Say::Count(10_u64.pow(power))));
        assert_eq!(said, expected);
        let rest = "A faulted 1000057 times in the same way (R0102), and nobody awaits it";
        assert_eq!(flood.rest(), [rest]);
        assert_eq!(flood.count("A", &fault), Say::InFull, "and after a cell it is news again");
    }
}
