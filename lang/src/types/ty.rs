//! The types of the language as the checker sees them.
//!
//! Plain, comparable data: salsa compares them to cut recomputation off. Never holds a span.

use std::fmt;
use std::sync::Arc;

/// A name as written in source or in the prelude.
pub type Name = Arc<str>;

/// A type. `Var` occurs only while a body is being inferred.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    Unit,
    Bool,
    Int,
    Float,
    Text,
    Bytes,
    Money,
    Duration,
    Time,
    Dyn,
    Vector,
    /// A template whose holes are kept apart (L-126).
    Prompt,
    List(Box<Ty>),
    Set(Box<Ty>),
    Map(Box<Ty>, Box<Ty>),
    Tuple(Vec<Ty>),
    /// A structural record; fields sorted by name.
    Record(Vec<(Name, Ty)>),
    Function(Box<FunctionTy>),
    /// A struct or enum of the program or the prelude (`Option` and `Result` too).
    Adt(Arc<AdtRef>),
    /// A tool value.
    Tool(Name),
    /// An agent's own name used as a value (`@spawn(A)`).
    Agent(Name),
    AgentRef(Name),
    /// `A.b(x)` as a value (L-73).
    Message(Name),
    Future(Box<Ty>),
    Channel(Box<Ty>),
    /// A lane: a bare name in a position of this type is the lane of that name (L-40).
    Lane,
    /// Builtin handles without structure: `Thread`, `Lease`, `EpisodeId`.
    Opaque(&'static str),
    /// A type parameter of a generic definition or builtin signature.
    Param(Name),
    Var(u32),
    /// Of `return`, `break`, `continue`.
    Never,
    /// Where a mistake was already reported; agrees with everything.
    Error,
}

/// A function type with the effects it may have.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FunctionTy {
    pub params: Vec<Ty>,
    pub result: Ty,
    /// `None`: any effect (L-90).
    pub uses: Option<Vec<Name>>,
}

/// A use of a nominal type. `fingerprint` identifies the definition: a struct redefined
/// with other fields is another type (L-152).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AdtRef {
    pub name: Name,
    pub fingerprint: u64,
    pub args: Vec<Ty>,
}

impl Ty {
    /// True for a type whose values are plain register words, never counted.
    pub fn is_scalar(&self) -> bool {
        matches!(
            self,
            Ty::Unit
                | Ty::Bool
                | Ty::Int
                | Ty::Float
                | Ty::Money
                | Ty::Duration
                | Ty::Time
                | Ty::AgentRef(_)
                | Ty::Never
        )
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Unit => f.write_str("Unit"),
            Ty::Bool => f.write_str("Bool"),
            Ty::Int => f.write_str("Int"),
            Ty::Float => f.write_str("Float"),
            Ty::Text => f.write_str("Text"),
            Ty::Bytes => f.write_str("Bytes"),
            Ty::Money => f.write_str("Money"),
            Ty::Duration => f.write_str("Duration"),
            Ty::Time => f.write_str("Time"),
            Ty::Dyn => f.write_str("Dyn"),
            Ty::Vector => f.write_str("Vector"),
            Ty::Prompt => f.write_str("Prompt"),
            Ty::Lane => f.write_str("Lane"),
            Ty::List(t) => write!(f, "List<{t}>"),
            Ty::Set(t) => write!(f, "Set<{t}>"),
            Ty::Map(k, v) => write!(f, "Map<{k}, {v}>"),
            Ty::Future(t) => write!(f, "Future<{t}>"),
            Ty::Channel(t) => write!(f, "Channel<{t}>"),
            Ty::Tuple(items) => {
                f.write_str("(")?;
                comma(f, items)?;
                f.write_str(")")
            }
            Ty::Record(fields) => {
                f.write_str("{ ")?;
                for (i, (name, ty)) in fields.iter().enumerate() {
                    let sep = if i == 0 { "" } else { ", " };
                    write!(f, "{sep}{name}: {ty}")?;
                }
                f.write_str(" }")
            }
            Ty::Function(t) => {
                f.write_str("(")?;
                comma(f, &t.params)?;
                write!(f, ") -> {}", t.result)
            }
            Ty::Adt(adt) if &*adt.name == "Option" && adt.args.len() == 1 => {
                comma(f, &adt.args)?;
                f.write_str("?")
            }
            Ty::Adt(adt) if adt.args.is_empty() => f.write_str(&adt.name),
            Ty::Adt(adt) => {
                write!(f, "{}<", adt.name)?;
                comma(f, &adt.args)?;
                f.write_str(">")
            }
            Ty::Tool(name) | Ty::Param(name) => f.write_str(name),
            Ty::Agent(name) => write!(f, "agent {name}"),
            Ty::AgentRef(name) => write!(f, "AgentRef<{name}>"),
            Ty::Message(name) => write!(f, "message of {name}"),
            Ty::Opaque(name) => f.write_str(name),
            Ty::Var(_) => f.write_str("_"),
            Ty::Never => f.write_str("Never"),
            Ty::Error => f.write_str("?"),
        }
    }
}

fn comma(f: &mut fmt::Formatter<'_>, items: &[Ty]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        let sep = if i == 0 { "" } else { ", " };
        write!(f, "{sep}{item}")?;
    }
    Ok(())
}
