//! Calls to lanes: the rows of section 11 whose bodies spend money on inference.

use crate::builtin::declare::{absent, builtins};

builtins! {
    /// Calls a model and gives a value of the type wanted (section 12).
    call "llm_call" "(prompt: Prompt, provider: Lane = auto, model: Text? = None, thread: Thread? = None, max_tokens: Int = 512, temperature: Float = 0.0, repair: Int = 2, retries: Int = 2, max_steps: Int = 8, timeout: Duration = 60s, max_cost: Money? = None, cache: Bool = false) -> T"
        example "let d : Decision := @llm_call(\"Based on ${analysis}, should we trade?\")" => ""
        effects ["llm", "suspend"] form LlmCall
        = |cx| absent(cx, "llm_call");
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
