//! Calls to lanes: the rows of section 11 whose bodies spend money on inference.

use crate::builtin::declare::{Moved, Outcome, Word, absent, builtins};
use crate::builtin::invariant::{self, Broken};
use crate::builtin::memory::{agent_name, build, fail, services};
use crate::context::Cx;
use crate::context::sink::Stream;
use crate::fault::{Faulted, code};
use crate::lane::error::LaneError;
use crate::lane::pace::{Wait, drive};
use crate::lane::registry::{Choice, Want};
use crate::lane::request::{Form, Message, Problem, Role};
use crate::lane::typed::{self, Answer, TypedCall};
use crate::ledger::money::MicroUsd;
use crate::services::Services;
use crate::telemetry::event::Kind;
use crate::value::count::release;
use crate::value::json::{from_json, parse_duration, to_json};
use crate::value::prelude::{lane, prompt, response};
use crate::value::record::option;
use crate::value::shape::ShapeId;
use crate::value::show::{duration, show};
use serde_json::{Value, json};
use std::sync::Arc;

builtins! {
    /// Calls a model and gives a value of the type wanted (section 12).
    call "llm_call" "(prompt: Prompt, provider: Lane = auto, model: Text? = None, max_tokens: Int = 512, temperature: Float = 0.0, repair: Int = 2, retries: Int = 2, timeout: Duration = 60s, max_cost: Money? = None) -> T"
        example "let d : Decision := @llm_call(\"Based on ${analysis}, should we trade?\")" => ""
        effects ["llm", "suspend"] form LlmCall
        = |cx, prompt: Word, provider: Word, model: Word, max_tokens: i64, temperature: f64, repair: i64, retries: i64,
            timeout: i64, max_cost: Word, wanted: ShapeId| {
            let options = Options { provider, model, max_tokens, temperature, repair, retries, timeout, max_cost };
            llm_call(cx, prompt, &options, wanted)
        };
    /// How well a value meets criteria, 0.0 to 1.0, as a model sees it.
    call "judge" "(value: T, criteria: Text) -> Float"
        example "@judge(answer, criteria: \"polite\")" => ""
        effects ["llm", "suspend"] form Judge missing yes
        = |cx| absent(cx, "judge");
    /// Constrains the choice of lane for all calls inside.
    block "auto_lane_select" "(latency_budget: Duration? = None, cost_budget: Money? = None, prefer: List<Lane> = []) -> Unit"
        example "@auto_lane_select(latency_budget: 2s) { @llm_call(p) }" => ""
        form Scope missing yes
        = |cx| absent(cx, "auto_lane_select");
    /// Runs `f` for every combination of the grid's lists and gives a table of the runs (L-183).
    call "sweep" "(grid: G, f: (P) -> R, repeat: Int = 1, limit: Int = 8, budget: Money? = None) -> Frame"
        example "@sweep(grid: { temperature: [0.0, 0.7] }, f: run)" => ""
        effects ["spawn", "suspend"] form Sweep missing yes
        = |cx| absent(cx, "sweep");
}

/// What an `@llm_call` says beside its prompt.
struct Options {
    provider: Word,
    model: Word,
    max_tokens: i64,
    temperature: f64,
    repair: i64,
    retries: i64,
    timeout: i64,
    max_cost: Word,
}

fn llm_call(cx: &mut Cx, prompt: Word, options: &Options, wanted: ShapeId) -> Outcome<Moved> {
    let world = Arc::clone(&cx.world);
    let services = services(cx, &world)?;
    let call = typed_call(cx, prompt, options, wanted);
    if let Some(notice) = services.lanes().notice(&call.want) {
        cx.print(Stream::Err, notice + "\n");
    }
    cx.record(Kind::LaneBegin);
    let answer = if world.clock().is_virtual() {
        on_this_coroutine(cx, services, call)
    } else {
        on_the_executor(cx, services, call)
    };
    cx.record(Kind::LaneEnd);
    let answer = match answer? {
        Ok(answer) => answer,
        Err(error) => {
            cx.raise(Box::new(error.to_fault()));
            return Err(Faulted);
        }
    };
    for alert in &answer.alerts {
        let text = format!("alert: {} ({} was passed)\n", alert.text, alert.limit);
        cx.print(Stream::Err, text);
    }
    build(cx, &given(answer, wanted), wanted)
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

/// On a virtual clock the call runs here, and the scheduler passes the time it waits for.
fn on_this_coroutine(
    cx: &mut Cx,
    services: &Services,
    call: TypedCall,
) -> Outcome<Result<Answer, LaneError>> {
    let call = typed::call(services.calls(), call);
    drive(call, |wait| match wait {
        Wait::Until(due_ns) => cx.sleep_until(due_ns),
        Wait::Outside(bell) => cx.wait(|completer| bell.listen(move || completer.complete(()))),
    })
}

/// Otherwise it runs on the lanes' executor while this coroutine gives its worker back. A cancelled wait cuts it off.
fn on_the_executor(
    cx: &mut Cx,
    services: &Services,
    call: TypedCall,
) -> Outcome<Result<Answer, LaneError>> {
    let io = match services.io() {
        Ok(io) => io,
        Err(error) => return fail(cx, code::LANE_UNAVAILABLE, &error.to_string()),
    };
    let mut running = None;
    let calls = services.calls().clone();
    let (ending, ended) = cx.ending();
    let answer = cx.wait(|completer| {
        let task = async move {
            let _ending = ending;
            completer.complete(typed::call(&calls, call).await);
        };
        running = Some(io.spawn(task));
    });
    if answer.is_err()
        && let Some(running) = running
    {
        running.abort();
        // What it reserved is settled before anybody looks at a limit.
        cx.outlast(&ended);
    }
    answer
}

fn typed_call(cx: &Cx, prompt: Word, options: &Options, wanted: ShapeId) -> TypedCall {
    let policy = cost_policy(cx);
    let small = |number: i64, most: u32| u32::try_from(number.max(0)).unwrap_or(most).min(most);
    let name = show(options.provider.0, lane());
    let model = option(options.model.0, ShapeId::option(ShapeId::TEXT));
    let max_cost = option(options.max_cost.0, ShapeId::option(ShapeId::MONEY));
    TypedCall {
        messages: vec![Message { role: Role::User, text: prompt_text(prompt.0) }],
        form: form(cx, wanted),
        want: Want {
            choice: if name == "auto" { Choice::Auto } else { Choice::Lane(name.into()) },
            model: model.map(|word| show(word, ShapeId::TEXT).into()),
            preference: lane_names(policy.get("lane_preference")),
            latency_budget_ns: policy.get("latency_budget").and_then(duration_ns),
            deadline: None,
            max_tokens: small(options.max_tokens, u32::MAX),
            agent: agent_name(cx),
            cell: cx.audience.cell,
        },
        temperature: options.temperature,
        repair: small(options.repair, 16),
        retries: small(options.retries, 16),
        timeout_ns: u64::try_from(options.timeout).unwrap_or(0),
        max_cost: max_cost.map(|micros| MicroUsd(micros.cast_signed())),
        limits: cx.limits.clone(),
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
            let problem = |broken: Broken| Problem {
                path: broken.path,
                message: broken.fault.message,
            };
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

fn lane_names(list: Option<&Value>) -> Vec<Arc<str>> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|name| name.as_str().map(Arc::from)).collect()
}

fn duration_ns(value: &Value) -> Option<u64> {
    parse_duration(value.as_str()?).and_then(|ns| u64::try_from(ns).ok())
}
