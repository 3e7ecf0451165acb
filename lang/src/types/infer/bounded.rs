//! Function types with a bound on effects (L-90): `((Text) -> Text uses llm)`.
//!
//! Never: looks into a function that is called; what it does is known when the whole item is checked.

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, ExprKind};
use crate::source::Span;
use crate::types::effects::{covers, is_waited_for};
use crate::types::infer::{Called, Infer};
use crate::types::ty::{Name, Ty};

/// A function that was given where only these effects are allowed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Given {
    pub bound: Vec<Name>,
    pub effects: Vec<(Name, Span)>,
    pub calls: Vec<Called>,
    pub span: Span,
}

/// `uses llm, memory`.
pub fn words(bound: &[Name]) -> String {
    match bound.is_empty() {
        true => "uses none".to_owned(),
        false => format!("uses {}", bound.join(", ")),
    }
}

/// Whether it is a function whose effects were counted in the body it stands in.
pub fn is_made_here(value: &hir::Expr) -> bool {
    matches!(value.kind, ExprKind::Lambda { .. } | ExprKind::Function(_) | ExprKind::Instance(_))
}

/// Whether functions that come with a value of type `have` do no more than a `want` allows, and those that are handed to it no
/// more than it allows itself. The value's own bound is left out: for what is written here its body tells.
pub fn fits(have: &Ty, want: &Ty) -> bool {
    match (have, want) {
        (Ty::Function(have), Ty::Function(want)) => {
            let params = have.params.iter().zip(&want.params);
            let mut params = params.map(|(have, want)| fits_whole(want, have));
            params.all(|fits| fits) && fits_whole(&have.result, &want.result)
        }
        _ => true,
    }
}

fn fits_whole(have: &Ty, want: &Ty) -> bool {
    let bounds = match (have, want) {
        (Ty::Function(have), Ty::Function(want)) => {
            is_within(have.uses.as_ref(), want.uses.as_ref())
        }
        _ => true,
    };
    bounds && fits(have, want)
}

fn is_within(own: Option<&Vec<Name>>, bound: Option<&Vec<Name>>) -> bool {
    match (own, bound) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(bound)) => {
            own.iter().all(|effect| bound.iter().any(|bound| covers(bound, effect)))
        }
    }
}

impl Infer<'_, '_> {
    /// The bound of a function type, or of an option of one.
    pub fn bound_of(&self, ty: &Ty) -> Option<Vec<Name>> {
        match self.shallow(ty) {
            Ty::Function(function) => function.uses,
            other => self.bound_of(other.as_option()?),
        }
    }

    /// What a function of type `have` may do counts where its bound is lost: who calls it as a `want` cannot tell.
    pub fn unbounded(&mut self, have: &Ty, want: &Ty, span: Span) {
        if let (Ty::Function(have), Ty::Function(want)) = (have, want)
            && let (Some(uses), None) = (&have.uses, &want.uses)
        {
            self.may_do(uses, span);
        }
    }

    /// Counts what a bound allows. To call a model or a tool is to wait for it.
    pub fn may_do(&mut self, uses: &[Name], span: Span) {
        uses.iter().for_each(|effect| self.effect(effect, span));
        if uses.iter().any(|effect| is_waited_for(effect)) {
            self.effect("suspend", span);
        }
    }

    /// Notes a function that stands where `bound` holds. `effects`, `calls`: how many were known before it was read.
    pub fn given(&mut self, value: &hir::Expr, bound: Vec<Name>, effects: usize, calls: usize) {
        if is_made_here(value) {
            let effects = self.facts.effects.get(effects..).unwrap_or_default().to_vec();
            let calls = self.facts.calls.get(calls..).unwrap_or_default().to_vec();
            self.facts.given.push(Given { bound, effects, calls, span: value.span });
            return;
        }
        let is_function = matches!(self.shallow(&value.ty), Ty::Function(_));
        let own = self.bound_of(&value.ty);
        if (is_function || own.is_some()) && !is_within(own.as_ref(), Some(&bound)) {
            let may =
                own.map_or_else(|| "any effect".to_owned(), |own| format!("`{}`", words(&own)));
            let message =
                format!("this function may have {may}, and only `{}` is allowed", words(&bound));
            self.report(
                Diagnostic::new(codes::E0504, value.span, message)
                    .note("write the bound where it is declared: `f : ((Text) -> Text uses none)`"),
            );
        }
    }
}
