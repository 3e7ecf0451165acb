//! Values as text (LANGUAGE.md section 18): what `show`, templates and prompts give.
//!
//! Iterators of pieces instead of recursion, so depth costs no stack and a cut text is not built whole.
//! Never: colours, line breaks, tables (the front end's business).

use crate::ledger::money::MicroUsd;
use crate::value::calendar;
use crate::value::count::object_shape;
use crate::value::dynamic::DynRef;
use crate::value::list::ListRef;
use crate::value::map::MapRef;
use crate::value::media::{Media, media_shape};
use crate::value::older;
use crate::value::prelude;
use crate::value::record::{self, RecordRef};
use crate::value::shape::{RecordShape, Shape, ShapeId, option_of, shape};
use crate::value::text::{BytesRef, TextRef};
use std::fmt::Write;

/// A Text is itself; everything else as its literal.
#[must_use]
pub fn show(word: u64, of: ShapeId) -> String {
    if of == ShapeId::TEXT {
        // SAFETY: a value of shape Text.
        return unsafe { TextRef::from_word(word) }.as_str().to_owned();
    }
    quoted(word, of)
}

/// As inside other values: a Text is quoted.
#[must_use]
pub fn quoted(word: u64, of: ShapeId) -> String {
    cut(word, of, usize::MAX)
}

/// As [`quoted`], ended with `…` soon after `limit` bytes.
#[must_use]
pub fn cut(word: u64, of: ShapeId, limit: usize) -> String {
    let mut out = String::new();
    walk(word, of, &mut out, |out| out.len() > limit);
    if out.len() > limit {
        out.truncate(out.floor_char_boundary(limit));
        out.push('…');
    }
    out
}

/// As [`quoted`], for values that may be huge: hands the text over piece by piece until `take` says to stop, and says
/// whether it did.
pub fn pieces(word: u64, of: ShapeId, take: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut out = String::new();
    let mut stopped = false;
    walk(word, of, &mut out, |out| {
        if out.len() >= PIECE {
            stopped = take(out);
            out.clear();
        }
        stopped
    });
    stopped || take(&out)
}

/// Bytes of a piece, about.
const PIECE: usize = 4096;

/// Writes a value; asks after each step whether to stop there.
fn walk(word: u64, of: ShapeId, out: &mut String, mut stop: impl FnMut(&mut String) -> bool) {
    let mut open: Vec<Pieces> = Vec::new();
    let mut next = Some(Piece::Value(word, of));
    loop {
        match next {
            Some(Piece::Str(text)) => out.push_str(text),
            Some(Piece::Quoted(text, after)) => quote_part(text, after, out),
            Some(Piece::Value(word, of)) => open.extend(value(word, of, out)),
            None => {
                open.pop();
            }
        }
        if stop(out) {
            return;
        }
        let Some(pieces) = open.last_mut() else { return };
        next = pieces.next();
    }
}

