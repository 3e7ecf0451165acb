//! From JSON to values: every mistake with its path.
//!
//! Recurses by the depth of the document, which is bounded. Never: leaves a half-made value behind.

use super::{KIND, MAX_DEPTH, PathError, Poll, Step, error, parse_duration};
use crate::ledger::money::MicroUsd;
use crate::value::calendar;
use crate::value::dynamic::DynBuf;
use crate::value::list::ListBuf;
use crate::value::map::MapBuf;
use crate::value::owned::Owned;
use crate::value::record::{self, RecordBuf};
use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, VariantShape, option_of, shape};
use crate::value::show::{self, type_name};
use crate::value::text::{BytesBuf, TextBuf};
use serde_json::{Map, Number, Value};

/// The value a JSON document stands for, or everything that is wrong with it.
pub fn value(value: &Value, of: ShapeId) -> Result<u64, Vec<PathError>> {
    let mut reader = Reader { errors: Vec::new(), path: Vec::new() };
    match reader.read(value, of) {
        Some(value) if reader.errors.is_empty() => Ok(value.into_word()),
        _ => Err(reader.errors),
    }
}

/// A Dyn of a JSON document; `poll` is called for each value inside. `None` if it said to stop.
pub fn dynamic(value: &Value, poll: Poll<'_>) -> Option<DynBuf> {
    if poll() {
        return None;
    }
    let (word, of) = match value {
        Value::Null => (0, ShapeId::UNIT),
        Value::Bool(value) => (u64::from(*value), ShapeId::BOOL),
        Value::Number(number) => match number.as_i64() {
            Some(int) => (int.cast_unsigned(), ShapeId::INT),
            None => (number.as_f64().unwrap_or(f64::NAN).to_bits(), ShapeId::FLOAT),
        },
        Value::String(text) => (TextBuf::new(text).into_word(), ShapeId::TEXT),
        Value::Array(items) => {
            let list = ShapeId::list(ShapeId::DYN);
            let mut made = ListBuf::with_capacity(list, items.len());
            for item in items {
                made.append(dynamic(item, poll)?.into_word());
            }
            (made.into_word(), list)
        }
        Value::Object(fields) => {
            let text_map = ShapeId::map(ShapeId::TEXT, ShapeId::DYN);
            let mut made = MapBuf::with_capacity(text_map, fields.len());
            for (key, value) in fields {
                // The value first: when it stops, no key is held.
                let value = dynamic(value, poll)?.into_word();
                made = made.set(TextBuf::new(key).into_word(), value);
            }
            (made.into_word(), text_map)
        }
    };
    Some(DynBuf::new(word, of))
}

struct Reader<'v> {
    errors: Vec<PathError>,
    path: Vec<Step<'v>>,
}

/// What a document holds, for messages.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let mut quoted = String::new();
            show::quote(&text.chars().take(40).collect::<String>(), &mut quoted);
            quoted
        }
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Money, Duration, Time and Bytes, which have forms of their own.
fn scalar_from_text(value: &Value, of: ShapeId) -> Option<u64> {
    let text = value.as_str();
    match shape(of) {
        Shape::Money => {
            let dollars = text.and_then(|text| {
                let (sign, digits) = match text.strip_prefix('-') {
                    Some(rest) => ("-", rest),
                    None => ("", text),
                };
                MicroUsd::from_decimal(&format!("{sign}{}", digits.strip_prefix('$')?))
            });
            let amount = dollars.or_else(|| MicroUsd::from_json(value))?;
            Some(amount.micros().cast_unsigned())
        }
        Shape::Duration => text.and_then(parse_duration).map(i64::cast_unsigned),
        Shape::Time => text.and_then(calendar::parse_rfc3339).map(i64::cast_unsigned),
        Shape::Bytes => Some(BytesBuf::new(&show::from_base64(text?)?).into_word()),
        _ => None,
    }
}

/// A whole number, also written `3.0`.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        let exact = float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0;
        exact.then_some(float as i64)
    })
}

impl<'v> Reader<'v> {
    fn fail(&mut self, message: impl Into<String>) -> Option<Owned> {
        self.errors.push(error(&self.path, message));
        None
    }

    fn expected(&mut self, what: &str, value: &Value) -> Option<Owned> {
        self.fail(format!("expected {what}, found {}", describe(value)))
    }

