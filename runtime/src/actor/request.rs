//! Sending: requests that give a Future, signals that give nothing, and waiting for the reply.
//!
//! Never: copies a payload; what somebody still holds of it is marked as shared.

use crate::actor::deadlock::On;
use crate::actor::kind::{AgentType, Priority, TypeCell};
use crate::actor::mailbox::Pushed;
use crate::actor::message::Message;
use crate::actor::queues::Rank;
use crate::actor::reference::AgentRef;
use crate::actor::selector::Selector;
use crate::actor::slab::Slot;
use crate::context::{Cx, Serving};
use crate::coord::work::Work;
use crate::fault::{Fault, Faulted, code};
use crate::telemetry::event::{Actor, Kind, MessageId};
use crate::value::native;
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use crate::world::World;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The mailbox was above high water with this many messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backpressure(pub u32);

/// What is told of a message that is in its mailbox.
pub(crate) struct Posted {
    id: MessageId,
    selector: Selector,
    level: Priority,
    sent_ns: u64,
}

impl Posted {
    pub(crate) fn of(message: &Message) -> Self {
        let level = match message.rank {
            Rank::Alert => Priority::High,
            Rank::Level(level) => level,
        };
        Self { id: message.id, selector: message.selector, level, sent_ns: message.sent_ns }
    }
}

impl Cx {
    /// `agent.behavior(args)`: gives a Future word of shape `future`. Suspends while the mailbox is above high water.
    pub fn request(
        &mut self,
        agent: u64,
        selector: Selector,
        payload: Vec<Owned>,
        future: ShapeId,
    ) -> Result<u64, Faulted> {
        let work = self.ask(agent, selector, payload)?;
        Ok(native::native(future, work))
    }

    /// As `request`, giving the reply slot itself.
    pub fn ask(
        &mut self,
        agent: u64,
        selector: Selector,
        payload: Vec<Owned>,
    ) -> Result<Arc<Work>, Faulted> {
        let name = selector.name();
        let work = Work::new(name, self.audience.clone(), self.work.as_ref(), agent);
        let limits = self.limits.clone();
        let message = self.message(agent, selector, payload)?;
        let message = Box::new(Message { reply: Some(Arc::clone(&work)), limits, ..message });
        self.send_waiting(agent, message)?;
        Ok(work)
    }

    /// `@signal`: never waits.
    pub fn signal(
        &mut self,
        agent: u64,
        selector: Selector,
        payload: Vec<Owned>,
    ) -> Result<Result<(), Backpressure>, Faulted> {
        if self.is_holding() {
            self.hold_message(agent, selector, payload)?;
            return Ok(Ok(()));
        }
        let message = Box::new(self.message(agent, selector, payload)?);
        let world = Arc::clone(&self.world);
        let Some(to) = AgentRef::unpack(agent) else { return Ok(Ok(())) };
        let Some(slot) = world.agents().slot(to.slot) else { return Ok(Ok(())) };
        let posted = Posted::of(&message);
        match slot.mailbox.push(to.generation, message, None) {
            Pushed::Queued { schedule } => {
                self.sent(to, &posted, schedule);
                Ok(Ok(()))
            }
            Pushed::Full(_, waiting) => Ok(Err(Backpressure(waiting))),
            // As a letter to someone who moved away: the sender cannot know.
            Pushed::Gone(_) => Ok(Ok(())),
        }
    }

    /// A signal of a speculative function (L-111). A mistake is found here; for room in the mailbox it waits when it is sent.
    fn hold_message(
        &mut self,
        agent: u64,
        selector: Selector,
        payload: Vec<Owned>,
    ) -> Result<(), Faulted> {
        let payload = self.all_crossing(payload)?;
        self.rank_for(agent, selector, &payload)?;
        self.hold_back(Box::new(move |cx| {
            let message = Box::new(cx.message(agent, selector, payload)?);
            cx.send_waiting(agent, message)
        }));
        Ok(())
    }

    /// Waits for the outcome of a Future word and gives its value, owned; re-raises its Fault.
    pub fn await_future(&mut self, future: u64) -> Result<Owned, Faulted> {
        let Some(work) = native::payload::<Work>(future) else {
            self.fail(code::INTERNAL, "awaited something that is no Future");
            return Err(Faulted);
        };
        self.await_work(&work)
    }

    pub fn await_work(&mut self, work: &Arc<Work>) -> Result<Owned, Faulted> {
        if work.is_finished()
            && let Some(outcome) = work.peek()
        {
            return self.settle(outcome);
        }
        self.may_suspend()?;
        let waker = self.waker();
        let outcome = loop {
            if let Some(outcome) = work.poll(&waker) {
                break Ok(outcome);
            }
            let on = On::Reply(Arc::clone(work));
            let waiting = self.begin_waiting(work.performer(), on);
            if waiting.and_then(|()| self.sleep_once()).is_err() {
                break Err(Faulted);
            }
        };
        self.stop_waiting();
        match outcome {
            Ok(outcome) => self.settle(outcome),
            Err(Faulted) => {
                work.forget_waiter(&waker);
                Err(Faulted)
            }
        }
    }

    fn settle(&mut self, outcome: Result<Owned, Box<Fault>>) -> Result<Owned, Faulted> {
        outcome.map_err(|fault| {
            self.raise(fault);
            Faulted
        })
    }

