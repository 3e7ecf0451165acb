//! One round of a typed call: the lanes in order, each with its retries, each attempt paid for. `conversation` puts rounds
//! together.
//!
//! Protocol of one attempt: reserve -> dispatch (journaled) -> send -> settle. Dropping the future at any point closes the
//! reservation by the ledger's rule. Never: a retry after a refusal of money, an answer that was not checked.

use crate::clock::Clock;
use crate::journal::effect::{EffectJournal, Payload};
use crate::journal::fingerprint::Fingerprint;
use crate::journal::track::Track;
use crate::lane::cache::ReplyCache;
use crate::lane::error::{LaneError, Rejected};
use crate::lane::grant::{self, Person};
use crate::lane::pace::pass;
use crate::lane::parse::candidates;
use crate::lane::registry::{Decision, Lanes, Want};
use crate::lane::request::{
    Form, LaneCard, Message, Problem, Provider, Reply, Request, SendError, StreamTo, ToolCall,
    ToolSpec,
};
use crate::lane::schema::json_schema;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitContext, Need, QuotaAction};
use crate::ledger::record::{CallFacts, Settlement};
use crate::ledger::report::{Alert, CallRow};
use crate::rng::Seed;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What calls need of the session. Cheap to clone.
#[derive(Clone)]
pub struct LaneServices {
    pub ledger: Arc<Ledger>,
    pub lanes: Arc<Lanes>,
    pub journal: Arc<EffectJournal>,
    pub clock: Arc<dyn Clock>,
    pub seed: Seed,
    /// Replies of calls with `cache: true`.
    pub replies: Arc<ReplyCache>,
}

/// One `@llm_call`.
#[derive(Clone)]
pub struct TypedCall {
    /// An earlier conversation, if there is one, and last the question.
    pub messages: Vec<Message>,
    /// `None`: the text itself is the answer.
    pub form: Option<Form>,
    pub want: Want,
    pub temperature: f64,
    pub repair: u32,
    pub retries: u32,
    /// Rounds in which the model may ask for tools.
    pub max_steps: u32,
    pub timeout_ns: u64,
    pub max_cost: Option<MicroUsd>,
    pub limits: LimitContext,
    /// A reply to the same question may stand in for a new one.
    pub cache: bool,
    pub stream: Option<Arc<StreamTo>>,
    /// The recording or replay it belongs to.
    pub track: Option<Arc<Track>>,
    /// Who can be asked for more money.
    pub person: Person,
}

/// What a call gave, and how it came to it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The reply that was taken, as the lane wrote it.
    pub text: String,
    /// The answer as JSON of the type wanted; a JSON text if any text would do.
    pub value: Value,
    pub lane: Arc<str>,
    pub model: Arc<str>,
    pub made_up: bool,
    /// Over all rounds.
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost: MicroUsd,
    pub latency_ns: u64,
    /// The replies that did not fit, in order.
    pub repaired: Vec<Rejected>,
    /// The question, the tools it took and the reply: what a Thread keeps.
    pub exchange: Vec<Message>,
    pub decision: Decision,
}

/// A reply that was paid for, or kept from an earlier call.
pub(super) struct Paid {
    pub reply: Reply,
    pub row: CallRow,
    pub alerts: Vec<Alert>,
    pub made_up: bool,
    /// Names the question for the cache.
    pub fingerprint: Fingerprint,
}

/// The first value the reply may mean that fits; else what is wrong with the likeliest.
pub(super) fn accept(text: &str, form: Option<&Form>) -> Result<Value, Vec<Problem>> {
    let Some(form) = form else { return Ok(Value::from(text)) };
    let mut first_problems = None;
    for value in candidates(text) {
        let problems = (form.check)(&value);
        if problems.is_empty() {
            return Ok(value);
        }
        first_problems.get_or_insert(problems);
    }
    Err(first_problems.unwrap_or_default())
}

