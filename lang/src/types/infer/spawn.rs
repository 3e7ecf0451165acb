//! `@spawn`: parameters by argument, ports by the rules of L-71.

use std::sync::Arc;

use ag_runtime::builtin;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, ExprKind};
use crate::names::import::visible;
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{self, Arg};
use crate::types::builtins::builtin_signature;
use crate::types::def::{AgentDef, Definition, Param};
use crate::types::infer::args::{DefaultSlot, respan};
use crate::types::infer::{Infer, error, expr};
use crate::types::tool;
use crate::types::ty::{Name, Ty};

impl Infer<'_, '_> {
    pub fn spawn(&mut self, args: &[Arg], span: Span) -> hir::Expr {
        let Some((agent, rest)) = args.split_first() else {
            let message = "`@spawn` needs the agent to start";
            self.report(Diagnostic::new(codes::E0305, span, message));
            return error(span);
        };
        let Some(def) = self.spawned(agent) else {
            self.infer_args(rest);
            return error(span);
        };
        let (fields, supervise) = self.inputs(&def, rest, span);
        let ty = Ty::AgentRef(def.name.clone());
        match fields {
            Some(fields) => {
                let agent = def.name.clone();
                expr(ExprKind::Spawn { agent, fields, supervise: Box::new(supervise) }, ty, span)
            }
            // The reference is known all the same, so that its uses are checked.
            None => expr(ExprKind::Unit, ty, span),
        }
    }

    /// What an agent is given when it begins: parameters and ports, and its supervision. No parameters if one is missing.
    pub fn inputs(
        &mut self,
        def: &AgentDef,
        rest: &[Arg],
        span: Span,
    ) -> (Option<Vec<hir::Expr>>, hir::Expr) {
        self.uses(&def.name);
        let is_port = |arg: &Arg| {
            arg.name.as_ref().is_some_and(|name| {
                def.skills.iter().chain(&def.tools).any(|port| name.name == *port.name)
            })
        };
        let is_supervise =
            |arg: &Arg| arg.name.as_ref().is_some_and(|name| name.name == "supervise");
        let params: Vec<Arg> =
            rest.iter().filter(|arg| !is_port(arg) && !is_supervise(arg)).cloned().collect();
        let owner = ScopedName::new(self.db, def.name.clone(), self.prelude);
        let formals = self.formals(&def.params, owner, None, &[]);
        let bound = self.arguments(&def.name, &formals, &params, span);
        let mut fields = bound.map(|bound| bound.values);
        for (at, port) in def.skills.iter().chain(&def.tools).enumerate() {
            let given = rest.iter().find(|arg| {
                is_port(arg) && arg.name.as_ref().is_some_and(|n| n.name == *port.name)
            });
            let value = match given {
                Some(arg) if at < def.skills.len() && self.is_model(arg.value) => {
                    let doc = port.doc.as_deref();
                    Some(self.skill_by_model(&port.name, doc, &port.ty, arg.span))
                }
                Some(arg) => Some(self.check(arg.value, &port.ty)),
                None => self.bind_port(def, def.params.len() + at, port, span),
            };
            match (&mut fields, value) {
                (Some(fields), Some(value)) => fields.push(value),
                (fields, _) => *fields = None,
            }
        }
        let supervise = self.supervision(rest.iter().find(|arg| is_supervise(arg)), span);
        (fields, supervise)
    }

    pub fn spawned(&mut self, arg: &Arg) -> Option<Arc<AgentDef>> {
        let ast::ExprKind::Name(name) = &self.body[arg.value].kind else {
            let value = self.infer(arg.value);
            if value.ty != Ty::Error {
                let message = "`@spawn` needs the name of an agent";
                self.report(Diagnostic::new(codes::E0301, value.span, message));
            }
            return None;
        };
        match self.definition(&name.text()) {
            Some(Definition::Agent(def)) => Some(def.clone()),
            Some(Definition::Unsupported(_)) => None,
            Some(other) => {
                let message = format!("`{name}` is {}, not an agent", other.kind());
                self.report(Diagnostic::new(codes::E0301, arg.span, message));
                None
            }
            None => {
                self.name(&name.text(), arg.span, &crate::types::infer::Expect::Nothing);
                None
            }
        }
    }

