//! What stands behind a dot or in brackets: fields, methods, members of builtin types, requests, variants.

use std::sync::Arc;

use ag_runtime::builtin::{self, BuiltinId};

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Callee, ExprKind};
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{self, Arg, ExprId, Ident};
use crate::types::declare::adt_definition;
use crate::types::def::{AgentDef, Definition, Signature};
use crate::types::infer::call::CallHead;
use crate::types::infer::name::EnumUse;
use crate::types::infer::{Expect, Infer, Owner, error, expr};
use crate::types::tool;
use crate::types::ty::{AdtRef, Name, Ty};

/// What every value has: itself, as a value of its own.
const COPY: &str = "copy";

fn copied(value: hir::Expr, span: Span) -> hir::Expr {
    let ty = value.ty.clone();
    expr(ExprKind::Convert(hir::Conversion::Copy, Box::new(value)), ty, span)
}

fn has_members(ty: &Ty) -> bool {
    !matches!(ty, Ty::Error | Ty::Never | Ty::Var(_) | Ty::Agent(_))
}

impl Infer<'_, '_> {
    /// `base.name` without a call.
    pub fn field(&mut self, base: ExprId, name: &Ident, span: Span, expect: &Expect) -> hir::Expr {
        if let Some(path) = self.path_owner(base, span) {
            return self.path_member(&path, name, span, expect);
        }
        if self.own_field_of_self(base, name, span) {
            return error(span);
        }
        let value = self.infer(base);
        if name.name.is_missing() {
            return error(span);
        }
        self.field_of(value, name, span, expect)
    }

    /// `self.n` in an agent, where the field is `n`.
    pub fn own_field_of_self(&mut self, base: ExprId, name: &Ident, span: Span) -> bool {
        let is_self = matches!(&self.body[base].kind, ast::ExprKind::Name(own) if *own == "self");
        let Owner::Agent(agent) = &self.owner else { return false };
        let text = name.name.text();
        if !is_self || agent.field(&text).is_none() || agent.behavior(&text).is_some() {
            return false;
        }
        let message = format!("`self` is the reference to the agent; its field is `{text}` alone");
        self.report(Diagnostic::new(codes::E0206, span, message).fix(
            format!("write `{text}`"),
            span,
            &*text,
        ));
        true
    }

    pub fn field_of(
        &mut self,
        value: hir::Expr,
        name: &Ident,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let text = name.name.text();
        let ty = self.shallow(&value.ty);
        match &ty {
            Ty::Adt(adt) => {
                if let Some(found) = self.struct_field(&value, adt, &text, span) {
                    return found;
                }
            }
            Ty::Record(fields) => {
                if let Some(at) = fields.iter().position(|(field, _)| *field == text) {
                    let field = fields.get(at).map_or(Ty::Error, |(_, ty)| ty.clone());
                    return field_at(value, at, field, span);
                }
            }
            Ty::Dyn if member_of(&ty, &text).is_none() => {
                let key = expr(ExprKind::Text(text), Ty::Text, name.span);
                return self.operator_call("[]", vec![value, key], span);
            }
            _ => {}
        }
        match member_of(&ty, &text) {
            Some(id) if takes_nothing(self, id) => {
                self.call_builtin(id, Some(value), &[], span, expect)
            }
            None if &*text == COPY && has_members(&ty) => copied(value, span),
            _ => {
                self.no_member(&value, &ty, name);
                error(span)
            }
        }
    }

    fn struct_field(
        &mut self,
        value: &hir::Expr,
        adt: &AdtRef,
        name: &Name,
        span: Span,
    ) -> Option<hir::Expr> {
        match adt_definition(self.db, adt) {
            Some(Definition::Struct(def)) => {
                let at = def.fields.iter().position(|field| field.name == *name)?;
                let field = def.fields.get(at)?;
                let ty = field.ty.substitute(&def.generics, &adt.args);
                Some(field_at(value.clone(), at, ty, span))
            }
            Some(_) => None,
            None => {
                self.report_older(adt, value.span);
                Some(error(span))
            }
        }
    }

    pub fn tuple_field(&mut self, base: ExprId, index: u32, span: Span) -> hir::Expr {
        let value = self.infer(base);
        match self.shallow(&value.ty) {
            Ty::Tuple(items) => match items.get(index as usize) {
                Some(ty) => field_at(value, index as usize, ty.clone(), span),
                None => {
                    let message = format!("the tuple has {} parts", items.len());
                    self.report(Diagnostic::new(codes::E0206, span, message));
                    error(span)
                }
            },
            Ty::Error => error(span),
            other => {
                let ty = self.table.resolve(&other);
                let message = format!("`{ty}` is not a tuple");
                self.report(Diagnostic::new(codes::E0206, span, message));
                error(span)
            }
        }
    }

