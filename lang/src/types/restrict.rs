//! What parses but cannot be used yet (E0903), and the checks of declarations that have no body.

use ag_runtime::value::json::KIND;

use crate::db::Db;
use crate::diag::{Diagnostic, codes, nearest};
use crate::names::cell::ItemKey;
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{Body, Ident, TypeKind, TypeRefId};
use crate::syntax::item::{
    Attr, BehaviorKind, Enum, Function, Import, ItemKind, ItemTree, MemberKind, Tool,
};
use crate::syntax::rename::short;
use crate::types::alias::contains_itself;
use crate::types::attribute;
use crate::types::bounds::BOUNDS;
use crate::types::capability::{self, Receivers};
use crate::types::check::{FnPath, function_paths};
use crate::types::endless::endless;
use crate::types::generic::parameters;
use crate::types::lane_item;
use crate::types::report::{did_you_mean, unsupported as report};
use crate::types::resolve::{TypeScope, generic_names};
use crate::types::start;
use crate::types::ty::Name;

/// One diagnostic for each construct of the item that is not supported.
pub fn unsupported(tree: &ItemTree) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let at = if tree.name.span.is_empty() { Span::new(0, 1) } else { tree.name.span };
    match &tree.kind {
        ItemKind::Lane(config) => lane_item::check(tree, config, &mut out),
        ItemKind::Import(Import::Mcp { .. }) => out.push(report("`import mcp`", at)),
        ItemKind::Import(_) => {}
        ItemKind::Error
        | ItemKind::Alias(_)
        | ItemKind::Policy(_)
        | ItemKind::Test(_)
        | ItemKind::Theorem(_) => {}
        ItemKind::Function(function) => {
            members(std::slice::from_ref(function), attribute::OF_FUNCTION, None, &mut out);
        }
        ItemKind::Struct(def) => {
            members(&def.methods, attribute::OF_FUNCTION, Some(Receivers::Values), &mut out);
        }
        ItemKind::Enum(def) => {
            members(&def.methods, attribute::OF_FUNCTION, Some(Receivers::Values), &mut out);
        }
        ItemKind::Tool(def) => tool(def, &mut out),
        ItemKind::Agent(_) | ItemKind::Orchestration(_) => agent(tree, &mut out),
    }
    let allowed: &[&str] = match &tree.kind {
        ItemKind::Agent(_) | ItemKind::Orchestration(_) => attribute::OF_AGENT,
        ItemKind::Function(_) => attribute::OF_FUNCTION,
        ItemKind::Struct(_) | ItemKind::Enum(_) | ItemKind::Alias(_) | ItemKind::Tool(_) => {
            attribute::OF_TYPE
        }
        _ => &[],
    };
    attributes(&tree.attrs, allowed, &mut out);
    out.extend(attribute::check(tree));
    out
}

