//! Where values come from, in a form that outlives the session (`:save`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Change, Graph, Key, Kind, Node, Stale, Statement, Version};

/// A statement by its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStatement {
    pub text: String,
    pub writes: Vec<String>,
    #[serde(default)]
    pub reads_last: bool,
}

/// A value without what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub name: String,
    /// The names it was computed from.
    pub uses: Vec<String>,
    /// Which statements made it.
    pub made: Vec<usize>,
    /// What changed since it was computed; empty unless it was stale for that.
    #[serde(default)]
    pub changed: Vec<String>,
}

impl Graph {
    /// What is to be known of these values, and the statements they share.
    pub fn keep(&self, names: &[&str]) -> (Vec<KeptStatement>, Vec<Kept>) {
        let nodes: Vec<(&str, Option<&Arc<Node>>)> =
            names.iter().map(|name| (*name, self.nodes.get(name))).collect();
        let made = nodes.iter().filter_map(|(_, node)| *node).flat_map(|node| &node.made);
        let all: BTreeMap<u64, &Arc<Statement>> =
            made.map(|statement| (statement.turn, statement)).collect();
        let at = |turn: u64| all.keys().position(|known| *known == turn);
        let stale = self.stale();
        let kept = nodes.into_iter().map(|(name, node)| {
            let uses = node.iter().flat_map(|node| node.uses.keys());
            let made = node.iter().flat_map(|node| &node.made);
            Kept {
                name: name.to_owned(),
                uses: uses.map(ToString::to_string).collect(),
                made: made.filter_map(|statement| at(statement.turn)).collect(),
                changed: self.changed_for(name, &stale),
            }
        });
        let kept = kept.collect();
        let statements = all.values().map(|statement| KeptStatement {
            text: statement.text.to_string(),
            writes: statement.writes.iter().map(ToString::to_string).collect(),
            reads_last: statement.reads_last,
        });
        (statements.collect(), kept)
    }

    /// What changed since a value was computed; stale values are not among it: they say so themselves.
    fn changed_for(&self, name: &str, stale: &Stale<'_>) -> Vec<String> {
        let causes = self.causes(name, stale).into_iter();
        causes.filter(|cause| cause.what != Change::Stale).map(|cause| cause.name).collect()
    }

    /// The values are there again. Those that were stale are so still.
    pub fn restore(&mut self, cell: u32, statements: &[KeptStatement], values: &[Kept]) {
        let statements = statements.iter().map(|kept| {
            self.assignments += 1;
            Arc::new(Statement {
                text: kept.text.as_str().into(),
                cell,
                writes: kept.writes.iter().map(|name| name.as_str().into()).collect(),
                result: None,
                reads_last: kept.reads_last,
                turn: self.assignments,
            })
        });
        let statements: Vec<Arc<Statement>> = statements.collect();
        for kept in values {
            self.assignments += 1;
            let node = Node {
                kind: Kind::Value,
                version: Version(self.assignments),
                cell,
                uses: BTreeMap::new(),
                read: BTreeMap::new(),
                made: kept.made.iter().filter_map(|at| statements.get(*at).cloned()).collect(),
                is_retired: false,
            };
            self.nodes.insert(Key::from(kept.name.as_str()), Arc::new(node));
        }
        // All have their versions now.
        for kept in values {
            let uses = self.direct(&kept.name, kept.uses.iter().map(String::as_str));
            let mut read = BTreeMap::new();
            uses.keys().for_each(|used| self.close(used, &mut read));
            read.remove(kept.name.as_str());
            // It was computed from something older than what is there.
            read.extend(kept.changed.iter().map(|name| (Key::from(name.as_str()), Version(0))));
            if let Some(node) = self.nodes.get_mut(kept.name.as_str()).map(Arc::make_mut) {
                (node.uses, node.read) = (uses, read);
            }
        }
    }
}
