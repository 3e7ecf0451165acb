//! What is known of a contract without running anything: its clauses, and the function to try them on.

use crate::hir;
use crate::source::Span;
use crate::syntax::item::{ItemKind, ItemTree};
use crate::types::check::{FnPath, function_at};
use crate::types::def::Passing;
use crate::types::generic::is_generic;
use crate::types::infer::contract::ClauseFacts;
use crate::types::infer::finish::Checked;
use crate::types::ty::Name;

/// The clauses of a function, struct, state or theorem. Spans are relative to the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contracted {
    pub key: Name,
    /// Where its name stands.
    pub name: Span,
    pub clauses: Vec<ClauseFacts>,
    /// What can be run with made-up inputs: a function of the program, or what a theorem states.
    pub claim: Option<hir::Function>,
    pub is_theorem: bool,
}

/// The contract of one function of an item, if it has one.
pub fn contracted(tree: &ItemTree, path: FnPath, checked: &Checked) -> Option<Contracted> {
    let is_theorem = matches!(tree.kind, ItemKind::Theorem(_));
    if checked.facts.clauses.is_empty() && !is_theorem {
        return None;
    }
    let function = checked.function.as_ref();
    let is_program = matches!(
        (&tree.kind, path),
        (ItemKind::Function(_) | ItemKind::Theorem(_), FnPath::Item)
            | (ItemKind::Struct(_) | ItemKind::Enum(_), FnPath::Member(_))
    );
    // What only starts a state says the same as the function of its invariants.
    if path == FnPath::Init {
        return None;
    }
    let name = function_at(tree, path).map_or(tree.name.span, |function| function.name.span);
    // Made-up inputs are values: there is no place to lend.
    let lends = |function: &&hir::Function| {
        function.locals.iter().any(|local| local.passing == Passing::Ref)
    };
    let claim = function.filter(|f| is_program && !is_generic(tree, path) && !lends(f));
    Some(Contracted {
        key: match is_theorem {
            true => tree.name.name.text(),
            false => {
                function.map_or_else(|| tree.name.name.text(), |function| function.key.clone())
            }
        },
        name,
        clauses: checked.facts.clauses.clone(),
        claim: claim.cloned(),
        is_theorem,
    })
}
