//! What is said of the methods of tools beside their bodies: what stands before them, and which a value has (L-61, L-92).
//!
//! Never: code.

use crate::hir::FunctionKey;
use crate::types::ty::{Name, Ty};

/// A method of a tool, which policies may stop.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Gate {
    pub key: FunctionKey,
    pub effect: Name,
    /// The same method of the tools it provides: rules about those hold for it, too.
    pub also: Vec<Name>,
    pub is_destructive: bool,
    /// It has no body: the value it is called on brings one, with a gate of its own.
    pub is_required: bool,
    pub params: Vec<Name>,
    /// Which of them are places of the caller's.
    pub lent: Vec<bool>,
}

/// The methods that values of a tool have, own ones and those of the tools it provides.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Provided {
    pub ty: Ty,
    pub methods: Vec<(Name, FunctionKey)>,
}

/// The name under which a method without a body asks the value it is called on.
pub fn provided_key(method: &FunctionKey) -> FunctionKey {
    FunctionKey::from(format!("{method}.{{provided}}"))
}
