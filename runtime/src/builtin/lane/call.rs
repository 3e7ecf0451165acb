//! `@llm_call` (section 12): from the program's values to a conversation with a lane and back.
//!
//! Rounds with the lane run on the executor, or here when the clock is virtual; tools and readers of the stream always run
//! on the coroutine that made the call. Never: a value that was not checked against the type wanted.

use crate::builtin::declare::{Moved, Outcome};
use crate::builtin::human;
use crate::builtin::invariant::{self, Broken};
use crate::builtin::lane::Options;
use crate::builtin::lane::select::{Selection, lane_names};
use crate::builtin::lane::stream::Feed;
use crate::builtin::lane::thread::{self, Conversation as Thread, thread_shape};
use crate::builtin::lane::tools::Toolbox;
use crate::builtin::memory::{agent_name, build, fail, services};
use crate::builtin::must;
use crate::context::Cx;
use crate::context::sink::Stream;
use crate::fault::{Faulted, code};
use crate::lane::conversation::{Conversation, Turn};
use crate::lane::error::LaneError;
use crate::lane::grant::Person;
use crate::lane::pace::{Wait, drive};
use crate::lane::registry::{Choice, Want};
use crate::lane::request::{Form, Message, Problem, Role, StreamTo};
use crate::lane::typed::{Answer, TypedCall};
use crate::ledger::money::MicroUsd;
use crate::policy::Verdict;
use crate::services::Services;
use crate::telemetry::event::Kind;
use crate::value::count::release;
use crate::value::json::{from_json, parse_duration, to_json};
use crate::value::owned::Owned;
use crate::value::prelude::{lane, prompt, response};
use crate::value::record::option;
use crate::value::shape::ShapeId;
use crate::value::show::{duration, show};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who reads along, and where the pieces wait for it.
struct Listening {
    feed: Arc<Feed>,
    reader: Option<Owned>,
}

pub fn llm_call(
    cx: &mut Cx,
    options: &Options,
    mut toolbox: Toolbox,
    reader: Option<Owned>,
    wanted: ShapeId,
) -> Outcome<Moved> {
    refuse_options(cx, options)?;
    let world = Arc::clone(&cx.world);
    let services = services(cx, &world)?;
    let thread =
        option(options.thread.0, ShapeId::option(thread_shape())).and_then(thread::conversation);
    let listening = Listening { feed: Arc::default(), reader };
    let (asks, lane) = (prompt_text(options.prompt.0), show(options.provider.0, lane()));
    let arguments = || vec![human::text("prompt", &asks), human::text("lane", &lane)];
    cx.permit("llm", Verdict::Allow, &arguments)?;
    let call = typed_call(cx, options, &toolbox, thread.as_deref(), &listening, wanted);
    if let Some(notice) = services.lanes().notice(&call.want) {
        cx.print(Stream::Err, notice + "\n");
    }
    let begun = Conversation::begin(services.calls(), call);
    let answer = match begun {
        Ok(conversation) => converse(cx, services, conversation, &mut toolbox, &listening)?,
        Err(error) => Err(error),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            cx.raise(Box::new(error.to_fault()));
            return Err(Faulted);
        }
    };
    if let Some(thread) = thread {
        thread.add(answer.exchange.clone());
    }
    build(cx, &given(answer, wanted), wanted)
}

