//! Written types to types: names of types resolved, aliases undone, arities checked.

use crate::db::{CellInput, Db};
use crate::diag::{Diagnostic, codes, nearest};
use crate::names::scope::{ScopedName, Site, prelude_scope, resolve, session_scope};
use crate::source::Span;
use crate::syntax::ast::{Body, Ident, TypeKind, TypeRefId};
use crate::syntax::item::{GenericParam, ItemKind};
use crate::syntax::rename::{file_of, short};
use crate::types::alias::contains_itself;
use crate::types::capability;
use crate::types::def::Passing;
use crate::types::fingerprint::type_fingerprint;
use crate::types::infer::tools;
use crate::types::report;
use crate::types::ty::{AdtRef, FunctionTy, Name, Ty};
use crate::types::uses;
use ag_runtime::value::{media, template};
use std::sync::Arc;

/// What a name is where a type is expected, without its fields: enough to write the type down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TypeHead {
    Adt {
        fingerprint: u64,
        arity: usize,
    },
    Alias {
        generics: Vec<Name>,
        ty: Ty,
    },
    Tool,
    Agent,
    /// A function or value: not a type.
    Other,
}

#[salsa::tracked]
pub fn type_head<'db>(
    db: &'db dyn Db,
    name: ScopedName<'db>,
    cell: Option<CellInput>,
) -> Option<TypeHead> {
    let Site::Item(item) = resolve(db, name, cell)? else { return Some(TypeHead::Other) };
    let fingerprint = || match item.prelude(db) {
        true => 0,
        false => type_fingerprint(db, name),
    };
    Some(match &item.tree(db).kind {
        ItemKind::Struct(def) => {
            TypeHead::Adt { fingerprint: fingerprint(), arity: def.generics.len() }
        }
        ItemKind::Enum(def) => {
            TypeHead::Adt { fingerprint: fingerprint(), arity: def.generics.len() }
        }
        ItemKind::Alias(def) => TypeHead::Alias {
            generics: generic_names(&def.generics),
            ty: alias_target(db, ScopedName::new(db, name.name(db).clone(), item.prelude(db))),
        },
        ItemKind::Tool(_) => TypeHead::Tool,
        ItemKind::Agent(_) | ItemKind::Orchestration(_) => TypeHead::Agent,
        _ => TypeHead::Other,
    })
}

pub fn generic_names(generics: &[GenericParam]) -> Vec<Name> {
    generics.iter().map(|param| param.name.name.text()).collect()
}

/// What is written behind the colons: `(T, Ord)`.
pub fn generic_bounds(generics: &[GenericParam]) -> Vec<(Name, Name)> {
    let bounds = |param: &GenericParam| {
        let name = param.name.name.text();
        let bounds = param.bounds.iter().map(move |bound| (name.clone(), bound.name.text()));
        bounds.collect::<Vec<_>>()
    };
    generics.iter().flat_map(bounds).collect()
}

/// What an alias stands for; one that contains itself, which is reported where it is declared, stands for nothing.
#[salsa::tracked(returns(clone))]
fn alias_target<'db>(db: &'db dyn Db, name: ScopedName<'db>) -> Ty {
    let Some(Site::Item(item)) = resolve(db, name, None) else { return Ty::Error };
    let tree = item.tree(db);
    let ItemKind::Alias(def) = &tree.kind else { return Ty::Error };
    if contains_itself(db, name) {
        return Ty::Error;
    }
    let generics = generic_names(&def.generics);
    let scope = TypeScope {
        db,
        prelude: item.prelude(db),
        is_file: item.is_of_file(db),
        cell: None,
        generics: &generics,
        body: &tree.body,
    };
    scope.ty(def.ty, &mut Vec::new())
}

/// Where written types are read.
#[derive(Clone, Copy)]
pub struct TypeScope<'a, 'db> {
    pub db: &'db dyn Db,
    pub prelude: bool,
    /// In the text of a file: bare names mean nothing of the session.
    pub is_file: bool,
    pub cell: Option<CellInput>,
    pub generics: &'a [Name],
    pub body: &'a Body,
}