    pub fn index(&mut self, base: ExprId, index: ExprId, span: Span) -> hir::Expr {
        let value = self.infer(base);
        let index = match self.shallow(&value.ty) {
            Ty::Map(key, _) => self.check(index, &key),
            Ty::List(_) | Ty::Vector | Ty::Text | Ty::Shards(_) => self.check(index, &Ty::Int),
            _ => self.infer(index),
        };
        if matches!(self.shallow(&value.ty), Ty::Error) || index.ty == Ty::Error {
            return error(span);
        }
        self.operator_call("[]", vec![value, index], span)
    }

    /// `base.name(args)`.
    pub fn call_member(
        &mut self,
        base: ExprId,
        name: &Ident,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        if let Some(path) = self.path_owner(base, span) {
            return self.call_path(path, name, args, span, expect);
        }
        let value = self.infer(base);
        if name.name.is_missing() {
            self.infer_args(args);
            return error(span);
        }
        let ty = self.shallow(&value.ty);
        match &ty {
            Ty::Adt(adt) => {
                if let Some(call) = self.call_method((base, &value), adt, name, args, span, expect)
                {
                    return call;
                }
            }
            Ty::Tool(tool) => return self.call_tool(value, &tool.clone(), name, args, span),
            Ty::AgentRef(agent) => return self.request(value, &agent.clone(), name, args, span),
            Ty::Record(fields) => {
                let at = fields.iter().position(|(field, _)| name.name == **field);
                if let Some(at) = at {
                    let field = fields.get(at).map_or(Ty::Error, |(_, ty)| ty.clone());
                    return self.call_value(field_at(value, at, field, span), args, span);
                }
            }
            _ => {}
        }
        match self.overload(&ty, name.name.as_str(), args) {
            Some(id) => self.call_builtin(id, Some(value), args, span, expect),
            None if name.name == COPY && args.is_empty() && has_members(&ty) => copied(value, span),
            None => {
                self.infer_args(args);
                self.no_member(&value, &ty, name);
                error(span)
            }
        }
    }

    /// The builtin member that takes these arguments, else the first of that name.
    pub fn overload(&self, ty: &Ty, name: &str, args: &[Arg]) -> Option<BuiltinId> {
        let candidates = builtin::overloads(receiver_name(ty)?, name);
        let takes = |id: &&BuiltinId| {
            let params = &crate::types::builtins::builtin_signature(self.db, id.0).params;
            let named = args.iter().filter_map(|arg| arg.name.as_ref());
            let known = named.clone().all(|name| params.iter().any(|p| name.name == *p.name));
            let needed = params.iter().skip(1).filter(|param| param.default.is_none()).count();
            known && args.len() < params.len() && args.len() >= needed
        };
        candidates.iter().find(takes).or(candidates.first()).copied()
    }

