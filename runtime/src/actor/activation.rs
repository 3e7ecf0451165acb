//! One run of an agent: its messages one after another, on one coroutine, until there are none or the budget is spent.
//!
//! Never: two runs of one agent at a time (the mailbox's flag sees to it), or a message begun before the one before it ended.
//! Each message is the unit of commit: its changes of state stay if it ends well and go if it faults (L-72).

use crate::actor::config::AgentConfig;
use crate::actor::instance::Instance;
use crate::actor::kind::{AgentType, Behavior};
use crate::actor::lifecycle;
use crate::actor::mailbox::Next;
use crate::actor::message::Message;
use crate::actor::redefine;
use crate::actor::reference::AgentRef;
use crate::actor::refuse;
use crate::actor::selector::Selector;
use crate::actor::slab::{Activity, Slot};
use crate::actor::supervisor::Verdict;
use crate::context::Cx;
use crate::context::Serving;
use crate::context::sink::Emission;
use crate::coord::decision::Draft;
use crate::coord::work::Work;
use crate::fault::{Fault, code};
use crate::ledger::quota::{LimitKind, LimitNode};
use crate::sched::coroutine::Job;
use crate::sched::queue::Runnable;
use crate::sched::timer::Action;
use crate::telemetry::event::{Actor, Kind, MessageId};
use crate::value::dying;
use crate::value::owned::Owned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Messages a run handles before others have their turn.
const BUDGET: u32 = 256;

/// The body of an agent's coroutine.
pub(crate) fn run(cx: &mut Cx, agent: AgentRef) {
    let world = Arc::clone(&cx.world);
    let Some(slot) = world.agents().slot(agent.slot) else { return };
    if !hold(cx, slot, agent) {
        return;
    }
    for _ in 0..BUDGET {
        if world.scheduler().is_closing() {
            break;
        }
        if !is_ready(cx) && !initialise(cx, slot) {
            return lifecycle::end(cx, agent);
        }
        match slot.mailbox.next() {
            Next::Message(message, room) => {
                room.iter().for_each(crate::context::waker::Waker::wake);
                if !handle(cx, slot, *message) {
                    return lifecycle::end(cx, agent);
                }
            }
            Next::Held(since) => wait_in_order(cx, slot, since),
            Next::Stop => return lifecycle::end(cx, agent),
            Next::Nothing => {
                if rest(cx, slot) {
                    return;
                }
                if !hold(cx, slot, agent) {
                    return;
                }
            }
        }
    }
    if let Some(instance) = let_go(cx) {
        slot.put_instance(instance);
    }
    slot.set_activity(Activity::Idle);
    if !world.scheduler().is_closing() {
        world.scheduler().push_back(Runnable::Start(Job::Agent(agent)));
    }
}

/// Takes the agent for this run.
fn hold(cx: &mut Cx, slot: &Slot, agent: AgentRef) -> bool {
    let Some(mut instance) = slot.take_instance() else { return false };
    cx.fields = instance.fields_mut().as_mut_ptr();
    cx.serving = Serving {
        agent: Some(agent),
        name: Arc::clone(&instance.kind.name),
        actor: instance.actor,
        message: MessageId::NONE,
        cause: MessageId::NONE,
        born: 0,
    };
    cx.begin_serving(cx.world.generation());
    cx.instance = Some(instance);
    slot.set_activity(Activity::Running);
    true
}

///
/// Before it: what died here may share parts with the agent's state, which its next run counts on another worker.
pub(crate) fn let_go(cx: &mut Cx) -> Option<Box<Instance>> {
    while !dying::free_some(dying::SLICE) {
        cx.give_turn();
    }
    cx.fields = null_mut();
    cx.instance.take()
}

/// Puts the agent back, idle; false if a message came meanwhile.
fn rest(cx: &mut Cx, slot: &Slot) -> bool {
    slot.set_activity(Activity::Idle);
    if let Some(instance) = let_go(cx) {
        slot.put_instance(instance);
    }
    slot.mailbox.try_rest()
}

