//! The attributes of agents and behaviors: what they may say, and what they say (section 11).
//!
//! Never: runs anything; the scheduler does what is said here.

use crate::diag::{Diagnostic, codes};
use crate::hir::Priority;
use crate::syntax::ast::{Arg, ExprKind, Literal};
use crate::syntax::item::{Attr, Function, ItemTree, MemberKind};

/// Attributes of an agent that are understood, and of a behavior.
pub const OF_AGENT: &[&str] = &["mailbox", "priority", "schedule"];
pub const OF_BEHAVIOR: &[&str] = &["priority", "cpu_intensive"];

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

fn find<'t>(attrs: &'t [Attr], name: &str) -> Option<&'t Attr> {
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
    let name = match &tree.body[sole(attr)?.value].kind {
        ExprKind::Name(name) => name.text(),
        ExprKind::Field { name, .. } => name.name.text(),
        _ => return None,
    };
    let short = crate::types::declare::snake_case(&name);
    among.iter().position(|known| *known == short)
}
