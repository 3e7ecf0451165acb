//! Tries contracts on made-up inputs (L-141). A function that really ran with inputs its `requires` allows, and broke a
//! clause, is refuted (E0601); everything else stays as it is.
//!
//! In a world of its own: one worker, a virtual clock, a bound on steps and never on time, so that a verdict does not depend
//! on the machine. Never: runs what has an effect or reads a global; says that something is true.

mod inputs;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ag_lang::db::workspace::claims::{Claim, Runnable};
use ag_lang::db::workspace::{CellId, CheckedCell, Workspace};
use ag_lang::diag::{Diagnostic, codes};
use ag_lang::engine::{Context, Engine};
use ag_lang::hir::FunctionKey;
use ag_lang::types::infer::contract::ClauseFacts;
use ag_lang::types::ty::Ty;
use ag_runtime::code::FnSlot;
use ag_runtime::context::sink::{Emission, Sink};
use ag_runtime::fault::{Fault, Origin, code};
use ag_runtime::rng::Seed;
use ag_runtime::value::heap;
use ag_runtime::value::json::from_json;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::value::show;
use ag_runtime::world::options::{Limits, WorldOptions};
use ag_runtime::world::run::TaskSpec;
use ag_runtime::world::{World, WorldHandle};
use serde_json::Value;

use crate::session::program::items;
use crate::session::state::ContractRow;
use inputs::{Maker, can_make};

/// Inputs that a clause is tried on.
pub const CASES: u32 = 300;

/// Inputs that are made up to find so many that `requires` allows.
const MADE: u32 = 1_500;

/// Counterexamples looked at; the shortest is told.
const FOUND: usize = 8;

/// Safepoints of one run. What takes longer says nothing.
const STEPS: u64 = 5_000;

/// Bytes that values of one run may take beside what the session holds.
const MEMORY_BYTES: u64 = 32 << 20;

/// Runs that meet one of these bounds before a claim is given up: it takes more than trying is worth.
const HEAVY: u32 = 4;

const SEED: Seed = Seed(7);

/// What came of trying a claim.
#[derive(Debug, Clone)]
pub enum Tried {
    /// It has effects, reads globals, or takes what cannot be made up.
    Not,
    /// It held each time.
    Held(u32),
    Refuted(Box<Counterexample>),
}

/// Inputs with which a function really ran and broke a clause.
#[derive(Debug, Clone)]
pub struct Counterexample {
    /// `a = 1, b = 2`
    pub inputs: String,
    pub fault: Fault,
}

/// Tries the contracts of a cell that was checked, if it has no mistakes: E0601 for each that is refuted.
pub fn refute(workspace: &Workspace, cell: CellId, checked: &mut CheckedCell, stop: &AtomicBool) {
    if checked.has_errors() {
        return;
    }
    for claim in workspace.claims(cell) {
        if let Tried::Refuted(example) = try_out(workspace, &claim, stop) {
            // That it is not proved is no news then.
            let name = claim.contract.name;
            checked.diagnostics.retain(|d| d.code != codes::W0601 || d.primary.span != name);
            checked.diagnostics.push(diagnostic(&claim, &example));
        }
    }
}