/// How long a replay waits for the message that was handled next when it was recorded: with a virtual clock until nothing else
/// is left to happen, as time passes only then.
const VIRTUAL_PATIENCE_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;
const PATIENCE_NS: u64 = 5_000_000_000;

/// Waits until another message comes. If none does, what is replayed is another program by now, and the order is given up.
fn wait_in_order(cx: &mut Cx, slot: &Slot, since: u64) {
    let world = Arc::clone(&cx.world);
    let patience = if world.clock().is_virtual() { VIRTUAL_PATIENCE_NS } else { PATIENCE_NS };
    let until_ns = world.clock().monotonic_ns().saturating_add(patience);
    let waker = cx.waker();
    let timer = world.scheduler().set_timer(until_ns, Action::Wake(waker.clone()));
    while !world.scheduler().is_closing() && !slot.mailbox.has_news(since, &waker) {
        if world.clock().monotonic_ns() >= until_ns {
            slot.mailbox.give_order_up();
            break;
        }
        cx.rest_until_woken();
    }
    world.scheduler().timers().cancel(timer);
}

fn is_ready(cx: &Cx) -> bool {
    cx.instance.as_ref().is_some_and(|instance| instance.is_ready)
}

/// Runs the initialisers and reads the configuration; false if they fault, which ends the agent.
fn initialise(cx: &mut Cx, slot: &Slot) -> bool {
    let Some(instance) = &cx.instance else { return false };
    let (kind, inputs, spawner) =
        (Arc::clone(&instance.kind), instance.inputs(), instance.spawner.clone());
    cx.audience = spawner;
    cx.globals = Some(cx.world.globals().snapshot());
    cx.restart_steps();
    begin_start(cx, &kind);
    let done = guarded(cx, |cx| {
        let config = read_config(cx, &kind, inputs.clone())?;
        let state = redefine::initial_state(cx, &kind, inputs)?;
        if let Some(instance) = &mut cx.instance {
            instance.config = config;
            instance.set_state(state);
        }
        Some(())
    });
    cx.close_scopes(0);
    if done.is_none() {
        let fault = cx.take_fault();
        cx.record(Kind::Fault);
        // Every request gets it, now or later (L-76); who awaits one of them is told that way.
        if let Some(agent) = cx.serving.agent {
            slot.fail(agent.generation, fault.clone());
        }
        if !slot.mailbox.holds_request() && !cx.is_ended() {
            escalate(cx, fault);
        }
    }
    if kind.is_orchestration {
        cx.record(Kind::End);
        cx.serving.message = MessageId::NONE;
    }
    slot.set_activity(Activity::Running);
    done.is_some()
}

/// The own statements of an orchestration are traced like a message that nobody sent.
fn begin_start(cx: &mut Cx, kind: &AgentType) {
    if !kind.is_orchestration {
        return;
    }
    let telemetry = cx.world.telemetry();
    let id = telemetry.next_message(cx.world.scheduler());
    let label = Actor::new(Selector::of("start").0);
    telemetry.record_all(cx.world.scheduler(), &[(Kind::Name, label, id)]);
    cx.serving.message = id;
    cx.record(Kind::Begin);
}

/// The outer `None` is a Fault, the inner one an agent without configuration.
fn read_config(
    cx: &mut Cx,
    kind: &AgentType,
    inputs: Vec<Owned>,
) -> Option<Option<Arc<AgentConfig>>> {
    let Some(function) = kind.config else { return Some(None) };
    let record = cx.call_owned(function, inputs).ok()?;
    match crate::value::json::to_json(record.value(), record.shape()) {
        Ok(json) => {
            if let Some(wrong) = refuse::wrong(&json) {
                cx.fail(code::INVALID_CONVERSION, format!("`{}`: {wrong}", kind.name));
                return None;
            }
            Some(Some(Arc::new(AgentConfig::read(&kind.name, &json))))
        }
        Err(_) => {
            cx.fail(code::INTERNAL, "the configuration of the agent has no JSON form");
            None
        }
    }
}

