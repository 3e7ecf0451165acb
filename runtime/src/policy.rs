//! Policies: rules of an agent, of the session, and of persons who said `always`; the first that matches an effect holds.
//!
//! A rule names an effect by its path or the beginning of it and may have a condition, a function of the effect's
//! arguments. Never: evaluates a condition or asks anybody (`context/permit.rs` does), or takes a rule from data.

use crate::code::FnSlot;
use parking_lot::RwLock;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Effects that a rule can name, with the arguments its `where` sees. The methods of tools have their own parameters.
pub const EFFECTS: &[(&str, &[(&str, Kind)])] = &[
    ("fs", &[("path", Kind::Text), ("write", Kind::Bool)]),
    ("human", &[("action", Kind::Text), ("data", Kind::Dyn)]),
    ("llm", &[("prompt", Kind::Text), ("lane", Kind::Text)]),
    ("memory.read", &[]),
    ("memory.write", &[]),
    ("net", &[("url", Kind::Text), ("method", Kind::Text)]),
];

/// The type of an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    Bool,
    Dyn,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    Allow,
    Ask,
    Deny,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        })
    }
}

/// One line of a policy.
#[derive(Debug)]
pub struct Rule {
    pub verdict: Verdict,
    pub effect: Arc<str>,
    /// A function of the effect's arguments that gives a Bool.
    pub condition: Option<FnSlot>,
    /// As written.
    pub text: Arc<str>,
    // Written by whoever the rule stops or lets pass; a count for people needs no order.
    pub fired: AtomicU64,
}

impl Rule {
    #[must_use]
    pub fn covers(&self, effect: &str) -> bool {
        let rest = effect.strip_prefix(&*self.effect);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

pub type Rules = Arc<[Rule]>;

/// Whose rules.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    Agent(Arc<str>),
    /// `policy NAME`.
    Named(Arc<str>),
}

/// A rule as a panel shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleRow {
    pub of: String,
    pub text: Arc<str>,
    pub fired: u64,
}

/// All policies of a world.
#[derive(Debug, Default)]
pub struct Policies {
    // Raised by every change of the rules, after it; what was decided at another epoch is decided anew.
    epoch: AtomicU64,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: FxHashMap<Owner, Rules>,
    chosen: Option<Arc<str>>,
    /// Effects for which a person said always.
    always: FxHashSet<Arc<str>>,
}

impl Policies {
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.write();
        let result = change(&mut state);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        result
    }

    /// The rules of a policy or agent, in the place of those it had. None are none.
    pub fn define(&self, owner: Owner, rules: Rules) {
        let is_known = self.state.read().rules.contains_key(&owner);
        if is_known || !rules.is_empty() || matches!(owner, Owner::Named(_)) {
            self.change(|state| state.rules.insert(owner, rules));
        }
    }

    /// `:policy name`; `None` chooses no policy. False if there is none of that name.
    pub fn choose(&self, name: Option<&str>) -> bool {
        let known =
            |state: &State, name: &str| state.rules.contains_key(&Owner::Named(name.into()));
        if name.is_some_and(|name| !known(&self.state.read(), name)) {
            return false;
        }
        self.change(|state| state.chosen = name.map(Arc::from));
        true
    }

    #[must_use]
    pub fn chosen(&self) -> Option<Arc<str>> {
        self.state.read().chosen.clone()
    }

    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let state = self.state.read();
        let named = state.rules.keys().filter_map(|owner| match owner {
            Owner::Named(name) => Some(Arc::clone(name)),
            Owner::Agent(_) => None,
        });
        let mut names: Vec<_> = named.collect();
        names.sort();
        names
    }

    /// A person does not want to be asked about this effect again in this session.
    pub fn always(&self, effect: &str) {
        self.change(|state| state.always.insert(effect.into()));
    }

    #[must_use]
    pub fn is_always(&self, effect: &str) -> bool {
        self.state.read().always.contains(effect)
    }

    /// The rules in force for the code of an agent, or of none: the agent's, then the session's.
    #[must_use]
    pub fn in_force(&self, agent: Option<&Arc<str>>) -> [Option<Rules>; 2] {
        let state = self.state.read();
        let own =
            agent.and_then(|agent| state.rules.get(&Owner::Agent(Arc::clone(agent))).cloned());
        let session = state.chosen.as_ref();
        let session = session.and_then(|name| state.rules.get(&Owner::Named(Arc::clone(name))));
        [own, session.cloned()]
    }

    /// Whether no rule in force anywhere could speak of this effect.
    #[must_use]
    pub fn says_nothing_of(&self, effect: &str) -> bool {
        let state = self.state.read();
        let mut in_force = state.rules.iter().filter(|(owner, _)| match owner {
            Owner::Agent(_) => true,
            Owner::Named(name) => state.chosen.as_ref() == Some(name),
        });
        !in_force.any(|(_, rules)| rules.iter().any(|rule| rule.covers(effect)))
    }

    /// Those of the session, of agents, and what persons always allow.
    #[must_use]
    pub fn rows(&self) -> Vec<RuleRow> {
        let state = self.state.read();
        let mut owners: Vec<(String, &Rules)> = Vec::new();
        for (owner, rules) in &state.rules {
            match owner {
                Owner::Agent(name) => owners.push((format!("agent {name}"), rules)),
                Owner::Named(name) if state.chosen.as_ref() == Some(name) => {
                    owners.push((format!("policy {name}"), rules));
                }
                Owner::Named(_) => {}
            }
        }
        owners.sort_by(|a, b| a.0.cmp(&b.0));
        let mut rows: Vec<RuleRow> = Vec::new();
        for (of, rules) in owners {
            rows.extend(rules.iter().map(|rule| RuleRow {
                of: of.clone(),
                text: Arc::clone(&rule.text),
                fired: rule.fired.load(Ordering::Relaxed),
            }));
        }
        let mut always: Vec<&Arc<str>> = state.always.iter().collect();
        always.sort();
        rows.extend(always.into_iter().map(|effect| RuleRow {
            of: "always, said a person".to_owned(),
            text: format!("allow {effect}").into(),
            fired: 0,
        }));
        rows
    }
}

