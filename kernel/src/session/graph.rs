//! What each global was computed from, and which of them are therefore stale (L-153).
//!
//! A version says whether a name still means what it meant: a definition's is the fingerprint of its text, so changing it
//! back makes its dependants fresh again; a value's is new with every assignment. Nothing is recomputed here and no value
//! is held: this is the record the session keeps beside its globals.

use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function, type, agent, tool, lane: it is what its text says.
    Definition,
    /// A `let` or `var`.
    Value,
    /// A `let` or `var` that holds an AgentRef: never stale, its agent reads globals itself (L-78).
    Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(u64);

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    version: Version,
    /// The cell that defined or assigned it last.
    cell: u32,
    /// Names used directly, with their versions then.
    uses: BTreeMap<String, Version>,
    /// For values: all that was read, also through definitions.
    read: BTreeMap<String, Version>,
}

/// Why a value is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub name: String,
    pub what: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Defined or assigned anew, in this cell.
    Changed { cell: u32 },
    /// No longer there.
    Removed,
    /// A value that is stale itself.
    Stale,
}

/// What a result was computed from, as it was then.
#[derive(Debug, Clone, Default)]
pub struct Basis(BTreeMap<String, Version>);

impl Basis {
    /// Nothing of it can change.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One row of `:deps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependencies {
    pub uses: Vec<String>,
    pub used_by: Vec<String>,
}

/// Cheap enough to clone for `:undo`: names and numbers only.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: BTreeMap<String, Node>,
    assignments: u64,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        match self.what {
            Change::Changed { cell } => write!(f, "`{name}` changed in cell {cell}"),
            Change::Removed => write!(f, "`{name}` is gone"),
            Change::Stale => write!(f, "`{name}` is stale"),
        }
    }
}

