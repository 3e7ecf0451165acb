//! Memory: the rows of section 11 whose bodies read and write episodes.

use crate::actor::config::AgentConfig;
use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::{Faulted, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::memory::agent::{AgentMemory, Asker, MemoryConfig};
use crate::memory::episode::{Draft, EpisodeId, Outcome as Ending};
use crate::memory::error::MemoryError;
use crate::memory::explain::{Recalled, Recollection};
use crate::memory::recall::Query;
use crate::policy::Verdict;
use crate::services::Services;
use crate::telemetry::event::Kind;
use crate::value::calendar::rfc3339;
use crate::value::count::object_shape;
use crate::value::json::{from_json, to_json};
use crate::value::prelude::{episode_id, recollection};
use crate::value::record::{RecordRef, field_shape};
use crate::value::shape::ShapeId;
use crate::value::show::show;
use serde_json::{Map, Value, json};
use std::sync::Arc;

mod change;

builtins! {
    /// Searches short-term and long-term memory; each Recollection explains its score.
    call "recall" "(query: Text, limit: Int = 10, min_score: Float = 0.0, filter: Dyn = {}) -> List<Recollection>"
        example "@recall(\"similar market patterns\", limit: 5)" => ""
        effects ["memory.read", "suspend"]
        = |cx, query: Word, limit: i64, min_score: f64, filter: Word| recall(cx, query, limit, min_score, filter);
    /// Stores an episode, durably when it returns, linked to what this message recalled.
    call "remember" "<C: Json, A: Json>(e: Episode<C, A>, links: List<EpisodeId> = []) -> EpisodeId"
        example "@remember(Episode { context: signal, action: decision, outcome: pending })" => ""
        effects ["memory.write", "suspend"]
        = |cx, e: Word, links: Word, _c: ShapeId, _a: ShapeId| remember(cx, e, links);
    /// Records how an episode ended; recalls from now on give the outcome.
    call "update" "(id: EpisodeId, outcome: Outcome) -> Unit"
        example "@update(id, outcome: known(\"profit\"))" => ""
        effects ["memory.write", "suspend"]
        = |cx, id: Word, outcome: Word| {
            may(cx, "memory.write")?;
            change::conclude(cx, id, outcome)
        };
    /// Removes an episode from memory and from disk. Recalls that found it keep their scores, not its content.
    call "forget" "(id: EpisodeId) -> Unit"
        example "@forget(id)" => ""
        effects ["memory.write", "suspend"]
        = |cx, id: Word| {
            may(cx, "memory.write")?;
            change::forget(cx, id)
        };
}

/// What the rules say of memory; its rules see no arguments.
fn may(cx: &mut Cx, effect: &str) -> Outcome<()> {
    cx.permit(effect, Verdict::Allow, &Vec::new)
}

fn recall(cx: &mut Cx, query: Word, limit: i64, min_score: f64, filter: Word) -> Outcome<Moved> {
    may(cx, "memory.read")?;
    let memory = memory_of(cx)?;
    let filter = match to_json(filter.0, ShapeId::DYN) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let query = Query {
        text: show(query.0, ShapeId::TEXT).into(),
        limit: usize::try_from(limit).unwrap_or(0),
        min_score,
        filter,
    };
    let print = Fingerprint::of_json(&json!({
        "query": &*query.text,
        "limit": limit,
        "min_score": min_score,
        "filter": query.filter,
    }));
    let asker = asker(cx);
    cx.record(Kind::MemoryRead);
    let pending = match cx.begin("memory.read", print)? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => {
            let value = cx.given(*line)?;
            note_recalled(cx, &value);
            return cx.as_given("memory.read", &value, ShapeId::list(recollection()));
        }
    };
    if let Err(Faulted) = make_ready(cx, &memory, &query.text) {
        pending.failed(&"cancelled");
        return Err(Faulted);
    }
    match memory.recall(&query, &asker) {
        Ok(recalled) => {
            let value = recollections(&recalled);
            pending.done(Payload::free(value.clone()));
            note_recalled(cx, &value);
            build(cx, &value, ShapeId::list(recollection()))
        }
        Err(error) => {
            pending.failed(&format!("{}: {error}", error.code()));
            refuse(cx, &error)
        }
    }
}

/// What was recalled belongs to the decision under way, if there is one (L-77).
fn note_recalled(cx: &mut Cx, recalled: &Value) {
    let Some(decision) = &mut cx.decision else { return };
    let told = |one: &Value| {
        let id = one.get("id").and_then(Value::as_str).unwrap_or("?");
        let score = one.get("score").and_then(Value::as_f64).unwrap_or(0.0);
        let context = one.get("episode").and_then(|episode| episode.get("context"));
        format!("{id} ({score:.3}): {}", context.unwrap_or(&Value::Null))
    };
    decision.recalled.extend(recalled.as_array().into_iter().flatten().map(told));
}

