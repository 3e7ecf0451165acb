//! `tools: [..]` of a model's call (L-124): functions, skills and tool methods, each with what the model is told of it.
//!
//! The list becomes a tuple of a description, a function and, for a method, the tool value: the runtime needs nothing else.
//! A method is called through a lambda, so that what holds for its calls in source holds for the model's. Never: a tool
//! without a name, or one whose arguments have no JSON form.

use ag_runtime::builtin::lane::about;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Callee, ExprKind};
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{self, ExprId, Ident};
use crate::syntax::item::Function;
use crate::types::def::{Definition, Param, Signature};
use crate::types::infer::agent::returned;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::{Expect, Infer, Owner, Pending, expr};
use crate::types::tool;
use crate::types::ty::{FunctionTy, Name, Ty};

/// The type of the parameter `tools`: a list of things that have no common type.
pub const NAME: &str = "Tools";

/// One thing a model may ask for.
struct Offered {
    name: Name,
    doc: Option<Name>,
    /// Names and comments, as far as they are known: function types have none.
    params: Vec<(Name, Option<Name>)>,
    function: hir::Expr,
    receiver: Option<hir::Expr>,
    destructive: bool,
}

impl Infer<'_, '_> {
    pub fn tool_list(&mut self, items: &[ExprId], span: Span) -> hir::Expr {
        let mut parts = Vec::new();
        let mut known: Vec<Name> = Vec::new();
        let mut failed = false;
        for item in items {
            let at = self.body[*item].span;
            let Some(offered) = self.offered(*item) else {
                failed = true;
                continue;
            };
            if self.shallow(&offered.function.ty).lends() {
                let message = format!(
                    "`{}` has a `ref` parameter, and a model has no variable to lend",
                    offered.name
                );
                self.report(
                    Diagnostic::new(codes::E0307, at, message).note(
                        "offer a function that takes the value and gives the changed one back",
                    ),
                );
                failed = true;
                continue;
            }
            if known.contains(&offered.name) {
                let message = format!("two tools are called `{}`", offered.name);
                self.report(Diagnostic::new(codes::E0305, at, message).note(
                    "a model asks for a tool by its name: wrap one in a function of another name",
                ));
                failed = true;
            }
            known.push(offered.name.clone());
            self.as_parts(offered, at, &mut parts);
        }
        if failed {
            return expr(ExprKind::Unit, Ty::Error, span);
        }
        if parts.is_empty() {
            return expr(ExprKind::Unit, Ty::Unit, span);
        }
        let types = parts.iter().map(|part: &hir::Expr| part.ty.clone()).collect();
        expr(ExprKind::Tuple(parts), Ty::Tuple(types), span)
    }

    fn as_parts(&mut self, offered: Offered, span: Span, parts: &mut Vec<hir::Expr>) {
        let Ty::Function(signature) = self.shallow(&offered.function.ty) else { return };
        let skipped = usize::from(offered.receiver.is_some());
        for ty in signature.params.iter().skip(skipped).chain([&signature.result]) {
            self.pending.push(Pending::Json { ty: ty.clone(), span });
        }
        let params: Vec<(&str, &str)> = offered
            .params
            .iter()
            .map(|(name, doc)| (&**name, doc.as_deref().unwrap_or_default()))
            .collect();
        let doc = offered.doc.as_deref().unwrap_or_default();
        let is_method = offered.receiver.is_some();
        let text = about(&offered.name, doc, &params, is_method, offered.destructive);
        parts.push(expr(ExprKind::Text(text.into()), Ty::Text, span));
        parts.push(offered.function);
        parts.extend(offered.receiver);
    }

    /// What an element offers; reported if it is nothing to offer.
    fn offered(&mut self, item: ExprId) -> Option<Offered> {
        let span = self.body[item].span;
        match &self.body[item].kind {
            ast::ExprKind::Name(name) => self.offered_name(&name.text(), span),
            ast::ExprKind::Field { base, name } => self.offered_method(*base, name, span),
            _ => {
                let value = self.infer(item);
                if value.ty != Ty::Error {
                    self.no_tool(&value, None);
                }
                None
            }
        }
    }

    fn offered_name(&mut self, name: &Name, span: Span) -> Option<Offered> {
        if let Some(offered) = self.private_function(name, span) {
            return Some(offered);
        }
        let is_own = self.is_own_name(name) || self.is_declared(name);
        let value = self.name(name, span, &Expect::Nothing);
        let signature = match self.shallow(&value.ty) {
            Ty::Function(signature) => signature,
            Ty::Error => return None,
            _ => {
                self.no_tool(&value, Some(name));
                return None;
            }
        };
        let known = match self.definition(name) {
            Some(Definition::Function(known)) if !is_own => Some(known.clone()),
            _ => None,
        };
        let (doc, params) = match (known, &self.owner) {
            (Some(known), _) => (known.doc.clone(), described(&known.params)),
            (None, Owner::Agent(agent)) => {
                let port = agent.field(name).and_then(|(_, port)| port.doc.clone());
                (port, numbered(&signature))
            }
            (None, _) => (None, numbered(&signature)),
        };
        let name = name.clone();
        Some(Offered { name, doc, params, function: value, receiver: None, destructive: false })
    }

