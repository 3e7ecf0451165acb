//! A recording under way, or one that is fed back.
//!
//! Never: a file; whoever opens and closes a tape reads and writes the text. A closed tape keeps what it has and takes no part
//! in anything that happens afterwards.

use crate::fault::{Fault, code};
use crate::journal::fingerprint::Fingerprint;
use crate::journal::line::{self, Failure, Line, Order, Recorded, short};
use crate::journal::secret::Secrets;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Questions inside of effects: a replay of those effects asks nobody.
const PERMISSIONS: &[&str] = &["human.allow.net", "human.allow.fs"];

/// After so long, what a recording says was cancelled is a mismatch.
pub const PATIENCE_NS: u64 = 60_000_000_000;
/// The same where it says nothing, which is most often a mistake that should be told soon.
pub const ABSENT_NS: u64 = 1_000_000_000;

/// What a tape says of an effect that is about to happen.
#[derive(Debug)]
pub enum Found {
    /// Let it happen.
    Live,
    /// What it gave when it was recorded.
    Given(Box<Line>),
    /// Nothing more of this strand: whoever began it may have been cancelled before it came here. R0801 if that does not happen
    /// again within [`ABSENT_NS`].
    Absent(Box<Fault>),
    /// R0801: the recording holds something else here, or nothing.
    Differs(Box<Fault>),
}

/// The tapes of this process.
static TAPES: AtomicU64 = AtomicU64::new(0);

pub struct Tape {
    /// Another for each tape of the process.
    id: u64,
    /// What it is called in messages: the file as the program wrote it.
    name: Box<str>,
    /// None: a recording. Else the effects that happen all the same, by the beginnings of their paths.
    live: Option<Vec<String>>,
    // Written by `close`; whoever reads a stale answer ends within the moment in which it was closed.
    closed: AtomicBool,
    // Written by whoever begins a block or a statement; only the order of one session's statements matters.
    roots: AtomicU64,
    // Written by whoever finds that messages cannot come as they were recorded; a stale answer makes one wait longer.
    disordered: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of a recording.
    lines: Vec<Line>,
    /// Effects under way, as they are written down if the recording ends before them: nobody used what they gave.
    under_way: BTreeMap<u64, Line>,
    secrets: Secrets,
    /// Of a replay: what is left of each strand, in its order.
    strands: FxHashMap<u64, VecDeque<Line>>,
    /// Of a recording: which message was handled after which.
    orders: Vec<Order>,
    /// The same of a replay, by the message.
    after: FxHashMap<u64, u64>,
}

impl Tape {
    #[must_use]
    pub fn recording(name: &str) -> Arc<Self> {
        Self::build(name, None, State::default())
    }

    /// Feeds a recording back; the error says what is wrong with the text.
    pub fn replaying(name: &str, text: &str, live: Vec<String>) -> Result<Arc<Self>, String> {
        let Recorded { mut lines, orders } = line::read(text)?;
        lines.sort_by_key(|line| line.sequence);
        let after = orders.iter().map(|order| (order.message, order.after)).collect();
        let mut state = State { after, ..State::default() };
        let is_kept =
            |line: &Line| !is_live(&live, &line.path) && !PERMISSIONS.contains(&&*line.path);
        for line in lines.into_iter().filter(is_kept) {
            state.strands.entry(line.strand).or_default().push_back(line);
        }
        Ok(Self::build(name, Some(live), state))
    }

