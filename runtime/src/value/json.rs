//! JSON forms of values (L-121): what prompts carry, what a lane's reply must be, what Dyn holds.
//!
//! Writing keeps the order of fields. Reading collects every mistake with its path. Never: parses text (serde_json does),
//! fills a default (the checker's business).
//!
//! Long because the two directions of one table of forms (L-121) stand beside each other.

use crate::ledger::money::MicroUsd;
use crate::value::calendar;
use crate::value::count::object_shape;
use crate::value::dynamic::{DynBuf, DynRef};
use crate::value::list::{ListBuf, ListRef};
use crate::value::map::{MapBuf, MapRef};
use crate::value::owned::Owned;
use crate::value::record::{self, RecordBuf, RecordRef};
use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, VariantShape, option_of, shape};
use crate::value::show::{self, type_name};
use crate::value::text::{BytesBuf, BytesRef, TextBuf, TextRef};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A mistake and where in the document it is: `$.trades[0].price`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathError {
    pub path: String,
    pub message: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// How deep documents may be. Reading recurses, and a coroutine's stack is small.
const MAX_DEPTH: usize = 64;

/// The JSON form of a value.
pub fn to_json(word: u64, of: ShapeId) -> Result<Value, PathError> {
    let mut open: Vec<Frame> = Vec::new();
    let mut made = match begin(Part::Value(word, of)) {
        Ok(Begun::Value(value)) => return Ok(value),
        Ok(Begun::Frame(frame)) => {
            open.push(frame);
            None
        }
        Err(message) => return Err(error(&[], message)),
    };
    loop {
        let Some(frame) = open.last_mut() else { return Ok(made.unwrap_or_default()) };
        if let Some(value) = made.take() {
            frame.add(value);
        }
        let Some((step, part)) = frame.children.next() else {
            made = open.pop().map(|frame| frame.container);
            continue;
        };
        frame.step = step;
        let begun = if open.len() < MAX_DEPTH {
            begin(part)
        } else {
            return Err(error(&[], format!("nested deeper than {MAX_DEPTH}")));
        };
        match begun {
            Ok(Begun::Value(value)) => made = Some(value),
            Ok(Begun::Frame(frame)) => open.push(frame),
            Err(message) => {
                let path: Vec<Step<'_>> = open.iter().map(|frame| frame.step).collect();
                return Err(error(&path, message));
            }
        }
    }
}

/// Compact JSON text.
pub fn to_json_text(word: u64, of: ShapeId) -> Result<String, PathError> {
    to_json(word, of).map(|value| value.to_string())
}

/// Where the reader or writer stands.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn error(path: &[Step<'_>], message: impl Into<String>) -> PathError {
    let mut text = String::from("$");
    for step in path {
        match step {
            Step::Key(key) if key.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                text.push('.');
                text.push_str(key);
            }
            Step::Key(key) => {
                text.push('[');
                show::quote(key, &mut text);
                text.push(']');
            }
            Step::Index(at) => text.push_str(&format!("[{at}]")),
        }
    }
    PathError { path: text, message: message.into() }
}

/// A container that is being written.
struct Frame {
    container: Value,
    /// The child that is being written.
    step: Step<'static>,
    children: Children,
}