impl<'db> TypeScope<'_, 'db> {
    pub fn scoped(&self, name: &crate::syntax::ast::Name) -> ScopedName<'db> {
        let prelude = self.prelude || (self.is_file && file_of(name.as_str()).is_none());
        ScopedName::new(self.db, name.text(), prelude)
    }

    /// The type written at `id`; mistakes are reported once into `sink` and give `Ty::Error`.
    pub fn ty(&self, id: TypeRefId, sink: &mut Vec<Diagnostic>) -> Ty {
        let ty = self.as_written(id, sink);
        if ty.is_too_large() {
            sink.push(report::too_large(self.body[id].span));
            return Ty::Error;
        }
        ty
    }

    fn as_written(&self, id: TypeRefId, sink: &mut Vec<Diagnostic>) -> Ty {
        let written = &self.body[id];
        match &written.kind {
            TypeKind::Error => Ty::Error,
            TypeKind::Named { file: Some(file), .. } => {
                sink.push(no_file(file));
                Ty::Error
            }
            TypeKind::Named { file: None, name, args } => {
                self.named(name, args, written.span, sink)
            }
            TypeKind::Function { params, ret } => Ty::Function(Box::new(FunctionTy {
                params: params.iter().map(|id| self.parameter(*id, sink)).collect(),
                result: self.ty(*ret, sink),
                uses: None,
            })),
            TypeKind::Tuple(items) if items.is_empty() => Ty::Unit,
            TypeKind::Tuple(items) => Ty::Tuple(self.all(items, sink)),
            TypeKind::Record(fields) => {
                let typed = fields.iter().map(|f| (f.name.name.text(), self.ty(f.ty, sink)));
                let mut fields: Vec<(Name, Ty)> = typed.collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Ty::Record(fields)
            }
            TypeKind::Bounded { ty, effects } => {
                sink.extend(effects.iter().filter_map(|e| uses::unknown(self.db, self.prelude, e)));
                let mut inner = self.ty(*ty, sink);
                if let Ty::Function(function) = &mut inner {
                    function.uses = Some(effects.iter().map(crate::types::effects::path).collect());
                }
                inner
            }
            TypeKind::Optional(ty) => Ty::option(self.ty(*ty, sink)),
            TypeKind::Cap { cap, ty } => {
                let found = self.ty(*ty, sink);
                let word = Span::new(written.span.start, self.body[*ty].span.start);
                sink.extend(capability::misplaced(*cap, &found, word));
                found
            }
        }
    }

    /// A parameter of a function type, which may be lent its argument.
    fn parameter(&self, id: TypeRefId, sink: &mut Vec<Diagnostic>) -> Ty {
        match capability::passing(self.body, id) {
            (Passing::Ref, ty) => Ty::Ref(Box::new(self.ty(ty, sink))),
            _ => self.ty(id, sink),
        }
    }

    fn all(&self, ids: &[TypeRefId], sink: &mut Vec<Diagnostic>) -> Vec<Ty> {
        ids.iter().map(|id| self.ty(*id, sink)).collect()
    }

    fn named(
        &self,
        name: &Ident,
        args: &[TypeRefId],
        span: Span,
        sink: &mut Vec<Diagnostic>,
    ) -> Ty {
        let text = name.name.as_str();
        if name.name.is_missing() {
            return Ty::Error;
        }
        if self.generics.iter().any(|param| &**param == text) {
            return Ty::Param(name.name.text());
        }
        if matches!(text, "AgentRef" | "Shards")
            && let [agent] = args
        {
            return self.agent_ref(text, *agent, sink);
        }
        let args = self.all(args, sink);
        if self.prelude && text == tools::NAME {
            return Ty::Opaque(tools::NAME);
        }
        if let Some(builtin) = builtin_type(text, &args) {
            return self.arity(builtin, text, args.len(), span, sink);
        }
        let scoped = self.scoped(&name.name);
        match type_head(self.db, scoped, self.cell) {
            Some(TypeHead::Adt { fingerprint, arity }) => {
                if *arity != args.len() {
                    sink.push(report::type_arguments(short(text), *arity, args.len(), span));
                    return Ty::Error;
                }
                let name = name.name.text();
                Ty::Adt(Arc::new(AdtRef { name, fingerprint: *fingerprint, args }))
            }
            Some(TypeHead::Alias { generics, ty }) => {
                if generics.len() != args.len() {
                    sink.push(report::type_arguments(
                        short(text),
                        generics.len(),
                        args.len(),
                        span,
                    ));
                    return Ty::Error;
                }
                ty.substitute(generics, &args)
            }
            Some(TypeHead::Tool) => Ty::Tool(name.name.text()),
            Some(TypeHead::Agent) => {
                let own = short(text);
                let message = format!(
                    "`{own}` is an agent; a value that refers to one has the type `AgentRef<{own}>`"
                );
                let diagnostic = Diagnostic::new(codes::E0208, span, message);
                // How a name of a file is written here is not known any more.
                sink.push(match file_of(text) {
                    Some(_) => diagnostic,
                    None => diagnostic.fix("refer to it", span, format!("AgentRef<{own}>")),
                });
                Ty::Error
            }
            Some(TypeHead::Other) | None => {
                sink.push(self.unknown(text, name.span));
                Ty::Error
            }
        }
    }

    fn agent_ref(&self, outer: &str, agent: TypeRefId, sink: &mut Vec<Diagnostic>) -> Ty {
        let shards = |one: Ty| if outer == "Shards" { Ty::Shards(Box::new(one)) } else { one };
        let written = &self.body[agent];
        let TypeKind::Named { file, name, .. } = &written.kind else { return Ty::Error };
        if let Some(file) = file {
            sink.push(no_file(file));
            return Ty::Error;
        }
        // In a builtin's signature the variable stands for the reference itself.
        if self.prelude && self.generics.iter().any(|param| name.name == **param) {
            return shards(Ty::Param(name.name.text()));
        }
        let scoped = self.scoped(&name.name);
        match type_head(self.db, scoped, self.cell) {
            Some(TypeHead::Agent) => shards(Ty::AgentRef(name.name.text())),
            // In the signatures of builtins `AgentRef<A>` is a reference to any agent.
            _ if self.prelude => Ty::AgentRef(name.name.text()),
            _ => {
                sink.push(self.unknown(name.name.as_str(), name.span));
                Ty::Error
            }
        }
    }

    fn arity(
        &self,
        builtin: Result<Ty, usize>,
        name: &str,
        given: usize,
        span: Span,
        sink: &mut Vec<Diagnostic>,
    ) -> Ty {
        builtin.unwrap_or_else(|wanted| {
            sink.push(report::type_arguments(name, wanted, given, span));
            Ty::Error
        })
    }

    fn unknown(&self, text: &str, span: Span) -> Diagnostic {
        let text = short(text);
        let message = format!("there is no type `{text}`");
        let scope = session_scope(self.db);
        let known = scope.names().map(|n| &**n).chain(prelude_scope(self.db).names().map(|n| &**n));
        let known: Vec<&str> = known.chain(BUILTIN_NAMES.iter().copied()).collect();
        let found = nearest(text, known);
        let diagnostic = Diagnostic::new(codes::E0208, span, message).saying("not declared");
        if let Some(ours) = report::foreign_type(text) {
            return diagnostic.fix(format!("write `{ours}`"), span, ours);
        }
        report::did_you_mean(diagnostic, span, &found)
    }
}

