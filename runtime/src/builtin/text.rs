//! Members of Text.

use crate::builtin::declare::{Moved, Outcome, builtins};
use crate::builtin::large::{self, Growing, Search};
use crate::builtin::support::{fail, natural, poll, position, range_within};
use crate::context::Cx;
use crate::fault::code;
use crate::value::list::{ListBuf, ListRef};
use crate::value::record::{self, NONE};
use crate::value::shape::ShapeId;
use crate::value::text::{TextBuf, TextRef};

builtins! {
    /// The number of characters.
    Text "len" "(self: Text) -> Int"
        example "\"Zoë\".len" => "3"
        = |_cx, t: TextRef<'_>| Ok(t.len() as i64);
    /// Whether it has no characters.
    Text "is_empty" "(self: Text) -> Bool"
        example "\"\".is_empty" => "true"
        = |_cx, t: TextRef<'_>| Ok(t.is_empty());
    /// The parts between the separators; with an empty separator its characters.
    Text "split" "(self: Text, separator: Text) -> List<Text>"
        example "\"a,b\".split(\",\")" => "[\"a\", \"b\"]"
        = |cx, t: TextRef<'_>, separator: TextRef<'_>| {
            if separator.is_empty() { return texts(cx, characters(t.as_str())); }
            split(cx, t.as_str(), separator.as_str())
        };
    /// The words: the parts between white space, never empty.
    Text "split" "(self: Text) -> List<Text>"
        example "\" two  words \".split()" => "[\"two\", \"words\"]"
        = |cx, t: TextRef<'_>| texts(cx, t.as_str().split_whitespace());
    /// Without white space at both ends.
    Text "trim" "(self: Text) -> Text"
        example "\"  a \".trim" => "\"a\""
        = |cx, t: TextRef<'_>| trim(cx, t);
    /// In lower case.
    Text "lower" "(self: Text) -> Text"
        example "\"ACME\".lower" => "\"acme\""
        = |cx, t: TextRef<'_>| lower(cx, t.as_str());
    /// In upper case.
    Text "upper" "(self: Text) -> Text"
        example "\"acme\".upper" => "\"ACME\""
        = |cx, t: TextRef<'_>| upper(cx, t.as_str());
    /// Whether a part occurs in it.
    Text "contains" "(self: Text, part: Text) -> Bool"
        example "\"market\".contains(\"ark\")" => "true"
        = |cx, t: TextRef<'_>, part: TextRef<'_>| Ok(large::find(cx, t.as_str(), part.as_str())?.is_some());
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
        = |cx, t: TextRef<'_>| lines(cx, t.as_str());
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
            let (start, end) = (large::offset(cx, t, start)?, large::offset(cx, t, end)?);
            large::text(cx, t.as_str().get(start..end).unwrap_or(""))
        };
    /// Where a part first begins.
    Text "index_of" "(self: Text, part: Text) -> Int?"
        example "\"market\".index_of(\"k\")" => "Some(3)"
        = |cx, t: TextRef<'_>, part: TextRef<'_>| {
            let found = match large::find(cx, t.as_str(), part.as_str())? {
                Some(at) => Some(large::position(cx, t, at)? as u64),
                None => None,
            };
            Ok(some_word(found, ShapeId::INT))
        };
    /// So many copies, one after the other.
    Text "repeat" "(self: Text, count: Int) -> Text"
        example "\"ab\".repeat(3)" => "\"ababab\""
        = |cx, t: TextRef<'_>, count: i64| {
            let count = natural(cx, count, "the number of copies")?;
            repeat(cx, t.as_str(), count)
        };
    /// The UTF-8 bytes of a text.
    function "bytes" "(text: Text) -> Bytes"
        example "bytes(\"hi\")" => "bytes(\"hi\")"
        = |cx, t: TextRef<'_>| large::bytes(cx, t.as_str().as_bytes());
    /// One text after the other.
    operator "+" "(a: Text, b: Text) -> Text"
        example "\"a\" + \"b\"" => "\"ab\""
        = |cx, a: TextBuf, b: TextRef<'_>| large::append(cx, a, b.as_str());
    /// The character at a position, as a Text; R0104 outside.
    operator "[]" "(t: Text, index: Int) -> Text"
        example "\"abc\"[1]" => "\"b\""
        = |cx, t: TextRef<'_>, index: i64| {
            let at = position(cx, index, t.len(), "a text")?;
            let start = large::offset(cx, t, at)?;
            let character = t.as_str().get(start..).unwrap_or("").chars().next();
            Ok(character.map_or(String::new(), String::from))
        };
    /// Whether a part occurs in a text.
    operator "in" "(part: Text, t: Text) -> Bool"
        example "\"ark\" in \"market\"" => "true"
        = |cx, part: TextRef<'_>, t: TextRef<'_>| Ok(large::find(cx, t.as_str(), part.as_str())?.is_some());
    /// The texts of a list with a separator between them.
    List "join" "(self: List<Text>, separator: Text = \"\") -> Text"
        example "[\"a\", \"b\"].join(\", \")" => "\"a, b\""
        = |cx, xs: ListRef<'_>, separator: TextRef<'_>| join(cx, xs.items(), separator);
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
        add(cx, &mut list, part)?;
    }
    Ok(list)
}

