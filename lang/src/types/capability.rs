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

/// A method with `ref self`.
pub fn changes_self(function: &Function) -> bool {
    function.receiver.as_ref().is_some_and(|receiver| receiver.cap == Some(Cap::Ref))
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
            let message =
                "a `ref` is passed down only: it stands before the type of a function's parameter";
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
