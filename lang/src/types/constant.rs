//! Defaults that are constants, as JSON: a document may leave such a field out (L-121).
//!
//! Never: evaluates anything that runs; a default with a call in it is none.

use crate::hir::{Conversion, Expr, ExprKind, UnaryOp};
use crate::types::ty::Ty;
use ag_runtime::value::json::to_json_text;
use ag_runtime::value::list::ListBuf;
use ag_runtime::value::map::MapBuf;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::record::{self, RecordBuf};
use ag_runtime::value::shape::{ShapeId, is_defined};
use ag_runtime::value::text::TextBuf;
use std::sync::Arc;

/// The shape of a type, in the walk that asks: it may stand in the middle of a definition.
type Shapes<'a> = &'a dyn Fn(&Ty) -> ShapeId;

/// The JSON of a constant of this type.
pub fn json(shapes: Shapes<'_>, expr: &Expr, ty: &Ty) -> Option<Arc<str>> {
    let value = value(shapes, expr, ty)?;
    to_json_text(value.value(), value.shape()).ok().map(Arc::from)
}

/// The value of a constant; `ty` is what it is here, which says more than a generic default's own type.
fn value(shapes: Shapes<'_>, expr: &Expr, ty: &Ty) -> Option<Owned> {
    let of = shapes(ty);
    // A default that holds a value of the very type being defined has no shape yet.
    if !is_defined(of) {
        return None;
    }
    let word = match &expr.kind {
        ExprKind::Unit => 0,
        ExprKind::Bool(value) => u64::from(*value),
        ExprKind::Int(value) | ExprKind::Money(value) | ExprKind::Duration(value) => {
            value.cast_unsigned()
        }
        ExprKind::Float(bits) => *bits,
        ExprKind::Text(text) | ExprKind::Lane(text) => TextBuf::new(text).into_word(),
        ExprKind::Unary(op, inner) => negated(*op, value(shapes, inner, ty)?.value())?,
        ExprKind::List(items) if items.is_empty() => ListBuf::with_capacity(of, 0).into_word(),
        ExprKind::Vector(items) if items.is_empty() => ListBuf::with_capacity(of, 0).into_word(),
        ExprKind::Set(items) if items.is_empty() => MapBuf::new(of).into_word(),
        ExprKind::Map(entries) if entries.is_empty() => MapBuf::new(of).into_word(),
        ExprKind::List(items) => {
            let Ty::List(element) = ty else { return None };
            let items = values(shapes, items.iter().map(|item| (item, &**element)))?;
            ListBuf::from_items(of, &items).into_word()
        }
        ExprKind::Variant { tag, fields } => {
            let own = fields.iter().map(|field| (field, &field.ty));
            record::variant(of, *tag, &values(shapes, own)?)
        }
        ExprKind::Record { fields, .. } => {
            let own = fields.iter().map(|field| (field, &field.ty));
            RecordBuf::new(of, &values(shapes, own)?).into_word()
        }
        ExprKind::Convert(Conversion::Some, inner) => {
            record::some(of, value(shapes, inner, ty.as_option()?)?.into_word())
        }
        _ => return None,
    };
    Some(Owned::new(word, of))
}

fn values<'e>(
    shapes: Shapes<'_>,
    items: impl Iterator<Item = (&'e Expr, &'e Ty)>,
) -> Option<Vec<u64>> {
    // Complete or nothing: what was made before a part that is no constant is given up again.
    let made: Option<Vec<Owned>> = items.map(|(item, ty)| value(shapes, item, ty)).collect();
    Some(made?.into_iter().map(Owned::into_word).collect())
}

fn negated(op: UnaryOp, word: u64) -> Option<u64> {
    match op {
        UnaryOp::IntNeg | UnaryOp::MoneyNeg | UnaryOp::DurationNeg => {
            word.cast_signed().checked_neg().map(i64::cast_unsigned)
        }
        UnaryOp::FloatNeg => Some((-f64::from_bits(word)).to_bits()),
        UnaryOp::Not => Some(word ^ 1),
    }
}