enum Piece {
    Str(&'static str),
    /// A part of a Text, and the character after it.
    Quoted(&'static str, Option<char>),
    Value(u64, ShapeId),
}

type Pieces = Box<dyn Iterator<Item = Piece>>;

/// Writes a leaf; gives the pieces of anything that holds values.
fn value(word: u64, of: ShapeId, out: &mut String) -> Option<Pieces> {
    // SAFETY: in every arm the word is a live value of the shape that is matched, and stays so while `cut` runs.
    unsafe {
        match shape(of) {
            Shape::Unit => out.push_str("()"),
            Shape::Bool => out.push_str(if word == 0 { "false" } else { "true" }),
            Shape::Int => write_to(out, word.cast_signed()),
            Shape::Float => out.push_str(&float(f64::from_bits(word))),
            Shape::Text => return text(TextRef::from_word(word).as_str(), out),
            Shape::Bytes => bytes(BytesRef::from_word(word).as_slice(), out),
            Shape::Money => write_to(out, MicroUsd(word.cast_signed())),
            Shape::Duration => out.push_str(&duration(word.cast_signed())),
            Shape::Time => out.push_str(&calendar::rfc3339(word.cast_signed())),
            Shape::Dyn => return dynamic(DynRef::from_word(word), out),
            Shape::Vector | Shape::List(_) => return Some(list(ListRef::from_word(word))),
            Shape::Set(_) => return Some(set(MapRef::from_word(word))),
            Shape::Map(..) => return Some(map(MapRef::from_word(word))),
            Shape::Tuple(items) => {
                let values = RecordRef::from_word(word).fields().iter().copied();
                let values = values.zip(items.iter().copied());
                return Some(around("(", separated(values), ")"));
            }
            Shape::Record(_) if of == prelude::recollection() => {
                return recollection(RecordRef::from_word(word));
            }
            Shape::Record(tool)
                if tool.is_tool && object_shape(word).is_some_and(|own| own != of) =>
            {
                // It stands for a tool that it provides, and is shown as what it is.
                return value(word, object_shape(word).unwrap_or(of), out);
            }
            Shape::Record(shape) => {
                out.push_str(shape.name.as_deref().unwrap_or(""));
                numbered(of, out);
                return Some(record(RecordRef::from_word(word), shape));
            }
            Shape::Enum(_) => return variant(word, of, out),
            Shape::AgentRef(name) => {
                // The slot is the low half; the generation only tells stale references apart.
                write_to(out, format_args!("{name}#{}", word as u32));
            }
            Shape::Opaque(name) => match object_shape(word) {
                Some(ShapeId::TEXT) => out.push_str(TextRef::from_word(word).as_str()),
                _ if of == media_shape() => {
                    out.push_str(
                        &Media::of(word, of).map_or_else(String::new, |media| media.show()),
                    );
                }
                _ => write_to(out, format_args!("<{name}>")),
            },
            Shape::Function(_) | Shape::Future(_) | Shape::Channel(_) => {
                write_to(out, format_args!("<{}>", type_name(of)));
            }
        }
    }
    None
}

/// A literal; that of a long text in parts.
fn text(text: &'static str, out: &mut String) -> Option<Pieces> {
    if text.len() <= PIECE {
        quote(text, out);
        return None;
    }
    let mut rest = text;
    let parts = std::iter::from_fn(move || {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = after;
        (!part.is_empty()).then(|| Piece::Quoted(part, after.chars().next()))
    });
    Some(around("\"", parts, "\""))
}

/// As the call that makes them, where they are a text.
fn bytes(bytes: &[u8], out: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            out.push_str("bytes(");
            quote(text, out);
            out.push(')');
        }
        Err(_) => write_to(out, format_args!("<{} bytes: {}>", bytes.len(), base64(bytes))),
    }
}

fn write_to(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

fn around(
    open: &'static str,
    inner: impl Iterator<Item = Piece> + 'static,
    close: &'static str,
) -> Pieces {
    let (first, last) = (std::iter::once(Piece::Str(open)), std::iter::once(Piece::Str(close)));
    Box::new(first.chain(inner).chain(last))
}

fn separated(
    values: impl Iterator<Item = (u64, ShapeId)> + 'static,
) -> impl Iterator<Item = Piece> + 'static {
    values.enumerate().flat_map(|(at, (word, of))| {
        let comma = if at == 0 { "" } else { ", " };
        [Piece::Str(comma), Piece::Value(word, of)]
    })
}

/// `name: value` pairs.
fn named(
    fields: impl Iterator<Item = (&'static str, u64, ShapeId)> + 'static,
) -> impl Iterator<Item = Piece> + 'static {
    fields.enumerate().flat_map(|(at, (name, word, of))| {
        let comma = if at == 0 { "" } else { ", " };
        [Piece::Str(comma), Piece::Str(name), Piece::Str(": "), Piece::Value(word, of)]
    })
}

fn list(list: ListRef<'static>) -> Pieces {
    let element = list.element();
    around("[", separated(list.items().iter().map(move |&item| (item, element))), "]")
}

fn set(set: MapRef<'static>) -> Pieces {
    let element = set.key_shape();
    around("{", separated(set.keys().map(move |key| (key, element))), "}")
}

