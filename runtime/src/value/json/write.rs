//! From values to JSON, with a list of open containers instead of recursion.
//!
//! Never: changes the order of fields or entries.

use super::{KIND, MAX_DEPTH, Poll, Step, Unfinished, error};
use crate::ledger::money::MicroUsd;
use crate::value::calendar;
use crate::value::count::object_shape;
use crate::value::dynamic::DynRef;
use crate::value::list::ListRef;
use crate::value::map::MapRef;
use crate::value::record::{self, RecordRef};
use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, option_of, shape};
use crate::value::show::{self, type_name};
use crate::value::text::{BytesRef, TextRef};
use serde_json::{Map, Number, Value};
use std::io;

/// The JSON form of a value; `poll` is called for each value inside.
pub fn value(word: u64, of: ShapeId, poll: Poll<'_>) -> Result<Value, Unfinished> {
    let mut open: Vec<Frame> = Vec::new();
    let mut made = match begin(Part::Value(word, of)) {
        Ok(Begun::Value(value)) => return Ok(value),
        Ok(Begun::Frame(frame)) => {
            open.push(frame);
            None
        }
        Err(message) => return Err(error(&[], message).into()),
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
        if poll() {
            return Err(Unfinished::Stopped);
        }
        frame.step = step;
        let begun = if open.len() < MAX_DEPTH {
            begin(part)
        } else {
            return Err(error(&[], format!("nested deeper than {MAX_DEPTH}")).into());
        };
        match begun {
            Ok(Begun::Value(value)) => made = Some(value),
            Ok(Begun::Frame(frame)) => open.push(frame),
            Err(message) => {
                let path: Vec<Step<'_>> = open.iter().map(|frame| frame.step).collect();
                return Err(error(&path, message).into());
            }
        }
    }
}

/// Compact JSON text; `poll` is called for each piece that is written.
pub fn text(value: &Value, poll: Poll<'_>) -> Option<String> {
    let mut pieces = Pieces { text: Vec::new(), poll };
    serde_json::to_writer(&mut pieces, value).ok()?;
    String::from_utf8(pieces.text).ok()
}

/// Takes what serde_json writes until it is told to stop.
struct Pieces<'p> {
    text: Vec<u8>,
    poll: Poll<'p>,
}

impl io::Write for Pieces<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if (self.poll)() {
            return Err(io::ErrorKind::Other.into());
        }
        self.text.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    start.insert(KIND.to_owned(), Value::from(&*variant.name));
    Ok(object(start, record::payload_words(word, of), &variant.fields))
}
