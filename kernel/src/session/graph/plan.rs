//! In which order stale values are computed again: what belongs together, each after what it reads.
//!
//! Values that one statement changes together are computed together: running it for one of them alone would change the
//! others a second time.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Graph, Kind, Stale, Statement};

/// Values to be computed together, by running statements again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Those that are stale.
    pub stale: Vec<String>,
    /// All globals the statements give values.
    pub names: Vec<String>,
    /// In the order they ran.
    pub statements: Vec<Arc<Statement>>,
    /// Stale values of other groups that are read: they come first.
    pub waits_for: Vec<String>,
}

impl Graph {
    /// All stale values, each after the stale ones it was computed from.
    pub fn stale_order(&self) -> Vec<String> {
        self.plan().into_iter().flat_map(|group| group.stale).collect()
    }

    /// What `:run stale` runs.
    pub fn plan(&self) -> Vec<Group> {
        let stale = self.stale();
        let mut plan =
            Plan { graph: self, stale: &stale, done: BTreeSet::new(), groups: Vec::new() };
        for name in stale.0.iter().filter(|name| self.is_wanted(name)) {
            plan.visit(name);
        }
        plan.groups
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.nodes.get(name).is_some_and(|node| !node.is_retired)
    }

    /// What must run again if this value does, with all it changes.
    fn group(&self, first: &str) -> (BTreeSet<&str>, Vec<Arc<Statement>>) {
        let mut names = BTreeSet::new();
        let mut statements: Vec<Arc<Statement>> = Vec::new();
        let mut todo = vec![first];
        while let Some(name) = todo.pop() {
            let Some((key, node)) = self.nodes.get_key_value(name) else { continue };
            if node.kind == Kind::Definition || !names.insert(&**key) {
                continue;
            }
            for statement in &node.made {
                if !statements.contains(statement) {
                    statements.push(Arc::clone(statement));
                }
                let written = statement.writes.iter();
                let known = written.filter_map(|name| self.nodes.get_key_value(name));
                todo.extend(known.map(|(name, _)| &**name));
            }
        }
        statements.sort_by_key(|statement| statement.turn);
        (names, statements)
    }

    /// The stale values that any of these reads, then and now.
    fn stale_reads(&self, names: &BTreeSet<&str>, stale: &Stale<'_>) -> BTreeSet<String> {
        let mut read = BTreeSet::new();
        for node in names.iter().filter_map(|name| self.nodes.get(name)) {
            let mut now = node.read.clone();
            // A function may read other values since it was changed.
            node.uses.keys().for_each(|used| self.close(used, &mut now));
            read.extend(now.into_keys().filter(|used| stale.contains(used)));
        }
        read.iter().filter(|used| !names.contains(&***used)).map(ToString::to_string).collect()
    }
}

struct Plan<'g> {
    graph: &'g Graph,
    stale: &'g Stale<'g>,
    done: BTreeSet<String>,
    groups: Vec<Group>,
}

impl Plan<'_> {
    fn visit(&mut self, name: &str) {
        if self.done.contains(name) {
            return;
        }
        let (names, statements) = self.graph.group(name);
        self.done.extend(names.iter().map(|name| (*name).to_owned()));
        let waits_for: Vec<String> =
            self.graph.stale_reads(&names, self.stale).into_iter().collect();
        waits_for.iter().for_each(|first| self.visit(first));
        let owned =
            |names: &mut dyn Iterator<Item = &&str>| names.map(|n| (*n).to_owned()).collect();
        let is_stale = |name: &&&str| self.stale.contains(name);
        self.groups.push(Group {
            stale: owned(&mut names.iter().filter(is_stale)),
            names: owned(&mut names.iter()),
            statements,
            waits_for,
        });
    }
}
