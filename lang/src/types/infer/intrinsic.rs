//! The forms written with `@` (section 11): by signature, as scopes around a block, or by a rule of their own.

use ag_runtime::builtin::{self, BuiltinId, Form, SpecialForm};

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, ExprKind};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Intrinsic};
use crate::types::builtins::builtin_signature;
use crate::types::def::Passing;
use crate::types::infer::args::{Bound, Default, Formal};
use crate::types::infer::message::signal_to;
use crate::types::infer::{Expect, Infer, Pending, error, expr, told, tools};
use crate::types::report;
use crate::types::ty::Ty;
use crate::types::unify::Fallback;

impl Infer<'_, '_> {
    pub fn intrinsic(&mut self, node: &Intrinsic, span: Span, expect: &Expect) -> hir::Expr {
        for arg in node.args.iter().filter(|arg| arg.by_ref) {
            let diagnostic = self.not_lent(arg, &node.name.name.text());
            self.report(diagnostic);
        }
        let name = node.name.name.as_str();
        let found = builtin::intrinsic(name).and_then(|id| id.get().map(|row| (id, row)));
        let Some((id, row)) = found else {
            // Unknown names are the parser's to report.
            self.infer_args(&node.args);
            return error(span);
        };
        if !row.supported {
            self.infer_args(&node.args);
            self.report(report::unsupported(&format!("`@{name}`"), node.name.span));
            return error(span);
        }
        match (row.form, &node.block) {
            (Form::Scope, Some(block)) => self.scope(id, &node.args, block, span, expect),
            (Form::Scope, None) => error(span),
            (Form::Special(SpecialForm::Task), Some(block)) => self.task(id, block, span, expect),
            _ => self.intrinsic_call(id, &node.args, span, expect),
        }
    }

    pub fn intrinsic_call(
        &mut self,
        id: BuiltinId,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        self.call_builtin(id, None, args, span, expect)
    }

    /// `@name(args) { block }`: the value is the block's.
    fn scope(
        &mut self,
        id: BuiltinId,
        args: &[Arg],
        block: &ast::Block,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let (args, live) = self.without_effects(id, args);
        let bound = self.builtin_arguments(id, None, &args, span);
        let body = self.block(block, expect);
        let ty = body.ty.clone();
        let Some(bound) = bound else { return expr(ExprKind::Unit, Ty::Error, span) };
        let (mut args, types) = (bound.bound.values, bound.types);
        // It is the last parameter of the row that has it.
        if let (Some(live), Some(last)) = (live, args.last_mut()) {
            *last = live;
        }
        expr(ExprKind::Scope { id, args, types, body: Box::new(body) }, ty, span)
    }

    /// The forms that a signature cannot type.
    pub fn special(
        &mut self,
        id: BuiltinId,
        form: SpecialForm,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        if let Some(row) = id.get() {
            self.row_effects(row, span);
        }
        match form {
            SpecialForm::Spawn => self.spawn(args, span),
            SpecialForm::Signal => self.signal(args, span),
            SpecialForm::Stop => self.stop(id, args, span),
            SpecialForm::Await => match args {
                [arg] => self.await_future(arg.value, span),
                _ => self.wrong_count("await", 1, args, span),
            },
            SpecialForm::Skill => self.skill(args, span, expect),
            SpecialForm::LlmCall => self.llm_call(id, args, span),
            SpecialForm::Eval => self.eval(id, args, span),
            SpecialForm::Judge => self.judge(id, args, span),
            SpecialForm::Ask => self.ask(id, args, span),
            SpecialForm::Shard => self.shard(id, args, span),
            SpecialForm::Quorum => self.quorum(id, args, span),
            SpecialForm::Broadcast => self.broadcast(id, args, span),
            _ => {
                self.infer_args(args);
                let name = id.get().map_or("", |row| row.name);
                self.report(report::unsupported(&format!("`@{name}`"), span));
                error(span)
            }
        }
    }

    fn wrong_count(&mut self, name: &str, wanted: usize, args: &[Arg], span: Span) -> hir::Expr {
        self.infer_args(args);
        let message = format!("`@{name}` takes {wanted} arguments, not {}", args.len());
        self.report(Diagnostic::new(codes::E0305, span, message));
        error(span)
    }

