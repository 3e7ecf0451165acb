//! The state behind a notebook or a terminal, and the one way to evaluate a cell in it.
//!
//! Front ends speak to it in the plain data of [`request`]; they never reach the engine or the runtime past it.

mod answers;
pub mod command;
mod evaluate;
mod flood;
pub mod graph;
pub mod history;
pub mod home;
mod imports;
pub mod inspect;
mod mailbox;
pub mod options;
mod outlook;
mod past;
mod program;
mod recompute;
mod record;
mod redefined;
mod refute;
pub mod request;
mod results;
pub mod running;
mod saved;
pub mod seat;
mod shared;
mod shown;
mod sink;
pub mod state;
mod taping;
pub mod testing;

use std::sync::Arc;

use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::rng::Seed;
use ag_runtime::services::ServiceOptions;
use ag_runtime::world::World;
use ag_runtime::world::options::WorldOptions;
use ag_runtime::world::outside::{Access, Outside, Reach};

use crate::output::diagnostic::DiagnosticView;
use crate::output::{Output, OutputSink};
use crate::session::history::{History, HistoryEntry, HistoryQuery};
use crate::session::home::Home;
use crate::session::inspect::Inspector;
use crate::session::options::{HomeChoice, SessionOptions, SetupError};
use crate::session::program::Program;
use crate::session::request::{CellReply, CellRequest};
use crate::session::running::Interrupter;
use crate::session::seat::{Beside, Seat};

/// The fields are dropped in this order: the world ends before its home may be deleted.
pub struct Session {
    seat: Seat,
    home: Home,
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
        let session = Session { seat: Seat::new(program, history, &home), home };
        if let Some(services) = session.seat.program.services().filter(|_| options.providers) {
            services.declare_providers();
        }
        if let Some(taping) = &options.taping {
            let tape = taping::open(taping, session.home.folder())
                .map_err(|fault| SetupError { code: fault.code, message: fault.message })?;
            session.seat.program.world().effects().set_session(Some(tape));
        }
        session.seat.program.name_lanes();
        if let Some(lane) = &options.lane {
            session
                .seat
                .program
                .pin(Some(lane))
                .map_err(|message| SetupError { code: "R0604", message })?;
        }
        Ok(session)
    }

    /// Runs one cell to its end and shows what it shows.
    pub fn evaluate(&mut self, request: CellRequest, sink: &Arc<dyn OutputSink>) -> CellReply {
        self.seat.evaluate(request, sink)
    }

    /// Ends a recording or a replay and says what it came to.
    pub fn end_taping(&self) -> Vec<Output> {
        self.seat.end_taping()
    }

    /// Whether the terminal goes on with the tour when nothing is entered.
    pub fn is_on_tour(&self) -> bool {
        self.seat.is_on_tour()
    }

    /// The code that a text runs as a step of the tour: that, and not the text, is what a person wants to find again.
    pub fn code_of_tour(&self, text: &str) -> Option<&'static str> {
        self.seat.code_of_tour(text)
    }

    /// What checking finds in a text, without running or defining anything.
    pub fn check(&self, request: &CellRequest) -> Vec<DiagnosticView> {
        let title = request.file.as_deref().unwrap_or("cell");
        let program = &self.seat.program;
        let files = imports::take_in(program, self.home.folder(), &request.text);
        let (cell, mut checked) = program.inquire(&request.text, title, files.imports.clone());
        if request.file.is_some() {
            evaluate::refuse_commands(&mut checked);
        }
        let mut found = program.views_of_files(&files);
        // What a file with mistakes declares is missing here, which is no mistake of this text.
        if !files.has_errors() {
            found.extend(program.views(cell, &checked.diagnostics));
        }
        found
    }

    /// The number the next counted cell gets.
    pub fn next_count(&self) -> u32 {
        self.seat.program.count() + 1
    }

    pub fn interrupter(&self) -> Interrupter {
        self.seat.interrupter()
    }

    pub fn inspector(&self) -> Inspector {
        self.seat.inspector.clone()
    }

    pub fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        self.seat.history.lock().query(query)
    }

    /// For other threads, while cells run.
    pub fn beside(&self) -> Beside {
        self.seat.beside()
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
        models: options.models.clone(),
        in_test: options.in_test.is_some(),
    });
    let access = |reach| match options.allowed.contains(&reach) {
        true => Access::Allow,
        false => Access::default(),
    };
    world.outside = Outside {
        folder: home.folder().to_owned(),
        arguments: options.arguments.clone(),
        person: options.person.clone(),
        net: access(Reach::Net),
        files: access(Reach::Files),
    };
    world
}