/// Each stands before what it is for, and once. The attributes of an item are repeated in its function.
fn attributes(attrs: &[Attr], allowed: &[&str], out: &mut Vec<Diagnostic>) {
    for (at, attr) in attrs.iter().enumerate() {
        let name = attr.name.name.as_str();
        let is_repeated = attrs.iter().take(at).any(|before| before.name.name == name);
        let diagnostic = match allowed.contains(&name) {
            true if is_repeated => repeated(name, attr.span),
            true => continue,
            false => elsewhere(name, attr.span),
        };
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
}

fn repeated(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(codes::E0106, span, format!("`@{name}` stands here twice")).fix(
        "remove it",
        span,
        "",
    )
}

fn elsewhere(name: &str, span: Span) -> Diagnostic {
    let places = [
        (attribute::OF_FUNCTION, "a function or a method"),
        (attribute::OF_AGENT, "an agent"),
        (attribute::OF_BEHAVIOR, "a behavior"),
        (attribute::OF_TOOL_METHOD, "a method of a tool"),
        (attribute::OF_TYPE, "a type or a tool"),
    ];
    let fitting = places.iter().filter(|(names, _)| names.contains(&name));
    let fitting: Vec<&str> = fitting.map(|(_, place)| *place).collect();
    if fitting.is_empty() {
        return report(&format!("`@{name}` before this"), span);
    }
    let message = format!("`@{name}` stands before {}", fitting.join(" or "));
    Diagnostic::new(codes::E0106, span, message)
}

fn members(
    functions: &[Function],
    allowed: &[&str],
    receivers: Option<Receivers>,
    out: &mut Vec<Diagnostic>,
) {
    for function in functions {
        attributes(&function.attrs, allowed, out);
        out.extend(receivers.and_then(|of| capability::misplaced_self(function, of)));
    }
}

fn tool(def: &Tool, out: &mut Vec<Diagnostic>) {
    for method in &def.methods {
        if let Some(generic) = method.generics.first() {
            out.push(report("a type parameter of a tool method", generic.name.span));
        }
    }
    members(&def.methods, attribute::OF_TOOL_METHOD, Some(Receivers::Tool), out);
}

fn agent(tree: &ItemTree, out: &mut Vec<Diagnostic>) {
    let Some(def) = tree.kind.as_agent() else { return };
    for member in &def.members {
        match &member.kind {
            MemberKind::Behavior(behavior) => {
                if behavior.kind == BehaviorKind::Alert {
                    alert(&behavior.function, &tree.body, out);
                }
                if let Some(generic) = behavior.function.generics.first() {
                    out.push(report("a type parameter of a behavior", generic.name.span));
                }
                let function = std::slice::from_ref(&behavior.function);
                members(function, attribute::OF_BEHAVIOR, Some(Receivers::Agent), out);
            }
            MemberKind::Function(function) => {
                let function = std::slice::from_ref(function);
                members(function, attribute::OF_FUNCTION, Some(Receivers::Agent), out);
            }
            _ => {}
        }
    }
}

/// An alert gives nothing (L-77).
fn alert(function: &Function, body: &Body, out: &mut Vec<Diagnostic>) {
    let Some(written) = function.ret.map(|ret| &body[ret]) else { return };
    let is_unit = match &written.kind {
        TypeKind::Named { name, .. } => name.name == "Unit",
        TypeKind::Tuple(items) => items.is_empty(),
        _ => false,
    };
    if !is_unit {
        let message = "an `alert` gives nothing: its result is Unit";
        let diagnostic = Diagnostic::new(codes::E0301, written.span, message);
        out.push(diagnostic.note("use a `behavior` if the sender needs an answer"));
    }
}

/// Types of fields and payloads, and names declared twice in one item.
pub fn declarations<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<Diagnostic> {
    let tree = item.tree(db);
    let mut out = Vec::new();
    let generics: Vec<Name> = match &tree.kind {
        ItemKind::Struct(def) => generic_names(&def.generics),
        ItemKind::Enum(def) => generic_names(&def.generics),
        ItemKind::Alias(def) => generic_names(&def.generics),
        _ => Vec::new(),
    };
    let scope = TypeScope {
        db,
        prelude: item.prelude(db),
        is_file: item.is_of_file(db),
        cell: None,
        generics: &generics,
        body: &tree.body,
    };
    for id in written_types(tree) {
        scope.ty(id, &mut out);
    }
    if matches!(tree.kind, ItemKind::Alias(_)) {
        let own = ScopedName::new(db, item.name(db).clone(), item.prelude(db));
        if contains_itself(db, own) {
            let name = short(tree.name.name.as_str());
            let message = format!("`{name}` stands for a type that contains itself");
            let note = "a struct or an enum may contain itself, an alias is written out";
            out.push(Diagnostic::new(codes::E0208, tree.name.span, message).note(note));
        }
    }
    twice(tree, &mut out);
    type_parameters(tree, &mut out);
    out.extend(endless(db, item));
    out
}

/// Unknown bounds, and type parameters of one name.
fn type_parameters(tree: &ItemTree, out: &mut Vec<Diagnostic>) {
    for path in std::iter::once(FnPath::Item).chain(function_paths(tree)) {
        let parameters = parameters(tree, path);
        for (at, param) in parameters.iter().enumerate() {
            let first = parameters.iter().take(at).find(|other| other.name.name == param.name.name);
            if let Some(first) = first {
                let message = format!("`{}` is declared twice", param.name.name);
                let diagnostic = Diagnostic::new(codes::E0204, param.name.span, message);
                out.push(diagnostic.label(first.name.span, "first here"));
            }
            let known = |bound: &&Ident| !BOUNDS.contains(&bound.name.as_str());
            for bound in param.bounds.iter().filter(known) {
                let message = format!("there is no bound `{}`", bound.name);
                let diagnostic = Diagnostic::new(codes::E0208, bound.span, message)
                    .note(format!("the bounds are: {}", BOUNDS.join(", ")));
                let found = nearest(bound.name.as_str(), BOUNDS.iter().copied());
                out.push(did_you_mean(diagnostic, bound.span, &found));
            }
        }
    }
}

fn written_types(tree: &ItemTree) -> Vec<TypeRefId> {
    match &tree.kind {
        ItemKind::Struct(def) => def.fields.iter().map(|field| field.ty).collect(),
        ItemKind::Enum(def) => {
            def.variants.iter().flat_map(|v| v.fields.iter().flatten()).map(|f| f.ty).collect()
        }
        ItemKind::Alias(def) => vec![def.ty],
        ItemKind::Tool(def) => {
            def.params.iter().map(|p| p.ty).chain(def.fields.iter().map(|f| f.ty)).collect()
        }
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => def
            .params
            .iter()
            .map(|p| p.ty)
            .chain(def.skills().chain(def.tools()).map(|p| p.ty))
            .chain(def.state_fields().map(|f| f.ty))
            .collect(),
        _ => Vec::new(),
    }
}

/// The name of a payload may stand there once, and is not that of the tag, which stands beside it in JSON.
fn payloads(def: &Enum, out: &mut Vec<Diagnostic>) {
    for variant in &def.variants {
        let fields = variant.fields.iter().flatten();
        let names: Vec<&Ident> = fields.filter_map(|field| field.name.as_ref()).collect();
        declared_once(&names, out);
        let tags = names.iter().filter(|name| name.name.as_str() == KIND);
        out.extend(tags.map(|name| {
            let message = format!("`{KIND}` says in JSON which variant it is");
            Diagnostic::new(codes::E0204, name.span, message).note("call this value something else")
        }));
    }
}

/// Fields, variants, methods and members of one name.
fn twice(tree: &ItemTree, out: &mut Vec<Diagnostic>) {
    let names: Vec<&Ident> = match &tree.kind {
        ItemKind::Struct(def) => {
            def.fields.iter().map(|f| &f.name).chain(def.methods.iter().map(|m| &m.name)).collect()
        }
        ItemKind::Enum(def) => def
            .variants
            .iter()
            .map(|v| &v.name)
            .chain(def.methods.iter().map(|m| &m.name))
            .collect(),
        ItemKind::Tool(def) => {
            let fields =
                def.params.iter().map(|p| &p.name).chain(def.fields.iter().map(|f| &f.name));
            fields.chain(def.methods.iter().map(|m| &m.name)).collect()
        }
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            let fields = def.params.iter().map(|p| &p.name);
            let ports = def.skills().chain(def.tools()).map(|p| &p.name);
            let state = def.state_fields().map(|f| &f.name);
            let bodies = def.behaviors().map(|b| &b.function.name);
            let functions = def.functions().map(|f| &f.name);
            fields.chain(ports).chain(state).chain(bodies).chain(functions).collect()
        }
        _ => Vec::new(),
    };
    start::twice(tree, &names, out);
    declared_once(&names, out);
    if let ItemKind::Enum(def) = &tree.kind {
        payloads(def, out);
    }
}

fn declared_once(names: &[&Ident], out: &mut Vec<Diagnostic>) {
    for (at, name) in names.iter().enumerate() {
        let first = names.iter().take(at).find(|other| other.name == name.name);
        if let Some(first) = first.filter(|_| !name.name.is_missing()) {
            let message = format!("`{}` is declared twice", name.name);
            out.push(
                Diagnostic::new(codes::E0204, name.span, message).label(first.span, "first here"),
            );
        }
    }
}
