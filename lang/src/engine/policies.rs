//! Policies and the gates of tools as the runtime registers them.
//!
//! Never: decides whether an effect may happen.

use crate::engine::names::Names;
use crate::hir::{self, Definitions, FunctionKey, PolicyPart};
use ag_runtime::policy::{Gate, Owner, Part, Rule};
use ag_runtime::world::World;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The gates of the tools defined, in the place of those that functions of the same names had.
pub fn keep_gates(gates: &mut FxHashMap<FunctionKey, Arc<Gate>>, definitions: &Definitions) {
    for function in &definitions.functions {
        gates.remove(&function.key);
    }
    for gate in definitions.gates.iter().filter(|gate| !gate.is_required) {
        let made = Gate::new(gate.effect.clone(), gate.is_destructive, gate.params.clone());
        let made = made.also(gate.also.clone()).lent(gate.lent.clone());
        gates.insert(gate.key.clone(), Arc::new(made));
    }
}

/// Puts the rules in force, those of agents for all their instances.
pub fn define(world: &World, names: &mut Names, definitions: &Definitions) {
    for policy in &definitions.policies {
        let mut made = |rule: &hir::Rule| Rule {
            verdict: rule.verdict,
            effect: rule.effect.clone(),
            condition: rule.condition.as_ref().map(|key| names.slot(world.functions(), key)),
            text: rule.text.clone(),
            fired: AtomicU64::new(0),
        };
        let parts = policy.parts.iter().map(|part| match part {
            PolicyPart::Rules(rules) => Part::Rules(rules.iter().map(&mut made).collect()),
            PolicyPart::Named(name) => Part::Named(name.clone()),
        });
        let name = policy.name.clone();
        let owner = if policy.of_agent { Owner::Agent(name) } else { Owner::Named(name) };
        world.policies().define(owner, parts.collect());
    }
}