pub(super) fn repair_prompt(problems: &[Problem]) -> String {
    let mut text = "Your reply does not fit the schema:\n".to_owned();
    for problem in problems {
        text.push_str(&format!("- {}: {}\n", problem.path, problem.message));
    }
    text.push_str("Answer again with the corrected JSON only.");
    text
}

/// One reply: the lanes in order, each with its retries. A limit that cannot cover a lane may cover the next one.
pub(super) async fn round(
    services: &LaneServices,
    call: &TypedCall,
    decision: &Decision,
    messages: &[Message],
) -> Result<Paid, LaneError> {
    let request = Request {
        messages: messages.to_vec(),
        question: call.messages.len().saturating_sub(1),
        form: call.form.clone(),
        tools: Arc::clone(&call.want.tools),
        max_tokens: call.want.max_tokens,
        temperature: call.temperature,
        timeout_ns: call.timeout_ns,
        stream: call.stream.clone(),
    };
    let mut before = 0;
    if is_kept(services, call) {
        match kept(services, call, decision, &request)? {
            Ok(paid) => return Ok(paid),
            Err(times) => before = times,
        }
    }
    let mut lanes = decision.ranked.clone();
    let mut last = None;
    let mut at = 0;
    while let Some(name) = lanes.get(at).cloned() {
        at += 1;
        let Some(provider) = services.lanes.get(&name) else { continue };
        match attempts(services, call, provider.as_ref(), &request).await {
            Ok(paid) => {
                let fingerprint = ReplyCache::nth(paid.fingerprint, before);
                return Ok(Paid { fingerprint, ..paid });
            }
            Err(error) => {
                if let Some(other) = degraded(&error)
                    && !lanes.contains(&other)
                {
                    lanes.insert(at, other);
                }
                let may_go_on =
                    matches!(error, LaneError::Unavailable { .. } | LaneError::Model { .. })
                        || passes_on(&error);
                if !may_go_on || is_shown(&request) {
                    return Err(error);
                }
                last = last.or(Some(error));
            }
        }
    }
    Err(last.unwrap_or_else(|| LaneError::NoLane("the lanes chosen are gone".to_owned())))
}

/// Somebody has read the beginning of this reply: another one must not follow it (L-123).
fn is_shown(request: &Request) -> bool {
    request.stream.as_ref().is_some_and(|stream| stream.has_delivered())
}

/// Whether the reply to this call may be one that was kept, and is kept.
pub(super) fn is_kept(services: &LaneServices, call: &TypedCall) -> bool {
    call.cache || services.replies.keeps_all()
}

/// The reply kept for this question to the lane chosen. It costs nothing and takes no time. Without one, how often this cell
/// asked before.
fn kept(
    services: &LaneServices,
    call: &TypedCall,
    decision: &Decision,
    request: &Request,
) -> Result<Result<Paid, u32>, LaneError> {
    let provider = decision.chosen().and_then(|name| services.lanes.get(name));
    let Some(provider) = provider else { return Ok(Err(0)) };
    let card = provider.card();
    let question = fingerprint(&card.name, request);
    let before = services.replies.count(question, call.want.cell);
    let fingerprint = ReplyCache::nth(question, before);
    let Some(reply) = services.replies.get(fingerprint) else { return Ok(Err(before)) };
    let facts = CallFacts { cached: true, ..facts(call, card) };
    let held = services.ledger.reserve(&call.limits, MicroUsd::ZERO, facts)?;
    let settlement = Settlement {
        charged: MicroUsd::ZERO,
        tokens_in: reply.usage.tokens_in(),
        tokens_out: reply.usage.tokens_out(),
        latency_ns: 0,
    };
    let row = held.settle(settlement)?;
    if let Some(stream) = &request.stream {
        stream.deliver(&reply.text);
    }
    Ok(Ok(Paid { reply, row, alerts: Vec::new(), made_up: card.made_up, fingerprint }))
}

fn facts(call: &TypedCall, card: &LaneCard) -> CallFacts {
    CallFacts {
        lane: Arc::clone(&card.name),
        model: Arc::clone(&card.model),
        agent: Arc::clone(&call.want.agent),
        cell: call.want.cell,
        made_up: card.made_up,
        cached: false,
    }
}