fn add(cx: &mut Cx, list: &mut ListBuf, part: &str) -> Outcome<()> {
    let part = large::text(cx, part)?;
    list.append(part.into_word());
    Ok(())
}

/// The parts between separators that are not empty.
fn split(cx: &mut Cx, text: &str, separator: &str) -> Outcome<ListBuf> {
    let mut list = ListBuf::with_capacity(ShapeId::list(ShapeId::TEXT), 0);
    let mut start = 0;
    let mut count = 0;
    large::matches(cx, text, separator, |cx, at| {
        poll(cx, count)?;
        count += 1;
        add(cx, &mut list, text.get(start..at).unwrap_or(""))?;
        start = at + separator.len();
        Ok(Search::On)
    })?;
    add(cx, &mut list, text.get(start..).unwrap_or(""))?;
    Ok(list)
}

/// Ended by a line feed, with or without a carriage return before; the last one may have no end.
fn lines(cx: &mut Cx, text: &str) -> Outcome<ListBuf> {
    let mut list = ListBuf::with_capacity(ShapeId::list(ShapeId::TEXT), 0);
    let mut start = 0;
    let mut count = 0;
    large::matches(cx, text, "\n", |cx, at| {
        poll(cx, count)?;
        count += 1;
        let line = text.get(start..at).unwrap_or("");
        add(cx, &mut list, line.strip_suffix('\r').unwrap_or(line))?;
        start = at + 1;
        Ok(Search::On)
    })?;
    if start < text.len() {
        add(cx, &mut list, text.get(start..).unwrap_or(""))?;
    }
    Ok(list)
}

fn trim(cx: &mut Cx, t: TextRef<'_>) -> Outcome<TextBuf> {
    let text = t.as_str();
    let mut start = 0;
    large::in_pieces(cx, text, |_, piece| {
        let blank = piece.len() - piece.trim_start().len();
        start += blank;
        Ok(if blank == piece.len() { Search::On } else { Search::Done })
    })?;
    // From the end nothing is looked at twice: what is blank is gone, and a text begins with what is not.
    let mut rest = text.get(start..).unwrap_or("");
    loop {
        let tail = rest.get(rest.ceil_char_boundary(rest.len().saturating_sub(PIECE))..);
        let tail = tail.unwrap_or("");
        let blank = tail.len() - tail.trim_end().len();
        rest = rest.get(..rest.len() - blank).unwrap_or("");
        if blank < tail.len() || rest.is_empty() {
            return large::text(cx, rest);
        }
        large::spend_bytes(cx, blank)?;
    }
}

