//! Policies (L-63, L-92): which effects their rules name, and their conditions as functions of the effects' arguments.
//!
//! Never: decides anything; the runtime matches the rules when an effect is about to happen.

use std::sync::Arc;

use ag_runtime::policy::{EFFECTS, Kind, Verdict};

use crate::db::Db;
use crate::diag::{Diagnostic, codes, nearest};
use crate::hir;
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::ast::Ident;
use crate::syntax::item::{ItemKind, ItemTree, MemberKind, Rule, RuleVerdict};
use crate::types::declare::definition;
use crate::types::def::{Definition, ToolDef};
use crate::types::effects::{effects_of, is_hidden, path};
use crate::types::infer::Infer;
use crate::types::infer::finish::Checked;
use crate::types::infer::frame::FrameKind;
use crate::types::ty::{Name, Ty};

/// The rules of a policy, or those that an agent writes itself, in order.
pub fn rules_of(tree: &ItemTree) -> Vec<&Rule> {
    match &tree.kind {
        ItemKind::Policy(rules) => rules.iter().collect(),
        ItemKind::Agent(agent) | ItemKind::Orchestration(agent) => {
            let sections = agent.members.iter().filter_map(|member| match &member.kind {
                MemberKind::Policy(rules) => Some(rules),
                _ => None,
            });
            sections.flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// The condition of a rule, as a function of the effect's arguments.
pub fn infer_rule<'db>(mut infer: Infer<'_, 'db>, item: ItemKey<'db>, at: u32) -> Checked {
    let tree = item.tree(infer.db);
    let rules = rules_of(tree);
    let Some((rule, condition)) =
        rules.get(at as usize).and_then(|rule| Some((*rule, rule.condition?)))
    else {
        return Checked::failed(Vec::new());
    };
    let params = match arguments(&infer, rule) {
        Ok(params) => params,
        Err(diagnostic) => return Checked::failed(vec![*diagnostic]),
    };
    if let Some(tool) = tool_name(rule) {
        infer.uses(&tool);
    }
    infer.open(FrameKind::Lambda, key(&item.name(infer.db), at), Ty::Bool);
    let count = u32::try_from(params.len()).unwrap_or(u32::MAX);
    for (name, ty) in params {
        infer.declare(&name, ty, false, rule.effect.span);
    }
    infer.frame().params = count;
    let body = infer.check(condition, &Ty::Bool);
    infer.finish(body, rule.span)
}

fn key(owner: &str, at: u32) -> Name {
    Arc::from(format!("{owner}.{{rule {at}}}"))
}

/// What is wrong with the paths of the rules, and with conditions that do something.
pub fn check<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<Diagnostic> {
    let tree = item.tree(db);
    let rules = rules_of(tree).into_iter().filter_map(|rule| wrong_path(db, item, rule));
    let named = named_by(tree).filter_map(|name| no_policy(db, item.prelude(db), name));
    rules.chain(named).collect()
}

/// The policies that an agent names.
fn named_by(tree: &ItemTree) -> impl Iterator<Item = &Ident> {
    let members = tree.kind.as_agent().into_iter().flat_map(|agent| &agent.members);
    members.filter_map(|member| match &member.kind {
        MemberKind::NamedPolicy(name) => Some(name),
        _ => None,
    })
}

fn no_policy(db: &dyn Db, prelude: bool, name: &Ident) -> Option<Diagnostic> {
    let scoped = ScopedName::new(db, name.name.text(), prelude);
    let found = resolve(db, scoped, None);
    let is_policy = found.as_ref().is_some_and(|site| match site {
        Site::Item(item) => matches!(item.tree(db).kind, ItemKind::Policy(_)),
        _ => false,
    });
    if is_policy || name.name.is_missing() {
        return None;
    }
    let message = match found {
        Some(_) => format!("`{}` is no policy", name.name),
        None => format!("there is no policy `{}`", name.name),
    };
    let note = "declare it, `policy NAME { ... }`, or write the rules here: `policy { ... }`";
    Some(Diagnostic::new(codes::E0507, name.span, message).note(note))
}

/// A condition computes and changes nothing: it is asked before something happens, perhaps often.
pub fn acting(db: &dyn Db, checked: &Checked, prelude: bool, rule: &Rule) -> Option<Diagnostic> {
    let effects = effects_of(db, &checked.facts, prelude);
    let effect = effects.keys().find(|effect| !is_hidden(effect) || &***effect == "global")?;
    let message = match &**effect {
        "global" => "the condition of a rule reads or assigns a `var` of the session".to_owned(),
        effect => format!("the condition of a rule has the effect `{effect}`"),
    };
    Some(Diagnostic::new(codes::E0507, rule.span, message).note("it may only compute"))
}

fn wrong_path<'db>(db: &'db dyn Db, item: ItemKey<'db>, rule: &Rule) -> Option<Diagnostic> {
    let effect = path(&rule.effect);
    if effect.is_empty() || rule.effect.segments.iter().any(|s| s.name.is_missing()) {
        // The parser has said so.
        return None;
    }
    let span = rule.effect.span;
    let segments: Vec<&str> = effect.split('.').collect();
    match segments.as_slice() {
        ["tool"] | ["human", ..] | ["memory"] => None,
        ["tool", name, rest @ ..] => {
            wrong_tool(db, item.prelude(db), name, rest).map(|(message, notes)| Diagnostic {
                notes,
                ..Diagnostic::new(codes::E0507, span, message)
            })
        }
        _ if EFFECTS.iter().any(|(known, _)| *known == &*effect) => None,
        _ => {
            let known = EFFECTS.iter().map(|(name, _)| *name).chain(["tool", "memory"]);
            let known: Vec<&str> = known.collect();
            let message = format!("a rule cannot name `{effect}`");
            let near = nearest(&effect, known.iter().copied());
            let diagnostic = Diagnostic::new(codes::E0507, span, message)
                .note(format!("the effects with rules: {}", known.join(", ")));
            Some(match near.first() {
                Some(near) => diagnostic.note(format!("did you mean `{near}`?")),
                None => diagnostic,
            })
        }
    }
}

/// What is wrong with `tool.NAME.METHOD`, and what helps.
pub fn wrong_tool(
    db: &dyn Db,
    prelude: bool,
    name: &str,
    rest: &[&str],
) -> Option<(String, Vec<String>)> {
    let Some(tool) = tool(db, prelude, name) else {
        return Some((format!("there is no tool `{name}`"), Vec::new()));
    };
    let known: Vec<&str> = tool.methods.iter().map(|m| method_name(&m.key)).collect();
    match rest {
        [] => None,
        [method] if known.contains(method) => None,
        _ => {
            let message = format!("the tool `{name}` has no method `{}`", rest.join("."));
            Some((message, vec![format!("its methods: {}", known.join(", "))]))
        }
    }
}

/// The arguments that the condition of a rule sees, by name.
fn arguments(infer: &Infer<'_, '_>, rule: &Rule) -> Result<Vec<(Name, Ty)>, Box<Diagnostic>> {
    let effect = path(&rule.effect);
    let segments: Vec<&str> = effect.split('.').collect();
    let none = || {
        let message =
            format!("`where` sees the arguments of one effect, and `{effect}` is several");
        Box::new(
            Diagnostic::new(codes::E0507, rule.effect.span, message)
                .note("name it whole: `tool.BrokerAPI.execute where trade.quantity > 100`"),
        )
    };
    match segments.as_slice() {
        ["tool", name, method] => {
            let tool = tool(infer.db, infer.prelude, name).ok_or_else(none)?;
            let found = tool.methods.iter().find(|m| method_name(&m.key) == *method);
            let found = found.ok_or_else(none)?;
            Ok(found.params.iter().map(|param| (param.name.clone(), param.ty.clone())).collect())
        }
        [first, ..] => {
            let wanted = if *first == "human" { "human" } else { &*effect };
            let (_, kinds) = EFFECTS.iter().find(|(name, _)| *name == wanted).ok_or_else(none)?;
            let ty = |kind: &Kind| match kind {
                Kind::Text => Ty::Text,
                Kind::Bool => Ty::Bool,
                Kind::Dyn => Ty::Dyn,
            };
            Ok(kinds.iter().map(|(name, kind)| (Arc::from(*name), ty(kind))).collect())
        }
        [] => Err(none()),
    }
}

fn tool<'db>(db: &'db dyn Db, prelude: bool, name: &str) -> Option<&'db Arc<ToolDef>> {
    let scoped = ScopedName::new(db, Arc::from(name), prelude);
    match definition(db, scoped, None) {
        Some(Definition::Tool(tool)) => Some(tool),
        _ => None,
    }
}

