//! `@quorum`: one request to many agents, and the replies that decide (L-110).
//!
//! Never: waits longer than its timeout, also not for room in a mailbox; and never cancels a request that still may be
//! answered in time: after an early return the others finish unheard. The timeout ends what is still open, as any time limit
//! does.

use crate::actor::mailbox::Pushed;
use crate::actor::message::Message;
use crate::actor::reference::AgentRef;
use crate::actor::request::{Posted, refuse};
use crate::actor::selector::Selector;
use crate::builtin::large;
use crate::context::Cx;
use crate::coord::decision::Vote;
use crate::coord::work::{Outcome, Reason, Work};
use crate::fault::{Fault, Faulted, code};
use crate::sched::timer::Action;
use crate::value::owned::Owned;
use serde_json::json;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Some value has so many equal replies, or none can reach it any more.
    Agree,
    /// So many replies are there.
    Replies,
}

#[derive(Clone, Copy, Debug)]
pub struct Quorum {
    pub threshold: i64,
    pub timeout_ns: u64,
    pub until: Until,
}

/// One agent that was asked.
struct Voter {
    agent: u64,
    /// Not sent yet: its mailbox is above high water.
    unsent: Option<Box<Message>>,
    work: Arc<Work>,
    outcome: Option<Outcome>,
}

/// What the replies so far mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Wait,
    Enough,
    /// So many agents failed that the threshold is out of reach.
    Hopeless,
}

impl Cx {
    /// Gives the replies that are there when it is decided, in the order of the agents.
    pub fn quorum(
        &mut self,
        agents: &[u64],
        selector: Selector,
        payload: Vec<Owned>,
        quorum: &Quorum,
    ) -> Result<Vec<Owned>, Faulted> {
        let threshold = usize::try_from(quorum.threshold).unwrap_or(0);
        if threshold == 0 || threshold > agents.len() {
            let message =
                format!("a threshold of {} for {} agents", quorum.threshold, agents.len());
            self.fail(code::THRESHOLD, message);
            return Err(Faulted);
        }
        // Everything asked for hangs on this: the timeout cancels it as a whole.
        let all = Work::new("quorum".into(), self.audience.clone(), self.work.as_ref(), 0);
        let mut voters = self.voters(agents, selector, payload, &all)?;
        let until_ns = self.world.clock().monotonic_ns().saturating_add(quorum.timeout_ns);
        let wake = Action::Wake(self.waker());
        let timer = self.world.scheduler().set_timer(until_ns, wake);
        let decided = self.collect(&mut voters, threshold, quorum.until, until_ns);
        self.world.scheduler().timers().cancel(timer);
        let in_time = decided.is_ok_and(|(_, in_time)| in_time);
        self.leave(&mut voters, &all, in_time);
        self.note_votes(&voters);
        match decided {
            Ok((Verdict::Enough, _)) => Ok(voters.into_iter().filter_map(Voter::reply).collect()),
            Ok((verdict, _)) => self.no_quorum(&voters, threshold, verdict),
            Err(Faulted) => Err(Faulted),
        }
    }

    fn voters(
        &mut self,
        agents: &[u64],
        selector: Selector,
        payload: Vec<Owned>,
        all: &Arc<Work>,
    ) -> Result<Vec<Voter>, Faulted> {
        let payload = self.all_crossing_whole(payload)?;
        let mut voters = Vec::with_capacity(agents.len());
        for &agent in agents {
            let work = Work::new(selector.name(), self.audience.clone(), Some(all), agent);
            let message = self.message(agent, selector, payload.clone())?;
            let limits = self.limits.clone();
            let message = Message { reply: Some(Arc::clone(&work)), limits, ..message };
            voters.push(Voter { agent, unsent: Some(Box::new(message)), work, outcome: None });
        }
        Ok(voters)
    }

    /// What was decided, and whether before the timeout.
    fn collect(
        &mut self,
        voters: &mut [Voter],
        threshold: usize,
        until: Until,
        until_ns: u64,
    ) -> Result<(Verdict, bool), Faulted> {
        let waker = self.waker();
        loop {
            for voter in voters.iter_mut() {
                self.send_vote(voter);
                if voter.outcome.is_none() {
                    voter.outcome = voter.work.poll(&waker);
                }
            }
            match self.verdict(voters, threshold, until)? {
                Verdict::Wait => {}
                verdict => return Ok((verdict, true)),
            }
            if self.world.clock().monotonic_ns() >= until_ns {
                let replies = voters.iter().filter(|voter| voter.has_replied()).count();
                let enough = replies >= threshold;
                return Ok((if enough { Verdict::Enough } else { Verdict::Wait }, false));
            }
            self.sleep_once()?;
        }
    }

