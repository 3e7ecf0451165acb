//! Spawning and stopping agents.
//!
//! Never: runs an initialiser in the spawner: the agent's first run does, on a coroutine of its own.

use crate::actor::activation;
use crate::actor::instance::Instance;
use crate::actor::kind::TypeId;
use crate::actor::mailbox::Marks;
use crate::actor::message::Message;
use crate::actor::reference::AgentRef;
use crate::actor::request::refuse;
use crate::actor::slab::About;
use crate::actor::supervisor::Supervise;
use crate::context::{Cx, Serving};
use crate::fault::{Faulted, code};
use crate::sched::coroutine::Job;
use crate::sched::queue::Runnable;
use crate::telemetry::event::Kind;
use crate::value::owned::Owned;
use crate::world::World;
use std::sync::Arc;

impl Cx {
    /// `@spawn`: a new agent of the type's current version, with its parameters and ports.
    pub fn spawn(
        &mut self,
        kind: TypeId,
        inputs: Vec<Owned>,
        supervise: Supervise,
    ) -> Result<AgentRef, Faulted> {
        let inputs = self.all_crossing_whole(inputs)?;
        let world = Arc::clone(&self.world);
        let cell = world.agent_types().cell(kind);
        let Some((cell, kind)) = cell.and_then(|cell| Some((cell.clone(), cell.current()?))) else {
            self.fail(code::BROKEN_DEFINITION, "the agent has no definition that checks");
            return Err(Faulted);
        };
        let limit = world.limits().agents;
        let Some(agent) = world.agents().reserve(limit) else {
            self.fail(code::AGENT_LIMIT, format!("more than {limit} agents"));
            return Err(Faulted);
        };
        let actor = world.telemetry().next_agent();
        let spawner = self.audience.child();
        let marks = Marks::of(kind.mailbox);
        let about = About {
            reference: agent,
            kind: Arc::clone(&kind),
            cell: Arc::clone(&cell),
            actor,
            spawner: spawner.clone(),
        };
        let instance = Instance::new(kind, cell, actor, spawner, supervise, inputs);
        world.agents().introduce(about);
        if let Some(slot) = world.agents().slot(agent.slot) {
            slot.put_instance(Box::new(instance));
            slot.mailbox.open(agent.generation, marks);
        }
        let event = (Kind::Spawn, actor, self.serving.message);
        world.telemetry().record_all(world.scheduler(), &[event]);
        world.scheduler().push(Runnable::Start(Job::Agent(agent)));
        Ok(agent)
    }

    /// `@stop`: after the current message. Asked again by another while that goes on, the message ends too; without effect
    /// on an agent that stopped.
    pub fn stop_agent(&mut self, agent: u64) {
        let Some(agent) = AgentRef::unpack(agent) else { return };
        let Some(slot) = self.world.agents().slot(agent.slot) else { return };
        if !slot.mailbox.is_stopping(agent.generation) {
            self.world.stop_agent(agent);
        } else if self.serving.agent != Some(agent)
            && let Some((kind, _)) = slot.kind_of(agent)
        {
            self.world.end_message(agent, &kind.name);
        }
    }
}

impl World {
    pub fn stop_agent(&self, agent: AgentRef) {
        let Some(slot) = self.agents().slot(agent.slot) else { return };
        if slot.mailbox.stop(agent.generation) {
            self.scheduler().push(Runnable::Start(Job::Agent(agent)));
        }
    }

    /// The end of an agent: what is queued is answered with R0704, who waits for room is let go, the place is free.
    pub(crate) fn retire(&self, agent: AgentRef, instance: Box<Instance>) {
        let Some(slot) = self.agents().slot(agent.slot) else { return };
        let (left, waiters, counts) = slot.mailbox.close();
        let who = format!("`{}`", instance.kind.name);
        for message in left {
            self.relay_left(&message, &instance);
            if let Some(reply) = message.reply.as_ref().filter(|_| self.scheduler().is_closing()) {
                reply.ignore();
            }
            refuse(*message, &who, slot.failure(agent.generation));
        }
        waiters.iter().for_each(crate::context::waker::Waker::wake);
        self.telemetry().record(
            self.scheduler(),
            Kind::Stop,
            instance.actor,
            crate::telemetry::event::MessageId::NONE,
        );
        self.telemetry().keep_name(instance.actor, Arc::clone(&instance.kind.name));
        self.remember_retired(instance.actor, &instance.kind.name, counts, slot);
        drop(instance);
        self.agents().forget(agent);
        self.agents().release(agent);
    }

    /// What the agent should have handed on, others get all the same.
    fn relay_left(&self, message: &Message, instance: &Instance) {
        if let Some(relay) = message.relay.as_ref().filter(|_| !self.scheduler().is_closing()) {
            let (name, actor) = (Arc::clone(&instance.kind.name), instance.actor);
            let teller = Serving {
                agent: None,
                name,
                actor,
                message: message.id,
                cause: message.cause,
                born: message.born,
            };
            self.relay(relay, &teller, None);
        }
    }

    /// When the world closes: every agent, whether its last run ended or not.
    pub(crate) fn retire_all(&self) {
        let all: Vec<AgentRef> =
            self.agents().tenants().map(|(about, _)| about.reference).collect();
        for agent in all {
            let instance = self.agents().slot(agent.slot).and_then(|slot| slot.take_instance());
            if let Some(instance) = instance {
                self.retire(agent, instance);
            }
        }
    }
}

/// Runs that hold an agent end here when it is to stop.
pub(crate) fn end(cx: &mut Cx, agent: AgentRef) {
    if let Some(instance) = activation::let_go(cx) {
        let world = Arc::clone(&cx.world);
        world.retire(agent, instance);
    }
}
