//! The attributes of agents and behaviors: what they may say, and what they say (section 11).
//!
//! Never: runs anything; the scheduler does what is said here.

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::Priority;
use crate::names::cell::ItemKey;
use crate::syntax::ast::{Arg, Body, ExprId, ExprKind, Literal};
use crate::syntax::item::{Attr, Function, ItemKind, ItemTree, MemberKind};
use crate::types::check::{FnPath, function_at, function_paths};
use crate::types::effects::called_facts;
use crate::types::infer::Facts;
use crate::types::infer::finish::Checked;
use crate::types::ty::Name;
use rustc_hash::FxHashSet;

/// Attributes of an agent that are understood, and of a behavior.
pub const OF_AGENT: &[&str] = &["mailbox", "priority", "schedule", "deprecated"];
/// Of a function; what they ask of the engine is kept and shown as planned.
pub const OF_FUNCTION: &[&str] =
    &["hot_path", "inline", "profile_guided", "speculative", "simd", "deprecated"];
/// Those of a function that nothing acts on before the engine promotes; of `simd` the width.
pub const PLANNED: &[&str] = &["hot_path", "inline", "profile_guided", "simd"];
pub const OF_BEHAVIOR: &[&str] = &["priority", "cpu_intensive", "deprecated"];
/// Of a struct, enum or alias, and of a tool.
pub const OF_TYPE: &[&str] = &["deprecated"];
pub const OF_TOOL_METHOD: &[&str] = &["read_only", "idempotent", "destructive", "deprecated"];
/// Vector units that `@simd` names.
pub const UNITS: &[&str] = &["auto", "sse2", "avx2", "avx512"];

/// Messages a mailbox can have room for (L-74).
const MAILBOX: std::ops::RangeInclusive<i128> = 10..=50_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct OfAgent {
    pub mailbox: Option<u32>,
    pub priority: Priority,
    /// `@schedule(predictive)`.
    pub is_predictive: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct OfBehavior {
    pub priority: Option<Priority>,
    pub is_cpu_intensive: bool,
}

pub fn of_agent(tree: &ItemTree) -> OfAgent {
    let number = |attr| match &tree.body[sole(attr)?.value].kind {
        ExprKind::Literal(Literal::Int { value, .. }) => u32::try_from(*value).ok(),
        _ => None,
    };
    OfAgent {
        mailbox: find(&tree.attrs, "mailbox").and_then(number),
        priority: level(tree, &tree.attrs).unwrap_or_default(),
        is_predictive: find(&tree.attrs, "schedule")
            .is_some_and(|attr| choice(tree, attr, &["fair", "predictive"]) == Some(1)),
    }
}

pub fn of_behavior(tree: &ItemTree, function: &Function) -> OfBehavior {
    OfBehavior {
        priority: level(tree, &function.attrs),
        is_cpu_intensive: find(&function.attrs, "cpu_intensive").is_some(),
    }
}

/// What is wrong with the arguments.
pub fn check(tree: &ItemTree) -> Vec<Diagnostic> {
    let mut out = of_functions(tree);
    out.extend(of_agents(tree));
    out
}

const MODES: &[&str] = &["always", "never", "hint"];

fn of_functions(tree: &ItemTree) -> Vec<Diagnostic> {
    let functions = function_paths(tree).into_iter().filter_map(|at| function_at(tree, at));
    let own = match &tree.kind {
        ItemKind::Function(_) => [].as_slice(),
        _ => &tree.attrs,
    };
    let attrs = functions.flat_map(|function| &function.attrs);
    let of_item = own.iter().filter(|attr| attr.name.name == "deprecated");
    attrs
        .chain(of_item)
        .filter_map(|attr| {
            let has_arguments = attr.args.as_ref().is_some_and(|args| !args.is_empty());
            let wrong = match attr.name.name.as_str() {
                "inline" if choice(tree, attr, MODES).is_none() => {
                    "`@inline` takes one of `always`, `never`, `hint`".to_owned()
                }
                "simd" if has_arguments && choice(tree, attr, UNITS).is_none() => {
                    format!("`@simd` takes one of `{}`", UNITS.join("`, `"))
                }
                "deprecated" if advice(tree, attr).is_none() => {
                    "`@deprecated` takes a text that says what to use".to_owned()
                }
                name @ ("hot_path" | "profile_guided" | "speculative") if has_arguments => {
                    format!("`@{name}` takes no arguments")
                }
                _ => return None,
            };
            Some(Diagnostic::new(codes::E0305, attr.span, wrong))
        })
        .collect()
}

/// `@inline(always)` of a function that calls itself, also through others: there would be no end of it (E0901).
pub fn always_inlined<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path: FnPath,
    checked: &Checked,
) -> Option<Diagnostic> {
    let tree = item.tree(db);
    let function = function_at(tree, path)?;
    let attr = find(&function.attrs, "inline").filter(|a| choice(tree, a, MODES) == Some(0))?;
    let own = match path {
        FnPath::Item => (function.name.name.text(), None),
        _ => (tree.name.name.text(), Some(function.name.name.text())),
    };
    let called = |facts: &Facts| -> Vec<(Name, Option<Name>)> {
        facts.calls.iter().map(|call| (call.name.clone(), call.member.clone())).collect()
    };
    let mut todo = called(&checked.facts);
    let mut seen = FxHashSet::default();
    while let Some(next) = todo.pop() {
        if next == own {
            let message =
                format!("`{}` calls itself and cannot be inlined always", function.name.name);
            return Some(
                Diagnostic::new(codes::E0901, attr.span, message)
                    .note("`@inline(hint)` inlines where it ends"),
            );
        }
        if seen.insert(next.clone()) {
            let facts = called_facts(db, &next.0, next.1.as_ref(), item.prelude(db));
            todo.extend(facts.map(called).unwrap_or_default());
        }
    }
    None
}

