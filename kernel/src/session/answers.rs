//! What the session answers to commands: views of its world, its money, its memory and its names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ag_lang::db::workspace::Step;
use ag_lang::diag::codes;
use ag_lang::exec::jit::Refused;
use ag_lang::exec::jit::listing::Listing;
use ag_lang::exec::tier::TierOf;
use ag_lang::ide::capabilities::{FunctionCaps, capabilities};
use ag_lang::ide::describe::generic_type;
use ag_lang::ide::effects::{FunctionEffects, effects};
use ag_lang::ide::plan::{FunctionPlan, plan};
use ag_lang::ide::symbols::source;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::QuotaAction;
use ag_runtime::value::heap;
use ag_runtime::world::outside::{Access, Reach};
use parking_lot::{Mutex, RwLock};

use crate::output::cost::{BudgetView, CostLine, CostView};
use crate::output::decisions::DecisionsView;
use crate::output::diagnostic::{DiagnosticView, FaultView};
use crate::output::lanes::{EmbedderRow, LanesView};
use crate::output::memory::MemoryView;
use crate::output::recall::RecallView;
use crate::output::table::TableView;
use crate::output::test_run::TestView;
use crate::output::trace::{AgentsView, TraceView};
use crate::output::{Output, OutputSink, Page};
use crate::session::command::Refusal;
use crate::session::graph::Graph;
use crate::session::history::{History, HistoryEntry, HistoryQuery};
use crate::session::inspect::Inspector;
use crate::session::mailbox;
use crate::session::program::Program;
use crate::session::record::Record;
use crate::session::refute::verdicts;
use crate::session::running::Running;
use crate::session::seat::Seat;
use crate::session::state::{
    ContractRow, DefinitionRow, PolicyRow, Request, SettingRow, Span, State,
};
use crate::session::testing;

/// The setting that is the session's own; the others are permissions of its world.
const COST_LINE: &str = "cost_line";
const REACTIVE: &str = "reactive";
/// Replies of lanes kept beside the notebook.
const CACHE: &str = "cache";
pub const NOTEBOOK: &str = "notebook";
/// The setting of how much values may take.
const MEMORY: &str = "memory";

/// The session as commands see it.
pub struct View<'s> {
    pub seat: &'s Seat,
    pub program: &'s Program,
    pub record: &'s RwLock<Record>,
    pub running: &'s Running,
    pub inspector: &'s Inspector,
    pub history: &'s Mutex<History>,
    pub folder: &'s Path,
    /// Where the cell that asks shows what it shows, if one does.
    pub shown: Option<&'s Arc<dyn OutputSink>>,
    /// The number of that cell.
    pub number: u32,
}

