//! What stands under the cursor: a definition, a builtin, or an expression and its type.

use std::sync::Arc;

use ag_runtime::builtin::{self, BuiltinId, Kind};

use crate::db::workspace::Workspace;
use crate::ide::describe::{Description, describe};
use crate::ide::place::Place;
use crate::source::Span;
use crate::syntax::cursor::{Context, cursor};
use crate::types::infer::member::receiver_name;
use crate::types::ty::{Name, Ty};

/// What is known of one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hover {
    /// The word.
    pub span: Span,
    pub about: Description,
}

/// What is at `offset`; the text need not be whole.
pub fn hover(workspace: &mut Workspace, text: &str, offset: u32) -> Option<Hover> {
    let span = word(text, offset)?;
    // A name stands where its last letter does.
    let offset = span.end;
    workspace.look(text, |db, cell| found(&Place { db, cell, offset }, text, span))
}

fn found(place: &Place<'_>, text: &str, span: Span) -> Option<Hover> {
    let name: Name = Arc::from(span.text(text));
    let at = cursor(text, place.offset);
    let about = match at.context {
        Context::Nothing => None,
        Context::Intrinsic => builtin::intrinsic(&name).and_then(of_builtin),
        Context::Member(node) => {
            let probe = place.probe(node.item, Some(node.expr));
            let receiver = probe.ty.unwrap_or(Ty::Error);
            let own = receiver_name(&receiver).and_then(|owner| builtin::member(owner, &name));
            own.and_then(of_builtin).or_else(|| value(&name, probe.around.map(|(_, ty)| ty)))
        }
        _ => {
            let probe = place.probe(None, None);
            match probe.visible.get(&name) {
                Some(ty) => value(&name, Some(ty.clone())),
                None => describe(place.db, &name)
                    .or_else(|| builtin::function(&name).and_then(of_builtin))
                    .or_else(|| value(&name, probe.around.map(|(_, ty)| ty))),
            }
        }
    };
    Some(Hover { span, about: about? })
}

/// A row of the table of builtins.
pub fn of_builtin(id: BuiltinId) -> Option<Description> {
    let row = id.get()?;
    let (kind, name) = match (row.kind, row.receiver) {
        (Kind::Intrinsic(_), _) => ("intrinsic", format!("@{}", row.name)),
        (_, Some(receiver)) => ("member", format!("{receiver}.{}", row.name)),
        _ => ("builtin", row.name.to_owned()),
    };
    let example = (!row.example.is_empty()).then(|| (row.example.to_owned(), row.gives.to_owned()));
    Some(Description {
        signature: format!("{name}{}", row.signature),
        name,
        kind,
        effects: row.effects.iter().map(ToString::to_string).collect(),
        doc: row.doc.to_owned(),
        example,
    })
}

fn value(name: &Name, ty: Option<Ty>) -> Option<Description> {
    let ty = ty.filter(|ty| *ty != Ty::Error)?;
    Some(Description {
        name: name.to_string(),
        kind: "value",
        signature: format!("{name} : {ty}"),
        ..Description::default()
    })
}

/// The word that the offset touches.
fn word(text: &str, offset: u32) -> Option<Span> {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let (before, after) = (text.get(..offset as usize)?, text.get(offset as usize..)?);
    let start: usize = before.chars().rev().take_while(is_word).map(char::len_utf8).sum();
    let end: usize = after.chars().take_while(is_word).map(char::len_utf8).sum();
    let span = Span::from_range(before.len() - start..before.len() + end);
    (!span.is_empty()).then_some(span)
}
