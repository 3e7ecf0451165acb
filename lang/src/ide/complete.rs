//! What may stand at the cursor, by names and types. Session commands are the session's to add.

use ag_runtime::builtin::{self, Kind};

use crate::db::SessionInput;
use crate::db::workspace::Workspace;
use crate::ide::describe::describe;
use crate::ide::place::Place;
use crate::names::import::session_renames;
use crate::names::scope::{prelude_scope, session_scope};
use crate::source::Span;
use crate::syntax::ast::{Arg, ExprKind, StructElement};
use crate::syntax::cursor::{Context, ExprAt, cursor};
use crate::syntax::rename::file_of;
use crate::syntax::words;
use crate::types::check::session_definition;
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, Param, Signature};
use crate::types::infer::member::{receiver_name, short};
use crate::types::infer::probe::Probe;
use crate::types::tool;
use crate::types::ty::{Name, Ty};

/// One candidate.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Candidate {
    pub text: String,
    /// `function`, `field`, `keyword`, ...
    pub kind: &'static str,
    /// What comes after the name: a type or parameters.
    pub signature: String,
    pub doc: String,
}

/// Candidates for the word in `prefix`, sorted; those of the place's own scope first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    pub prefix: Span,
    pub candidates: Vec<Candidate>,
}

/// What may stand at `offset`; the text need not be whole.
pub fn complete(workspace: &mut Workspace, text: &str, offset: u32) -> Completion {
    workspace.look(text, |db, cell| candidates(&Place { db, cell, offset }, text))
}

fn candidates(place: &Place<'_>, text: &str) -> Completion {
    let at = cursor(text, place.offset);
    let mut candidates = match &at.context {
        Context::Nothing | Context::Command | Context::CommandArgument(_) => Vec::new(),
        Context::Member(node) => members_at(place, *node),
        Context::Qualified(name) => qualified(place, &name.text()),
        Context::Intrinsic => intrinsics(),
        Context::Type => types(place),
        Context::StructField(node) => {
            let probe = place.probe(node.item, Some(node.expr));
            let given = given_fields(place, *node);
            let typed = probe.ty.filter(|ty| *ty != Ty::Error);
            let all = match typed {
                Some(ty) => fields(place, &ty),
                // Without its other fields the literal has no type yet.
                None => fields_of_path(place, *node),
            };
            all.into_iter().filter(|field| !given.contains(&field.text)).collect()
        }
        Context::Argument(node) => {
            let probe = place.probe(node.item, Some(node.expr));
            let mut found = named_arguments(place, *node, &probe);
            found.extend(values(place, &probe, false));
            found
        }
        Context::Expression => values(place, &place.probe(None, None), false),
        Context::Start => values(place, &place.probe(None, None), true),
    };
    let prefix = at.prefix.text(text).to_lowercase();
    candidates.retain(|candidate| candidate.text.to_lowercase().starts_with(&prefix));
    let mut seen = rustc_hash::FxHashSet::default();
    candidates.retain(|candidate| seen.insert(candidate.text.clone()));
    Completion { prefix: at.prefix, candidates }
}

/// `quantity: ` of the call around, without what it is given already.
fn named_arguments(place: &Place<'_>, node: ExprAt, probe: &Probe) -> Vec<Candidate> {
    let Some((call, base)) = place.expr(node) else { return Vec::new() };
    let args = match &call.kind {
        ExprKind::Call { args, .. } => args,
        ExprKind::Intrinsic(intrinsic) => &intrinsic.args,
        _ => return Vec::new(),
    };
    let here = |arg: &&Arg| !arg.span.shifted(base).touches(place.offset);
    let (named, placed): (Vec<&Arg>, Vec<&Arg>) =
        args.iter().filter(here).partition(|arg| arg.name.is_some());
    let is_given = |name: &Name| {
        named.iter().filter_map(|arg| arg.name.as_ref()).any(|given| given.name == **name)
    };
    let open = probe.params.iter().skip(placed.len()).filter(|param| !is_given(&param.name));
    open.map(|param| {
        let default = if param.has_default { " = ..." } else { "" };
        candidate(&format!("{}: ", param.name), "parameter", &format!("{}{default}", param.ty), "")
    })
    .collect()
}

