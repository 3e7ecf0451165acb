//! A parsed cell: its items, its own statements, its session commands, and the declarations items are made of.
//!
//! An [`Item`] knows where it stands in the cell; the [`ItemTree`] inside does not, so it compares equal after a move.
//! Nothing here is resolved: names are text, types are what was written.

use std::sync::Arc;

use crate::source::Span;
use crate::syntax::ast::{
    Arg, Block, Body, Cap, ExprId, FieldInit, Ident, Name, StmtId, TypeRefId,
};

/// One cell or file. `body.order` gives the order in which statements and commands run; items are defined before (L-150).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Cell {
    /// In source order.
    pub items: Vec<Item>,
    pub body: CellBody,
    pub commands: Vec<Command>,
}

/// The cell's own statements as one pseudo item, with the item declarations removed. Spans are relative to the cell.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct CellBody {
    pub body: Body,
    /// Statements and commands as written (L-5).
    pub order: Vec<Step>,
    /// The last statement is followed by `;`: its value is not shown (L-151).
    pub suppressed: bool,
}

impl CellBody {
    /// The statements in order, without the commands.
    pub fn stmts(&self) -> impl Iterator<Item = StmtId> + '_ {
        self.order.iter().filter_map(|step| match step {
            Step::Stmt(id) => Some(*id),
            Step::Command(_) => None,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    Stmt(StmtId),
    /// Index into `Cell::commands`.
    Command(u32),
}

/// A session command line (L-5), not interpreted here beyond its name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Command {
    pub sigil: Sigil,
    /// The word directly after the sigil: `budget` in `:budget $2`.
    pub name: Ident,
    /// The rest of the line, trimmed; for `?x` the name is the whole of it.
    pub rest: Arc<str>,
    /// The whole line, relative to the cell.
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sigil {
    /// `:name`
    Colon,
    /// `%name`, the same as `:name`
    Percent,
    /// `%%name`, applies to the cell
    DoublePercent,
    /// `?x`, the same as `:doc x`
    Question,
}

/// An item where it stands. `span` is relative to the cell and is the base of every span in `tree`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Item {
    pub span: Span,
    pub tree: Arc<ItemTree>,
}

/// One item, position-independent: what incremental queries compare.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ItemTree {
    /// The declared name. For `test` the text; for `import` the alias, empty for `import { .. }`.
    pub name: Ident,
    pub doc: Option<Arc<str>>,
    pub attrs: Vec<Attr>,
    pub kind: ItemKind,
    pub body: Body,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ItemKind {
    Function(Function),
    Struct(Struct),
    Enum(Enum),
    Alias(Alias),
    Agent(Agent),
    Orchestration(Agent),
    Tool(Tool),
    Lane(Config),
    Policy(Vec<Rule>),
    Import(Import),
    Test(Test),
    Theorem(Theorem),
    /// Attributes or a keyword without a readable declaration; already reported.
    Error,
}

/// `@name` or `@name(..)` before an item or member.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attr {
    pub name: Ident,
    /// `None` without parentheses.
    pub args: Option<Vec<Arg>>,
    pub span: Span,
}