    /// `@skill(s, args...)` is `s(args...)`.
    fn skill(&mut self, args: &[Arg], span: Span, expect: &Expect) -> hir::Expr {
        let Some((skill, rest)) = args.split_first() else {
            return self.wrong_count("skill", 1, args, span);
        };
        self.call(skill.value, rest, span, expect)
    }

    fn stop(&mut self, id: BuiltinId, args: &[Arg], span: Span) -> hir::Expr {
        let [arg] = args else { return self.wrong_count("stop", 1, args, span) };
        let target = self.infer(arg.value);
        match self.agent_of(&target) {
            Some(_) => {
                let types = vec![target.ty.clone()];
                expr(ExprKind::Builtin { id, args: vec![target], types }, Ty::Unit, span)
            }
            None => error(span),
        }
    }

    /// The agent an expression refers to; reported if it is none.
    pub fn agent_of(&mut self, target: &hir::Expr) -> Option<crate::types::ty::Name> {
        match self.shallow(&target.ty) {
            Ty::AgentRef(agent) => Some(agent),
            Ty::Error => None,
            other => {
                let ty = self.table.resolve(&other);
                let message = format!("an `AgentRef` is wanted here, this is `{ty}`");
                self.report(Diagnostic::new(codes::E0301, target.span, message));
                None
            }
        }
    }

    /// Only the options that are written are handed on; the lane call knows its defaults.
    fn llm_call(&mut self, id: BuiltinId, args: &[Arg], span: Span) -> hir::Expr {
        let signature = builtin_signature(self.db, id.0);
        let schema = self.table.fresh(span, Fallback::Text);
        self.pending.push(Pending::Json { ty: schema.clone(), span });
        let formals = signature.params.iter().map(|param| Formal {
            name: param.name.clone(),
            ty: param.ty.clone(),
            passing: Passing::Val,
            default: match &param.default {
                Some(_) => Default::Value(std::sync::Arc::new(error(span))),
                None => Default::Required,
            },
        });
        let formals: Vec<Formal> = formals.collect();
        let Some(bound) = self.arguments("llm_call", &formals, args, span) else {
            return expr(ExprKind::Unit, schema, span);
        };
        self.tools_are_listed(&formals, &bound, args);
        self.numbers_fit("llm_call", &formals, &bound);
        if let Some(words) = bound.values.first().and_then(told::words) {
            self.pending.push(Pending::Told { ty: schema.clone(), words, span });
        }
        let written = bound.written.iter().take(args.len());
        let options = written.filter_map(|at| {
            let formal = formals.get(*at as usize)?;
            Some((formal.name.clone(), bound.values.get(*at as usize)?.clone()))
        });
        let options = options.collect();
        expr(ExprKind::LlmCall { options, schema: schema.clone() }, schema, span)
    }

    /// A tuple of the program's own is no list of tools, though one is made of it.
    fn tools_are_listed(&mut self, formals: &[Formal], bound: &Bound, args: &[Arg]) {
        for (arg, at) in args.iter().zip(&bound.written) {
            let formal = formals.get(*at as usize);
            let is_tools = formal.is_some_and(|f| f.ty == Ty::Opaque(tools::NAME));
            if is_tools && !matches!(self.body[arg.value].kind, ast::ExprKind::List(_)) {
                // It is of another type, too, which would be the same mistake told twice.
                let at = self.body[arg.value].span;
                self.diagnostics
                    .retain(|known| known.code != codes::E0301 || known.primary.span != at);
                let message = "`tools` is a list, written where the call is";
                self.report(
                    Diagnostic::new(codes::E0301, arg.span, message)
                        .note("`tools: [lookup, broker.execute]`"),
                );
            }
        }
    }

    /// `@ask`: the type wanted is one that a person can write down.
    fn ask(&mut self, id: BuiltinId, args: &[Arg], span: Span) -> hir::Expr {
        let Some(bound) = self.builtin_arguments(id, None, args, span) else {
            return expr(ExprKind::Unit, Ty::Error, span);
        };
        let (types, result) = (bound.types, bound.result);
        self.pending.push(Pending::Answer { ty: result.clone(), span });
        self.in_order(bound.bound, span, |args| {
            expr(ExprKind::Builtin { id, args, types }, result, span)
        })
    }

