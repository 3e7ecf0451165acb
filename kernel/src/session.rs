//! The state behind a notebook or a terminal, and the one way to evaluate a cell in it.
//!
//! Front ends speak to it in the plain data of [`request`]; they never reach the engine or the runtime past it.

mod answers;
pub mod command;
mod evaluate;
pub mod graph;
pub mod history;
pub mod home;
pub mod inspect;
pub mod options;
mod program;
mod record;
pub mod request;
mod results;
mod sink;
pub mod state;
pub mod testing;

use std::sync::{Arc, Weak};

use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::rng::Seed;
use ag_runtime::services::ServiceOptions;
use ag_runtime::world::World;
use ag_runtime::world::options::WorldOptions;

use crate::output::cost::CostView;
use crate::output::diagnostic::DiagnosticView;
use crate::output::{Output, OutputSink};
use crate::session::evaluate::{Ended, Evaluation};
use crate::session::history::{History, HistoryEntry, HistoryQuery};
use crate::session::home::Home;
use crate::session::inspect::Inspector;
use crate::session::options::{HomeChoice, SessionOptions, SetupError};
use crate::session::program::Program;
use crate::session::record::Record;
use crate::session::request::{CellReply, CellRequest, CellStatus};

/// The fields are dropped in this order: the world ends before its home may be deleted.
pub struct Session {
    program: Arc<Program>,
    record: Record,
    inspector: Inspector,
    history: History,
    home: Home,
}

/// Interrupts what a session is running, from any thread.
#[derive(Clone)]
pub struct Interrupter {
    /// Weak: who listens for interrupts until the process ends must not keep the session's world open.
    program: Weak<Program>,
}

impl Interrupter {
    /// The running cell ends with a Fault at its next safepoint; without one nothing happens.
    pub fn interrupt(&self) {
        if let Some(program) = self.program.upgrade() {
            program.interrupt();
        }
    }
}

impl Session {
    pub fn open(options: SessionOptions) -> Result<Session, SetupError> {
        let home = Home::open(&options)?;
        let history = History::open(Some(home.data().join("history.ndjson")));
        let program = Program::new(World::open(world_options(&options, &home)));
        let program = program.map_err(|error| SetupError {
            code: "R0999",
            message: format!("the prelude does not compile: {}: {}", error.function, error.message),
        })?;
        let workspace = Arc::clone(&program.workspace);
        let mut session = Session {
            program: Arc::new(program),
            record: Record::default(),
            inspector: Inspector::new(workspace),
            history,
            home,
        };
        session.name_lanes();
        if let Some(lane) = &options.lane {
            session.pin(Some(lane)).map_err(|message| SetupError { code: "R0604", message })?;
        }
        Ok(session)
    }

    /// Runs one cell to its end and shows what it shows.
    pub fn evaluate(&mut self, request: CellRequest, sink: &Arc<dyn OutputSink>) -> CellReply {
        let number = self.record.count + 1;
        if request.is_counted() {
            self.record.count = number;
        }
        let mut reply = CellReply { count: self.record.count, ..CellReply::default() };
        if request.is_counted() {
            self.history.begin(number, &request.text);
        }
        if request.text.trim().is_empty() {
            return reply;
        }
        self.program.begin(number);
        let evaluation = Evaluation::new(self, &request, number, sink);
        let Ended { status, result } = evaluation.run(request.file.is_some());
        self.program.end();
        let shown = result.and_then(|(value, ty)| self.keep_result(&request, value, &ty));
        if let Some(view) = &shown {
            sink.emit(Output::Value(view.clone()));
        }
        self.show_cost(number, sink);
        self.publish();
        if let Some(view) = shown.filter(|_| request.is_counted()) {
            self.history.finish(&view.text);
        }
        reply.status = status;
        if status == CellStatus::Ok {
            reply.user_expressions = self.user_expressions(&request.user_expressions);
        }
        reply
    }

    /// The line under a cell that called a lane.
    fn show_cost(&self, number: u32, sink: &Arc<dyn OutputSink>) {
        if !self.record.settings.cost_line {
            return;
        }
        let Some(services) = self.program.services() else { return };
        let report = services.ledger().report();
        let of_cell = CostView::of(&report, "", |call| call.facts.cell == number);
        if let Some(line) = of_cell.line() {
            sink.emit(Output::CostLine(line));
        }
    }

    /// What checking finds in a text, without running or defining anything.
    pub fn check(&self, request: &CellRequest) -> Vec<DiagnosticView> {
        let title = request.file.as_deref().unwrap_or("cell");
        let (cell, mut checked) = self.program.inquire(&request.text, title);
        if request.file.is_some() {
            evaluate::refuse_commands(&mut checked);
        }
        self.program.views(cell, &checked.diagnostics)
    }

    /// The number the next counted cell gets.
    pub fn next_count(&self) -> u32 {
        self.record.count + 1
    }

    pub fn interrupter(&self) -> Interrupter {
        Interrupter { program: Arc::downgrade(&self.program) }
    }

    pub fn inspector(&self) -> Inspector {
        self.inspector.clone()
    }

    pub fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        self.history.query(query)
    }

    /// Where its ledger, history and stores are.
    pub fn home(&self) -> &Home {
        &self.home
    }
}

fn world_options(options: &SessionOptions, home: &Home) -> WorldOptions {
    let real_clock = options.in_test.is_some_and(|test| test.real_clock);
    let mut world = match options.seed {
        Some(seed) if real_clock => WorldOptions::real(Seed(seed)),
        Some(seed) => WorldOptions::seeded(Seed(seed)),
        None => WorldOptions::real(Seed(uuid::Uuid::new_v4().as_u64_pair().0)),
    };
    if let Some(workers) = options.workers {
        world.workers = workers;
    }
    // A home that is deleted at the end need not survive a power cut.
    let durability = match options.home {
        HomeChoice::Ephemeral => Durability::Process,
        HomeChoice::Usual | HomeChoice::At(_) => Durability::Disk,
    };
    world.services = Some(ServiceOptions {
        home: home.data().to_owned(),
        stores: home.stores().to_owned(),
        durability,
        budget: Some(options.budget_micro_usd.map_or(ag_runtime::ledger::DEFAULT_BUDGET, MicroUsd)),
        in_test: options.in_test.is_some(),
    });
    world
}
