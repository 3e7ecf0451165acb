//! Members of Text.

use crate::builtin::declare::{Moved, Outcome, absent, builtins};
use crate::builtin::support::{fail, natural, poll, position, range_within, room};
use crate::context::Cx;
use crate::fault::code;
use crate::value::list::{ListBuf, ListRef};
use crate::value::record::{self, NONE};
use crate::value::shape::ShapeId;
use crate::value::text::{BytesBuf, TextBuf, TextRef};

builtins! {
    /// The number of characters.
    Text "len" "(self: Text) -> Int"
        example "\"Zoë\".len" => "3"
        = |_cx, t: TextRef<'_>| Ok(t.len() as i64);
    /// The parts between the separators; with an empty separator its characters.
    Text "split" "(self: Text, separator: Text) -> List<Text>"
        example "\"a,b\".split(\",\")" => "[\"a\", \"b\"]"
        = |cx, t: TextRef<'_>, separator: TextRef<'_>| {
            if separator.is_empty() { return texts(cx, characters(t.as_str())); }
            texts(cx, t.as_str().split(separator.as_str()))
        };
    /// Without white space at both ends.
    Text "trim" "(self: Text) -> Text"
        example "\"  a \".trim" => "\"a\""
        = |_cx, t: TextRef<'_>| Ok(TextBuf::new(t.as_str().trim()));
    /// In lower case.
    Text "lower" "(self: Text) -> Text"
        example "\"ACME\".lower" => "\"acme\""
        = |_cx, t: TextRef<'_>| Ok(t.as_str().to_lowercase());
    /// In upper case.
    Text "upper" "(self: Text) -> Text"
        example "\"acme\".upper" => "\"ACME\""
        = |_cx, t: TextRef<'_>| Ok(t.as_str().to_uppercase());
    /// Whether a part occurs in it.
    Text "contains" "(self: Text, part: Text) -> Bool"
        example "\"market\".contains(\"ark\")" => "true"
        = |_cx, t: TextRef<'_>, part: TextRef<'_>| Ok(t.as_str().contains(part.as_str()));
    /// Whether it begins with a part.
    Text "starts_with" "(self: Text, part: Text) -> Bool"
        example "\"market\".starts_with(\"mar\")" => "true"
        = |_cx, t: TextRef<'_>, part: TextRef<'_>| Ok(t.as_str().starts_with(part.as_str()));
    /// Whether it ends with a part.
    Text "ends_with" "(self: Text, part: Text) -> Bool"
        example "\"market\".ends_with(\"ket\")" => "true"
        = |_cx, t: TextRef<'_>, part: TextRef<'_>| Ok(t.as_str().ends_with(part.as_str()));
    /// With every `from` replaced by `to`.
    Text "replace" "(self: Text, from: Text, to: Text) -> Text"
        example "\"a-b-c\".replace(\"-\", \"+\")" => "\"a+b+c\""
        = |cx, t: TextRef<'_>, from: TextRef<'_>, to: TextRef<'_>| replace(cx, t, from, to);
    /// Its lines, without their ends.
    Text "lines" "(self: Text) -> List<Text>"
        example "\"a\\nb\".lines" => "[\"a\", \"b\"]"
        = |cx, t: TextRef<'_>| texts(cx, t.as_str().lines());
    /// Its characters, as Texts.
    Text "chars" "(self: Text) -> List<Text>"
        example "\"abc\".chars" => "[\"a\", \"b\", \"c\"]"
        = |cx, t: TextRef<'_>| texts(cx, characters(t.as_str()));
    /// The Int it says, if it says one.
    Text "to_int" "(self: Text) -> Int?"
        example "\"42\".to_int" => "Some(42)"
        = |_cx, t: TextRef<'_>| Ok(some_word(t.as_str().trim().parse::<i64>().ok().map(i64::cast_unsigned), ShapeId::INT));
    /// The Float it says, if it says one.
    Text "to_float" "(self: Text) -> Float?"
        example "\"1.5\".to_float" => "Some(1.5)"
        = |_cx, t: TextRef<'_>| Ok(some_word(float(t.as_str()).map(f64::to_bits), ShapeId::FLOAT));
    /// Filled up to a width; at the end, or in front with `left: true`.
    Text "pad" "(self: Text, width: Int, with: Text = \" \", left: Bool = false) -> Text"
        example "\"7\".pad(3, with: \"0\", left: true)" => "\"007\""
        = |cx, t: TextRef<'_>, width: i64, with: TextRef<'_>, left: bool| pad(cx, t, width, with, left);
    /// The characters from `start` up to but not including `end`, cut to the text.
    Text "slice" "(self: Text, start: Int, end: Int = 9223372036854775807) -> Text"
        example "\"market\".slice(1, 4)" => "\"ark\""
        = |cx, t: TextRef<'_>, start: i64, end: i64| {
            let (start, end) = range_within(cx, start, end, t.len())?;
            Ok(TextBuf::new(t.slice(start..end)))
        };
    /// Where a part first begins.
    Text "index_of" "(self: Text, part: Text) -> Int?"
        example "\"market\".index_of(\"k\")" => "Some(3)"
        = |_cx, t: TextRef<'_>, part: TextRef<'_>| {
            let found = t.as_str().find(part.as_str()).map(|at| t.position(at) as u64);
            Ok(some_word(found, ShapeId::INT))
        };
    /// So many copies, one after the other.
    Text "repeat" "(self: Text, count: Int) -> Text"
        example "\"ab\".repeat(3)" => "\"ababab\""
        = |cx, t: TextRef<'_>, count: i64| {
            let count = natural(cx, count, "the number of copies")?;
            room(cx, t.as_str().len().saturating_mul(count))?;
            Ok(t.as_str().repeat(count))
        };
    /// Whether a regular expression matches somewhere.
    Text "matches" "(self: Text, pattern: Text) -> Bool"
        example "\"a1\".matches(\"[0-9]\")" => "true" missing yes
        = |cx, _t: TextRef<'_>, _pattern: TextRef<'_>| absent(cx, "matches");
    /// All matches of a regular expression.
    Text "find_all" "(self: Text, pattern: Text) -> List<Text>"
        example "\"a1b2\".find_all(\"[0-9]\")" => "[\"1\", \"2\"]" missing yes
        = |cx, _t: TextRef<'_>, _pattern: TextRef<'_>| absent(cx, "find_all");
    /// The UTF-8 bytes of a text.
    function "bytes" "(text: Text) -> Bytes"
        example "bytes(\"hi\")" => "bytes(\"hi\")"
        = |_cx, t: TextRef<'_>| Ok(BytesBuf::new(t.as_str().as_bytes()));
    /// One text after the other.
    operator "+" "(a: Text, b: Text) -> Text"
        example "\"a\" + \"b\"" => "\"ab\""
        = |cx, a: TextBuf, b: TextRef<'_>| {
            room(cx, b.as_str().len() + a.borrow().as_str().len())?;
            Ok(a.append(b.as_str()))
        };
    /// The character at a position, as a Text; R0104 outside.
    operator "[]" "(t: Text, index: Int) -> Text"
        example "\"abc\"[1]" => "\"b\""
        = |cx, t: TextRef<'_>, index: i64| {
            let at = position(cx, index, t.len(), "a text")?;
            Ok(t.slice(at..at + 1).to_owned())
        };
    /// Whether a part occurs in a text.
    operator "in" "(part: Text, t: Text) -> Bool"
        example "\"ark\" in \"market\"" => "true"
        = |_cx, part: TextRef<'_>, t: TextRef<'_>| Ok(t.as_str().contains(part.as_str()));
    /// The texts of a list with a separator between them.
    List "join" "(self: List<Text>, separator: Text = \"\") -> Text"
        example "[\"a\", \"b\"].join(\", \")" => "\"a, b\""
        = |cx, xs: ListRef<'_>, separator: TextRef<'_>| join(cx, xs.items().iter().copied(), separator);
}

