//! Pictures: one list of drawing primitives, drawn as SVG text and as PNG bytes; and SVG from elsewhere as PNG ([`raster`]).
//!
//! A picture is plain data in logical pixels; both forms are made from it, so they show the same. It never decides what to
//! draw: layouts live with whoever has the facts. Text is set in one fixed-width face, because then a label can be
//! measured and cut without asking a font engine, and fits in both forms.

pub mod color;
mod font;
mod glyphs;
mod paint;
pub mod raster;

use color::Color;

/// A drawing surface with everything on it, bottom first.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub background: Color,
    pub shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Rect { x: f64, y: f64, width: f64, height: f64, fill: Color },
    Frame { x: f64, y: f64, width: f64, height: f64, stroke: Color },
    Line { points: Vec<(f64, f64)>, stroke: Color, width: u32 },
    Polygon { points: Vec<(f64, f64)>, fill: Color },
    Circle { x: f64, y: f64, radius: f64, fill: Color },
    Text { x: f64, y: f64, text: String, size: f64, fill: Color, anchor: Anchor },
}

/// Which point of a text `x` names; `y` is always its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// Why a picture could not be drawn. Neither backend fails on valid input, so this is an operating failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawError(pub String);

impl Picture {
    pub fn new(width: u32, height: u32, background: Color) -> Picture {
        Picture { width, height, background, shapes: Vec::new() }
    }

    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Color) {
        self.shapes.push(Shape::Rect { x, y, width, height, fill });
    }

    pub fn frame(&mut self, x: f64, y: f64, width: f64, height: f64, stroke: Color) {
        self.shapes.push(Shape::Frame { x, y, width, height, stroke });
    }

    pub fn line(&mut self, points: Vec<(f64, f64)>, stroke: Color, width: u32) {
        self.shapes.push(Shape::Line { points, stroke, width });
    }

    pub fn text(&mut self, x: f64, y: f64, text: impl Into<String>, size: f64, fill: Color) {
        self.anchored(x, y, text, size, fill, Anchor::Start);
    }

    pub fn anchored(
        &mut self,
        x: f64,
        y: f64,
        text: impl Into<String>,
        size: f64,
        fill: Color,
        anchor: Anchor,
    ) {
        self.shapes.push(Shape::Text { x, y, text: text.into(), size, fill, anchor });
    }

    /// A line with a head at its end.
    pub fn arrow(&mut self, from: (f64, f64), to: (f64, f64), stroke: Color, head: f64) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        self.line(vec![from, to], stroke, 1);
        if length < head {
            return;
        }
        let (ux, uy) = (dx / length, dy / length);
        let base = (to.0 - ux * head, to.1 - uy * head);
        let half = head * 0.45;
        let points = vec![
            to,
            (base.0 - uy * half, base.1 + ux * half),
            (base.0 + uy * half, base.1 - ux * half),
        ];
        self.shapes.push(Shape::Polygon { points, fill: stroke });
    }

    /// As an SVG document. Texts are escaped; there is no script, style sheet or outside reference in it.
    pub fn svg(&self) -> Result<String, DrawError> {
        paint::svg(self)
    }

    /// As PNG bytes, `scale` pixels to a logical one (2 reads well on dense screens).
    pub fn png(&self, scale: u32) -> Result<Vec<u8>, DrawError> {
        paint::png(self, scale.clamp(1, 4))
    }
}

/// Width of a text set in `size`, in logical pixels.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * font::ADVANCE_PER_SIZE
}

/// As much of `text` as fits into `width`, with an ellipsis where it was cut; empty if not even two characters fit.
pub fn fit_text(text: &str, size: f64, width: f64) -> String {
    let room = (width / (size * font::ADVANCE_PER_SIZE)).floor().max(0.0) as usize;
    if text.chars().count() <= room {
        return text.to_owned();
    }
    if room < 3 {
        return String::new();
    }
    let mut cut: String = text.chars().take(room - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::{Anchor, Color, Picture, fit_text, text_width};

    fn sample() -> Picture {
        let mut picture = Picture::new(120, 40, Color::rgb(0x20, 0x24, 0x2c));
        picture.rect(10.0, 10.0, 40.0, 12.0, Color::rgb(0x4e, 0x9a, 0xd8));
        picture.arrow((50.0, 16.0), (100.0, 30.0), Color::rgb(0xd8, 0xa0, 0x4e), 6.0);
        picture.anchored(60.0, 8.0, "a < b & c", 11.0, Color::rgb(255, 255, 255), Anchor::Middle);
        picture
    }

    #[test]
    fn svg_is_one_escaped_document() {
        let svg = sample().svg().unwrap();
        assert!(svg.starts_with("<svg "), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
        assert!(!svg.contains("<style") && !svg.contains("<script"));
    }

    #[test]
    fn control_characters_do_not_break_the_document() {
        let mut picture = Picture::new(50, 20, Color::rgb(0, 0, 0));
        picture.text(1.0, 1.0, "a\u{0}b\nc", 10.0, Color::rgb(9, 9, 9));
        assert!(picture.svg().unwrap().contains("a b c"));
    }

    #[test]
    fn png_has_the_scaled_size_and_the_drawn_colours() {
        let bytes = sample().png(2).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (240, 80));
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let at = |x: usize, y: usize| &pixels[(y * 240 + x) * 3..(y * 240 + x) * 3 + 3];
        assert_eq!(at(0, 0), [0x20, 0x24, 0x2c]);
        assert_eq!(at(40, 30), [0x4e, 0x9a, 0xd8]);
        assert!(pixels.chunks(3).any(|p| p == [255, 255, 255]), "the text was drawn");
    }

    #[test]
    fn both_forms_draw_a_picture_of_nothing() {
        let picture = Picture::new(0, 0, Color::rgb(0, 0, 0));
        assert!(picture.svg().is_ok());
        assert!(picture.png(1).is_ok());
    }

    #[test]
    fn labels_are_cut_to_what_fits() {
        assert_eq!(fit_text("abc", 10.0, text_width("abc", 10.0)), "abc");
        assert_eq!(fit_text("abcdef", 10.0, text_width("abcd", 10.0)), "abc…");
        assert_eq!(fit_text("abcdef", 10.0, 3.0), "");
    }
}
