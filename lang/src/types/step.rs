//! The statements of a cell, each a query of its own: a global's type depends on the statement that declares it only.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::db::{CellInput, Db, GlobalType};
use crate::diag::{Diagnostic, codes};
use crate::hir::{self, CellStep, ExprKind, Place, PlaceRoot, Stmt, StmtKind};
use crate::names::cell::{cell_globals, parse_cell};
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{self, StmtId};
use crate::syntax::item::{CellBody, Step};
use crate::types::check::with_stack;
use crate::types::deprecated;
use crate::types::effects::{assigned_through, effects_of, impure, unbounded};
use crate::types::escape::escaping;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::probe::Probe;
use crate::types::infer::{Expect, Facts, Infer, expr};
use crate::types::snapshot;
use crate::types::spending;
use crate::types::ty::{Name, Ty};

/// One checked statement of a cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedStep {
    /// `None` if there are errors.
    pub step: Option<CellStep>,
    /// The globals it declares.
    pub globals: Vec<GlobalType>,
    pub diagnostics: Vec<Diagnostic>,
    pub facts: Facts,
    /// The instances of generic functions it needs.
    pub instances: Vec<hir::Instance>,
}

/// The type of a global of a cell: of the value it holds, or of the statement that will give it one.
#[salsa::tracked(returns(clone), cycle_result = global_of_itself)]
pub fn global_type<'db>(db: &'db dyn Db, cell: CellInput, name: ScopedName<'db>) -> (Ty, bool) {
    let text = name.name(db);
    if let Some(settled) = cell.settled(db) {
        let found = settled.iter().rev().find(|global| global.name == *text);
        return found.map_or((Ty::Error, true), |global| (global.ty.clone(), global.mutable));
    }
    let Some(declaring) = declaring_step(db, cell, u32::MAX, text) else {
        return (Ty::Error, true);
    };
    let step = infer_step(db, cell, declaring);
    let found = step.globals.iter().rev().find(|global| global.name == *text);
    found.map_or((Ty::Error, true), |global| (global.ty.clone(), global.mutable))
}

fn global_of_itself<'db>(
    _db: &'db dyn Db,
    _id: salsa::Id,
    _cell: CellInput,
    _name: ScopedName<'db>,
) -> (Ty, bool) {
    (Ty::Error, true)
}

/// Infers one statement of a cell.
#[salsa::tracked(cycle_result = step_of_itself)]
pub fn infer_step(db: &dyn Db, cell: CellInput, step: u32) -> CheckedStep {
    db.ran("step", &|| format!("{step}"));
    with_stack(|| run(db, cell, step, None))
}

/// Infers a statement as [`infer_step`] does, with an eye on one place; not remembered.
pub fn probe_step(db: &dyn Db, cell: CellInput, step: u32, probe: &Rc<RefCell<Probe>>) {
    run(db, cell, step, Some(Rc::clone(probe)));
}

fn run(db: &dyn Db, cell: CellInput, step: u32, probe: Option<Rc<RefCell<Probe>>>) -> CheckedStep {
    let body = &parse_cell(db, cell).cell.body;
    let Some(Step::Stmt(id)) = body.order.get(step as usize) else { return nothing() };
    let mut infer = Infer::new(db, cell.prelude(db), &body.body);
    infer.cell = Some(cell);
    infer.file = cell.file(db).clone();
    infer.probe = probe;
    infer.step = step;
    let last = is_last(body, step);
    let shows = last && !body.suppressed;
    Top { infer, id: *id, shows, step }.check()
}

fn nothing() -> CheckedStep {
    CheckedStep {
        step: None,
        globals: Vec::new(),
        diagnostics: Vec::new(),
        facts: Facts::default(),
        instances: Vec::new(),
    }
}