    /// A private function of the own agent, through a lambda.
    fn private_function(&mut self, name: &Name, span: Span) -> Option<Offered> {
        let Owner::Agent(agent) = self.owner.clone() else { return None };
        let found = agent.functions.iter().find(|function| function.name == *name)?;
        self.calls(&agent.name, Some(name), span);
        let owner = ScopedName::new(self.db, agent.name.clone(), self.prelude);
        let result = self.result_in(owner, Some(found.member), &found.signature);
        let function = self.through_lambda(&found.signature, None, result, span);
        let (doc, params) = (found.signature.doc.clone(), described(&found.signature.params));
        let name = name.clone();
        Some(Offered { name, doc, params, function, receiver: None, destructive: false })
    }

    /// `broker.execute`: a method of a tool value.
    fn offered_method(&mut self, base: ExprId, name: &Ident, span: Span) -> Option<Offered> {
        let receiver = self.infer(base);
        let Ty::Tool(tool) = self.shallow(&receiver.ty) else {
            let field = self.field_of(receiver, name, span, &Expect::Nothing);
            if field.ty != Ty::Error {
                self.no_tool(&field, None);
            }
            return None;
        };
        if !matches!(self.definition(&tool), Some(Definition::Tool(_))) {
            return None;
        }
        let text = name.name.text();
        let Some(found) = tool::method(self.db, &tool, &text) else {
            let known = tool::methods(self.db, &tool);
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            self.unknown_member(&format!("the tool `{tool}`"), name, &known);
            return None;
        };
        self.uses(&tool);
        self.tool_effects(&found, &text, name.span);
        let method = found.signature;
        let owner = ScopedName::new(self.db, found.owner.name.clone(), self.prelude);
        let result = self.result_in(owner, Some(found.member), method);
        let receiver = self.coerce(receiver, &Ty::Tool(found.owner.name.clone()));
        let function = self.through_lambda(method, Some(receiver.ty.clone()), result, span);
        let destructive = tool::is_destructive(self.db, &tool, &text);
        let (doc, params) = (method.doc.clone(), described(&method.params));
        Some(Offered { name: text, doc, params, function, receiver: Some(receiver), destructive })
    }

    /// A lambda with the parameters of a function, which calls it.
    fn through_lambda(
        &mut self,
        signature: &Signature,
        receiver: Option<Ty>,
        result: Ty,
        span: Span,
    ) -> hir::Expr {
        let types: Vec<Ty> =
            receiver.into_iter().chain(signature.params.iter().map(Param::given)).collect();
        let key = self.lambda_key();
        self.open(FrameKind::Lambda, key, result.clone());
        let mut args = Vec::new();
        for ty in &types {
            let local = self.parameter_without_name(ty, span);
            args.push(self.passed_on(local, span));
        }
        self.frame().params = u32::try_from(args.len()).unwrap_or(u32::MAX);
        let callee = Callee::Function(signature.key.clone());
        let body = expr(ExprKind::Call { callee, args }, result.clone(), span);
        self.close_lambda(body, Ty::function(types, result), span)
    }

    /// What calling a method of a tool does. Who provides one without a body may wait.
    pub fn tool_effects(&mut self, found: &tool::Method<'_>, method: &Name, span: Span) {
        let owner = &found.owner.name;
        self.uses(owner);
        self.calls(owner, Some(method), span);
        self.effect(&format!("tool.{owner}.{method}"), span);
        if !found.has_body {
            self.effect("suspend", span);
        }
    }

    /// The body of a method without one: asks the value it is called on.
    pub fn required_body(&mut self, function: &Function, key: &Name) -> hir::Expr {
        let span = function.name.span;
        let names = function.params.iter().map(|param| param.name.name.text());
        let names: Vec<Name> = std::iter::once(Name::from("self")).chain(names).collect();
        let args = names.iter().filter_map(|name| {
            let local = self.local(name)?;
            Some(self.passed_on(local, span))
        });
        let args = args.collect();
        let result = self.frame().result.clone();
        let callee = Callee::Function(hir::gate::provided_key(key));
        returned(expr(ExprKind::Call { callee, args }, result, span), span)
    }

    /// `written`: the name it was given by. A tool value is no tool itself; its methods are.
    fn no_tool(&mut self, value: &hir::Expr, written: Option<&Name>) {
        let ty = self.table.resolve(&value.ty);
        let message = format!("a model cannot be offered this: it is a value of type `{ty}`");
        let mistake = Diagnostic::new(codes::E0301, value.span, message);
        let methods = match (&ty, written) {
            (Ty::Tool(tool), Some(value)) => tool::methods(self.db, tool)
                .iter()
                .map(|method| format!("{value}.{method}"))
                .collect::<Vec<_>>()
                .join(", "),
            _ => String::new(),
        };
        self.report(match methods.is_empty() {
            false => mistake.fix(format!("write `{methods}`"), value.span, methods),
            true => mistake
                .note("tools are functions, skills and methods of tool values, by their names"),
        });
    }
}

fn described(params: &[Param]) -> Vec<(Name, Option<Name>)> {
    params.iter().map(|param| (param.name.clone(), param.doc.clone())).collect()
}

/// A function type does not say how its parameters are called.
fn numbered(signature: &FunctionTy) -> Vec<(Name, Option<Name>)> {
    (1..=signature.params.len()).map(|at| (Name::from(format!("p{at}")), None)).collect()
}