    /// Sends the request if there is room for it now.
    fn send_vote(&mut self, voter: &mut Voter) {
        let Some(message) = voter.unsent.take() else { return };
        let world = Arc::clone(&self.world);
        let place = AgentRef::unpack(voter.agent);
        let place = place.and_then(|to| Some((to, world.agents().slot(to.slot)?)));
        let Some((to, slot)) = place else { return refuse(*message, "the agent", None) };
        let posted = Posted::of(&message);
        match slot.mailbox.push(to.generation, message, Some(&self.waker())) {
            Pushed::Queued { schedule } => self.sent(to, &posted, schedule),
            Pushed::Gone(message) => refuse(*message, "the agent", slot.failure(to.generation)),
            Pushed::Full(message, _) => voter.unsent = Some(message),
        }
    }

    fn verdict(
        &mut self,
        voters: &[Voter],
        threshold: usize,
        until: Until,
    ) -> Result<Verdict, Faulted> {
        let replies: Vec<&Owned> = voters.iter().filter_map(Voter::value).collect();
        let open = voters.iter().filter(|voter| voter.outcome.is_none()).count();
        if replies.len() + open < threshold {
            return Ok(Verdict::Hopeless);
        }
        if until == Until::Replies {
            let enough = replies.len() >= threshold;
            return Ok(if enough { Verdict::Enough } else { Verdict::Wait });
        }
        let most = self.most_equal(&replies)?;
        let decided = most >= threshold || most + open < threshold;
        Ok(if decided { Verdict::Enough } else { Verdict::Wait })
    }

    /// How many of the replies are equal to each other, at the most.
    fn most_equal(&mut self, replies: &[&Owned]) -> Result<usize, Faulted> {
        let mut classes: Vec<(&Owned, usize)> = Vec::new();
        for &reply in replies {
            let mut known = None;
            for (at, (first, _)) in classes.iter().enumerate() {
                if large::equals(self, first.value(), reply.value(), reply.shape())? {
                    known = Some(at);
                    break;
                }
            }
            match known.and_then(|at| classes.get_mut(at)) {
                Some((_, count)) => *count += 1,
                None => classes.push((reply, 1)),
            }
        }
        Ok(classes.into_iter().map(|(_, count)| count).max().unwrap_or(0))
    }

    /// Takes back what was not sent and stops listening; the timeout, or whoever cancelled this, ends what is open.
    fn leave(&mut self, voters: &mut [Voter], all: &Work, in_time: bool) {
        let world = Arc::clone(&self.world);
        let waker = self.waker();
        for voter in voters.iter_mut().filter(|voter| voter.outcome.is_none()) {
            voter.work.forget_waiter(&waker);
            voter.work.ignore();
            if voter.unsent.take().is_some()
                && let Some(to) = AgentRef::unpack(voter.agent)
                && let Some(slot) = world.agents().slot(to.slot)
            {
                slot.mailbox.forget_waiter(&waker);
            }
        }
        if !in_time {
            world.cancel(all, &Reason::new(code::TIME, "the quorum did not wait any longer"));
        }
    }

    fn no_quorum(
        &mut self,
        voters: &[Voter],
        threshold: usize,
        verdict: Verdict,
    ) -> Result<Vec<Owned>, Faulted> {
        let replies = voters.iter().filter(|voter| voter.has_replied()).count();
        let faults: Vec<&Fault> = voters.iter().filter_map(Voter::fault).collect();
        let when = if verdict == Verdict::Wait { " in time" } else { "" };
        let mut message =
            format!("{replies} of {} agents replied{when}, {threshold} are needed", voters.len());
        if let Some(first) = faults.first() {
            message.push_str(&format!("; {} failed, the first with {first}", faults.len()));
        }
        let data = json!({
            "replies": replies,
            "threshold": threshold,
            "agents": voters.len(),
            "faults": faults.iter().map(|fault| fault.to_string()).collect::<Vec<_>>(),
        });
        self.raise(Box::new(Fault::new(code::QUORUM, message).with_data(data)));
        Err(Faulted)
    }

    /// The votes belong to the decision under way, if there is one.
    fn note_votes(&mut self, voters: &[Voter]) {
        let Some(decision) = &mut self.decision else { return };
        let world = &self.world;
        decision.votes.extend(voters.iter().map(|voter| {
            let about = AgentRef::unpack(voter.agent)
                .and_then(|agent| world.agents().slot(agent.slot)?.about());
            let by = about.map_or_else(
                || "an agent that has stopped".to_owned(),
                |about| format!("{}#{}", about.kind.name, about.actor.number()),
            );
            let said = match &voter.outcome {
                Some(Ok(reply)) => Ok(reply.show()),
                Some(Err(fault)) => Err(fault.to_string()),
                None => Err("no reply when it was decided".to_owned()),
            };
            Vote { by, said }
        }));
    }
}

impl Voter {
    fn value(&self) -> Option<&Owned> {
        self.outcome.as_ref()?.as_ref().ok()
    }

    fn reply(self) -> Option<Owned> {
        self.outcome?.ok()
    }

    fn has_replied(&self) -> bool {
        self.value().is_some()
    }

    fn fault(&self) -> Option<&Fault> {
        self.outcome.as_ref()?.as_ref().err().map(|fault| &**fault)
    }
}