/// `Some` of a word that is not counted, or `None`.
pub fn some_word(word: Option<u64>, of: ShapeId) -> Moved {
    Moved(word.map_or(NONE, |word| record::some(ShapeId::option(of), word)))
}

fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().filter_map(|(at, c)| text.get(at..at + c.len_utf8()))
}

/// A list of Texts.
pub fn texts<'a>(cx: &mut Cx, parts: impl Iterator<Item = &'a str>) -> Outcome<ListBuf> {
    let mut list = ListBuf::with_capacity(ShapeId::list(ShapeId::TEXT), 0);
    for (at, part) in parts.enumerate() {
        poll(cx, at)?;
        list.append(TextBuf::new(part).into_word());
    }
    Ok(list)
}

/// Digits with or without fraction and exponent; not `inf`, not `nan`.
fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    if text.chars().all(numeric) { text.parse().ok() } else { None }
}

fn replace(cx: &mut Cx, t: TextRef<'_>, from: TextRef<'_>, to: TextRef<'_>) -> Outcome<TextBuf> {
    if from.is_empty() {
        return Ok(t.to_owned());
    }
    let grown = to.as_str().len() / from.as_str().len() + 1;
    room(cx, t.as_str().len().saturating_mul(grown))?;
    Ok(t.as_str().replace(from.as_str(), to.as_str()).into())
}

fn pad(cx: &mut Cx, t: TextRef<'_>, width: i64, with: TextRef<'_>, left: bool) -> Outcome<TextBuf> {
    let missing = natural(cx, width, "a width")?.saturating_sub(t.len());
    if missing == 0 {
        return Ok(t.to_owned());
    }
    if with.is_empty() {
        let message = "a text cannot be padded with an empty one".to_owned();
        return fail(cx, code::INVALID_CONVERSION, message);
    }
    room(cx, missing.saturating_mul(4))?;
    let fill: String = with.as_str().chars().cycle().take(missing).collect();
    let (first, second) =
        if left { (fill.as_str(), t.as_str()) } else { (t.as_str(), fill.as_str()) };
    Ok(TextBuf::new(first).append(second))
}

/// Texts with a separator between them.
pub fn join(
    cx: &mut Cx,
    items: impl Iterator<Item = u64>,
    separator: TextRef<'_>,
) -> Outcome<String> {
    let mut joined = String::new();
    for (at, item) in items.enumerate() {
        poll(cx, at)?;
        // SAFETY: the checker saw to it that the elements are Texts.
        let item = unsafe { TextRef::from_word(item) }.as_str();
        if at > 0 {
            joined.push_str(separator.as_str());
        }
        joined.push_str(item);
        if at % 1024 == 0 {
            room(cx, joined.len())?;
        }
    }
    Ok(joined)
}