/// Functions, methods, behaviors: everything with a signature and a body.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    pub name: Ident,
    /// Of members and nested functions; an item's own are in its [`ItemTree`] and repeated here.
    pub doc: Option<Arc<str>>,
    pub attrs: Vec<Attr>,
    pub generics: Vec<GenericParam>,
    /// A first parameter `self`.
    pub receiver: Option<Receiver>,
    pub params: Vec<Param>,
    pub ret: Option<TypeRefId>,
    /// `uses none` is the empty list; `None` means inferred.
    pub uses: Option<Vec<EffectPath>>,
    pub contracts: Vec<Contract>,
    /// `None` only where a tool method has no body, or after an error.
    pub body: Option<Block>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GenericParam {
    pub name: Ident,
    pub bounds: Vec<Ident>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Receiver {
    pub cap: Option<Cap>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    pub name: Ident,
    pub ty: TypeRefId,
    pub default: Option<ExprId>,
    pub doc: Option<Arc<str>>,
    pub span: Span,
}

/// `llm`, `memory.read`, `tool.BrokerAPI.execute`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EffectPath {
    pub segments: Vec<Ident>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Contract {
    pub kind: ContractKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ContractKind {
    Requires(ExprId),
    Ensures(ExprId),
    Decreases(ExprId),
    By(Vec<Tactic>),
}

/// `auto using a, b`, `cases x`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tactic {
    pub name: Ident,
    pub args: Vec<ExprId>,
    pub using: Vec<Ident>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Struct {
    pub generics: Vec<GenericParam>,
    pub fields: Vec<Field>,
    pub invariants: Vec<ExprId>,
    pub methods: Vec<Function>,
}

/// A field of a struct, state or tool.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Field {
    pub name: Ident,
    pub ty: TypeRefId,
    pub default: Option<ExprId>,
    pub doc: Option<Arc<str>>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Enum {
    pub generics: Vec<GenericParam>,
    pub variants: Vec<Variant>,
    pub methods: Vec<Function>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Variant {
    pub name: Ident,
    /// `None` without parentheses.
    pub fields: Option<Vec<VariantField>>,
    pub doc: Option<Arc<str>>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VariantField {
    pub name: Option<Ident>,
    pub ty: TypeRefId,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Alias {
    pub generics: Vec<GenericParam>,
    pub ty: TypeRefId,
}

/// An agent or an orchestration.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Agent {
    /// Empty when none are written.
    pub params: Vec<Param>,
    /// In source order; a section may come more than once.
    pub members: Vec<Member>,
}

impl ItemKind {
    /// What an agent and an orchestration have in common.
    pub fn as_agent(&self) -> Option<&Agent> {
        match self {
            ItemKind::Agent(agent) | ItemKind::Orchestration(agent) => Some(agent),
            _ => None,
        }
    }
}

impl Agent {
    pub fn skills(&self) -> impl Iterator<Item = &Port> {
        self.members.iter().flat_map(|member| match &member.kind {
            MemberKind::Skills(ports) => ports.as_slice(),
            _ => &[],
        })
    }

    pub fn tools(&self) -> impl Iterator<Item = &Port> {
        self.members.iter().flat_map(|member| match &member.kind {
            MemberKind::Tools(ports) => ports.as_slice(),
            _ => &[],
        })
    }

    pub fn state_fields(&self) -> impl Iterator<Item = &Field> {
        self.members.iter().flat_map(|member| match &member.kind {
            MemberKind::State { fields, .. } => fields.as_slice(),
            _ => &[],
        })
    }

    pub fn invariants(&self) -> impl Iterator<Item = ExprId> {
        self.members
            .iter()
            .flat_map(|member| match &member.kind {
                MemberKind::State { invariants, .. } => invariants.as_slice(),
                _ => &[],
            })
            .copied()
    }

    pub fn behaviors(&self) -> impl Iterator<Item = &Behavior> {
        self.members.iter().filter_map(|member| match &member.kind {
            MemberKind::Behavior(behavior) => Some(behavior),
            _ => None,
        })
    }

    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.members.iter().filter_map(|member| match &member.kind {
            MemberKind::Function(function) => Some(function),
            _ => None,
        })
    }

    /// An orchestration's own statements.
    pub fn stmts(&self) -> impl Iterator<Item = StmtId> {
        self.members.iter().filter_map(|member| match &member.kind {
            MemberKind::Stmt(id) => Some(*id),
            _ => None,
        })
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    pub kind: MemberKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum MemberKind {
    Skills(Vec<Port>),
    Tools(Vec<Port>),
    Memory(Config),
    CostPolicy(Config),
    Policy(Vec<Rule>),
    /// `policy NAME`: the rules of that policy.
    NamedPolicy(Ident),
    State {
        fields: Vec<Field>,
        invariants: Vec<ExprId>,
    },
    Behavior(Behavior),
    Function(Function),
    /// Only in an orchestration.
    Stmt(StmtId),
    Error,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Port {
    pub name: Ident,
    pub ty: TypeRefId,
    /// `= llm`
    pub default: Option<ExprId>,
    pub doc: Option<Arc<str>>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Behavior {
    pub kind: BehaviorKind,
    pub function: Function,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BehaviorKind {
    Behavior,
    Decision,
    CriticalSection,
    Alert,
}

/// `{ name: e }` of `memory`, `cost_policy` and `lane`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    pub entries: Vec<FieldInit>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rule {
    pub verdict: RuleVerdict,
    pub effect: EffectPath,
    pub condition: Option<ExprId>,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RuleVerdict {
    Allow,
    Ask,
    Deny,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tool {
    pub params: Vec<Param>,
    /// `tool SimBroker : BrokerAPI`
    pub provides: Option<Ident>,
    pub fields: Vec<Field>,
    pub methods: Vec<Function>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Import {
    /// `import "risk.ag" as risk`
    File { path: Arc<str>, alias: Option<Ident> },
    /// `import { f, g } from "risk.ag"`
    Names { names: Vec<Ident>, path: Arc<str> },
    /// `import mcp "command or url" as fs`
    Mcp { source: Arc<str>, alias: Ident },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Test {
    pub title: Name,
    /// `with { lane: echo }`
    pub options: Vec<FieldInit>,
    pub block: Block,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Theorem {
    /// `lemma`: `auto` may use it without being told.
    pub lemma: bool,
    pub generics: Vec<GenericParam>,
    pub params: Vec<Param>,
    pub contracts: Vec<Contract>,
}
