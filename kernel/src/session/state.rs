//! What session commands ask of the session, as plain data. The session implements it; a command never reaches past it.

use std::path::PathBuf;

use ag_lang::exec::jit::Refused;
use ag_lang::exec::jit::listing::Listing;
use ag_lang::exec::tier::TierOf;
use ag_lang::ide::capabilities::FunctionCaps;
use ag_lang::ide::effects::FunctionEffects;
use ag_lang::ide::plan::FunctionPlan;
use ag_runtime::ledger::quota::QuotaAction;

use crate::output::cost::{BudgetView, CostLine, CostView};
use crate::output::decisions::DecisionsView;
use crate::output::diagnostic::{DiagnosticView, FaultView};
use crate::output::lanes::LanesView;
use crate::output::memory::MemoryView;
use crate::output::recall::RecallView;
use crate::output::table::TableView;
use crate::output::test_run::TestView;
use crate::output::trace::{AgentsView, TraceView};
use crate::output::{Output, Page};
use crate::session::command::Refusal;
use crate::session::graph::Graph;
use crate::session::history::{HistoryEntry, HistoryQuery};
use crate::session::options::Taping;

/// One rule for effects.
pub struct PolicyRow {
    /// `agent Trader`, `policy Careful`, `:set net`, `default`.
    pub of: String,
    pub rule: String,
    /// How often it decided; empty where that is not counted.
    pub applied: String,
}

/// Two implementations: the session, and the fixed one the command tests use.
pub trait State {
    fn cost(&self, of: Span) -> CostView;
    fn budget(&self) -> BudgetView;
    fn set_budget(&mut self, micro_usd: i64);
    /// What happens to calls the budget cannot cover. The error says why not.
    fn set_budget_action(&mut self, action: QuotaAction) -> Result<(), String>;

    /// The rules for effects, in the order they are asked.
    fn policy(&self) -> Vec<PolicyRow>;
    /// Chooses a policy or none. The error lists those there are.
    fn choose_policy(&mut self, name: Option<&str>) -> Result<(), Vec<String>>;

    fn lanes(&self) -> LanesView;
    /// None: the router decides again. The error says why not.
    fn pin_lane(&mut self, name: Option<&str>) -> Result<(), String>;

    /// Lets the models in memory go; how many bytes the process shrank by. None if there were none.
    fn unload_models(&mut self) -> Option<u64>;

    fn trace(&self, of: Span) -> TraceView;
    /// The number of the newest cell, which may be the one that asks.
    fn last_cell(&self) -> u32;
    fn agents(&self) -> AgentsView;
    /// The mailbox of an agent, by its name, its number or a variable that refers to it.
    fn mailbox(&self, agent: &str) -> Option<TableView>;
    /// What orchestrations decided, oldest first.
    fn decisions(&self) -> DecisionsView;
    fn memory(&self) -> MemoryView;
    /// One recall of this session, or the last one.
    fn recall(&self, number: Option<u64>) -> Option<RecallView>;
    /// The last Fault that a cell ended with.
    fn fault(&self) -> Option<FaultView>;

    fn definitions(&self) -> Vec<DefinitionRow>;
    /// The type and the effects of an expression, as the language writes them: `Int ! llm`.
    fn type_of(&mut self, expression: &str) -> Result<String, Vec<DiagnosticView>>;
    /// What is known about a name: a builtin, a definition, a value.
    fn document(&self, name: &str) -> Option<Page>;
    /// All names that `document` knows, to find the one that was meant.
    fn names(&self) -> Vec<String>;
    fn graph(&self) -> Graph;
    /// The effects of a definition's functions; none if it has none or does not exist.
    fn effects(&self, name: &str) -> Option<Vec<FunctionEffects>>;
    /// The capabilities of a definition's functions, and what becomes of what they send.
    fn capabilities(&self, name: &str) -> Option<Vec<FunctionCaps>>;
    /// How the functions of a definition run.
    fn plan(&self, name: &str) -> Option<Vec<FunctionPlan>>;
    /// The tier that calls of a function run on now.
    fn tier(&self, function: &str) -> TierOf;
    /// The machine code of a function, or why it has none; none if there is no code of it at all.
    fn listing(&self, function: &str) -> Option<Result<Listing, Refused>>;
    /// The clauses of a definition, tried out, or those of all definitions.
    fn contracts(&self, of: Option<&str>) -> Vec<ContractRow>;
    /// The text of a definition; none for a value.
    fn source(&self, name: &str) -> Option<String>;

    /// What was entered, oldest first, the cell that asks included.
    fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry>;
    /// The number of this session in the history.
    fn history_session(&self) -> u32;
    /// Asks the front end to take this as its next input.
    fn offer(&mut self, text: String);

    /// The titles of the session's tests.
    fn tests(&self) -> Vec<String>;
    /// Runs those tests, each in a session of its own.
    fn run_tests(&mut self, wanted: &dyn Fn(&str) -> bool) -> Vec<TestView>;

    /// The step of the tour that is shown, from 1.
    fn tour(&self) -> Option<usize>;
    fn set_tour(&mut self, step: Option<usize>);
    /// Runs a text as part of the cell that asks, and tells what it showed.
    fn run_text(&mut self, text: &str, title: &str) -> Vec<Output>;
    /// The line of what the cell that asks has cost; it is not told again at the cell's end. None if nothing, or unwanted.
    fn cost_so_far(&mut self) -> Option<CostLine>;

    fn settings(&self) -> Vec<SettingRow>;
    /// The error lists what would be accepted.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String>;
    /// Forgets definitions, values and agents; keeps money, memory and settings.
    fn reset(&mut self);
    /// Where relative paths start.
    fn folder(&self) -> PathBuf;

    /// What concerns the session as a whole.
    fn request(&mut self, request: Request<'_>) -> Result<Vec<Output>, Refusal>;
}

/// What only the session itself can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Compute stale values again.
    RunStale,
    /// Back to before the last cell.
    Undo,
    /// Keep definitions and values under a name.
    Save(&'a str),
    Load(&'a str),
    /// Record or replay, end that, or tell about it.
    Tape(&'a Taping),
}

/// Which part of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Session,
    Cell(u32),
    /// The cell before this one; for traces, the last one that ran anything.
    LastCell,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefinitionRow {
    pub name: String,
    /// `function`, `agent`, `let`, ...: words of the language.
    pub kind: String,
    /// Its signature or type.
    pub signature: String,
    pub cell: u32,
    /// It no longer checks: what uses it faults R0901.
    pub is_broken: bool,
    /// The front end no longer has its cell.
    pub is_deleted: bool,
}

/// One clause of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContractRow {
    /// Whose it is.
    pub of: String,
    /// As it is written: `requires n > 0`.
    pub clause: String,
    /// Empty if it was not asked for.
    pub verdict: String,
    pub cost: String,
    /// Checked while running.
    pub is_checked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingRow {
    pub key: String,
    pub value: String,
    pub help: String,
}