impl Graph {
    /// A definition, with the fingerprint of its text and the names it uses.
    pub fn define<'n>(
        &mut self,
        name: &str,
        fingerprint: u64,
        cell: u32,
        uses: impl IntoIterator<Item = &'n str>,
    ) {
        let uses = self.direct(name, uses);
        // Fingerprints and assignment numbers must not meet: a name may be a value first and a definition later.
        let version = Version(fingerprint | 1 << 63);
        let read = BTreeMap::new();
        let node = Node { kind: Kind::Definition, version, cell, uses, read };
        self.nodes.insert(name.to_owned(), node);
    }

    /// A global that was declared or assigned, with the names its expression used.
    pub fn assign<'n>(
        &mut self,
        name: &str,
        kind: Kind,
        cell: u32,
        uses: impl IntoIterator<Item = &'n str>,
    ) {
        let uses = self.direct(name, uses);
        let mut read = BTreeMap::new();
        for used in uses.keys() {
            self.close(used, &mut read);
        }
        // What it was before is not what it was computed from: `x = x + 1` does not make x stale.
        read.remove(name);
        self.assignments += 1;
        let version = Version(self.assignments);
        self.nodes.insert(name.to_owned(), Node { kind, version, cell, uses, read });
    }

    pub fn remove(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    fn direct<'n>(
        &self,
        name: &str,
        uses: impl IntoIterator<Item = &'n str>,
    ) -> BTreeMap<String, Version> {
        let known = uses.into_iter().filter(|used| *used != name);
        // A name not known is a builtin, or defined later in the same cell: version 0 then differs from what comes.
        known.map(|used| (used.to_owned(), self.version(used).unwrap_or(Version(0)))).collect()
    }

    fn version(&self, name: &str) -> Option<Version> {
        self.nodes.get(name).map(|node| node.version)
    }

    /// Everything reached from a name through definitions: what a call of it reads.
    fn close(&self, name: &str, into: &mut BTreeMap<String, Version>) {
        let Some(node) = self.nodes.get(name) else { return };
        if into.insert(name.to_owned(), node.version).is_some() || node.kind != Kind::Definition {
            return;
        }
        for used in node.uses.keys() {
            self.close(used, into);
        }
    }

    /// Of something that reads these names now.
    pub fn basis<'n>(&self, reads: impl IntoIterator<Item = &'n str>) -> Basis {
        let mut basis = BTreeMap::new();
        for name in reads {
            self.close(name, &mut basis);
        }
        Basis(basis)
    }

    /// Why something computed from this is stale; empty if it is not.
    pub fn causes_of(&self, basis: &Basis) -> Vec<Cause> {
        self.changes(&basis.0, &mut HashMap::new())
    }

    /// Why this value is stale; empty if it is not. Changes come before stale values, each by name.
    pub fn causes(&self, name: &str) -> Vec<Cause> {
        self.causes_within(name, &mut HashMap::new())
    }

    pub fn is_stale(&self, name: &str) -> bool {
        !self.causes(name).is_empty()
    }

    fn causes_within(&self, name: &str, seen: &mut HashMap<String, bool>) -> Vec<Cause> {
        let Some(node) = self.nodes.get(name).filter(|node| node.kind == Kind::Value) else {
            return Vec::new();
        };
        // Within a circle of values each counts as fresh while it is looked at.
        seen.insert(name.to_owned(), false);
        let causes = self.changes(&node.read, seen);
        seen.insert(name.to_owned(), !causes.is_empty());
        causes
    }

    fn changes(
        &self,
        read: &BTreeMap<String, Version>,
        seen: &mut HashMap<String, bool>,
    ) -> Vec<Cause> {
        let mut changed = Vec::new();
        let mut stale = Vec::new();
        for (used, version) in read {
            let name = used.clone();
            match self.nodes.get(used) {
                None => changed.push(Cause { name, what: Change::Removed }),
                Some(now) if now.version != *version => {
                    changed.push(Cause { name, what: Change::Changed { cell: now.cell } });
                }
                Some(_) if self.is_stale_within(used, seen) => {
                    stale.push(Cause { name, what: Change::Stale });
                }
                Some(_) => {}
            }
        }
        changed.append(&mut stale);
        changed
    }

    fn is_stale_within(&self, name: &str, seen: &mut HashMap<String, bool>) -> bool {
        match seen.get(name) {
            Some(known) => *known,
            None => !self.causes_within(name, seen).is_empty(),
        }
    }

    /// All stale values, each after the stale ones it was computed from: the order of `:run stale`.
    pub fn stale_order(&self) -> Vec<&str> {
        let stale: BTreeSet<&str> =
            self.nodes.keys().map(String::as_str).filter(|name| self.is_stale(name)).collect();
        let mut order = Vec::new();
        let mut visited = BTreeSet::new();
        for name in &stale {
            self.visit(name, &stale, &mut visited, &mut order);
        }
        order
    }

    fn visit<'g>(
        &'g self,
        name: &'g str,
        stale: &BTreeSet<&str>,
        visited: &mut BTreeSet<&'g str>,
        order: &mut Vec<&'g str>,
    ) {
        if !visited.insert(name) {
            return;
        }
        let Some(node) = self.nodes.get(name) else { return };
        for used in node.read.keys() {
            if stale.contains(used.as_str()) {
                self.visit(used, stale, visited, order);
            }
        }
        order.push(name);
    }

    /// What it uses directly and what uses it directly.
    pub fn dependencies(&self, name: &str) -> Option<Dependencies> {
        let node = self.nodes.get(name)?;
        let used_by = self.nodes.iter().filter(|(_, other)| other.uses.contains_key(name));
        Some(Dependencies {
            uses: node.uses.keys().cloned().collect(),
            used_by: used_by.map(|(name, _)| name.clone()).collect(),
        })
    }

    /// The cell that defined or assigned it last.
    pub fn cell(&self, name: &str) -> Option<u32> {
        self.nodes.get(name).map(|node| node.cell)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Change, Graph, Kind};

    /// `price` -> `risk()` uses `limit()`; `total = risk(price)`; `report = total`.
    fn graph() -> Graph {
        let mut graph = Graph::default();
        graph.define("limit", 10, 1, []);
        graph.define("risk", 20, 1, ["limit"]);
        graph.assign("price", Kind::Value, 1, []);
        graph.assign("total", Kind::Value, 2, ["risk", "price"]);
        graph.assign("report", Kind::Value, 3, ["total"]);
        graph
    }

    fn shown(causes: &[Cause]) -> Vec<String> {
        causes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_stale_at_first() {
        assert!(graph().stale_order().is_empty());
    }

    #[test]
    fn a_change_reaches_values_through_definitions_and_values() {
        let mut graph = graph();
        graph.define("limit", 11, 4, []);
        assert_eq!(shown(&graph.causes("total")), ["`limit` changed in cell 4"]);
        assert_eq!(shown(&graph.causes("report")), ["`total` is stale"]);
        assert_eq!(graph.stale_order(), ["total", "report"]);
    }

    #[test]
    fn changing_a_definition_back_makes_values_fresh() {
        let mut graph = graph();
        graph.define("limit", 11, 4, []);
        graph.define("limit", 10, 5, []);
        assert!(!graph.is_stale("report"));
    }

    #[test]
    fn assigning_makes_dependants_stale_even_with_an_equal_value() {
        let mut graph = graph();
        graph.assign("price", Kind::Value, 4, []);
        assert_eq!(shown(&graph.causes("total")), ["`price` changed in cell 4"]);
        graph.assign("total", Kind::Value, 5, ["risk", "price"]);
        assert_eq!(graph.stale_order(), ["report"]);
        graph.assign("report", Kind::Value, 6, ["total"]);
        assert!(graph.stale_order().is_empty());
    }

    #[test]
    fn a_value_that_reads_itself_is_not_stale() {
        let mut graph = Graph::default();
        graph.assign("n", Kind::Value, 1, []);
        graph.assign("n", Kind::Value, 2, ["n"]);
        assert!(!graph.is_stale("n"));
    }

    #[test]
    fn agents_are_never_stale() {
        let mut graph = graph();
        graph.define("Desk", 1, 4, ["risk"]);
        graph.assign("desk", Kind::Agent, 4, ["Desk"]);
        graph.define("Desk", 2, 5, []);
        assert!(!graph.is_stale("desk"));
    }

    #[test]
    fn removed_names_are_told_and_circles_end() {
        let mut graph = Graph::default();
        graph.assign("a", Kind::Value, 1, []);
        graph.assign("b", Kind::Value, 1, ["a"]);
        graph.assign("a", Kind::Value, 2, ["b"]);
        assert_eq!(shown(&graph.causes("b")), ["`a` changed in cell 2"]);
        assert_eq!(graph.stale_order().len(), 2);
        graph.remove("b");
        assert_eq!(graph.causes("a"), [Cause { name: "b".into(), what: Change::Removed }]);
    }

    #[test]
    fn a_name_that_changes_its_kind_changes() {
        let mut graph = Graph::default();
        graph.assign("f", Kind::Value, 1, []);
        graph.assign("x", Kind::Value, 1, ["f"]);
        graph.define("f", 1, 2, []);
        assert!(graph.is_stale("x"));
    }

    #[test]
    fn recursion_between_functions_ends() {
        let mut graph = Graph::default();
        graph.define("even", 1, 1, ["odd"]);
        graph.define("odd", 2, 1, ["even"]);
        graph.assign("x", Kind::Value, 2, ["even"]);
        graph.define("odd", 3, 3, ["even"]);
        assert!(graph.is_stale("x"));
        let found = graph.dependencies("odd").unwrap();
        assert_eq!((found.uses, found.used_by), (vec!["even".to_owned()], vec!["even".to_owned()]));
    }
}
