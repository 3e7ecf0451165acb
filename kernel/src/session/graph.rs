//! What each global and result was computed from, and which of them are therefore stale (L-153).
//!
//! A version says whether a name still means what it meant: a definition's is the fingerprint of its text, so changing it
//! back makes its dependants fresh again; a value's is new with every assignment. Nothing is recomputed here and no value
//! is held: this is the record the session keeps beside its globals.

mod keep;
mod plan;

pub use keep::{Kept, KeptStatement};
pub use plan::Group;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::session::shared::Shared;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function, type, agent, tool, lane: it is what its text says.
    Definition,
    /// A `let` or `var`, or a result.
    Value,
    /// A `let` or `var` that holds an AgentRef: never stale, its agent reads globals itself (L-78).
    Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(u64);

/// A name, shared by all that mention it.
type Key = Arc<str>;

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    version: Version,
    /// The cell that defined or assigned it last.
    cell: u32,
    /// Names used directly, with their versions then.
    uses: BTreeMap<Key, Version>,
    /// For values: all that was read, also through definitions.
    read: BTreeMap<Key, Version>,
    /// For values: the statements that made it what it is, in the order they ran. The first needs no earlier value.
    made: Vec<Arc<Statement>>,
    /// A result that stands nowhere any more: nobody waits for it.
    is_retired: bool,
}

/// A statement that ran, to be run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub text: Arc<str>,
    /// The cell it ran in.
    pub cell: u32,
    /// The globals it gave values.
    pub writes: Vec<Arc<str>>,
    /// The number of the result it gave.
    pub result: Option<u32>,
    /// It read `_`, which is another result by now.
    pub reads_last: bool,
    /// Orders statements by when they ran.
    turn: u64,
}

/// A statement that has just run.
#[derive(Debug, Clone, Default)]
pub struct Ran<'n> {
    pub text: &'n str,
    pub cell: u32,
    pub writes: Vec<Written<'n>>,
    pub reads: Vec<&'n str>,
    pub result: Option<u32>,
    pub reads_last: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Written<'n> {
    pub name: &'n str,
    pub kind: Kind,
    /// What the global was before does not matter.
    pub is_fresh: bool,
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
pub struct Basis(BTreeMap<Key, Version>);

impl Basis {
    /// Nothing of it can change.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The stale values at one moment.
#[derive(Debug, Clone, Default)]
pub struct Stale<'g>(BTreeSet<&'g str>);

/// One row of `:deps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependencies {
    pub uses: Vec<String>,
    pub used_by: Vec<String>,
}

