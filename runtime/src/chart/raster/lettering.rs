//! The texts of a document as outlines: usvg's own shaping engine is not built in.
//!
//! Each `<text>` is replaced by a group with its attributes, so that colour, opacity and transformation stay usvg's work. Known
//! here are places (`x`, `y`, `dx`, `dy`), sizes, anchors, the middle and the top as base lines, and `tspan`. Style sheets do
//! not reach the size and the face of a text; bold and italic look plain; a text along a path is left out.

use std::fmt::Write as _;
use std::ops::Range;

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve, Point};
use resvg::usvg::roxmltree::{Document, Node};

use super::super::{DrawError, font};

/// Outlines are some hundred bytes a letter.
const MOST_LETTERS: usize = 20_000;
/// What SVG sets without a size; CSS says `medium`.
const SIZE: f64 = 16.0;

/// The document with outlines for texts.
pub fn outlined(svg: &str, document: &Document<'_>) -> Result<String, DrawError> {
    let is_text = |node: &Node<'_, '_>| node.tag_name().name() == "text";
    let texts: Vec<Node<'_, '_>> = document.descendants().filter(is_text).collect();
    let letters: usize = texts.iter().flat_map(|text| text.descendants()).map(length).sum();
    if letters > MOST_LETTERS {
        return Err(DrawError(format!("its texts have more than {MOST_LETTERS} letters")));
    }
    let mut out = String::with_capacity(svg.len());
    let mut done = 0;
    for text in texts {
        let Range { start, end } = text.range();
        // A text within a text is part of that one.
        if start < done {
            continue;
        }
        out.push_str(svg.get(done..start).unwrap_or_default());
        let mut line = Line::new(document);
        line.collect(text);
        line.anchor();
        let mut pieces = line.pieces.iter();
        write_group(&mut out, text, &mut pieces);
        done = end;
    }
    out.push_str(svg.get(done..).unwrap_or_default());
    Ok(out)
}

fn length(node: Node<'_, '_>) -> usize {
    if node.is_text() { node.text().map_or(0, |text| text.chars().count()) } else { 0 }
}

/// The letters of one text node, in the face and the size they have.
struct Piece {
    text: String,
    face: &'static FontRef<'static>,
    size: f64,
    at: (f64, f64),
}

/// Layout of one `<text>`: a pen that goes through its pieces.
struct Line {
    viewport: (f64, f64),
    pen: (f64, f64),
    pieces: Vec<Piece>,
    /// Where the pieces of the present chunk begin: an anchor applies to all that stands between two absolute places.
    chunk: usize,
    chunk_anchor: f64,
    chunk_left: f64,
    ends_blank: bool,
}

impl Line {
    fn new(document: &Document<'_>) -> Line {
        Line {
            viewport: viewport(document.root_element()),
            pen: (0.0, 0.0),
            pieces: Vec::new(),
            chunk: 0,
            chunk_anchor: 0.0,
            chunk_left: 0.0,
            ends_blank: true,
        }
    }

    fn collect(&mut self, element: Node<'_, '_>) {
        self.place(element);
        for child in element.children() {
            if child.is_text() {
                self.set(element, child.text().unwrap_or_default());
            } else if matches!(child.tag_name().name(), "tspan" | "a" | "text") {
                self.collect(child);
            }
        }
    }

    fn place(&mut self, element: Node<'_, '_>) {
        let size = size_of(element);
        let of = |name: &str, whole: f64| {
            // Of a list of places, one a letter, the first.
            let first = element.attribute(name)?.split([',', ' ']).find(|part| !part.is_empty())?;
            measure(first, size, whole)
        };
        let (x, y) = (of("x", self.viewport.0), of("y", self.viewport.1));
        if x.is_some() || y.is_some() || self.pieces.is_empty() {
            self.anchor();
            self.pen = (x.unwrap_or(self.pen.0), y.unwrap_or(self.pen.1));
            self.chunk_left = self.pen.0;
            self.chunk_anchor = match inherited(element, "text-anchor") {
                Some("middle") => 0.5,
                Some("end") => 1.0,
                _ => 0.0,
            };
        }
        self.pen.0 += of("dx", self.viewport.0).unwrap_or(0.0);
        self.pen.1 += of("dy", self.viewport.1).unwrap_or(0.0);
    }

