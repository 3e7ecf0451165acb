//! The echo lane: deterministic, offline, made up (L-128). The default of tests, and what answers while nothing better is
//! configured; its answers are marked wherever they are shown.

use crate::clock::Clock;
use crate::lane::first_value::{first_value, sample};
use crate::lane::pace::pass;
use crate::lane::price::Price;
use crate::lane::request::{
    Form, LaneCard, Message, Provider, Reply, Request, Role, SendError, Sending, Usage,
};
use crate::ledger::money::MicroUsd;
use crate::rng::Seed;
use serde_json::Value;
use std::sync::Arc;

const LATENCY_NS: u64 = 5_000_000;
const TEXT_CHARS: usize = 80;
const SAMPLES: u64 = 1_000;

#[derive(Debug)]
pub struct Echo {
    card: LaneCard,
    clock: Arc<dyn Clock>,
    seed: Seed,
}

impl Echo {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, seed: Seed) -> Self {
        let card = LaneCard {
            name: "echo".into(),
            model: "echo".into(),
            price: Price::flat(MicroUsd(1_000_000), MicroUsd(2_000_000)),
            context_tokens: u64::MAX,
            latency_ns: LATENCY_NS,
            made_up: true,
        };
        Self { card, clock, seed: seed.fork("echo") }
    }

    async fn answer(&self, request: &Request) -> Result<Reply, SendError> {
        pass(self.clock.as_ref(), LATENCY_NS).await;
        let prompt = rendered(&request.messages);
        let asked = first_question(&request.messages);
        let text = match (given_line(asked), &request.form) {
            (Some(json), _) => json.to_owned(),
            (None, Some(form)) => self.made_up(form).to_string(),
            (None, None) => format!("echo: {prompt}").chars().take(TEXT_CHARS).collect(),
        };
        let usage = Usage {
            input: self.count_tokens(&request.messages, None),
            output: tokens(text.len()),
            ..Usage::default()
        };
        Ok(Reply {
            text,
            model: Arc::clone(&self.card.model),
            usage,
            billed: None,
            latency_ns: Some(LATENCY_NS),
            request_id: None,
        })
    }

    /// The first value, or if that breaks an invariant the first sample that does not.
    fn made_up(&self, form: &Form) -> Value {
        let first = first_value(form.shape);
        if (form.check)(&first).is_empty() {
            return first;
        }
        let mut rng = self.seed.rng();
        let good = (0..SAMPLES)
            .map(|_| sample(form.shape, &mut rng))
            .find(|value| (form.check)(value).is_empty());
        good.unwrap_or(first)
    }
}

impl Provider for Echo {
    fn card(&self) -> &LaneCard {
        &self.card
    }

    fn count_tokens(&self, messages: &[Message], _: Option<&Form>) -> u64 {
        tokens(rendered(messages).len())
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a> {
        Box::pin(self.answer(request))
    }
}

/// The prompt as one text: the messages' texts, a line each.
fn rendered(messages: &[Message]) -> String {
    let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    texts.join("\n")
}

/// The question the conversation began with: repair rounds only add to it.
fn first_question(messages: &[Message]) -> &str {
    messages.iter().find(|m| m.role == Role::User).map_or("", |m| m.text.as_str())
}

/// What stands on a line `echo: <json>`, as it is written there. An object or list may be written as badly as models
/// do, so that reading and repair can be tried out.
fn given_line(prompt: &str) -> Option<&str> {
    let given = prompt.lines().filter_map(|line| line.trim_start().strip_prefix("echo:"));
    given
        .map(str::trim)
        .find(|text| text.starts_with(['{', '[']) || serde_json::from_str::<Value>(text).is_ok())
}

/// One token is four bytes, rounded up.
fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::Echo;
    use crate::clock::{Clock, VirtualClock};
    use crate::lane::request::{Form, Message, Problem, Provider, Reply, Request, Role};
    use crate::ledger::money::MicroUsd;
    use crate::rng::Seed;
    use crate::value::shape::ShapeId;
    use serde_json::Value;
    use std::sync::Arc;

    async fn ask(prompt: &str, form: Option<Form>) -> (Reply, Arc<VirtualClock>) {
        let clock = Arc::new(VirtualClock::default());
        let echo = Echo::new(Arc::clone(&clock) as Arc<dyn Clock>, Seed(7));
        let message = Message { role: Role::User, text: prompt.to_owned() };
        let request = Request { messages: vec![message], form, max_tokens: 512, temperature: 0.0 };
        (echo.send(&request).await.unwrap(), clock)
    }

    fn form(shape: ShapeId, check: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Form {
        let problem = || Problem { path: "$".into(), message: "broken".into() };
        let check = move |v: &Value| if check(v) { vec![] } else { vec![problem()] };
        Form { shape, check: Arc::new(check) }
    }

    #[tokio::test]
    async fn text_is_the_prompt_cut_to_80_characters() {
        let (reply, clock) = ask("hello", None).await;
        assert_eq!(reply.text, "echo: hello");
        assert_eq!((reply.usage.tokens_in(), reply.usage.tokens_out()), (2, 3));
        assert_eq!(clock.monotonic_ns(), 5_000_000);
        let (long, _) = ask(&"é".repeat(200), None).await;
        assert_eq!(long.text.chars().count(), 80);
    }

    #[tokio::test]
    async fn a_typed_answer_is_the_first_value_that_holds_the_invariants() {
        let (reply, _) = ask("p", Some(form(ShapeId::INT, |_| true))).await;
        assert_eq!(reply.text, "0");
        let positive = |v: &Value| v.as_i64().is_some_and(|n| n > 10);
        let (reply, _) = ask("p", Some(form(ShapeId::INT, positive))).await;
        let (again, _) = ask("other", Some(form(ShapeId::INT, positive))).await;
        assert!(reply.text.parse::<i64>().unwrap() > 10);
        assert_eq!(reply.text, again.text, "samples follow from the seed alone");
        let (hopeless, _) = ask("p", Some(form(ShapeId::INT, |_| false))).await;
        assert_eq!(hopeless.text, "0");
    }

    #[tokio::test]
    async fn a_line_of_the_prompt_may_say_the_answer() {
        let prompt = "What now?\necho: {\"kind\": \"Buy\",  \"quantity\": 3}\nthanks";
        let (reply, _) = ask(prompt, Some(form(ShapeId::INT, |_| true))).await;
        assert_eq!(reply.text, "{\"kind\": \"Buy\",  \"quantity\": 3}");
        let (reply, _) = ask("echo: {kind: Hold,}", Some(form(ShapeId::INT, |_| true))).await;
        assert_eq!(reply.text, "{kind: Hold,}");
        let (reply, _) = ask("echo: not json", None).await;
        assert_eq!(reply.text, "echo: echo: not json");
    }

    #[test]
    fn the_seeds_prompt_has_17_tokens() {
        let echo = Echo::new(Arc::new(VirtualClock::default()), Seed(0));
        let text = r#"Based on {"trend":"Up","volatility":0.2} and [], should we trade?"#;
        assert_eq!(text.len(), 65);
        let messages = [Message { role: Role::User, text: text.to_owned() }];
        assert_eq!(echo.count_tokens(&messages, None), 17);
        assert_eq!(echo.card().price.worst_case(17, 512), MicroUsd(1_041));
    }
}
