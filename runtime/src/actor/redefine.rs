//! Taking a new definition at the next message, if the state and the queued messages fit (L-78).
//!
//! Never: changes an agent that does not fit; it keeps the code it has.

use crate::actor::instance::Instance;
use crate::actor::kind::{AgentType, TypeId};
use crate::actor::message::Message;
use crate::actor::reference::AgentRef;
use crate::actor::slab::{About, Slot};
use crate::context::Cx;
use crate::telemetry::event::Actor;
use crate::value::owned::Owned;
use crate::world::World;
use std::sync::Arc;

/// Whether a type has the behavior a message asks for, with the same parameters.
#[must_use]
pub fn accepts(kind: &AgentType, message: &Message) -> bool {
    kind.behavior(message.selector).is_some_and(|behavior| {
        let shapes = message.payload.iter().map(Owned::shape);
        shapes.eq(behavior.params.iter().map(|param| param.shape))
    })
}

/// Why instances of `old` cannot become `new`; `None` if they can.
#[must_use]
pub fn obstacle(old: &AgentType, new: &AgentType) -> Option<String> {
    let has = |name: &str, shape| {
        old.fields.iter().any(|field| &*field.name == name && field.shape == shape)
    };
    let exists = |name: &str| old.fields.iter().any(|field| &*field.name == name);
    let changed = new.fields.iter().find(|new| exists(&new.name) && !has(&new.name, new.shape));
    if let Some(field) = changed {
        return Some(format!("`{}` has another type", field.name));
    }
    let (inputs, state) = (new.input_fields().iter(), new.state().iter());
    let given = inputs.chain(state.filter(|field| field.required));
    let missing = given.into_iter().find(|field| !has(&field.name, field.shape));
    missing.map(|field| format!("`{}` is new and has no default", field.name))
}

/// The fields whose values instances of `old` lose when they become `new`.
#[must_use]
pub fn dropped_fields(old: &AgentType, new: &AgentType) -> Vec<Arc<str>> {
    let stays = |name: &str| new.fields.iter().any(|field| &*field.name == name);
    let gone = old.fields.iter().filter(|field| !stays(&field.name));
    gone.map(|field| Arc::clone(&field.name)).collect()
}

/// An instance that keeps the code it has, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    pub agent: AgentRef,
    pub actor: Actor,
    pub why: String,
}

impl World {
    /// The instances that cannot take the newest definition of their type as they are now (L-78).
    #[must_use]
    pub fn held_back(&self, kind: TypeId) -> Vec<HeldBack> {
        let Some(cell) = self.agent_types().cell(kind) else { return Vec::new() };
        let Some(new) = cell.current() else { return Vec::new() };
        let own =
            |about: &About| Arc::ptr_eq(&about.cell, &cell) && about.kind.version != new.version;
        let old = self.agents().tenants().filter(|(about, _)| own(about));
        let held = old.filter_map(|(about, slot)| {
            let queued =
                || (!slot.mailbox.fits(&new)).then(|| "a queued message does not fit".to_owned());
            let why = obstacle(&about.kind, &new).or_else(queued)?;
            Some(HeldBack { agent: about.reference, actor: about.actor, why })
        });
        held.collect()
    }

    /// The fields whose values instances of an agent lose at their next message, because its newest definition has none of
    /// these names.
    #[must_use]
    pub fn dropped(&self, kind: TypeId) -> Vec<Arc<str>> {
        let Some(cell) = self.agent_types().cell(kind) else { return Vec::new() };
        let Some(new) = cell.current() else { return Vec::new() };
        let own =
            |about: &About| Arc::ptr_eq(&about.cell, &cell) && about.kind.version != new.version;
        let old = self.agents().tenants().map(|(about, _)| about).filter(own);
        let moving = old.filter(|about| obstacle(&about.kind, &new).is_none());
        let mut dropped: Vec<Arc<str>> =
            moving.flat_map(|about| dropped_fields(&about.kind, &new)).collect();
        dropped.sort();
        dropped.dedup();
        dropped
    }
}

/// Called between messages: takes the newest definition if there is one that fits.
pub(crate) fn refresh(cx: &mut Cx, slot: &Slot, message: &Message) {
    let Some(instance) = &cx.instance else { return };
    if instance.kind.version == instance.cell.version() {
        return;
    }
    let Some(new) = instance.cell.current() else { return };
    let fits = obstacle(&instance.kind, &new).is_none()
        && accepts(&new, message)
        && slot.mailbox.fits(&new);
    if !fits {
        return;
    }
    let Some(inputs) = gather(instance, new.input_fields()) else { return };
    // New fields take what the initialisers give; a Fault there leaves the agent as it is. The statements of an orchestration
    // ran already, and what is new in them is an obstacle.
    let kept = || gather(instance, new.state());
    let initial = if new.is_orchestration { kept() } else { initial_state(cx, &new, inputs) };
    let Some(initial) = initial else { return };
    let Some(instance) = &mut cx.instance else { return };
    let Some(mut fields) = gather(instance, new.input_fields()) else { return };
    let state = new.state().iter().zip(initial);
    fields.extend(
        state.map(|(field, initial)| instance.named(&field.name, field.shape).unwrap_or(initial)),
    );
    instance.adapt(Arc::clone(&new), fields);
    cx.fields = instance.fields_mut().as_mut_ptr();
    slot.set_kind(&new);
    slot.mailbox.set_marks(crate::actor::mailbox::Marks::of(new.mailbox));
}

fn gather(instance: &Instance, fields: &[crate::value::shape::FieldShape]) -> Option<Vec<Owned>> {
    fields.iter().map(|field| instance.named(&field.name, field.shape)).collect()
}

/// Runs the initialisers of a type: the state fields, or `None` with the Fault in the context.
pub(crate) fn initial_state(
    cx: &mut Cx,
    kind: &AgentType,
    inputs: Vec<Owned>,
) -> Option<Vec<Owned>> {
    let tuple = cx.call_owned(kind.init, inputs).ok()?;
    Some(if kind.state().is_empty() { Vec::new() } else { cx.tuple_items(&tuple) })
}
