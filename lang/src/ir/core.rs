//! Core IR: what a function does, in typed A-normal form with join points.
//!
//! Every value has a name that is bound once. A block is a join point: it has parameters, and a jump passes
//! them; a loop is a block that is jumped to from inside itself, so control flow stays reducible. Effects
//! happen in the order of the statements. Never: holds a language type (only shapes) or an expression tree.
//!
//! After `rc` the counts are explicit: each `Owned` variable is given away exactly once on every path, by an
//! operand that takes it, by `Drop`, or by being passed on in a jump.

pub mod uses;

use crate::hir::{Arith, Clause, Compare, Coordinate, FunctionKey};
use crate::source::Span;
use crate::types::ty::Name;
use ag_runtime::builtin::BuiltinId;
use ag_runtime::value::shape::ShapeId;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Var(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BlockId(pub u32);

impl BlockId {
    pub const ENTRY: Self = Self(0);
}

#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    pub name: FunctionKey,
    /// Captures first, then the declared parameters.
    pub params: Vec<Var>,
    pub captures: u32,
    pub result: ShapeId,
    pub vars: Vec<VarInfo>,
    /// The first is the entry; it has no parameters of its own.
    pub blocks: Vec<Block>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct VarInfo {
    pub shape: ShapeId,
    pub hold: Hold,
    /// The local it came from, for people.
    pub name: Option<Name>,
}

/// Who keeps a value alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// A word that is never counted.
    Word,
    /// This variable: it must be given away or dropped.
    Owned,
    /// Somebody else for as long as the function runs: a constant of the code.
    Lent,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    pub kind: BlockKind,
    pub params: Vec<Var>,
    pub stmts: Vec<Stmt>,
    pub end: End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockKind {
    Entry,
    /// One way out of an `If` or `Switch`: exactly one predecessor, no parameters.
    Arm,
    Join,
    /// A join point that is also reached from inside itself.
    Loop,
    /// Where a Fault goes that `try` catches: no parameters, reached from statements.
    Handler,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
    /// The handler of the innermost `try` around it.
    pub on_fault: Option<BlockId>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum StmtKind {
    Let(Var, Op),
    /// One more count. Only `rc` makes these two.
    Dup(Var),
    Drop(Var),
}

#[derive(Clone, PartialEq, Debug)]
pub enum End {
    Return(Var),
    Jump(BlockId, Vec<Var>),
    If {
        cond: Var,
        then: BlockId,
        otherwise: BlockId,
    },
    /// On the tag of an enum value.
    Switch {
        tag: Var,
        arms: Vec<(u32, BlockId)>,
        otherwise: BlockId,
    },
    /// Control never gets here: after a `Raise`, and in what follows a `return`.
    Unreachable,
}

/// What the words of an operation stand for: it decides how overflow is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    Int,
    Money,
    Duration,
    Float,
    /// A loop counter below a limit: cannot overflow, so it is not checked.
    Index,
}

/// Whether a function value may leave the coroutine that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tied {
    Stays,
    Free,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// An immediate value: numbers, Bool, Unit, variants without payload.
    Const(u64),
    /// A text of the source, kept by the code.
    Text(Name),
    Arith {
        word: Word,
        op: Arith,
        lhs: Var,
        rhs: Var,
    },
    Compare {
        float: bool,
        op: Compare,
        lhs: Var,
        rhs: Var,
    },
    Neg(Word, Var),
    Not(Var),
    /// The tag of an enum value.
    Tag(Var),
    /// A field of a record or tuple: a new count of it.
    Field(Var, u32),
    /// A payload field of a variant, known to be that variant.
    Payload(Var, u32),
    /// A new record or tuple.
    Record(Vec<Var>),
    Variant(u32, Vec<Var>),
    /// With what it captures; whether it must stay on this coroutine (`hir::Function::tied`).
    Closure(FunctionKey, Vec<Var>, Tied),
    /// The same record, with no other holder: copied if there is one.
    Fresh(Var),
    /// Moves a field out of a fresh record and leaves nothing there.
    TakeField(Var, u32),
    /// Replaces a field of a fresh record.
    PutField(Var, u32, Var),
    /// The shared cell of a `var` that lambdas or `try` blocks assign.
    CellNew(Var),
    CellGet(Var),
    CellSet(Var, Var),
    /// Moves the value out of the cell; a `CellSet` follows before anything can fault.
    CellTake(Var),
    ListLen(Var),
    /// An element by an index that is known to be inside.
    ListGet(Var, Var),
    Call(FunctionKey, Vec<Var>),
    CallValue(Var, Vec<Var>),
    Builtin {
        id: BuiltinId,
        args: Vec<Var>,
        shapes: Vec<ShapeId>,
    },
    /// Leaves a block form: the token is what entering it gave.
    Exit(BuiltinId, Var),
    /// What is done by a helper of the engine; its operands in order.
    Aux(Aux, Vec<Var>),
    /// Interrupt, limits and fairness are looked at here.
    Safepoint,
}