/// What stands before a method of a tool.
#[derive(Debug)]
pub struct Gate {
    /// `tool.BrokerAPI.execute`
    pub effect: Arc<str>,
    /// The same method of the tools that this one provides.
    pub also: Vec<Arc<str>>,
    pub is_destructive: bool,
    /// The parameters after the tool itself.
    pub names: Vec<Arc<str>>,
    /// Which of them are cells of the caller's: rules and people see what is in them.
    pub lent: Vec<bool>,
    // One more than the epoch at which nothing stood against the method; 0: not looked yet. Written by whoever looked,
    // read at each call; a newer epoch makes it void.
    open_at: AtomicU64,
}

impl Gate {
    #[must_use]
    pub fn new(effect: Arc<str>, is_destructive: bool, names: Vec<Arc<str>>) -> Self {
        Self {
            effect,
            also: Vec::new(),
            is_destructive,
            names,
            lent: Vec::new(),
            open_at: AtomicU64::new(0),
        }
    }

    /// Rules about these hold for it, too.
    #[must_use]
    pub fn also(self, also: Vec<Arc<str>>) -> Self {
        Self { also, ..self }
    }

    #[must_use]
    pub fn lent(self, lent: Vec<bool>) -> Self {
        Self { lent, ..self }
    }

    /// All its paths, its own first.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.effect).chain(self.also.iter().map(|path| &**path))
    }

    #[inline]
    pub(crate) fn is_open_at(&self, epoch: u64) -> bool {
        self.open_at.load(Ordering::Relaxed) == epoch + 1
    }

    pub(crate) fn open(&self, epoch: u64) {
        self.open_at.store(epoch + 1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Owner, Policies, Rule, Verdict};
    use std::sync::atomic::AtomicU64;

    fn rule(verdict: Verdict, effect: &str) -> Rule {
        let text = format!("{verdict} {effect}").into();
        Rule { verdict, effect: effect.into(), condition: None, text, fired: AtomicU64::new(0) }
    }

    #[test]
    fn a_rule_covers_its_effect_and_what_is_below() {
        let rule = rule(Verdict::Deny, "tool.Broker");
        assert!(rule.covers("tool.Broker"));
        assert!(rule.covers("tool.Broker.execute"));
        assert!(!rule.covers("tool.BrokerAPI.execute"));
    }

    #[test]
    fn only_a_known_policy_can_be_chosen_and_each_change_is_an_epoch() {
        let policies = Policies::default();
        assert!(!policies.choose(Some("Careful")));
        policies.define(Owner::Named("Careful".into()), [rule(Verdict::Ask, "net")].into());
        let before = policies.epoch();
        assert!(policies.choose(Some("Careful")));
        assert!(policies.epoch() > before);
        assert!(policies.in_force(None)[1].is_some());
        assert_eq!(policies.rows().len(), 1);
    }
}