/// Bytes looked at together where a piece cannot be cut anywhere.
const PIECE: usize = 64 << 10;

/// The Greek letter whose lower case depends on what stands around it.
const SIGMA: &str = "Σ";

fn lower(cx: &mut Cx, text: &str) -> Outcome<TextBuf> {
    if text.len() <= PIECE || large::find(cx, text, SIGMA)?.is_some() {
        return large::text(cx, &text.to_lowercase());
    }
    let mut made = Growing::new(cx, text.len())?;
    changed(cx, &mut made, text, str::to_lowercase)?;
    Ok(made.finish())
}

fn upper(cx: &mut Cx, text: &str) -> Outcome<TextBuf> {
    let mut made = Growing::new(cx, text.len())?;
    changed(cx, &mut made, text, str::to_uppercase)?;
    Ok(made.finish())
}

fn changed(cx: &mut Cx, made: &mut Growing, text: &str, change: fn(&str) -> String) -> Outcome<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = later;
        made.push(cx, &change(now))?;
    }
    Ok(())
}

fn repeat(cx: &mut Cx, text: &str, count: usize) -> Outcome<TextBuf> {
    let total = text.len().saturating_mul(count);
    // Short ones by the block, so that each copy need not be counted.
    let block = text.repeat((PIECE / text.len().max(1)).min(count));
    let mut made = Growing::new(cx, total)?;
    if block.len() >= text.len() && !block.is_empty() {
        while made.len() + block.len() <= total {
            made.push(cx, &block)?;
        }
    }
    while made.len() < total {
        made.push(cx, text)?;
    }
    Ok(made.finish())
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
    let (text, by) = (t.as_str(), to.as_str());
    let mut places = 0usize;
    large::matches(cx, text, from.as_str(), |cx, _| {
        poll(cx, places)?;
        places += 1;
        Ok(Search::On)
    })?;
    if places == 0 {
        return Ok(t.to_owned());
    }
    // Exactly as long as it will be, so that one that has no room is refused before it is begun.
    let length = text.len() - places * from.as_str().len();
    let mut made = Growing::new(cx, length.saturating_add(places.saturating_mul(by.len())))?;
    let mut start = 0;
    large::matches(cx, text, from.as_str(), |cx, at| {
        made.push(cx, text.get(start..at).unwrap_or(""))?;
        made.push(cx, by)?;
        start = at + from.as_str().len();
        Ok(Search::On)
    })?;
    made.push(cx, text.get(start..).unwrap_or(""))?;
    Ok(made.finish())
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
    let fill = with.as_str();
    let (whole, part) = (missing / with.len(), missing % with.len());
    let part = fill.get(..with.offset(part)).unwrap_or("");
    let bytes = fill.len().saturating_mul(whole).saturating_add(part.len());
    let mut made = Growing::new(cx, bytes.saturating_add(t.as_str().len()))?;
    if !left {
        made.push(cx, t.as_str())?;
    }
    for at in 0..whole {
        poll(cx, at)?;
        made.push(cx, fill)?;
    }
    made.push(cx, part)?;
    if left {
        made.push(cx, t.as_str())?;
    }
    Ok(made.finish())
}

/// Texts with a separator between them.
pub fn join(cx: &mut Cx, items: &[u64], separator: TextRef<'_>) -> Outcome<TextBuf> {
    // SAFETY: the checker saw to it that the elements are Texts.
    let text = |item: u64| unsafe { TextRef::from_word(item) }.as_str();
    let mut length = 0usize;
    for (at, &item) in items.iter().enumerate() {
        poll(cx, at)?;
        length = length.saturating_add(text(item).len() + separator.as_str().len());
    }
    let mut joined = Growing::new(cx, length)?;
    for (at, &item) in items.iter().enumerate() {
        poll(cx, at)?;
        if at > 0 {
            joined.push(cx, separator.as_str())?;
        }
        joined.push(cx, text(item))?;
    }
    Ok(joined.finish())
}