/// The clauses of a definition with what came of trying them; of all definitions without.
pub fn verdicts(workspace: &Workspace, of: Option<&str>, stop: &AtomicBool) -> Vec<ContractRow> {
    let mut rows = Vec::new();
    for claim in workspace.all_claims() {
        let key = claim.contract.key.strip_suffix(".{invariant}").unwrap_or(&claim.contract.key);
        let is_meant = |name: &str| {
            key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        if !of.is_none_or(is_meant) {
            continue;
        }
        let tried = of.map(|_| try_out(workspace, &claim, stop));
        rows.extend(claim.contract.clauses.iter().map(|facts| ContractRow {
            of: key.to_owned(),
            clause: format!("{} {}", facts.clause.kind.word(), facts.clause.source),
            verdict: tried.as_ref().map_or_else(String::new, |tried| verdict(&claim, facts, tried)),
            cost: cost(&claim, facts),
            is_checked: facts.is_checked && !claim.contract.is_theorem,
        }));
    }
    rows
}

fn verdict(claim: &Claim, facts: &ClauseFacts, tried: &Tried) -> String {
    let held = match tried {
        Tried::Held(cases) if facts.is_checked => format!(" (held for {cases} inputs)"),
        // Defined before what it calls changed.
        Tried::Refuted(example) => format!(" (refuted: take {})", example.inputs),
        _ => String::new(),
    };
    match (claim.contract.is_theorem, facts.is_checked) {
        (false, true) => format!("unknown: kept as check{held}"),
        _ => format!("unchecked{held}"),
    }
}

/// What a check does each time, counted in parts of its expression: no figure of a machine.
fn cost(claim: &Claim, facts: &ClauseFacts) -> String {
    match (claim.contract.is_theorem || !facts.is_checked, facts.loops) {
        (true, _) => "none".to_owned(),
        (_, true) => format!("{} operations a case", facts.parts),
        _ => format!("{} operations", facts.parts),
    }
}

fn diagnostic(claim: &Claim, example: &Counterexample) -> Diagnostic {
    let contract = &claim.contract;
    let told = |key: &str| example.fault.data.get(key).and_then(Value::as_str).unwrap_or("");
    let (word, source, of) = (told("clause"), told("source"), told("of"));
    let own = contract.clauses.iter().find(|facts| {
        let clause = &facts.clause;
        clause.kind.word() == word && &*clause.source == source && &*clause.of == of
    });
    let key = &contract.key;
    let message = match (contract.is_theorem, own) {
        (true, _) => format!("the theorem `{key}` is false: take {}", example.inputs),
        (_, Some(_)) => format!("`{key}` breaks its `{word} {source}`: take {}", example.inputs),
        _ => format!("`{key}` breaks `{word} {source}` of `{of}`: take {}", example.inputs),
    };
    let span = own.map_or(contract.name, |facts| facts.span);
    Diagnostic::new(codes::E0601, span, message)
        .saying("refuted")
        .note(format!("it ran with these inputs: {}", example.fault.message))
}

/// Runs a claim on inputs.
pub fn try_out(workspace: &Workspace, claim: &Claim, stop: &AtomicBool) -> Tried {
    if !claim.contract.clauses.iter().any(|facts| facts.is_checked) {
        return Tried::Not;
    }
    let Some(runnable) = workspace.runnable(claim) else { return Tried::Not };
    let params: Vec<(String, ShapeId)> = Workspace::parameters(&runnable.entry)
        .map(|(name, ty)| (name.to_string(), workspace.shape(ty)))
        .collect();
    if params.is_empty() || !params.iter().all(|(_, of)| can_make(*of)) {
        return Tried::Not;
    }
    match Bench::open(workspace, &runnable) {
        Some(bench) => bench.run(&runnable.entry.key, &claim.contract.key, &params, stop),
        None => Tried::Not,
    }
}

/// A world with the code of one claim.
struct Bench {
    world: WorldHandle,
    engine: Engine,
    /// Runs that met a bound.
    heavy: Cell<u32>,
}

struct Silent;

impl Sink for Silent {
    fn emit(&self, _: u32, _: Emission) {}
}

impl Bench {
    fn open(workspace: &Workspace, runnable: &Runnable) -> Option<Bench> {
        let held = u64::try_from(heap::live().bytes).unwrap_or(0);
        let memory_bytes = held.saturating_add(MEMORY_BYTES);
        let limits = Limits { steps: STEPS, memory_bytes, ..Limits::default() };
        let world = World::open(WorldOptions { limits, ..WorldOptions::seeded(SEED) });
        let engine = Engine::new(Arc::clone(&world));
        let shapes = |ty: &Ty| workspace.shape(ty);
        let origins: Vec<_> = runnable
            .code
            .iter()
            .map(|(cell, definitions)| {
                let (cell, items) = (cell.0, items(definitions));
                move |key: &FunctionKey| Origin {
                    cell,
                    item: items.get(key).copied().unwrap_or_default(),
                }
            })
            .collect();
        let units = runnable.code.iter().zip(&origins);
        let units: Vec<_> = units
            .map(|((_, definitions), origin)| (definitions, Context { shapes: &shapes, origin }))
            .collect();
        engine.install_all(&units).ok()?;
        Some(Bench { world, engine, heavy: Cell::new(0) })
    }

    fn call(&self, slot: FnSlot, args: Vec<Owned>) -> Result<Owned, Box<Fault>> {
        let spec = TaskSpec {
            name: "tried".into(),
            slot,
            args,
            sink: Arc::new(Silent),
            limits: None,
            cell: 0,
            globals: None,
        };
        let ended = self.world.run(spec).join();
        let bounds = [code::STEP_LIMIT, code::MEMORY_LIMIT, code::STACK_DEPTH];
        if ended.as_ref().is_err_and(|fault| bounds.contains(&fault.code)) {
            self.heavy.set(self.heavy.get() + 1);
        }
        ended
    }

    fn is_too_heavy(&self) -> bool {
        self.heavy.get() >= HEAVY
    }

    /// Whether a value keeps the invariant of its struct.
    fn keeps(&self, of: ShapeId, value: &Value) -> bool {
        let Some(check) = self.world.invariants().check_of(of) else { return true };
        if self.is_too_heavy() {
            return false;
        }
        match from_json(value, of) {
            Ok(word) => self.call(check, vec![Owned::new(word, of)]).is_ok(),
            Err(_) => false,
        }
    }

    fn run(
        &self,
        entry: &FunctionKey,
        name: &str,
        params: &[(String, ShapeId)],
        stop: &AtomicBool,
    ) -> Tried {
        let Some(slot) = self.engine.slot(entry) else { return Tried::Not };
        let shapes: Vec<ShapeId> = params.iter().map(|(_, of)| *of).collect();
        let keeps = |of: ShapeId, value: &Value| self.keeps(of, value);
        let mut maker = Maker::new(SEED.fork(name).rng(), &keeps);
        let (mut held, mut found) = (0, Vec::new());
        for _ in 0..MADE {
            let is_enough = held >= CASES || found.len() >= FOUND || self.is_too_heavy();
            if is_enough || stop.load(Ordering::Relaxed) {
                break;
            }
            let Some(input) = maker.input(&shapes) else { continue };
            let Some(args) = decoded(&input, &shapes) else { continue };
            let inputs = shown(params, &args);
            match self.call(slot, args) {
                Ok(_) => held += 1,
                Err(fault) if fault.code != code::CONTRACT => {}
                Err(fault) if is_not_allowed(&fault, name) => {}
                Err(fault) => found.push(Counterexample { inputs, fault: *fault }),
            }
        }
        let shortest = found.into_iter().min_by_key(|example| example.inputs.len());
        match shortest {
            Some(example) => Tried::Refuted(Box::new(example)),
            None if held == 0 => Tried::Not,
            None => Tried::Held(held),
        }
    }
}

/// The inputs themselves are such that `requires` does not hold: no word about the function.
fn is_not_allowed(fault: &Fault, name: &str) -> bool {
    let told = |key: &str| fault.data.get(key).and_then(Value::as_str);
    told("clause") == Some("requires") && told("of") == Some(name) && fault.chain.len() <= 1
}

fn decoded(input: &[Value], shapes: &[ShapeId]) -> Option<Vec<Owned>> {
    let decode =
        |(value, of): (&Value, &ShapeId)| Some(Owned::new(from_json(value, *of).ok()?, *of));
    input.iter().zip(shapes).map(decode).collect()
}

fn shown(params: &[(String, ShapeId)], args: &[Owned]) -> String {
    let one = |((name, of), arg): (&(String, ShapeId), &Owned)| {
        format!("{name} = {}", show::quoted(arg.value(), *of))
    };
    params.iter().zip(args).map(one).collect::<Vec<_>>().join(", ")
}
