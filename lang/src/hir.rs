//! The typed tree: what the checker gives and the lowering takes.
//!
//! Fully elaborated: names resolved, defaults filled in, named arguments in order, conversions
//! explicit, variants and intrinsics resolved, templates split into parts. It holds no syntax
//! and no `Ty::Var`. Spans are relative to the item (see `source`), so that an item that moves
//! stays equal. A tree exists only for items without errors.
//!
//! Long because it is one vocabulary: every pass reads it beside the others.

pub mod gate;
pub mod substitute;
pub mod visit;

pub use crate::syntax::item::BehaviorKind;
use crate::types::attribute::{OfAgent, OfBehavior};
use crate::types::def::Passing;
use crate::types::ty::{Name, Ty};
use std::sync::Arc;

use ag_runtime::builtin::BuiltinId;
use ag_runtime::lane::declared::LaneSpec;
use ag_runtime::policy::Verdict;

/// Names a function for the session: `analyze_market`, `TradingAgent.trade_decision`,
/// `Symbol.describe`, `cell 3`, `TradingAgent.trade_decision.{lambda 1}`. The engine keeps one slot a key;
/// a redefinition swaps what the slot holds.
pub type FunctionKey = Name;

/// Byte offsets relative to the item (for a cell's statements: to the cell).
pub use crate::source::Span;

/// A local of one function: parameters first, then captures, then the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocalId(pub u32);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Local {
    pub name: Name,
    pub ty: Ty,
    /// Declared by `var` or `:=`.
    pub mutable: bool,
    /// A `var` that a lambda assigns (L-54), or that is lent to a call: lives in a shared cell object.
    pub boxed: bool,
    /// `Ref`: a parameter whose cell is the caller's. `Iso`: its value is moved when it is passed on.
    pub passing: Passing,
    pub span: Span,
}