type Child = (Step<'static>, Part);
type Children = Box<dyn Iterator<Item = Child>>;

/// What stands at one place of a container.
#[derive(Clone, Copy)]
enum Part {
    Value(u64, ShapeId),
    /// An entry of a Map whose keys are not Texts.
    Pair([(u64, ShapeId); 2]),
}

enum Begun {
    Value(Value),
    Frame(Frame),
}

impl Frame {
    fn add(&mut self, value: Value) {
        match (&mut self.container, self.step) {
            (Value::Array(items), _) => items.push(value),
            (Value::Object(fields), Step::Key(key)) => {
                fields.insert(key.to_owned(), value);
            }
            _ => {}
        }
    }
}

fn container(container: Value, children: impl Iterator<Item = Child> + 'static) -> Begun {
    Begun::Frame(Frame { container, step: Step::Index(0), children: Box::new(children) })
}

fn array(items: impl Iterator<Item = (u64, ShapeId)> + 'static) -> Begun {
    let children =
        items.enumerate().map(|(at, (word, of))| (Step::Index(at), Part::Value(word, of)));
    container(Value::Array(Vec::new()), children)
}

fn object(
    start: Map<String, Value>,
    words: &'static [u64],
    fields: &'static [FieldShape],
) -> Begun {
    let children = words.iter().zip(fields);
    let children =
        children.map(|(&word, field)| (Step::Key(&field.name), Part::Value(word, field.shape)));
    container(Value::Object(start), children)
}

/// A Map with Text keys is an object, any other an array of pairs.
fn map(map: MapRef<'static>) -> Begun {
    let (key_shape, value_shape) = (map.key_shape(), map.value_shape());
    if key_shape == ShapeId::TEXT {
        let children = map.entries().map(move |(key, value)| {
            // SAFETY: the key shape is Text.
            let key: &'static str = unsafe { TextRef::from_word(key) }.as_str();
            (Step::Key(key), Part::Value(value, value_shape))
        });
        return container(Value::Object(Map::new()), children);
    }
    let children = map.entries().enumerate().map(move |(at, (key, value))| {
        (Step::Index(at), Part::Pair([(key, key_shape), (value, value_shape)]))
    });
    container(Value::Array(Vec::new()), children)
}

/// What a value begins with: itself if it holds no others, else an open container.
/// `Err` says what has no JSON form.
fn begin(part: Part) -> Result<Begun, String> {
    let (mut word, mut of) = match part {
        Part::Value(word, of) => (word, of),
        Part::Pair(pair) => return Ok(array(pair.into_iter())),
    };
    // Options and Dyns are transparent.
    loop {
        if let Some(inner) = option_of(of) {
            let Some(value) = record::option(word, of) else {
                return Ok(Begun::Value(Value::Null));
            };
            (word, of) = (value, inner);
        } else if of == ShapeId::DYN {
            // SAFETY: a value of shape Dyn.
            let inner = unsafe { DynRef::from_word(word) };
            (word, of) = (inner.value(), inner.inner());
        } else {
            break;
        }
    }
    // SAFETY: in every arm the word is a value of the shape that is matched; it lives while `to_json` runs, and
    // the handles do not outlive that.
    unsafe {
        Ok(match shape(of) {
            Shape::List(_) | Shape::Vector => {
                let list = ListRef::from_word(word);
                let element = list.element();
                array(list.items().iter().map(move |&item| (item, element)))
            }
            Shape::Set(key) => array(MapRef::from_word(word).keys().map(|word| (word, *key))),
            Shape::Map(..) => map(MapRef::from_word(word)),
            Shape::Tuple(items) => {
                let words = RecordRef::from_word(word).fields().iter().copied();
                array(words.zip(items.iter().copied()))
            }
            Shape::Record(of) => {
                object(Map::new(), RecordRef::from_word(word).fields(), &of.fields)
            }
            Shape::Enum(variants) => variant(word, of, variants)?,
            _ => Begun::Value(leaf(word, of)?),
        })
    }
}

fn leaf(word: u64, of: ShapeId) -> Result<Value, String> {
    // SAFETY: in every arm the word is a live value of the shape that is matched.
    unsafe {
        Ok(match shape(of) {
            Shape::Unit => Value::Null,
            Shape::Bool => Value::Bool(word != 0),
            Shape::Int => Value::from(word.cast_signed()),
            Shape::Float => {
                let value = f64::from_bits(word);
                let number = Number::from_f64(value).map(Value::Number);
                number.ok_or_else(|| format!("{value} has no JSON form"))?
            }
            Shape::Text => Value::from(TextRef::from_word(word).as_str()),
            Shape::Bytes => Value::from(show::base64(BytesRef::from_word(word).as_slice())),
            Shape::Money => money(MicroUsd(word.cast_signed())),
            Shape::Duration => Value::from(show::duration(word.cast_signed())),
            Shape::Time => Value::from(calendar::rfc3339(word.cast_signed())),
            Shape::Opaque(_) if object_shape(word) == Some(ShapeId::TEXT) => {
                Value::from(TextRef::from_word(word).as_str())
            }
            _ => return Err(format!("{} has no JSON form", type_name(of))),
        })
    }
}

/// A number of dollars where a double says it exactly (below a billion dollars), else the text `$...`.
fn money(amount: MicroUsd) -> Value {
    let number = Number::from_f64(amount.dollars()).map(Value::Number);
    number
        .filter(|number| MicroUsd::from_json(number) == Some(amount))
        .unwrap_or_else(|| Value::from(amount.to_string()))
}

fn variant(word: u64, of: ShapeId, variants: &'static EnumShape) -> Result<Begun, String> {
    let Some(variant) = variants.variants.get(record::tag(word) as usize) else {
        return Err(format!("no variant of {}", variants.name));
    };
    if variants.is_unit_only() {
        return Ok(Begun::Value(Value::from(&*variant.name)));
    }
    let mut start = Map::new();
    start.insert("kind".to_owned(), Value::from(&*variant.name));
    Ok(object(start, record::payload_words(word, of), &variant.fields))
}

/// The value a JSON document stands for, or everything that is wrong with it.
pub fn from_json(value: &Value, of: ShapeId) -> Result<u64, Vec<PathError>> {
    let mut reader = Reader { errors: Vec::new(), path: Vec::new() };
    match reader.read(value, of) {
        Some(value) if reader.errors.is_empty() => Ok(value.into_word()),
        _ => Err(reader.errors),
    }
}

/// A Dyn of a JSON document.
#[must_use]
pub fn dyn_from_json(value: &Value) -> u64 {
    let text_map = || ShapeId::map(ShapeId::TEXT, ShapeId::DYN);
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
            items.iter().for_each(|item| made.append(dyn_from_json(item)));
            (made.into_word(), list)
        }
        Value::Object(fields) => {
            let empty = MapBuf::with_capacity(text_map(), fields.len());
            let made = fields.iter().fold(empty, |map, (key, value)| {
                map.set(TextBuf::new(key).into_word(), dyn_from_json(value))
            });
            (made.into_word(), text_map())
        }
    };
    DynBuf::new(word, of).into_word()
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
            (Shape::Dyn, value) => dyn_from_json(value),
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
                None if option_of(field.shape).is_some() => {
                    made.push(Owned::new(record::NONE, field.shape));
                }
                None => {
                    self.fail(format!("missing; expected {}", wanted(field.shape)));
                }
            }
            self.path.pop();
        }
        let known = |key: &str| fields.iter().any(|field| &*field.name == key);
        for key in object.keys().filter(|key| !(known(key) || has_kind && *key == "kind")) {
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
        let name = value.as_str().or_else(|| value.get("kind")?.as_str());
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

/// `5s`, `1.5h`, `-20ms`: a decimal number and a unit of the language.
#[must_use]
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let unit_ns: i128 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        "w" => 604_800_000_000_000,
        _ => return None,
    };
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 15 || whole.len() > 19 {
        return None;
    }
    let digits: String = [whole, fraction].concat();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scaled = digits.parse::<i128>().ok()?.checked_mul(unit_ns)?;
    let ns = scaled / 10i128.pow(fraction.len() as u32);
    i64::try_from(if negative { -ns } else { ns }).ok()
}
