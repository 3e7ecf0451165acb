//! A tree as an s-expression, for tests and for people who ask what was understood.
//!
//! One line per item, statement and member; everything below a line is on it. Spans and docs are left out, so a print
//! says what a text means and not where it stands.

pub mod node;

use std::fmt::Write;

use crate::syntax::ast::Body;
use crate::syntax::item::{
    Agent, Attr, Behavior, BehaviorKind, Cell, Config, Contract, ContractKind, EffectPath, Enum,
    Field, Function, GenericParam, Import, Item, ItemKind, Member, MemberKind, Param, Rule,
    RuleVerdict, Step, Struct, Tactic, Tool, Variant,
};
use crate::syntax::print::node::{Nodes, cap};

/// Print a cell: its items, then its statements and commands in order.
pub fn print(cell: &Cell) -> String {
    let mut out = String::new();
    for item in &cell.items {
        out.push_str(&print_item(item));
        out.push('\n');
    }
    let nodes = Nodes { body: &cell.body.body };
    for step in &cell.body.order {
        let line = match step {
            Step::Stmt(stmt) => nodes.stmt(*stmt),
            Step::Command(index) => match cell.commands.get(*index as usize) {
                Some(command) => format!(
                    "(command {:?} {} {:?})",
                    command.sigil, command.name.name, command.rest
                ),
                None => String::from("(command)"),
            },
        };
        out.push_str(&line);
        out.push('\n');
    }
    if cell.body.suppressed {
        out.push_str("(suppressed)\n");
    }
    out
}

/// Print one item.
pub fn print_item(item: &Item) -> String {
    let tree = &item.tree;
    let printer = Printer { nodes: Nodes { body: &tree.body } };
    let name = &tree.name.name;
    let attrs = printer.attrs(&tree.attrs);
    let text = match &tree.kind {
        ItemKind::Function(function) => printer.function("function", function),
        ItemKind::Struct(item) => attrs + &printer.struct_item(name.as_str(), item),
        ItemKind::Enum(item) => attrs + &printer.enum_item(name.as_str(), item),
        ItemKind::Alias(alias) => {
            let generics = printer.generics(&alias.generics);
            format!("{attrs}(type {name}{generics} {})", printer.nodes.ty(alias.ty))
        }
        ItemKind::Agent(agent) => attrs + &printer.agent("agent", name.as_str(), agent),
        ItemKind::Orchestration(agent) => {
            attrs + &printer.agent("orchestration", name.as_str(), agent)
        }
        ItemKind::Tool(tool) => attrs + &printer.tool(name.as_str(), tool),
        ItemKind::Lane(config) => format!("{attrs}(lane {name}{})", printer.config(config)),
        ItemKind::Policy(rules) => format!("{attrs}(policy {name}{})", printer.rules(rules)),
        ItemKind::Import(import) => attrs + &printer.import(import),
        ItemKind::Test(test) => {
            let options = printer.nodes.fields(&test.options);
            let block = printer.nodes.block(&test.block);
            format!("{attrs}(test {:?} (with{options}) {block})", test.title)
        }
        ItemKind::Theorem(theorem) => {
            let word = if theorem.lemma { "lemma" } else { "theorem" };
            let generics = printer.generics(&theorem.generics);
            let params = printer.params(&theorem.params);
            let contracts = printer.contracts(&theorem.contracts);
            format!("{attrs}({word} {name}{generics} {params}{contracts})")
        }
        ItemKind::Error => format!("{attrs}(error)"),
    };
    text.trim_end().to_owned()
}

struct Printer<'a> {
    nodes: Nodes<'a>,
}

