//! From events to spans, waits and arrows.
//!
//! Never: guesses. What began before the window, or was overwritten, is left out or left open.

use crate::actor::selector::Selector;
use crate::telemetry::event::{Actor, Event, Kind, MessageId};
use crate::telemetry::snapshot::{Arrow, Ended, Mark, Snapshot, Span, Wait, WaitReason};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Fills the snapshot from the events of each worker (and, last, of the threads outside).
pub(crate) fn assemble(snapshot: &mut Snapshot, rings: &[Vec<Event>]) {
    let labels = labels(rings);
    for (worker, events) in rings.iter().enumerate() {
        add_spans(snapshot, worker, events, &labels);
    }
    // In the order of time; a stable sort, so that one worker's events keep their order.
    let mut all: Vec<Event> = rings.iter().flatten().copied().collect();
    all.sort_by_key(|event| event.time_ns);
    add_waits(snapshot, &all);
    add_messages(snapshot, rings, &all, &labels);
    add_replies(snapshot, &all);
    snapshot.messages.sort_by_key(|arrow| (arrow.sent_ns, arrow.message, arrow.is_reply));
}

/// The behavior each message asks for.
fn labels(rings: &[Vec<Event>]) -> FxHashMap<MessageId, Arc<str>> {
    let named = rings.iter().flatten().filter(|event| event.kind == Kind::Name);
    let mut names: FxHashMap<u32, Arc<str>> = FxHashMap::default();
    let label = |event: &Event| {
        let selector = event.actor.number();
        let name = names.entry(selector).or_insert_with(|| Selector(selector).name());
        (event.message, Arc::clone(name))
    };
    named.map(label).collect()
}

fn add_spans(
    snapshot: &mut Snapshot,
    worker: usize,
    events: &[Event],
    labels: &FxHashMap<MessageId, Arc<str>>,
) {
    let mut open: Option<Event> = None;
    let mut faulted = false;
    let last_ns = events.last().map_or(0, |event| event.time_ns);
    let close = |snapshot: &mut Snapshot, begun: Event, end_ns: u64, ended: Ended| {
        let Event { time_ns: begin_ns, actor, message, .. } = begun;
        let label = labels.get(&message).cloned().or_else(|| snapshot.plain_name(actor));
        let label = label.unwrap_or_else(|| "?".into());
        snapshot.spans.push(Span { worker, actor, message, label, begin_ns, end_ns, ended });
    };
    for &event in events {
        let Event { time_ns, kind, actor, message } = event;
        match kind {
            Kind::Begin | Kind::Resume => {
                open = Some(event);
                faulted = false;
            }
            Kind::End | Kind::Suspend | Kind::GiveWay => {
                let ended = match kind {
                    Kind::End if faulted => Ended::Fault,
                    Kind::End => Ended::Well,
                    _ => Ended::Paused,
                };
                if let Some(begun) = open.take().filter(|begun| begun.actor == actor) {
                    close(snapshot, begun, time_ns, ended);
                }
            }
            Kind::Cause | Kind::Send | Kind::Name | Kind::Reply => {}
            _ => {
                faulted |= kind == Kind::Fault;
                snapshot.marks.push(Mark { worker, kind, actor, message, time_ns });
            }
        }
    }
    if let Some(begun) = open {
        close(snapshot, begun, last_ns.max(begun.time_ns), Ended::Running);
    }
}

fn add_waits(snapshot: &mut Snapshot, all: &[Event]) {
    let mut reasons: FxHashMap<Actor, WaitReason> = FxHashMap::default();
    let mut open: FxHashMap<Actor, usize> = FxHashMap::default();
    for &Event { time_ns, kind, actor, message } in all {
        match kind {
            Kind::Begin | Kind::Resume => {
                reasons.insert(actor, WaitReason::Other);
                let wait = open.remove(&actor).and_then(|at| snapshot.waits.get_mut(at));
                if let Some(wait) = wait {
                    wait.end_ns = Some(time_ns);
                }
            }
            Kind::LaneBegin => {
                reasons.insert(actor, WaitReason::Lane);
            }
            Kind::MemoryRead | Kind::MemoryWrite => {
                reasons.insert(actor, WaitReason::Memory);
            }
            Kind::LeaseWait => {
                reasons.insert(actor, WaitReason::Lease);
            }
            Kind::LaneEnd => {
                reasons.insert(actor, WaitReason::Other);
            }
            Kind::Suspend => {
                let reason = reasons.get(&actor).copied().unwrap_or(WaitReason::Other);
                open.insert(actor, snapshot.waits.len());
                snapshot.waits.push(Wait {
                    actor,
                    message,
                    reason,
                    begin_ns: time_ns,
                    end_ns: None,
                });
            }
            _ => {}
        }
    }
}

fn add_messages(
    snapshot: &mut Snapshot,
    rings: &[Vec<Event>],
    all: &[Event],
    labels: &FxHashMap<MessageId, Arc<str>>,
) {
    let begins = all.iter().filter(|event| event.kind == Kind::Begin);
    let begun: FxHashMap<MessageId, u64> =
        begins.map(|event| (event.message, event.time_ns)).collect();
    for pair in rings.iter().flat_map(|events| events.windows(2)) {
        let [cause, send] = pair else { continue };
        if cause.kind != Kind::Cause || send.kind != Kind::Send {
            continue;
        }
        snapshot.messages.push(Arrow {
            message: send.message,
            is_reply: false,
            label: labels.get(&send.message).cloned().unwrap_or_else(|| "?".into()),
            sender: cause.actor,
            receiver: send.actor,
            sent_ns: send.time_ns,
            handled_ns: begun.get(&send.message).copied(),
            cause: cause.message,
        });
    }
}

/// A reply goes back along its request and counts as handled when the requester goes on.
fn add_replies(snapshot: &mut Snapshot, all: &[Event]) {
    let requests: FxHashMap<MessageId, usize> =
        snapshot.messages.iter().enumerate().map(|(at, arrow)| (arrow.message, at)).collect();
    let mut resumes: FxHashMap<Actor, Vec<u64>> = FxHashMap::default();
    for event in all.iter().filter(|event| event.kind == Kind::Resume) {
        resumes.entry(event.actor).or_default().push(event.time_ns);
    }
    for reply in all.iter().filter(|event| event.kind == Kind::Reply) {
        let request = requests.get(&reply.message).and_then(|&at| snapshot.messages.get(at));
        let Some(request) = request else { continue };
        let times = resumes.get(&request.sender).map_or(&[][..], Vec::as_slice);
        let next = times.partition_point(|&time_ns| time_ns < reply.time_ns);
        let arrow = Arrow {
            message: request.message,
            is_reply: true,
            label: Arc::clone(&request.label),
            sender: reply.actor,
            receiver: request.sender,
            sent_ns: reply.time_ns,
            handled_ns: times.get(next).copied(),
            cause: request.message,
        };
        snapshot.messages.push(arrow);
    }
}