fn step_of_itself(db: &dyn Db, _id: salsa::Id, cell: CellInput, step: u32) -> CheckedStep {
    let body = &parse_cell(db, cell).cell.body;
    let Some(Step::Stmt(id)) = body.order.get(step as usize) else { return nothing() };
    let span = body.body[*id].span;
    let message = "the type of this depends on itself: write it, or write the result of the function it calls";
    CheckedStep { diagnostics: vec![Diagnostic::new(codes::E0303, span, message)], ..nothing() }
}

fn is_last(body: &CellBody, step: u32) -> bool {
    let last = body.order.iter().rposition(|step| matches!(step, Step::Stmt(_)));
    last == Some(step as usize)
}

/// The steps of a cell that declare each name, in order.
#[salsa::tracked]
fn declaring_steps(db: &dyn Db, cell: CellInput) -> FxHashMap<Name, Vec<u32>> {
    let mut steps: FxHashMap<Name, Vec<u32>> = FxHashMap::default();
    for global in cell_globals(db, cell) {
        steps.entry(global.name.clone()).or_default().push(global.step);
    }
    steps
}

/// The last statement before a step that declares a name.
fn declaring_step(db: &dyn Db, cell: CellInput, before: u32, name: &str) -> Option<u32> {
    let steps = declaring_steps(db, cell).get(name)?;
    steps.get(..steps.partition_point(|step| *step < before))?.last().copied()
}

impl Infer<'_, '_> {
    /// Whether an earlier statement of the same cell declares a global of this name.
    pub fn is_declared(&self, name: &str) -> bool {
        self.cell.is_some_and(|cell| declaring_step(self.db, cell, self.step, name).is_some())
    }

    /// The global of this name that an earlier statement of the same cell declares. Only that statement is looked at:
    /// a cell of thousands of them is checked in linear time.
    pub fn declared(&self, name: &str) -> Option<GlobalType> {
        let cell = self.cell?;
        let step = declaring_step(self.db, cell, self.step, name)?;
        let globals = &infer_step(self.db, cell, step).globals;
        globals.iter().rev().find(|global| *global.name == *name).cloned()
    }

    /// All of them.
    pub fn declared_names(&self) -> Vec<Name> {
        let Some(cell) = self.cell else { return Vec::new() };
        let earlier = cell_globals(self.db, cell).iter().filter(|global| global.step < self.step);
        earlier.map(|global| global.name.clone()).collect()
    }
}

/// A statement at the top of a cell.
struct Top<'a, 'db> {
    infer: Infer<'a, 'db>,
    id: StmtId,
    shows: bool,
    step: u32,
}

impl Top<'_, '_> {
    fn check(mut self) -> CheckedStep {
        let span = self.infer.body[self.id].span;
        let key: Name = Arc::from(format!("cell.{}", self.step));
        let result = self.infer.fresh(span);
        self.infer.open(FrameKind::Cell, key, result.clone());
        let mut stmts = Vec::new();
        let mut value = None;
        let mut globals = Vec::new();
        let body = self.infer.body;
        match &body[self.id].kind {
            ast::StmtKind::Expr(inner)
                if self.shows && self.infer.statement_form(*inner).is_none() =>
            {
                let shown = self.infer.expr(*inner, &Expect::Nothing);
                value = Some(shown);
            }
            _ => {
                self.infer.statement(self.id, &mut stmts);
                self.globalise(&mut stmts, &mut globals);
            }
        }
        let ty = value.as_ref().map_or(Ty::Unit, |value| self.infer.shallow(&value.ty));
        let shows = value.is_some() && !matches!(ty, Ty::Unit | Ty::Never);
        if let (Some(shown), false) = (value.take_if(|_| !shows), shows) {
            stmts.push(crate::types::infer::stmt::expr_stmt(shown));
        }
        let ty = if shows { ty } else { Ty::Unit };
        let _ = self.infer.table.unify(&result, &ty);
        let block = expr(ExprKind::Block { stmts, value: value.map(Box::new) }, ty, span);
        self.close(block, span, shows, globals)
    }

