//! The builder: variables, statements, blocks, and the joins that carry assigned locals.
//!
//! Never: knows what an expression means.

use crate::hir::{self, LocalId};
use crate::ir::core::{
    Block, BlockId, BlockKind, End, Function, Hold, Op, Stmt, StmtKind, Var, VarInfo,
};
use crate::ir::lower::{Shapes, walk};
use crate::source::Span;
use crate::types::ty::{Name, Ty};
use ag_runtime::builtin::BuiltinId;
use ag_runtime::value::shape::{Shape, ShapeId, shape};
use rustc_hash::FxHashSet;

pub struct Builder<'s, 'h> {
    pub function: Function,
    pub shapes: Shapes<'s>,
    pub hir: &'h hir::Function,
    /// The block that statements go to.
    pub current: BlockId,
    /// The variable (or cell) that is each local's value here.
    pub env: Vec<Option<Var>>,
    pub cells: FxHashSet<LocalId>,
    pub loops: Vec<LoopFrame>,
    /// Block forms entered and not left, outermost first: what leaves them, and their token.
    pub scopes: Vec<(BuiltinId, Var)>,
    pub handlers: Vec<BlockId>,
    /// Where `return` goes while there are clauses to be checked after it.
    pub exit: Option<Exit>,
    pub span: Span,
    pub lambdas: &'s mut Vec<&'h hir::Function>,
}

/// Where `break` and `continue` of a loop go.
pub struct LoopFrame {
    pub next: Join,
    pub exit: Join,
    /// Block forms that were open outside the loop.
    pub scopes: usize,
    pub handlers: usize,
}

/// Where `return` meets the clauses of its function.
#[derive(Clone, Debug)]
pub struct Exit {
    pub join: Join,
    /// Block forms that are open around the clauses.
    pub scopes: usize,
    pub handlers: usize,
}

/// A block where control meets: its parameters are the value, if there is one, and assigned locals.
#[derive(Clone, Debug)]
pub struct Join {
    pub block: BlockId,
    pub value: Option<Var>,
    pub locals: Vec<LocalId>,
}

/// Whether values of a shape are words that are never counted.
pub fn is_word(id: ShapeId) -> bool {
    id.is_scalar()
        || matches!(shape(id), Shape::Enum(shape) if shape.is_unit_only() && !shape.variants.is_empty())
}

