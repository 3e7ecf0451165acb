//! Contracts to be tried out, each with all the code that it needs: so it can run in a world of its own.
//!
//! Never: anything that reads a global or has an effect. Such a function is left to the checks while it runs.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::db::workspace::{CellId, Workspace};
use crate::hir::visit::{children, each_function};
use crate::hir::{self, Callee, ExprKind, FunctionKey};
use crate::names::cell::{cell_items, parse_cell};
use crate::source::Span;
use crate::types::check::check_item;
use crate::types::contracted::Contracted;
use crate::types::infer::invariant::{check_key, structs_within};
use crate::types::ty::{Name, Ty};

/// A contract where it stands: spans are those of its cell.
#[derive(Clone, Debug)]
pub struct Claim {
    pub contract: Contracted,
    pub cell: CellId,
    pub item: u32,
}

/// A claim with the code it needs, by the cells it came from.
pub struct Runnable {
    pub entry: hir::Function,
    pub code: Vec<(CellId, hir::Definitions)>,
}

impl Workspace {
    /// The contracts of a cell that was checked.
    pub fn claims(&self, id: CellId) -> Vec<Claim> {
        let Some(cell) = self.cells.get(&id).copied() else { return Vec::new() };
        let parsed = parse_cell(&self.db, cell);
        let mut found = Vec::new();
        for (at, item) in cell_items(&self.db, cell).iter().enumerate() {
            let checked = check_item(&self.db, *item);
            let base = parsed.cell.items.get(at).map_or(0, |item| item.span.start);
            found.extend(checked.contracts.iter().map(|contract| Claim {
                contract: shifted(contract.clone(), base),
                cell: id,
                item: u32::try_from(at).unwrap_or(u32::MAX),
            }));
        }
        found
    }

    /// The contracts in force, by cell and place.
    pub fn all_claims(&self) -> Vec<Claim> {
        let mut found: Vec<Claim> = self
            .linked
            .values()
            .flat_map(|linked| {
                let claim = |contract: &Contracted| Claim {
                    contract: contract.clone(),
                    cell: linked.cell,
                    item: linked.item,
                };
                linked.checked.contracts.iter().map(claim)
            })
            .collect();
        found.sort_by_key(|claim| (claim.cell, claim.item));
        found
    }

    /// The code of a claim; `None` if it cannot run alone.
    pub fn runnable(&self, claim: &Claim) -> Option<Runnable> {
        let mut entry = claim.contract.claim.clone()?;
        each_function(&mut entry, &mut |function| function.item = claim.item);
        let known = self.functions();
        let mut code: Vec<(CellId, hir::Definitions)> = Vec::new();
        let mut add = |cell: CellId, function: hir::Function| {
            let at = code.iter().position(|(id, _)| *id == cell);
            match at.and_then(|at| code.get_mut(at)) {
                Some((_, definitions)) => definitions.functions.push(function),
                None => {
                    let functions = vec![function];
                    code.push((cell, hir::Definitions { functions, ..Default::default() }));
                }
            }
        };
        let mut needs = needs_of(&entry)?;
        let params = entry.locals.iter().take(entry.params as usize);
        needs.extend(
            params.flat_map(|local| structs_within(&self.db, &local.ty)).map(|adt| check_key(&adt)),
        );
        add(claim.cell, entry.clone());
        let mut seen: FxHashSet<FunctionKey> = FxHashSet::from_iter([entry.key.clone()]);
        while let Some(key) = needs.pop() {
            if !seen.insert(key.clone()) {
                continue;
            }
            let (cell, item, function) = known.get(&key)?;
            let mut function = (*function).clone();
            each_function(&mut function, &mut |function| function.item = *item);
            needs.extend(needs_of(&function)?);
            add(*cell, function);
        }
        Some(Runnable { entry, code })
    }

    /// The parameters of a claim, with their types.
    pub fn parameters(entry: &hir::Function) -> impl Iterator<Item = (&Name, &Ty)> {
        entry.locals.iter().take(entry.params as usize).map(|local| (&local.name, &local.ty))
    }

    /// Every function in force.
    fn functions(&self) -> FxHashMap<FunctionKey, (CellId, u32, &hir::Function)> {
        let mut found = FxHashMap::default();
        let prelude = cell_items(&self.db, self.session.prelude(&self.db)).iter().enumerate();
        for (at, item) in prelude {
            let item_number = u32::try_from(at).unwrap_or(u32::MAX);
            let checked = check_item(&self.db, *item);
            for function in &checked.functions {
                found.insert(function.key.clone(), (CellId(0), item_number, function));
            }
        }
        for linked in self.linked.values() {
            for function in &linked.checked.functions {
                found.insert(function.key.clone(), (linked.cell, linked.item, function));
            }
        }
        for (owner, key, function) in self.instances.functions() {
            if let Some(linked) = self.linked.get(owner) {
                found.insert(key.clone(), (linked.cell, linked.item, function));
            }
        }
        found
    }
}

fn shifted(mut contract: Contracted, base: u32) -> Contracted {
    let shift = |span: Span| span.shifted(base);
    contract.name = shift(contract.name);
    for clause in &mut contract.clauses {
        clause.span = shift(clause.span);
    }
    contract
}

/// The functions that one mentions; `None` if it reads a global, touches an agent, or does anything besides computing.
fn needs_of(function: &hir::Function) -> Option<Vec<FunctionKey>> {
    let mut found = Vec::new();
    collect(&mut function.body.clone(), &mut found).then_some(found)
}

fn collect(value: &mut hir::Expr, found: &mut Vec<FunctionKey>) -> bool {
    let mut is_pure = match &mut value.kind {
        ExprKind::Function(key) | ExprKind::Call { callee: Callee::Function(key), .. } => {
            found.push(key.clone());
            true
        }
        ExprKind::Builtin { id, .. } => id.get().is_some_and(|row| row.effects.is_empty()),
        ExprKind::Lambda { function, .. } => collect(&mut function.body, found),
        ExprKind::Global(_)
        | ExprKind::AgentField(_)
        | ExprKind::SelfRef
        | ExprKind::Scope { .. }
        | ExprKind::Spawn { .. }
        | ExprKind::Request { .. }
        | ExprKind::Signal { .. }
        | ExprKind::LlmCall { .. }
        | ExprKind::Instance(_)
        | ExprKind::Call { callee: Callee::Instance(_), .. } => false,
        _ => true,
    };
    children(value, &mut |inner| is_pure = is_pure && collect(inner, found));
    is_pure
}