fn map(map: MapRef<'static>) -> Pieces {
    if map.is_empty() {
        return Box::new(std::iter::once(Piece::Str("{}")));
    }
    let (key_shape, value_shape) = (map.key_shape(), map.value_shape());
    let (before, after) = if key_shape == ShapeId::TEXT { ("", ": ") } else { ("(", "): ") };
    let entries = map.entries().enumerate().flat_map(move |(at, (key, value))| {
        [
            Piece::Str(if at == 0 { "" } else { ", " }),
            Piece::Str(before),
            Piece::Value(key, key_shape),
            Piece::Str(after),
            Piece::Value(value, value_shape),
        ]
    });
    around("{ ", entries, " }")
}

fn record(record: RecordRef<'static>, of: &'static RecordShape) -> Pieces {
    let name = of.name.as_deref().unwrap_or("");
    let shapes = of.fields.iter();
    let values = record.fields().iter();
    let fields = named(values.zip(shapes).map(|(&word, field)| (&*field.name, word, field.shape)));
    let (open, close) = match (of.is_tool, of.fields.is_empty(), name.is_empty()) {
        (true, _, _) => ("(", ")"),
        (false, true, true) => ("{", "}"),
        (false, true, false) => (" {", "}"),
        (false, false, true) => ("{ ", " }"),
        (false, false, false) => (" { ", " }"),
    };
    around(open, fields, close)
}

/// Behind the name of a type that was redefined since: which one it is.
fn numbered(of: ShapeId, out: &mut String) {
    if let Some(number) = older::number(of) {
        write_to(out, format_args!("#{number}"));
    }
}

/// One line: the score and why (L-131).
fn recollection(record: RecordRef<'static>) -> Option<Pieces> {
    let (score, why) = (record.field(2)?, record.field(3)?);
    // SAFETY: the fourth field of a Recollection is an Explanation.
    let reasoning = unsafe { RecordRef::from_word(why) }.field(3)?;
    // SAFETY: whose fourth field is a Text.
    let reasoning: &'static str = unsafe { TextRef::from_word(reasoning) }.as_str();
    let score = Piece::Value(score, ShapeId::FLOAT);
    let pieces = [Piece::Str("Recollection "), score, Piece::Str(": "), Piece::Str(reasoning)];
    Some(Box::new(pieces.into_iter()))
}

fn variant(word: u64, of: ShapeId, out: &mut String) -> Option<Pieces> {
    let Shape::Enum(shape) = shape(of) else { return None };
    let variant = shape.variants.get(record::tag(word) as usize)?;
    // The variants of the prelude's two enums are names of their own.
    if !matches!(&*shape.name, "Option" | "Result") {
        out.push_str(&shape.name);
        numbered(of, out);
        out.push('.');
    }
    out.push_str(&variant.name);
    if variant.fields.is_empty() {
        return None;
    }
    let shapes = variant.fields.iter().map(|field| field.shape);
    let words: &'static [u64] = record::payload_words(word, of);
    Some(around("(", separated(words.iter().copied().zip(shapes)), ")"))
}

/// What is inside; null for Unit.
fn dynamic(value_of: DynRef<'static>, out: &mut String) -> Option<Pieces> {
    if value_of.inner() == ShapeId::UNIT {
        out.push_str("null");
        return None;
    }
    value(value_of.value(), value_of.inner(), out)
}

/// With a decimal point, so that a Float never looks like an Int.
#[must_use]
pub fn float(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

/// The largest unit that says it exactly: whole days, hours, minutes; `s`, `ms`, `us` with at most 3 decimals.
#[must_use]
pub fn duration(ns: i64) -> String {
    let (sign, magnitude) = (if ns < 0 { "-" } else { "" }, ns.unsigned_abs());
    const WHOLE: [(u64, &str); 3] =
        [(86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "m")];
    const DECIMAL: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    if ns == 0 {
        return "0s".to_owned();
    }
    for (unit, name) in WHOLE {
        if magnitude % unit == 0 {
            return format!("{sign}{}{name}", magnitude / unit);
        }
    }
    for (unit, name) in DECIMAL {
        let (whole, rest) = (magnitude / unit, magnitude % unit);
        if whole > 0 && rest == 0 {
            return format!("{sign}{whole}{name}");
        }
        if whole > 0 {
            let digits = unit.ilog10() as usize;
            let decimals = format!("{rest:0digits$}");
            return format!("{sign}{whole}.{}{name}", decimals.trim_end_matches('0'));
        }
    }
    format!("{sign}{magnitude}ns")
}

/// A Text as its literal.
#[must_use]
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out);
    out
}

