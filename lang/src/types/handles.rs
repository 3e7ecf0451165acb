//! Handles that stay where they were made (L-41, L-81): a `Thread` is a conversation in progress, a `Lease` is held by who took it.
//!
//! Never: looks at values; what a type may hold somewhere inside stays with it.

use rustc_hash::FxHashSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::ty::Ty;

/// So many types are looked at inside of one. What has more grows without end, which is reported where it is declared.
const MOST: usize = 1000;

const STAY: &[&str] = &["Thread", "Lease"];

/// The handle in a type, if there is one.
pub fn staying(db: &dyn Db, ty: &Ty) -> Option<&'static str> {
    find(db, ty, &mut FxHashSet::default())
}

fn find(db: &dyn Db, ty: &Ty, seen: &mut FxHashSet<Ty>) -> Option<&'static str> {
    if seen.len() > MOST || seen.contains(ty) {
        return None;
    }
    let mut parts: Vec<Ty> = Vec::new();
    match ty {
        Ty::Opaque(name) => return STAY.iter().find(|stays| *stays == name).copied(),
        // What a function takes and gives is not in it, nor what a channel or an agent is for.
        Ty::Function(_) | Ty::Channel(_) | Ty::Future(_) => return None,
        Ty::Adt(adt) => {
            seen.insert(ty.clone());
            let field = |of: &Ty, generics| of.substitute(generics, &adt.args);
            match adt_definition(db, adt) {
                Some(Definition::Struct(def)) => {
                    parts.extend(def.fields.iter().map(|f| field(&f.ty, &def.generics)));
                }
                Some(Definition::Enum(def)) => {
                    let fields = def.variants.iter().flat_map(|variant| &variant.fields);
                    parts.extend(fields.map(|f| field(&f.ty, &def.generics)));
                }
                _ => parts.extend(adt.args.iter().cloned()),
            }
        }
        _ => drop(ty.map(&mut |part| {
            parts.push(part.clone());
            Ty::Unit
        })),
    }
    parts.iter().find_map(|part| find(db, part, seen))
}

/// A handle on its way to another coroutine (E0502).
pub fn crossing(db: &dyn Db, ty: &Ty, span: Span) -> Option<Diagnostic> {
    let handle = staying(db, ty)?;
    let message = match ty {
        Ty::Opaque(_) => format!("a `{handle}` stays where it was made and cannot go elsewhere"),
        _ => format!("a `{ty}` holds a `{handle}`, which stays where it was made"),
    };
    Some(Diagnostic::new(codes::E0502, span, message).note(match handle {
        "Thread" => NOTE,
        _ => "whoever needs the resource takes a lease of its own",
    }))
}

/// Where the Thread may be instead.
pub const NOTE: &str = "two at once would mix their messages: send what it should go on from, `t.messages`, or keep it in the state of the agent";
