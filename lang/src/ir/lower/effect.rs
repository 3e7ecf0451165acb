//! Effects that the runtime carries out: globals, agents, lane calls, block forms.
//!
//! Never: does the effect; these become calls in the order they were written.

use crate::hir::{Expr, ExprKind};
use crate::ir::core::{Aux, Op, Var};
use crate::ir::lower::build::Builder;
use crate::types::ty::Ty;
use ag_runtime::builtin::BuiltinId;
use ag_runtime::value::shape::ShapeId;

impl<'h> Builder<'_, 'h> {
    pub fn effect(&mut self, expr: &'h Expr) -> Var {
        use ExprKind as K;
        let shape = self.shape(&expr.ty);
        match &expr.kind {
            K::Lane(name) => self.emit(shape, Op::Aux(Aux::ConstLane(name.clone()), vec![])),
            K::Global(name) => self.emit(shape, Op::Aux(Aux::GlobalGet(name.clone()), vec![])),
            K::AgentField(index) => self.emit(shape, Op::Aux(Aux::AgentGet(*index), vec![])),
            K::SelfRef => self.emit(shape, Op::Aux(Aux::SelfRef, vec![])),
            K::Spawn { agent, fields, supervise } => {
                let mut args = self.exprs(fields);
                args.push(self.expr(supervise));
                self.emit(shape, Op::Aux(Aux::Spawn(agent.clone()), args))
            }
            K::Request { target, agent, behavior, args } => {
                let args = self.with_target(target, args);
                let aux = Aux::Request { agent: agent.clone(), behavior: *behavior };
                self.emit(shape, Op::Aux(aux, args))
            }
            K::Signal { target, agent, behavior, args } => {
                let args = self.with_target(target, args);
                let aux = Aux::Signal { agent: agent.clone(), behavior: *behavior };
                self.emit(shape, Op::Aux(aux, args))
            }
            K::LlmCall { options, schema } => {
                let mut names = Vec::with_capacity(options.len());
                let mut args = Vec::with_capacity(options.len());
                for (name, value) in options {
                    names.push(name.clone());
                    args.push(self.expr(value));
                }
                let aux = Aux::LlmCall { options: names, schema: self.shape(schema) };
                self.emit(shape, Op::Aux(aux, args))
            }
            K::Scope { id, args, types, body } => self.scope(*id, args, types, body),
            _ => self.unit(),
        }
    }

    fn with_target(&mut self, target: &'h Expr, args: &'h [Expr]) -> Vec<Var> {
        let mut all = vec![self.expr(target)];
        all.extend(args.iter().map(|arg| self.expr(arg)));
        all
    }

    /// A block form: entering gives a token, every way out hands it to what leaves it.
    fn scope(&mut self, id: BuiltinId, args: &'h [Expr], types: &[Ty], body: &'h Expr) -> Var {
        let span = self.span;
        let args = self.exprs(args);
        let shapes = types.iter().map(|ty| self.shape(ty)).collect();
        let token = self.emit(ShapeId::INT, Op::Builtin { id, args, shapes });
        self.scopes.push((id, token));
        let value = self.expr(body);
        self.scopes.pop();
        self.span = span;
        self.run(Op::Exit(id, token));
        value
    }
}
