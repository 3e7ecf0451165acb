//! Money, limits, clock and chance: the rows of section 11 that read or bound what a block uses.

use crate::builtin::declare::{Word, absent, builtins};

builtins! {
    /// What the innermost limit or measurement (else the cell) has been charged.
    call "spent" "() -> Money"
        example "@spent()" => "$0.00"
        = |cx| absent(cx, "spent");
    /// The time of the program's clock.
    call "now" "() -> Time"
        example "@now()" => ""
        effects ["clock"]
        = |cx| Ok(cx.program_time());
    /// A number from 0.0 up to 1.0 of the program's seed.
    call "random" "() -> Float"
        example "@random()" => ""
        effects ["random"]
        = |cx| Ok(cx.program_random());
    /// Bounds the money of everything inside, also of agents it asks.
    block "with_cost_limit" "(limit: Money, on_exceed: QuotaAction = stop) -> Unit"
        example "@with_cost_limit($0.10) { @llm_call(p) }" => ""
        form Scope
        = |cx, _limit: i64, _on_exceed: Word| absent(cx, "with_cost_limit"),
        exit |cx, _scope: Word| absent(cx, "with_cost_limit");
    /// Bounds the time of the block; R0602 ends it.
    block "with_time_limit" "(limit: Duration) -> Unit"
        example "@with_time_limit(2s) { await desk.ask(q) }" => ""
        form Scope
        = |cx, _limit: i64| absent(cx, "with_time_limit"),
        exit |cx, _scope: Word| absent(cx, "with_time_limit");
    /// Bounds the tokens of the block; R0603 ends it.
    block "with_token_limit" "(n: Int) -> Unit"
        example "@with_token_limit(10_000) { @llm_call(p) }" => ""
        form Scope
        = |cx, _n: i64| absent(cx, "with_token_limit"),
        exit |cx, _scope: Word| absent(cx, "with_token_limit");
    /// Shows cost, tokens and latency of the block by lane.
    block "measure_cost" "() -> Unit"
        example "@measure_cost { @llm_call(p) }" => ""
        form Scope
        = |cx| absent(cx, "measure_cost"),
        exit |cx, _scope: Word| absent(cx, "measure_cost");
    /// Writes everything the block takes from outside to a file.
    block "record" "(file: Text) -> Unit"
        example "@record(\"run.cassette\") { run() }" => ""
        effects ["fs"] form Scope missing yes
        = |cx, _file: Word| absent(cx, "record"),
        exit |cx, _scope: Word| absent(cx, "record");
    /// Feeds a recording back: no lane or tool is called and no money charged.
    block "replay" "(file: Text) -> Unit"
        example "@replay(\"run.cassette\") { run() }" => ""
        effects ["fs"] form Scope missing yes
        = |cx, _file: Word| absent(cx, "replay"),
        exit |cx, _scope: Word| absent(cx, "replay");
}