    /// Reads on after a mistake, to report the others too; `None` if there was one.
    /// Small on purpose: it recurses on a coroutine's stack.
    fn read(&mut self, value: &'v Value, of: ShapeId) -> Option<Owned> {
        if self.path.len() > MAX_DEPTH {
            return self.fail(format!("nested deeper than {MAX_DEPTH}"));
        }
        if let Some(inner) = option_of(of) {
            if value.is_null() {
                return Some(Owned::new(record::NONE, of));
            }
            let held = self.read(value, inner)?;
            return Some(Owned::new(record::some(of, held.into_word()), of));
        }
        match (shape(of), value) {
            (Shape::List(element), Value::Array(items)) => self.list(items, of, *element),
            (Shape::Vector, Value::Array(items)) => self.list(items, of, ShapeId::FLOAT),
            (Shape::Set(element), Value::Array(items)) => self.set(items, of, *element),
            (Shape::Map(key, element), value) => self.map(value, of, *key, *element),
            (Shape::Tuple(items), Value::Array(values)) => self.tuple(values, of, items),
            (Shape::Record(record), Value::Object(object)) => {
                let words = self.object(object, &record.fields, false)?;
                let words: Vec<u64> = words.into_iter().map(Owned::into_word).collect();
                Some(RecordBuf::new(of, &words).into_owned())
            }
            (Shape::Enum(variants), value) => self.variant(value, of, variants),
            _ => self.read_leaf(value, of),
        }
    }

    #[inline(never)]
    fn read_leaf(&mut self, value: &'v Value, of: ShapeId) -> Option<Owned> {
        let word = match (shape(of), value) {
            (Shape::Unit, Value::Null) => 0,
            (Shape::Bool, Value::Bool(value)) => u64::from(*value),
            (Shape::Int, Value::Number(number)) => match whole(number) {
                Some(int) => int.cast_unsigned(),
                None => return self.expected("Int", value),
            },
            (Shape::Float, Value::Number(number)) => number.as_f64()?.to_bits(),
            (Shape::Text, Value::String(text)) => TextBuf::new(text).into_word(),
            (Shape::Opaque("Lane" | "EpisodeId"), Value::String(text)) => {
                TextBuf::new(text).into_word()
            }
            (Shape::Dyn, value) => super::dyn_from_json(value),
            _ => match scalar_from_text(value, of) {
                Some(word) => word,
                None => return self.expected(&wanted(of), value),
            },
        };
        Some(Owned::new(word, of))
    }

