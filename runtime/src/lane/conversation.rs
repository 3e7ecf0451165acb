//! A typed call from its question to its answer: rounds, each a reply that is taken, asks for tools, or does not fit.
//!
//! It stops after every round, because tools are functions of the program and run where the program runs. A refused reply
//! goes back to the model with what is wrong (L-122). Never: an answer that was not checked, a call of a tool.

use crate::lane::error::{LaneError, Rejected};
use crate::lane::registry::Decision;
use crate::lane::request::{Message, Problem, Role, ToolCall};
use crate::lane::taped::{is_replayed, taped};
use crate::lane::typed::{Answer, LaneServices, Paid, TypedCall, accept, is_kept, repair_prompt};
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitContext, LimitNode, QuotaAction};
use serde_json::Value;
use std::sync::Arc;

/// A call under way. Dropping it ends the call; what was charged stays charged.
pub struct Conversation {
    services: LaneServices,
    call: TypedCall,
    decision: Decision,
    messages: Vec<Message>,
    /// Without the replies that did not fit.
    exchange: Vec<Message>,
    rejected: Vec<Rejected>,
    steps: u32,
    sums: Sums,
    notes: Vec<String>,
}

/// How a round ended.
pub enum Turn {
    Answered(Box<Answer>),
    /// The model wants these; [`Conversation::tools_gave`] goes on.
    Tools(Vec<ToolCall>),
    /// The reply does not fit, and the model will be told.
    Rejected,
}

impl Conversation {
    pub fn begin(services: &LaneServices, mut call: TypedCall) -> Result<Self, LaneError> {
        if let Some(max) = call.max_cost {
            call.limits = Some(LimitNode::lexical(call.limits.take(), max, QuotaAction::Stop));
        }
        let decision = match services.lanes.decide(&call.want, &call.messages, call.form.as_ref()) {
            Ok(decision) => decision,
            // It may have been recorded on a machine that has other lanes.
            Err(_) if is_replayed(&call) => Decision::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            services: services.clone(),
            decision,
            messages: call.messages.clone(),
            exchange: call.messages.last().cloned().into_iter().collect(),
            rejected: Vec::new(),
            steps: 0,
            sums: Sums::default(),
            notes: Vec::new(),
            call,
        })
    }

    /// The limits of the call, `max_cost` included: tools run within them.
    #[must_use]
    pub fn limits(&self) -> &LimitContext {
        &self.call.limits
    }

    /// What a person should know of the rounds since the last look.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// One round.
    pub async fn turn(&mut self) -> Result<Turn, LaneError> {
        if let Some(stream) = &self.call.stream {
            stream.next_round();
        }
        let paid = taped(&self.services, &self.call, &self.decision, &self.messages).await?;
        self.count(&paid);
        if !paid.reply.calls.is_empty() && !self.call.want.tools.is_empty() {
            return self.wants_tools(&paid);
        }
        match accept(&paid.reply.text, self.call.form.as_ref()) {
            Ok(value) => {
                self.keep(&paid);
                Ok(Turn::Answered(Box::new(self.answer(paid, value))))
            }
            Err(problems) => self.reject(paid, problems),
        }
    }

    fn wants_tools(&mut self, paid: &Paid) -> Result<Turn, LaneError> {
        self.steps += 1;
        if self.steps > self.call.max_steps {
            let lane = Arc::clone(&paid.row.facts.lane);
            return Err(LaneError::TooManySteps { lane, most: self.call.max_steps });
        }
        self.keep(paid);
        let calls = paid.reply.calls.clone();
        let said =
            Message { calls: calls.clone(), ..Message::new(Role::Assistant, &*paid.reply.text) };
        self.say(said);
        Ok(Turn::Tools(calls))
    }

    /// What the tools of the last round gave, an answer for each call.
    pub fn tools_gave(&mut self, answers: Vec<Message>) {
        answers.into_iter().for_each(|answer| self.say(answer));
    }

    fn say(&mut self, message: Message) {
        self.exchange.push(message.clone());
        self.messages.push(message);
    }

    fn reject(&mut self, paid: Paid, problems: Vec<Problem>) -> Result<Turn, LaneError> {
        self.messages.push(Message::new(Role::Assistant, &*paid.reply.text));
        self.messages.push(Message::new(Role::User, repair_prompt(&problems)));
        self.rejected.push(Rejected { text: paid.reply.text, problems });
        if self.rejected.len() > self.call.repair as usize {
            let replies = std::mem::take(&mut self.rejected);
            return Err(LaneError::RepairExhausted { lane: paid.row.facts.lane, replies });
        }
        Ok(Turn::Rejected)
    }

    /// A reply that was taken may stand in for the next one to the same question.
    fn keep(&self, paid: &Paid) {
        if is_kept(&self.services, &self.call) && !paid.row.facts.cached {
            self.services.replies.put(paid.fingerprint, &paid.reply);
        }
    }

    fn count(&mut self, paid: &Paid) {
        self.sums.add(paid);
        let row = &paid.row;
        self.notes.extend(
            paid.alerts.iter().map(|a| format!("alert: {} ({} was passed)", a.text, a.limit)),
        );
        if row.is_overcharged() {
            self.notes.push(format!(
                "W0803: lane {} charged {} for a call for which {} was reserved",
                row.facts.lane, row.cost, row.reserved
            ));
        }
    }

    fn answer(&mut self, paid: Paid, value: Value) -> Answer {
        self.exchange.push(Message::new(Role::Assistant, &*paid.reply.text));
        let sums = std::mem::take(&mut self.sums);
        Answer {
            text: paid.reply.text,
            value,
            lane: paid.row.facts.lane,
            model: paid.reply.model,
            made_up: paid.made_up,
            tokens_in: sums.tokens_in,
            tokens_out: sums.tokens_out,
            cost: sums.cost,
            latency_ns: sums.latency_ns,
            repaired: std::mem::take(&mut self.rejected),
            exchange: std::mem::take(&mut self.exchange),
            decision: self.decision.clone(),
        }
    }
}

/// Sums over the rounds of one call.
#[derive(Default)]
struct Sums {
    tokens_in: u64,
    tokens_out: u64,
    cost: MicroUsd,
    latency_ns: u64,
}

impl Sums {
    fn add(&mut self, paid: &Paid) {
        self.tokens_in += paid.row.tokens_in;
        self.tokens_out += paid.row.tokens_out;
        self.cost = self.cost.checked_add(paid.row.cost).unwrap_or(MicroUsd::MAX);
        self.latency_ns = self.latency_ns.saturating_add(paid.row.latency_ns);
    }
}

/// A call without tools, from beginning to end.
pub async fn call(services: &LaneServices, call: TypedCall) -> Result<Answer, LaneError> {
    let mut conversation = Conversation::begin(services, call)?;
    loop {
        match conversation.turn().await? {
            Turn::Answered(answer) => return Ok(*answer),
            Turn::Rejected => {}
            Turn::Tools(calls) => {
                let none = |call: &ToolCall| Message::answer(call, "there is no such tool");
                conversation.tools_gave(calls.iter().map(none).collect());
            }
        }
    }
}
