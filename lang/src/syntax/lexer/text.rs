//! What stands between quotes: pieces by chumsky, then escapes undone and indentation removed.
//!
//! A segment ends at the closing quotes, at `${`, or where the text breaks off; expressions in holes are the lexer's.

use chumsky::primitive::{any, just};
use chumsky::span::SimpleSpan;
use chumsky::{IterParser, Parser};

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::lexer::prefix::{Extra, prefix};

/// A piece of a segment; spans are relative to the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Characters and escapes.
    Text(Span),
    /// `$name`, the span including the dollar sign.
    Hole(Span),
}

/// Why a segment ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    Quotes,
    HoleStart,
    /// A raw newline in a `"` text, or the end of the source.
    Missing,
}

pub struct Segment {
    pub pieces: Vec<Piece>,
    pub stop: Stop,
    /// Bytes without what stopped it.
    pub len: usize,
}

/// Read from the start of `text`, which follows opening quotes or the end of a hole.
pub fn segment(text: &str, triple: bool) -> Segment {
    match prefix(segment_parser(triple), text) {
        Some((segment, _)) => segment,
        None => Segment { pieces: Vec::new(), stop: Stop::Missing, len: 0 },
    }
}

fn segment_parser<'a>(triple: bool) -> impl Parser<'a, &'a str, Segment, Extra<Segment>> {
    let quotes = just(if triple { "\"\"\"" } else { "\"" });
    let name = any()
        .filter(|c: &char| is_name_start(*c))
        .then(any().filter(|c: &char| unicode_ident::is_xid_continue(*c)).repeated());
    let hole = just('$').then(name).to_slice();
    let break_off = any().filter(move |c: &char| *c == '\n' && !triple).to_slice();
    let special = hole.or(just("${")).or(quotes).or(break_off);
    let escape = just('\\').then(any().filter(|c: &char| *c != '\n')).ignored();
    let plain = escape.or(any().and_is(special.not()).ignored());
    let piece = plain
        .repeated()
        .at_least(1)
        .to_span()
        .map(|span: SimpleSpan| Piece::Text(Span::from_range(span.into_range())))
        .or(hole
            .to_span()
            .map(|span: SimpleSpan| Piece::Hole(Span::from_range(span.into_range()))));
    piece
        .repeated()
        .collect::<Vec<_>>()
        .map_with(|pieces, extra| {
            let span: SimpleSpan = extra.span();
            (pieces, span.end)
        })
        .then(quotes.to(Stop::Quotes).or(just("${").to(Stop::HoleStart)).or_not())
        .map(|((pieces, len), stop)| Segment { pieces, stop: stop.unwrap_or(Stop::Missing), len })
}

/// The start of an identifier (L-2).
pub fn is_name_start(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

/// How a piece of text is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decoding<'a> {
    pub triple: bool,
    /// Removed from the start of each line of a `"""` text.
    pub indent: &'a str,
    /// The piece directly follows the opening quotes: a line break there belongs to them.
    pub first: bool,
}

/// The indentation of closing `"""`: the blank characters between the last line break and them, if nothing else is there.
pub fn closing_indent(last: &str) -> &str {
    let tail = last.rsplit_once('\n').map_or("x", |(_, tail)| tail);
    if tail.chars().all(|c| c == ' ' || c == '\t') { tail } else { "" }
}

/// Undo escapes and indentation. `at` is where `raw` starts, for reports.
pub fn decode(raw: &str, at: u32, how: Decoding<'_>, reports: &mut Vec<Diagnostic>) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    if how.triple && how.first {
        rest = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')).unwrap_or(rest);
        if rest.len() < raw.len() {
            rest = dedent(rest, how.indent);
        }
    }
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            '\\' => {
                let offset = at + u32::try_from(raw.len() - rest.len()).unwrap_or(0);
                rest = escape(after, offset, &mut out, reports);
            }
            '\r' if how.triple && after.starts_with('\n') => rest = after,
            '\n' => {
                out.push('\n');
                rest = dedent(after, how.indent);
            }
            _ => {
                out.push(c);
                rest = after;
            }
        }
    }
    out
}