/// What `@deprecated` says.
pub fn advice(tree: &ItemTree, attr: &Attr) -> Option<String> {
    match &tree.body[sole(attr)?.value].kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

pub fn is_simd(function: &Function) -> bool {
    find(&function.attrs, "simd").is_some()
}

/// An attribute of [`PLANNED`] as it is written.
pub fn written(tree: &ItemTree, attr: &Attr) -> String {
    let name = &attr.name.name;
    let among = if *name == "simd" { UNITS } else { MODES };
    match choice(tree, attr, among).and_then(|at| among.get(at)) {
        Some(mode) => format!("@{name}({mode})"),
        None => format!("@{name}"),
    }
}

fn of_agents(tree: &ItemTree) -> Vec<Diagnostic> {
    let Some(agent) = tree.kind.as_agent() else { return Vec::new() };
    let members = agent.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Behavior(behavior) => Some(&behavior.function.attrs),
        _ => None,
    });
    let all = std::iter::once(&tree.attrs).chain(members).flatten();
    all.filter_map(|attr| {
        let wrong = match attr.name.name.as_str() {
            "priority" if choice(tree, attr, LEVELS).is_none() => {
                "`@priority` takes one of `low`, `normal`, `high`"
            }
            "schedule" if choice(tree, attr, &["fair", "predictive"]).is_none() => {
                "`@schedule` takes `strategy: fair` or `strategy: predictive`"
            }
            "cpu_intensive" if attr.args.as_ref().is_some_and(|args| !args.is_empty()) => {
                "`@cpu_intensive` takes no arguments"
            }
            "mailbox" if !has_room(tree, attr) => {
                "`@mailbox` takes a capacity from 10 to 50000, as a number"
            }
            _ => return None,
        };
        Some(Diagnostic::new(codes::E0305, attr.span, wrong))
    })
    .collect()
}

const LEVELS: &[&str] = &["low", "normal", "high"];

fn level(tree: &ItemTree, attrs: &[Attr]) -> Option<Priority> {
    match choice(tree, find(attrs, "priority")?, LEVELS)? {
        0 => Some(Priority::Low),
        1 => Some(Priority::Normal),
        _ => Some(Priority::High),
    }
}

fn has_room(tree: &ItemTree, attr: &Attr) -> bool {
    sole(attr).is_some_and(|arg| match &tree.body[arg.value].kind {
        ExprKind::Literal(Literal::Int { value, .. }) => MAILBOX.contains(&i128::from(*value)),
        _ => false,
    })
}

pub fn find<'t>(attrs: &'t [Attr], name: &str) -> Option<&'t Attr> {
    attrs.iter().find(|attr| attr.name.name == name)
}

fn sole(attr: &Attr) -> Option<&Arg> {
    match attr.args.as_deref() {
        Some([arg]) => Some(arg),
        _ => None,
    }
}

/// Which variant the only argument names, by its short or its full name.
fn choice(tree: &ItemTree, attr: &Attr, among: &[&str]) -> Option<usize> {
    variant(&tree.body, sole(attr)?.value, among)
}

/// The same of an argument.
pub fn variant(body: &Body, arg: ExprId, among: &[&str]) -> Option<usize> {
    let name = match &body[arg].kind {
        ExprKind::Name(name) => name.text(),
        ExprKind::Field { name, .. } => name.name.text(),
        _ => return None,
    };
    let short = crate::types::declare::snake_case(&name);
    among.iter().position(|known| *known == short)
}
