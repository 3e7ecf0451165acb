//! Where cells are evaluated from: the session's own place, or one beside it (a subshell, L-159).
//!
//! Seats share the program, the record, the editors' view and the history. Only the session's own seat changes the program
//! and the record; one beside it reads them as they are when its cell starts. Locks are held for moments, never while
//! code runs, and the workspace's never inside the record's by a seat beside.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use ag_lang::engine::TIER;
use ag_runtime::ledger::report::{CallRow, Report};
use ag_runtime::services::Services;
use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value, json};

use crate::output::cost::{CostLine, CostView};
use crate::output::{Output, OutputSink};
use crate::session::answers::View;
use crate::session::evaluate::{Ended, Evaluation, Times};
use crate::session::history::{History, HistoryEntry, HistoryQuery};
use crate::session::home::Home;
use crate::session::inspect::Inspector;
use crate::session::program::Program;
use crate::session::record::Record;
use crate::session::request::{CellReply, CellRequest, CellStatus, Payload};
use crate::session::running::{Interrupter, Running};
use crate::session::state::{Span, State};

/// A session's own seat keeps its world open; see [`Beside`] for the others.
pub struct Seat {
    pub(super) program: Arc<Program>,
    pub(super) record: Arc<RwLock<Record>>,
    pub(super) inspector: Inspector,
    pub(super) history: Arc<Mutex<History>>,
    pub(super) running: Arc<Running>,
    pub(super) folder: PathBuf,
    /// Where `:save` keeps sessions.
    pub(super) saved: PathBuf,
    /// Beside the session: it sees a snapshot and changes nothing.
    pub(super) is_aside: bool,
}

impl Seat {
    pub fn new(program: Program, history: History, home: &Home) -> Seat {
        let program = Arc::new(program);
        let inspector = Inspector::new(Arc::clone(&program.workspace));
        Seat {
            program,
            record: Arc::default(),
            inspector,
            history: Arc::new(Mutex::new(history)),
            running: Arc::default(),
            folder: home.folder().to_owned(),
            saved: home.data().join("saved"),
            is_aside: false,
        }
    }

    /// Runs one cell to its end and shows what it shows.
    pub fn evaluate(&self, request: CellRequest, sink: &Arc<dyn OutputSink>) -> CellReply {
        let number = self.program.take_number(request.is_counted());
        let count = if request.is_counted() { number } else { self.program.count() };
        sink.begin(count);
        let mut reply = CellReply { count, ..CellReply::default() };
        if request.is_counted() {
            let text = self.code_of_tour(&request.text).unwrap_or(&request.text);
            self.history.lock().begin(number, text);
        }
        self.begin_cell(&request, number);
        if request.text.trim().is_empty() {
            return reply;
        }
        self.begin_past(number);
        self.running.begin(number);
        let evaluation = Evaluation::new(self, &request, number, sink);
        let Ended { status, result, last, times } = evaluation.run(request.file.is_some());
        let keep = |(value, ty)| self.keep_result(&request, number, value, &ty, &last);
        let shown = result.and_then(keep);
        if let Some(view) = &shown {
            sink.emit(self.show_result(&request, view.clone(), &last.reads));
        }
        if status == CellStatus::Ok {
            self.react(sink, number);
        }
        self.running.end();
        self.keep_recording(sink);
        self.show_changed_results(&request, sink);
        self.end_past();
        if status == CellStatus::Ok {
            reply.user_expressions = self.user_expressions(&request.user_expressions, number);
            self.account(number, sink);
        }
        reply.metadata = metadata(number, &times, self.cost_of(number).as_ref());
        if !self.is_aside {
            self.publish();
        }
        if let Some(view) = shown.filter(|_| request.is_counted()) {
            self.history.lock().finish(number, &view.text);
        }
        reply.status = status;
        let offered = self.record.write().offered.take();
        if let Some(text) = offered.filter(|_| status == CellStatus::Ok) {
            reply.payloads.push(Payload::SetNextInput { text, replace: false });
        }
        reply
    }

    /// Under a seed, before anything else is done: what was left running comes to rest, or the cell is interrupted.
    pub(super) fn rest(&self) {
        let running = &self.running;
        self.program.world().rest_between(|| running.is_interrupted());
    }

    /// What stands below the outputs of a cell: what its lane calls cost, and the Faults of the background that were only
    /// counted. A cell that fails shows it before its error, which is the last thing it shows.
    pub(super) fn account(&self, number: u32, sink: &Arc<dyn OutputSink>) {
        let is_wanted = {
            let record = self.record.read();
            record.settings.cost_line && record.cost_told != Some(number)
        };
        if let Some(services) = self.program.services() {
            let report = services.ledger().report();
            let own = cost_in(&report, services, number);
            let cost = own.into_iter().chain(self.late_costs(&report, services, number));
            for line in cost.filter(|_| is_wanted) {
                sink.emit(Output::CostLine(line));
            }
        }
        for line in self.program.flood.rest() {
            sink.emit(Output::warning(line));
        }
    }

    /// What the cell's lane calls came to, if it made any.
    pub(super) fn cost_of(&self, number: u32) -> Option<CostLine> {
        let services = self.program.services()?;
        cost_in(&services.ledger().report(), services, number)
    }