/// Strip `indent`, or as much of it as the line has.
fn dedent<'a>(line: &'a str, indent: &str) -> &'a str {
    let same = line.chars().zip(indent.chars()).take_while(|(a, b)| a == b);
    let len: usize = same.map(|(c, _)| c.len_utf8()).sum();
    line.get(len..).unwrap_or("")
}

/// One escape; `rest` follows the backslash, which is at `at`.
fn escape<'a>(rest: &'a str, at: u32, out: &mut String, reports: &mut Vec<Diagnostic>) -> &'a str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = rest.get(c.len_utf8()..).unwrap_or("");
    let plain = match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '\\' | '"' | '$' => c,
        'u' if after.starts_with('{') => return unicode_escape(after, at, out, reports),
        _ => {
            let span = Span::new(at, at + 1 + u32::try_from(c.len_utf8()).unwrap_or(1));
            reports.push(
                Diagnostic::new(codes::E0008, span, format!("`\\{c}` is no escape"))
                    .note("the escapes are \\n \\t \\r \\\\ \\\" \\$ \\u{1F600}")
                    .fix("write the backslash itself", Span::at(at), "\\"),
            );
            out.push('\\');
            c
        }
    };
    out.push(plain);
    after
}

/// `\u{1F600}`; `rest` begins with the brace.
fn unicode_escape<'a>(
    rest: &'a str,
    at: u32,
    out: &mut String,
    reports: &mut Vec<Diagnostic>,
) -> &'a str {
    let digits = rest.get(1..).unwrap_or("");
    let len = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    let value = digits.get(..len).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let closed = digits.get(len..).is_some_and(|rest| rest.starts_with('}'));
    if let (Some(c), true) = (value.and_then(char::from_u32), closed) {
        out.push(c);
        return digits.get(len + 1..).unwrap_or("");
    }
    let span = Span::new(at, at + 3 + u32::try_from(len).unwrap_or(0));
    reports.push(
        Diagnostic::new(codes::E0008, span, "not a Unicode character")
            .note("write the number of the character in hexadecimal: \\u{1F600}"),
    );
    digits.get(len + usize::from(closed)..).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::{Decoding, Piece, Stop, closing_indent, decode, segment};
    use crate::source::Span;

    #[test]
    fn pieces_of_a_template() {
        let found = segment("a $5 \\\" $name.b ${x}\"", false);
        let texts = [Piece::Text(Span::new(0, 8)), Piece::Hole(Span::new(8, 13))];
        assert_eq!(found.pieces[..2], texts);
        assert_eq!((found.stop, found.len), (Stop::HoleStart, 16));
        assert_eq!(segment("open\nnext\"", false).stop, Stop::Missing);
        assert_eq!(segment("a \" b\n\"\"\"", true).len, 6);
        assert_eq!(segment("", false).stop, Stop::Missing);
    }

    fn text(raw: &str, triple: bool) -> (String, usize) {
        let mut reports = Vec::new();
        let how = Decoding { triple, indent: closing_indent(raw), first: true };
        (decode(raw, 0, how, &mut reports), reports.len())
    }

    #[test]
    fn escapes() {
        assert_eq!(text("a\\n\\t\\r\\\\\\\"\\$\\u{1F600}", false), ("a\n\t\r\\\"$😀".into(), 0));
        assert_eq!(text("\\q", false), ("\\q".into(), 1));
        assert_eq!(text("\\u{110000}x", false), ("x".into(), 1));
        assert_eq!(text("\\u{12", false), (String::new(), 1));
    }

    #[test]
    fn indentation_of_the_closing_quotes_is_removed() {
        assert_eq!(text("\n    a\n      b\n\n    ", true).0, "a\n  b\n\n");
        assert_eq!(text("a\n  b", true).0, "a\n  b");
        assert_eq!(text("\r\n  a\r\n  ", true).0, "a\n");
    }
}