/// Cheap to clone for `:undo`: what did not change since is shared.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Shared<Arc<Node>>,
    /// Never taken back, so that no version comes twice.
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
        let node = Node {
            kind: Kind::Definition,
            // Fingerprints and assignment numbers must not meet: a name may be a value first and a definition later.
            version: Version(fingerprint | 1 << 63),
            cell,
            uses: self.direct(name, uses),
            read: BTreeMap::new(),
            made: Vec::new(),
            is_retired: false,
        };
        self.nodes.insert(name, Arc::new(node));
    }

    /// A statement ran: its globals, or its result, were computed from what it read.
    pub fn ran(&mut self, ran: &Ran<'_>) {
        self.assignments += 1;
        let statement = Arc::new(Statement {
            text: ran.text.into(),
            cell: ran.cell,
            writes: ran.writes.iter().map(|written| written.name.into()).collect(),
            result: ran.result,
            reads_last: ran.reads_last,
            turn: self.assignments,
        });
        // All get their versions first: what is written beside a value was there when the statement had run.
        let before: Vec<Option<Arc<Node>>> =
            ran.writes.iter().map(|written| self.renew(written, ran.cell)).collect();
        for (written, before) in ran.writes.iter().zip(before) {
            let mut uses = self.direct(written.name, ran.reads.iter().copied());
            let mut read = BTreeMap::new();
            uses.keys().for_each(|used| self.close(used, &mut read));
            let mut made = Vec::new();
            // What a value was before it was changed was computed from something, too.
            if let Some(before) = before.filter(|_| !written.is_fresh) {
                let before = Arc::unwrap_or_clone(before);
                uses.extend(before.uses);
                read.extend(before.read);
                made = before.made;
            }
            // What it was before is not what it was computed from: `x = x + 1` does not make x stale.
            read.remove(written.name);
            made.push(Arc::clone(&statement));
            if let Some(node) = self.nodes.get_mut(written.name).map(Arc::make_mut) {
                (node.uses, node.read, node.made) = (uses, read, made);
            }
        }
    }

    /// Gives a value its next version; what it was before.
    fn renew(&mut self, written: &Written<'_>, cell: u32) -> Option<Arc<Node>> {
        self.assignments += 1;
        let node = Node {
            kind: written.kind,
            version: Version(self.assignments),
            cell,
            uses: BTreeMap::new(),
            read: BTreeMap::new(),
            made: Vec::new(),
            is_retired: false,
        };
        let before = self.nodes.insert(written.name, Arc::new(node))?;
        (before.kind != Kind::Definition).then_some(before)
    }

    /// A global that was assigned, with the names its expression used.
    #[cfg(test)]
    pub fn assign<'n>(
        &mut self,
        name: &str,
        kind: Kind,
        cell: u32,
        uses: impl IntoIterator<Item = &'n str>,
    ) {
        let reads: Vec<&str> = uses.into_iter().collect();
        let writes = vec![Written { name, kind, is_fresh: !reads.contains(&name) }];
        self.ran(&Ran { cell, writes, reads, ..Ran::default() });
    }

    /// What a name is; `None` if it means nothing now.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.nodes.get(name).map(|node| node.kind)
    }

    pub fn remove(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// A result that stands nowhere any more is neither listed nor computed again.
    pub fn retire(&mut self, name: &str) {
        if let Some(node) = self.nodes.get_mut(name) {
            Arc::make_mut(node).is_retired = true;
        }
    }

    /// As it was at another moment; versions given since then are not given again.
    pub fn return_to(&mut self, earlier: &Graph) {
        self.nodes = earlier.nodes.clone();
    }

    /// Whether nothing was defined or assigned between the two.
    pub fn is_as(&self, earlier: &Graph) -> bool {
        let mut apart = self.nodes.apart(&earlier.nodes);
        self.nodes.len() == earlier.nodes.len()
            && apart.all(|(name, one)| {
                earlier.nodes.get(name).is_some_and(|other| Arc::ptr_eq(one, other))
            })
    }

    /// The names that are new, other or gone now.
    pub fn changed_since(&self, earlier: &Graph) -> Vec<String> {
        let is_same = |name: &Key, graph: &Graph, node: &Arc<Node>| {
            graph.nodes.get(name).is_some_and(|other| other.version == node.version)
        };
        let apart = self.nodes.apart(&earlier.nodes);
        let new = apart.filter(|(name, node)| !is_same(name, earlier, node));
        let before = earlier.nodes.apart(&self.nodes);
        let gone = before.filter(|(name, _)| !self.nodes.contains_key(name));
        let mut changed: Vec<String> = new.chain(gone).map(|(name, _)| name.to_string()).collect();
        changed.sort_unstable();
        changed
    }

    fn direct<'n>(
        &self,
        name: &str,
        uses: impl IntoIterator<Item = &'n str>,
    ) -> BTreeMap<Key, Version> {
        let known = uses.into_iter().filter(|used| *used != name);
        // A name not known is a builtin, or defined later in the same cell: version 0 then differs from what comes.
        known.map(|used| (Key::from(used), self.version(used).unwrap_or(Version(0)))).collect()
    }

    fn version(&self, name: &str) -> Option<Version> {
        self.nodes.get(name).map(|node| node.version)
    }

    /// Everything reached from a name through definitions: what a call of it reads.
    fn close(&self, name: &str, into: &mut BTreeMap<Key, Version>) {
        let Some((key, node)) = self.nodes.get_key_value(name) else { return };
        if into.insert(Arc::clone(key), node.version).is_some() || node.kind != Kind::Definition {
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

    /// All that is stale, in time that grows with the number of uses only.
    pub fn stale(&self) -> Stale<'_> {
        let values = || {
            self.nodes.iter().filter(|(_, node)| node.kind == Kind::Value).map(|(n, v)| (&**n, v))
        };
        let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut todo: Vec<&str> = Vec::new();
        for (name, node) in values() {
            if node.read.iter().any(|(used, version)| self.version(used) != Some(*version)) {
                todo.push(name);
            }
            for used in node.read.keys() {
                readers.entry(used).or_default().push(name);
            }
        }
        let mut stale = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if stale.insert(name) {
                todo.extend(readers.get(name).into_iter().flatten());
            }
        }
        Stale(stale)
    }

    /// Why something computed from this is stale; empty if it is not.
    pub fn causes_of(&self, basis: &Basis, stale: &Stale<'_>) -> Vec<Cause> {
        self.changes(&basis.0, stale)
    }

    /// Why this value is stale; empty if it is not. Changes come before stale values, each by name.
    pub fn causes(&self, name: &str, stale: &Stale<'_>) -> Vec<Cause> {
        let node = self.nodes.get(name).filter(|node| node.kind == Kind::Value);
        node.map_or_else(Vec::new, |node| self.changes(&node.read, stale))
    }

    fn changes(&self, read: &BTreeMap<Key, Version>, stale: &Stale<'_>) -> Vec<Cause> {
        let mut changed = Vec::new();
        let mut values = Vec::new();
        for (used, version) in read {
            let name = used.to_string();
            match self.nodes.get(used) {
                None => changed.push(Cause { name, what: Change::Removed }),
                Some(now) if now.version != *version => {
                    changed.push(Cause { name, what: Change::Changed { cell: now.cell } });
                }
                Some(_) if stale.contains(used) => {
                    values.push(Cause { name, what: Change::Stale });
                }
                Some(_) => {}
            }
        }
        changed.append(&mut values);
        changed
    }

    /// What it uses directly and what uses it directly.
    pub fn dependencies(&self, name: &str) -> Option<Dependencies> {
        let node = self.nodes.get(name)?;
        let used_by = self.nodes.iter().filter(|(_, other)| other.uses.contains_key(name));
        // Builtins are used by all and change with nothing.
        let is_of_session =
            |used: &Key, version: &Version| *version != Version(0) || self.nodes.contains_key(used);
        let uses = node.uses.iter().filter(|(used, version)| is_of_session(used, version));
        Some(Dependencies {
            uses: uses.map(|(used, _)| used.to_string()).collect(),
            used_by: used_by.map(|(name, _)| name.to_string()).collect(),
        })
    }

    /// The cell that defined or assigned it last.
    pub fn cell(&self, name: &str) -> Option<u32> {
        self.nodes.get(name).map(|node| node.cell)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(|name| &**name)
    }
}

impl Stale<'_> {
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// The name of the result of a cell.
pub fn result_name(number: u32) -> String {
    format!("_{number}")
}

#[cfg(test)]
mod tests;