impl Printer<'_> {
    fn attrs(&self, attrs: &[Attr]) -> String {
        let one = |attr: &Attr| match &attr.args {
            Some(args) => format!("@({}{}) ", attr.name.name, self.nodes.args(args)),
            None => format!("@{} ", attr.name.name),
        };
        attrs.iter().map(one).collect()
    }

    fn function(&self, word: &str, function: &Function) -> String {
        let mut out = self.attrs(&function.attrs);
        let generics = self.generics(&function.generics);
        let receiver = function.receiver.as_ref().map(|receiver| match receiver.cap {
            Some(found) => format!(" ({} self)", cap(found)),
            None => " self".to_owned(),
        });
        let params = self.params(&function.params);
        let _ = write!(
            out,
            "({word} {}{generics}{} {params}",
            function.name.name,
            receiver.unwrap_or_default()
        );
        if let Some(ret) = function.ret {
            let _ = write!(out, " (-> {})", self.nodes.ty(ret));
        }
        if let Some(uses) = &function.uses {
            let _ = write!(out, " (uses{})", effects(uses));
        }
        out.push_str(&self.contracts(&function.contracts));
        if let Some(body) = &function.body {
            let _ = write!(out, " {}", self.nodes.block(body));
        }
        out + ")"
    }

    fn generics(&self, generics: &[GenericParam]) -> String {
        if generics.is_empty() {
            return String::new();
        }
        let one = |param: &GenericParam| match param.bounds.as_slice() {
            [] => format!(" {}", param.name.name),
            bounds => {
                let bounds: Vec<&str> = bounds.iter().map(|bound| bound.name.as_str()).collect();
                format!(" ({} {})", param.name.name, bounds.join(" "))
            }
        };
        format!(" (generics{})", generics.iter().map(one).collect::<String>())
    }

    fn params(&self, params: &[Param]) -> String {
        let one = |param: &Param| {
            let default = param.default.map(|default| format!(" {}", self.nodes.expr(default)));
            format!(
                " ({} {}{})",
                param.name.name,
                self.nodes.ty(param.ty),
                default.unwrap_or_default()
            )
        };
        format!("(params{})", params.iter().map(one).collect::<String>())
    }

    fn contracts(&self, contracts: &[Contract]) -> String {
        let one = |contract: &Contract| match &contract.kind {
            ContractKind::Requires(expr) => format!(" (requires {})", self.nodes.expr(*expr)),
            ContractKind::Ensures(expr) => format!(" (ensures {})", self.nodes.expr(*expr)),
            ContractKind::Decreases(expr) => format!(" (decreases {})", self.nodes.expr(*expr)),
            ContractKind::By(tactics) => {
                let tactics: String = tactics.iter().map(|tactic| self.tactic(tactic)).collect();
                format!(" (by{tactics})")
            }
        };
        contracts.iter().map(one).collect()
    }

    fn tactic(&self, tactic: &Tactic) -> String {
        let args: String =
            tactic.args.iter().map(|arg| format!(" {}", self.nodes.expr(*arg))).collect();
        let using: String = tactic.using.iter().map(|name| format!(" {}", name.name)).collect();
        let using = if using.is_empty() { using } else { format!(" (using{using})") };
        format!(" ({}{args}{using})", tactic.name.name)
    }

    fn struct_item(&self, name: &str, item: &Struct) -> String {
        let mut out = format!("(struct {name}{}", self.generics(&item.generics));
        out.push_str(&self.declared(&item.fields));
        for invariant in &item.invariants {
            let _ = write!(out, " (invariant {})", self.nodes.expr(*invariant));
        }
        out + &self.methods(&item.methods) + ")"
    }

    fn declared(&self, fields: &[Field]) -> String {
        let one = |field: &Field| {
            let default = field.default.map(|default| format!(" {}", self.nodes.expr(default)));
            format!(
                " ({} {}{})",
                field.name.name,
                self.nodes.ty(field.ty),
                default.unwrap_or_default()
            )
        };
        fields.iter().map(one).collect()
    }

    fn methods(&self, methods: &[Function]) -> String {
        methods.iter().map(|method| format!("\n  {}", self.function("function", method))).collect()
    }

    fn enum_item(&self, name: &str, item: &Enum) -> String {
        let mut out = format!("(enum {name}{}", self.generics(&item.generics));
        item.variants.iter().for_each(|variant| out.push_str(&self.variant(variant)));
        out + &self.methods(&item.methods) + ")"
    }

    fn variant(&self, variant: &Variant) -> String {
        let Some(fields) = &variant.fields else { return format!(" {}", variant.name.name) };
        let mut out = format!(" ({}", variant.name.name);
        for field in fields {
            let ty = self.nodes.ty(field.ty);
            let _ = match &field.name {
                Some(name) => write!(out, " ({} {ty})", name.name),
                None => write!(out, " {ty}"),
            };
        }
        out + ")"
    }

    fn agent(&self, word: &str, name: &str, agent: &Agent) -> String {
        let mut out = format!("({word} {name} {}", self.params(&agent.params));
        for member in &agent.members {
            let _ = write!(out, "\n  {}", self.member(member));
        }
        out + ")"
    }

    fn member(&self, member: &Member) -> String {
        let port = |port: &crate::syntax::item::Port| {
            let default = port.default.map(|default| format!(" {}", self.nodes.expr(default)));
            format!(
                " ({} {}{})",
                port.name.name,
                self.nodes.ty(port.ty),
                default.unwrap_or_default()
            )
        };
        match &member.kind {
            MemberKind::Skills(ports) => {
                format!("(skills{})", ports.iter().map(port).collect::<String>())
            }
            MemberKind::Tools(ports) => {
                format!("(tools{})", ports.iter().map(port).collect::<String>())
            }
            MemberKind::Memory(config) => format!("(memory{})", self.config(config)),
            MemberKind::CostPolicy(config) => format!("(cost_policy{})", self.config(config)),
            MemberKind::NamedPolicy(name) => format!("(policy {})", name.name),
            MemberKind::Policy(rules) => format!("(policy{})", self.rules(rules)),
            MemberKind::State { fields, invariants } => {
                let invariant = |id: &_| format!(" (invariant {})", self.nodes.expr(*id));
                let invariants: String = invariants.iter().map(invariant).collect();
                format!("(state{}{invariants})", self.declared(fields))
            }
            MemberKind::Behavior(Behavior { kind, function }) => {
                self.function(behavior_word(*kind), function)
            }
            MemberKind::Function(function) => self.function("function", function),
            MemberKind::Stmt(stmt) => self.nodes.stmt(*stmt),
            MemberKind::Error => "(error)".to_owned(),
        }
    }

    fn config(&self, config: &Config) -> String {
        self.nodes.fields(&config.entries)
    }

    fn rules(&self, rules: &[Rule]) -> String {
        let one = |rule: &Rule| {
            let word = match rule.verdict {
                RuleVerdict::Allow => "allow",
                RuleVerdict::Ask => "ask",
                RuleVerdict::Deny => "deny",
            };
            let condition =
                rule.condition.map(|expr| format!(" (where {})", self.nodes.expr(expr)));
            format!(" ({word} {}{})", path(&rule.effect), condition.unwrap_or_default())
        };
        rules.iter().map(one).collect()
    }

    fn tool(&self, name: &str, tool: &Tool) -> String {
        let provides = tool.provides.as_ref().map(|name| format!(" (provides {})", name.name));
        let head =
            format!("(tool {name} {}{}", self.params(&tool.params), provides.unwrap_or_default());
        head + &self.declared(&tool.fields) + &self.methods(&tool.methods) + ")"
    }

    fn import(&self, import: &Import) -> String {
        match import {
            Import::File { path, alias: Some(alias) } => {
                format!("(import {path:?} {})", alias.name)
            }
            Import::File { path, alias: None } => format!("(import {path:?})"),
            Import::Names { names, path } => {
                let names: String = names.iter().map(|name| format!(" {}", name.name)).collect();
                format!("(import {path:?} (names{names}))")
            }
            Import::Mcp { source, alias } => format!("(import mcp {source:?} {})", alias.name),
        }
    }
}

fn behavior_word(kind: BehaviorKind) -> &'static str {
    match kind {
        BehaviorKind::Behavior => "behavior",
        BehaviorKind::Decision => "decision",
        BehaviorKind::CriticalSection => "critical_section",
        BehaviorKind::Alert => "alert",
    }
}

/// `tool.Broker.execute`
fn path(effect: &EffectPath) -> String {
    let segments: Vec<&str> = effect.segments.iter().map(|segment| segment.name.as_str()).collect();
    segments.join(".")
}

/// Effects with a blank before each.
pub(super) fn effects(effects: &[EffectPath]) -> String {
    effects.iter().map(|effect| format!(" {}", path(effect))).collect()
}

/// Print a function that stands in a body.
pub(super) fn nested_function(body: &Body, function: &Function) -> String {
    Printer { nodes: Nodes { body } }.function("function", function)
}
