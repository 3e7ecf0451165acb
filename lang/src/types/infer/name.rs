//! What a bare name means as a value: locals, fields of the owner, variant shorthand (L-40), globals, builtins.

use std::sync::Arc;

use ag_runtime::builtin;

use crate::db::SessionInput;
use crate::diag::{Diagnostic, codes, nearest};
use crate::hir::{self, ExprKind};
use crate::names::cell::cell_globals;
use crate::names::scope::{ScopedName, prelude_scope, session_scope};
use crate::source::Span;
use crate::syntax::rename::short;
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, EnumDef, Signature};
use crate::types::hints;
use crate::types::infer::{Expect, Infer, Owner, error, expr};
use crate::types::report;
use crate::types::ty::{Name, Ty};

/// In a Lane position: whichever lane the router chooses.
const AUTO: &str = "auto";

/// An enum with the arguments it is used with.
pub struct EnumUse {
    pub def: Arc<EnumDef>,
    pub args: Vec<Ty>,
    pub ty: Ty,
}

impl Infer<'_, '_> {
    pub fn name(&mut self, name: &Name, span: Span, expect: &Expect) -> hir::Expr {
        if name.is_empty() {
            return error(span);
        }
        if let Some(value) = self.own_name(name, span) {
            return value;
        }
        if let Some(found) = self.shorthand(name, expect) {
            self.ambiguous(name, &found.0, found.1, span);
            return self.bare_variant(&found.0, found.1, span);
        }
        if self.wants(expect, &Ty::Lane) {
            return self.lane(name, span);
        }
        self.global_name(name, span)
    }

    /// Locals and what is in scope like one.
    pub fn own_name(&mut self, name: &Name, span: Span) -> Option<hir::Expr> {
        if let Some(id) = self.local(name) {
            let ty = self.local_ty(id);
            return Some(expr(ExprKind::Local(id), ty, span));
        }
        match self.owner.clone() {
            Owner::Nobody => None,
            Owner::Agent(agent) if &**name == "self" => {
                Some(expr(ExprKind::SelfRef, Ty::AgentRef(agent.name.clone()), span))
            }
            Owner::Agent(agent) => {
                let (at, field) = agent.field(name)?;
                Some(expr(ExprKind::AgentField(at), field.ty.clone(), span))
            }
            Owner::Tool(tool) => {
                let at = tool.fields.iter().position(|field| field.name == *name)?;
                let field = tool.fields.get(at)?;
                let me = self.local(&Arc::from("self"))?;
                let base = Box::new(expr(ExprKind::Local(me), Ty::Tool(tool.name.clone()), span));
                let index = u32::try_from(at).ok()?;
                Some(expr(ExprKind::Field { base, index }, field.ty.clone(), span))
            }
        }
    }

    /// Whether [`own_name`](Self::own_name) would find it; captures nothing.
    pub fn is_own_name(&self, name: &Name) -> bool {
        let local =
            self.frames.iter().any(|frame| frame.scopes.iter().any(|s| s.contains_key(name)));
        local
            || match &self.owner {
                Owner::Nobody => false,
                Owner::Agent(agent) => &**name == "self" || agent.field(name).is_some(),
                Owner::Tool(tool) => tool.fields.iter().any(|field| field.name == *name),
            }
    }

    /// Whether this type is expected, also as an option.
    pub fn wants(&self, expect: &Expect, ty: &Ty) -> bool {
        let Expect::Is(want) = expect else { return false };
        let want = self.shallow(want);
        want == *ty || want.as_option().is_some_and(|inner| self.shallow(inner) == *ty)
    }

    /// The enum expected here: the type itself, then what it is an option of.
    fn expected_enums(&self, expect: &Expect) -> Vec<EnumUse> {
        let Expect::Is(want) = expect else { return Vec::new() };
        let want = self.shallow(want);
        let inner = want.as_option().map(|inner| self.shallow(inner));
        std::iter::once(want).chain(inner).filter_map(|ty| self.enum_use(&ty)).collect()
    }

    pub fn enum_use(&self, ty: &Ty) -> Option<EnumUse> {
        let Ty::Adt(adt) = self.shallow(ty) else { return None };
        match adt_definition(self.db, &adt)? {
            Definition::Enum(def) => {
                Some(EnumUse { def: def.clone(), args: adt.args.clone(), ty: Ty::Adt(adt) })
            }
            _ => None,
        }
    }

