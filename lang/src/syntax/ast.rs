//! The tree inside an item: expressions, statements, patterns and types, in one arena per item.
//!
//! All spans are relative to the start of the item that owns the [`Body`], so that an item that only moves compares equal.
//! Every kind has an `Error` (or an empty name) where source is missing: a tree exists for every text. Nodes never
//! point upward and never at another item.
//!
//! Long because it is the whole tree of the grammar: a reader looks it up, and a split would only hide parts of it.

pub mod index;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::source::Span;
use crate::syntax::item::{EffectPath, Function};

/// An identifier's text, cheap to clone. The empty name stands for one that is missing in the source.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    pub fn new(text: &str) -> Name {
        Name(Arc::from(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared text, for trees that outlive this one.
    pub fn text(&self) -> Arc<str> {
        self.0.clone()
    }

    pub fn is_missing(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the name starts with an upper-case letter: it then names a type, struct or variant where it matters (L-31, L-44).
    pub fn is_upper(&self) -> bool {
        self.0.chars().next().is_some_and(char::is_uppercase)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::new(text)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

/// A name where it is written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

/// An expression of the [`Body`] it was parsed into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);

/// A statement of the [`Body`] it was parsed into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StmtId(pub u32);

/// A pattern of the [`Body`] it was parsed into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PatId(pub u32);

/// A written type of the [`Body`] it was parsed into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeRefId(pub u32);

/// The arena of one item (or of a cell's own statements). Ids index it and only it; children come before parents.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Body {
    pub exprs: Vec<Expr>,
    pub stmts: Vec<Stmt>,
    pub pats: Vec<Pat>,
    pub types: Vec<TypeRef>,
    /// Clauses of contracts as they are written, in one line.
    pub clauses: Vec<(ExprId, Arc<str>)>,
}

/// A literal's value. Floats are kept as bits so that trees compare and hash.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// `decimal` is false for `0x` and `0b` forms, which never become a Float.
    Int {
        value: i64,
        decimal: bool,
    },
    /// `f64::to_bits` of the value.
    Float(u64),
    Bool(bool),
    /// Text without holes, escapes undone.
    Text(Arc<str>),
    /// Micro-dollars.
    Money(i64),
    /// Nanoseconds.
    Duration(i64),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExprKind {
    /// Missing or unreadable source; already reported.
    Error,
    Literal(Literal),
    /// Text with at least one hole (L-6).
    Template(Vec<TemplatePart>),
    Name(Name),
    /// `()` is the empty tuple, Unit. `(a)` is `a` and makes no node.
    Tuple(Vec<ExprId>),
    List(Vec<ExprId>),
    /// `{ name: e }`
    Record(Vec<FieldInit>),
    /// `{ "k": e, (x): e }`; `{}` is the empty map.
    Map(Vec<MapEntry>),
    /// `Name { .. }` or `Enum.Variant { .. }`
    Struct {
        path: Path,
        elements: Vec<StructElement>,
    },
    Unary {
        op: UnaryOp,
        expr: ExprId,
    },
    Binary {
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    },
    Range {
        start: ExprId,
        end: ExprId,
        inclusive: bool,
    },
    /// `e is pattern`
    Is {
        expr: ExprId,
        pattern: PatId,
    },
    /// `e as T`, and `e as? T` when `optional`.
    Cast {
        expr: ExprId,
        ty: TypeRefId,
        optional: bool,
    },
    /// `await e`
    Await(ExprId),
    /// `try e`; `try { }` is a `Try` of a `Block`.
    Try(ExprId),
    /// `e?`
    Question(ExprId),
    /// `e.name`; the name is empty directly after a dangling dot.
    Field {
        base: ExprId,
        name: Ident,
    },
    /// `e.0`
    TupleField {
        base: ExprId,
        index: u32,
    },
    Index {
        base: ExprId,
        index: ExprId,
    },
    Call {
        callee: ExprId,
        args: Vec<Arg>,
    },
    /// `x => e`, `(a, b : T) => { }`; the body is a `Block` or a plain expression.
    Lambda {
        params: Vec<LambdaParam>,
        body: ExprId,
    },
    /// `otherwise` is a `Block` or another `If`.
    If {
        cond: Cond,
        then: Block,
        otherwise: Option<ExprId>,
    },
    Match {
        scrutinee: ExprId,
        arms: Vec<Arm>,
    },
    /// A block where it has a value: body of a lambda, arm, `else`, `try`.
    Block(Block),
    /// `@name(..)` and `@name(..) { }`: kinds C and B. An unknown name is kept with `kind` C or B by its shape.
    Intrinsic(Intrinsic),
    /// `forall x : T, i in xs => e`
    Quantifier {
        quantifier: Quantifier,
        binders: Vec<Binder>,
        body: ExprId,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TemplatePart {
    Text(Arc<str>),
    /// `$name` or `${expr}`
    Hole(ExprId),
}

/// `name: e`, or `name` alone, in which case `value` is the `Name` expression made for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FieldInit {
    pub name: Ident,
    pub value: ExprId,
    pub shorthand: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MapEntry {
    pub key: ExprId,
    pub value: ExprId,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StructElement {
    Field(FieldInit),
    /// `..e`
    Spread(ExprId),
}

/// `Name` or `Enum.Variant`, both upper-case.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    pub qualifier: Option<Ident>,
    pub name: Ident,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Neg,
    Not,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    And,
    Or,
    /// `??`
    Coalesce,
    /// `==>`
    Implies,
    /// `<==>`
    Iff,
}

/// One argument: `e`, `name: e`, `ref e`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arg {
    pub name: Option<Ident>,
    pub by_ref: bool,
    pub value: ExprId,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LambdaParam {
    pub name: Ident,
    pub ty: Option<TypeRefId>,
}

/// What `if` and `while` test.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Cond {
    Expr(ExprId),
    /// `let pattern := e`
    Let {
        pattern: PatId,
        value: ExprId,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arm {
    pub pattern: PatId,
    pub guard: Option<ExprId>,
    pub body: ArmBody,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ArmBody {
    /// A `Block` or a plain expression.
    Expr(ExprId),
    /// `return`, `break`, `continue` or an assignment.
    Stmt(StmtId),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    pub stmts: Vec<StmtId>,
    /// From `{` to `}`, both included.
    pub span: Span,
}

/// How a row of the closed table of `@` names lets the parser continue (LANGUAGE.md section 11).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IntrinsicKind {
    /// A: before an item, member or method.
    Attribute,
    /// H: a statement that holds to the end of its block.
    Hint,
    /// L: a statement followed by a label.
    Label,
    /// C: an expression with arguments.
    Call,
    /// B: an expression with optional arguments and a block.
    Block,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Intrinsic {
    pub name: Ident,
    pub kind: IntrinsicKind,
    pub args: Vec<Arg>,
    pub block: Option<Block>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Quantifier {
    Forall,
    Exists,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Binder {
    pub name: Ident,
    pub domain: BinderDomain,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum BinderDomain {
    Type(TypeRefId),
    In(ExprId),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StmtKind {
    /// Unreadable source; already reported.
    Error,
    /// `let p : T := e else d`; `mutable` for `var`.
    Let {
        mutable: bool,
        pattern: PatId,
        ty: Option<TypeRefId>,
        value: ExprId,
        otherwise: Option<Diverge>,
    },
    /// `x := e` declares a `var`.
    Declare {
        name: Ident,
        value: ExprId,
    },
    /// `place` is a `Name`, `Field` or `Index` expression over places (or `Error`).
    Assign {
        place: ExprId,
        op: AssignOp,
        value: ExprId,
    },
    Require {
        cond: ExprId,
        otherwise: Option<Diverge>,
    },
    Assert {
        cond: ExprId,
        message: Option<ExprId>,
    },
    Return(Option<ExprId>),
    Break,
    Continue,
    For {
        pattern: PatId,
        iterable: ExprId,
        specs: Vec<LoopSpec>,
        body: Block,
    },
    While {
        cond: Cond,
        specs: Vec<LoopSpec>,
        body: Block,
    },
    Loop(Block),
    /// `@simd(avx512)`
    Hint {
        name: Ident,
        args: Vec<Arg>,
    },
    /// `@checkpoint label`
    Label {
        name: Ident,
        label: Ident,
    },
    /// A function inside a block; its nodes live in the same arena.
    Function(Box<Function>),
    Expr(ExprId),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AssignOp {
    Set,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// What stands after `else` in `let` and `require`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Diverge {
    Return(Option<ExprId>),
    Break,
    Continue,
    /// Must leave; that is checked later (E0410).
    Block(Block),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum LoopSpec {
    Invariant(ExprId),
    Decreases(ExprId),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pat {
    pub kind: PatKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PatKind {
    Error,
    Wildcard,
    /// A minus sign is already in the value.
    Literal(Literal),
    Range {
        start: Literal,
        end: Literal,
        inclusive: bool,
    },
    /// A lower-case name.
    Bind(Name),
    /// `Upper`, `Enum.Variant`, `Some(p)`; `args` is `None` without parentheses.
    Variant {
        path: Path,
        args: Option<Vec<PatId>>,
    },
    /// `Name { a, b: p, .. }` or without a name.
    Record {
        name: Option<Ident>,
        fields: Vec<FieldPat>,
        rest: bool,
    },
    Tuple(Vec<PatId>),
    List(Vec<ListPat>),
    /// `p | q`
    Or(Vec<PatId>),
}

/// `a: p`, or `a` alone, in which case `pattern` is the `Bind` made for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FieldPat {
    pub name: Ident,
    pub pattern: PatId,
    pub shorthand: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ListPat {
    Element(PatId),
    /// `..` or `..name`
    Rest(Option<Ident>),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TypeRef {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TypeKind {
    Error,
    /// `Map<K, V>`; no arguments for a plain name. `risk.Deal` has its file's name until names get their meaning
    /// (`syntax::rename`).
    Named {
        file: Option<Ident>,
        name: Ident,
        args: Vec<TypeRefId>,
    },
    Function {
        params: Vec<TypeRefId>,
        ret: TypeRefId,
    },
    /// `()` is Unit. `(T)` is `T` and makes no node.
    Tuple(Vec<TypeRefId>),
    Record(Vec<TypeField>),
    /// `(T uses e, f)`
    Bounded {
        ty: TypeRefId,
        effects: Vec<EffectPath>,
    },
    /// `T?`
    Optional(TypeRefId),
    /// `iso T`
    Cap {
        cap: Cap,
        ty: TypeRefId,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TypeField {
    pub name: Ident,
    pub ty: TypeRefId,
}

/// Reference capabilities (LANGUAGE.md section 8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cap {
    Iso,
    Val,
    Ref,
    Tag,
}