/// Handles one message to its end; false if the agent is to stop.
fn handle(cx: &mut Cx, slot: &Slot, message: Message) -> bool {
    if let Some(reply) = &message.reply
        && let Some(reason) = reply.reason()
    {
        reply.finish(Err(reason.fault()));
        return true;
    }
    // Refused while it was queued: whoever asked has gone on.
    if message.reply.as_ref().is_some_and(|reply| !reply.begin()) {
        return true;
    }
    let Some(message) = cx.world.refuse_ended(message) else { return true };
    begin(cx, &message);
    cx.relay(&message);
    redefine::refresh(cx, slot, &message);
    let reply = message.reply.clone();
    let behavior = message.selector;
    let result = perform(cx, message);
    // Limits and leases end before the reply can be seen.
    cx.close_scopes(0);
    cx.note_decision(&result);
    let blame = blame(cx, reply.as_deref(), behavior, &result);
    cx.set_work(None);
    let go_on = finish(cx, slot, reply, result, blame);
    cx.record(Kind::End);
    cx.count_busy();
    cx.serving.message = MessageId::NONE;
    cx.serving.cause = MessageId::NONE;
    go_on
}

/// The context of the message: for whom, within which limits, seeing which globals.
fn begin(cx: &mut Cx, message: &Message) {
    cx.serving.message = message.id;
    cx.serving.cause = message.cause;
    cx.begin_serving(message.born);
    cx.begin_busy();
    cx.record(Kind::Begin);
    cx.limits.clone_from(&message.limits);
    cx.globals = Some(cx.world.globals().snapshot());
    if let Some(reply) = &message.reply {
        cx.audience = reply.audience().clone();
    } else if let Some(instance) = &cx.instance {
        cx.audience = instance.spawner.clone();
    }
    cx.audience.track.clone_from(&message.track);
    cx.set_work(message.reply.clone());
    cx.restart_steps();
}

fn perform(cx: &mut Cx, message: Message) -> Result<Owned, Box<Fault>> {
    let kind = cx.instance.as_ref().map(|instance| Arc::clone(&instance.kind));
    let found = kind.as_ref().filter(|kind| redefine::accepts(kind, &message));
    let Some(behavior) = found.and_then(|kind| kind.behavior(message.selector)) else {
        let text = format!(
            "`{}` has no behavior `{}` (any more)",
            cx.serving.name,
            message.selector.name()
        );
        return Err(Box::new(Fault::new(code::BROKEN_DEFINITION, text)));
    };
    bind_limits(cx, behavior);
    if behavior.attributes.is_critical && cx.enter_section(&cx.serving.name.clone()).is_err() {
        return Err(cx.take_fault());
    }
    if behavior.attributes.is_decision {
        let names = behavior.params.iter().map(|param| &param.name);
        cx.decision = Some(Draft::new(&behavior.name, names.zip(&message.payload)));
    }
    let (function, payload) = (behavior.function, message.payload);
    let computes = behavior.attributes.is_cpu_intensive;
    if computes {
        cx.enter_compute();
    }
    let result = guarded(cx, |cx| cx.call_owned(function, payload).ok());
    if computes {
        cx.leave_compute();
    }
    let shared = result.and_then(|value| cx.crossing_whole(value).ok());
    shared.ok_or_else(|| cx.take_fault())
}

/// The agent's own quotas and the bound of this decision, inside what the request carries.
fn bind_limits(cx: &mut Cx, behavior: &Behavior) {
    let config = cx.instance.as_ref().and_then(|instance| instance.config.clone());
    if let Some(config) = config {
        cx.limits = config.limits(cx.limits.take(), &behavior.name);
    } else if behavior.attributes.is_decision {
        // What it costs is recorded.
        let name = LimitKind::Decision(format!("{}.{}", cx.serving.name, behavior.name).into());
        cx.limits = Some(LimitNode::counter(cx.limits.take(), name));
    }
}