    /// What a statement at the top declares is a global: it is bound to a local and stored at once.
    fn globalise(&mut self, stmts: &mut Vec<Stmt>, globals: &mut Vec<GlobalType>) {
        let mut names = Vec::new();
        let mutable = match &self.infer.body[self.id].kind {
            ast::StmtKind::Let { pattern, mutable, .. } => {
                crate::names::cell::bound_names(self.infer.body, *pattern, &mut names);
                *mutable
            }
            ast::StmtKind::Declare { name, .. } => {
                names.push((name.name.text(), name.span));
                true
            }
            _ => return,
        };
        for (name, span) in names {
            let Some(local) = self.infer.local(&name) else { continue };
            let ty = self.infer.local_ty(local);
            let value = expr(ExprKind::Local(local), ty.clone(), span);
            let root = PlaceRoot::Global(name.clone());
            let place = Place { root, path: Vec::new(), ty: ty.clone() };
            stmts.push(Stmt { kind: StmtKind::Assign { place, value }, span });
            globals.push(GlobalType { name, ty, mutable });
        }
    }

    fn close(
        self,
        block: hir::Expr,
        span: Span,
        shows: bool,
        mut globals: Vec<GlobalType>,
    ) -> CheckedStep {
        let (db, prelude) = (self.infer.db, self.infer.prelude);
        let outdated = deprecated::in_statement(db, self.infer.body, span);
        let mut checked = self.infer.finish(block, span);
        checked.diagnostics.extend(impure(db, &checked.facts, prelude));
        checked.diagnostics.extend(unbounded(db, &checked.facts, prelude));
        checked.diagnostics.extend(deprecated::called(db, &checked.facts, prelude));
        checked.diagnostics.extend(outdated);
        checked.diagnostics.extend(escaping(db, &checked.facts, prelude));
        checked.diagnostics.extend(snapshot::in_tasks(db, &checked.facts, prelude));
        let Some(mut function) = checked.function else {
            globals.iter_mut().for_each(|global| global.ty = Ty::Error);
            return CheckedStep {
                step: None,
                globals,
                diagnostics: checked.diagnostics,
                facts: checked.facts,
                instances: Vec::new(),
            };
        };
        checked.diagnostics.extend(spending::unlimited(db, &function, &checked.facts, prelude));
        function.effects = effects_of(db, &checked.facts, prelude).into_keys().collect();
        function.item = u32::MAX;
        let mut writes = Vec::new();
        written(&mut function.body, &mut |name, ty| {
            if !writes.iter().any(|(other, _): &(Name, Ty)| other == name) {
                writes.push((name.clone(), ty.clone()));
            }
        });
        for global in &mut globals {
            if let Some((_, ty)) = writes.iter().find(|(name, _)| *name == global.name) {
                global.ty = ty.clone();
            }
        }
        let reads = checked.facts.reads.iter().cloned().collect();
        let mut changes = assigned_through(db, &checked.facts, prelude);
        changes.retain(|name| writes.iter().all(|(written, _)| written != name));
        let changes = changes.into_iter().collect();
        CheckedStep {
            step: Some(CellStep { function, shows, writes, changes, reads }),
            globals,
            diagnostics: checked.diagnostics,
            facts: checked.facts,
            instances: checked.instances,
        }
    }
}

/// Every assignment to a global, with the global's type.
fn written(value: &mut hir::Expr, found: &mut dyn FnMut(&Name, &Ty)) {
    if let ExprKind::Block { stmts, .. } = &mut value.kind {
        for stmt in stmts {
            if let StmtKind::Assign { place, .. } = &stmt.kind
                && let PlaceRoot::Global(name) = &place.root
            {
                let whole = match place.path.first() {
                    Some(
                        hir::PlaceStep::Field { container, .. }
                        | hir::PlaceStep::Index { container, .. },
                    ) => container,
                    None => &place.ty,
                };
                found(name, whole);
            }
        }
    }
    if let ExprKind::Lambda { function, .. } = &mut value.kind {
        written(&mut function.body, found);
    }
    hir::visit::children(value, &mut |inner| written(inner, found));
}