    fn build(name: &str, live: Option<Vec<String>>, state: State) -> Arc<Self> {
        Arc::new(Self {
            id: TAPES.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            live,
            closed: AtomicBool::new(false),
            roots: AtomicU64::new(0),
            disordered: AtomicBool::new(false),
            state: Mutex::new(state),
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.live.is_none()
    }

    pub(super) fn next_root(&self) -> u64 {
        self.roots.fetch_add(1, Ordering::Relaxed)
    }

    /// Ends its part in what happens. False if it had ended before.
    pub fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::Relaxed)
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The recording so far, as the text of a file, without what must not be written.
    #[must_use]
    pub fn text(&self) -> String {
        let state = self.state.lock();
        let under_way = state.under_way.values().zip(state.lines.len() as u64..);
        let under_way = under_way.map(|(line, sequence)| Line { sequence, ..line.clone() });
        let lines = state.lines.iter().cloned().chain(under_way);
        let lines = lines.map(|line| state.secrets.hide(&line)).collect();
        line::write(&Recorded { lines, orders: state.orders.clone() })
    }

    /// How many effects were recorded, or are left to replay.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.state.lock();
        state.lines.len()
            + state.under_way.len()
            + state.strands.values().map(VecDeque::len).sum::<usize>()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Effects of the recording that nobody asked for, as a sentence; none if all were.
    #[must_use]
    pub fn left_over(&self) -> Option<String> {
        self.live.as_ref()?;
        let state = self.state.lock();
        // What was cancelled there may not even have begun here.
        let left = state.strands.values().flatten();
        let left = left.filter(|line| !matches!(line.end, Err(Failure::Cancelled)));
        let Some(first) = left.clone().min_by_key(|line| line.sequence) else {
            let is_told = self.disordered.load(Ordering::Relaxed) && !state.after.is_empty();
            return is_told.then(|| {
                let name = self.name();
                format!("the replay of `{name}` has ended, and messages did not come in the order that was recorded")
            });
        };
        let (count, name) = (left.count(), self.name());
        let effects = if count == 1 { "effect of it was" } else { "effects of it were" };
        Some(format!(
            "the replay of `{name}` has ended, and {count} {effects} not asked for; the first: {}, line {}",
            first.shown(),
            first.sequence + 2,
        ))
    }

    pub(super) fn note(&self, line: Line) {
        if !self.is_recording() || self.is_closed() {
            return;
        }
        let mut state = self.state.lock();
        let sequence = state.lines.len() as u64;
        state.secrets.learn(&line);
        state.lines.push(Line { sequence, ..line });
    }

    pub(super) fn begin(&self, number: u64, line: Line) {
        if self.is_recording() && !self.is_closed() {
            self.state.lock().under_way.insert(number, line);
        }
    }

    /// It ended, and is noted if the recording has not ended before.
    pub(super) fn end(&self, number: u64) {
        if !self.is_closed() {
            self.state.lock().under_way.remove(&number);
        }
    }

    #[must_use]
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// That a message was handled directly after another of its mailbox.
    pub(super) fn note_order(&self, message: u64, after: u64) {
        if self.is_recording() && !self.is_closed() {
            self.state.lock().orders.push(Order { message, after });
        }
    }

    /// The message that was handled directly before this one, if a replay knows and keeps to it.
    pub(super) fn before(&self, message: u64) -> Option<u64> {
        let keeps = !self.is_recording() && !self.is_closed();
        if !keeps || self.disordered.load(Ordering::Relaxed) {
            return None;
        }
        self.state.lock().after.get(&message).copied()
    }

    /// From here on messages are handled as they come.
    pub(super) fn give_order_up(&self) {
        self.disordered.store(true, Ordering::Relaxed);
    }

    pub(super) fn replays(&self, path: &str) -> bool {
        let live = self.live.as_ref();
        live.is_some_and(|live| !is_live(live, path)) && !self.is_closed()
    }

    pub(super) fn find(&self, strand: u64, path: &str, fingerprint: Fingerprint) -> Found {
        if !self.replays(path) {
            return Found::Live;
        }
        let mut state = self.state.lock();
        let left = state.strands.entry(strand).or_default();
        let fits = |line: &Line| *line.path == *path && line.fingerprint == fingerprint;
        if left.front().is_some_and(fits)
            && let Some(line) = left.pop_front()
        {
            return Found::Given(Box::new(Secrets::reveal(line)));
        }
        let expected = left.front().cloned();
        drop(state);
        if expected.is_none() {
            return Found::Absent(Box::new(self.mismatch(None, path, fingerprint)));
        }
        // Who ends here sends nothing any more, and nobody should wait for it.
        self.give_order_up();
        Found::Differs(Box::new(self.mismatch(expected, path, fingerprint)))
    }

    fn mismatch(&self, expected: Option<Line>, path: &str, fingerprint: Fingerprint) -> Fault {
        let actual = format!("`{path}` ({})", short(fingerprint));
        let name = self.name();
        let message = match &expected {
            None => format!("the program asks for {actual}, and `{name}` has nothing more here"),
            Some(line) if *line.path == *path => format!(
                "the program asks for {actual}, and `{name}` has {} here: the same effect with other inputs",
                line.shown()
            ),
            Some(line) => {
                format!("the program asks for {actual}, and `{name}` has {} here", line.shown())
            }
        };
        let expected = expected.map(|line| {
            json!({
                "path": &*line.path,
                "fingerprint": line.fingerprint.to_string(),
                "sequence": line.sequence,
            })
        });
        let actual = json!({ "path": path, "fingerprint": fingerprint.to_string() });
        let data = json!({ "file": name, "expected": expected, "actual": actual });
        Fault::new(code::REPLAY, message).with_data(data)
    }
}

/// Whether a path is one of these effects or inside of one: `tool` covers `tool.Broker.execute`.
fn is_live(live: &[String], path: &str) -> bool {
    live.iter().any(|live| {
        path.strip_prefix(live.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tape({}, {} effects)", self.name, self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Tape, is_live};
    use crate::journal::effect::Payload;
    use crate::journal::fingerprint::Fingerprint;
    use crate::journal::line::Failure;
    use crate::journal::track::Track;
    use serde_json::json;

    fn recorded() -> String {
        let tape = Tape::recording("a");
        let root = Track::root(&tape, None);
        let task = root.child().unwrap();
        let print = Fingerprint::of_text("p");
        task.note("llm", print, &Ok(Payload::free(json!("hi"))), 5);
        root.note("random", print, &Ok(Payload::free(json!(0.5))), 0);
        root.note("net", print, &Err(Failure::Cancelled), 0);
        tape.text()
    }

    #[test]
    fn each_strand_gets_its_own_effects_in_its_own_order() {
        let tape = Tape::replaying("a", &recorded(), Vec::new()).unwrap();
        let root = Track::root(&tape, None);
        let task = root.child().unwrap();
        let print = Fingerprint::of_text("p");
        let given = |found| match found {
            Found::Given(line) => line.end.map(|payload| payload.value),
            other => panic!("{other:?}"),
        };
        assert_eq!(given(root.find("random", print)), Ok(json!(0.5)));
        assert_eq!(given(root.find("net", print)), Err(Failure::Cancelled));
        assert!(tape.left_over().unwrap().contains("1 effect of it was not asked for"));
        let Found::Differs(fault) = task.find("llm", Fingerprint::of_text("q")) else { panic!() };
        assert_eq!(fault.code, "R0801");
        assert!(fault.message.contains("with other inputs"), "{fault}");
        assert_eq!(given(task.find("llm", print)), Ok(json!("hi")));
        assert_eq!(tape.left_over(), None);
        assert!(matches!(task.find("llm", print), Found::Absent(_)));
    }

    #[test]
    fn what_is_named_live_happens() {
        let tape = Tape::replaying("a", &recorded(), vec!["llm".into()]).unwrap();
        let root = Track::root(&tape, None);
        let print = Fingerprint::of_text("p");
        assert!(matches!(root.child().unwrap().find("llm", print), Found::Live));
        assert!(!root.replays("llm") && root.replays("random"));
        assert_eq!(tape.len(), 2);
        let live = ["tool.Broker".to_owned()];
        assert!(is_live(&live, "tool.Broker.execute") && !is_live(&live, "tool.BrokerAPI.execute"));
        tape.close();
        assert!(matches!(root.find("random", print), Found::Live));
    }
}
