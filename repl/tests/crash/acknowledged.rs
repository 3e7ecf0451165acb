//! What the killed processes said was done, kept outside of them.

use std::collections::{HashMap, HashSet};

use ag_runtime::ledger::money::MicroUsd;

use crate::books::Journal;

/// Whoever spends in scopes of its own: `ana`, `bo` (agents, each counting its own calls), `cell` (counting all).
type Who = String;

#[derive(Default)]
pub struct Acknowledged {
    /// The text each episode was remembered with, by its id.
    pub episodes: HashMap<String, String>,
    /// By run of the journal (a process number comes again): what each had been charged at each of its acknowledgements, in order.
    pub spent: HashMap<u64, HashMap<Who, Vec<i64>>>,
}

impl Acknowledged {
    /// `ack ana 3 ep17 $0.000054`
    pub fn hear(&mut self, run: u64, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["ack", who, round, id, spent] = words.as_slice() else { panic!("what is {line:?}?") };
        let text = format!("round {round} of {who}");
        let twice = self.episodes.insert((*id).to_owned(), text);
        assert_eq!(twice, None, "{id} names two episodes");
        let spent = MicroUsd::from_decimal(spent.trim_start_matches('$')).unwrap().micros();
        self.spent.entry(run).or_default().entry((*who).to_owned()).or_default().push(spent);
    }

    pub fn check_episodes(&self, stored: &HashMap<String, String>) {
        let ids: HashSet<&String> = stored.keys().collect();
        for (id, text) in &self.episodes {
            assert!(ids.contains(id), "{id} ({text}) was acknowledged and is not in the store");
            assert_eq!(&stored[id], text, "{id} is another episode than the one acknowledged");
        }
    }

    /// Every acknowledged cost is a settlement of that run in the journal.
    pub fn check_costs(&self, journal: &Journal) {
        for (run, by_who) in &self.spent {
            let total: i64 = journal.settled_by(*run, None).iter().sum();
            let mut of_agents = journal.settled_by(*run, Some("Worker"));
            for (who, spent) in by_who {
                let last = spent.last().copied().unwrap_or(0);
                assert!(last <= total, "run {run}, {who}: {last} acknowledged, {total} settled");
                if who == "cell" {
                    continue;
                }
                // One agent's calls follow each other, so the differences are its calls' costs.
                let before = std::iter::once(0).chain(spent.iter().copied());
                for cost in spent.iter().zip(before).map(|(after, before)| after - before) {
                    let at = of_agents.iter().position(|settled| *settled == cost);
                    let at = at.unwrap_or_else(|| {
                        panic!(
                            "run {run}, {who}: a call of {cost} was acknowledged and is not settled"
                        )
                    });
                    of_agents.swap_remove(at);
                }
            }
        }
    }

    /// How many costs were acknowledged.
    pub fn costs(&self) -> usize {
        self.spent.values().flat_map(HashMap::values).map(Vec::len).sum()
    }
}