    /// A method of a struct or enum, or a field that holds a function.
    fn call_method(
        &mut self,
        (base, value): (ExprId, &hir::Expr),
        adt: &AdtRef,
        name: &Ident,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> Option<hir::Expr> {
        let methods = match adt_definition(self.db, adt) {
            Some(Definition::Struct(def)) => &def.methods,
            Some(Definition::Enum(def)) => &def.methods,
            Some(_) => return None,
            None => {
                self.infer_args(args);
                self.report_older(adt, value.span);
                return Some(error(span));
            }
        };
        let text = name.name.text();
        if let Some((at, method)) = find(methods, &text).filter(|(_, m)| m.receiver) {
            let owner = ScopedName::new(self.db, adt.name.clone(), adt.fingerprint == 0);
            self.uses(&adt.name);
            self.calls(&adt.name, Some(&text), name.span);
            let head = self.method_head(method, base, value, adt);
            return Some(self.call_function(method, owner, Some(at), head, args, span, expect));
        }
        let field = self.struct_field(value, adt, &text, span)?;
        Some(self.call_value(field, args, span))
    }

    fn call_tool(
        &mut self,
        value: hir::Expr,
        tool: &Name,
        name: &Ident,
        args: &[Arg],
        span: Span,
    ) -> hir::Expr {
        if !matches!(self.definition(tool), Some(Definition::Tool(_))) {
            self.infer_args(args);
            return error(span);
        }
        let text = name.name.text();
        let Some(found) = tool::method(self.db, tool, &text) else {
            self.infer_args(args);
            let known = tool::methods(self.db, tool);
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            self.unknown_member(&format!("the tool `{tool}`"), name, &known);
            return error(span);
        };
        self.uses(tool);
        self.tool_effects(&found, &text, name.span);
        let owner = ScopedName::new(self.db, found.owner.name.clone(), self.prelude);
        let value = self.coerce(value, &Ty::Tool(found.owner.name.clone()));
        let head = CallHead { first: vec![value], ..CallHead::default() };
        let member = Some(found.member);
        self.call_function(found.signature, owner, member, head, args, span, &Expect::Nothing)
    }

    /// `r.b(x)`: a request, a Future of its reply (L-73).
    fn request(
        &mut self,
        target: hir::Expr,
        agent: &Name,
        name: &Ident,
        args: &[Arg],
        span: Span,
    ) -> hir::Expr {
        let Some(Definition::Agent(def)) = self.definition(agent).cloned() else {
            self.infer_args(args);
            return error(span);
        };
        let Some((behavior, payload)) = self.message(&def, name, args, span) else {
            return error(span);
        };
        let asked = def.behaviors.get(behavior as usize);
        let result = asked.map_or(Ty::Error, |asked| {
            let owner = ScopedName::new(self.db, def.name.clone(), self.prelude);
            self.result_in(owner, Some(asked.member), &asked.signature)
        });
        for effect in ["send", "suspend", "request"] {
            self.effect(effect, span);
        }
        let kind = ExprKind::Request {
            target: Box::new(target),
            agent: agent.clone(),
            behavior,
            args: payload,
        };
        expr(kind, Ty::Future(Box::new(result)), span)
    }

    /// The behavior a message is for and its payload. Not what it gives: a signal uses no result, so it may be sent where the
    /// result is still being inferred.
    pub fn message(
        &mut self,
        def: &Arc<AgentDef>,
        name: &Ident,
        args: &[Arg],
        span: Span,
    ) -> Option<(u32, Vec<hir::Expr>)> {
        self.uses(&def.name);
        let text = name.name.text();
        let Some((at, behavior)) = def.behavior(&text) else {
            self.infer_args(args);
            let known: Vec<&str> = def.behaviors.iter().map(|b| &*b.name).collect();
            self.unknown_member(&format!("the agent `{}`", def.name), name, &known);
            return None;
        };
        self.asks(&def.name, &text, name.span);
        let owner = ScopedName::new(self.db, def.name.clone(), self.prelude);
        let formals = self.formals(&behavior.signature.params, owner, Some(behavior.member), &[]);
        let bound = self.arguments(&behavior.signature.key, &formals, args, span)?;
        Some((at, bound.values))
    }

    /// A base that names a type or agent, not a value.
    fn path_owner(&mut self, base: ExprId, span: Span) -> Option<PathOwner> {
        let ast::ExprKind::Name(name) = &self.body[base].kind else { return None };
        let name = name.text();
        if self.is_own_name(&name) || self.is_declared(&name) {
            return None;
        }
        match self.definition(&name)? {
            Definition::Alias(alias) => {
                let free: Vec<Ty> = alias.generics.iter().map(|_| self.fresh(span)).collect();
                let Ty::Adt(adt) = alias.ty.substitute(&alias.generics, &free) else { return None };
                self.uses(&name);
                let definition = adt_definition(self.db, &adt)?.clone();
                Some(PathOwner { name: adt.name.clone(), definition, args: adt.args.clone() })
            }
            found @ (Definition::Struct(_) | Definition::Enum(_) | Definition::Agent(_)) => {
                Some(PathOwner { name, definition: found.clone(), args: Vec::new() })
            }
            _ => None,
        }
    }

    /// The enum of a path; an alias may have fixed its arguments.
    fn path_enum(&mut self, path: &PathOwner, span: Span, expect: &Expect) -> Option<EnumUse> {
        let ty = self.constructed(&path.name, span, expect)?;
        if let Ty::Adt(adt) = &ty {
            for (arg, known) in adt.args.iter().zip(&path.args) {
                self.table.try_unify(arg, known);
            }
        }
        self.enum_use(&ty)
    }

    /// `Enum.Variant` without payload, `Struct.function` as a value.
    fn path_member(
        &mut self,
        path: &PathOwner,
        name: &Ident,
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let owner = &path.name;
        if name.name.is_missing() {
            return error(span);
        }
        let text = name.name.text();
        match &path.definition {
            Definition::Enum(_) => {
                let Some(found) = self.path_enum(path, span, expect) else { return error(span) };
                match self.variant_of(&found, &text, name.span) {
                    Some(tag) => self.bare_variant(&found, tag, span),
                    None => error(span),
                }
            }
            _ => {
                let what = format!("`{owner}` is {}; `{owner}.{text}`", path.definition.kind());
                self.report(Diagnostic::new(
                    codes::E0206,
                    name.span,
                    format!("{what} is not a value"),
                ));
                error(span)
            }
        }
    }

    fn call_path(
        &mut self,
        path: PathOwner,
        name: &Ident,
        args: &[Arg],
        span: Span,
        expect: &Expect,
    ) -> hir::Expr {
        let text = name.name.text();
        let owner = &path.name;
        let methods = match &path.definition {
            Definition::Enum(def)
                if def.variant(&text).is_some() || find(&def.methods, &text).is_none() =>
            {
                let found = self.path_enum(&path, span, expect);
                let tag = found.as_ref().and_then(|f| self.variant_of(f, &text, name.span));
                return match (found, tag) {
                    (Some(found), Some(tag)) => self.variant_call(&found, tag, args, span),
                    _ => {
                        self.infer_args(args);
                        error(span)
                    }
                };
            }
            Definition::Enum(def) => &def.methods,
            Definition::Struct(def) => &def.methods,
            Definition::Agent(def) => return self.message_value(def, name, args, span),
            _ => {
                self.infer_args(args);
                return error(span);
            }
        };
        match find(methods, &text).filter(|(_, method)| !method.receiver) {
            Some((at, method)) => {
                self.uses(owner);
                self.calls(owner, Some(&text), name.span);
                let scoped = ScopedName::new(self.db, owner.clone(), self.prelude);
                let head = CallHead { types: path.args, ..CallHead::default() };
                self.call_function(method, scoped, Some(at), head, args, span, expect)
            }
            None => {
                self.infer_args(args);
                let known: Vec<&str> =
                    methods.iter().filter(|m| !m.receiver).map(|m| short(&m.key)).collect();
                self.unknown_member(&format!("`{owner}`"), name, &known);
                error(span)
            }
        }
    }
}

/// A base that names a type or agent.
struct PathOwner {
    name: Name,
    definition: Definition,
    /// The arguments that an alias gives the type; empty if the path names the type itself.
    args: Vec<Ty>,
}

/// The method of that name, and its place.
fn find<'a>(methods: &'a [Signature], name: &str) -> Option<(u32, &'a Signature)> {
    let at = methods.iter().position(|method| short(&method.key) == name)?;
    Some((u32::try_from(at).ok()?, methods.get(at)?))
}

