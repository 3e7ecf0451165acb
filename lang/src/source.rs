//! Positions in source text: byte spans, lines and columns.
//!
//! A span is only a pair of offsets. Which text it is relative to (a cell, or one item of it) is decided by whoever
//! holds it; nothing here knows about files, sessions or rendering.

use std::fmt;

/// A source text known to the session: a cell or a file. The session numbers them; this crate only carries the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SourceId(pub u32);

/// A half-open range of bytes, `start..end`, always on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The empty span at one offset; used where something is missing.
    pub const fn at(offset: u32) -> Span {
        Span { start: offset, end: offset }
    }

    /// A span of `usize` offsets, as the standard library's ranges give them. Sources above 4 GiB are refused earlier.
    pub fn from_range(range: std::ops::Range<usize>) -> Span {
        Span { start: clamp(range.start), end: clamp(range.end) }
    }

    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `offset` lies inside or directly at the end (a cursor after the last character still touches the span).
    pub const fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// Whether all of `inner` lies inside.
    pub const fn encloses(self, inner: Span) -> bool {
        self.start <= inner.start && inner.end <= self.end
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// From relative to absolute: the span of the same text when the item starts at `base`.
    pub const fn shifted(self, base: u32) -> Span {
        Span { start: self.start.saturating_add(base), end: self.end.saturating_add(base) }
    }

    /// From absolute to relative: the span as seen from an item that starts at `base`.
    pub const fn relative_to(self, base: u32) -> Span {
        Span { start: self.start.saturating_sub(base), end: self.end.saturating_sub(base) }
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end.max(self.start) as usize
    }

    /// The text the span covers; empty if it does not fit `source`.
    pub fn text(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or("")
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A position as people count: line and column from 0; the column counts characters, not bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LineColumn {
    pub line: u32,
    pub column: u32,
}

/// Where the lines of a text start; made once per text, answers in O(log lines).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: u32,
}

impl LineIndex {
    pub fn new(source: &str) -> LineIndex {
        let after_newlines = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts =
            std::iter::once(0).chain(after_newlines.map(|(at, _)| clamp(at + 1))).collect();
        LineIndex { starts, len: clamp(source.len()) }
    }

    pub fn lines(&self) -> u32 {
        clamp(self.starts.len())
    }

    /// The line that holds `offset`; offsets past the end belong to the last line.
    pub fn line_of(&self, offset: u32) -> u32 {
        clamp(self.starts.partition_point(|start| *start <= offset)).saturating_sub(1)
    }

    /// The bytes of a line without its line break.
    pub fn line_span(&self, line: u32, source: &str) -> Span {
        let start = self.starts.get(line as usize).copied().unwrap_or(self.len);
        let end = self.starts.get(line as usize + 1).copied().unwrap_or(self.len);
        let text = Span::new(start, end).text(source).trim_end_matches(['\n', '\r']);
        Span::new(start, start + clamp(text.len()))
    }

    pub fn line_column(&self, offset: u32, source: &str) -> LineColumn {
        let line = self.line_of(offset);
        let start = self.starts.get(line as usize).copied().unwrap_or(0);
        let before = Span::new(start, offset).text(source);
        LineColumn { line, column: clamp(before.chars().count()) }
    }
}

/// Bytes that are no text (E0012), and where that shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotText {
    /// From 1.
    pub line: usize,
    /// Within the line, from 1.
    pub byte: usize,
    /// Value of the first byte that cannot stand there.
    pub value: u8,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotText { line, byte, value } = self;
        write!(f, "it is not valid UTF-8 at line {line}, byte {byte} (0x{value:02X})")
    }
}

/// The text that the bytes are.
pub fn text_of(bytes: Vec<u8>) -> Result<String, NotText> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let (before, rest) = error.as_bytes().split_at(at);
        let lines = before.split(|byte| *byte == b'\n');
        let byte = lines.clone().next_back().map_or(0, <[u8]>::len) + 1;
        NotText { line: lines.count(), byte, value: rest.first().copied().unwrap_or(0) }
    })
}

#[cfg(test)]
mod tests {
    use super::{LineColumn, LineIndex, Span, text_of};

    #[test]
    fn columns_count_characters() {
        let source = "a\nschön x\r\nlast";
        let index = LineIndex::new(source);
        let at = u32::try_from(source.find('x').unwrap()).unwrap();
        assert_eq!(index.line_column(at, source), LineColumn { line: 1, column: 6 });
        assert_eq!(index.line_span(1, source).text(source), "schön x");
        assert_eq!(index.line_of(9999), 2);
        assert_eq!(index.lines(), 3);
    }

    #[test]
    fn moving_a_span_there_and_back() {
        let span = Span::new(3, 7);
        assert_eq!(span.shifted(10).relative_to(10), span);
        assert_eq!(span.to(Span::new(1, 4)), Span::new(1, 7));
    }

    #[test]
    fn what_is_no_text_says_where() {
        let at =
            |bytes: &[u8]| text_of(bytes.to_vec()).map_err(|not| (not.line, not.byte, not.value));
        assert_eq!(at("a\nö".as_bytes()), Ok("a\nö".to_owned()));
        assert_eq!(at(b"\xff"), Err((1, 1, 0xff)));
        assert_eq!(at(b"one\ntwo \xc3"), Err((2, 5, 0xc3)));
        assert_eq!(at(b"one\n\xed\xa0\x80"), Err((2, 1, 0xed)));
    }
}
