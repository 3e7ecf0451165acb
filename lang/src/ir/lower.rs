//! From the typed tree to Core IR, one function at a time.
//!
//! Locals become variables that are bound once: where control meets, the locals that were assigned are
//! parameters of the join point. Assigned locals that a lambda or a `try` shares live in a cell. Never:
//! counts references (`rc` does), rejects a program (the checker did).

pub mod build;
pub mod change;
pub mod contract;
pub mod control;
pub mod data;
pub mod effect;
pub mod expr;
pub mod pattern;
pub mod place;
pub mod sequence;
pub mod walk;

use crate::hir::{self, LocalId};
use crate::ir::core::{Block, BlockId, BlockKind, End, Function, Op, Var};
use crate::ir::flow;
use crate::ir::lower::build::Builder;
use crate::types::def::Passing;
use crate::types::ty::Ty;
use ag_runtime::value::shape::ShapeId;
use rustc_hash::FxHashSet;

/// The shape of a type: what the checker knows about structs and enums, as a function.
pub type Shapes<'a> = &'a dyn Fn(&Ty) -> ShapeId;

/// A function and the lambdas inside it.
pub fn function(hir: &hir::Function, shapes: Shapes<'_>) -> Vec<Function> {
    let mut done = Vec::new();
    let mut work = vec![hir];
    while let Some(hir) = work.pop() {
        done.push(one(hir, shapes, &mut work));
    }
    done
}

fn one<'h>(
    hir: &'h hir::Function,
    shapes: Shapes<'_>,
    lambdas: &mut Vec<&'h hir::Function>,
) -> Function {
    let entry =
        Block { kind: BlockKind::Entry, params: vec![], stmts: vec![], end: End::Unreachable };
    let function = Function {
        name: hir.key.clone(),
        params: vec![],
        captures: hir.captures,
        result: shapes(&hir.result),
        vars: vec![],
        blocks: vec![entry],
        span: hir.span,
    };
    let mut builder = Builder {
        function,
        shapes,
        hir,
        current: BlockId::ENTRY,
        env: vec![None; hir.locals.len()],
        cells: cells(hir),
        loops: vec![],
        scopes: vec![],
        handlers: vec![],
        exit: None,
        span: hir.span,
        lambdas,
    };
    builder.bind_params();
    builder.run(Op::Safepoint);
    let value = builder.expr(&hir.body);
    builder.leave(value, &hir.body.ty);
    let mut function = builder.function;
    flow::prune(&mut function);
    function
}

fn cells(hir: &hir::Function) -> FxHashSet<LocalId> {
    let mut cells: FxHashSet<LocalId> = walk::assigned_in_try(&hir.body).into_iter().collect();
    for (at, local) in hir.locals.iter().enumerate() {
        if local.boxed {
            cells.insert(LocalId(at as u32));
        }
    }
    cells
}

impl<'h> Builder<'_, 'h> {
    /// Captures come first at run time, the typed tree has them after the parameters.
    fn bind_params(&mut self) {
        let (params, captures) = (self.hir.params, self.hir.captures);
        let order = (params..params + captures).chain(0..params);
        let mut wrapped = Vec::new();
        for at in order {
            let local = LocalId(at);
            let info = self.hir.locals.get(at as usize);
            let shape = info.map_or(ShapeId::UNIT, |info| (self.shapes)(&info.ty));
            let is_cell = info.is_some_and(|info| match at < params {
                true => info.passing == Passing::Ref,
                false => info.boxed,
            });
            let shape = if is_cell { ShapeId::tuple(&[shape]) } else { shape };
            let var = self.new_var(shape, info.map(|info| info.name.clone()));
            self.function.params.push(var);
            self.set_env(local, var);
            if self.cells.contains(&local) && !is_cell {
                wrapped.push((local, var));
            }
        }
        for (local, var) in wrapped {
            let cell = self.new_cell(var);
            self.set_env(local, cell);
        }
    }

    pub(crate) fn new_cell(&mut self, value: Var) -> Var {
        let shape = ShapeId::tuple(&[self.shape_of(value)]);
        self.emit(shape, Op::CellNew(value))
    }

    /// The end of the body: its value if the function has one, Unit otherwise.
    fn leave(&mut self, value: Var, ty: &Ty) {
        if matches!(ty, Ty::Never) {
            self.end(End::Unreachable);
            return;
        }
        let value = if self.function.result == ShapeId::UNIT { self.unit() } else { value };
        self.end(End::Return(value));
    }
}