/// `S.f` -> `f`.
pub fn short(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn field_at(base: hir::Expr, at: usize, ty: Ty, span: Span) -> hir::Expr {
    let index = u32::try_from(at).unwrap_or(u32::MAX);
    expr(ExprKind::Field { base: Box::new(base), index }, ty, span)
}

fn takes_nothing(infer: &Infer<'_, '_>, id: BuiltinId) -> bool {
    let signature = crate::types::builtins::builtin_signature(infer.db, id.0);
    signature.params.iter().skip(1).all(|param| param.default.is_some())
}

/// The builtin member of a type.
pub fn member_of(ty: &Ty, name: &str) -> Option<BuiltinId> {
    builtin::member(receiver_name(ty)?, name)
}

/// The name under which the table lists the members of a type.
pub fn receiver_name(ty: &Ty) -> Option<&str> {
    Some(match ty {
        Ty::Bool => "Bool",
        Ty::Int => "Int",
        Ty::Float => "Float",
        Ty::Text => "Text",
        Ty::Bytes => "Bytes",
        Ty::Money => "Money",
        Ty::Duration => "Duration",
        Ty::Time => "Time",
        Ty::Dyn => "Dyn",
        Ty::Vector => "Vector",
        Ty::List(_) => "List",
        Ty::Set(_) => "Set",
        Ty::Map(..) => "Map",
        Ty::Channel(_) => "Channel",
        Ty::Future(_) => "Future",
        Ty::Shards(_) => "Shards",
        Ty::Opaque(name) => name,
        Ty::Adt(adt) if adt.fingerprint == 0 => &adt.name,
        _ => return None,
    })
}

/// A call of a method by key, for callers that have no written arguments.
pub fn method_call(key: Name, args: Vec<hir::Expr>, ty: Ty, span: Span) -> hir::Expr {
    expr(ExprKind::Call { callee: Callee::Function(key), args }, ty, span)
}