/// `x.Trade` where nothing is imported as `x`.
fn no_file(file: &Ident) -> Diagnostic {
    let name = &file.name;
    let note = match name.as_str().chars().next().is_some_and(char::is_uppercase) {
        true => format!("a variant is no type: `{name}` is, if it is an enum"),
        false => format!("`import \"{name}.ag\" as {name}` brings its names"),
    };
    let message = format!("there is no file `{name}` here that a type could be of");
    Diagnostic::new(codes::E0208, file.span, message).saying("not imported").note(note)
}

pub const BUILTIN_NAMES: &[&str] = &[
    "Unit",
    "Bool",
    "Int",
    "Float",
    "Text",
    "Bytes",
    "Money",
    "Duration",
    "Time",
    "Dyn",
    "Vector",
    "Prompt",
    "Lane",
    "List",
    "Set",
    "Map",
    "Future",
    "Channel",
    "AgentRef",
    "Shards",
    "Thread",
    "Lease",
    "EpisodeId",
    "Frame",
    "Display",
    "Progress",
    media::NAME,
    template::NAME,
];

/// Whether a type of this name is the language's own, whatever else is declared by it.
pub fn is_builtin(name: &str) -> bool {
    builtin_type(name, &[]).is_some()
}

/// The builtin type of this name; `Err` says how many arguments it takes.
fn builtin_type(name: &str, args: &[Ty]) -> Option<Result<Ty, usize>> {
    let plain = |ty: Ty| Some(if args.is_empty() { Ok(ty) } else { Err(0) });
    let one = |make: fn(Box<Ty>) -> Ty| {
        Some(match args {
            [arg] => Ok(make(Box::new(arg.clone()))),
            _ => Err(1),
        })
    };
    match name {
        "Unit" => plain(Ty::Unit),
        "Bool" | "bool" => plain(Ty::Bool),
        "Int" => plain(Ty::Int),
        "Float" => plain(Ty::Float),
        "Text" | "String" => plain(Ty::Text),
        "Bytes" => plain(Ty::Bytes),
        "Money" => plain(Ty::Money),
        "Duration" => plain(Ty::Duration),
        "Time" => plain(Ty::Time),
        "Dyn" => plain(Ty::Dyn),
        "Vector" => plain(Ty::Vector),
        "Prompt" => plain(Ty::Prompt),
        "Lane" => plain(Ty::Lane),
        "Never" => plain(Ty::Never),
        "Thread" => plain(Ty::Opaque("Thread")),
        "Lease" => plain(Ty::Opaque("Lease")),
        "EpisodeId" => plain(Ty::Opaque("EpisodeId")),
        "Frame" => plain(Ty::Opaque("Frame")),
        "Display" => plain(Ty::Opaque("Display")),
        "Progress" => plain(Ty::Opaque("Progress")),
        media::NAME => plain(Ty::Opaque(media::NAME)),
        template::NAME => plain(Ty::Opaque(template::NAME)),
        "List" => one(Ty::List),
        "Set" => one(Ty::Set),
        "Future" => one(Ty::Future),
        "Channel" => one(Ty::Channel),
        "Map" => Some(match args {
            [key, value] => Ok(Ty::Map(Box::new(key.clone()), Box::new(value.clone()))),
            _ => Err(2),
        }),
        _ => None,
    }
}
