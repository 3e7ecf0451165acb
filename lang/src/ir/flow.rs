//! Facts about control flow that the passes share: reachable order, what is live where, and pruning.
//!
//! Never: changes what a function does.

use crate::ir::core::{BlockId, End, Function, Op, Stmt, StmtKind, Var};

/// A set of variables.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct VarSet {
    words: Vec<u64>,
}

impl VarSet {
    pub fn with_room(vars: usize) -> Self {
        Self { words: vec![0; vars.div_ceil(64)] }
    }

    pub fn has(&self, var: Var) -> bool {
        self.words.get(var.0 as usize / 64).is_some_and(|word| word >> (var.0 % 64) & 1 == 1)
    }

    /// True when it was not there before.
    pub fn add(&mut self, var: Var) -> bool {
        let at = var.0 as usize / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        let Some(word) = self.words.get_mut(at) else { return false };
        let bit = 1 << (var.0 % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub fn remove(&mut self, var: Var) {
        if let Some(word) = self.words.get_mut(var.0 as usize / 64) {
            *word &= !(1 << (var.0 % 64));
        }
    }

    /// True when something was added.
    pub fn union(&mut self, other: &Self) -> bool {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        let mut grown = false;
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            grown |= *theirs & !*mine != 0;
            *mine |= theirs;
        }
        grown
    }

    pub fn iter(&self) -> impl Iterator<Item = Var> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            (0..64u32)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| Var(at as u32 * 64 + bit))
        })
    }
}

impl Function {
    pub fn blocks_with_ids(&self) -> impl Iterator<Item = (BlockId, &crate::ir::core::Block)> {
        self.blocks.iter().enumerate().map(|(at, block)| (BlockId(at as u32), block))
    }

    /// All blocks `block` may go on to. Handlers first and the likely way last: `order` puts what is
    /// visited last closest.
    pub fn successors(&self, block: BlockId) -> Vec<BlockId> {
        let mut all = Vec::new();
        let Some(block) = self.blocks.get(block.0 as usize) else { return all };
        for stmt in &block.stmts {
            if let Some(handler) = stmt.handler()
                && !all.contains(&handler)
            {
                all.push(handler);
            }
        }
        let handlers = all.len();
        block.end.successors(|to| all.push(to));
        if let Some(targets) = all.get_mut(handlers..) {
            targets.reverse();
        }
        all
    }

    /// Reachable blocks, each before those it goes on to except along back-edges.
    pub fn order(&self) -> Vec<BlockId> {
        let mut seen = vec![false; self.blocks.len()];
        let mut order = Vec::new();
        let mut stack = vec![(BlockId::ENTRY, self.successors(BlockId::ENTRY), 0usize)];
        if let Some(first) = seen.first_mut() {
            *first = true;
        }
        while let Some((block, successors, next)) = stack.last_mut() {
            match successors.get(*next).copied() {
                Some(to) => {
                    *next += 1;
                    if let Some(seen) = seen.get_mut(to.0 as usize)
                        && !*seen
                    {
                        *seen = true;
                        stack.push((to, self.successors(to), 0));
                    }
                }
                None => {
                    order.push(*block);
                    stack.pop();
                }
            }
        }
        order.reverse();
        order
    }
}

impl Stmt {
    /// Where its Fault goes, if it can have one and a `try` is around it.
    pub fn handler(&self) -> Option<BlockId> {
        match &self.kind {
            StmtKind::Let(_, op) if op.can_fault() => self.on_fault,
            _ => None,
        }
    }
}

/// What is live at the start of each block, parameters not included.
pub struct Liveness {
    pub at_start: Vec<VarSet>,
}

impl Liveness {
    pub fn of(function: &Function) -> Self {
        let room = function.vars.len();
        let mut live = Self { at_start: vec![VarSet::with_room(room); function.blocks.len()] };
        let mut order = function.order();
        order.reverse();
        loop {
            let mut changed = false;
            for &block in &order {
                let found = live.start_of(function, block);
                if let Some(known) = live.at_start.get_mut(block.0 as usize) {
                    changed |= known.union(&found);
                }
            }
            if !changed {
                return live;
            }
        }
    }

    pub fn of_block(&self, block: BlockId) -> &VarSet {
        static EMPTY: VarSet = VarSet { words: Vec::new() };
        self.at_start.get(block.0 as usize).unwrap_or(&EMPTY)
    }

    /// What is live where `end` begins, its own operands included.
    pub fn before_end(&self, end: &End) -> VarSet {
        let mut live = VarSet::default();
        end.successors(|to| {
            live.union(self.of_block(to));
        });
        end.operands(|var, _| {
            live.add(var);
        });
        live
    }