    /// The variant that a name means where an enum is expected.
    pub fn shorthand(&mut self, name: &Name, expect: &Expect) -> Option<(EnumUse, u32)> {
        // A function or value of a file has its file's name before it by now; a variant is written without.
        let written = short(name);
        for found in self.expected_enums(expect) {
            if let Some((tag, _)) = found.def.variant(written) {
                return Some((found, tag));
            }
        }
        None
    }

    /// E0209: a global of the variant's name would fit too.
    fn ambiguous(&mut self, name: &Name, found: &EnumUse, tag: u32, span: Span) {
        let ty = match (self.declared(name), self.definition(name)) {
            (Some(global), _) => global.ty,
            (None, Some(Definition::Global(global))) => global.ty.clone(),
            _ => return,
        };
        if ty == Ty::Error || !self.would_coerce(&ty, &found.ty) {
            return;
        }
        let variant = found.def.variants.get(tag as usize).map_or("", |variant| &variant.name);
        let full = format!("{}.{variant}", found.def.name);
        let message = format!("`{name}` may be the global or the variant `{full}`");
        self.report(
            Diagnostic::new(codes::E0209, span, message)
                .fix("the variant is meant", span, full)
                .note("rename the global to use it here"),
        );
    }

    /// `None`, `Some`, `Ok` and `Err` need no expected type.
    pub fn option_or_result(&mut self, name: &Name, span: Span) -> Option<(EnumUse, u32)> {
        let (owner, arity) = match &**name {
            "None" | "Some" => ("Option", 1),
            "Ok" | "Err" => ("Result", 2),
            _ => return None,
        };
        let args: Vec<Ty> = (0..arity).map(|_| self.fresh(span)).collect();
        let found = self.enum_use(&Ty::prelude(owner, args))?;
        let (tag, _) = found.def.variant(name)?;
        Some((found, tag))
    }

    /// A variant without arguments.
    pub fn bare_variant(&mut self, found: &EnumUse, tag: u32, span: Span) -> hir::Expr {
        let Some(variant) = found.def.variants.get(tag as usize) else { return error(span) };
        if !variant.fields.is_empty() {
            let list: Vec<String> =
                variant.fields.iter().map(|f| format!("{}: {}", f.name, f.ty)).collect();
            let message = format!("`{}` needs its payload: ({})", variant.name, list.join(", "));
            self.report(Diagnostic::new(codes::E0305, span, message));
            return expr(ExprKind::Unit, Ty::Error, span);
        }
        expr(ExprKind::Variant { tag, fields: Vec::new() }, found.ty.clone(), span)
    }

    fn lane(&mut self, name: &Name, span: Span) -> hir::Expr {
        let lanes = SessionInput::get(self.db).lanes(self.db);
        if matches!(self.definition(name), Some(Definition::Lane)) {
            self.uses(name);
            return expr(ExprKind::Lane(name.clone()), Ty::Lane, span);
        }
        let known = &**name == AUTO || lanes.is_empty() || lanes.contains(name);
        if !known {
            let message = format!("there is no lane `{name}`");
            let list: Vec<&str> = lanes.iter().map(|lane| &**lane).collect();
            let known = list.join(", ");
            let found = nearest(name, list);
            let diagnostic = Diagnostic::new(codes::E0801, span, message);
            let diagnostic = diagnostic.note(format!("the lanes are: {known}"));
            self.report(report::did_you_mean(diagnostic, span, &found));
            return error(span);
        }
        expr(ExprKind::Lane(name.clone()), Ty::Lane, span)
    }

    fn global_name(&mut self, name: &Name, span: Span) -> hir::Expr {
        if let Some(value) = self.global_value(name, span) {
            return value;
        }
        match self.definition(name) {
            Some(Definition::Function(signature)) => self.function_value(name, signature, span),
            Some(Definition::Agent(_)) => {
                self.uses(name);
                expr(ExprKind::Unit, Ty::Agent(name.clone()), span)
            }
            Some(Definition::Unsupported(_) | Definition::Global(_)) => error(span),
            Some(other) => {
                let message = format!("`{name}` is {}, not a value", other.kind());
                let how = match other {
                    Definition::Enum(def) => def
                        .variants
                        .first()
                        .map(|v| format!("`{name}.{}` is one of its values", v.name)),
                    Definition::Struct(_) => Some(format!("`{name}(...)` makes a value of it")),
                    Definition::Tool(_) => Some(format!("`{name}()` makes a value of it")),
                    _ => None,
                };
                let diagnostic = Diagnostic::new(codes::E0201, span, message);
                self.report(how.into_iter().fold(diagnostic, Diagnostic::note));
                error(span)
            }
            None => self.undefined_name(name, span),
        }
    }

