//! The door ([`EffectJournal::effect`]) and the list of what passed it.
//!
//! An effect is named by its path (`llm`, `tool.BrokerAPI.execute`, `memory.write`, ...) and the fingerprint of its inputs;
//! what it gives is JSON, because a recording must be able to stand in for it. Never: making the effect happen by itself.

use crate::clock::Clock;
use crate::fault::Fault;
use crate::journal::fingerprint::Fingerprint;
use crate::journal::line::Failure;
use crate::journal::tape::Tape;
use crate::journal::track::Track;
use crate::ledger::money::MicroUsd;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many effects are kept for `:trace`; older ones are forgotten, a recording is a file.
const KEPT: usize = 10_000;

/// Bytes of one text the list keeps: it must stay small beside what the program itself holds.
const KEPT_TEXT: usize = 64 * 1024;

/// What the outside gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    pub value: Value,
    pub cost: MicroUsd,
}

impl Payload {
    #[must_use]
    pub fn free(value: Value) -> Self {
        Self { value, cost: MicroUsd::ZERO }
    }
}

/// One effect: a line of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectRecord {
    pub sequence: u64,
    pub path: Arc<str>,
    pub fingerprint: Fingerprint,
    /// `None` if the effect ended with a Fault, whose text is in `fault`.
    pub payload: Option<Payload>,
    pub fault: Option<String>,
}

/// Is told of every effect, right after it happened.
pub type Listener = Arc<dyn Fn(&EffectRecord) + Send + Sync>;

/// What has passed the door of one session.
#[derive(Default)]
pub struct EffectJournal {
    log: Mutex<Log>,
    listener: Option<Listener>,
    /// What the statements of the session are recorded on or replayed from.
    session: Mutex<Option<Arc<Tape>>>,
}

#[derive(Default)]
struct Log {
    next: u64,
    records: VecDeque<EffectRecord>,
}

impl EffectJournal {
    #[must_use]
    pub fn new(listener: Option<Listener>) -> Self {
        Self { log: Mutex::default(), listener, session: Mutex::default() }
    }

    /// The tape of whatever statement begins next.
    #[must_use]
    pub fn session(&self) -> Option<Arc<Tape>> {
        self.session.lock().clone()
    }

    /// Gives the tape before.
    pub fn set_session(&self, tape: Option<Arc<Tape>>) -> Option<Arc<Tape>> {
        std::mem::replace(&mut *self.session.lock(), tape)
    }

    /// The effects kept, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<EffectRecord> {
        self.log.lock().records.iter().cloned().collect()
    }

    /// How many effects there have been.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.log.lock().next
    }

    /// Announces an effect. Its result must be given to [`Pending::done`] or [`Pending::failed`].
    pub fn begin(self: &Arc<Self>, path: &str, fingerprint: Fingerprint) -> Pending {
        Pending { journal: Arc::clone(self), path: path.into(), fingerprint, noting: None }
    }

    /// The door: makes the effect happen by `run`, notes it and hands on what it gave.
    pub fn effect<E: fmt::Display>(
        self: &Arc<Self>,
        path: &str,
        fingerprint: Fingerprint,
        run: impl FnOnce() -> Result<Payload, E>,
    ) -> Result<Payload, E> {
        let pending = self.begin(path, fingerprint);
        match run() {
            Ok(payload) => {
                pending.done(payload.clone());
                Ok(payload)
            }
            Err(error) => {
                pending.failed(&error);
                Err(error)
            }
        }
    }

    fn write(&self, path: Arc<str>, fingerprint: Fingerprint, end: Result<Payload, String>) -> u64 {
        let (payload, fault) = match end {
            Ok(payload) => (Some(payload), None),
            Err(fault) => (None, Some(fault)),
        };
        let mut log = self.log.lock();
        let record = EffectRecord { sequence: log.next, path, fingerprint, payload, fault };
        log.next += 1;
        if log.records.len() == KEPT {
            log.records.pop_front();
        }
        log.records.push_back(kept(&record));
        drop(log);
        if let Some(listener) = &self.listener {
            listener(&record);
        }
        record.sequence
    }
}

/// What the list keeps of an effect: long texts (files, pages) only by their length. The listener was given all of it.
fn kept(record: &EffectRecord) -> EffectRecord {
    let payload = record.payload.as_ref();
    EffectRecord {
        sequence: record.sequence,
        path: Arc::clone(&record.path),
        fingerprint: record.fingerprint,
        payload: payload.map(|all| Payload { value: shortened(&all.value), cost: all.cost }),
        fault: record.fault.clone(),
    }
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > KEPT_TEXT => json!({ "text_of_bytes": text.len() }),
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), shortened(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

impl fmt::Debug for EffectJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EffectJournal({} effects)", self.count())
    }
}

/// An effect under way, for callers that wait between its start and its end.
#[must_use]
pub struct Pending {
    journal: Arc<EffectJournal>,
    path: Arc<str>,
    fingerprint: Fingerprint,
    noting: Option<Noting>,
}