/// Another lane may cost less, unless a person was asked about this one.
fn passes_on(error: &LaneError) -> bool {
    matches!(error, LaneError::Ledger(LedgerError::Exceeded(exceeded)) if exceeded.refused.is_none())
}

/// The lane a limit with `degrade` sends calls to.
fn degraded(error: &LaneError) -> Option<Arc<str>> {
    match error {
        LaneError::Ledger(LedgerError::Exceeded(exceeded)) => match &exceeded.on_exceed {
            QuotaAction::Degrade(lane) => Some(Arc::clone(lane)),
            _ => None,
        },
        _ => None,
    }
}

/// Asks one lane until it answers, refuses, or has been asked `retries` times more.
async fn attempts(
    services: &LaneServices,
    call: &TypedCall,
    provider: &dyn Provider,
    request: &Request,
) -> Result<Paid, LaneError> {
    let mut failures = 0;
    loop {
        let error = match attempt(services, call, provider, request).await? {
            Ok(paid) => return Ok(paid),
            Err(error) => error,
        };
        let lane = &provider.card().name;
        services.lanes.failed(lane);
        let unavailable = |reason| Err(LaneError::Unavailable { lane: Arc::clone(lane), reason });
        let (reason, wait_ns) = match error {
            SendError::Busy { reason, retry_after_ns } => (reason, retry_after_ns),
            SendError::Lost { reason } => (reason, None),
            SendError::Model { reason } => {
                return Err(LaneError::Model { lane: Arc::clone(lane), reason });
            }
            SendError::Refused { reason } => return unavailable(reason),
        };
        if is_shown(request) {
            return unavailable(format!("{reason}; part of its reply was shown already"));
        }
        // Whoever asks for more patience than this is better replaced by the next lane.
        let is_far = wait_ns.is_some_and(|ns| ns > MOST_WAIT_NS);
        if failures >= call.retries || is_far {
            return unavailable(reason);
        }
        let back_off = wait_ns.unwrap_or_else(|| back_off_ns(services.seed, failures));
        pass(services.clock.as_ref(), back_off).await;
        failures += 1;
    }
}

/// The longest `Retry-After` that is waited for, and the longest back-off.
const MOST_WAIT_NS: u64 = 60_000_000_000;

/// 0.5 s, doubled each time, at most a minute, spread by half.
fn back_off_ns(seed: Seed, failures: u32) -> u64 {
    const FIRST_NS: u64 = 500_000_000;
    let base = FIRST_NS.saturating_mul(1 << failures.min(10)).min(MOST_WAIT_NS);
    let spread = seed.fork("back-off").fork_at(u64::from(failures)).rng().next_f64();
    (base as f64 * (0.75 + spread / 2.0)) as u64
}