    pub(crate) fn message(
        &mut self,
        agent: u64,
        selector: Selector,
        payload: Vec<Owned>,
    ) -> Result<Message, Faulted> {
        let payload = self.all_crossing(payload)?;
        let rank = self.rank_for(agent, selector, &payload)?;
        Ok(Message {
            id: self.world.telemetry().next_message(self.world.scheduler()),
            cause: self.serving.message,
            born: self.born(),
            sender: self.serving.agent,
            selector,
            payload,
            reply: None,
            limits: None,
            track: self.audience.track.as_ref().and_then(|track| track.child()),
            rank,
            sent_ns: self.world.clock().monotonic_ns(),
            relay: None,
        })
    }

    /// Looks the behavior up in the receiver's current code; a message it does not have is R0901 here, at the sender.
    pub(crate) fn rank_for(
        &mut self,
        agent: u64,
        selector: Selector,
        payload: &[Owned],
    ) -> Result<Rank, Faulted> {
        let to = AgentRef::unpack(agent);
        let found = to.and_then(|to| self.world.agents().slot(to.slot)?.kind_of(to));
        // A stopped agent has no code: the reply will say so.
        let Some((kind, cell)) = found else { return Ok(Rank::Level(Priority::Normal)) };
        let Some(rank) = rank_of(&kind, &cell, selector, payload) else {
            let (agent, name) = (&kind.name, selector.name());
            self.fail(
                code::BROKEN_DEFINITION,
                format!("`{agent}` has no behavior `{name}` with these parameters"),
            );
            return Err(Faulted);
        };
        Ok(rank)
    }

    fn send_waiting(&mut self, agent: u64, message: Box<Message>) -> Result<(), Faulted> {
        let world = Arc::clone(&self.world);
        let to = AgentRef::unpack(agent);
        let place = to.and_then(|to| Some((to, world.agents().slot(to.slot)?)));
        let Some((to, slot)) = place else {
            refuse(*message, "the agent", None);
            return Ok(());
        };
        let posted = Posted::of(&message);
        let mut held = Some(message);
        let mut waited = false;
        let result = loop {
            let Some(message) = held.take() else { break Ok(()) };
            match slot.mailbox.push(to.generation, message, Some(&self.waker())) {
                Pushed::Queued { schedule } => {
                    self.sent(to, &posted, schedule);
                    break Ok(());
                }
                Pushed::Gone(message) => {
                    refuse(*message, "the agent", slot.failure(to.generation));
                    break Ok(());
                }
                Pushed::Full(message, _) => held = Some(message),
            }
            waited = true;
            let waiting = self.begin_waiting(agent, On::Room(self.waker()));
            if waiting.and_then(|()| self.sleep_once()).is_err() {
                break Err(Faulted);
            }
        };
        if waited {
            self.stop_waiting();
            slot.mailbox.forget_waiter(&self.waker());
        }
        result
    }

    /// A context outside any coroutine is as old as now.
    fn born(&self) -> u64 {
        match self.serving.born {
            0 => self.world.generation(),
            born => born,
        }
    }

    pub(crate) fn sent(&self, to: AgentRef, posted: &Posted, schedule: bool) {
        self.world.sent(&self.serving, self.own_slot(), to, posted, schedule);
    }
}

impl World {
    /// A message is in its mailbox: counts and traces it for the sender, and schedules the receiver.
    pub(crate) fn sent(
        &self,
        sender: &Serving,
        own: Option<&Slot>,
        to: AgentRef,
        posted: &Posted,
        schedule: bool,
    ) {
        if let Some(own) = own {
            own.sent.fetch_add(1, Relaxed);
        }
        if self.telemetry().is_on()
            && let Some(about) = self.agents().slot(to.slot).and_then(Slot::about)
        {
            let events = [
                (Kind::Cause, sender.actor, sender.message),
                (Kind::Send, about.actor, posted.id),
                (Kind::Name, Actor::new(posted.selector.0), posted.id),
            ];
            self.telemetry().record_all(self.scheduler(), &events);
        }
        if schedule {
            self.scheduler().push_message(to, posted.level, posted.sent_ns);
        }
    }
}

/// As [`rank_in`] for the code an agent has or takes next.
pub(crate) fn rank_of(
    kind: &AgentType,
    cell: &TypeCell,
    selector: Selector,
    payload: &[Owned],
) -> Option<Rank> {
    let newer = || cell.current().filter(|newer| newer.version != kind.version);
    rank_in(kind, selector, payload).or_else(|| rank_in(newer()?.as_ref(), selector, payload))
}

/// Where a message stands in the mailbox, if the type has a behavior for it.
fn rank_in(kind: &AgentType, selector: Selector, payload: &[Owned]) -> Option<Rank> {
    let behavior = kind.behavior(selector)?;
    let shapes = payload.iter().map(Owned::shape);
    if !shapes.eq(behavior.params.iter().map(|param| param.shape)) {
        return None;
    }
    if behavior.attributes.is_alert {
        return Some(Rank::Alert);
    }
    Some(Rank::Level(behavior.attributes.priority.unwrap_or(kind.priority)))
}

/// Answers a message that will not be handled: with why its agent never began, or that it stopped.
pub(crate) fn refuse(message: Message, who: &str, why: Option<Box<Fault>>) {
    if let Some(reply) = message.reply {
        let stopped = || Fault::new(code::AGENT_STOPPED, format!("{who} has stopped"));
        reply.finish(Err(why.unwrap_or_else(|| Box::new(stopped()))));
    }
}