fn fields_of_path(place: &Place<'_>, node: ExprAt) -> Vec<Candidate> {
    let named = place.expr(node).and_then(|(literal, _)| match &literal.kind {
        ExprKind::Struct { path, .. } if path.qualifier.is_none() => Some(path.name.name.text()),
        _ => None,
    });
    match named.and_then(|name| session_definition(place.db, &name)) {
        Some(Definition::Struct(def)) => {
            let doc = |field: &Param| field.doc.as_deref().unwrap_or("").to_owned();
            let one = |f: &Param| candidate(&f.name, "field", &f.ty.to_string(), &doc(f));
            def.fields.iter().map(one).collect()
        }
        _ => Vec::new(),
    }
}

/// The fields a struct literal names already, but for the one that is being written.
fn given_fields(place: &Place<'_>, node: ExprAt) -> Vec<String> {
    let Some((literal, base)) = place.expr(node) else { return Vec::new() };
    let ExprKind::Struct { elements, .. } = &literal.kind else { return Vec::new() };
    let given = elements.iter().filter_map(|element| match element {
        StructElement::Field(field) if !field.name.span.shifted(base).touches(place.offset) => {
            Some(field.name.name.to_string())
        }
        _ => None,
    });
    given.collect()
}

/// Members of the value before the dot, or what a type's name leads to.
fn members_at(place: &Place<'_>, node: ExprAt) -> Vec<Candidate> {
    let probe = place.probe(node.item, Some(node.expr));
    match probe.ty {
        Some(ty) if ty != Ty::Error => members(place, &ty),
        _ => Vec::new(),
    }
    .into_iter()
    .chain(owner_name(place, node).map(|name| qualified(place, &name)).unwrap_or_default())
    .collect()
}

/// `Decision.`: the name of a type where a value would stand.
fn owner_name(place: &Place<'_>, node: ExprAt) -> Option<Name> {
    match &place.expr(node)?.0.kind {
        ExprKind::Name(name) => Some(name.text()),
        _ => None,
    }
}

/// Everything that may stand behind a dot of this type.
pub fn members(place: &Place<'_>, ty: &Ty) -> Vec<Candidate> {
    let mut found = fields(place, ty);
    let of_methods = |methods: &[Signature]| -> Vec<Candidate> {
        methods.iter().map(|m| method(m, "method")).collect()
    };
    match ty {
        Ty::Adt(adt) => match adt_definition(place.db, adt) {
            Some(Definition::Struct(def)) => found.extend(of_methods(&def.methods)),
            Some(Definition::Enum(def)) => found.extend(of_methods(&def.methods)),
            _ => {}
        },
        Ty::Tool(tool) => {
            let methods = tool::methods(place.db, tool);
            let methods = methods.iter().filter_map(|name| tool::method(place.db, tool, name));
            found.extend(methods.map(|found| method(found.signature, "method")));
        }
        Ty::AgentRef(agent) => {
            if let Some(Definition::Agent(def)) = session_definition(place.db, agent) {
                found.extend(def.behaviors.iter().map(|b| method(&b.signature, "behavior")));
            }
        }
        _ => {}
    }
    if let Some(receiver) = receiver_name(ty) {
        let rows = builtin::members(receiver).filter(|row| row.supported);
        found.extend(rows.map(|row| candidate(row.name, "member", row.signature, row.doc)));
    }
    found
}

fn fields(place: &Place<'_>, ty: &Ty) -> Vec<Candidate> {
    let one = |name: &str, ty: &Ty, doc: &str| candidate(name, "field", &ty.to_string(), doc);
    match ty {
        Ty::Adt(adt) => match adt_definition(place.db, adt) {
            Some(Definition::Struct(def)) => def
                .fields
                .iter()
                .map(|f| {
                    let ty = f.ty.substitute(&def.generics, &adt.args);
                    one(&f.name, &ty, f.doc.as_deref().unwrap_or(""))
                })
                .collect(),
            _ => Vec::new(),
        },
        Ty::Record(fields) => fields.iter().map(|(name, ty)| one(name, ty, "")).collect(),
        _ => Vec::new(),
    }
}