/// One function, behavior, method, initialiser, lambda body or cell body.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    pub key: FunctionKey,
    /// How many of `locals` are parameters (they come first).
    pub params: u32,
    /// How many after the parameters are captures.
    pub captures: u32,
    pub locals: Vec<Local>,
    pub result: Ty,
    pub body: Expr,
    /// Effects inferred for the body (L-90), sorted.
    pub effects: Vec<Name>,
    /// Index of the item in its cell, for `Origin`; `u32::MAX` for the cell's own statements. A lambda has that of its function.
    pub item: u32,
    /// A lambda that uses variables of the code around it, or its agent: it never leaves where it was made (L-80).
    pub tied: bool,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Ty,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExprKind {
    Unit,
    Bool(bool),
    Int(i64),
    /// Bits of an f64.
    Float(u64),
    Text(Name),
    /// Micro-dollars.
    Money(i64),
    /// Nanoseconds.
    Duration(i64),
    /// The lane of that name.
    Lane(Name),
    Local(LocalId),
    /// The cell of a boxed local, as the argument of a `ref` parameter and nowhere else.
    Cell(LocalId),
    /// A global of the session, read from the snapshot in force.
    Global(Name),
    /// A field of the running agent instance: parameters, ports, then state, by index.
    AgentField(u32),
    /// The own `AgentRef`.
    SelfRef,
    /// A named function as a value.
    Function(FunctionKey),
    /// A generic function as a value; only inside generic bodies (see [`Instance`]).
    Instance(Box<Instance>),
    List(Vec<Expr>),
    Set(Vec<Expr>),
    Vector(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Tuple(Vec<Expr>),
    /// A struct, record or tool value: all fields in declaration order (`evaluation` says in which
    /// order they were written, as indices into `fields`).
    Record {
        fields: Vec<Expr>,
        evaluation: Vec<u32>,
    },
    /// `S { ..base, f: e }`.
    Update {
        base: Box<Expr>,
        fields: Vec<(u32, Expr)>,
    },
    /// A value of an enum (`Option`, `Result` too).
    Variant {
        tag: u32,
        fields: Vec<Expr>,
    },
    /// Field of a struct, record, tuple or tool, by index.
    Field {
        base: Box<Expr>,
        index: u32,
    },
    /// Operators on Int, Float, Bool, Money, Duration, Time words. Operators on counted values are `Builtin` calls.
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// Arithmetic on values of a type parameter with the bound Num; an instance knows the instruction.
    Generic(GenericOp, Vec<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// `a ?? b`: `value` is an Option or Result.
    Coalesce {
        value: Box<Expr>,
        default: Box<Expr>,
    },
    /// Structural `==` (`negated`: `!=`) on any Eq type that is not one word.
    Equal {
        lhs: Box<Expr>,
        rhs: Box<Expr>,
        negated: bool,
    },
    Call {
        callee: Callee,
        args: Vec<Expr>,
    },
    /// A builtin: ordinary, member, operator or intrinsic without a block. `types` are the types of
    /// its signature's type variables in order of first occurrence; the lowering passes their shapes.
    Builtin {
        id: BuiltinId,
        args: Vec<Expr>,
        types: Vec<Ty>,
    },
    /// A block intrinsic (`@with_cost_limit(..) { }`): enter, body, exit on every way out.
    Scope {
        id: BuiltinId,
        args: Vec<Expr>,
        types: Vec<Ty>,
        body: Box<Expr>,
    },
    /// `@spawn`: `fields` are the parameters and ports in declaration order, bound (L-71).
    Spawn {
        agent: Name,
        fields: Vec<Expr>,
        supervise: Box<Expr>,
    },
    /// `r.b(x)`: a request; gives a Future. `behavior` is its index in the agent.
    Request {
        target: Box<Expr>,
        agent: Name,
        behavior: u32,
        args: Vec<Expr>,
    },
    /// `@signal(r, m)` with the behavior resolved: gives `Result<Unit, Backpressure>`.
    Signal {
        target: Box<Expr>,
        agent: Name,
        behavior: u32,
        args: Vec<Expr>,
    },
    /// `@shard`, `@quorum`, `@broadcast`: one act on many agents; see [`Coordinate`] for the order of `args`.
    Coordinate {
        form: Coordinate,
        args: Vec<Expr>,
    },
    /// `@llm_call`: `schema` is the type of the reply.
    LlmCall {
        options: Vec<(Name, Expr)>,
        schema: Ty,
    },
    Lambda {
        function: Box<Function>,
        captures: Vec<Capture>,
    },
    If {
        cond: Box<Expr>,
        then: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
    /// `if let`, `match`, `is`, `let else` all become this; checked exhaustive.
    Match {
        scrutinee: Box<Expr>,
        arms: Vec<Arm>,
    },
    While {
        cond: Box<Expr>,
        body: Box<Expr>,
    },
    Loop {
        body: Box<Expr>,
    },
    For {
        pattern: Pattern,
        sequence: Sequence,
        body: Box<Expr>,
    },
    Block {
        stmts: Vec<Stmt>,
        value: Option<Box<Expr>>,
    },
    /// `try e`: a Fault becomes `Err(Fault)`.
    Try(Box<Expr>),
    /// `e?` on Option or Result: leaves the function early.
    Question(Box<Expr>),
    /// A template as Text: parts joined, holes by `show`.
    Template(Vec<TemplatePart>),
    /// A template as Prompt or Template, as its type says: holes kept apart.
    Prompt(Vec<TemplatePart>),
    Convert(Conversion, Box<Expr>),
    Return(Option<Box<Expr>>),
    Break,
    Continue,
    /// `require c` without `else` (R0401) or `assert c, why` (R0402). `shown`: variables to report.
    Require {
        cond: Box<Expr>,
        assertion: bool,
        why: Option<Box<Expr>>,
        shown: Vec<(Name, Expr)>,
    },
    /// One clause of a contract (R0403): a node of its own, so that a proof can take it away and leave the rest.
    Check {
        clause: Arc<Clause>,
        cond: Box<Expr>,
        shown: Vec<(Name, Expr)>,
    },
    /// A body whose `return` goes through `checks` first: they read what it gives in `result`. Never nested.
    Ensuring {
        body: Box<Expr>,
        result: LocalId,
        checks: Vec<Expr>,
    },
}

/// What is done with many agents of one kind.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Coordinate {
    /// Count, topology, the parameters and ports of each, supervision.
    Shard(Name),
    /// A list of agents, threshold, timeout, until, the payload.
    Quorum { agent: Name, behavior: u32 },
    /// Shards or a list of agents, fanout, the payload.
    Broadcast { agent: Name, behavior: u32 },
}

/// A clause as it was written, and whose it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Clause {
    pub kind: ClauseKind,
    /// The function, struct or agent.
    pub of: Name,
    pub source: Name,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClauseKind {
    Requires,
    Ensures,
    Invariant,
    Decreases,
}

impl ClauseKind {
    pub fn word(self) -> &'static str {
        match self {
            ClauseKind::Requires => "requires",
            ClauseKind::Ensures => "ensures",
            ClauseKind::Invariant => "invariant",
            ClauseKind::Decreases => "decreases",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TemplatePart {
    Text(Name),
    Hole(Expr),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    IntNeg,
    FloatNeg,
    MoneyNeg,
    DurationNeg,
    Not,
}

/// What every Num can do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GenericOp {
    Add,
    Sub,
    Neg,
}

/// Operators on register words. Money, Duration and Time add, subtract and compare as checked Int,
/// with their own fault text; mixed forms (`Money * Float`, ...) are builtins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    Int(Arith),
    Float(Arith),
    Money(Arith),
    Duration(Arith),
    /// Comparison of signed words: Int, Money, Duration, Time, Bool.
    CompareInt(Compare),
    CompareFloat(Compare),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Callee {
    /// A function, method or tool method of the program. Methods take `self` as first argument.
    Function(FunctionKey),
    /// A generic one; only inside generic bodies (see [`Instance`]).
    Instance(Box<Instance>),
    /// A function value.
    Value(Box<Expr>),
}

/// A generic function with its type arguments (L-37). While an argument mentions a type parameter of the body it stands
/// in, the tree holds the instance itself; once all are known it is a function of its own, called by [`Instance::name`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instance {
    /// The key of the generic function.
    pub key: FunctionKey,
    /// The item it belongs to.
    pub owner: Name,
    pub prelude: bool,
    pub member: Option<u32>,
    /// The default of this parameter or field, instead of the function.
    pub default: Option<u32>,
    pub args: Vec<Ty>,
}

impl Instance {
    /// `max_of<Int>`.
    pub fn name(&self) -> FunctionKey {
        let args: Vec<String> = self.args.iter().map(Ty::to_string).collect();
        FunctionKey::from(format!("{}<{}>", self.key, args.join(", ")))
    }
}

/// What a lambda or nested function takes along, by value (or the shared cell of a boxed `var`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Capture {
    pub outer: LocalId,
    pub inner: LocalId,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arm {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Expr,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pattern {
    pub kind: PatternKind,
    pub ty: Ty,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PatternKind {
    Wildcard,
    Bind(LocalId),
    /// A literal of Int, Float, Bool, Text, Money or Duration.
    Literal(Box<Expr>),
    Range {
        low: Box<Expr>,
        high: Box<Expr>,
        inclusive: bool,
    },
    Variant {
        tag: u32,
        fields: Vec<Pattern>,
    },
    /// Struct, record or tuple: patterns by field index.
    Fields(Vec<(u32, Pattern)>),
    /// `[a, b, ..rest]`: patterns before, the rest if there is `..`, patterns after.
    List {
        before: Vec<Pattern>,
        rest: Option<Option<LocalId>>,
        after: Vec<Pattern>,
    },
    Or(Vec<Pattern>),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sequence {
    /// `a..b` or `a..=b`, never built.
    Range { low: Box<Expr>, high: Box<Expr>, inclusive: bool },
    /// List, Vector, Set, Map (pairs), Text (characters), by the expression's type; fixed when the loop starts.
    Value(Box<Expr>),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Conversion {
    /// `T` to `T?`.
    Some,
    /// Decimal Int literals become Float literals while checking; this is for none of them.
    ToDyn,
    /// `d as T` (R0108), `d as? T`.
    FromDyn {
        optional: bool,
    },
    TextToPrompt,
    /// A tool as one that it provides: the same value.
    AsTool,
    ListToVector,
    ListToSet,
    /// As the argument of an `iso` parameter: the same value, which must be the only reference.
    Move,
    /// `.copy`: the same value, which somebody else may have, too.
    Copy,
    /// What a checkpoint keeps of a variable: the same value, and no use of the variable.
    Keep,
    /// To Unit: the value is dropped.
    Discard,
    /// A Result thrown away as a statement: `Err` is R0404 (L-45).
    DiscardResult,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StmtKind {
    /// `let`, `var`, `:=`. The pattern is irrefutable (`let else` is a `Match`).
    Let {
        pattern: Pattern,
        value: Expr,
    },
    Assign {
        place: Place,
        value: Expr,
    },
    Expr(Expr),
}

/// Where an assignment goes: a root, then a path into it. `p.x[i] = v` rebuilds the value from the inside out,
/// in place where it is unique (L-41).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    pub root: PlaceRoot,
    pub path: Vec<PlaceStep>,
    pub ty: Ty,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PlaceRoot {
    Local(LocalId),
    Global(Name),
    AgentField(u32),
}

/// One step, with the type of the container it steps into.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PlaceStep {
    Field { container: Ty, index: u32 },
    Index { container: Ty, index: Expr },
}

/// The definitions of one cell, as the engine installs them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Definitions {
    pub functions: Vec<Function>,
    pub agents: Vec<Agent>,
    /// Lanes the program declares (L-62).
    pub lanes: Vec<LaneSpec>,
    /// Structs, enums, aliases and tools by name, with one line each for `:defs`.
    pub types: Vec<TypeDefinition>,
    pub policies: Vec<Policy>,
    pub gates: Vec<gate::Gate>,
    pub provided: Vec<gate::Provided>,
}

/// The rules of a policy or of an agent.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Policy {
    pub name: Name,
    pub of_agent: bool,
    /// Those of one part come before those of the next.
    pub parts: Vec<PolicyPart>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PolicyPart {
    Rules(Vec<Rule>),
    /// Those of another policy, as they are when an effect is about to happen.
    Named(Name),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rule {
    pub verdict: Verdict,
    pub effect: Name,
    /// A function of the effect's arguments that gives a Bool.
    pub condition: Option<FunctionKey>,
    /// For people.
    pub text: Name,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TypeDefinition {
    pub name: Name,
    pub ty: Ty,
    pub summary: Name,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Agent {
    pub name: Name,
    /// Parameters, then ports (skills, tools), then state.
    pub fields: Vec<AgentField>,
    /// Takes parameters and ports, gives the tuple of the state's initial values. Key `Name.{init}`.
    pub init: Function,
    /// Gives a record with the sections `memory` and `cost_policy`, those that are written. Key `Name.{config}`.
    pub config: Option<Function>,
    pub behaviors: Vec<Behavior>,
    /// Private functions and lambdas of the agent are in `Definitions::functions`.
    pub attributes: OfAgent,
    /// Its initialiser is its own statements, which may do anything and run once (L-77).
    pub is_orchestration: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AgentField {
    pub name: Name,
    pub ty: Ty,
    pub kind: AgentFieldKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AgentFieldKind {
    Parameter,
    Skill,
    Tool,
    State,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Behavior {
    pub name: Name,
    /// Its parameters; the running instance's fields are reached by `AgentField`.
    pub function: Function,
    pub attributes: OfBehavior,
    pub kind: BehaviorKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

/// The statements of a cell, in pieces that the session runs in order, with the commands between.
/// Each is a function without parameters; top-level `let` and `var` are globals, not locals.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CellStep {
    /// Key `cell N` / `cell N.2`.
    pub function: Function,
    /// The step ends in an expression that is the cell's result so far (not followed by `;`).
    pub shows: bool,
    /// Globals this step declares or assigns, with their types.
    pub writes: Vec<(Name, Ty)>,
    /// Other globals, which functions that it calls may assign.
    pub changes: Vec<Name>,
    /// Definitions and globals it uses directly.
    pub reads: Vec<Name>,
}