/// Operations that are calls into the engine or the runtime rather than register work.
#[derive(Clone, PartialEq, Debug)]
pub enum Aux {
    List(ShapeId),
    Vector,
    Set(ShapeId),
    /// Keys and values in turn.
    Map(ShapeId),
    /// Template parts: a text, or the next operand by its shape.
    Template(Vec<Piece>),
    Prompt(Vec<Piece>),
    Equal(ShapeId),
    ToDyn(ShapeId),
    FromDyn {
        target: ShapeId,
        optional: bool,
    },
    TextToPrompt,
    /// The operand itself, as a tool that it provides.
    AsTool,
    ListToVector,
    ListToSet(ShapeId),
    /// Any sequence as the list a loop walks: operand of this shape, result `List` of its elements.
    Sequence(ShapeId),
    /// `place[i] = v` on a container of this shape: container, index, value give the container.
    SetIndex(ShapeId),
    /// `place[i]` read, for its Fault and on the way to a part: container and index give the element.
    GetIndex(ShapeId),
    /// Moves an element out: container and index give the element; the container is a fresh one.
    TakeIndex(ShapeId),
    /// The container without other holders.
    FreshContainer(ShapeId),
    /// A list with one more element: list and element.
    Append(ShapeId),
    /// A part of a list: list, first index, end index.
    Slice(ShapeId),
    GlobalGet(Name),
    /// Moves the value out; a `GlobalSet` follows before anything can fault, sleep, or read globals.
    GlobalTake(Name),
    GlobalSet(Name),
    AgentGet(u32),
    AgentTake(u32),
    AgentSet(u32),
    SelfRef,
    Spawn(Name),
    /// One act on many agents; the operands as in the typed tree, taken over.
    Coordinate(Coordinate),
    Request {
        agent: Name,
        behavior: u32,
    },
    Signal {
        agent: Name,
        behavior: u32,
    },
    /// A value is out of its place: until `LetGo` or a Fault of its own nothing stops what changes it.
    Hold,
    LetGo,
    ScopeDepth,
    CloseScopes,
    /// The Fault that was caught, as a value of this shape.
    TakeFault(ShapeId),
    Raise(Raise),
}

/// A Fault that the program itself raises.
#[derive(Clone, PartialEq, Debug)]
pub enum Raise {
    /// `require` or `assert`: the names and shapes of the operands shown; the first operand is the
    /// reason if `why`.
    Failed { assertion: bool, why: bool, shown: Vec<(Name, ShapeId)> },
    /// A discarded `Err`: the operand is the error of this shape.
    DiscardedErr(ShapeId),
    /// `?` at the top level of a cell.
    QuestionAtTop(ShapeId),
    /// A clause of a contract does not hold; the names and shapes of the operands shown.
    Contract { clause: Arc<Clause>, shown: Vec<(Name, ShapeId)> },
}

#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    Text(Name),
    Hole(ShapeId),
}

/// What an operation does to an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Takes it over.
    Own,
    /// Looks at it; the caller keeps it alive.
    Borrow,
}
