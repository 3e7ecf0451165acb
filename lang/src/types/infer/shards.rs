//! Acts on many agents of one kind: `@shard`, `@quorum`, `@broadcast`.
//!
//! Arguments that an ordinary signature can type are bound by the builtin's; the kind of agent and the message have rules of
//! their own, those of `@spawn` and `@signal`.

use std::sync::Arc;

use ag_runtime::builtin::{self, BuiltinId};

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Coordinate, ExprKind};
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::Arg;
use crate::types::builtins::{BuiltinParam, builtin_signature};
use crate::types::def::{AgentDef, Definition, Passing};
use crate::types::infer::args::{Bound, Default, Formal};
use crate::types::infer::{Infer, Pending, error, expr};
use crate::types::ty::Ty;

/// The arguments of a form: those with rules of their own, and the others by name.
struct Sorted {
    special: Vec<Option<Arg>>,
    plain: Vec<Arg>,
    /// What the signature does not name, in the order written.
    rest: Vec<Arg>,
}

impl Infer<'_, '_> {
    /// Shards where a sequence is wanted: the list of their agents, in order (L-53).
    pub fn agents_of(&mut self, value: hir::Expr) -> hir::Expr {
        let Ty::Shards(one) = self.shallow(&value.ty) else { return value };
        let Some(id) = builtin::member("Shards", "agents") else { return value };
        let span = value.span;
        let kind = ExprKind::Builtin { id, args: vec![value], types: vec![(*one).clone()] };
        expr(kind, Ty::List(one), span)
    }

    pub fn shard(&mut self, id: BuiltinId, args: &[Arg], span: Span) -> hir::Expr {
        let sorted = self.sorted(id, args, &["behavior"], 2);
        let Some(Some(agent)) = sorted.special.first() else {
            let message = "`@shard` needs the agent to start: `behavior: A`";
            self.report(Diagnostic::new(codes::E0305, span, message));
            self.infer_args(args);
            return error(span);
        };
        let Some(def) = self.spawned(agent) else {
            self.infer_args(&sorted.plain);
            self.infer_args(&sorted.rest);
            return error(span);
        };
        let bound = self.plain(id, &["behavior"], &sorted.plain, span);
        let (fields, supervise) = self.inputs(&def, &sorted.rest, span);
        let ty = Ty::Shards(Box::new(Ty::AgentRef(def.name.clone())));
        match (bound, fields) {
            (Some(bound), Some(fields)) => {
                let args = bound.values.into_iter().chain(fields).chain([supervise]).collect();
                let form = Coordinate::Shard(def.name.clone());
                expr(ExprKind::Coordinate { form, args }, ty, span)
            }
            // What it gives is known all the same, so that its uses are checked.
            _ => expr(ExprKind::Unit, ty, span),
        }
    }

    pub fn quorum(&mut self, id: BuiltinId, args: &[Arg], span: Span) -> hir::Expr {
        let Some((agents, def, sorted)) = self.many(id, args, ["agents", "request"], span) else {
            return error(span);
        };
        let agents = self.agents_of(agents);
        let message = self.message_of_many(&def, &sorted, span);
        let bound = self.plain(id, &["agents", "request"], &sorted.plain, span);
        let (Some((behavior, payload)), Some(bound)) = (message, bound) else { return error(span) };
        let Some(asked) = def.behaviors.get(behavior as usize) else { return error(span) };
        let owner = ScopedName::new(self.db, def.name.clone(), self.prelude);
        let reply = self.result_in(owner, Some(asked.member), &asked.signature);
        // Replies are compared with each other (L-110).
        self.pending.push(Pending::Equal { ty: reply.clone(), span });
        let form = Coordinate::Quorum { agent: def.name.clone(), behavior };
        self.coordinate(form, agents, bound, payload, Ty::list(reply), (args, &sorted))
    }

    pub fn broadcast(&mut self, id: BuiltinId, args: &[Arg], span: Span) -> hir::Expr {
        let Some((agents, def, sorted)) = self.many(id, args, ["agents", "m"], span) else {
            return error(span);
        };
        let message = self.message_of_many(&def, &sorted, span);
        let bound = self.plain(id, &["agents", "m"], &sorted.plain, span);
        let (Some((behavior, payload)), Some(bound)) = (message, bound) else { return error(span) };
        let form = Coordinate::Broadcast { agent: def.name.clone(), behavior };
        self.coordinate(form, agents, bound, payload, Ty::Unit, (args, &sorted))
    }