impl<'h> Builder<'_, 'h> {
    pub fn shape(&self, ty: &Ty) -> ShapeId {
        match ty {
            Ty::Never | Ty::Error => ShapeId::UNIT,
            ty => (self.shapes)(ty),
        }
    }

    pub fn shape_of(&self, var: Var) -> ShapeId {
        self.function.vars.get(var.0 as usize).map_or(ShapeId::UNIT, |info| info.shape)
    }

    pub fn new_var(&mut self, shape: ShapeId, name: Option<Name>) -> Var {
        let var = Var(self.function.vars.len() as u32);
        let hold = if is_word(shape) { Hold::Word } else { Hold::Owned };
        self.function.vars.push(VarInfo { shape, hold, name });
        var
    }

    pub fn emit(&mut self, shape: ShapeId, op: Op) -> Var {
        let var = self.new_var(shape, None);
        if matches!(op, Op::Text(_))
            && let Some(info) = self.function.vars.get_mut(var.0 as usize)
        {
            info.hold = Hold::Lent;
        }
        self.push(StmtKind::Let(var, op));
        var
    }

    /// A statement for its effect.
    pub fn run(&mut self, op: Op) {
        self.emit(ShapeId::UNIT, op);
    }

    fn push(&mut self, kind: StmtKind) {
        let stmt = Stmt { kind, span: self.span, on_fault: self.handlers.last().copied() };
        if let Some(block) = self.function.blocks.get_mut(self.current.0 as usize) {
            block.stmts.push(stmt);
        }
    }

    pub fn constant(&mut self, shape: ShapeId, word: u64) -> Var {
        self.emit(shape, Op::Const(word))
    }

    pub fn unit(&mut self) -> Var {
        self.constant(ShapeId::UNIT, 0)
    }

    pub fn new_block(&mut self, kind: BlockKind) -> BlockId {
        let id = BlockId(self.function.blocks.len() as u32);
        self.function.blocks.push(Block {
            kind,
            params: vec![],
            stmts: vec![],
            end: End::Unreachable,
        });
        id
    }

    /// Ends the current block; what follows until the next `switch_to` cannot be reached.
    pub fn end(&mut self, end: End) {
        if let Some(block) = self.function.blocks.get_mut(self.current.0 as usize) {
            block.end = end;
        }
        self.current = self.new_block(BlockKind::Join);
    }

    pub fn switch_to(&mut self, block: BlockId) {
        self.current = block;
    }

    pub fn set_env(&mut self, local: LocalId, var: Var) {
        if let Some(slot) = self.env.get_mut(local.0 as usize) {
            *slot = Some(var);
        }
    }

    pub fn env_of(&mut self, local: LocalId) -> Var {
        match self.env.get(local.0 as usize) {
            Some(Some(var)) => *var,
            // Only in code that cannot be reached, which is pruned.
            _ => self.unit(),
        }
    }

    /// Locals that these expressions assign, that exist here and that are not in cells.
    pub fn assigned(&self, exprs: &[&hir::Expr]) -> Vec<LocalId> {
        let bound = |local: &LocalId| matches!(self.env.get(local.0 as usize), Some(Some(_)));
        walk::assigned(exprs)
            .into_iter()
            .filter(|local| bound(local) && !self.cells.contains(local))
            .collect()
    }

    /// A join with a parameter for the value of `ty` (none for Unit) and for each of `locals`.
    pub fn new_join(&mut self, kind: BlockKind, ty: Option<&Ty>, locals: Vec<LocalId>) -> Join {
        let block = self.new_block(kind);
        let shape = ty.map(|ty| self.shape(ty)).filter(|shape| *shape != ShapeId::UNIT);
        let value = shape.map(|shape| self.new_var(shape, None));
        let mut params: Vec<Var> = value.into_iter().collect();
        for local in &locals {
            let info = self.hir.locals.get(local.0 as usize);
            let name = info.map(|info| info.name.clone());
            let shape = info.map_or(ShapeId::UNIT, |info| (self.shapes)(&info.ty));
            params.push(self.new_var(shape, name));
        }
        if let Some(block) = self.function.blocks.get_mut(block.0 as usize) {
            block.params = params;
        }
        Join { block, value, locals }
    }

    /// Ends the current block by going to `join` with a value and the locals as they are here.
    pub fn jump(&mut self, join: &Join, value: Option<Var>) {
        let mut args = Vec::with_capacity(join.locals.len() + 1);
        if join.value.is_some() {
            let value = value.unwrap_or_else(|| self.unit());
            args.push(value);
        }
        for local in &join.locals {
            let var = self.env_of(*local);
            args.push(var);
        }
        self.end(End::Jump(join.block, args));
    }

    /// Goes on inside the join; its value, Unit if it has none.
    pub fn enter(&mut self, join: &Join) -> Var {
        self.switch_to(join.block);
        let params = self
            .function
            .blocks
            .get(join.block.0 as usize)
            .map(|block| block.params.clone())
            .unwrap_or_default();
        let of_locals = params.iter().skip(usize::from(join.value.is_some()));
        for (local, var) in join.locals.iter().zip(of_locals) {
            self.set_env(*local, *var);
        }
        match join.value {
            Some(value) => value,
            None => self.unit(),
        }
    }

    /// The values of `locals` here, to go back to before another branch is lowered.
    pub fn save(&self, locals: &[LocalId]) -> Vec<Option<Var>> {
        locals.iter().map(|local| self.env.get(local.0 as usize).copied().flatten()).collect()
    }

    pub fn restore(&mut self, locals: &[LocalId], saved: &[Option<Var>]) {
        for (local, var) in locals.iter().zip(saved) {
            if let Some(slot) = self.env.get_mut(local.0 as usize) {
                *slot = *var;
            }
        }
    }

    /// Ends the current block in a branch; gives the two arms.
    pub fn branch(&mut self, cond: Var) -> (BlockId, BlockId) {
        let then = self.new_block(BlockKind::Arm);
        let otherwise = self.new_block(BlockKind::Arm);
        self.end(End::If { cond, then, otherwise });
        (then, otherwise)
    }
}