    fn supervision(&mut self, given: Option<&Arg>, span: Span) -> hir::Expr {
        let ty = Ty::prelude("Supervise", Vec::new());
        if let Some(arg) = given {
            return self.check(arg.value, &ty);
        }
        let default = builtin::intrinsic("spawn").and_then(|id| {
            let signature = builtin_signature(self.db, id.0);
            signature.params.iter().find_map(|param| param.default.clone())
        });
        default.map_or_else(|| error(span), |value| respan((*value).clone(), span))
    }

    /// The value of a port that is not given (L-71): its initialiser, a global of its name, or the tool itself.
    fn bind_port(
        &mut self,
        def: &AgentDef,
        field: usize,
        port: &Param,
        span: Span,
    ) -> Option<hir::Expr> {
        if port.has_default {
            let slot = DefaultSlot::of(&def.name, self.prelude, None, field);
            return Some(self.default_value(&slot, &port.ty, span));
        }
        let name = visible(self.db, self.file.as_deref(), &port.name);
        if let Some(value) = self.port_by_name(&name, &port.ty, span) {
            return Some(value);
        }
        if let Ty::Tool(tool) = &port.ty
            && let Some(Definition::Tool(found)) = self.definition(tool).cloned()
            && tool::missing(self.db, tool).is_empty()
            && found.fields.iter().all(|field| field.has_default)
        {
            self.uses(tool);
            let owner = ScopedName::new(self.db, tool.clone(), self.prelude);
            let ty = port.ty.clone();
            return Some(self.build_record(tool, &found.fields, owner, ty, &[], span));
        }
        if !port.ty.any(&mut |part| *part == Ty::Error) {
            let diagnostic = self.unbound(def, port, span);
            self.report(diagnostic);
        }
        None
    }

    /// A global function or value of the port's name whose type fits.
    fn port_by_name(&mut self, name: &Name, ty: &Ty, span: Span) -> Option<hir::Expr> {
        if let Some(global) = self.declared(name) {
            let value = self.name(name, span, &crate::types::infer::Expect::Nothing);
            return self.would_coerce(&global.ty, ty).then(|| self.coerce(value, ty));
        }
        let fits = match self.definition(name)? {
            Definition::Function(signature) => {
                let signature = signature.clone();
                let result = self.result_of(name, None, &signature);
                let params = signature.params.iter().map(Param::given).collect();
                self.table.try_unify(&Ty::function(params, result), ty)
            }
            Definition::Global(global) => {
                let have = global.ty.clone();
                self.would_coerce(&have, ty)
            }
            _ => false,
        };
        if !fits {
            return None;
        }
        let value = self.name(name, span, &crate::types::infer::Expect::Nothing);
        Some(self.coerce(value, ty))
    }

    fn unbound(&self, def: &AgentDef, port: &Param, span: Span) -> Diagnostic {
        let ty = self.table.resolve(&port.ty);
        let other = match self.definition(&port.name) {
            Some(Definition::Function(_)) => {
                " (there is a function of that name, its type does not fit)"
            }
            Some(Definition::Global(_)) => {
                " (there is a value of that name, its type does not fit)"
            }
            _ => "",
        };
        let message = format!("`{}` needs `{} : {ty}`{other}", def.name, port.name);
        let declare = match &ty {
            Ty::Function(function) => {
                let params: Vec<String> = function
                    .params
                    .iter()
                    .enumerate()
                    .map(|(at, ty)| format!("p{} : {ty}", at + 1))
                    .collect();
                format!(
                    "function {}({}) -> {} {{ ... }}",
                    port.name,
                    params.join(", "),
                    function.result
                )
            }
            Ty::Tool(wanted) if !tool::missing(self.db, wanted).is_empty() => {
                let found = tool::providers(self.db, wanted);
                let by = found.first().map_or("NAME", |found| &**found);
                format!("let {} := {by}(...)", port.name)
            }
            _ => format!("let {} := {ty}(...)", port.name),
        };
        Diagnostic::new(codes::E0703, span, message)
            .note(format!("declare `{declare}`, or give `{}: ...` to `@spawn`", port.name))
    }
}