    /// The node, its operands evaluated in the order in which they were written (L-42).
    fn coordinate(
        &mut self,
        form: Coordinate,
        agents: hir::Expr,
        bound: Bound,
        payload: Vec<hir::Expr>,
        ty: Ty,
        (args, sorted): (&[Arg], &Sorted),
    ) -> hir::Expr {
        let span = agents.span;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (plain, first_of_payload) = (bound.values.len(), 1 + bound.values.len());
        let of_payload = count(first_of_payload)..count(first_of_payload + payload.len());
        let is = |at: usize, arg: &Arg| {
            sorted.special.get(at).and_then(Option::as_ref).is_some_and(|own| own.span == arg.span)
        };
        let mut written: Vec<u32> = Vec::new();
        let mut next = bound.written.iter();
        for arg in args {
            match (is(0, arg), is(1, arg)) {
                (true, _) => written.push(0),
                (_, true) => written.extend(of_payload.clone()),
                _ => written.extend(next.next().map(|at| at + 1)),
            }
        }
        // Defaults come last.
        written.extend((1..=count(plain)).filter(|at| !written.contains(at)).collect::<Vec<_>>());
        let values = std::iter::once(agents).chain(bound.values).chain(payload).collect();
        self.in_order(Bound { values, written, lent: Vec::new() }, span, |args| {
            expr(ExprKind::Coordinate { form, args }, ty, span)
        })
    }

    /// The agents of a form that acts on many, and their definition.
    fn many(
        &mut self,
        id: BuiltinId,
        args: &[Arg],
        special: [&str; 2],
        span: Span,
    ) -> Option<(hir::Expr, Arc<AgentDef>, Sorted)> {
        let sorted = self.sorted(id, args, &special, usize::MAX);
        let name = id.get().map_or("", |row| row.name);
        let Some(Some(agents)) = sorted.special.first() else {
            let message = format!("`@{name}` needs the agents to ask: `agents: ...`");
            self.report(Diagnostic::new(codes::E0305, span, message));
            self.infer_args(args);
            return None;
        };
        let agents = self.infer(agents.value);
        let one = match self.shallow(&agents.ty) {
            Ty::Shards(one) | Ty::List(one) => self.shallow(&one),
            other => other,
        };
        match (&one, self.shallow(&agents.ty)) {
            (Ty::AgentRef(agent), Ty::Shards(_) | Ty::List(_)) => {
                let Some(Definition::Agent(def)) = self.definition(agent).cloned() else {
                    self.infer_args(args.get(1..).unwrap_or(&[]));
                    return None;
                };
                Some((agents, def, sorted))
            }
            (_, Ty::Error) | (Ty::Error, _) => None,
            _ => {
                let ty = self.table.resolve(&agents.ty);
                let message =
                    format!("`@{name}` wants `Shards` or a list of agents, this is `{ty}`");
                self.report(Diagnostic::new(codes::E0301, agents.span, message));
                None
            }
        }
    }

    fn message_of_many(
        &mut self,
        def: &Arc<AgentDef>,
        sorted: &Sorted,
        span: Span,
    ) -> Option<(u32, Vec<hir::Expr>)> {
        if let Some(Some(message)) = sorted.special.get(1) {
            return self.message_for(def, message, span);
        }
        let message = "the message to send is missing";
        self.report(Diagnostic::new(codes::E0305, span, message));
        None
    }

    /// Which argument is which: by name, or by place among the first `places` parameters.
    fn sorted(&self, id: BuiltinId, args: &[Arg], special: &[&str], places: usize) -> Sorted {
        let params = &builtin_signature(self.db, id.0).params;
        let known = |name: &str| params.iter().find(|param| *param.name == *name);
        let mut sorted =
            Sorted { special: vec![None; special.len()], plain: Vec::new(), rest: Vec::new() };
        for (at, arg) in args.iter().enumerate() {
            let param = match &arg.name {
                Some(name) => known(name.name.as_str()),
                None => params.get(at).filter(|_| at < places),
            };
            let place = param.and_then(|p| special.iter().position(|name| **name == *p.name));
            match (place.and_then(|place| sorted.special.get_mut(place)), param) {
                (Some(slot), _) if slot.is_none() => *slot = Some(arg.clone()),
                (None, Some(param)) => sorted.plain.push(named(arg, param)),
                // Unknown and doubled ones are for `arguments` to report; those of an agent go to it.
                _ if places == usize::MAX => sorted.plain.push(arg.clone()),
                _ => sorted.rest.push(arg.clone()),
            }
        }
        sorted
    }

    /// The parameters that the signature can type.
    fn plain(
        &mut self,
        id: BuiltinId,
        special: &[&str],
        args: &[Arg],
        span: Span,
    ) -> Option<Bound> {
        let row = id.get()?;
        let signature = builtin_signature(self.db, id.0);
        let own = signature.params.iter().filter(|param| !special.contains(&&*param.name));
        let formals: Vec<Formal> = own.map(formal).collect();
        let bound = self.arguments(row.name, &formals, args, span)?;
        self.numbers_fit(row.name, &formals, &bound);
        Some(bound)
    }
}

/// The argument with the name of its parameter.
fn named(arg: &Arg, param: &BuiltinParam) -> Arg {
    let name = crate::syntax::ast::Ident { name: (&*param.name).into(), span: arg.span };
    Arg { name: arg.name.clone().or(Some(name)), ..arg.clone() }
}

fn formal(param: &BuiltinParam) -> Formal {
    Formal {
        name: param.name.clone(),
        ty: param.ty.clone(),
        passing: Passing::Val,
        default: param.default.clone().map_or(Default::Required, Default::Value),
    }
}
