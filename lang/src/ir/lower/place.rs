//! Assignment: to locals, cells, globals and fields of the agent, and into them.
//!
//! `p.x[i] = v` takes each part out of its container, changes the innermost, and puts them back, so that a
//! value with one holder is changed in place (L-41). Where the root outlives a Fault of this function (a
//! cell, a global, a field of the agent) the path is walked once before anything is taken, so that the
//! taking cannot fault. Never: changes a value that has another holder.

use crate::hir::Expr;
use crate::hir::{LocalId, Place, PlaceRoot, PlaceStep};
use crate::ir::core::{Aux, Op, Var};
use crate::ir::lower::build::Builder;
use ag_runtime::value::shape::{Shape, ShapeId, shape};

/// A step with its index evaluated, and the shape of the container it steps into.
#[derive(Clone, Copy)]
enum Step {
    Field(ShapeId, u32),
    Index(ShapeId, Var),
}

impl<'h> Builder<'_, 'h> {
    pub fn assign(&mut self, place: &'h Place, value: &'h Expr) {
        let path: Vec<Step> = place.path.iter().map(|step| self.step(step)).collect();
        let value = self.expr(value);
        match &place.root {
            PlaceRoot::Local(local) if !self.cells.contains(local) => {
                let new = if path.is_empty() {
                    value
                } else {
                    let root = self.env_of(*local);
                    self.updated(root, &path, value)
                };
                self.name_after(new, *local);
                self.set_env(*local, new);
            }
            PlaceRoot::Local(local) => self.assign_cell(*local, &path, value),
            PlaceRoot::Global(name) => {
                let get = Aux::GlobalGet(name.clone());
                self.assign_outside(get, Aux::GlobalSet(name.clone()), place, &path, value);
            }
            PlaceRoot::AgentField(index) => {
                self.assign_outside(
                    Aux::AgentGet(*index),
                    Aux::AgentSet(*index),
                    place,
                    &path,
                    value,
                );
            }
        }
    }

    fn step(&mut self, step: &'h PlaceStep) -> Step {
        match step {
            PlaceStep::Field { container, index } => Step::Field(self.shape(container), *index),
            PlaceStep::Index { container, index } => {
                let container = self.shape(container);
                Step::Index(container, self.expr(index))
            }
        }
    }

    fn name_after(&mut self, var: Var, local: LocalId) {
        let name = self.hir.locals.get(local.0 as usize).map(|info| info.name.clone());
        if let Some(info) = self.function.vars.get_mut(var.0 as usize)
            && info.name.is_none()
        {
            info.name = name;
        }
    }

    fn assign_cell(&mut self, local: LocalId, path: &[Step], value: Var) {
        let cell = self.env_of(local);
        if path.is_empty() {
            self.run(Op::CellSet(cell, value));
            return;
        }
        let shape = self.local_shape(local);
        let seen = self.emit(shape, Op::CellGet(cell));
        self.walk_path(seen, path);
        let root = self.emit(shape, Op::CellTake(cell));
        let new = self.updated(root, path, value);
        self.run(Op::CellSet(cell, new));
    }

    fn assign_outside(&mut self, get: Aux, set: Aux, place: &Place, path: &[Step], value: Var) {
        let new = match path.first() {
            None => value,
            Some(Step::Field(shape, _) | Step::Index(shape, _)) => {
                let root = self.emit(*shape, Op::Aux(get, vec![]));
                self.updated(root, path, value)
            }
        };
        debug_assert!(path.len() == place.path.len());
        self.run(Op::Aux(set, vec![new]));
    }

    /// Reads along the path, for the Faults only; the last step reads only where it can fault.
    fn walk_path(&mut self, root: Var, path: &[Step]) {
        let mut at = root;
        for (step, is_last) in path.iter().enumerate().map(|(n, step)| (step, n + 1 == path.len()))
        {
            match step {
                Step::Field(_, _) if is_last => {}
                Step::Field(container, index) => {
                    let shape = self.field_shape(*container, *index);
                    at = self.emit(shape, Op::Field(at, *index));
                }
                Step::Index(container, _)
                    if is_last && matches!(shape(*container), Shape::Map(..)) => {}
                Step::Index(container, index) => at = self.read_index(*container, at, *index),
            }
        }
    }

    fn read_index(&mut self, container: ShapeId, base: Var, index: Var) -> Var {
        let element = element_shape(container);
        self.emit(element, Op::Aux(Aux::GetIndex(container), vec![base, index]))
    }

    /// The container with the value at the end of the path.
    fn updated(&mut self, container: Var, path: &[Step], value: Var) -> Var {
        let Some((step, rest)) = path.split_first() else { return value };
        match *step {
            Step::Field(shape, index) => {
                let fresh = self.emit(shape, Op::Fresh(container));
                let new = if rest.is_empty() {
                    value
                } else {
                    let inner_shape = self.field_shape(shape, index);
                    let inner = self.emit(inner_shape, Op::TakeField(fresh, index));
                    self.updated(inner, rest, value)
                };
                self.run(Op::PutField(fresh, index, new));
                fresh
            }
            Step::Index(shape, index) => {
                let (container, new) = if rest.is_empty() {
                    (container, value)
                } else {
                    let fresh =
                        self.emit(shape, Op::Aux(Aux::FreshContainer(shape), vec![container]));
                    let taken = Op::Aux(Aux::TakeIndex(shape), vec![fresh, index]);
                    let inner = self.emit(element_shape(shape), taken);
                    (fresh, self.updated(inner, rest, value))
                };
                let put = Op::Aux(Aux::SetIndex(shape), vec![container, index, new]);
                self.emit(shape, put)
            }
        }
    }
}

pub fn element_shape(container: ShapeId) -> ShapeId {
    match shape(container) {
        Shape::List(element) => *element,
        Shape::Map(_, value) => *value,
        Shape::Vector => ShapeId::FLOAT,
        Shape::Dyn => ShapeId::DYN,
        _ => ShapeId::UNIT,
    }
}