impl View<'_> {
    fn number_of(&self, of: Span) -> Option<u32> {
        match of {
            Span::Session => None,
            Span::Cell(number) => Some(number),
            Span::LastCell => self.record.read().last_cell(self.program.count()),
        }
    }

    fn made_up_lanes(&self, of: Option<u32>) -> Vec<String> {
        let Some(services) = self.program.services() else { return Vec::new() };
        let report = services.ledger().report();
        let in_scope = |cell: u32| of.is_none_or(|of| of == cell);
        let calls =
            report.calls.iter().filter(|call| call.facts.made_up && in_scope(call.facts.cell));
        let mut names: Vec<String> = calls.map(|call| call.facts.lane.to_string()).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl State for View<'_> {
    fn cost(&self, of: Span) -> CostView {
        let Some(services) = self.program.services() else { return CostView::default() };
        let report = services.ledger().report();
        match self.number_of(of) {
            None => CostView::of_session(&report),
            Some(number) => {
                let scope = format!("cell {number}");
                CostView::of(&report, &scope, |call| call.facts.cell == number)
            }
        }
    }

    fn budget(&self) -> BudgetView {
        let Some(services) = self.program.services() else { return BudgetView::default() };
        BudgetView::of(&services.ledger().report())
    }

    fn set_budget(&mut self, micro_usd: i64) {
        if let Some(services) = self.program.services() {
            services.ledger().set_budget(Some(MicroUsd(micro_usd)));
        }
    }

    fn set_budget_action(&mut self, action: QuotaAction) -> Result<(), String> {
        let Some(services) = self.program.services() else { return Ok(()) };
        if let QuotaAction::Degrade(lane) = &action
            && services.lanes().get(lane).is_none()
        {
            return Err(format!("there is no lane `{lane}` here: `:lanes` lists them"));
        }
        services.ledger().set_budget_action(action);
        Ok(())
    }

    fn policy(&self) -> Vec<PolicyRow> {
        let world = self.program.world();
        let ruled = world.policies().rows().into_iter().map(|row| PolicyRow {
            of: row.of,
            rule: row.text.to_string(),
            applied: row.fired.to_string(),
        });
        let set = Reach::ALL.map(|reach| {
            let what = match reach {
                Reach::Net => "net",
                Reach::Files => "fs outside the folder",
            };
            let access = world.permissions().get(reach);
            let of = if access == Access::default() { "default" } else { ":set" };
            (of, format!("{} {what}", access.name()))
        });
        let rest = [
            ("default", "ask tool methods marked @destructive".to_owned()),
            ("default", "allow everything else".to_owned()),
        ];
        let plain = set.into_iter().chain(rest);
        let plain =
            plain.map(|(of, rule)| PolicyRow { of: of.to_owned(), rule, applied: String::new() });
        ruled.chain(plain).collect()
    }

    fn choose_policy(&mut self, name: Option<&str>) -> Result<(), Vec<String>> {
        let policies = self.program.world().policies();
        match policies.choose(name) {
            true => Ok(()),
            false => Err(policies.names().iter().map(|name| name.to_string()).collect()),
        }
    }

    fn lanes(&self) -> LanesView {
        let Some(services) = self.program.services() else { return LanesView::default() };
        let lanes = services.lanes();
        let embedder = services.memories().embedder();
        let embedder = embedder
            .memory_bytes()
            .map(|memory_bytes| EmbedderRow { model: embedder.name().to_owned(), memory_bytes });
        LanesView { lanes: lanes.rows(), embedder, last: lanes.decisions().pop() }
    }

    fn pin_lane(&mut self, name: Option<&str>) -> Result<(), String> {
        self.program.pin(name)
    }

    fn unload_models(&mut self) -> Option<u64> {
        self.program.services()?.unload_models()
    }

    fn trace(&self, of: Span) -> TraceView {
        let number = self.number_of(of);
        let world = self.program.world();
        let made_up = self.made_up_lanes(number);
        let record = self.record.read();
        let Some(number) = number else {
            return TraceView::of_session(&world.trace(&Default::default()), made_up);
        };
        let found = record.trace_of(number);
        let snapshot = found.map(|(since, until)| world.trace_between(since, until));
        TraceView::of_cell(&snapshot.unwrap_or_default(), number, made_up)
    }

    fn last_cell(&self) -> u32 {
        self.program.count()
    }

    fn agents(&self) -> AgentsView {
        let mut agents = self.trace(Span::Session).agents;
        agents.retain(|row| row.is_agent);
        AgentsView { agents, hidden: 0 }
    }

    fn mailbox(&self, agent: &str) -> Option<TableView> {
        let world = self.program.world();
        let held = self.program.value_of(agent);
        held.and_then(|value| mailbox::referred(world, &value))
            .or_else(|| mailbox::named(world, agent))
    }

    fn decisions(&self) -> DecisionsView {
        DecisionsView::of(self.program.world().decisions())
    }

    fn memory(&self) -> MemoryView {
        let memories = self.program.services().map(|services| services.memories());
        memories.and_then(|memories| MemoryView::of(memories).ok()).unwrap_or_default()
    }

    fn recall(&self, number: Option<u64>) -> Option<RecallView> {
        let memories = self.program.services()?.memories();
        let recalled = match number {
            Some(number) => memories.recall(number)?,
            None => memories.recalls().pop()?,
        };
        Some(RecallView::of(&recalled))
    }

    fn fault(&self) -> Option<FaultView> {
        self.record.read().fault.clone()
    }

    fn definitions(&self) -> Vec<DefinitionRow> {
        self.record.read().rows()
    }

    fn type_of(&mut self, expression: &str) -> Result<String, Vec<DiagnosticView>> {
        let generic = generic_type(self.program.workspace.lock().database(), expression.trim());
        if let Some(ty) = generic {
            return Ok(ty);
        }
        let (cell, checked) = self.program.inquire(expression, "expression", Vec::new());
        if checked.has_errors() {
            return Err(self.program.views(cell, &checked.diagnostics));
        }
        let last = checked.steps.iter().rev().find_map(|step| match step {
            Step::Statement(step) => Some(&step.function),
            Step::Command(_) => None,
        });
        let Some(function) = last else { return Ok("Unit".to_owned()) };
        let hidden = ["output", "global"];
        let effects: Vec<&str> =
            function.effects.iter().map(|name| &**name).filter(|e| !hidden.contains(e)).collect();
        match effects.is_empty() {
            true => Ok(function.result.to_string()),
            false => Ok(format!("{} ! {}", function.result, effects.join(", "))),
        }
    }

    fn document(&self, name: &str) -> Option<Page> {
        self.inspector.document(name)
    }

    fn names(&self) -> Vec<String> {
        self.inspector.documented()
    }

    fn graph(&self) -> Graph {
        self.record.read().graph.clone()
    }

    fn tests(&self) -> Vec<String> {
        let tests = self.program.workspace.lock().tests();
        tests.iter().map(|test| test.title.to_string()).collect()
    }

    fn run_tests(&mut self, wanted: &dyn Fn(&str) -> bool) -> Vec<TestView> {
        let sources = self.program.live_sources();
        let listed = testing::list(&sources).into_iter().filter(|test| wanted(&test.title));
        let mut views = Vec::new();
        for test in listed {
            if self.running.is_interrupted() {
                break;
            }
            let folder = Some(self.folder.to_owned());
            let begun = |interrupter| self.running.set_guest(Some(interrupter));
            views.push(testing::run(&sources, folder, &test, &begun));
            self.running.set_guest(None);
        }
        views
    }

    fn effects(&self, name: &str) -> Option<Vec<FunctionEffects>> {
        effects(self.program.workspace.lock().database(), name)
    }

    fn capabilities(&self, name: &str) -> Option<Vec<FunctionCaps>> {
        capabilities(self.program.workspace.lock().database(), name)
    }

    fn plan(&self, name: &str) -> Option<Vec<FunctionPlan>> {
        plan(self.program.workspace.lock().database(), name)
    }

    fn tier(&self, function: &str) -> TierOf {
        self.program.engine.tier(function)
    }

    fn listing(&self, function: &str) -> Option<Result<Listing, Refused>> {
        self.program.engine.listing(function)
    }

    fn contracts(&self, of: Option<&str>) -> Vec<ContractRow> {
        verdicts(&self.program.workspace.lock(), of, self.running.flag())
    }

    fn source(&self, name: &str) -> Option<String> {
        source(&self.program.workspace.lock(), name)
    }

    fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        self.history.lock().query(query)
    }

    fn history_session(&self) -> u32 {
        self.history.lock().session()
    }

    fn offer(&mut self, text: String) {
        self.record.write().offered = Some(text);
    }

    fn tour(&self) -> Option<usize> {
        self.record.read().tour
    }

    fn set_tour(&mut self, step: Option<usize>) {
        self.record.write().tour = step;
    }

    fn run_text(&mut self, text: &str, title: &str) -> Vec<Output> {
        self.seat.run_inside(text, title)
    }

    fn cost_so_far(&mut self) -> Option<CostLine> {
        if !self.record.read().settings.cost_line {
            return None;
        }
        let line = self.seat.cost_of(self.number)?;
        self.record.write().cost_told = Some(self.number);
        Some(line)
    }

    fn settings(&self) -> Vec<SettingRow> {
        let cost_line = SettingRow {
            key: COST_LINE.to_owned(),
            value: on_or_off(self.record.read().settings.cost_line).to_owned(),
            help: "a line under each cell that called a lane".to_owned(),
        };
        let reactive = SettingRow {
            key: REACTIVE.to_owned(),
            value: on_or_off(self.record.read().settings.reactive).to_owned(),
            help: "compute stale values anew after every cell".to_owned(),
        };
        let permissions = self.program.world().permissions();
        let reaches = Reach::ALL.map(|reach| SettingRow {
            key: reach.name().to_owned(),
            value: permissions.get(reach).name().to_owned(),
            help: match reach {
                Reach::Net => "`fetch`: ask, allow or deny".to_owned(),
                Reach::Files => {
                    "writing outside the folder of the notebook or file: ask, allow or deny"
                        .to_owned()
                }
            },
        });
        let memory = SettingRow {
            key: MEMORY.to_owned(),
            value: heap::size(self.program.world().memory_limit()),
            help: "what values may take before a program meets R0113: `512 MB`, `2 GB`".to_owned(),
        };
        let replies = self.program.services().map(|services| &services.calls().replies);
        let is_kept = replies.is_some_and(|replies| replies.keeps_all());
        let cache = SettingRow {
            key: CACHE.to_owned(),
            value: if is_kept { NOTEBOOK } else { "off" }.to_owned(),
            help: "`notebook` keeps every reply of a lane beside it: Run All is free".to_owned(),
        };
        [cost_line, reactive, cache].into_iter().chain(reaches).chain([memory]).collect()
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        if let Some(reach) = Reach::named(key) {
            let access =
                Access::named(value).ok_or_else(|| format!("`{key}` takes ask, allow or deny"))?;
            self.program.world().permissions().set(reach, access);
            return Ok(());
        }
        if key == MEMORY {
            let bytes =
                bytes_of(value).ok_or_else(|| format!("`{key}` takes a size: `512 MB`, `2 GB`"))?;
            self.program.world().set_memory_limit(bytes);
            return Ok(());
        }
        if key == CACHE {
            return self.seat.keep_replies(value);
        }
        let on = match value {
            "on" => true,
            "off" => false,
            _ => return Err(format!("`{key}` takes on or off")),
        };
        match key {
            COST_LINE => self.record.write().settings.cost_line = on,
            REACTIVE => self.record.write().settings.reactive = on,
            _ => return Err(format!("there is no setting `{key}`")),
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.record.write().reset();
        self.program.past.lock().forget();
        if let Err(error) = self.program.reset() {
            // The prelude compiled when the session was opened; should it not now, cells say what is missing.
            debug_assert!(false, "{error:?}");
        }
        self.program.name_lanes();
        self.inspector.publish(self.record.read().names());
    }

    fn folder(&self) -> PathBuf {
        self.folder.to_owned()
    }

    fn request(&mut self, request: Request<'_>) -> Result<Vec<Output>, Refusal> {
        match (request, self.shown) {
            (Request::Save(name), _) => self.seat.save(name),
            (Request::Tape(taping), _) => self.seat.tape(taping),
            // They run statements, which a cell does.
            (_, None) => Err(Refusal::new(codes::E0904, "this is done in a cell")),
            (Request::RunStale, Some(shown)) => Ok(self.seat.run_stale(shown, self.number)),
            (Request::Undo, Some(_)) => self.seat.undo(),
            (Request::Load(name), Some(shown)) => self.seat.load(name, shown, self.number),
        }
    }
}

/// `512 MB`, `2GiB`: a whole number of megabytes or gigabytes, at least one.
fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "mb" => 1_000_000,
        "mib" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
