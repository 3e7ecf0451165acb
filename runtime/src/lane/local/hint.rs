//! The JSON of a type in a line that a small model understands: `{"kind": "Buy", "quantity": integer}`.
//!
//! The full schema is longer than most prompts and confuses it; the grammar keeps to the type anyway. Never: a bound of it.

use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, option_of, shape};

/// Nested types are named, not written out, below this.
const LEVELS: u32 = 3;

#[must_use]
pub fn hint(id: ShapeId) -> String {
    let mut text = String::new();
    write(id, LEVELS, &mut text);
    text
}

fn write(id: ShapeId, levels: u32, out: &mut String) {
    let word = match shape(id) {
        Shape::Unit => "null",
        Shape::Bool => "true or false",
        Shape::Int => "integer",
        Shape::Float | Shape::Money => "number",
        Shape::Duration => "\"5s\"",
        Shape::Time => "\"2026-01-31T12:00:00Z\"",
        Shape::Vector => "[number, ...]",
        Shape::List(element) | Shape::Set(element) => {
            return around("[", *element, ", ...]", levels, out);
        }
        Shape::Map(_, element) => return around("{\"key\": ", *element, ", ...}", levels, out),
        Shape::Tuple(items) => {
            out.push('[');
            joined(items, ", ", out, |item, out| write(*item, levels.saturating_sub(1), out));
            return out.push(']');
        }
        Shape::Record(record) if levels > 0 => return object(None, &record.fields, levels, out),
        Shape::Enum(of) if levels > 0 => return variants(id, of, levels, out),
        Shape::Record(_) | Shape::Enum(_) => "{...}",
        _ => "text",
    };
    out.push_str(word);
}

fn around(open: &str, element: ShapeId, close: &str, levels: u32, out: &mut String) {
    out.push_str(open);
    write(element, levels.saturating_sub(1), out);
    out.push_str(close);
}

fn joined<T>(items: &[T], between: &str, out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        write(item, out);
    }
}

fn object(kind: Option<&str>, fields: &[FieldShape], levels: u32, out: &mut String) {
    out.push('{');
    if let Some(kind) = kind {
        out.push_str(&format!("\"kind\": \"{kind}\""));
        if !fields.is_empty() {
            out.push_str(", ");
        }
    }
    joined(fields, ", ", out, |field, out| {
        out.push_str(&format!("\"{}\": ", field.name));
        write(field.shape, levels - 1, out);
        if !field.doc.is_empty() {
            out.push_str(&format!(" ({})", field.doc.trim()));
        }
    });
    out.push('}');
}

fn variants(id: ShapeId, of: &EnumShape, levels: u32, out: &mut String) {
    if let Some(inner) = option_of(id) {
        write(inner, levels, out);
        return out.push_str(" or null");
    }
    joined(&of.variants, " or ", out, |variant, out| match of.is_unit_only() {
        true => out.push_str(&format!("\"{}\"", variant.name)),
        false => object(Some(&variant.name), &variant.fields, levels, out),
    });
}

#[cfg(test)]
mod tests {
    use super::hint;
    use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, VariantShape, intern};

    #[test]
    fn types_in_a_line() {
        let buy = VariantShape {
            name: "Buy".into(),
            fields: Box::new([FieldShape::new("quantity", ShapeId::INT)]),
        };
        let variants = Box::new([VariantShape::unit("Hold"), buy]);
        let decision = intern(Shape::Enum(EnumShape { name: "HintDecision".into(), variants }));
        assert_eq!(hint(decision), r#"{"kind": "Hold"} or {"kind": "Buy", "quantity": integer}"#);
        let record = ShapeId::record(&[
            ("names", ShapeId::list(ShapeId::TEXT)),
            ("note", ShapeId::option(ShapeId::TEXT)),
        ]);
        assert_eq!(hint(record), r#"{"names": [text, ...], "note": text or null}"#);
    }
}
