//! Clauses of contracts: each is a branch of its own, so that a proved one can be left out and nothing else changes.
//!
//! Never: anything in a function without contracts.

use crate::hir::{Clause, Expr, LocalId};
use crate::ir::core::{Aux, BlockKind, End, Op, Raise, Var};
use crate::ir::lower::build::{Builder, Exit};
use crate::types::ty::Name;
use std::sync::Arc;

impl<'h> Builder<'_, 'h> {
    /// Goes on where the condition holds; elsewhere R0403 with the values shown.
    pub fn check(
        &mut self,
        clause: &Arc<Clause>,
        cond: &'h Expr,
        shown: &'h [(Name, Expr)],
    ) -> Var {
        let span = self.span;
        let locals = self.assigned(&[cond]);
        let cond = self.expr(cond);
        let go_on = self.new_join(BlockKind::Join, None, locals);
        let (holds, fails) = self.branch(cond);
        self.switch_to(holds);
        self.jump(&go_on, None);
        self.switch_to(fails);
        let mut args = Vec::with_capacity(shown.len());
        let mut names = Vec::with_capacity(shown.len());
        for (name, value) in shown {
            let var = self.expr(value);
            names.push((name.clone(), self.shape_of(var)));
            args.push(var);
        }
        self.span = span;
        let raise = Raise::Contract { clause: Arc::clone(clause), shown: names };
        self.run(Op::Aux(Aux::Raise(raise), args));
        self.end(End::Unreachable);
        self.enter(&go_on)
    }

    /// Every way out of the body meets here, where the checks stand once.
    pub fn ensuring(&mut self, body: &'h Expr, result: LocalId, checks: &'h [Expr]) -> Var {
        let ty = self.hir.result.clone();
        let exit = self.new_join(BlockKind::Join, Some(&ty), vec![]);
        let (scopes, handlers) = (self.scopes.len(), self.handlers.len());
        let outer = self.exit.replace(Exit { join: exit.clone(), scopes, handlers });
        let value = self.expr(body);
        self.exit = outer;
        // A body that reaches its end gives Unit; what cannot be reached is pruned.
        self.jump(&exit, Some(value));
        let given = self.enter(&exit);
        self.set_env(result, given);
        for check in checks {
            self.expr(check);
        }
        self.leave_function(given);
        self.unit()
    }
}
