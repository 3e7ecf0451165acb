//! One agent's fields and the undo log of the message it handles (L-72).
//!
//! Never: touched by two workers: the run that holds the agent owns it. Commit and rollback cost what the message changed.

use crate::actor::config::AgentConfig;
use crate::actor::kind::{AgentType, TypeCell};
use crate::actor::supervisor::{Restarts, Supervise};
use crate::context::sink::Audience;
use crate::memory::agent::AgentMemory;
use crate::telemetry::event::Actor;
use crate::value::count::{release, retain};
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use std::sync::Arc;

pub struct Instance {
    pub kind: Arc<AgentType>,
    pub cell: Arc<TypeCell>,
    pub actor: Actor,
    /// Where output goes that serves no request.
    pub spawner: Audience,
    pub supervise: Supervise,
    pub restarts: Restarts,
    pub config: Option<Arc<AgentConfig>>,
    /// Its own memory, from its first recall or episode on.
    pub memory: Option<Arc<AgentMemory>>,
    /// False until the initialisers ran.
    pub is_ready: bool,
    fields: Vec<u64>,
    undo: Vec<(u32, u64)>,
}

impl Instance {
    /// An instance whose state is not initialised yet.
    pub fn new(
        kind: Arc<AgentType>,
        cell: Arc<TypeCell>,
        actor: Actor,
        spawner: Audience,
        supervise: Supervise,
        inputs: Vec<Owned>,
    ) -> Self {
        let mut fields: Vec<u64> = inputs.into_iter().map(Owned::into_word).collect();
        fields.resize(kind.fields.len(), 0);
        Self {
            kind,
            cell,
            actor,
            spawner,
            supervise,
            restarts: Restarts::default(),
            config: None,
            memory: None,
            is_ready: false,
            fields,
            undo: Vec::new(),
        }
    }

    pub fn fields_mut(&mut self) -> &mut [u64] {
        &mut self.fields
    }

    #[must_use]
    pub fn field(&self, index: u32) -> Option<u64> {
        self.fields.get(index as usize).copied()
    }

    #[must_use]
    pub fn field_shape(&self, index: u32) -> ShapeId {
        self.kind.fields.get(index as usize).map_or(ShapeId::UNIT, |field| field.shape)
    }

    /// Sets a field and keeps what it held before the message.
    pub fn set_field(&mut self, index: u32, value: u64) {
        let shape = self.field_shape(index);
        let noted = self.is_noted(index);
        let Some(place) = self.fields.get_mut(index as usize) else { return release(value, shape) };
        let old = std::mem::replace(place, value);
        if noted {
            release(old, shape);
        } else {
            self.undo.push((index, old));
        }
    }

    /// Takes a field out. It is empty until it is set again; a rollback restores it anyway.
    pub fn take_field(&mut self, index: u32) -> u64 {
        let shape = self.field_shape(index);
        let noted = self.is_noted(index);
        let Some(place) = self.fields.get_mut(index as usize) else { return 0 };
        let value = std::mem::take(place);
        if !noted {
            // The log holds one count, the caller the other.
            retain(value, shape);
            self.undo.push((index, value));
        }
        value
    }

    /// Messages change few fields: a scan beats a table.
    fn is_noted(&self, index: u32) -> bool {
        self.undo.iter().any(|&(noted, _)| noted == index)
    }

    /// The message ended well: its changes stay.
    pub fn commit(&mut self) {
        while let Some((index, old)) = self.undo.pop() {
            release(old, self.field_shape(index));
        }
    }

    /// The message faulted: its changes go.
    pub fn roll_back(&mut self) {
        while let Some((index, old)) = self.undo.pop() {
            let shape = self.field_shape(index);
            if let Some(place) = self.fields.get_mut(index as usize) {
                release(std::mem::replace(place, old), shape);
            }
        }
    }

    /// Parameters and ports, for the initialisers.
    #[must_use]
    pub fn inputs(&self) -> Vec<Owned> {
        let inputs = self.kind.input_fields().iter().zip(&self.fields);
        inputs.map(|(field, &value)| Owned::retained(value, field.shape)).collect()
    }

    /// Fills the state, from the initialisers.
    pub fn set_state(&mut self, state: Vec<Owned>) {
        self.commit();
        let first = self.kind.inputs as usize;
        for (offset, value) in state.into_iter().enumerate() {
            let index = first + offset;
            let shape = self.kind.fields.get(index).map_or(ShapeId::UNIT, |field| field.shape);
            if let Some(place) = self.fields.get_mut(index) {
                release(std::mem::replace(place, value.into_word()), shape);
            }
        }
        self.is_ready = true;
    }

    /// The same agent under a new definition, with fields in its order. What the new one does not have is dropped.
    pub fn adapt(&mut self, kind: Arc<AgentType>, fields: Vec<Owned>) {
        self.commit();
        let old = std::mem::take(&mut self.fields);
        for (value, field) in old.into_iter().zip(&self.kind.fields) {
            release(value, field.shape);
        }
        self.fields = fields.into_iter().map(Owned::into_word).collect();
        self.kind = kind;
    }

    /// A field by name and shape, with one more holder.
    #[must_use]
    pub fn named(&self, name: &str, shape: ShapeId) -> Option<Owned> {
        let fields = self.kind.fields.iter().zip(&self.fields);
        let mut found = fields.filter(|(field, _)| &*field.name == name && field.shape == shape);
        found.next().map(|(_, &value)| Owned::retained(value, shape))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.roll_back();
        for (&value, field) in self.fields.iter().zip(&self.kind.fields) {
            release(value, field.shape);
        }
    }
}
