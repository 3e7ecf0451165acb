//! Tools that provide others (L-61): which tool's method a call means, what is left to be provided, and what a provider owes.
//!
//! A method without a body is required of whoever provides the tool. Never: says which tool a value really is; that is known
//! while running (`ag_runtime::code::dispatch`).

use std::sync::Arc;

use crate::db::Db;
use crate::diag::{Diagnostic, codes, nearest};
use crate::hir;
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve, session_scope};
use crate::source::Span;
use crate::syntax::ast::{Body, Ident};
use crate::syntax::item::{Attr, Function, ItemKind, Param, Tool};
use crate::types::capability::passing;
use crate::types::check::inferred_result;
use crate::types::declare::definition;
use crate::types::def::{Definition, Passing, Signature, ToolDef};
use crate::types::infer::member::short;
use crate::types::report::did_you_mean;
use crate::types::ty::{Name, Ty};

/// What a method promises beside its types, so that what it provides may rely on it.
const PROMISES: [&str; 2] = ["read_only", "idempotent"];

fn tool<'db>(db: &'db dyn Db, name: &Name) -> Option<&'db Arc<ToolDef>> {
    let scoped = ScopedName::new(db, name.clone(), false);
    // A value of that name is not looked at: what it is may depend on who asks.
    let Some(Site::Item(_)) = resolve(db, scoped, None) else { return None };
    match definition(db, scoped, None) {
        Some(Definition::Tool(def)) => Some(def),
        _ => None,
    }
}

/// A tool, the one it provides, and so on. Ends where that leads back.
pub fn line<'db>(db: &'db dyn Db, name: &Name) -> Vec<&'db Arc<ToolDef>> {
    let mut line: Vec<&Arc<ToolDef>> = Vec::new();
    let mut next = tool(db, name);
    while let Some(def) = next.filter(|def| line.iter().all(|known| known.name != def.name)) {
        line.push(def);
        next = def.provides.as_ref().and_then(|base| tool(db, base));
    }
    line
}

/// Whether a value of the tool `have` may stand where a `want` is wanted.
pub fn provides(db: &dyn Db, have: &Name, want: &Name) -> bool {
    line(db, have).iter().any(|def| def.name == *want)
}

/// A method as a call on a tool means it.
pub struct Method<'db> {
    /// Whose it is: the tool itself or one it provides.
    pub owner: &'db Arc<ToolDef>,
    pub member: u32,
    pub signature: &'db Signature,
    pub has_body: bool,
}

fn own<'db>(owner: &'db Arc<ToolDef>, name: &str) -> Option<Method<'db>> {
    let at = owner.methods.iter().position(|method| short(&method.key) == name)?;
    let (signature, member) = (owner.methods.get(at)?, u32::try_from(at).ok()?);
    let has_body = !owner.required.iter().any(|required| **required == *name);
    Some(Method { owner, member, signature, has_body })
}

/// The method of that name: the nearest with a body, else the nearest.
pub fn method<'db>(db: &'db dyn Db, tool: &Name, name: &str) -> Option<Method<'db>> {
    let mut found: Vec<Method<'db>> =
        line(db, tool).into_iter().filter_map(|def| own(def, name)).collect();
    let with_body = found.iter().position(|method| method.has_body);
    (!found.is_empty()).then(|| found.swap_remove(with_body.unwrap_or(0)))
}

/// The names of all methods, own ones first.
pub fn methods(db: &dyn Db, tool: &Name) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for name in line(db, tool).iter().flat_map(|def| &def.methods).map(|m| short(&m.key)) {
        if !names.iter().any(|known| **known == *name) {
            names.push(Arc::from(name));
        }
    }
    names
}

/// The methods that nobody in the line of a tool has a body for. None: its values can be made.
pub fn missing(db: &dyn Db, tool: &Name) -> Vec<Name> {
    let mut names = methods(db, tool);
    names.retain(|name| method(db, tool, name).is_some_and(|found| !found.has_body));
    names
}

/// The tools of the session that have all a tool requires.
pub fn providers(db: &dyn Db, wanted: &Name) -> Vec<Name> {
    let provides = |name: &&Name| {
        *name != wanted && provides(db, name, wanted) && missing(db, name).is_empty()
    };
    let mut found: Vec<Name> =
        session_scope(db).names().filter(|name| tool(db, name).is_some()).cloned().collect();
    found.retain(|name| provides(&name));
    found.sort();
    found
}

