//! Constants that mean nothing where they are given (E0305): `@with_time_limit(-1s)`, `max_tokens: 0`, `capacity: -1`.
//!
//! What they must be is the runtime's table, which refuses computed values when they arrive. Never: evaluates; a constant is a
//! literal, perhaps with a sign.

use ag_runtime::builtin::must::{Must, SECTIONS, argument};
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::value::show::duration;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Conversion, ExprKind, UnaryOp};
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::infer::Infer;
use crate::types::infer::args::{Bound, Formal};
use crate::types::ty::{Name, Ty};

impl Infer<'_, '_> {
    /// The arguments of a builtin, in the order of its parameters.
    pub fn numbers_fit(&mut self, row: &str, formals: &[Formal], bound: &Bound) {
        for (formal, value) in formals.iter().zip(&bound.values) {
            if let Some(must) = argument(row, &formal.name) {
                self.number_fits(&format!("`{}`", formal.name), must, value);
            }
        }
    }

    /// The sections of an agent.
    pub fn sections_fit(&mut self, sections: &[(Name, hir::Expr)]) {
        for (path, must) in SECTIONS {
            let mut keys = path.split('/').skip(1);
            let section = keys.next().unwrap_or_default();
            let Some((_, value)) = sections.iter().find(|(name, _)| &**name == section) else {
                continue;
            };
            let found = keys.try_fold(value, |value, key| self.part(value, key));
            if let Some(found) = found {
                let key = path.rsplit('/').next().unwrap_or_default();
                self.number_fits(&format!("`{key}`"), *must, found);
            }
        }
    }

    fn number_fits(&mut self, what: &str, must: Must, value: &hir::Expr) {
        let value = without_option(value);
        let Some((number, shown)) = constant(value) else { return };
        if must.allows(number) {
            return;
        }
        let message = format!("{what} must be {}, not {shown}", must.wanted());
        self.report(Diagnostic::new(codes::E0305, value.span, message));
    }

    /// The field of that name, as it is written.
    fn part<'e>(&self, value: &'e hir::Expr, key: &str) -> Option<&'e hir::Expr> {
        let value = without_option(value);
        let named = |names: Vec<&str>| names.iter().position(|name| *name == key);
        let at = match (&value.kind, self.shallow(&value.ty)) {
            (ExprKind::Record { .. }, Ty::Record(fields)) => {
                named(fields.iter().map(|(name, _)| &**name).collect())?
            }
            (ExprKind::Record { .. }, Ty::Adt(adt)) => match adt_definition(self.db, &adt)? {
                Definition::Struct(def) => named(def.fields.iter().map(|f| &*f.name).collect())?,
                _ => return None,
            },
            (ExprKind::Variant { tag, .. }, Ty::Adt(adt)) => match adt_definition(self.db, &adt)? {
                Definition::Enum(def) => {
                    let variant = def.variants.get(*tag as usize)?;
                    named(variant.fields.iter().map(|f| &*f.name).collect())?
                }
                _ => return None,
            },
            _ => return None,
        };
        match &value.kind {
            ExprKind::Record { fields, .. } | ExprKind::Variant { fields, .. } => fields.get(at),
            _ => None,
        }
    }
}

fn without_option(value: &hir::Expr) -> &hir::Expr {
    match &value.kind {
        ExprKind::Convert(Conversion::Some, inner) => without_option(inner),
        _ => value,
    }
}

/// The number, and how it is shown.
fn constant(value: &hir::Expr) -> Option<(f64, String)> {
    Some(match &value.kind {
        ExprKind::Int(number) => (*number as f64, number.to_string()),
        ExprKind::Money(micros) => (*micros as f64, MicroUsd(*micros).to_string()),
        ExprKind::Duration(ns) => (*ns as f64, duration(*ns)),
        ExprKind::Float(bits) => (f64::from_bits(*bits), f64::from_bits(*bits).to_string()),
        ExprKind::Unary(
            UnaryOp::IntNeg | UnaryOp::MoneyNeg | UnaryOp::DurationNeg | UnaryOp::FloatNeg,
            inner,
        ) => {
            let (number, shown) = constant(inner)?;
            (-number, format!("-{shown}"))
        }
        _ => return None,
    })
}