impl Pending {
    /// Recordings around here are told of it, too.
    pub fn on(mut self, track: &Arc<Track>, clock: &Arc<dyn Clock>) -> Self {
        let (path, fingerprint) = (Arc::clone(&self.path), self.fingerprint);
        self.noting = Some(Noting::begin(track, clock, path, fingerprint));
        self
    }

    /// Gives the effect's sequence number.
    pub fn done(mut self, payload: Payload) -> u64 {
        if let Some(noting) = self.noting.take() {
            noting.end(&Ok(payload.clone()));
        }
        self.journal.write(self.path, self.fingerprint, Ok(payload))
    }

    /// It ended with this Fault.
    pub fn faulted(mut self, fault: &Fault) -> u64 {
        if let Some(noting) = self.noting.take() {
            noting.end(&Err(Failure::of(fault)));
        }
        self.failed(fault)
    }

    /// It gave nothing: `cancelled`, or why as text (`R0608: no answer`).
    pub fn failed(mut self, fault: &impl fmt::Display) -> u64 {
        let why = fault.to_string();
        if let Some(noting) = self.noting.take() {
            noting.end(&Err(Failure::of_text(&why)));
        }
        self.journal.write(Arc::clone(&self.path), self.fingerprint, Err(why))
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({})", self.path)
    }
}

/// Tells the recordings around an effect how it ended; dropped before its end, that it was cancelled.
pub struct Noting {
    track: Arc<Track>,
    clock: Arc<dyn Clock>,
    path: Arc<str>,
    fingerprint: Fingerprint,
    since_ns: u64,
    number: u64,
    is_over: bool,
}

/// The effects of this process that recordings were told of.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

impl Noting {
    #[must_use]
    pub fn begin(
        track: &Arc<Track>,
        clock: &Arc<dyn Clock>,
        path: Arc<str>,
        fingerprint: Fingerprint,
    ) -> Self {
        let since_ns = clock.monotonic_ns();
        let (track, clock) = (Arc::clone(track), Arc::clone(clock));
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        track.begin(number, &path, fingerprint);
        Self { track, clock, path, fingerprint, since_ns, number, is_over: false }
    }

    pub fn end(mut self, end: &Result<Payload, Failure>) {
        self.note(end);
    }

    fn note(&mut self, end: &Result<Payload, Failure>) {
        self.is_over = true;
        let took_ns = self.clock.monotonic_ns().saturating_sub(self.since_ns);
        self.track.end(self.number);
        self.track.note(&self.path, self.fingerprint, end, took_ns);
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        if !self.is_over {
            self.note(&Err(Failure::Cancelled));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EffectJournal, KEPT, Payload};
    use crate::journal::fingerprint::Fingerprint;
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn every_effect_is_noted_in_order_failed_ones_too() {
        let told = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&told);
        let listener = move |_: &super::EffectRecord| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let journal = Arc::new(EffectJournal::new(Some(Arc::new(listener))));
        let print = Fingerprint::of_json(&json!({"prompt": "hi"}));
        let given = journal.effect("llm", print, || Ok::<_, String>(Payload::free(json!("reply"))));
        assert_eq!(given, Ok(Payload::free(json!("reply"))));
        let failed = journal.effect("fs", print, || Err::<Payload, _>("R0112: gone"));
        assert_eq!(failed, Err("R0112: gone"));
        let records = journal.records();
        assert_eq!(records.iter().map(|r| r.sequence).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(&*records[0].path, "llm");
        assert_eq!(records[1].fault.as_deref(), Some("R0112: gone"));
        assert_eq!(told.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn of_a_long_text_the_list_keeps_the_length_and_the_listener_gets_all() {
        let told = Arc::new(AtomicU64::new(0));
        let bytes = Arc::clone(&told);
        let listener = move |record: &super::EffectRecord| {
            let body = record.payload.as_ref().and_then(|all| all.value["body"].as_str());
            bytes.store(body.map_or(0, str::len) as u64, Ordering::Relaxed);
        };
        let journal = Arc::new(EffectJournal::new(Some(Arc::new(listener))));
        let value = json!({"status": 200, "body": "x".repeat(super::KEPT_TEXT + 1)});
        journal.begin("net", Fingerprint::of_text("")).done(Payload::free(value));
        assert_eq!(told.load(Ordering::Relaxed), super::KEPT_TEXT as u64 + 1);
        let kept = journal.records()[0].payload.clone().unwrap().value;
        assert_eq!(kept, json!({"status": 200, "body": {"text_of_bytes": super::KEPT_TEXT + 1}}));
    }

    #[test]
    fn the_list_is_bounded_and_the_count_is_not() {
        let journal = Arc::new(EffectJournal::default());
        let print = Fingerprint::of_text("");
        for _ in 0..KEPT + 5 {
            journal.begin("clock", print).done(Payload::free(json!(1)));
        }
        assert_eq!(journal.records().len(), KEPT);
        assert_eq!(journal.count(), KEPT as u64 + 5);
        assert_eq!(journal.records()[0].sequence, 5);
    }
}