/// What is wrong with a tool as a provider, and as one to be provided.
pub fn check<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<Diagnostic> {
    let ItemKind::Tool(tree) = &item.tree(db).kind else { return Vec::new() };
    let mut out = Vec::new();
    let held = tree.params.iter().map(|p| &p.name).chain(tree.fields.iter().map(|f| &f.name));
    if let (Some(open), Some(held)) =
        (tree.methods.iter().find(|method| method.body.is_none()), held.into_iter().next())
    {
        let message = format!(
            "`{}` is left to another tool, so `{}` has no values and cannot hold `{}`",
            open.name.name,
            item.name(db),
            held.name
        );
        out.push(
            Diagnostic::new(codes::E0214, held.span, message)
                .label(open.name.span, "no body")
                .note("let the tool that provides it hold what it needs"),
        );
    }
    for method in &tree.methods {
        out.extend(contradiction(&method.attrs));
    }
    if let Some(base) = &tree.provides {
        provider(db, item, tree, base, &mut out);
    }
    out
}

fn contradiction(attrs: &[Attr]) -> Option<Diagnostic> {
    let find = |name: &str| attrs.iter().find(|attr| attr.name.name == name);
    let (reads, destroys) = (find("read_only")?, find("destructive")?);
    let message = "what only reads destroys nothing: the method is one or the other";
    Some(Diagnostic::new(codes::E0214, destroys.span, message).label(reads.span, "and here"))
}

fn provider<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    tree: &Tool,
    base: &Ident,
    out: &mut Vec<Diagnostic>,
) {
    let (name, wanted) = (item.name(db), base.name.text());
    if tool(db, &wanted).is_none() {
        out.extend(no_tool(db, base));
        return;
    }
    // A line that leads back ends before the tool that it began with.
    if line(db, &wanted).iter().any(|known| known.name == name) {
        let message = format!("`{name}` provides itself, through `{wanted}`");
        out.push(Diagnostic::new(codes::E0213, base.span, message));
        return;
    }
    for required in methods(db, &wanted) {
        let Some(promised) = method(db, &wanted, &required) else { continue };
        match tree.methods.iter().position(|m| m.name.name == *required) {
            Some(at) => differs(db, item, tree, at, &promised, out),
            None if !promised.has_body => {
                let message = format!("`{name}` provides `{wanted}` and has no `{required}`");
                let text = written(db, &promised);
                out.push(
                    Diagnostic::new(codes::E0210, base.span, message)
                        .note(format!("it needs `{text}`")),
                );
            }
            None if !promised.owner.fields.is_empty() => {
                let message = format!(
                    "`{name}` provides `{wanted}` and has no `{required}`, which it cannot take over"
                );
                out.push(Diagnostic::new(codes::E0210, base.span, message).note(format!(
                    "`{}` holds fields that a `{name}` does not have, and its methods may use them",
                    promised.owner.name
                )));
            }
            None => {}
        }
    }
}

fn no_tool(db: &dyn Db, base: &Ident) -> Option<Diagnostic> {
    if base.name.is_missing() {
        return None;
    }
    let scoped = ScopedName::new(db, base.name.text(), false);
    let message = match definition(db, scoped, None) {
        Some(Definition::Unsupported(_)) => return None,
        Some(other) => format!("`{}` is {}, not a tool to provide", base.name, other.kind()),
        None => format!("there is no tool `{}` to provide", base.name),
    };
    let known = session_scope(db).names().filter(|name| tool(db, name).is_some());
    let found = nearest(base.name.as_str(), known.map(|name| &**name));
    Some(did_you_mean(Diagnostic::new(codes::E0213, base.span, message), base.span, &found))
}

/// A method that is called through the tool it is provided for must be what that one says.
fn differs<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    tree: &Tool,
    at: usize,
    promised: &Method<'db>,
    out: &mut Vec<Diagnostic>,
) {
    let (Some(function), Some(def)) = (tree.methods.get(at), tool(db, &item.name(db))) else {
        return;
    };
    let (Some(own), Some(member)) = (def.methods.get(at), u32::try_from(at).ok()) else { return };
    let mine = Method { owner: def, member, signature: own, has_body: true };
    let names = |signature: &Signature| -> Vec<(Name, Ty)> {
        signature.params.iter().map(|param| (param.name.clone(), param.given())).collect()
    };
    let (have, want) = (result(db, &mine), result(db, promised));
    let unknown = have == Ty::Error || want == Ty::Error;
    if names(own) != names(promised.signature) || (have != want && !unknown) {
        let message = format!(
            "`{}` is not as `{}` has it: `{}`",
            function.name.name,
            promised.owner.name,
            written(db, promised)
        );
        out.push(
            Diagnostic::new(codes::E0211, function.name.span, message)
                .note("names count, too: calls and rules of policies use them"),
        );
    }
    out.extend(kept(db, function, promised));
}

