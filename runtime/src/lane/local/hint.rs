//! The JSON of a type in a line that a small model understands: `{"kind": "Buy", "quantity": integer}`.
//!
//! The full schema is longer than most prompts and confuses it; the grammar keeps to the type anyway. Never: a bound of it.

use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, option_of, shape};

const ONE_WORD: &str = "one word";
/// Nested types are named, not written out, below this.
const LEVELS: u32 = 3;

#[must_use]
pub fn hint(id: ShapeId) -> String {
    Hint { text: String::new(), names_words: true }.of(id)
}

/// The same without the words between which the type leaves the choice: a small model that is told them says the first one.
#[must_use]
pub fn open_hint(id: ShapeId) -> String {
    Hint { text: String::new(), names_words: false }.of(id)
}

struct Hint {
    text: String,
    names_words: bool,
}

impl Hint {
    fn of(mut self, id: ShapeId) -> String {
        self.write(id, LEVELS);
        self.text
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn write(&mut self, id: ShapeId, levels: u32) {
        let word = match shape(id) {
            Shape::Unit => "null",
            Shape::Bool if self.names_words => "true or false",
            Shape::Bool => ONE_WORD,
            Shape::Int => "integer",
            Shape::Float | Shape::Money => "number",
            Shape::Duration => "\"5s\"",
            Shape::Time => "\"2026-01-31T12:00:00Z\"",
            Shape::Vector => "[number, ...]",
            Shape::List(element) | Shape::Set(element) => {
                return self.around("[", *element, ", ...]", levels);
            }
            Shape::Map(_, element) => return self.around("{\"key\": ", *element, ", ...}", levels),
            Shape::Tuple(items) => {
                self.put("[");
                self.joined(items, ", ", |hint, item| hint.write(*item, levels.saturating_sub(1)));
                return self.put("]");
            }
            Shape::Record(record) if levels > 0 => {
                return self.object(None, &record.fields, levels);
            }
            Shape::Enum(of) if levels > 0 => return self.variants(id, of, levels),
            Shape::Record(_) | Shape::Enum(_) => "{...}",
            _ => "text",
        };
        self.put(word);
    }

    fn around(&mut self, open: &str, element: ShapeId, close: &str, levels: u32) {
        self.put(open);
        self.write(element, levels.saturating_sub(1));
        self.put(close);
    }

    fn joined<T>(&mut self, items: &[T], between: &str, mut write: impl FnMut(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.put(between);
            }
            write(self, item);
        }
    }

    fn object(&mut self, kind: Option<&str>, fields: &[FieldShape], levels: u32) {
        self.put("{");
        if let Some(kind) = kind {
            self.put(&format!("\"kind\": \"{kind}\""));
            if !fields.is_empty() {
                self.put(", ");
            }
        }
        self.joined(fields, ", ", |hint, field| {
            hint.put(&format!("\"{}\": ", field.name));
            hint.write(field.shape, levels - 1);
            if !field.doc.is_empty() {
                hint.put(&format!(" ({})", field.doc.trim()));
            }
        });
        self.put("}");
    }

    fn variants(&mut self, id: ShapeId, of: &EnumShape, levels: u32) {
        if let Some(inner) = option_of(id) {
            self.write(inner, levels);
            return self.put(" or null");
        }
        if !self.names_words {
            let word = if of.is_unit_only() { ONE_WORD } else { "{\"kind\": one word, ...}" };
            return self.put(word);
        }
        self.joined(&of.variants, " or ", |hint, variant| match of.is_unit_only() {
            true => hint.put(&format!("\"{}\"", variant.name)),
            false => hint.object(Some(&variant.name), &variant.fields, levels),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{hint, open_hint};
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
        assert_eq!(open_hint(decision), r#"{"kind": one word, ...}"#);
        let record = ShapeId::record(&[
            ("names", ShapeId::list(ShapeId::TEXT)),
            ("note", ShapeId::option(ShapeId::TEXT)),
        ]);
        assert_eq!(open_hint(ShapeId::list(ShapeId::BOOL)), "[one word, ...]");
        assert_eq!(hint(record), r#"{"names": [text, ...], "note": text or null}"#);
    }
}
