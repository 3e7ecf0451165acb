//! The types of the language as the checker sees them.
//!
//! Plain, comparable data: salsa compares them to cut recomputation off. Never holds a span.

use std::fmt;
use std::sync::Arc;

/// A name as written in source or in the prelude.
pub type Name = Arc<str>;

/// A type of more parts than this is refused: nobody means it, and each step that doubles a type is a short one.
pub const MOST_PARTS: usize = 10_000;

/// Type arguments of more parts than this, of something that has led to itself, are taken to grow for ever.
pub const GROWING_PARTS: usize = 64;

/// A type. `Var` occurs only while a body is being inferred.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Ty {
    #[default]
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
    /// A parameter of a function type that is lent the caller's place (L-80). Stands nowhere else, and for no type parameter.
    Ref(Box<Ty>),
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
    /// Agents of one kind made together; inside stands the type of the reference to one of them.
    Shards(Box<Ty>),
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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionTy {
    pub params: Vec<Ty>,
    pub result: Ty,
    /// `None`: any effect (L-90).
    pub uses: Option<Vec<Name>>,
}

/// A use of a nominal type. `fingerprint` identifies the definition: a struct redefined
/// with other fields is another type (L-152).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AdtRef {
    pub name: Name,
    pub fingerprint: u64,
    pub args: Vec<Ty>,
}

impl Ty {
    /// A type of the prelude; its fingerprint is 0 because it cannot change.
    pub fn prelude(name: &str, args: Vec<Ty>) -> Ty {
        Ty::Adt(Arc::new(AdtRef { name: Arc::from(name), fingerprint: 0, args }))
    }

    pub fn option(inner: Ty) -> Ty {
        Ty::prelude("Option", vec![inner])
    }

    pub fn result(ok: Ty, err: Ty) -> Ty {
        Ty::prelude("Result", vec![ok, err])
    }

    pub fn list(element: Ty) -> Ty {
        Ty::List(Box::new(element))
    }

    pub fn function(params: Vec<Ty>, result: Ty) -> Ty {
        Ty::Function(Box::new(FunctionTy { params, result, uses: None }))
    }

    /// Whether a function of this type is lent places.
    pub fn lends(&self) -> bool {
        matches!(self, Ty::Function(ty) if ty.params.iter().any(|param| matches!(param, Ty::Ref(_))))
    }

    /// The arguments if this is the prelude's type of that name.
    pub fn prelude_args(&self, name: &str) -> Option<&[Ty]> {
        match self {
            Ty::Adt(adt) if adt.fingerprint == 0 && &*adt.name == name => Some(&adt.args),
            _ => None,
        }
    }

    /// `T` of `Option<T>`.
    pub fn as_option(&self) -> Option<&Ty> {
        self.prelude_args("Option")?.first()
    }

    /// The parts of which this type is made, each mapped.
    pub fn map(&self, f: &mut impl FnMut(&Ty) -> Ty) -> Ty {
        let all = |items: &[Ty], f: &mut dyn FnMut(&Ty) -> Ty| items.iter().map(f).collect();
        match self {
            Ty::List(t) => Ty::List(Box::new(f(t))),
            Ty::Set(t) => Ty::Set(Box::new(f(t))),
            Ty::Future(t) => Ty::Future(Box::new(f(t))),
            Ty::Channel(t) => Ty::Channel(Box::new(f(t))),
            Ty::Shards(t) => Ty::Shards(Box::new(f(t))),
            Ty::Ref(t) => Ty::Ref(Box::new(f(t))),
            Ty::Map(k, v) => Ty::Map(Box::new(f(k)), Box::new(f(v))),
            Ty::Tuple(items) => Ty::Tuple(all(items, f)),
            Ty::Record(fields) => {
                Ty::Record(fields.iter().map(|(name, ty)| (name.clone(), f(ty))).collect())
            }
            Ty::Function(t) => Ty::Function(Box::new(FunctionTy {
                params: all(&t.params, f),
                result: f(&t.result),
                uses: t.uses.clone(),
            })),
            Ty::Adt(adt) if !adt.args.is_empty() => Ty::Adt(Arc::new(AdtRef {
                name: adt.name.clone(),
                fingerprint: adt.fingerprint,
                args: all(&adt.args, f),
            })),
            other => other.clone(),
        }
    }

    /// Whether `test` holds for this type or one it is made of.
    pub fn any(&self, test: &mut dyn FnMut(&Ty) -> bool) -> bool {
        if test(self) {
            return true;
        }
        let mut found = false;
        self.map(&mut |part| {
            found = found || part.any(test);
            Ty::Unit
        });
        found
    }

    /// How many parts it has, itself included.
    pub fn parts(&self) -> usize {
        let mut parts = 0;
        self.any(&mut |_| {
            parts += 1;
            false
        });
        parts
    }

    /// Whether it has more than [`MOST_PARTS`].
    pub fn is_too_large(&self) -> bool {
        let mut parts = 0;
        self.any(&mut |_| {
            parts += 1;
            parts > MOST_PARTS
        })
    }

    /// Whether a type parameter occurs in it.
    pub fn is_generic(&self) -> bool {
        self.any(&mut |part| matches!(part, Ty::Param(_)))
    }

    /// Type parameters replaced.
    pub fn substitute(&self, params: &[Name], args: &[Ty]) -> Ty {
        match self {
            Ty::Param(name) => {
                let at = params.iter().position(|param| param == name);
                at.and_then(|at| args.get(at)).unwrap_or(self).clone()
            }
            Ty::AgentRef(name) => {
                let at = params.iter().position(|param| param == name);
                match at.and_then(|at| args.get(at)) {
                    Some(Ty::AgentRef(agent) | Ty::Agent(agent)) => Ty::AgentRef(agent.clone()),
                    _ => self.clone(),
                }
            }
            _ => self.map(&mut |part| part.substitute(params, args)),
        }
    }

    /// Values that compare as signed words.
    pub fn is_word(&self) -> bool {
        matches!(self, Ty::Int | Ty::Money | Ty::Duration | Ty::Time | Ty::Bool)
    }

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
            Ty::Ref(t) => write!(f, "ref {t}"),
            Ty::Future(t) => write!(f, "Future<{t}>"),
            Ty::Channel(t) => write!(f, "Channel<{t}>"),
            Ty::Shards(t) => match &**t {
                Ty::AgentRef(name) => write!(f, "Shards<{name}>"),
                other => write!(f, "Shards<{other}>"),
            },
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
                f.write_str(if t.uses.is_some() { "((" } else { "(" })?;
                comma(f, &t.params)?;
                write!(f, ") -> {}", t.result)?;
                match &t.uses {
                    None => Ok(()),
                    Some(uses) if uses.is_empty() => f.write_str(" uses none)"),
                    Some(uses) => write!(f, " uses {})", uses.join(", ")),
                }
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
