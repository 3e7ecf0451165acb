//! The echo lane: deterministic, offline, made up (L-128). The default of tests, and what answers while nothing better is
//! configured; its answers are marked wherever they are shown.

use crate::clock::Clock;
use crate::lane::first_value::{first_value, sample};
use crate::lane::pace::pass;
use crate::lane::price::Price;
use crate::lane::request::{
    Form, LaneCard, Message, Provider, Reply, Request, SendError, Sending, ToolCall, ToolSpec,
    Usage,
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
        Self::with(Self::card_named("echo"), clock, seed)
    }

    /// A lane that answers so under another name, price or length (`lane NAME { protocol: echo }`).
    #[must_use]
    pub fn with(card: LaneCard, clock: Arc<dyn Clock>, seed: Seed) -> Self {
        Self { card, clock, seed: seed.fork("echo") }
    }

    #[must_use]
    pub fn card_named(name: &str) -> LaneCard {
        LaneCard {
            name: name.into(),
            model: "echo".into(),
            price: Price::flat(MicroUsd(1_000_000), MicroUsd(2_000_000)),
            context_tokens: u64::MAX,
            latency_ns: LATENCY_NS,
            made_up: true,
        }
    }

    async fn answer(&self, request: &Request) -> Result<Reply, SendError> {
        let said = self.say(request);
        match &request.stream {
            Some(stream) if !said.text.is_empty() => {
                let pieces: Vec<&str> = said.text.split_inclusive(' ').collect();
                let mut passed_ns = 0;
                for (at, piece) in (1..).zip(&pieces) {
                    let due_ns = self.card.latency_ns * at / pieces.len() as u64;
                    pass(self.clock.as_ref(), due_ns - passed_ns).await;
                    passed_ns = due_ns;
                    stream.deliver(piece);
                }
            }
            _ => pass(self.clock.as_ref(), self.card.latency_ns).await,
        }
        let calls = said.calls.iter().map(|call| call.name.len() + call.arguments.len());
        let usage = Usage {
            input: self.count_tokens(&request.messages, None),
            output: tokens(said.text.len() + calls.sum::<usize>()),
            ..Usage::default()
        };
        Ok(Reply {
            text: said.text,
            calls: said.calls,
            model: Arc::clone(&self.card.model),
            usage,
            billed: None,
            latency_ns: Some(self.card.latency_ns),
            request_id: None,
        })
    }

    fn say(&self, request: &Request) -> Said {
        let question = request.messages.get(request.question).map_or("", |m| m.text.as_str());
        let lines = if request.tools.is_empty() { Vec::new() } else { tool_lines(question) };
        let later = request.messages.get(request.question..).unwrap_or_default();
        let asked = later.iter().filter(|message| !message.calls.is_empty()).count();
        if let Some((_, calls)) = lines.get(asked) {
            return Said { text: String::new(), calls: calls.clone() };
        }
        let is_tool_line = |line: &str| lines.iter().any(|(tool_line, _)| *tool_line == line);
        let text = match (given_line(question, is_tool_line), &request.form) {
            (Some(json), _) => json.to_owned(),
            (None, Some(form)) => self.made_up(form).to_string(),
            (None, None) => format!("echo: {question}").chars().take(TEXT_CHARS).collect(),
        };
        let text = within(text, request.max_tokens);
        Said { text, calls: Vec::new() }
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

    fn count_tools(&self, _: &[ToolSpec]) -> u64 {
        // L-128: only the rendered prompt counts.
        0
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a> {
        Box::pin(self.answer(request))
    }
}

/// The messages as one text, a line each.
fn rendered(messages: &[Message]) -> String {
    let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    texts.join("\n")
}

/// What the lane makes up for one request.
struct Said {
    text: String,
    calls: Vec<ToolCall>,
}

/// The lines `echo: {"tool": "name", "arguments": {..}}` of a question whose call offers tools: each is one round, in which
/// the lane asks for that tool, or for those of a list. The arguments may be wrong, so that refusals can be tried out.
fn tool_lines(question: &str) -> Vec<(&str, Vec<ToolCall>)> {
    let given = question.lines().filter_map(|line| line.trim_start().strip_prefix("echo:"));
    let mut count = 0;
    let lines = given.map(str::trim).filter_map(|line| {
        let wanted = match serde_json::from_str(line).ok()? {
            Value::Array(wanted) => wanted,
            one => vec![one],
        };
        let calls = wanted.iter().map(|wanted| {
            let name = wanted.get("tool")?.as_str()?;
            let arguments =
                wanted.get("arguments").map_or_else(|| "{}".to_owned(), Value::to_string);
            count += 1;
            Some(ToolCall { id: format!("call_{count}").into(), name: name.into(), arguments })
        });
        let calls = calls.collect::<Option<Vec<_>>>().filter(|calls| !calls.is_empty())?;
        Some((line, calls))
    });
    lines.collect()
}

/// What stands on a line `echo: <json>`, as it is written there. An object or list may be written as badly as models
/// do, so that reading and repair can be tried out.
fn given_line(prompt: &str, except: impl Fn(&str) -> bool) -> Option<&str> {
    let given = prompt.lines().filter_map(|line| line.trim_start().strip_prefix("echo:"));
    given
        .map(str::trim)
        .filter(|text| !except(text))
        .find(|text| text.starts_with(['{', '[']) || serde_json::from_str::<Value>(text).is_ok())
}

/// As much of the reply as `max_tokens` have room for: a model stops there, too, in the middle of a word.
fn within(mut text: String, max_tokens: u32) -> String {
    let room = usize::try_from(max_tokens).unwrap_or(usize::MAX).saturating_mul(4);
    if text.len() > room {
        let end = (0..=room).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or(0));
    }
    text
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
        let message = Message::new(Role::User, prompt.to_owned());
        let request = Request::of(vec![message], form);
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
        let messages = [Message::new(Role::User, text.to_owned())];
        assert_eq!(echo.count_tokens(&messages, None), 17);
        assert_eq!(echo.card().price.worst_case(17, 512), MicroUsd(1_041));
    }
}