/// A Text literal that reads back as the same text.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    quote_part(text, None, out);
    out.push('"');
}

/// What stands between the quotes for a part of a text; `after` is the character behind it.
fn quote_part(text: &str, after: Option<char>, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Only before a name or a brace does `$` insert something (L-6).
            '$' if chars.peek().copied().or(after).is_some_and(begins_hole) => out.push_str("\\$"),
            c if c.is_control() => write_to(out, format_args!("\\u{{{:X}}}", u32::from(c))),
            c => out.push(c),
        }
    }
}

fn begins_hole(next: char) -> bool {
    next.is_alphabetic() || next == '_' || next == '{'
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    let digit = |bits: u32| char::from(*BASE64.get((bits & 63) as usize).unwrap_or(&b'='));
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.push(digit(bits >> 18));
        out.push(digit(bits >> 12));
        out.push(if chunk.len() > 1 { digit(bits >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { digit(bits) } else { '=' });
    }
    out
}

/// Reads what [`base64`] writes.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let body = text.trim_end_matches('=');
    if bytes.len() - body.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in body.bytes() {
        let digit = BASE64.iter().position(|&other| other == byte)? as u32;
        bits = bits << 6 | digit;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

/// The type a shape stands for, as source writes it.
#[must_use]
pub fn type_name(of: ShapeId) -> String {
    let comma = |items: &[ShapeId]| {
        items.iter().map(|&item| type_name(item)).collect::<Vec<_>>().join(", ")
    };
    if let Some(inner) = option_of(of) {
        return format!("{}?", type_name(inner));
    }
    match shape(of) {
        Shape::Unit => "Unit".to_owned(),
        Shape::Bool => "Bool".to_owned(),
        Shape::Int => "Int".to_owned(),
        Shape::Float => "Float".to_owned(),
        Shape::Text => "Text".to_owned(),
        Shape::Bytes => "Bytes".to_owned(),
        Shape::Money => "Money".to_owned(),
        Shape::Duration => "Duration".to_owned(),
        Shape::Time => "Time".to_owned(),
        Shape::Dyn => "Dyn".to_owned(),
        Shape::Vector => "Vector".to_owned(),
        Shape::List(item) => format!("List<{}>", type_name(*item)),
        Shape::Set(item) => format!("Set<{}>", type_name(*item)),
        Shape::Map(key, value) => format!("Map<{}, {}>", type_name(*key), type_name(*value)),
        Shape::Future(item) => format!("Future<{}>", type_name(*item)),
        Shape::Channel(item) => format!("Channel<{}>", type_name(*item)),
        // There are no tuples of one: it is the cell that a `ref` parameter is given.
        Shape::Tuple(items) if items.len() == 1 => format!("ref {}", comma(items)),
        Shape::Tuple(items) => format!("({})", comma(items)),
        Shape::Function(of) => format!("({}) -> {}", comma(&of.params), type_name(of.result)),
        Shape::AgentRef(name) => format!("AgentRef<{name}>"),
        Shape::Opaque(name) => (*name).to_owned(),
        Shape::Enum(of) if &*of.name == "Result" => {
            let of = |at: usize| of.variants.get(at).and_then(|variant| variant.fields.first());
            let name = |at| of(at).map_or(String::new(), |field| type_name(field.shape));
            format!("Result<{}, {}>", name(0), name(1))
        }
        Shape::Enum(of) => of.name.to_string(),
        Shape::Record(of) => match &of.name {
            Some(name) => name.to_string(),
            None => {
                let field = |field: &crate::value::shape::FieldShape| {
                    format!("{}: {}", field.name, type_name(field.shape))
                };
                format!("{{ {} }}", of.fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
        },
    }
}
