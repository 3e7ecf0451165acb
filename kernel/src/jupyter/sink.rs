//! Where the outputs of one cell go: iopub, as messages that answer its request.
//!
//! Prints are gathered for [`GATHER`] and sent before anything else is shown and before the cell is idle, so their order
//! holds and a loop of prints does not flood the front end. A cell sends at most one `error`; what its agents show
//! after it ended still goes to it, but a Fault is then only shown.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ag_runtime::context::sink::Question;
use jupyter_protocol::{ClearOutput, ErrorOutput, ExecuteInput, ExecutionCount, StreamContent};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::jupyter::sockets::Queue;
use crate::jupyter::stdin::Asker;
use crate::jupyter::wire::{Request, Signer};
use crate::output::bars::Bars;
use crate::output::{Display, Output, OutputSink, ProgressView};
use crate::render::{self, Failure, MimeBundle};

/// How long prints wait for more: below what an eye sees, above what a browser can draw.
const GATHER: Duration = Duration::from_millis(16);
/// Prints beyond this go at once: one huge message is slower to show than several.
const GATHER_BYTES: usize = 256 * 1024;

/// The ways from the session to its clients; clones share them.
#[derive(Clone)]
pub struct Iopub {
    pub signer: Signer,
    pub queue: Queue,
    asker: Asker,
    /// The cell that is running and shows something, if one is: set when it begins, cleared when it ends.
    running: Arc<Mutex<Option<Arc<Request>>>>,
}

impl Iopub {
    pub fn new(signer: Signer, queue: Queue, asker: Asker) -> Iopub {
        Iopub { signer, queue, asker, running: Arc::default() }
    }

    pub fn publish(&self, kind: &str, parent: Option<&Request>, content: &impl Serialize) {
        // Closed only while the kernel leaves.
        let _ = self.queue.send(self.signer.broadcast(kind, parent, content));
    }
}

/// The sink of one cell.
pub struct CellSink {
    iopub: Iopub,
    request: Arc<Request>,
    is_silent: bool,
    timer: Handle,
    me: Weak<CellSink>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    count: u32,
    gathered: Option<(Stream, String)>,
    is_timer_set: bool,
    has_ended: bool,
    failure: Option<Failure>,
    pages: Vec<MimeBundle>,
    bars: Bars,
    is_bar_timer_set: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

impl CellSink {
    pub fn new(
        iopub: Iopub,
        request: Arc<Request>,
        is_silent: bool,
        timer: Handle,
    ) -> Arc<CellSink> {
        if !is_silent {
            *iopub.running.lock() = Some(Arc::clone(&request));
        }
        let state = Mutex::new(State::default());
        Arc::new_cyclic(|me| CellSink { iopub, request, is_silent, timer, me: me.clone(), state })
    }

    /// Sends what is gathered. After this a Fault belongs to no running cell.
    pub fn end(&self) -> (Option<Failure>, Vec<MimeBundle>) {
        let mut state = self.state.lock();
        self.flush(&mut state);
        let held = state.bars.drain();
        held.into_iter().for_each(|view| self.show(&mut state, &Output::Progress(view)));
        state.has_ended = true;
        let mut running = self.iopub.running.lock();
        if running.as_ref().is_some_and(|other| Arc::ptr_eq(other, &self.request)) {
            *running = None;
        }
        drop(running);
        (state.failure.take(), std::mem::take(&mut state.pages))
    }

    /// The cell failed without an output that says so (the session itself could not run it).
    pub fn fail(&self, failure: Failure) {
        let mut state = self.state.lock();
        self.flush(&mut state);
        self.send_failure(&mut state, failure);
    }

    fn gather(&self, state: &mut State, stream: Stream, text: &str) {
        if state.gathered.as_ref().is_some_and(|(other, _)| *other != stream) {
            self.flush(state);
        }
        let (_, gathered) = state.gathered.get_or_insert_with(|| (stream, String::new()));
        gathered.push_str(text);
        if gathered.len() >= GATHER_BYTES {
            self.flush(state);
        } else if !std::mem::replace(&mut state.is_timer_set, true) {
            let me = self.me.clone();
            self.timer.spawn(async move {
                tokio::time::sleep(GATHER).await;
                if let Some(sink) = me.upgrade() {
                    let mut state = sink.state.lock();
                    state.is_timer_set = false;
                    sink.flush(&mut state);
                }
            });
        }
    }

    fn flush(&self, state: &mut State) {
        if let Some((stream, text)) = state.gathered.take() {
            let content = match stream {
                Stream::Stdout => StreamContent::stdout(&text),
                Stream::Stderr => StreamContent::stderr(&text),
            };
            self.send("stream", &content);
        }
    }