    /// `@signal(r, m)`: `m` is `A.b(x)`, or a value that exactly one behavior takes (L-73).
    fn signal(&mut self, args: &[Arg], span: Span) -> hir::Expr {
        let [target, message] = args else { return self.wrong_count("signal", 2, args, span) };
        let target = self.infer(target.value);
        let agent = self.agent_of(&target);
        let def = agent.as_ref().and_then(|agent| self.definition(agent)).cloned();
        let (Some(agent), Some(crate::types::def::Definition::Agent(def))) = (agent, def) else {
            self.infer(message.value);
            return error(span);
        };
        if self.message_of(message, &def.name).is_none() {
            let value = self.infer(message.value);
            if matches!(self.shallow(&value.ty), Ty::Message(_)) {
                return self.signal_value(target, &def, value, span);
            }
            return match self.behavior_for(&def, value) {
                Some((behavior, args)) => signal_to(target, agent, behavior, args, span),
                None => error(span),
            };
        }
        match self.message_for(&def, message, span) {
            Some((behavior, args)) => signal_to(target, agent, behavior, args, span),
            None => error(span),
        }
    }

    /// The behavior a written message is for, and its payload: `A.b(x)`, or a value that exactly one behavior takes.
    pub fn message_for(
        &mut self,
        def: &std::sync::Arc<crate::types::def::AgentDef>,
        message: &Arg,
        span: Span,
    ) -> Option<(u32, Vec<hir::Expr>)> {
        match self.message_of(message, &def.name) {
            Some((name, args)) => self.message(def, &name, &args, span),
            None => {
                let value = self.infer(message.value);
                self.behavior_for(def, value)
            }
        }
    }

    /// `A.b(x)` written as the message.
    pub fn message_of(&self, arg: &Arg, agent: &str) -> Option<(ast::Ident, Vec<Arg>)> {
        let ast::ExprKind::Call { callee, args } = &self.body[arg.value].kind else { return None };
        let ast::ExprKind::Field { base, name } = &self.body[*callee].kind else { return None };
        let ast::ExprKind::Name(owner) = &self.body[*base].kind else { return None };
        (*owner == *agent && !self.is_own_name(&owner.text())).then(|| (name.clone(), args.clone()))
    }

    /// The one behavior that takes a value of this type.
    fn behavior_for(
        &mut self,
        def: &crate::types::def::AgentDef,
        value: hir::Expr,
    ) -> Option<(u32, Vec<hir::Expr>)> {
        if matches!(self.shallow(&value.ty), Ty::Error) {
            return None;
        }
        let mut fitting = Vec::new();
        for (at, behavior) in def.behaviors.iter().enumerate() {
            if let [param] = behavior.signature.params.as_slice()
                && self.table.try_unify(&param.ty, &value.ty)
            {
                fitting.push((u32::try_from(at).unwrap_or(u32::MAX), &behavior.name));
            }
        }
        let ty = self.table.resolve(&value.ty);
        match fitting.as_slice() {
            [(at, name)] => {
                self.asks(&def.name, name, value.span);
                Some((*at, vec![value]))
            }
            [] => {
                let known: Vec<String> = def
                    .behaviors
                    .iter()
                    .map(|b| {
                        let params: Vec<String> =
                            b.signature.params.iter().map(|p| p.ty.to_string()).collect();
                        format!("{}({})", b.name, params.join(", "))
                    })
                    .collect();
                let message = format!("no behavior of `{}` takes a `{ty}`", def.name);
                let diagnostic = Diagnostic::new(codes::E0704, value.span, message);
                self.report(diagnostic.note(format!("its behaviors: {}", known.join(", "))));
                None
            }
            several => {
                let names: Vec<String> =
                    several.iter().map(|(_, name)| format!("`{name}`")).collect();
                let message = format!(
                    "several behaviors of `{}` take a `{ty}`: {}",
                    def.name,
                    names.join(", ")
                );
                let first = several.first().map_or("", |(_, name)| name);
                self.report(
                    Diagnostic::new(codes::E0705, value.span, message)
                        .note(format!("name the one meant: `{}.{first}(...)`", def.name)),
                );
                None
            }
        }
    }
}
