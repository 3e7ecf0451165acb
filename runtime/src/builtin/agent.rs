//! Agents, tasks, channels and waiting: the rows of section 11 whose bodies act on the scheduler.
//!
//! `spawn`, `signal` and `skill` are rows for the checker and the documentation: compiled code knows the agent's type and
//! behavior and calls `Cx::spawn`, `Cx::signal` and the skill itself.

use crate::builtin::cost::depth;
use crate::builtin::declare::{Moved, Word, absent, builtins};
use crate::value::shape::ShapeId;

builtins! {
    /// Starts an agent and gives a reference to it. Its skills and tools are what is given here by name, else their default, else what has their name.
    call "spawn" "(agent: A, supervise: Supervise = escalate) -> AgentRef<A>"
        example "let trader := @spawn(TradingAgent)" => ""
        effects ["spawn"] form Spawn
        = |cx| absent(cx, "spawn");
    /// Sends a message without a reply. `Err(Backpressure(len))` when the mailbox is above high water.
    call "signal" "(r: AgentRef<A>, m: M) -> Result<Unit, Backpressure>"
        example "@signal(desk, Alert(\"halt\"))" => "Ok(())"
        effects ["send"] form Signal
        = |cx| absent(cx, "signal");
    /// Stops an agent after its current message; queued requests end with R0704.
    call "stop" "(r: AgentRef<A>) -> Unit"
        example "@stop(trader)" => ""
        effects ["send"] form Stop
        = |cx, agent: Word, _kind: ShapeId| {
            cx.stop_agent(agent.0);
            Ok(())
        };
    /// Waits for a Future's value; re-raises the other side's Fault.
    call "await" "(f: Future<T>) -> T"
        example "await trader.trade_decision(signal)" => "Decision.Hold"
        effects ["suspend"] form Await
        = |cx, future: Word, _value: ShapeId| {
            cx.await_future(future.0).map(|value| Moved(value.into_word()))
        };
    /// Calls a skill of the agent; the same as `s(args...)`, traced as a skill.
    call "skill" "(s: F) -> R"
        example "@skill(analyze_market, signal.symbol)" => "MarketAnalysis { trend: Trend.Up, volatility: 0.2 }"
        form Skill
        = |cx| absent(cx, "skill");
    /// Waits, giving the worker back.
    call "sleep" "(d: Duration) -> Unit"
        example "@sleep(10ms)" => ""
        effects ["suspend", "clock"]
        = |cx, duration: i64| cx.pass_time(duration);
    /// Remembers variables, those of the session too, agent state and unsent messages under a label.
    label "checkpoint" "() -> Unit"
        example "@checkpoint current_state" => ""
        form Checkpoint
        = |cx| Ok(Moved(cx.checkpoint()));
    /// Restores what the label's checkpoint remembered; does not jump.
    label "rollback" "() -> Unit"
        example "@rollback current_state" => ""
        form Rollback
        = |cx, mark: Word| cx.roll_back(mark.0);
    /// Compile at the second tier on the first call.
    attribute "hot_path" "() -> Unit"
        example "@hot_path" => "" form Attribute
        = |cx| absent(cx, "hot_path");
    /// Inline this function: always, never or as a hint.
    attribute "inline" "(mode: Inline) -> Unit"
        example "@inline(always)" => "" form Attribute
        = |cx| absent(cx, "inline");
    /// Keep profiles of lanes, branches and types.
    attribute "profile_guided" "() -> Unit"
        example "@profile_guided" => "" form Attribute
        = |cx| absent(cx, "profile_guided");
    /// Messages and memory writes of the function wait until it returns; what could not be undone is refused.
    attribute "speculative" "() -> Unit"
        example "@speculative" => "" form Attribute
        = |cx| Ok(depth(cx.speculate())),
        exit |cx, scope: i64| cx.commit(usize::try_from(scope).unwrap_or(0));
    /// How the agent is placed: fair, or predictive by its measured profile.
    attribute "schedule" "(strategy: Strategy) -> Unit"
        example "@schedule(strategy: predictive)" => "" form Attribute
        = |cx| absent(cx, "schedule");
    /// Priority of a behavior's or agent's messages.
    attribute "priority" "(level: Priority) -> Unit"
        example "@priority(high)" => "" form Attribute
        = |cx| absent(cx, "priority");
    /// Run on the compute workers.
    attribute "cpu_intensive" "() -> Unit"
        example "@cpu_intensive" => "" form Attribute
        = |cx| absent(cx, "cpu_intensive");
    /// Capacity of the agent's mailbox, 10 to 50_000.
    attribute "mailbox" "(n: Int) -> Unit"
        example "@mailbox(5_000)" => "" form Attribute
        = |cx| absent(cx, "mailbox");
    /// The widest vector unit wanted; to the end of the block or function.
    hint "simd" "(unit: Simd) -> Unit"
        example "@simd(avx512)" => "" form Hint
        = |cx| absent(cx, "simd");
    /// The tool method changes nothing outside.
    attribute "read_only" "() -> Unit"
        example "@read_only" => "" form Attribute
        = |cx| absent(cx, "read_only");
    /// Doing it twice is doing it once.
    attribute "idempotent" "() -> Unit"
        example "@idempotent" => "" form Attribute
        = |cx| absent(cx, "idempotent");
    /// The tool method cannot be undone: the person is asked first.
    attribute "destructive" "() -> Unit"
        example "@destructive" => "" form Attribute
        = |cx| absent(cx, "destructive");
    /// Using it is W0202 with this advice.
    attribute "deprecated" "(advice: Text) -> Unit"
        example "@deprecated(\"use x\")" => "" form Attribute
        = |cx| absent(cx, "deprecated");
}
