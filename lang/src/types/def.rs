//! What a name means to those who use it: signatures and layouts, without bodies and without positions.
//!
//! These are the values at which recomputation is cut off: a body edit leaves them equal.

use std::sync::Arc;

use crate::hir::FunctionKey;
use crate::syntax::item::BehaviorKind;
use crate::types::ty::{Name, Ty};

/// The interface of a definition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Definition {
    Function(Arc<Signature>),
    Struct(Arc<StructDef>),
    Enum(Arc<EnumDef>),
    Alias(Arc<AliasDef>),
    Agent(Arc<AgentDef>),
    Tool(Arc<ToolDef>),
    Global(GlobalDef),
    /// A lane of the program (L-62): a name in positions of type Lane.
    Lane,
    /// A theorem or lemma: a fact, no value.
    Theorem,
    /// An item that parses but cannot be used yet; its use is not reported a second time.
    Unsupported(&'static str),
}

impl Definition {
    /// For messages: "a struct".
    pub fn kind(&self) -> &'static str {
        match self {
            Definition::Function(_) => "a function",
            Definition::Struct(_) => "a struct",
            Definition::Enum(_) => "an enum",
            Definition::Alias(_) => "a type",
            Definition::Agent(def) if def.is_orchestration => "an orchestration",
            Definition::Agent(_) => "an agent",
            Definition::Tool(_) => "a tool",
            Definition::Global(_) => "a value",
            Definition::Lane => "a lane",
            Definition::Theorem => "a theorem",
            Definition::Unsupported(what) => what,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GlobalDef {
    pub ty: Ty,
    pub mutable: bool,
}

/// A function, method, behavior or tool method.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    pub key: FunctionKey,
    /// The type parameters: those of its struct or enum, then its own.
    pub generics: Vec<Name>,
    /// What each must be able to do: `(T, Ord)`.
    pub bounds: Vec<(Name, Name)>,
    pub params: Vec<Param>,
    /// `None`: not written, to be inferred from the body.
    pub result: Option<Ty>,
    /// A first parameter `self` (not in `params`).
    pub receiver: bool,
    /// How the receiver is given: `ref self` has a place, which it may change.
    pub own: Passing,
    pub doc: Option<Arc<str>>,
}

/// How a parameter is given (L-80).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Passing {
    /// `val`, `tag`, and what has no capability written: shared, never changed.
    #[default]
    Val,
    /// Moved: the giver does not use it any more.
    Iso,
    /// The caller's place.
    Ref,
}

impl Passing {
    /// As it is written before a type, with a space behind; `val` is not.
    pub fn word(self) -> &'static str {
        match self {
            Passing::Val => "",
            Passing::Iso => "iso ",
            Passing::Ref => "ref ",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    pub name: Name,
    pub ty: Ty,
    pub passing: Passing,
    pub has_default: bool,
    pub doc: Option<Arc<str>>,
}

impl Param {
    /// Its type in the type of the function.
    pub fn given(&self) -> Ty {
        match self.passing {
            Passing::Ref => Ty::Ref(Box::new(self.ty.clone())),
            Passing::Val | Passing::Iso => self.ty.clone(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StructDef {
    pub name: Name,
    /// 0 for the prelude.
    pub fingerprint: u64,
    pub generics: Vec<Name>,
    pub bounds: Vec<(Name, Name)>,
    pub fields: Vec<Param>,
    pub methods: Vec<Signature>,
    /// Every value of it keeps its `invariant` clauses.
    pub has_invariant: bool,
    pub doc: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EnumDef {
    pub name: Name,
    pub fingerprint: u64,
    pub generics: Vec<Name>,
    pub bounds: Vec<(Name, Name)>,
    pub variants: Vec<VariantDef>,
    pub methods: Vec<Signature>,
    pub doc: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VariantDef {
    pub name: Name,
    /// The same in snake_case, for L-40.
    pub snake: Name,
    /// Unnamed fields are called `value` if single, else `_0`, `_1` (L-121).
    pub fields: Vec<Param>,
}

impl EnumDef {
    /// The variant written `text`, in its own spelling or in snake_case.
    pub fn variant(&self, text: &str) -> Option<(u32, &VariantDef)> {
        let at = self.variants.iter().position(|v| &*v.name == text || &*v.snake == text)?;
        Some((u32::try_from(at).ok()?, self.variants.get(at)?))
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AliasDef {
    pub name: Name,
    pub generics: Vec<Name>,
    pub ty: Ty,
    pub doc: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AgentDef {
    pub name: Name,
    pub params: Vec<Param>,
    pub skills: Vec<Param>,
    pub tools: Vec<Param>,
    /// Without what the own statements of an orchestration declare; its bodies see those too (`types::start`).
    pub state: Vec<Param>,
    /// State that is bound once: by a `let` of an orchestration's own statements.
    pub fixed: Vec<Name>,
    /// It begins by running its own statements (L-77).
    pub is_orchestration: bool,
    pub behaviors: Vec<BehaviorDef>,
    /// Private functions.
    pub functions: Vec<MemberDef>,
    /// Its state keeps its `invariant` clauses after each message.
    pub has_invariant: bool,
    pub doc: Option<Arc<str>>,
}

/// A function among the members of an agent; `member` is its place there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MemberDef {
    pub name: Name,
    pub signature: Signature,
    pub member: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BehaviorDef {
    pub name: Name,
    pub signature: Signature,
    pub member: u32,
    pub kind: BehaviorKind,
}

impl AgentDef {
    /// The word it is declared by.
    pub fn word(&self) -> &'static str {
        if self.is_orchestration { "orchestration" } else { "agent" }
    }

    /// The fields of an instance, in the order of `AgentField`.
    pub fn fields(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().chain(&self.skills).chain(&self.tools).chain(&self.state)
    }

    pub fn field(&self, name: &str) -> Option<(u32, &Param)> {
        let (at, field) = self.fields().enumerate().find(|(_, field)| &*field.name == name)?;
        Some((u32::try_from(at).ok()?, field))
    }

    /// Index of the first state field.
    pub fn state_start(&self) -> usize {
        self.params.len() + self.skills.len() + self.tools.len()
    }

    pub fn behavior(&self, name: &str) -> Option<(u32, &BehaviorDef)> {
        let at = self.behaviors.iter().position(|behavior| &*behavior.name == name)?;
        Some((u32::try_from(at).ok()?, self.behaviors.get(at)?))
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ToolDef {
    pub name: Name,
    /// Parameters, then fields: what a value of the tool holds.
    pub fields: Vec<Param>,
    /// The tool it provides.
    pub provides: Option<Name>,
    pub methods: Vec<Signature>,
    /// Those of its methods that have no body.
    pub required: Vec<Name>,
    pub doc: Option<Arc<str>>,
}