    fn set(&mut self, element: Node<'_, '_>, text: &str) {
        let Some(face) = face_of(element) else { return };
        let size = size_of(element);
        let mut kept = String::new();
        for c in text.chars() {
            let is_blank = c.is_whitespace() || c.is_control();
            if !(is_blank && self.ends_blank) {
                kept.push(if is_blank { ' ' } else { c });
            }
            self.ends_blank = is_blank;
        }
        let at = (self.pen.0, self.pen.1 + drop_of(element) * size);
        self.pen.0 += width(face, &kept, size);
        self.pieces.push(Piece { text: kept, face, size, at });
    }

    /// Moves the pieces of the chunk to where its anchor wants them. A blank at its end takes no room.
    fn anchor(&mut self) {
        let blank = self.pieces.get(self.chunk..).and_then(<[Piece]>::last).map_or(0.0, |piece| {
            let kept = piece.text.trim_end();
            width(piece.face, &piece.text, piece.size) - width(piece.face, kept, piece.size)
        });
        let shift = (self.pen.0 - blank - self.chunk_left) * self.chunk_anchor;
        for piece in self.pieces.iter_mut().skip(self.chunk) {
            piece.at.0 -= shift;
        }
        self.chunk = self.pieces.len();
        self.chunk_left = self.pen.0;
    }
}

