//! The locals of the functions being inferred: scopes, captures, what `return` and `break` mean.

use rustc_hash::FxHashMap;

use crate::hir::{Capture, Local, LocalId};
use crate::source::Span;
use crate::types::def::Passing;
use crate::types::infer::Infer;
use crate::types::infer::checkpoint::Label;
use crate::types::ty::{Name, Ty};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// Gives a value only by `return` (L-45).
    Function,
    /// A lambda: the value of its last expression, or `return`.
    Lambda,
    /// The body of `@task`: as a lambda, but what it captures are values (L-52).
    Task,
    /// A statement of a cell: no `return`.
    Cell,
    /// The own statements of an orchestration: no `return` either.
    Start,
}

/// One function being inferred; a lambda's frame stands on that of the function it is written in.
#[derive(Debug)]
pub struct Frame {
    pub kind: FrameKind,
    pub key: Name,
    /// What `return` must give; a variable when it is inferred.
    pub result: Ty,
    pub locals: Vec<Local>,
    pub params: u32,
    /// `inner` are locals of this frame in any order; `finish` puts them behind the parameters.
    pub captures: Vec<Capture>,
    pub scopes: Vec<FxHashMap<Name, LocalId>>,
    /// Depth of loops around the current place.
    pub loops: u32,
    /// A `return` with a value was seen.
    pub returns_value: bool,
    /// Any `return` was seen.
    pub returns: bool,
    /// For each loop around the current place: whether it has a `break`.
    pub breaks: Vec<bool>,
    /// Checkpoints that can be rolled back to from the current place.
    pub labels: Vec<Label>,
    /// For each `@simd` that holds here: the number of blocks around it.
    pub simd: Vec<usize>,
}

impl Frame {
    pub fn new(kind: FrameKind, key: Name, result: Ty) -> Frame {
        Frame {
            kind,
            key,
            result,
            locals: Vec::new(),
            params: 0,
            captures: Vec::new(),
            scopes: vec![FxHashMap::default()],
            loops: 0,
            returns_value: false,
            returns: false,
            breaks: Vec::new(),
            labels: Vec::new(),
            simd: Vec::new(),
        }
    }

    pub fn find(&self, name: &str) -> Option<LocalId> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())
    }

    fn add(&mut self, local: Local) -> LocalId {
        let id = LocalId(u32::try_from(self.locals.len()).unwrap_or(u32::MAX));
        self.locals.push(local);
        id
    }

    pub fn local(&self, id: LocalId) -> Option<&Local> {
        self.locals.get(id.0 as usize)
    }
}

impl Infer<'_, '_> {
    pub fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            // Every entry opens a frame first; a stray expression gets one of its own.
            self.frames.push(Frame::new(FrameKind::Cell, Name::from(""), Ty::Unit));
        }
        let last = self.frames.len() - 1;
        #[allow(clippy::indexing_slicing)] // Not empty: see above.
        &mut self.frames[last]
    }

    pub fn enter(&mut self) {
        self.frame().scopes.push(FxHashMap::default());
    }

    pub fn leave(&mut self) {
        let frame = self.frame();
        frame.scopes.pop();
        let depth = frame.scopes.len();
        frame.labels.retain(|label| label.depth <= depth);
        frame.simd.retain(|at| *at <= depth);
    }

    /// A new local of the current function, visible from here on.
    pub fn declare(&mut self, name: &Name, ty: Ty, mutable: bool, span: Span) -> LocalId {
        let local =
            Local { name: name.clone(), ty, mutable, boxed: false, passing: Passing::Val, span };
        let frame = self.frame();
        let id = frame.add(local);
        if let Some(scope) = frame.scopes.last_mut() {
            scope.insert(name.clone(), id);
        }
        id
    }

    /// A local without a name of its own.
    pub fn temporary(&mut self, ty: Ty, span: Span) -> LocalId {
        let local = Local {
            name: Name::from("_"),
            ty,
            mutable: false,
            boxed: false,
            passing: Passing::Val,
            span,
        };
        self.frame().add(local)
    }

    /// Whether the innermost block already declares the name.
    pub fn declared_in_block(&mut self, name: &str) -> Option<Span> {
        let frame = self.frame();
        let id = *frame.scopes.last()?.get(name)?;
        frame.local(id).map(|local| local.span)
    }

    /// The local of that name as seen from the current function, captured if it is an outer one's.
    pub fn local(&mut self, name: &Name) -> Option<LocalId> {
        let at = (0..self.frames.len())
            .rev()
            .find(|at| self.frames.get(*at).is_some_and(|frame| frame.find(name).is_some()))?;
        let mut id = self.frames.get(at)?.find(name)?;
        for depth in at + 1..self.frames.len() {
            id = self.capture(depth, id)?;
        }
        Some(id)
    }

    fn capture(&mut self, depth: usize, outer: LocalId) -> Option<LocalId> {
        let local = self.frames.get(depth - 1)?.local(outer)?.clone();
        let frame = self.frames.get_mut(depth)?;
        if let Some(known) = frame.captures.iter().find(|capture| capture.outer == outer) {
            return Some(known.inner);
        }
        let name = local.name.clone();
        // The value, until it is assigned there (`share`).
        let inner = frame.add(Local { boxed: false, ..local });
        frame.captures.push(Capture { outer, inner });
        // Found again without walking outward.
        if let Some(scope) = frame.scopes.first_mut() {
            scope.entry(name).or_insert(inner);
        }
        Some(inner)
    }

    /// Marks a `var` that a lambda assigns, here and in every function it is captured from (L-54).
    pub fn share(&mut self, id: LocalId) {
        let mut id = id;
        for depth in (0..self.frames.len()).rev() {
            let Some(frame) = self.frames.get_mut(depth) else { return };
            if let Some(local) = frame.locals.get_mut(id.0 as usize) {
                local.boxed = true;
            }
            let Some(outer) = frame.captures.iter().find(|c| c.inner == id).map(|c| c.outer) else {
                return;
            };
            id = outer;
        }
    }

    pub fn is_captured(&mut self, id: LocalId) -> bool {
        self.frame().captures.iter().any(|capture| capture.inner == id)
    }

    /// Whether the local comes from outside the innermost task around this place.
    pub fn is_outside_task(&self, id: LocalId) -> bool {
        let mut id = id;
        for frame in self.frames.iter().rev() {
            let Some(capture) = frame.captures.iter().find(|c| c.inner == id) else { return false };
            if frame.kind == FrameKind::Task {
                return true;
            }
            id = capture.outer;
        }
        false
    }

    pub fn is_in_task(&self) -> bool {
        self.frames.iter().any(|frame| frame.kind == FrameKind::Task)
    }

    pub fn local_ty(&mut self, id: LocalId) -> Ty {
        self.frame().local(id).map_or(Ty::Error, |local| local.ty.clone())
    }

    pub fn passing(&mut self, id: LocalId) -> Passing {
        self.frame().local(id).map_or(Passing::Val, |local| local.passing)
    }

    pub fn is_mutable(&mut self, id: LocalId) -> bool {
        self.frame().local(id).is_some_and(|local| local.mutable)
    }
}