/// One reservation, one request. The outer error ends the call, the inner one only the attempt.
async fn attempt(
    services: &LaneServices,
    call: &TypedCall,
    provider: &dyn Provider,
    request: &Request,
) -> Result<Result<Paid, SendError>, LaneError> {
    let card = provider.card();
    let tokens_in = provider
        .count_tokens(&request.messages, request.form.as_ref())
        .saturating_add(provider.count_tools(&request.tools));
    let worst_case = card.price.worst_case(tokens_in, u64::from(request.max_tokens));
    let facts = facts(call, card);
    let fingerprint = fingerprint(&card.name, request);
    let tokens = tokens_in.saturating_add(u64::from(request.max_tokens));
    let need = Need { money: worst_case, tokens };
    let mut held = grant::reserve(services, call, need, facts).await?;
    let alerts = held.alerts().to_vec();
    let pending = services.journal.begin("llm", fingerprint);
    let held = on_disk(services.clock.as_ref(), move || {
        held.dispatch()?;
        Ok::<_, LedgerError>(held)
    })
    .await?;
    let since = services.clock.monotonic_ns();
    let sent = timed(services.clock.as_ref(), call.timeout_ns, provider, request).await;
    let measured_ns = services.clock.monotonic_ns().saturating_sub(since);
    let reply = match sent {
        Ok(reply) => reply,
        Err(error) => {
            pending.failed(&format!("{error:?}"));
            if !matches!(error, SendError::Lost { .. }) {
                // The provider answered that it did not do it, so it bills nothing.
                held.settle(Settlement { latency_ns: measured_ns, ..Settlement::default() })?;
            }
            return Ok(Err(error));
        }
    };
    let settlement = Settlement {
        charged: reply.billed.unwrap_or_else(|| card.price.cost(&reply.usage)),
        tokens_in: reply.usage.tokens_in(),
        tokens_out: reply.usage.tokens_out(),
        latency_ns: reply.latency_ns.unwrap_or_else(|| readable(measured_ns)),
    };
    let row = held.settle(settlement)?;
    services.lanes.answered(&card.name, row.latency_ns, row.tokens_out);
    let value = json!({
        "text": reply.text,
        "calls": calls_json(&reply.calls),
        "model": &*reply.model,
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "latency_ns": row.latency_ns,
    });
    pending.done(Payload { value, cost: row.cost });
    Ok(Ok(Paid { reply, row, alerts, made_up: card.made_up, fingerprint }))
}

/// Sends, and gives up after the timeout. On a virtual clock lanes take no real time, so there is nothing to wait for.
async fn timed(
    clock: &dyn Clock,
    timeout_ns: u64,
    provider: &dyn Provider,
    request: &Request,
) -> Result<Reply, SendError> {
    if clock.is_virtual() {
        return provider.send(request).await;
    }
    let limit = Duration::from_nanos(timeout_ns);
    match tokio::time::timeout(limit, provider.send(request)).await {
        Ok(result) => result,
        Err(_) => Err(SendError::Lost { reason: format!("no answer within {limit:?}") }),
    }
}

/// Runs what waits for the disk outside of the executor's workers.
pub async fn on_disk<T: Send + 'static>(
    clock: &dyn Clock,
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LaneError> {
    if clock.is_virtual() {
        // The seeded order of events must not depend on another thread's speed.
        return Ok(work()?);
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(LaneError::Unavailable {
            lane: "ledger".into(),
            reason: format!("the journal's thread ended: {error}"),
        }),
    }
}

/// What makes two calls the same: everything a lane sees.
fn fingerprint(lane: &str, request: &Request) -> Fingerprint {
    let schema = request.form.as_ref().and_then(|form| json_schema(form.shape).ok());
    let tools = request.tools.iter().map(ToolSpec::to_json).collect::<Value>();
    let mut seen = json!({
        "lane": lane,
        "messages": messages_json(&request.messages),
        "schema": schema,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    });
    if let Some(seen) = seen.as_object_mut().filter(|_| !request.tools.is_empty()) {
        seen.insert("tools".to_owned(), tools);
    }
    Fingerprint::of_json(&seen)
}

/// Messages as they stand in a fingerprint.
pub(super) fn messages_json(messages: &[Message]) -> Value {
    let json = |message: &Message| match message.calls.is_empty() {
        true => json!({"role": message.role.name(), "text": message.text}),
        false => {
            let calls = calls_json(&message.calls);
            json!({"role": message.role.name(), "text": message.text, "calls": calls})
        }
    };
    messages.iter().map(json).collect()
}

pub(super) fn calls_json(calls: &[ToolCall]) -> Value {
    calls.iter().map(|call| json!({"tool": &*call.name, "arguments": call.arguments})).collect()
}
/// A measured time, to the millisecond: what is finer is noise of the machine.
fn readable(measured_ns: u64) -> u64 {
    const MILLISECOND: u64 = 1_000_000;
    match measured_ns {
        0..MILLISECOND => measured_ns,
        _ => measured_ns.saturating_add(MILLISECOND / 2) / MILLISECOND * MILLISECOND,
    }
}
