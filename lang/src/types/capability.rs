//! Capabilities where they are written (L-80): what stands before the type of a parameter or variable, and where else a word
//! for one means nothing.
//!
//! Never: needed: what is not written is inferred, by `infer::sendable` and `infer::lend`.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::{Body, Cap, TypeKind, TypeRefId};
use crate::syntax::item::Function;
use crate::types::def::Passing;
use crate::types::ty::Ty;

/// How a parameter of this written type is given, and the type without that.
pub fn passing(body: &Body, id: TypeRefId) -> (Passing, TypeRefId) {
    match &body[id].kind {
        TypeKind::Cap { cap: Cap::Iso, ty } => (Passing::Iso, *ty),
        TypeKind::Cap { cap: Cap::Ref, ty } => (Passing::Ref, *ty),
        _ => (Passing::Val, id),
    }
}

/// How a method is given what it is called on: `ref self` has the place, `iso self` is the only one who has the value.
pub fn passing_of_self(function: &Function) -> Passing {
    match function.receiver.as_ref().and_then(|receiver| receiver.cap) {
        Some(Cap::Ref) => Passing::Ref,
        Some(Cap::Iso) => Passing::Iso,
        Some(Cap::Val | Cap::Tag) | None => Passing::Val,
    }
}

/// Whose function it is that has a `self`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Receivers {
    /// Structs and enums, whose values are in places.
    Values,
    Tool,
    Agent,
}

/// A word before `self` that means nothing for what `self` is there.
pub fn misplaced_self(function: &Function, of: Receivers) -> Option<Diagnostic> {
    let receiver = function.receiver.as_ref()?;
    let (message, note) = match (of, receiver.cap?) {
        (_, Cap::Val)
        | (Receivers::Values, Cap::Ref | Cap::Iso)
        | (Receivers::Tool | Receivers::Agent, Cap::Tag) => return None,
        (Receivers::Values, Cap::Tag) => (
            "a value is data, and `tag` is for what has an identity",
            "`self` is `val`, `ref self` changes it, `iso self` takes it over",
        ),
        (Receivers::Tool, _) => (
            "a tool is not changed by its methods",
            "its fields are set where it is made; what changes is the state of an agent, or a `ref` parameter",
        ),
        (Receivers::Agent, _) => (
            "`self` is the reference to the agent here, which is `tag`",
            "the state is assigned by its names: `count += 1`",
        ),
    };
    Some(Diagnostic::new(codes::E0510, receiver.span, message).note(note))
}

/// A word for a capability inside a type, or before one that is no parameter's.
pub fn misplaced(cap: Cap, ty: &Ty, word: Span) -> Option<Diagnostic> {
    let none = |diagnostic: Diagnostic| Some(diagnostic.fix("leave it out", word, ""));
    match cap {
        Cap::Val => None,
        Cap::Tag if is_identity(ty) => None,
        Cap::Tag => {
            let message = format!("a `{ty}` is data, and `tag` is for what has an identity");
            none(Diagnostic::new(codes::E0510, word, message).note(
                "agents, channels, futures and other handles have one; data is `val`, which need not be written",
            ))
        }
        Cap::Iso => {
            let message = "`iso` stands before the type of a parameter or variable";
            none(Diagnostic::new(codes::E0510, word, message))
        }
        Cap::Ref => {
            let message = "a `ref` is passed down only: it stands before the type of a parameter";
            none(Diagnostic::new(codes::E0502, word, message))
        }
    }
}

/// What is an identity, or not known to be data (L-41).
pub fn is_identity(ty: &Ty) -> bool {
    matches!(
        ty,
        Ty::AgentRef(_)
            | Ty::Future(_)
            | Ty::Channel(_)
            | Ty::Shards(_)
            | Ty::Opaque(_)
            | Ty::Param(_)
            | Ty::Tool(_)
            | Ty::Error
    )
}