    /// A state of a bar, now or when its time has come.
    fn progress(&self, state: &mut State, view: ProgressView) {
        if !view.update {
            self.flush(state);
        }
        if let Some(view) = state.bars.take(view, Instant::now()) {
            return self.show(state, &Output::Progress(view));
        }
        self.set_bar_timer(state);
    }

    fn set_bar_timer(&self, state: &mut State) {
        let Some(due) = state.bars.next_due() else { return };
        if std::mem::replace(&mut state.is_bar_timer_set, true) {
            return;
        }
        let me = self.me.clone();
        self.timer.spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let Some(sink) = me.upgrade() else { return };
            let mut state = sink.state.lock();
            state.is_bar_timer_set = false;
            let due = state.bars.due(Instant::now());
            due.into_iter().for_each(|view| sink.show(&mut state, &Output::Progress(view)));
            sink.set_bar_timer(&mut state);
        });
    }

    fn send_failure(&self, state: &mut State, failure: Failure) {
        if state.failure.is_some() {
            return;
        }
        let Failure { ename, evalue, traceback } = failure.clone();
        self.send("error", &ErrorOutput { ename, evalue, traceback });
        state.failure = Some(failure);
    }

    fn send(&self, kind: &str, content: &impl Serialize) {
        if !self.is_silent {
            self.iopub.publish(kind, Some(&self.request), content);
        }
    }

    /// An update belongs to whatever shows its identity. Clients that follow one cell at a time see it only as an output of
    /// that cell, so it goes out as one of the running cell when its own has ended.
    fn update(&self, state: &State, content: &impl Serialize) {
        let running = if state.has_ended { self.iopub.running.lock().clone() } else { None };
        match running {
            Some(request) if !self.is_silent => {
                self.iopub.publish("update_display_data", Some(&request), content);
            }
            _ => self.send("update_display_data", content),
        }
    }

    /// Unique among the sessions a notebook has seen.
    fn identity(&self, id: &str) -> String {
        let session = self.iopub.signer.session();
        format!("{}-{id}", session.get(..8).unwrap_or(session))
    }

    fn show(&self, state: &mut State, output: &Output) {
        if let Some(failure) = render::failure(output) {
            return self.send_failure(state, failure);
        }
        let Some(bundle) = render::mime(output) else { return };
        let MimeBundle { data, metadata } = &bundle;
        let (is_update, identity) = match output {
            Output::Value(_) => {
                let count = state.count;
                let content =
                    json!({ "execution_count": count, "data": data, "metadata": metadata });
                return self.send("execute_result", &content);
            }
            Output::Page(page) if page.pager => return state.pages.push(bundle),
            Output::Display(Display { id: Some(id), update, .. }) => (*update, Some(id)),
            Output::Progress(bar) => (bar.update, Some(&bar.id)),
            _ => (false, None),
        };
        let identity = identity.map(|id| self.identity(id));
        let content =
            json!({ "data": data, "metadata": metadata, "transient": transient(identity) });
        match is_update {
            true => self.update(state, &content),
            false => self.send("display_data", &content),
        }
    }
}

/// `{}` and not null where there is no identity: the protocol's schema wants an object.
fn transient(identity: Option<String>) -> Value {
    identity.map_or_else(|| json!({}), |id| json!({ "display_id": id }))
}

impl OutputSink for CellSink {
    /// Announces the text with its number, before anything it shows.
    fn begin(&self, number: u32) {
        self.state.lock().count = number;
        let execution_count = ExecutionCount::new(usize::try_from(number).unwrap_or(usize::MAX));
        let code = self.request.text("code").to_owned();
        self.send("execute_input", &ExecuteInput { code, execution_count });
    }

    fn emit(&self, output: Output) {
        let state = &mut *self.state.lock();
        let output = match output {
            Output::Stdout(text) => return self.gather(state, Stream::Stdout, &text),
            Output::Stderr(text) => return self.gather(state, Stream::Stderr, &text),
            Output::Progress(view) => return self.progress(state, view),
            Output::Fault(fault) if state.has_ended => Output::FaultCard(fault),
            other => other,
        };
        self.flush(state);
        match output {
            Output::Clear { wait } => self.send("clear_output", &ClearOutput { wait }),
            other => self.show(state, &other),
        }
    }

    fn ask(&self, question: Question) {
        self.flush(&mut self.state.lock());
        self.iopub.asker.ask(&self.request, question);
    }
}

#[cfg(test)]
mod tests;
