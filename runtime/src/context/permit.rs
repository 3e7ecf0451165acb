//! Whether an effect may happen (L-92): the first rule that matches decides, and a person where it says `ask`.
//!
//! Asked before the effect starts; nothing is repeated after the answer. Never: a yes that nobody gave.

use crate::builtin::human::{self, Asked, Verdict as Said};
use crate::code::FnSlot;
use crate::context::Cx;
use crate::fault::{Fault, Faulted, code};
use crate::policy::{Gate, Rule, Verdict};
use crate::value::json::to_json;
use crate::value::owned::Owned;
use crate::value::record::in_cell;
use crate::value::shape::ShapeId;
use crate::world::outside::Reach;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Marks a refusal that no person spoke.
const NOBODY: &str = "nobody_asked";

fn nobody(fault: &Fault) -> bool {
    fault.data.get(NOBODY).is_some()
}

/// Makes the arguments of an effect, by name; asked for only where a rule or a person looks at them.
pub type Arguments<'a> = &'a dyn Fn() -> Vec<(Arc<str>, Owned)>;

/// An argument as rules and people see it.
fn seen(word: u64, shape: ShapeId, lent: bool) -> Owned {
    let (word, shape) = if lent { in_cell(word, shape) } else { (word, shape) };
    Owned::retained(word, shape)
}

impl Cx {
    /// What the rules say of an effect; none if no rule matches. A denial is the Fault already.
    pub fn ruled(
        &mut self,
        effect: &str,
        arguments: Arguments<'_>,
    ) -> Result<Option<Verdict>, Faulted> {
        self.ruled_as(effect, &[], arguments)
    }

    /// As [`Cx::ruled`], of an effect that has other paths, too: the first rule about any of them decides.
    fn ruled_as(
        &mut self,
        effect: &str,
        also: &[Arc<str>],
        arguments: Arguments<'_>,
    ) -> Result<Option<Verdict>, Faulted> {
        let covers = |rule: &Rule| rule.covers(effect) || also.iter().any(|path| rule.covers(path));
        let world = Arc::clone(&self.world);
        let agent = self.behalf().map(|agent| agent.name);
        for rules in world.policies().in_force(agent.as_ref()) {
            for rule in rules.iter().filter(|rule| covers(rule)) {
                if let Some(condition) = rule.condition
                    && !self.holds(condition, effect, arguments)?
                {
                    continue;
                }
                rule.fired.fetch_add(1, Ordering::Relaxed);
                if rule.verdict == Verdict::Deny {
                    self.fail(code::DENIED, format!("`{effect}` is denied: `{}`", rule.text));
                    return Err(Faulted);
                }
                return Ok(Some(rule.verdict));
            }
        }
        Ok(None)
    }

    /// Lets an effect happen, or faults. `otherwise` is what holds where no rule matches.
    pub fn permit(
        &mut self,
        effect: &str,
        otherwise: Verdict,
        arguments: Arguments<'_>,
    ) -> Result<(), Faulted> {
        match self.ruled(effect, arguments)?.unwrap_or(otherwise) {
            Verdict::Ask => self.ask_permission(effect, arguments),
            _ => Ok(()),
        }
    }

    /// Asks the person, unless they said always before.
    pub fn ask_permission(
        &mut self,
        effect: &str,
        arguments: Arguments<'_>,
    ) -> Result<(), Faulted> {
        let world = Arc::clone(&self.world);
        if world.policies().is_always(effect) {
            return Ok(());
        }
        let mut data = Map::new();
        for (name, value) in arguments() {
            let json = to_json(value.value(), value.shape()).unwrap_or(Value::Null);
            data.insert(name.to_string(), json);
        }
        let asked = Asked { text: format!("Allow {effect}?"), data: Value::Object(data) };
        match human::permission(self, &format!("human.allow.{effect}"), &asked)? {
            Said::Yes => Ok(()),
            Said::Always => {
                world.policies().always(effect);
                Ok(())
            }
            Said::No(why) => {
                self.fail(code::REFUSED, human::refusal(effect, &why));
                Err(Faulted)
            }
            Said::Nobody(why) => {
                let fault = Fault::new(code::REFUSED, human::refusal(effect, &why));
                self.raise(Box::new(fault.with_data(json!({ NOBODY: true }))));
                Err(Faulted)
            }
        }
    }

    /// Something that needs permission: where somebody can be asked that is done, else the refusal stands, which names the
    /// other ways.
    pub fn ask_instead(
        &mut self,
        reach: Reach,
        refusal: Fault,
        arguments: Arguments<'_>,
    ) -> Result<Result<(), Fault>, Faulted> {
        if refusal.code == code::DENIED {
            return Ok(Err(refusal));
        }
        match self.ask_permission(reach.name(), arguments) {
            Ok(()) => Ok(Ok(())),
            Err(Faulted) => match self.fault.take() {
                Some(fault) if fault.code == code::REFUSED && nobody(&fault) => Ok(Err(refusal)),
                fault => {
                    self.fault = fault;
                    Err(Faulted)
                }
            },
        }
    }

    /// Whether the condition of a rule holds for these arguments.
    fn holds(
        &mut self,
        condition: FnSlot,
        effect: &str,
        arguments: Arguments<'_>,
    ) -> Result<bool, Faulted> {
        let version = self.world.functions().current(condition).cloned();
        let given = arguments();
        let shapes: Vec<ShapeId> = given.iter().map(|(_, value)| value.shape()).collect();
        let Some(version) = version.filter(|version| *version.params == *shapes) else {
            // The tool was defined anew with other parameters: what cannot be decided does not happen.
            let message = format!("`{effect}` is denied: a rule about it no longer fits it");
            self.fail(code::DENIED, message);
            return Err(Faulted);
        };
        let words: Vec<u64> = given.into_iter().map(|(_, value)| value.into_word()).collect();
        self.call_version(&version, &words).map(|word| word != 0)
    }

    /// Whether a method of a tool may begin without another look: nothing was said about it that could stop it.
    #[inline]
    #[must_use]
    pub fn is_open(&self, gate: &Gate) -> bool {
        gate.is_open_at(self.world.policies().epoch())
    }

    /// Lets a method of a tool begin, or faults. `words` are its parameters, which stay the caller's.
    pub fn pass(&mut self, gate: &Gate, words: &[u64], shapes: &[ShapeId]) -> Result<(), Faulted> {
        let epoch = self.world.policies().epoch();
        let policies = self.world.policies();
        if !gate.is_destructive && gate.paths().all(|path| policies.says_nothing_of(path)) {
            gate.open(epoch);
            return Ok(());
        }
        let arguments = || {
            // The tool itself comes first.
            let given = words.iter().zip(shapes).skip(1);
            let lent = gate.lent.iter().copied().chain(std::iter::repeat(false));
            let given = given.zip(lent).map(|((&word, &shape), lent)| seen(word, shape, lent));
            gate.names.iter().cloned().zip(given).collect()
        };
        let otherwise = if gate.is_destructive { Verdict::Ask } else { Verdict::Allow };
        match self.ruled_as(&gate.effect, &gate.also, &arguments)?.unwrap_or(otherwise) {
            Verdict::Ask => self.ask_permission(&gate.effect, &arguments),
            _ => Ok(()),
        }
    }
}
