//! Calls to lanes: the rows of section 11 whose bodies spend money on inference.

mod call;
mod select;
mod stream;
mod thread;
mod tools;

use crate::builtin::cost::close;
use crate::builtin::declare::{Word, absent, builtins};
use crate::builtin::lane::tools::Toolbox;
use crate::value::owned::Owned;
use crate::value::record::option;
use crate::value::shape::{ShapeId, option_of};
use crate::value::text::TextRef;
use serde_json::{Value, json};

builtins! {
    /// Calls a model and gives a value of the type wanted: the reply is parsed, checked, and asked for again if it does not fit.
    call "llm_call" "(prompt: Prompt, provider: Lane = auto, model: Text? = None, tools: Tools = [], thread: Thread? = None, max_tokens: Int = 512, temperature: Float = 0.0, repair: Int = 2, retries: Int = 2, max_steps: Int = 8, timeout: Duration = 60s, max_cost: Money? = None, cache: Bool = false, stream: ((Text) -> Unit)? = None) -> T"
        example "let d : Decision := @llm_call(\"Based on ${analysis}, should we trade?\")" => ""
        effects ["llm", "suspend"] form LlmCall
        = |cx, prompt: Word, provider: Word, model: Word, tools: Word, thread: Word, max_tokens: i64, temperature: f64,
            repair: i64, retries: i64, max_steps: i64, timeout: i64, max_cost: Word, cache: bool, stream: Word,
            wanted: ShapeId, tools_shape: ShapeId, stream_shape: ShapeId| {
            let options = Options { prompt, provider, model, thread, max_tokens, temperature, repair, retries, max_steps,
                timeout, max_cost, cache };
            let toolbox = Toolbox::of(cx, tools, tools_shape);
            let reader = option(stream.0, stream_shape);
            let reader = reader.map(|word| Owned::retained(word, field(stream_shape)));
            call::llm_call(cx, &options, toolbox, reader, wanted)
        };
    /// Begins a conversation that calls with `thread: t` continue.
    function "Thread" "(system: Text = \"\") -> Thread"
        example "let t := Thread(\"You are brief.\")" => ""
        = |cx, system: TextRef<'_>| Ok(thread::begin(system.as_str()));
    /// A conversation of its own that begins with what was said so far.
    Thread "fork" "(self: Thread) -> Thread"
        example "let other := t.fork" => ""
        = |cx, this: Word| Ok(thread::fork(this));
    /// What was said so far.
    Thread "messages" "(self: Thread) -> List<{ role : Text, text : Text }>"
        example "t.messages.last" => ""
        = |cx, this: Word| thread::messages(cx, this);
    /// How well a value meets criteria, 0.0 to 1.0, as a model sees it.
    call "judge" "(value: T, criteria: Text) -> Float"
        example "@judge(answer, criteria: \"polite\")" => ""
        effects ["llm", "suspend"] form Judge
        = |cx| absent(cx, "judge");
    /// Constrains the choice of lane for all calls inside.
    block "auto_lane_select" "(latency_budget: Duration? = None, cost_budget: Money? = None, prefer: List<Lane> = []) -> Unit"
        example "@auto_lane_select(latency_budget: 2s) { @llm_call(p) }" => ""
        form Scope
        = |cx, latency_budget: Word, cost_budget: Word, prefer: Word| {
            select::open(cx, latency_budget, cost_budget, prefer)
        },
        exit |cx, scope: i64| close(cx, scope);
    /// Runs `f` for every combination of the grid's lists and gives a table of the runs.
    call "sweep" "(grid: G, f: (P) -> R, repeat: Int = 1, limit: Int = 8, budget: Money? = None) -> Frame"
        example "@sweep(grid: { temperature: [0.0, 0.7] }, f: run)" => ""
        effects ["spawn", "suspend"] form Sweep missing yes
        = |cx| absent(cx, "sweep");
}

/// What an `@llm_call` says beside its tools.
pub(super) struct Options {
    pub prompt: Word,
    pub provider: Word,
    pub model: Word,
    pub thread: Word,
    pub max_tokens: i64,
    pub temperature: f64,
    pub repair: i64,
    pub retries: i64,
    pub max_steps: i64,
    pub timeout: i64,
    pub max_cost: Word,
    pub cache: bool,
}

/// What an Option of this shape holds.
fn field(of: ShapeId) -> ShapeId {
    option_of(of).unwrap_or(ShapeId::UNIT)
}

/// What a program offers a model, as [`tools`] reads it: `(name, comment)` of each parameter.
#[must_use]
pub fn about(
    name: &str,
    doc: &str,
    params: &[(&str, &str)],
    receiver: bool,
    destructive: bool,
) -> String {
    let params: Value =
        params.iter().map(|(name, doc)| json!({"name": name, "doc": doc})).collect();
    let about = json!({"name": name, "doc": doc, "params": params, "receiver": receiver, "destructive": destructive});
    about.to_string()
}