/// Rounds until there is an answer. The outer error is a Fault of this coroutine, the inner one the call's.
fn converse(
    cx: &mut Cx,
    services: &Services,
    mut conversation: Conversation,
    toolbox: &mut Toolbox,
    listening: &Listening,
) -> Outcome<Result<Answer, LaneError>> {
    loop {
        cx.record(Kind::LaneBegin);
        let turn = if cx.world.clock().is_virtual() {
            on_this_coroutine(cx, &mut conversation, listening)
        } else {
            let (back, turn) = on_the_executor(cx, services, conversation, listening)?;
            conversation = back;
            Ok(turn)
        };
        cx.record(Kind::LaneEnd);
        let turn = turn?;
        for note in conversation.take_notes() {
            cx.print(Stream::Err, note + "\n");
        }
        match turn {
            Ok(Turn::Answered(answer)) => return Ok(Ok(*answer)),
            Ok(Turn::Rejected) => {}
            Ok(Turn::Tools(calls)) => {
                // What a tool spends counts in this call's own limit, too.
                let outer = std::mem::replace(&mut cx.limits, conversation.limits().clone());
                let answers = toolbox.run(cx, &calls);
                cx.limits = outer;
                conversation.tools_gave(answers?);
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// The answer in the form of the type wanted.
fn given(answer: Answer, wanted: ShapeId) -> Value {
    if wanted != response() {
        return answer.value;
    }
    let latency = duration(i64::try_from(answer.latency_ns).unwrap_or(i64::MAX));
    json!({
        "text": answer.text,
        "lane": &*answer.lane,
        "model": &*answer.model,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "cost": answer.cost.dollars(),
        "latency": latency,
    })
}

/// On a virtual clock the round runs here, and the scheduler passes the time it waits for.
fn on_this_coroutine(
    cx: &mut Cx,
    conversation: &mut Conversation,
    listening: &Listening,
) -> Outcome<Result<Turn, LaneError>> {
    let turn = drive(conversation.turn(), |wait| {
        listening.feed.hear(cx, listening.reader.as_ref())?;
        match wait {
            Wait::Until(due_ns) => cx.sleep_until(due_ns),
            Wait::Outside(bell) => cx.wait(|completer| bell.listen(move || completer.complete(()))),
        }
    })?;
    listening.feed.hear(cx, listening.reader.as_ref())?;
    Ok(turn)
}

/// Otherwise it runs on the lanes' executor while this coroutine gives its worker back. Leaving early cuts it off.
fn on_the_executor(
    cx: &mut Cx,
    services: &Services,
    conversation: Conversation,
    listening: &Listening,
) -> Outcome<(Conversation, Result<Turn, LaneError>)> {
    let io = match services.io() {
        Ok(io) => io,
        Err(error) => return fail(cx, code::LANE_UNAVAILABLE, &error.to_string()),
    };
    let place = Arc::new(Mutex::new(None));
    let round = listening.feed.begin();
    let (ending, ended) = cx.ending();
    let task = {
        let place = Arc::clone(&place);
        let mut conversation = conversation;
        async move {
            let _ending = ending;
            let turn = conversation.turn().await;
            *place.lock() = Some((conversation, turn));
            drop(round);
        }
    };
    let running = io.spawn(task);
    if let Err(Faulted) = follow(cx, listening) {
        running.abort();
        // What it reserved is settled before anybody looks at a limit.
        cx.outlast(&ended);
        return Err(Faulted);
    }
    let last = place.lock().take();
    match last {
        Some(last) => Ok(last),
        None => fail(cx, code::INTERNAL, "a lane call ended without an answer"),
    }
}

/// Reads along until the round is over.
fn follow(cx: &mut Cx, listening: &Listening) -> Outcome<()> {
    loop {
        cx.wait(|completer| listening.feed.listen(completer))?;
        if listening.feed.hear(cx, listening.reader.as_ref())? {
            return Ok(());
        }
    }
}

fn typed_call(
    cx: &Cx,
    options: &Options,
    toolbox: &Toolbox,
    thread: Option<&Thread>,
    listening: &Listening,
    wanted: ShapeId,
) -> TypedCall {
    let policy = cost_policy(cx);
    let selection = Selection::of(&cx.limits);
    let own = policy.get("latency_budget").and_then(duration_ns);
    let latency = selection.latency_budget_ns.into_iter().chain(own);
    let small = |number: i64| u32::try_from(number.max(0)).unwrap_or(u32::MAX);
    let name = show(options.provider.0, lane());
    let model = option(options.model.0, ShapeId::option(ShapeId::TEXT));
    let max_cost = option(options.max_cost.0, ShapeId::option(ShapeId::MONEY));
    let mut messages = thread.map(Thread::messages).unwrap_or_default();
    messages.push(Message::new(Role::User, prompt_text(options.prompt.0)));
    let stream = listening.reader.is_some().then(|| {
        let feed = Arc::clone(&listening.feed);
        Arc::new(StreamTo::new(move |text| feed.piece(text)))
    });
    TypedCall {
        messages,
        form: form(cx, wanted),
        want: Want {
            choice: if name == "auto" { Choice::Auto } else { Choice::Lane(name.into()) },
            model: model.map(|word| show(word, ShapeId::TEXT).into()),
            preference: match selection.prefer {
                Some(prefer) => prefer,
                None => lane_names(policy.get("lane_preference")),
            },
            latency_budget_ns: latency.min(),
            cost_budget: selection.cost_budget,
            deadline: None,
            max_tokens: small(options.max_tokens),
            tools: toolbox.specs(),
            agent: agent_name(cx),
            cell: cx.audience.cell,
        },
        temperature: options.temperature,
        repair: small(options.repair),
        retries: small(options.retries),
        max_steps: small(options.max_steps),
        timeout_ns: u64::try_from(options.timeout).unwrap_or(0),
        max_cost: max_cost.map(|micros| MicroUsd(micros.cast_signed())),
        limits: cx.limits.clone(),
        person: Person::of(cx),
        track: cx.audience.track.clone(),
        cache: options.cache,
        stream,
    }
}

/// Instructions and data in their order: what a lane reads. The trace keeps them apart.
fn prompt_text(word: u64) -> String {
    let parts = to_json(word, prompt()).unwrap_or_default();
    let parts = parts.as_array().map(Vec::as_slice).unwrap_or_default();
    parts.iter().filter_map(|part| part.get("value")?.as_str()).collect()
}

/// What the answer must be; nothing for a type that takes any text.
fn form(cx: &Cx, wanted: ShapeId) -> Option<Form> {
    if wanted == ShapeId::TEXT || wanted == response() {
        return None;
    }
    let world = Arc::downgrade(&cx.world);
    let check = move |value: &Value| match from_json(value, wanted) {
        Ok(word) => {
            let broken = world.upgrade().and_then(|world| {
                // A check computes and waits for nothing, so it needs no coroutine.
                invariant::broken(&mut Cx::detached(&world), word, wanted)
            });
            release(word, wanted);
            let problem =
                |broken: Broken| Problem { path: broken.path, message: broken.fault.message };
            broken.into_iter().map(problem).collect()
        }
        Err(errors) => errors
            .into_iter()
            .map(|error| Problem { path: error.path, message: error.message })
            .collect(),
    };
    Some(Form { shape: wanted, check: Arc::new(check) })
}

/// The agent's `cost_policy` as JSON; null outside of agents and where there is none.
fn cost_policy(cx: &Cx) -> Value {
    let agent = cx.behalf();
    let config = agent.as_ref().and_then(|agent| agent.config.as_ref());
    config.map(|config| config.cost_policy.clone()).unwrap_or_default()
}

fn duration_ns(value: &Value) -> Option<u64> {
    parse_duration(value.as_str()?).and_then(|ns| u64::try_from(ns).ok())
}

/// Numbers that no call can have are no call: less would be reserved than the lane may charge.
fn refuse_options(cx: &mut Cx, options: &Options) -> Outcome<()> {
    let max_cost = option(options.max_cost.0, ShapeId::option(ShapeId::MONEY));
    let numbers = [
        ("max_tokens", options.max_tokens as f64),
        ("temperature", options.temperature),
        ("repair", options.repair as f64),
        ("retries", options.retries as f64),
        ("max_steps", options.max_steps as f64),
        ("timeout", options.timeout as f64),
        ("max_cost", max_cost.map_or(0.0, |micros| micros.cast_signed() as f64)),
    ];
    numbers.into_iter().try_for_each(|(name, is)| must::check(cx, "llm_call", name, is))
}
