//! Checks a function in Core IR: scoping, jumps, shapes of operands, and ownership.
//!
//! A failure is a mistake of ours, told as text. Never: repairs anything.

use crate::ir::core::{BlockId, BlockKind, End, Function, Op, StmtKind, Var};
use crate::ir::flow::{Liveness, VarSet};
use crate::ir::held::Held;
use ag_runtime::value::shape::ShapeId;
use rustc_hash::FxHashMap;

/// The first rule that is broken, in words.
pub fn check(function: &Function) -> Result<(), String> {
    let checker = Checker { function, live: Liveness::of(function) };
    checker.run().map_err(|problem| format!("{}: {problem}", function.name))
}

struct Checker<'a> {
    function: &'a Function,
    live: Liveness,
}

/// What is known where a block begins.
#[derive(Clone, Default)]
struct State {
    defined: VarSet,
    held: Held,
}

impl Checker<'_> {
    fn run(&self) -> Result<(), String> {
        self.defined_once()?;
        let mut states: FxHashMap<BlockId, State> = FxHashMap::default();
        let mut entry = State { defined: VarSet::default(), held: Held::at_entry(self.function) };
        for param in &self.function.params {
            entry.defined.add(*param);
        }
        states.insert(BlockId::ENTRY, entry);
        let mut work = vec![BlockId::ENTRY];
        while let Some(id) = work.pop() {
            let Some(state) = states.get(&id).cloned() else { continue };
            for (to, next) in self.block(id, state)? {
                match states.get(&to) {
                    None => {
                        states.insert(to, next);
                        work.push(to);
                    }
                    Some(known) => {
                        if known.held != next.held {
                            return Err(format!(
                                "block {} is reached holding {:?} and holding {:?}",
                                to.0,
                                known.held.vars(),
                                next.held.vars()
                            ));
                        }
                        if let Some(merged) = meet(&known.defined, &next.defined) {
                            states.insert(to, State { defined: merged, held: next.held });
                            work.push(to);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn defined_once(&self) -> Result<(), String> {
        let mut seen = VarSet::with_room(self.function.vars.len());
        let lets = self.function.blocks.iter().flat_map(|block| &block.stmts);
        let lets = lets.filter_map(|stmt| match stmt.kind {
            StmtKind::Let(var, _) => Some(var),
            _ => None,
        });
        let params = self.function.blocks.iter().flat_map(|block| block.params.iter().copied());
        for var in self.function.params.iter().copied().chain(params).chain(lets) {
            if !seen.add(var) {
                return Err(format!("v{} is bound twice", var.0));
            }
            if var.0 as usize >= self.function.vars.len() {
                return Err(format!("v{} has no type", var.0));
            }
        }
        Ok(())
    }

    /// Where the block goes on to, and what holds there.
    fn block(&self, id: BlockId, mut state: State) -> Result<Vec<(BlockId, State)>, String> {
        let Some(block) = self.function.blocks.get(id.0 as usize) else {
            return Err(format!("there is no block {}", id.0));
        };
        for param in &block.params {
            state.defined.add(*param);
        }
        state.held.enter(self.function, block);
        let mut onward = Vec::new();
        for stmt in &block.stmts {
            self.scoped(&stmt.kind, &state)?;
            if let (StmtKind::Let(_, op), Some(handler)) = (&stmt.kind, stmt.handler()) {
                let mut faulted = state.clone();
                self.tell(faulted.held.take_operands(self.function, op), id)?;
                onward.push((handler, self.cleaned(handler, faulted)));
            }
            self.tell(state.held.after_stmt(self.function, stmt), id)?;
            if let StmtKind::Let(var, op) = &stmt.kind {
                state.defined.add(*var);
                self.shapes(*var, op)?;
            }
        }
        self.end(id, &block.end, state, &mut onward)?;
        Ok(onward)
    }

    /// A Fault gives up everything but what the handler needs.
    fn cleaned(&self, handler: BlockId, state: State) -> State {
        let mut held = Held::default();
        for var in state.held.vars() {
            if self.live.of_block(handler).has(var) {
                held.gain(self.function, var);
            }
        }
        State { defined: state.defined, held }
    }

    fn scoped(&self, kind: &StmtKind, state: &State) -> Result<(), String> {
        let mut missing = None;
        let mut look = |var: Var| {
            if !state.defined.has(var) {
                missing = Some(var);
            }
        };
        match kind {
            StmtKind::Let(_, op) => op.operands(|var, _| look(var)),
            StmtKind::Dup(var) | StmtKind::Drop(var) => look(*var),
        }
        match missing {
            Some(var) => Err(format!("v{} is used where it is not in scope", var.0)),
            None => Ok(()),
        }
    }

    fn end(
        &self,
        id: BlockId,
        end: &End,
        mut state: State,
        onward: &mut Vec<(BlockId, State)>,
    ) -> Result<(), String> {
        let mut missing = None;
        end.operands(|var, _| {
            if !state.defined.has(var) {
                missing = Some(var);
            }
        });
        if let Some(var) = missing {
            return Err(format!("v{} is passed on where it is not in scope", var.0));
        }
        self.tell(state.held.after_end(self.function, end), id)?;
        match end {
            End::Return(value) => {
                if let Some(var) = state.held.vars().first() {
                    return Err(format!("v{} is still held at a return of block {}", var.0, id.0));
                }
                self.same_shape(*value, self.function.result, "result")?;
            }
            End::Unreachable => {}
            End::Jump(to, args) => {
                self.jump(*to, args)?;
                onward.push((*to, state));
            }
            End::If { .. } | End::Switch { .. } => {
                let mut result = Ok(());
                end.successors(|to| {
                    let kind = self.function.blocks.get(to.0 as usize).map(|block| block.kind);
                    if kind != Some(BlockKind::Arm) {
                        result = Err(format!("block {} is not an arm", to.0));
                    }
                    onward.push((to, state.clone()));
                });
                result?;
            }
        }
        Ok(())
    }

    fn jump(&self, to: BlockId, args: &[Var]) -> Result<(), String> {
        let Some(target) = self.function.blocks.get(to.0 as usize) else {
            return Err(format!("there is no block {}", to.0));
        };
        if target.params.len() != args.len() {
            let (want, got) = (target.params.len(), args.len());
            return Err(format!("block {} takes {want} values and is given {got}", to.0));
        }
        for (param, arg) in target.params.iter().zip(args) {
            self.same_shape(*arg, self.shape(*param), "jump argument")?;
        }
        Ok(())
    }

    fn shapes(&self, var: Var, op: &Op) -> Result<(), String> {
        match op {
            Op::Compare { .. } | Op::Not(_) => self.same_shape(var, ShapeId::BOOL, "truth value"),
            Op::Fresh(from) => self.same_shape(var, self.shape(*from), "copy"),
            _ => Ok(()),
        }
    }

    fn shape(&self, var: Var) -> ShapeId {
        self.function.vars.get(var.0 as usize).map_or(ShapeId::UNIT, |info| info.shape)
    }

    /// Words of one size may stand for another shape (a Bool for an Int); counted values may not.
    fn same_shape(&self, var: Var, want: ShapeId, what: &str) -> Result<(), String> {
        let have = self.shape(var);
        if have == want || (have.is_scalar() && want.is_scalar()) {
            return Ok(());
        }
        Err(format!("v{} is a {what} of shape {} where {} is wanted", var.0, have.0, want.0))
    }

    fn tell(&self, result: Result<(), crate::ir::held::Broken>, id: BlockId) -> Result<(), String> {
        result.map_err(|broken| format!("v{} {} in block {}", broken.var.0, broken.what, id.0))
    }
}

/// The intersection, if it is smaller than what is known.
fn meet(known: &VarSet, other: &VarSet) -> Option<VarSet> {
    let mut both = VarSet::default();
    let mut smaller = false;
    for var in known.iter() {
        if other.has(var) {
            both.add(var);
        } else {
            smaller = true;
        }
    }
    smaller.then_some(both)
}
