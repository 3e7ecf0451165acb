//! Effects that the runtime carries out: globals, agents, lane calls, block forms.
//!
//! Never: does the effect; these become calls in the order they were written.

use crate::hir::{Expr, ExprKind};
use crate::ir::core::{Aux, Op, Var};
use crate::ir::lower::build::Builder;
use crate::types::ty::{Name, Ty};
use ag_runtime::builtin::{self, BuiltinId};
use ag_runtime::value::shape::ShapeId;
use ag_runtime::value::{json, record};

impl<'h> Builder<'_, 'h> {
    pub fn effect(&mut self, expr: &'h Expr) -> Var {
        use ExprKind as K;
        let shape = self.shape(&expr.ty);
        match &expr.kind {
            K::Lane(name) => self.emit(shape, Op::Text(name.clone())),
            K::Global(name) => self.emit(shape, Op::Aux(Aux::GlobalGet(name.clone()), vec![])),
            K::AgentField(index) => self.emit(shape, Op::Aux(Aux::AgentGet(*index), vec![])),
            K::SelfRef => self.emit(shape, Op::Aux(Aux::SelfRef, vec![])),
            K::Spawn { agent, fields, supervise } => {
                let mut args = self.exprs(fields);
                args.push(self.expr(supervise));
                self.emit(shape, Op::Aux(Aux::Spawn(agent.clone()), args))
            }
            K::Coordinate { form, args } => {
                let args = self.exprs(args);
                self.emit(shape, Op::Aux(Aux::Coordinate(form.clone()), args))
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
            K::LlmCall { options, schema } => self.lane_call(options, schema, shape),
            K::Scope { id, args, types, body } => self.scope(*id, args, types, body),
            _ => self.unit(),
        }
    }

    fn with_target(&mut self, target: &'h Expr, args: &'h [Expr]) -> Vec<Var> {
        let mut all = vec![self.expr(target)];
        all.extend(args.iter().map(|arg| self.expr(arg)));
        all
    }

    /// `@llm_call`: the options in the order of the builtin's parameters, its defaults where none is written.
    fn lane_call(&mut self, options: &'h [(Name, Expr)], schema: &Ty, shape: ShapeId) -> Var {
        let Some(id) = builtin::intrinsic("llm_call") else { return self.unit() };
        let written: Vec<(&Name, Var)> =
            options.iter().map(|(name, value)| (name, self.expr(value))).collect();
        let signature = id.get().map_or("", |row| row.signature);
        let mut args = Vec::new();
        for param in parameters(signature) {
            let given = written.iter().find(|(name, _)| &***name == param.name);
            args.push(match given {
                Some((_, var)) => *var,
                None => self.default_of(&param),
            });
        }
        let mut shapes = vec![self.shape(schema)];
        for option in ["tools", "stream"] {
            let given = options.iter().find(|(name, _)| &**name == option);
            shapes.push(given.map_or(ShapeId::UNIT, |(_, value)| self.shape(&value.ty)));
        }
        self.emit(shape, Op::Builtin { id, args, shapes })
    }

    /// The value of a default in a builtin's signature.
    fn default_of(&mut self, param: &Parameter<'_>) -> Var {
        let text = param.default;
        match param.ty {
            "Lane" => self.emit(ag_runtime::value::prelude::lane(), Op::Text(text.into())),
            "Text" => self.text(text.trim_matches('"').into()),
            "Bool" => self.constant(ShapeId::BOOL, u64::from(text == "true")),
            "Int" => self.constant(ShapeId::INT, text.parse::<i64>().unwrap_or(0) as u64),
            "Float" => self.constant(ShapeId::FLOAT, text.parse::<f64>().unwrap_or(0.0).to_bits()),
            "Duration" => {
                let ns = json::parse_duration(text).unwrap_or(0);
                self.constant(ShapeId::DURATION, ns as u64)
            }
            _ => self.constant(ShapeId::option(ShapeId::UNIT), record::NONE),
        }
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

/// A parameter of a builtin's signature with a default.
struct Parameter<'a> {
    name: &'a str,
    ty: &'a str,
    default: &'a str,
}

/// The parameters of `(name: Type = default, ..) -> Result`.
fn parameters(signature: &str) -> impl Iterator<Item = Parameter<'_>> {
    let inside = signature.rsplit_once(')').map_or("", |(before, _)| before);
    inside.trim_start_matches('(').split(", ").filter_map(|part| {
        let (name, rest) = part.split_once(": ")?;
        let (ty, default) = rest.split_once(" = ").unwrap_or((rest, ""));
        Some(Parameter { name, ty, default })
    })
}