/// Lets the embedder's model work while this coroutine gives its worker back.
fn make_ready(cx: &mut Cx, memory: &Arc<AgentMemory>, text: &str) -> Outcome<()> {
    if memory.is_instant() {
        return Ok(());
    }
    cx.wait_briefly(|completer| memory.prepare(text, move || completer.complete(())))
}

/// What was recalled in the form of `Recollection`.
fn recollections(recalled: &Recalled) -> Value {
    recalled.results.iter().map(recollection_json).collect()
}

fn recollection_json(found: &Recollection) -> Value {
    let why = &found.why;
    let terms: Value = why
        .terms
        .iter()
        .map(|term| {
            json!({
                "name": term.kind.name(),
                "raw": term.raw,
                "weight": term.weight,
                "contribution": term.contribution,
            })
        })
        .collect();
    let draft = &found.episode.draft;
    let outcome = match &draft.outcome {
        Ending::Pending => json!({"kind": "Pending"}),
        Ending::Known(text) => json!({"kind": "Known", "value": &**text}),
    };
    let chain: Vec<String> = why.causal_chain().iter().map(ToString::to_string).collect();
    json!({
        "id": found.episode.id.to_string(),
        "episode": {
            "context": draft.context,
            "action": draft.action,
            "outcome": outcome,
            "entities": texts(&draft.entities),
            "at": rfc3339(i64::try_from(draft.at_ns).unwrap_or(i64::MAX)),
        },
        "score": found.score,
        "why": {
            "terms": terms,
            "shared_entities": texts(&why.shared_entities),
            "causal_chain": chain,
            "reasoning": why.sentence,
        },
    })
}

fn texts(items: &[Arc<str>]) -> Vec<&str> {
    items.iter().map(|item| &**item).collect()
}

fn remember(cx: &mut Cx, episode: Word, links: Word) -> Outcome<Moved> {
    may(cx, "memory.write")?;
    let memory = memory_of(cx)?;
    let draft = draft(cx, episode.0)?;
    let links = episode_ids(links.0);
    let print = Fingerprint::of_json(&json!({
        "context": draft.context,
        "action": draft.action,
        "outcome": draft.outcome.text(),
        "links": links.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }));
    let asker = asker(cx);
    let writing = Writing { memory, draft, links, print, asker };
    if cx.is_holding() {
        cx.hold_back(Box::new(move |cx| writing.run(cx).map(drop)));
        // Nobody looks at it: what asks for the id is E0505.
        return build(cx, &json!(EpisodeId::Short(0).to_string()), episode_id());
    }
    let id = writing.run(cx)?;
    build(cx, &id, episode_id())
}

/// An episode on its way to the store.
struct Writing {
    memory: Arc<AgentMemory>,
    draft: Draft,
    links: Vec<EpisodeId>,
    print: Fingerprint,
    asker: Asker,
}

impl Writing {
    /// Gives its id.
    fn run(self, cx: &mut Cx) -> Outcome<Value> {
        let Self { memory, draft, links, print, asker } = self;
        cx.record(Kind::MemoryWrite);
        let pending = match cx.begin("memory.write", print)? {
            Begun::Live(pending) => pending,
            Begun::Given(line) => return cx.given(*line),
        };
        if let Err(Faulted) = make_ready(cx, &memory, &draft.searched_text()) {
            pending.failed(&"cancelled");
            return Err(Faulted);
        }
        let waiting = Arc::clone(&memory);
        let result = cx.wait_briefly(move |completer| {
            let done = Box::new(move |result| completer.complete(result));
            waiting.remember(draft, &links, &asker, done);
        });
        let stored = match result {
            Ok(stored) => stored,
            Err(Faulted) => {
                pending.failed(&"cancelled");
                return Err(Faulted);
            }
        };
        match stored.and_then(|id| memory.remembered(id).map(|()| id)) {
            Ok(id) => {
                let id = json!(id.to_string());
                pending.done(Payload::free(id.clone()));
                Ok(id)
            }
            Err(error) => {
                pending.failed(&format!("{}: {error}", error.code()));
                refuse(cx, &error)
            }
        }
    }
}

