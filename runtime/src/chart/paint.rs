//! Draws a picture through the two backends of plotters. It only translates: no layout, no colours of its own.

use plotters::backend::{BitMapBackend, DrawingBackend, RGBPixel, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle,
};

use super::glyphs::Line;
use super::{Anchor, Color, DrawError, Picture, Shape, font};

/// How logical pixels become those of a backend.
#[derive(Clone, Copy)]
struct Raster {
    scale: f64,
    letters: Letters,
}

/// Who sets a text: the viewer that the backend writes for, or this program.
#[derive(Clone, Copy)]
enum Letters {
    Viewer,
    Own,
}

pub fn svg(picture: &Picture) -> Result<String, DrawError> {
    let mut text = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut text, (picture.width, picture.height));
        draw(&mut backend, picture, Raster { scale: 1.0, letters: Letters::Viewer })?;
    }
    // Narrower places than the picture show it whole, not cut; the view box keeps its proportions.
    Ok(text.replacen("<svg ", "<svg style=\"max-width:100%;height:auto\" ", 1))
}

pub fn png(picture: &Picture, scale: u32) -> Result<Vec<u8>, DrawError> {
    if font::face().is_none() {
        return Err(DrawError("the built-in font is not readable".to_owned()));
    }
    // A PNG has at least one pixel.
    let (width, height) = ((picture.width * scale).max(1), (picture.height * scale).max(1));
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let mut backend = BitMapBackend::<RGBPixel>::with_buffer(&mut pixels, (width, height));
        let raster = Raster { scale: f64::from(scale), letters: Letters::Own };
        draw(&mut backend, picture, raster)?;
    }
    encode(&pixels, width, height)
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, DrawError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| DrawError(error.to_string()))?;
    writer.write_image_data(pixels).map_err(|error| DrawError(error.to_string()))?;
    writer.finish().map_err(|error| DrawError(error.to_string()))?;
    Ok(bytes)
}

fn draw<B: DrawingBackend>(
    backend: &mut B,
    picture: &Picture,
    raster: Raster,
) -> Result<(), DrawError> {
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    let ground = Shape::Rect { x: 0.0, y: 0.0, width, height, fill: picture.background };
    for shape in std::iter::once(&ground).chain(&picture.shapes) {
        draw_shape(backend, shape, raster)?;
    }
    backend.present().map_err(|error| DrawError(error.to_string()))
}

fn draw_shape<B: DrawingBackend>(
    backend: &mut B,
    shape: &Shape,
    raster: Raster,
) -> Result<(), DrawError> {
    let scale = raster.scale;
    let at = |x: f64, y: f64| ((x * scale).round() as i32, (y * scale).round() as i32);
    let drawn = match shape {
        Shape::Rect { x, y, width, height, fill } => {
            let (from, mut to) = (at(*x, *y), at(x + width, y + height));
            // A stretch too short for a pixel still happened.
            to = (to.0.max(from.0 + 1), to.1.max(from.1 + 1));
            backend.draw_rect(from, to, &style(*fill, true, 1), true)
        }
        Shape::Frame { x, y, width, height, stroke } => backend.draw_rect(
            at(*x, *y),
            at(x + width, y + height),
            &style(*stroke, false, 1),
            false,
        ),
        Shape::Line { points, stroke, width } => {
            let thick = (f64::from(*width) * scale).round() as u32;
            let points: Vec<_> = points.iter().map(|(x, y)| at(*x, *y)).collect();
            backend.draw_path(points, &style(*stroke, false, thick))
        }
        Shape::Polygon { points, fill } => {
            let points: Vec<_> = points.iter().map(|(x, y)| at(*x, *y)).collect();
            backend.fill_polygon(points, &style(*fill, true, 1))
        }
        Shape::Circle { x, y, radius, fill } => {
            let radius = (radius * scale).round().max(1.0) as u32;
            backend.draw_circle(at(*x, *y), radius, &style(*fill, true, 1), true)
        }
        Shape::Text { x, y, text, size, fill, anchor } => {
            let text = printable(text);
            match raster.letters {
                Letters::Viewer => {
                    let style = text_style(*size * scale, *fill, *anchor);
                    backend.draw_text(&text, &style, at(*x, *y))
                }
                Letters::Own => {
                    let at = (x * scale, y * scale);
                    let line = Line { text: &text, at, size: size * scale, anchor: *anchor };
                    return line.draw(backend, rgba(*fill));
                }
            }
        }
    };
    drawn.map_err(|error| DrawError(error.to_string()))
}

fn rgba(color: Color) -> RGBAColor {
    RGBAColor(color.red, color.green, color.blue, color.alpha)
}

fn style(color: Color, filled: bool, stroke_width: u32) -> ShapeStyle {
    ShapeStyle { color: rgba(color), filled, stroke_width }
}

fn text_style(size: f64, color: Color, anchor: Anchor) -> TextStyle<'static> {
    let h_pos = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let font = FontDesc::new(
        FontFamily::Name(font::FAMILY),
        size * font::LINE_PER_SIZE,
        FontStyle::Normal,
    )
    .transform(FontTransform::None);
    let color = rgba(color).to_backend_color();
    TextStyle { font, color, pos: Pos::new(h_pos, VPos::Center) }
}

/// XML has no place for control characters, and a picture none for line breaks.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