    /// From what is live after a statement to what is live before it.
    pub fn before_stmt(&self, stmt: &Stmt, live: &mut VarSet) {
        match &stmt.kind {
            StmtKind::Let(var, op) => {
                live.remove(*var);
                op.operands(|operand, _| {
                    live.add(operand);
                });
            }
            StmtKind::Dup(var) | StmtKind::Drop(var) => {
                live.add(*var);
            }
        }
        if let Some(handler) = stmt.handler() {
            live.union(self.of_block(handler));
        }
    }

    fn start_of(&self, function: &Function, block: BlockId) -> VarSet {
        let Some(block) = function.blocks.get(block.0 as usize) else { return VarSet::default() };
        let mut live = self.before_end(&block.end);
        for stmt in block.stmts.iter().rev() {
            self.before_stmt(stmt, &mut live);
        }
        for param in &block.params {
            live.remove(*param);
        }
        live
    }
}

/// Leaves out blocks that cannot be reached, pure statements nobody uses, and block parameters nobody reads.
pub fn prune(function: &mut Function) {
    drop_unreachable(function);
    let needed = needed(function);
    let kept: Vec<Vec<bool>> = function
        .blocks
        .iter()
        .map(|block| block.params.iter().map(|param| needed.has(*param)).collect())
        .collect();
    for (block, kept) in function.blocks.iter_mut().zip(&kept) {
        let mut flags = kept.iter();
        block.params.retain(|_| flags.next().copied().unwrap_or(true));
        block.stmts.retain(|stmt| match &stmt.kind {
            StmtKind::Let(var, op) => !op.is_pure() || needed.has(*var),
            StmtKind::Dup(_) | StmtKind::Drop(_) => true,
        });
    }
    for block in &mut function.blocks {
        if let End::Jump(to, args) = &mut block.end
            && let Some(kept) = kept.get(to.0 as usize)
        {
            let mut flags = kept.iter();
            args.retain(|_| flags.next().copied().unwrap_or(true));
        }
    }
}

fn drop_unreachable(function: &mut Function) {
    let order = function.order();
    let mut new_ids = vec![None; function.blocks.len()];
    let mut reached: Vec<BlockId> = order;
    reached.sort();
    for (new, old) in reached.iter().enumerate() {
        if let Some(slot) = new_ids.get_mut(old.0 as usize) {
            *slot = Some(BlockId(new as u32));
        }
    }
    let rename = |id: &mut BlockId| {
        if let Some(Some(new)) = new_ids.get(id.0 as usize) {
            *id = *new;
        }
    };
    let mut flags = new_ids.iter();
    function.blocks.retain(|_| flags.next().is_some_and(Option::is_some));
    for block in &mut function.blocks {
        block.end.targets_mut().into_iter().for_each(rename);
        for stmt in &mut block.stmts {
            match stmt.handler() {
                Some(_) => stmt.on_fault.as_mut().into_iter().for_each(rename),
                None => stmt.on_fault = None,
            }
        }
    }
}

/// Variables whose value matters: what effects, conditions and results depend on.
fn needed(function: &Function) -> VarSet {
    let mut needed = VarSet::with_room(function.vars.len());
    loop {
        let mut changed = false;
        for block in &function.blocks {
            if let End::Jump(to, args) = &block.end {
                let params = function.blocks.get(to.0 as usize).map_or(&[][..], |to| &to.params);
                for (param, arg) in params.iter().zip(args) {
                    changed |= needed.has(*param) && needed.add(*arg);
                }
            } else {
                block.end.operands(|var, _| changed |= needed.add(var));
            }
            for stmt in block.stmts.iter().rev() {
                if let StmtKind::Let(var, op) = &stmt.kind
                    && (!op.is_pure() || needed.has(*var))
                {
                    op.operands(|operand, _| changed |= needed.add(operand));
                }
            }
        }
        if !changed {
            return needed;
        }
    }
}

/// How often each variable is an operand.
pub fn use_counts(function: &Function) -> Vec<u32> {
    let mut counts = vec![0u32; function.vars.len()];
    let mut count = |var: Var| {
        if let Some(count) = counts.get_mut(var.0 as usize) {
            *count += 1;
        }
    };
    for block in &function.blocks {
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::Let(_, op) => op.operands(|var, _| count(var)),
                StmtKind::Dup(var) | StmtKind::Drop(var) => count(*var),
            }
        }
        block.end.operands(|var, _| count(var));
    }
    counts
}

/// The constant a variable is, by its definition.
pub fn constants(function: &Function) -> Vec<Option<u64>> {
    let mut constants = vec![None; function.vars.len()];
    for block in &function.blocks {
        for stmt in &block.stmts {
            if let StmtKind::Let(var, Op::Const(word)) = stmt.kind
                && let Some(slot) = constants.get_mut(var.0 as usize)
            {
                *slot = Some(word);
            }
        }
    }
    constants
}
