//! Reference counting made explicit: dups before the first of several takers, drops where a value dies.
//!
//! Perceus: arguments are owned, the last use moves, a value is dropped at the earliest point where nothing
//! needs it any more; in an arm that does not need it, at the arm's start. Never: changes what is computed.

use crate::ir::core::{Block, BlockId, BlockKind, Function, Hold, Mode, Op, Stmt, StmtKind, Var};
use crate::ir::flow::{Liveness, VarSet};
use crate::ir::held::hold;
use crate::source::Span;
use rustc_hash::FxHashMap;

/// Inserts `Dup` and `Drop`. The function has none before.
pub fn insert(function: &mut Function) {
    let live = Liveness::of(function);
    let dead_on_arrival = dead_on_arrival(function, &live);
    let mut done: Vec<Vec<Stmt>> = Vec::with_capacity(function.blocks.len());
    for (id, block) in function.blocks_with_ids() {
        let mut pass = Pass { function, live: &live, reversed: Vec::new(), span: function.span };
        let mut at = pass.end(block);
        for stmt in block.stmts.iter().rev() {
            pass.stmt(stmt, &mut at);
        }
        pass.start(id, block, &at, dead_on_arrival.get(&id));
        pass.reversed.reverse();
        done.push(pass.reversed);
    }
    for (block, stmts) in function.blocks.iter_mut().zip(done) {
        block.stmts = stmts;
    }
}

/// For each arm: what lives on in a sibling but not in it.
fn dead_on_arrival(function: &Function, live: &Liveness) -> FxHashMap<BlockId, VarSet> {
    let mut found = FxHashMap::default();
    for block in &function.blocks {
        let mut leaving = VarSet::default();
        block.end.successors(|to| {
            leaving.union(live.of_block(to));
        });
        block.end.successors(|to| {
            let is_arm =
                function.blocks.get(to.0 as usize).is_some_and(|to| to.kind == BlockKind::Arm);
            if is_arm {
                let mut dead = VarSet::default();
                let here = live.of_block(to);
                leaving.iter().filter(|var| !here.has(*var)).for_each(|var| {
                    dead.add(var);
                });
                found.insert(to, dead);
            }
        });
    }
    found
}

struct Pass<'a> {
    function: &'a Function,
    live: &'a Liveness,
    /// Statements of the block, last first.
    reversed: Vec<Stmt>,
    span: Span,
}

/// How an operation uses one variable.
#[derive(Clone, Copy, Default)]
struct Uses {
    own: u32,
    borrow: u32,
}

impl Pass<'_> {
    fn add(&mut self, kind: StmtKind) {
        self.reversed.push(Stmt { kind, span: self.span, on_fault: None });
    }

    fn dup(&mut self, var: Var, times: u32) {
        for _ in 0..times {
            self.add(StmtKind::Dup(var));
        }
    }

    /// The block's end; gives what is live before it.
    fn end(&mut self, block: &Block) -> VarSet {
        let mut live = VarSet::with_room(self.function.vars.len());
        block.end.successors(|to| {
            live.union(self.live.of_block(to));
        });
        let mut uses: Vec<(Var, Uses)> = Vec::new();
        block.end.operands(|var, mode| note(&mut uses, var, mode));
        for (var, uses) in uses {
            self.dup(var, self.missing(var, uses, live.has(var)));
            live.add(var);
        }
        live
    }

    /// How many counts must be made before a use that takes some.
    fn missing(&self, var: Var, uses: Uses, needed_after: bool) -> u32 {
        match hold(self.function, var) {
            Hold::Word => 0,
            Hold::Lent => uses.own,
            Hold::Owned if needed_after || uses.borrow > 0 => uses.own,
            Hold::Owned => uses.own.saturating_sub(1),
        }
    }

    fn stmt(&mut self, stmt: &Stmt, live: &mut VarSet) {
        let StmtKind::Let(var, op) = &stmt.kind else { return };
        self.span = stmt.span;
        let mut uses: Vec<(Var, Uses)> = Vec::new();
        op.operands(|var, mode| note(&mut uses, var, mode));
        let caught = stmt.handler().map(|handler| self.live.of_block(handler));
        let needed = live.has(*var);
        live.remove(*var);
        let mut dups = Vec::new();
        for (operand, uses) in &uses {
            let after = live.has(*operand);
            let kept = after || caught.is_some_and(|caught| caught.has(*operand));
            let missing = self.missing(*operand, *uses, kept);
            dups.push((*operand, missing));
            let remains = uses.own == 0 || uses.borrow > 0 || kept;
            if !after && remains && hold(self.function, *operand) == Hold::Owned {
                self.add(StmtKind::Drop(*operand));
            }
        }
        self.result(*var, op, needed);
        self.reversed.push(stmt.clone());
        for (operand, missing) in dups {
            self.dup(operand, missing);
        }
        for (operand, _) in uses {
            live.add(operand);
        }
        if let Some(caught) = caught {
            // What only the handler needs lives as long as a Fault can lead there.
            let ends_here: Vec<Var> = caught
                .iter()
                .filter(|var| !live.has(*var) && hold(self.function, *var) == Hold::Owned)
                .collect();
            self.drop_after_last(stmt, &ends_here);
            live.union(caught);
        }
    }

    /// The last statement that can go to the handler: afterwards nobody needs these.
    fn drop_after_last(&mut self, stmt: &Stmt, ends_here: &[Var]) {
        if ends_here.is_empty() {
            return;
        }
        // `reversed` ends with this statement and its dups: the drops belong before it, i.e. after it in time.
        let at = self.reversed.iter().rposition(|placed| placed == stmt).unwrap_or(0);
        for var in ends_here {
            let drop = Stmt { kind: StmtKind::Drop(*var), span: stmt.span, on_fault: None };
            self.reversed.insert(at, drop);
        }
    }

    fn result(&mut self, var: Var, op: &Op, needed: bool) {
        if hold(self.function, var) != Hold::Owned {
            return;
        }
        match (op.gives_borrowed(), needed) {
            (true, true) => self.add(StmtKind::Dup(var)),
            (false, false) => self.add(StmtKind::Drop(var)),
            _ => {}
        }
    }

    fn start(&mut self, id: BlockId, block: &Block, live: &VarSet, dead: Option<&VarSet>) {
        let own_params: &[Var] = if id == BlockId::ENTRY { &self.function.params } else { &[] };
        self.span = block.stmts.first().map_or(self.function.span, |stmt| stmt.span);
        let unused = block.params.iter().chain(own_params).copied().filter(|var| !live.has(*var));
        let dying: Vec<Var> = unused.chain(dead.iter().flat_map(|dead| dead.iter())).collect();
        for var in dying {
            if hold(self.function, var) == Hold::Owned {
                self.add(StmtKind::Drop(var));
            }
        }
    }
}

fn note(uses: &mut Vec<(Var, Uses)>, var: Var, mode: Mode) {
    let at = match uses.iter().position(|(known, _)| *known == var) {
        Some(at) => at,
        None => {
            uses.push((var, Uses::default()));
            uses.len() - 1
        }
    };
    if let Some((_, uses)) = uses.get_mut(at) {
        match mode {
            Mode::Own => uses.own += 1,
            Mode::Borrow => uses.borrow += 1,
        }
    }
}