fn tool_name(rule: &Rule) -> Option<Name> {
    match rule.effect.segments.as_slice() {
        [first, name, ..] if first.name == "tool" => Some(name.name.text()),
        _ => None,
    }
}

/// `BrokerAPI.execute` is the key of `execute`.
fn method_name(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, name)| name)
}

/// What the runtime is told of a policy or of an agent's rules.
pub fn assemble(tree: &ItemTree, name: &Name) -> Option<hir::Policy> {
    let of_agent = tree.kind.as_agent().is_some();
    if !of_agent && !matches!(tree.kind, ItemKind::Policy(_)) {
        return None;
    }
    let assembled = |rule: &Rule, at| {
        let verdict = match rule.verdict {
            RuleVerdict::Allow => Verdict::Allow,
            RuleVerdict::Ask => Verdict::Ask,
            RuleVerdict::Deny => Verdict::Deny,
        };
        let effect = path(&rule.effect);
        let condition = rule.condition.map(|_| key(name, at));
        let text = match condition {
            None => format!("{verdict} {effect}"),
            Some(_) => format!("{verdict} {effect} where ..."),
        };
        hir::Rule { verdict, effect, condition, text: text.into() }
    };
    let mut at = 0..;
    let mut own = |rules: &[Rule]| {
        let rules = rules.iter().zip(&mut at).map(|(rule, at)| assembled(rule, at));
        hir::PolicyPart::Rules(rules.collect())
    };
    let parts = match &tree.kind {
        ItemKind::Policy(rules) => vec![own(rules)],
        _ => {
            let members = tree.kind.as_agent().into_iter().flat_map(|agent| &agent.members);
            let parts = members.filter_map(|member| match &member.kind {
                MemberKind::Policy(rules) => Some(own(rules)),
                MemberKind::NamedPolicy(name) => Some(hir::PolicyPart::Named(name.name.text())),
                _ => None,
            });
            parts.collect()
        }
    };
    Some(hir::Policy { name: name.clone(), of_agent, parts })
}
