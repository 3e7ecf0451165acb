//! Asking a person for more money before a call that a limit cannot cover (L-94).
//!
//! The call waits where it is: its earlier rounds are neither repeated nor paid again. Never: raises a limit that does not
//! say `ask`, or without a record of who did.

use crate::builtin::human::amount;
use crate::context::Cx;
use crate::context::person::Pauses;
use crate::context::sink::{Answer, Audience, Emission, Question, Stream};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::lane::error::LaneError;
use crate::lane::typed::{LaneServices, TypedCall, on_disk};
use crate::ledger::error::{Exceeded, LedgerError};
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{Need, QuotaAction};
use crate::ledger::record::CallFacts;
use crate::ledger::reservation::Reservation;
use serde_json::json;
use std::sync::Arc;

/// The person behind the cell a call is made for.
#[derive(Clone)]
pub struct Person {
    audience: Audience,
    pauses: Option<Pauses>,
    name: Arc<str>,
}

impl Default for Person {
    /// Nobody.
    fn default() -> Self {
        Self { audience: Audience::nobody(), pauses: None, name: "".into() }
    }
}

impl Person {
    #[must_use]
    pub fn of(cx: &Cx) -> Self {
        let name = match cx.world.outside().person.as_str() {
            "" => "the person at the session".into(),
            name => name.into(),
        };
        Self { audience: cx.audience.clone(), pauses: Some(cx.pauses()), name }
    }

    /// Limits of time wait for the answer; giving this up takes the question back.
    async fn ask(&self, prompt: String) -> Answer {
        let _paused = self.pauses.as_ref().map(Pauses::begin);
        let (question, answer) = Question::of_call(prompt);
        self.audience.ask(question);
        answer.await.unwrap_or_else(|_| Err("the question was not answered".to_owned()))
    }

    fn tell(&self, text: String) {
        self.audience.emit(Emission::Text { stream: Stream::Err, text });
    }
}

/// Holds what the call needs, asking for more where a limit says so.
pub async fn reserve(
    services: &LaneServices,
    call: &TypedCall,
    need: Need,
    facts: CallFacts,
) -> Result<Reservation, LaneError> {
    let reserve = || services.ledger.reserve(&call.limits, need, facts.clone());
    if let Done(result) = asks(reserve()) {
        return Ok(result?);
    }
    let _turn = services.ledger.one_question().await;
    loop {
        // What was granted while this call waited for its turn may be enough.
        match asks(reserve()) {
            Done(result) => return Ok(result?),
            Ask(exceeded) => more(services, call, *exceeded, &facts).await?,
        }
    }
}

enum Held {
    Done(Result<Reservation, LedgerError>),
    Ask(Box<Exceeded>),
}
use Held::{Ask, Done};

fn asks(result: Result<Reservation, LedgerError>) -> Held {
    match result {
        Err(LedgerError::Exceeded(exceeded)) if exceeded.on_exceed == QuotaAction::Ask => {
            Ask(exceeded)
        }
        other => Done(other),
    }
}

/// One question, and the grant that was the answer.
async fn more(
    services: &LaneServices,
    call: &TypedCall,
    exceeded: Exceeded,
    facts: &CallFacts,
) -> Result<(), LaneError> {
    let inputs = json!({
        "limit": exceeded.limit_name,
        "limit_micro_usd": exceeded.limit.micros(),
        "spent_micro_usd": exceeded.settled.micros(),
        "estimate_micro_usd": exceeded.estimate.micros(),
    });
    let pending = services.journal.begin("human.grant", Fingerprint::of_json(&inputs));
    let granted = match answered(&call.person, &exceeded, facts).await {
        Ok(granted) => granted,
        Err(why) => {
            pending.failed(&why);
            let refused = Exceeded { refused: Some(why), ..exceeded };
            return Err(LedgerError::Exceeded(Box::new(refused)).into());
        }
    };
    pending.done(Payload::free(json!({ "granted_micro_usd": granted.micros() })));
    let Some(node) = services.ledger.limit_at(&call.limits, exceeded.at) else { return Ok(()) };
    let (ledger, by) = (Arc::clone(&services.ledger), Arc::clone(&call.person.name));
    on_disk(services.clock.as_ref(), move || ledger.grant(&node, granted, &by)).await?;
    let Person { name, .. } = &call.person;
    call.person.tell(format!("{granted} more for {}, granted by {name}\n", exceeded.limit_name));
    Ok(())
}

/// How much is granted, or why nothing is.
async fn answered(
    person: &Person,
    exceeded: &Exceeded,
    facts: &CallFacts,
) -> Result<MicroUsd, String> {
    let question = question(exceeded, facts);
    let mut prompt = question.clone();
    loop {
        let line = person.ask(prompt).await?;
        match read(&line, exceeded.missing()) {
            Some(Ok(granted)) => return Ok(granted),
            Some(Err(why)) => return Err(why),
            None => prompt = format!("`{}` is no answer here.\n{question}", line.trim()),
        }
    }
}

fn question(exceeded: &Exceeded, facts: &CallFacts) -> String {
    let Exceeded { limit_name, limit, settled, reserved, estimate, .. } = exceeded;
    let mut text = format!("{limit_name} cannot cover the next call");
    if !facts.agent.is_empty() {
        text.push_str(&format!(" of {}", facts.agent));
    }
    text.push_str(&format!(" on the lane {}.\n", facts.lane));
    text.push_str(&format!("  limit {limit}, spent {settled}"));
    if *reserved > MicroUsd::ZERO {
        text.push_str(&format!(", held by calls under way {reserved}"));
    }
    text.push_str(&format!(", this call up to {estimate}\n"));
    let missing = exceeded.missing();
    text.push_str(&format!("Grant {missing} more? (yes, another amount, or no and why) "));
    text
}

/// `yes`, an amount, or `no` with whatever follows it.
fn read(line: &str, missing: MicroUsd) -> Option<Result<MicroUsd, String>> {
    let line = line.trim();
    if let Some(amount) = amount(line) {
        return (amount > MicroUsd::ZERO).then_some(Ok(amount));
    }
    let end = line.find(|c: char| !c.is_alphabetic()).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    match word.to_ascii_lowercase().as_str() {
        "yes" | "y" if rest.is_empty() => Some(Ok(missing)),
        "no" | "n" => Some(Err(rest.trim_start_matches([',', ':', ' ']).trim_end().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::ledger::money::MicroUsd;

    #[test]
    fn an_answer_is_yes_an_amount_or_no() {
        let read = |line| read(line, MicroUsd(7));
        assert_eq!(read(" yes "), Some(Ok(MicroUsd(7))));
        assert_eq!(read("$0.50"), Some(Ok(MicroUsd(500_000))));
        assert_eq!(read("no, enough"), Some(Err("enough".to_owned())));
        for unclear in ["", "0", "-1", "yes $5", "all", "$"] {
            assert_eq!(read(unclear), None, "{unclear}");
        }
    }
}
