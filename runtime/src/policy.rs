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

/// Some of the rules of an owner.
#[derive(Clone, Debug)]
pub enum Part {
    Rules(Rules),
    /// Those of another policy, as they are when they are looked at.
    Named(Arc<str>),
}

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
    rules: FxHashMap<Owner, Vec<Part>>,
    chosen: Option<Arc<str>>,
    /// Effects for which a person said always.
    always: FxHashSet<Arc<str>>,
}

impl State {
    /// The rules of an owner in order, those of another policy with its name.
    fn rules_of(&self, owner: &Owner) -> impl Iterator<Item = (Option<&Arc<str>>, &Rules)> {
        let parts = self.rules.get(owner).into_iter().flatten();
        parts.flat_map(|part| match part {
            Part::Rules(rules) => vec![(None, rules)],
            Part::Named(name) => {
                let named = self.rules.get(&Owner::Named(Arc::clone(name))).into_iter().flatten();
                // Only agents name others.
                let rules = named.filter_map(|part| match part {
                    Part::Rules(rules) => Some((Some(name), rules)),
                    Part::Named(_) => None,
                });
                rules.collect()
            }
        })
    }

    /// Those of all agents and of the policy that was chosen.
    fn in_force_anywhere(&self) -> impl Iterator<Item = (&Owner, Option<&Arc<str>>, &Rules)> {
        let owners = self.rules.keys().filter(|owner| match owner {
            Owner::Agent(_) => true,
            Owner::Named(name) => self.chosen.as_ref() == Some(name),
        });
        owners
            .flat_map(|owner| self.rules_of(owner).map(move |(named, rules)| (owner, named, rules)))
    }
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
    pub fn define(&self, owner: Owner, parts: Vec<Part>) {
        let is_known = self.state.read().rules.contains_key(&owner);
        if is_known || !parts.is_empty() || matches!(owner, Owner::Named(_)) {
            self.change(|state| state.rules.insert(owner, parts));
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
    pub fn in_force(&self, agent: Option<&Arc<str>>) -> Vec<Rules> {
        let state = self.state.read();
        let own = agent.map(|agent| Owner::Agent(Arc::clone(agent)));
        let session = state.chosen.as_ref().map(|name| Owner::Named(Arc::clone(name)));
        let owners = own.iter().chain(&session);
        owners.flat_map(|owner| state.rules_of(owner)).map(|(_, rules)| Arc::clone(rules)).collect()
    }

    /// Whether no rule in force anywhere could speak of this effect.
    #[must_use]
    pub fn says_nothing_of(&self, effect: &str) -> bool {
        let state = self.state.read();
        let mut in_force = state.in_force_anywhere();
        !in_force.any(|(_, _, rules)| rules.iter().any(|rule| rule.covers(effect)))
    }

    /// Those of the session, of agents, and what persons always allow.
    #[must_use]
    pub fn rows(&self) -> Vec<RuleRow> {
        let state = self.state.read();
        let owners = state.in_force_anywhere().map(|(owner, named, rules)| match (owner, named) {
            (Owner::Agent(agent), None) => (format!("agent {agent}"), rules),
            (Owner::Agent(agent), Some(name)) => (format!("agent {agent}, policy {name}"), rules),
            (Owner::Named(name), _) => (format!("policy {name}"), rules),
        });
        let mut owners: Vec<(String, &Rules)> = owners.collect();
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
    use super::{Owner, Part, Policies, Rule, Verdict};
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
        let rules = Part::Rules([rule(Verdict::Ask, "net")].into());
        policies.define(Owner::Named("Careful".into()), vec![rules]);
        let before = policies.epoch();
        assert!(policies.choose(Some("Careful")));
        assert!(policies.epoch() > before);
        assert_eq!(policies.in_force(None).len(), 1);
        assert_eq!(policies.rows().len(), 1);
    }

    #[test]
    fn an_agent_may_have_the_rules_of_a_policy_as_they_are_by_then() {
        let policies = Policies::default();
        let careful = || Owner::Named("Careful".into());
        let of = |effect: &str| Part::Rules([rule(Verdict::Deny, effect)].into());
        policies.define(careful(), vec![of("net")]);
        policies.define(Owner::Agent("A".into()), vec![of("fs"), Part::Named("Careful".into())]);
        policies.define(careful(), vec![of("llm")]);
        let effects = |agent: &str| {
            let in_force = policies.in_force(Some(&agent.into()));
            in_force
                .iter()
                .flat_map(|rules| rules.iter())
                .map(|rule| rule.effect.to_string())
                .collect()
        };
        let (none, both): (Vec<String>, Vec<String>) = (effects("B"), effects("A"));
        assert_eq!((none.len(), both), (0, vec!["fs".to_owned(), "llm".to_owned()]));
        assert!(policies.says_nothing_of("net") && !policies.says_nothing_of("llm"));
        assert_eq!(policies.rows()[1].of, "agent A, policy Careful");
    }
}