/// An element with its pieces, in the order in which they were set.
fn write_group<'a>(
    out: &mut String,
    element: Node<'_, '_>,
    pieces: &mut impl Iterator<Item = &'a Piece>,
) {
    out.push_str("<g xmlns=\"http://www.w3.org/2000/svg\"");
    for attribute in element.attributes().filter(|attribute| attribute.namespace().is_none()) {
        let _ = write!(out, " {}=\"", attribute.name());
        for c in attribute.value().chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '"' => out.push_str("&quot;"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push('>');
    for child in element.children() {
        if child.is_text() {
            pieces.next().iter().for_each(|piece| write_path(out, piece));
        } else if matches!(child.tag_name().name(), "tspan" | "a" | "text") {
            write_group(out, child, pieces);
        }
    }
    out.push_str("</g>");
}

fn write_path(out: &mut String, piece: &Piece) {
    out.push_str("<path d=\"");
    let mut pen = piece.at.0;
    let mut before = None;
    for c in piece.text.chars() {
        let (face, id) = glyph(piece.face, c);
        let scale = piece.size / f64::from(face.units_per_em().unwrap_or(1_000.0));
        pen += f64::from(before.map_or(0.0, |before| face.kern_unscaled(before, id))) * scale;
        let at = |point: Point| {
            (pen + f64::from(point.x) * scale, piece.at.1 - f64::from(point.y) * scale)
        };
        write_outline(out, face, id, at);
        pen += f64::from(face.h_advance_unscaled(id)) * scale;
        before = Some(id);
    }
    out.push_str("\"/>");
}

fn write_outline(
    out: &mut String,
    face: &FontRef<'_>,
    id: GlyphId,
    at: impl Fn(Point) -> (f64, f64),
) {
    let mut end = None;
    for curve in face.outline(id).map(|outline| outline.curves).unwrap_or_default() {
        let (from, points, command) = match curve {
            OutlineCurve::Line(from, to) => (from, vec![to], 'L'),
            OutlineCurve::Quad(from, control, to) => (from, vec![control, to], 'Q'),
            OutlineCurve::Cubic(from, one, two, to) => (from, vec![one, two, to], 'C'),
        };
        if end != Some(from) {
            let (x, y) = at(from);
            let _ = write!(out, "M{x:.2} {y:.2}");
        }
        out.push(command);
        for point in &points {
            let (x, y) = at(*point);
            let _ = write!(out, "{x:.2} {y:.2} ");
        }
        end = points.last().copied();
    }
}

/// A face without the letter leaves it to the other one.
fn glyph(face: &'static FontRef<'static>, c: char) -> (&'static FontRef<'static>, GlyphId) {
    let id = face.glyph_id(c);
    let other = if id == GlyphId(0) { font::face() } else { None };
    match other.map(|other| (other, other.glyph_id(c))) {
        Some((other, found)) if found != GlyphId(0) => (other, found),
        _ => (face, id),
    }
}

fn width(face: &'static FontRef<'static>, text: &str, size: f64) -> f64 {
    let mut sum = 0.0;
    let mut before = None;
    for c in text.chars() {
        let (face, id) = glyph(face, c);
        let kern = before.map_or(0.0, |before| face.kern_unscaled(before, id));
        let scale = f64::from(face.units_per_em().unwrap_or(1_000.0));
        sum += f64::from(kern + face.h_advance_unscaled(id)) / scale;
        before = Some(id);
    }
    sum * size
}

/// A property as attribute or in `style`, of the element or the nearest one around it.
fn inherited<'a>(element: Node<'a, '_>, name: &str) -> Option<&'a str> {
    element.ancestors().find_map(|node| own(node, name))
}

fn own<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let styled = node.attribute("style").and_then(|style| {
        let mut parts = style.split(';').filter_map(|part| part.split_once(':'));
        parts.find(|(key, _)| key.trim() == name).map(|(_, value)| value)
    });
    styled.or_else(|| node.attribute(name)).map(str::trim)
}

fn size_of(element: Node<'_, '_>) -> f64 {
    let mut sizes: Vec<&str> =
        element.ancestors().filter_map(|node| own(node, "font-size")).collect();
    sizes.reverse();
    let size =
        sizes.iter().fold(SIZE, |around, size| measure(size, around, around).unwrap_or(around));
    size.clamp(0.0, 4_096.0)
}

fn face_of(element: Node<'_, '_>) -> Option<&'static FontRef<'static>> {
    let family = inherited(element, "font-family").unwrap_or_default().to_lowercase();
    let is_fixed = ["mono", "courier", "consolas", "menlo", "hack"];
    if is_fixed.iter().any(|word| family.contains(word)) {
        font::face()
    } else {
        font::proportional()
    }
}

/// How far the feet of letters stand below `y`, as a share of the size.
fn drop_of(element: Node<'_, '_>) -> f64 {
    match inherited(element, "dominant-baseline").or_else(|| own(element, "alignment-baseline")) {
        Some("middle") => font::X_HEIGHT_PER_SIZE / 2.0,
        Some("central") => 0.35,
        Some("hanging" | "text-before-edge" | "text-top") => 0.75,
        _ => 0.0,
    }
}

/// A length in pixels; `em` is the size of the letters, `whole` what a percentage is of.
fn measure(text: &str, em: f64, whole: f64) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic() && c != 'e' || c == '%');
    // `e` begins a unit or an exponent.
    let end = end.map_or(text.len(), |end| {
        if text.ends_with("em") || text.ends_with("ex") { text.len() - 2 } else { end }
    });
    let number: f64 = text.get(..end)?.trim().parse().ok()?;
    let unit = match text.get(end..)?.trim() {
        "" | "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "em" => em,
        "ex" => em / 2.0,
        "%" => whole / 100.0,
        "mm" => 96.0 / 25.4,
        "cm" => 96.0 / 2.54,
        "in" => 96.0,
        _ => return None,
    };
    Some(number * unit).filter(|length| length.is_finite())
}

/// Width and height in the document's own units.
fn viewport(root: Node<'_, '_>) -> (f64, f64) {
    let view_box = root.attribute("viewBox").unwrap_or_default();
    let parts: Vec<f64> = view_box.split([' ', ',']).filter_map(|part| part.parse().ok()).collect();
    if let [_, _, width, height] = parts[..] {
        return (width, height);
    }
    let side = |name| root.attribute(name).and_then(|side| measure(side, SIZE, 100.0));
    (side("width").unwrap_or(100.0), side("height").unwrap_or(100.0))
}
