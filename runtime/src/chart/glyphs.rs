//! Letters of a PNG, each where its face puts it: the pen keeps fractions of a pixel, and a letter its own bearing.
//!
//! Plotters' own way rounds the pen down and drops the bearing, so that `i` and `l` stick to the letter before them.

use ab_glyph::{Font, FontRef, Glyph, GlyphId, PxScale, ScaleFont, point};
use plotters::backend::DrawingBackend;
use plotters::style::{Color as _, RGBAColor};

use super::{Anchor, DrawError, font};

/// A line of text, in pixels. `x` is where `anchor` says, `y` the middle of its small letters, as SVG has it.
pub struct Line<'a> {
    pub text: &'a str,
    pub at: (f64, f64),
    pub size: f64,
    pub anchor: Anchor,
}

impl Line<'_> {
    /// The outlines' places, left to right. The face has to be readable; without it there are none.
    fn glyphs(&self) -> Vec<Glyph> {
        let Some(face) = font::face() else { return Vec::new() };
        let scale = scale(face, self.size);
        let scaled = face.as_scaled(scale);
        let mut pen = 0.0;
        let mut before: Option<GlyphId> = None;
        let mut out = Vec::new();
        for c in self.text.chars() {
            let id = face.glyph_id(c);
            pen += before.map_or(0.0, |before| scaled.kern(before, id));
            out.push(id.with_scale_and_position(scale, point(pen, 0.0)));
            pen += scaled.h_advance(id);
            before = Some(id);
        }
        let left = self.at.0 as f32
            - match self.anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => pen / 2.0,
                Anchor::End => pen,
            };
        // Only a whole-pixel baseline keeps the feet of letters sharp; the eye does not see half a pixel up or down.
        let baseline = (self.at.1 + self.size * font::X_HEIGHT_PER_SIZE / 2.0).round() as f32;
        for glyph in &mut out {
            glyph.position += point(left, baseline);
        }
        out
    }

    pub fn draw<B: DrawingBackend>(
        &self,
        backend: &mut B,
        color: RGBAColor,
    ) -> Result<(), DrawError> {
        let Some(face) = font::face() else { return Ok(()) };
        let (width, height) = backend.get_size();
        for outline in self.glyphs().into_iter().filter_map(|glyph| face.outline_glyph(glyph)) {
            let corner = outline.px_bounds().min;
            let mut inked = Vec::new();
            outline.draw(|x, y, coverage| inked.push((x, y, coverage)));
            for (x, y, coverage) in inked {
                let at = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                let inside =
                    (0..width as i32).contains(&at.0) && (0..height as i32).contains(&at.1);
                if inside && coverage > 0.0 {
                    let ink = color.mix(f64::from(coverage.min(1.0))).to_backend_color();
                    backend.draw_pixel(at, ink).map_err(|error| DrawError(error.to_string()))?;
                }
            }
        }
        Ok(())
    }
}

/// Sizes are those of an em, as in SVG; ab_glyph counts in lines.
fn scale(face: &FontRef<'_>, size: f64) -> PxScale {
    let per_em = face.units_per_em().map_or(1.0, |units| face.height_unscaled() / units);
    PxScale::from(size as f32 * per_em)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::chart::color::Color;
    use crate::chart::{Anchor, Picture, font, text_width};

    const WIDTH: u32 = 400;
    const HEIGHT: u32 = 40;

    /// How much ink each column has, and each row, of a text that starts at `x` in a PNG of two pixels to one.
    fn ink(text: &str, x: f64, size: f64, anchor: Anchor) -> (Vec<f64>, Vec<f64>) {
        let mut picture = Picture::new(WIDTH, HEIGHT, Color::hex(0));
        picture.anchored(x, 20.0, text, size, Color::hex(0xff_ffff), anchor);
        let bytes = picture.png(2).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let width = WIDTH as usize * 2;
        let mut sums = (vec![0.0; width], vec![0.0; HEIGHT as usize * 2]);
        for (at, pixel) in pixels.chunks(3).enumerate() {
            sums.0[at % width] += f64::from(pixel[0]);
            sums.1[at / width] += f64::from(pixel[0]);
        }
        sums
    }

    /// The middle of the ink between two logical columns, in logical pixels.
    fn middle(columns: &[f64], from: f64, to: f64) -> f64 {
        let (from, to) = ((from * 2.0).round() as usize, (to * 2.0).round() as usize);
        let (mut sum, mut moment) = (0.0, 0.0);
        for (at, ink) in columns.iter().enumerate().take(to).skip(from) {
            sum += ink;
            moment += ink * (at as f64 + 0.5);
        }
        moment / sum / 2.0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// A letter stands as many advances from the start as letters are before it, to a fifth of a pixel. The letters
        /// here are narrow, so the ink of one never reaches into the cell of its neighbour.
        #[test]
        fn gaps_between_letters_are_their_advances(
            word in "[ioltcs1|vxz]{2,24}", size in 9.0_f64..14.0, x in 10.0_f64..30.0,
        ) {
            let advance = size * font::ADVANCE_PER_SIZE;
            let (columns, _) = ink(&word, x, size, Anchor::Start);
            for (at, letter) in word.chars().enumerate() {
                let (alone, _) = ink(&letter.to_string(), x, size, Anchor::Start);
                let left = x + at as f64 * advance;
                let found = middle(&columns, left, left + advance) - left;
                let wanted = middle(&alone, x, x + advance) - x;
                prop_assert!((found - wanted).abs() < 0.2, "{letter} in {word}: {found}, {wanted}");
            }
        }

        #[test]
        fn an_anchored_text_has_the_same_letters_elsewhere(
            word in "[a-z0-9]{1,12}", size in 9.0_f64..14.0,
        ) {
            let width = text_width(&word, size);
            let place = |anchor| middle(&ink(&word, 200.0, size, anchor).0, 0.0, 400.0);
            let start = place(Anchor::Start);
            prop_assert!((start - width / 2.0 - place(Anchor::Middle)).abs() < 0.1);
            prop_assert!((start - width - place(Anchor::End)).abs() < 0.1);
        }
    }

    /// A letter's own bearing: what is symmetric stands in the middle of its cell.
    #[test]
    fn symmetric_letters_stand_in_the_middle_of_their_cells() {
        for letter in ["o", "H", "|", "x", "A", "8", "T"] {
            let (columns, _) = ink(letter, 20.0, 12.0, Anchor::Start);
            let cell = 12.0 * font::ADVANCE_PER_SIZE;
            let found = middle(&columns, 20.0, 20.0 + cell);
            assert!((found - 20.0 - cell / 2.0).abs() < 0.3, "{letter}: {found}");
        }
    }

    /// `y` is the middle of small letters, and an em is as many pixels as in SVG.
    #[test]
    fn small_letters_stand_around_the_middle() {
        let (_, rows) = ink("xzv", 20.0, 20.0, Anchor::Start);
        let inked: Vec<usize> = (0..rows.len()).filter(|row| rows[*row] > 200.0).collect();
        let (top, bottom) = (inked[0], inked[inked.len() - 1] + 1);
        let height = (bottom - top) as f64 / 2.0;
        assert!((height - 20.0 * font::X_HEIGHT_PER_SIZE).abs() <= 0.5, "{height}");
        assert!(((top + bottom) as f64 / 4.0 - 20.0).abs() <= 0.5, "{top} {bottom}");
    }

    #[test]
    fn a_text_that_leaves_the_picture_is_cut() {
        let (columns, _) = ink(&"m".repeat(200), 10.0, 12.0, Anchor::Middle);
        assert!(columns[0] > 0.0 && columns[columns.len() - 1] > 0.0);
    }
}