/// What an `Episode<C, A>` says; its own shape names C and A.
fn draft(cx: &mut Cx, word: u64) -> Outcome<Draft> {
    let of = object_shape(word).unwrap_or(ShapeId::UNIT);
    let json = match to_json(word, of) {
        Ok(json) => json,
        Err(error) => return fail(cx, code::INVALID_CONVERSION, &error.to_string()),
    };
    // SAFETY: the checker saw that the argument is an Episode, which is a record; it is borrowed for the call.
    let fields = unsafe { RecordRef::from_word(word) };
    let text = |index: usize| -> Arc<str> {
        show(fields.field(index).unwrap_or(0), field_shape(of, index)).into()
    };
    let part = |key: &str| json.get(key).cloned().unwrap_or(Value::Null);
    let known = json.get("outcome").and_then(|outcome| outcome.get("value")?.as_str());
    let entities = json.get("entities").and_then(Value::as_array);
    Ok(Draft {
        context: part("context"),
        action: part("action"),
        context_text: text(CONTEXT),
        action_text: text(ACTION),
        outcome: known.map_or(Ending::Pending, |text| Ending::Known(text.into())),
        entities: entities
            .map(|list| list.iter().filter_map(|e| e.as_str().map(Arc::from)).collect())
            .unwrap_or_default(),
        at_ns: fields.field(AT).unwrap_or(0),
    })
}

/// The fields of `Episode`, in the order of `prelude.ag`.
const CONTEXT: usize = 0;
const ACTION: usize = 1;
const AT: usize = 4;

fn episode_ids(list: u64) -> Vec<EpisodeId> {
    let ids = to_json(list, ShapeId::list(episode_id())).unwrap_or_default();
    let ids = ids.as_array().map(Vec::as_slice).unwrap_or_default();
    ids.iter().filter_map(|id| EpisodeId::parse(id.as_str()?)).collect()
}

/// The memory of whoever runs: the agent's own, or the session's.
fn memory_of(cx: &mut Cx) -> Outcome<Arc<AgentMemory>> {
    let world = Arc::clone(&cx.world);
    let services = services(cx, &world)?;
    let Some(instance) = &mut cx.instance else {
        let own = cx.behalf.as_ref().and_then(|agent| agent.memory.as_ref());
        return Ok(Arc::clone(own.unwrap_or_else(|| services.session_memory())));
    };
    if let Some(memory) = &instance.memory {
        return Ok(Arc::clone(memory));
    }
    let config = section(instance.config.as_deref()).map(MemoryConfig::read);
    let memory = match config {
        Some(Ok(config)) => {
            let memory = Arc::new(AgentMemory::new(Arc::clone(services.memories()), config));
            let holder = format!("{}#{}", instance.kind.name, instance.actor.number());
            services.memories().list(holder.into(), &memory);
            memory
        }
        Some(Err(error)) => return refuse(cx, &error),
        None => Arc::clone(services.session_memory()),
    };
    instance.memory = Some(Arc::clone(&memory));
    Ok(memory)
}

/// Before an agent starts a task, so that both have the same memory.
pub(crate) fn open_memory(cx: &mut Cx) {
    let config = cx.instance.as_ref().and_then(|instance| instance.config.as_deref());
    if section(config).is_some() && memory_of(cx).is_err() {
        // The agent's own first use says so.
        drop(cx.take_fault());
    }
}

fn section(config: Option<&AgentConfig>) -> Option<&Value> {
    config.map(|config| &config.memory).filter(|section| section.is_object())
}

fn asker(cx: &Cx) -> Asker {
    Asker { agent: agent_name(cx), cell: cx.audience.cell, message: cx.serving.message.number() }
}

/// The agent whose message this is, or that the task works for; empty in cells.
pub(in crate::builtin) fn agent_name(cx: &Cx) -> Arc<str> {
    match (cx.serving.agent, &cx.behalf) {
        (Some(_), _) => Arc::clone(&cx.serving.name),
        (None, Some(agent)) => Arc::clone(&agent.name),
        (None, None) => "".into(),
    }
}

/// Money, lanes and memory, or a Fault in a world that was opened without.
pub(in crate::builtin) fn services<'w>(
    cx: &mut Cx,
    world: &'w crate::world::World,
) -> Outcome<&'w Services> {
    match world.services() {
        Some(services) => Ok(services),
        None => fail(cx, code::HOME, "this session has no home for money and memory"),
    }
}

/// A value of the language from the JSON of an effect.
pub(in crate::builtin) fn build(cx: &mut Cx, json: &Value, of: ShapeId) -> Outcome<Moved> {
    match from_json(json, of) {
        Ok(word) => Ok(Moved(word)),
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            fail(cx, code::INTERNAL, &errors.join("; "))
        }
    }
}

pub(in crate::builtin) fn fail<T>(cx: &mut Cx, code: &'static str, message: &str) -> Outcome<T> {
    cx.fail(code, message);
    Err(Faulted)
}

fn refuse<T>(cx: &mut Cx, error: &MemoryError) -> Outcome<T> {
    fail(cx, error.code(), &error.to_string())
}