/// A panic is a mistake of ours: it ends this message as R0999 and nothing else.
fn guarded<T>(cx: &mut Cx, body: impl FnOnce(&mut Cx) -> Option<T>) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(|| body(cx))) {
        Ok(result) => result,
        Err(_) => {
            cx.fail(code::INTERNAL, "a mistake in ag; please report it");
            None
        }
    }
}

/// Whether the agent itself is to blame for a Fault, or the request: its cancellation, the limits it carries, a
/// `requires` it breaks (L-76).
fn blame(
    cx: &Cx,
    reply: Option<&Work>,
    behavior: Selector,
    result: &Result<Owned, Box<Fault>>,
) -> bool {
    let (Err(fault), Some(reply)) = (result, reply) else {
        return result.is_err() && !cx.is_ended();
    };
    let carried = [code::MONEY, code::TIME, code::TOKENS].contains(&fault.code);
    let is_unasked = carried || is_broken_request(fault, &cx.serving.name, behavior);
    !(cx.is_cancelled() || reply.reason().is_some() || is_unasked)
}

/// Whether the Fault is a `requires` of the behavior itself, and not one that it broke further down.
fn is_broken_request(fault: &Fault, agent: &str, behavior: Selector) -> bool {
    let told = |key: &str| fault.data.get(key).and_then(|value| value.as_str());
    let own = told("of").and_then(|of| of.strip_prefix(agent)?.strip_prefix('.'));
    fault.code == code::CONTRACT
        && told("clause") == Some("requires")
        && own == Some(&*behavior.name())
        && fault.chain.len() <= 1
}

/// Commits or rolls back, answers, and does what supervision says; false if the agent is to stop.
fn finish(
    cx: &mut Cx,
    slot: &Slot,
    reply: Option<Arc<Work>>,
    result: Result<Owned, Box<Fault>>,
    to_blame: bool,
) -> bool {
    let faulted = result.is_err();
    let is_ended = faulted && cx.is_ended();
    if let Some(instance) = &mut cx.instance {
        if faulted { instance.roll_back() } else { instance.commit() }
    }
    if faulted {
        slot.faults.fetch_add(1, Ordering::Relaxed);
        cx.record(Kind::Fault);
    }
    match (reply, result) {
        (Some(reply), result) => {
            // Whoever ends it from outside knows.
            if is_ended {
                reply.ignore();
            }
            cx.record(Kind::Reply);
            let deadlock = result.as_ref().is_err_and(|fault| fault.code == code::DEADLOCK);
            reply.finish(result);
            if deadlock {
                cx.world.scheduler().look_for_cancellation();
            }
        }
        (None, Err(fault)) if !is_ended => escalate(cx, fault),
        (None, _) => {}
    }
    !to_blame || supervise(cx, slot)
}

fn supervise(cx: &mut Cx, slot: &Slot) -> bool {
    let now_ns = cx.world.clock().monotonic_ns();
    let Some(instance) = &mut cx.instance else { return false };
    let supervise = instance.supervise;
    match instance.restarts.decide(supervise, now_ns) {
        Verdict::GoOn => true,
        Verdict::Stop => false,
        Verdict::Restart => {
            instance.is_ready = false;
            initialise(cx, slot)
        }
    }
}

/// A Fault nobody awaits: shown by the cell it concerns. The end of the session is no news.
fn escalate(cx: &mut Cx, fault: Box<Fault>) {
    if cx.world.scheduler().is_closing() {
        return;
    }
    let source = Arc::clone(&cx.serving.name);
    cx.audience.emit(Emission::Fault { source, fault });
}