    /// What calls came to that earlier cells began and that ended after those: nobody was told.
    fn late_costs(&self, report: &Report, services: &Services, number: u32) -> Vec<CostLine> {
        if self.is_aside {
            return Vec::new();
        }
        let mut record = self.record.write();
        let told = &record.told_calls;
        let is_late =
            |call: &CallRow| (1..number).contains(&call.facts.cell) && !told.contains(&call.number);
        let cells: BTreeSet<u32> =
            report.calls.iter().filter(|call| is_late(call)).map(|call| call.facts.cell).collect();
        let lines = cells.into_iter().filter_map(|cell| {
            let keep = |call: &CallRow| call.facts.cell == cell && is_late(call);
            let line = CostView::of(report, "", keep).line()?;
            let stand_in = services.lanes().echo_stood_in(cell);
            Some(CostLine { of_cell: Some(cell), stand_in, ..line })
        });
        let lines = lines.collect();
        record.told_calls.extend(report.calls.iter().map(|call| call.number));
        lines
    }

    /// Tells editors the names of the session.
    pub(super) fn publish(&self) {
        self.inspector.publish(self.record.read().names());
    }

    /// What commands ask and change.
    pub(super) fn view(&self) -> View<'_> {
        let Seat { program, record, inspector, history, running, folder, .. } = self;
        let (shown, number) = (None, program.count());
        View { seat: self, program, record, inspector, history, running, folder, shown, number }
    }

    pub fn interrupter(&self) -> Interrupter {
        Interrupter { program: Arc::downgrade(&self.program), running: Arc::clone(&self.running) }
    }

    pub fn beside(&self) -> Beside {
        Beside {
            program: Arc::downgrade(&self.program),
            record: Arc::clone(&self.record),
            inspector: self.inspector.clone(),
            history: Arc::clone(&self.history),
            running: Arc::default(),
            folder: self.folder.clone(),
            saved: self.saved.clone(),
        }
    }
}

/// What live panels follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Agents,
    Ledger,
    Trace,
}

impl Topic {
    pub const ALL: [Topic; 3] = [Topic::Agents, Topic::Ledger, Topic::Trace];

    pub fn name(self) -> &'static str {
        match self {
            Topic::Agents => "agents",
            Topic::Ledger => "ledger",
            Topic::Trace => "trace",
        }
    }
}

/// What of a session can be used from other threads while its cells run. It does not keep the session's world open.
pub struct Beside {
    program: Weak<Program>,
    record: Arc<RwLock<Record>>,
    inspector: Inspector,
    history: Arc<Mutex<History>>,
    running: Arc<Running>,
    folder: PathBuf,
    saved: PathBuf,
}

/// Another place beside the same session, where another cell can run.
impl Clone for Beside {
    fn clone(&self) -> Beside {
        Beside {
            program: Weak::clone(&self.program),
            record: Arc::clone(&self.record),
            inspector: self.inspector.clone(),
            history: Arc::clone(&self.history),
            running: Arc::default(),
            folder: self.folder.clone(),
            saved: self.saved.clone(),
        }
    }
}

impl Beside {
    pub fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    pub fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        self.history.lock().query(query)
    }

    /// Ends the cell that runs here.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter { program: Weak::clone(&self.program), running: Arc::clone(&self.running) }
    }

    /// Runs a cell that changes nothing; none if the session is closing.
    pub fn evaluate(&self, request: CellRequest, sink: &Arc<dyn OutputSink>) -> Option<CellReply> {
        Some(self.seat()?.evaluate(request, sink))
    }

    /// Reads the session: agents, money, the trace.
    pub fn look<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> Option<T> {
        Some(look(&self.seat()?.view()))
    }

    /// The agents, all that was spent, and the timeline of the last cell, as they are now.
    pub fn live(&self, topic: Topic) -> Option<Output> {
        self.look(|view| match topic {
            Topic::Agents => Output::Agents(view.agents()),
            Topic::Ledger => Output::Cost(view.cost(Span::Session)),
            Topic::Trace => Output::Trace(view.trace(Span::LastCell)),
        })
    }

    fn seat(&self) -> Option<Seat> {
        Some(Seat {
            program: self.program.upgrade()?,
            record: Arc::clone(&self.record),
            inspector: self.inspector.clone(),
            history: Arc::clone(&self.history),
            running: Arc::clone(&self.running),
            folder: self.folder.clone(),
            saved: self.saved.clone(),
            is_aside: true,
        })
    }
}

fn cost_in(report: &Report, services: &Services, cell: u32) -> Option<CostLine> {
    let line = CostView::of(report, "", |call| call.facts.cell == cell).line()?;
    Some(CostLine { stand_in: services.lanes().echo_stood_in(cell), ..line })
}

/// The `ag` key of a reply's metadata (docs/live.md).
fn metadata(number: u32, times: &Times, cost: Option<&CostLine>) -> Map<String, Value> {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let line = cost.cloned().unwrap_or_default();
    let facts = json!({
        "cell": number,
        "tier": times.has_run.then_some(TIER),
        "check_ms": ms(times.check),
        "compile_ms": ms(times.compile),
        "run_ms": ms(times.run),
        "lane_calls": line.calls,
        "cached_calls": line.cached_calls,
        "cost_micro_usd": line.cost_micro_usd,
        "lanes": line.lanes,
    });
    Map::from_iter([("ag".to_owned(), facts)])
}