    /// A global of the session.
    pub fn global_value(&mut self, name: &Name, span: Span) -> Option<hir::Expr> {
        let (ty, mutable) = match self.declared(name) {
            Some(global) => (global.ty, global.mutable),
            None => match self.definition(name)? {
                Definition::Global(global) => (global.ty.clone(), global.mutable),
                _ => return None,
            },
        };
        self.uses(name);
        if mutable {
            self.effect("global", span);
        }
        Some(expr(ExprKind::Global(name.clone()), ty, span))
    }

    fn function_value(&mut self, name: &Name, signature: &Signature, span: Span) -> hir::Expr {
        self.uses(name);
        self.calls(name, None, span);
        let types = self.type_arguments(signature, Vec::new(), span);
        let substitute = |ty: &Ty| ty.substitute(&signature.generics, &types);
        let result = substitute(&self.result_of(name, None, signature));
        let params = signature.params.iter().map(|param| substitute(&param.given())).collect();
        let owner = ScopedName::new(self.db, name.clone(), self.prelude);
        let kind = match types.is_empty() {
            true => ExprKind::Function(signature.key.clone()),
            false => ExprKind::Instance(self.instance(signature, owner, None, types)),
        };
        expr(kind, Ty::function(params, result), span)
    }

    pub fn undefined_name(&mut self, name: &Name, span: Span) -> hir::Expr {
        if let Some((found, tag)) = self.option_or_result(name, span) {
            return self.bare_variant(&found, tag, span);
        }
        if let Some(id) = builtin::function(name) {
            return self.builtin_value(id, span);
        }
        if self.first_time_missing(name) {
            let diagnostic = self.unknown_name(name, span);
            self.report(diagnostic);
        }
        error(span)
    }

    pub fn unknown_name(&mut self, name: &Name, span: Span) -> Diagnostic {
        if &**name == "Frame" {
            return report::unsupported("`Frame`", span);
        }
        let mut known = self.declared_names();
        for frame in &self.frames {
            known.extend(frame.scopes.iter().flat_map(|scope| scope.keys().cloned()));
        }
        if let Owner::Agent(agent) = &self.owner {
            known.extend(agent.fields().map(|field| field.name.clone()));
            known.extend(agent.functions.iter().map(|function| function.name.clone()));
        }
        known.extend(session_scope(self.db).names().cloned());
        known.extend(prelude_scope(self.db).names().cloned());
        known.extend(
            builtin::table()
                .iter()
                .filter(|row| row.kind == builtin::Kind::Function)
                .map(|row| Arc::from(row.name)),
        );
        let diagnostic = Diagnostic::new(codes::E0201, span, format!("there is no `{name}` here"))
            .saying("not declared");
        if let Some((text, title)) = report::foreign_value(name) {
            return match text {
                Some(text) => diagnostic.fix(title, span, text),
                None => diagnostic.note(title),
            };
        }
        if let Some(note) = hints::no_value(name) {
            return diagnostic.note(note);
        }
        if let Owner::Agent(agent) = &self.owner
            && agent.behavior(name).is_some()
        {
            return diagnostic.note(format!(
                "`{name}` is a behavior: the agent would wait for itself (R0710); move what both need into a `function` of the agent, or `@signal(self, ..)` to do it later"
            ));
        }
        // What this statement or a later one declares is no help here.
        let later = self.declared_later();
        known.retain(|other| other != name && !later.contains(other));
        let found = nearest(name, known.iter().map(|name| &**name));
        report::did_you_mean(diagnostic, span, &found)
    }

    /// The globals of the cell that do not exist yet where this statement runs.
    fn declared_later(&self) -> Vec<Name> {
        let Some(cell) = self.cell else { return Vec::new() };
        let all = cell_globals(self.db, cell).iter().map(|global| global.name.clone());
        all.filter(|name| !self.is_declared(name)).collect()
    }
}
