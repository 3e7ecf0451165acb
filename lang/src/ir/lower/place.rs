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
use crate::ir::lower::change::Change;
use ag_runtime::value::shape::{Shape, ShapeId, shape};

/// A step with its index evaluated, and the shape of the container it steps into.
#[derive(Clone, Copy)]
enum Step {
    Field(ShapeId, u32),
    Index(ShapeId, Var),
}

/// What goes to the end of the path.
pub enum Leaf {
    Value(Var),
    /// What is there, changed.
    Change(Change),
}

/// How a root outside the function is read, taken and set.
struct Outside {
    get: Aux,
    take: Aux,
    set: Aux,
}

impl<'h> Builder<'_, 'h> {
    pub fn assign(&mut self, place: &'h Place, value: &'h Expr) {
        let path: Vec<Step> = place.path.iter().map(|step| self.step(step)).collect();
        let leaf = match self.change_of(place, value) {
            Some(change) => Leaf::Change(change),
            None => Leaf::Value(self.expr(value)),
        };
        match &place.root {
            PlaceRoot::Local(local) if !self.cells.contains(local) => {
                let root = self.env_of(*local);
                // A part of the value is out of it meanwhile.
                let is_open =
                    path.len() > 1 || (!path.is_empty() && matches!(leaf, Leaf::Change(_)));
                let new = self.held_if(is_open, |this| this.updated(root, &path, leaf));
                self.name_after(new, *local);
                self.set_env(*local, new);
            }
            PlaceRoot::Local(local) => self.assign_cell(*local, &path, leaf),
            PlaceRoot::Global(name) => {
                let name = || name.clone();
                let outside = Outside {
                    get: Aux::GlobalGet(name()),
                    take: Aux::GlobalTake(name()),
                    set: Aux::GlobalSet(name()),
                };
                self.assign_outside(outside, root_shape(&path, &leaf), &path, leaf);
            }
            PlaceRoot::AgentField(index) => {
                let outside = Outside {
                    get: Aux::AgentGet(*index),
                    take: Aux::AgentTake(*index),
                    set: Aux::AgentSet(*index),
                };
                self.assign_outside(outside, root_shape(&path, &leaf), &path, leaf);
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

    fn assign_cell(&mut self, local: LocalId, path: &[Step], leaf: Leaf) {
        let cell = self.env_of(local);
        if let (Leaf::Value(value), []) = (&leaf, path) {
            self.run(Op::CellSet(cell, *value));
            return;
        }
        let shape = self.local_shape(local);
        if !path.is_empty() {
            let seen = self.emit(shape, Op::CellGet(cell));
            self.walk_path(seen, path);
        }
        self.held_if(true, |this| {
            let root = this.emit(shape, Op::CellTake(cell));
            let new = this.updated(root, path, leaf);
            this.run(Op::CellSet(cell, new));
        });
    }

    /// What nothing may stop half way, if so. (Globals and fields of the agent are held by who gives them out.)
    fn held_if<R>(&mut self, is_held: bool, emit: impl FnOnce(&mut Self) -> R) -> R {
        if is_held {
            self.run(Op::Aux(Aux::Hold, vec![]));
        }
        let emitted = emit(self);
        if is_held {
            self.run(Op::Aux(Aux::LetGo, vec![]));
        }
        emitted
    }

    fn assign_outside(
        &mut self,
        outside: Outside,
        shape: Option<ShapeId>,
        path: &[Step],
        leaf: Leaf,
    ) {
        let new = match (leaf, shape) {
            (Leaf::Value(value), _) if path.is_empty() => value,
            (leaf, Some(shape)) => {
                if !path.is_empty() {
                    let seen = self.emit(shape, Op::Aux(outside.get, vec![]));
                    self.walk_path(seen, path);
                }
                let root = self.emit(shape, Op::Aux(outside.take, vec![]));
                self.updated(root, path, leaf)
            }
            (_, None) => return,
        };
        self.run(Op::Aux(outside.set, vec![new]));
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

    /// The container with the leaf at the end of the path.
    fn updated(&mut self, container: Var, path: &[Step], leaf: Leaf) -> Var {
        let Some((step, rest)) = path.split_first() else {
            return match leaf {
                Leaf::Value(value) => value,
                Leaf::Change(change) => self.changed(container, change),
            };
        };
        let replaces = rest.is_empty() && matches!(leaf, Leaf::Value(_));
        match *step {
            Step::Field(shape, index) => {
                let fresh = self.emit(shape, Op::Fresh(container));
                let inner = if replaces {
                    fresh
                } else {
                    let inner_shape = self.field_shape(shape, index);
                    self.emit(inner_shape, Op::TakeField(fresh, index))
                };
                let new = self.updated(inner, rest, leaf);
                self.run(Op::PutField(fresh, index, new));
                fresh
            }
            Step::Index(shape, index) => {
                let (container, inner) = if replaces {
                    (container, container)
                } else {
                    let fresh =
                        self.emit(shape, Op::Aux(Aux::FreshContainer(shape), vec![container]));
                    let taken = Op::Aux(Aux::TakeIndex(shape), vec![fresh, index]);
                    (fresh, self.emit(element_shape(shape), taken))
                };
                let new = self.updated(inner, rest, leaf);
                let put = Op::Aux(Aux::SetIndex(shape), vec![container, index, new]);
                self.emit(shape, put)
            }
        }
    }
}

/// The shape of the root: that of the container the path begins in, or of what the change gives.
fn root_shape(path: &[Step], leaf: &Leaf) -> Option<ShapeId> {
    match (path.first(), leaf) {
        (Some(Step::Field(shape, _) | Step::Index(shape, _)), _) => Some(*shape),
        (None, Leaf::Change(change)) => Some(change.shape),
        (None, Leaf::Value(_)) => None,
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