/// `@read_only` and `@idempotent` are relied upon by who calls through the tool.
fn kept(db: &dyn Db, function: &Function, promised: &Method<'_>) -> Option<Diagnostic> {
    let name = function.name.name.as_str();
    let lost = PROMISES.into_iter().find(|promise| {
        marked(db, &promised.owner.name, name, promise)
            && !function.attrs.iter().any(|attr| attr.name.name == **promise)
    })?;
    let message = format!("`{name}` of `{}` is `@{lost}`, and this is not", promised.owner.name);
    Some(
        Diagnostic::new(codes::E0211, function.name.span, message)
            .note(format!("write `@{lost}` before it, if that holds")),
    )
}

/// What a method gives; inferred where it is not written.
fn result(db: &dyn Db, method: &Method<'_>) -> Ty {
    method.signature.result.clone().unwrap_or_else(|| {
        let owner = ScopedName::new(db, method.owner.name.clone(), false);
        inferred_result(db, owner, Some(method.member))
    })
}

fn written(db: &dyn Db, method: &Method<'_>) -> String {
    let params: Vec<String> =
        method.signature.params.iter().map(|p| format!("{} : {}", p.name, p.given())).collect();
    let name = short(&method.signature.key);
    match result(db, method) {
        Ty::Unit => format!("function {name}({})", params.join(", ")),
        ty => format!("function {name}({}) -> {ty}", params.join(", ")),
    }
}

/// Whether the method of this tool has the attribute.
pub fn marked(db: &dyn Db, tool: &Name, method: &str, attribute: &str) -> bool {
    let Some(Site::Item(item)) = resolve(db, ScopedName::new(db, tool.clone(), false), None) else {
        return false;
    };
    let ItemKind::Tool(def) = &item.tree(db).kind else { return false };
    let found = def.methods.iter().find(|found| found.name.name == *method);
    found.is_some_and(|found| found.attrs.iter().any(|attr| attr.name.name == attribute))
}

/// Whether anybody in the line says that the method destroys something.
pub fn is_destructive(db: &dyn Db, tool: &Name, method: &str) -> bool {
    line(db, tool).iter().any(|def| marked(db, &def.name, method, "destructive"))
}

/// E0212: no value of a tool without all its methods.
pub fn cannot_be_made(db: &dyn Db, tool: &Name, span: Span) -> Option<Diagnostic> {
    let missing = missing(db, tool);
    let first = missing.first()?;
    let message = format!("`{tool}` cannot be made: its `{first}` has no body");
    let diagnostic = Diagnostic::new(codes::E0212, span, message);
    Some(match providers(db, tool).as_slice() {
        [] => diagnostic
            .note(format!("declare a tool that provides it: `tool NAME : {tool} {{ ... }}`")),
        some => diagnostic.note(format!("it is provided by: {}", some.join(", "))),
    })
}

/// What stands before the methods of a tool, and what values of it do when they are asked through what they provide.
pub fn gates<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<hir::gate::Gate> {
    let ItemKind::Tool(tree) = &item.tree(db).kind else { return Vec::new() };
    let name = item.name(db);
    let bases: Vec<Name> = line(db, &name).iter().skip(1).map(|def| def.name.clone()).collect();
    let gate = |function: &Function| {
        let method = function.name.name.text();
        let also = bases.iter().filter(|base| self::own_method(db, base, &method));
        hir::gate::Gate {
            key: Arc::from(format!("{name}.{method}")),
            effect: Arc::from(format!("tool.{name}.{method}")),
            also: also.map(|base| Arc::from(format!("tool.{base}.{method}"))).collect(),
            is_destructive: is_destructive(db, &name, &method),
            is_required: function.body.is_none(),
            params: function.params.iter().map(|param| param.name.name.text()).collect(),
            lent: function.params.iter().map(|param| is_lent(&item.tree(db).body, param)).collect(),
        }
    };
    tree.methods.iter().map(gate).collect()
}

fn is_lent(body: &Body, param: &Param) -> bool {
    passing(body, param.ty).0 == Passing::Ref
}

fn own_method(db: &dyn Db, name: &Name, method: &str) -> bool {
    tool(db, name).is_some_and(|def| own(def, method).is_some())
}

/// The methods that values of a tool have, by the functions that are run.
pub fn provided<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Option<hir::gate::Provided> {
    let ItemKind::Tool(_) = &item.tree(db).kind else { return None };
    let tool = item.name(db);
    let found = methods(db, &tool).into_iter().filter_map(|name| {
        let found = method(db, &tool, &name).filter(|found| found.has_body)?;
        Some((name, found.signature.key.clone()))
    });
    Some(hir::gate::Provided { ty: Ty::Tool(tool.clone()), methods: found.collect() })
}