/// Variants of an enum, functions of a struct without `self`, behaviors of an agent as messages.
fn qualified(place: &Place<'_>, name: &Name) -> Vec<Candidate> {
    let constructors = |methods: &[Signature]| -> Vec<Candidate> {
        let own = methods.iter().filter(|method| !method.receiver);
        own.map(|m| method(m, "function")).collect()
    };
    match session_definition(place.db, name) {
        Some(Definition::Enum(def)) => {
            let mut found: Vec<Candidate> = def
                .variants
                .iter()
                .map(|v| candidate(&v.name, "variant", &payload(&v.fields), ""))
                .collect();
            found.extend(constructors(&def.methods));
            found
        }
        Some(Definition::Struct(def)) => constructors(&def.methods),
        Some(Definition::Agent(def)) => {
            def.behaviors.iter().map(|b| method(&b.signature, "behavior")).collect()
        }
        _ => Vec::new(),
    }
}

fn intrinsics() -> Vec<Candidate> {
    let rows = builtin::table().iter().filter(|row| matches!(row.kind, Kind::Intrinsic(_)));
    let mut found: Vec<Candidate> = rows
        .filter(|row| row.supported)
        .map(|row| candidate(row.name, "intrinsic", row.signature, row.doc))
        .collect();
    found.sort();
    found
}

fn types(place: &Place<'_>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = crate::types::resolve::BUILTIN_NAMES
        .iter()
        .map(|name| candidate(name, "type", "", ""))
        .collect();
    let is_type = |kind: &str| matches!(kind, "struct" | "enum" | "type" | "tool" | "agent");
    found.extend(session_names(place).into_iter().filter(|found| is_type(found.kind)));
    found.sort();
    found
}

/// Locals, variants that are expected, names of the session, builtins, keywords.
fn values(place: &Place<'_>, probe: &Probe, start: bool) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = probe
        .visible
        .iter()
        .map(|(name, ty)| candidate(name, "variable", &ty.to_string(), ""))
        .collect();
    if let Some(Ty::Adt(adt)) = &probe.expected
        && let Some(Definition::Enum(def)) = adt_definition(place.db, adt)
    {
        let short = def.variants.iter();
        found.extend(short.map(|v| candidate(&v.snake, "variant", &payload(&v.fields), "")));
    }
    let mut others = session_names(place);
    let rows = builtin::table().iter().filter(|row| row.kind == Kind::Function && row.supported);
    others.extend(rows.map(|row| candidate(row.name, "function", row.signature, row.doc)));
    others.sort();
    found.extend(others);
    let keywords = words::RESERVED.iter().chain(if start { words::ITEM } else { &[] });
    found.extend(keywords.map(|word| candidate(word, "keyword", "", "")));
    found
}

fn session_names(place: &Place<'_>) -> Vec<Candidate> {
    let (own, prelude) = (session_scope(place.db), prelude_scope(place.db));
    let results = SessionInput::get(place.db).results(place.db);
    let results = results.iter().map(|result| &result.name);
    // Those of files are written as the import says.
    let own = own.names().filter(|name| file_of(name).is_none());
    let imported = session_renames(place.db).names.keys();
    let names = own.chain(imported).chain(results).chain(prelude.names());
    let described = names.filter_map(|name| describe(place.db, name));
    described
        .map(|about| candidate(&about.name, about.kind, &about.signature, &about.doc))
        .collect()
}

fn method(signature: &Signature, kind: &'static str) -> Candidate {
    let params = payload(&signature.params);
    let params = if params.is_empty() { "()".to_owned() } else { params };
    let result = signature.result.as_ref().map(|ty| format!(" -> {ty}")).unwrap_or_default();
    let doc = signature.doc.as_deref().unwrap_or("");
    candidate(short(&signature.key), kind, &format!("{params}{result}"), doc)
}

fn payload(fields: &[Param]) -> String {
    let list: Vec<String> = fields.iter().map(|f| format!("{} : {}", f.name, f.ty)).collect();
    if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) }
}

fn candidate(text: &str, kind: &'static str, signature: &str, doc: &str) -> Candidate {
    let doc = doc.lines().next().unwrap_or("").to_owned();
    Candidate { text: text.to_owned(), kind, signature: signature.to_owned(), doc }
}