    fn items(&mut self, items: &'v [Value], element: ShapeId) -> Option<Vec<Owned>> {
        let mut made = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            self.path.push(Step::Index(at));
            made.extend(self.read(item, element));
            self.path.pop();
        }
        (made.len() == items.len()).then_some(made)
    }

    fn list(&mut self, items: &'v [Value], of: ShapeId, element: ShapeId) -> Option<Owned> {
        let made = self.items(items, element)?;
        let words: Vec<u64> = made.into_iter().map(Owned::into_word).collect();
        Some(ListBuf::from_items(of, &words).into_owned())
    }

    fn set(&mut self, items: &'v [Value], of: ShapeId, element: ShapeId) -> Option<Owned> {
        let made = self.items(items, element)?;
        let insert = |set: MapBuf, item: Owned| set.insert(item.into_word());
        Some(made.into_iter().fold(MapBuf::new(of), insert).into_owned())
    }

    fn tuple(
        &mut self,
        values: &'v [Value],
        of: ShapeId,
        items: &'static [ShapeId],
    ) -> Option<Owned> {
        if values.len() != items.len() {
            return self.fail(format!("expected {} items, found {}", items.len(), values.len()));
        }
        let mut made = Vec::with_capacity(items.len());
        for (at, (value, &item)) in values.iter().zip(items).enumerate() {
            self.path.push(Step::Index(at));
            made.extend(self.read(value, item));
            self.path.pop();
        }
        if made.len() != items.len() {
            return None;
        }
        let words: Vec<u64> = made.into_iter().map(Owned::into_word).collect();
        Some(Owned::new(record::tuple(of, &words), of))
    }

    fn map(
        &mut self,
        value: &'v Value,
        of: ShapeId,
        key: ShapeId,
        element: ShapeId,
    ) -> Option<Owned> {
        let mut made = MapBuf::new(of);
        let before = self.errors.len();
        match value {
            Value::Object(fields) if key == ShapeId::TEXT => {
                for (name, value) in fields {
                    self.path.push(Step::Key(name));
                    if let Some(value) = self.read(value, element) {
                        made = made.set(TextBuf::new(name).into_word(), value.into_word());
                    }
                    self.path.pop();
                }
            }
            Value::Array(pairs) if key != ShapeId::TEXT => {
                for (at, pair) in pairs.iter().enumerate() {
                    self.path.push(Step::Index(at));
                    if let Some((key, value)) = self.pair(pair, key, element) {
                        made = made.set(key.into_word(), value.into_word());
                    }
                    self.path.pop();
                }
            }
            _ => return self.expected(&wanted(of), value),
        }
        (self.errors.len() == before).then(|| made.into_owned())
    }

    fn pair(&mut self, pair: &'v Value, key: ShapeId, element: ShapeId) -> Option<(Owned, Owned)> {
        let Some([first, second]) = pair.as_array().map(Vec::as_slice) else {
            self.expected("a pair of key and value", pair);
            return None;
        };
        Some((self.read(first, key)?, self.read(second, element)?))
    }

    /// The fields of an object, all of them or `None`.
    fn object(
        &mut self,
        object: &'v Map<String, Value>,
        fields: &'static [FieldShape],
        has_kind: bool,
    ) -> Option<Vec<Owned>> {
        let before = self.errors.len();
        let mut made = Vec::with_capacity(fields.len());
        for field in fields {
            self.path.push(Step::Key(&field.name));
            match object.get(&*field.name) {
                Some(value) => made.extend(self.read(value, field.shape)),
                None => match absent(field) {
                    Some(value) => made.push(value),
                    None => {
                        self.fail(format!("missing; expected {}", wanted(field.shape)));
                    }
                },
            }
            self.path.pop();
        }
        let known = |key: &str| fields.iter().any(|field| &*field.name == key);
        for key in object.keys().filter(|key| !(known(key) || has_kind && *key == KIND)) {
            self.path.push(Step::Key(key));
            self.fail("unexpected field");
            self.path.pop();
        }
        (self.errors.len() == before).then_some(made)
    }

    fn variant(
        &mut self,
        value: &'v Value,
        of: ShapeId,
        variants: &'static EnumShape,
    ) -> Option<Owned> {
        let name = value.as_str().or_else(|| value.get(KIND)?.as_str());
        let found = name
            .and_then(|name| variants.variants.iter().position(|variant| &*variant.name == name));
        let Some((tag, variant)) = found.and_then(|at| Some((at, variants.variants.get(at)?)))
        else {
            return self.expected(&wanted(of), value);
        };
        let words = match value {
            Value::Object(object) => self.object(object, &variant.fields, true)?,
            _ if variant.fields.is_empty() => Vec::new(),
            _ => return self.expected(&with_payload(variant), value),
        };
        let words: Vec<u64> = words.into_iter().map(Owned::into_word).collect();
        Some(Owned::new(record::variant(of, tag as u32, &words), of))
    }
}

/// What an object without the field means, if it may leave it out.
fn absent(field: &FieldShape) -> Option<Owned> {
    if let Some(default) = &field.default {
        let document = serde_json::from_str(default).ok()?;
        return Some(Owned::new(value(&document, field.shape).ok()?, field.shape));
    }
    option_of(field.shape).map(|_| Owned::new(record::NONE, field.shape))
}

fn with_payload(variant: &VariantShape) -> String {
    format!("an object with \"kind\": \"{}\" and its fields", variant.name)
}

/// What a document should have held, for messages.
fn wanted(of: ShapeId) -> String {
    match shape(of) {
        Shape::Enum(variants) => {
            let names: Vec<String> =
                variants.variants.iter().map(|variant| format!("\"{}\"", variant.name)).collect();
            let object = if variants.is_unit_only() { "" } else { "an object whose \"kind\" is " };
            format!("{object}one of {}", names.join(", "))
        }
        Shape::Record(record) => match &record.name {
            Some(name) => format!("an object ({name})"),
            None => "an object".to_owned(),
        },
        Shape::List(_) | Shape::Set(_) | Shape::Vector | Shape::Tuple(_) => {
            format!("an array ({})", type_name(of))
        }
        Shape::Map(..) => format!("an object ({})", type_name(of)),
        Shape::Money => "a number of dollars (Money)".to_owned(),
        Shape::Duration => "a duration such as \"5s\"".to_owned(),
        Shape::Time => "a time such as \"2026-01-31T12:00:00Z\"".to_owned(),
        Shape::Bytes => "base64 text (Bytes)".to_owned(),
        _ => type_name(of),
    }
}
