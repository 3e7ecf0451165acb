//! A picture as pixels: what a PNG holds, made narrower.

use std::io::Cursor;
use std::ops::Range;

/// Three bytes a pixel, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

/// None for what is no PNG in colour.
pub fn decode(png: &[u8]) -> Option<Pixels> {
    let mut decoder = png::Decoder::new(Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut bytes).ok()?;
    let data = bytes.get(..info.buffer_size())?;
    let samples = match info.color_type {
        png::ColorType::Rgb => 3,
        png::ColorType::Rgba => 4,
        _ => return None,
    };
    let rgb = data.chunks_exact(samples).flat_map(|pixel| pixel.iter().copied().take(3)).collect();
    Some(Pixels { width: info.width, height: info.height, rgb })
}

impl Pixels {
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let from = (y as usize * self.width as usize + x as usize) * 3;
        let pixel = self.rgb.get(from..from + 3).and_then(|pixel| pixel.try_into().ok());
        pixel.unwrap_or_default()
    }

    /// Made at most this wide, each new pixel the mean of those it covers.
    pub fn narrowed(self, width: u32) -> Pixels {
        if width == 0 || width >= self.width {
            return self;
        }
        let height = (u64::from(self.height) * u64::from(width)).div_ceil(u64::from(self.width));
        let height = u32::try_from(height).unwrap_or(1).max(1);
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            let rows = covered(y, height, self.height);
            for x in 0..width {
                rgb.extend(self.mean(covered(x, width, self.width), rows.clone()));
            }
        }
        Pixels { width, height, rgb }
    }

    fn mean(&self, xs: Range<u32>, ys: Range<u32>) -> [u8; 3] {
        let mut sums = [0u32; 3];
        let mut count = 0;
        for y in ys {
            for x in xs.clone() {
                let parts = sums.iter_mut().zip(self.at(x, y));
                parts.for_each(|(sum, part)| *sum += u32::from(part));
                count += 1;
            }
        }
        sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
    }
}

/// The old places, of `old` in all, that the new place `at` of `new` covers: at least one.
fn covered(at: u32, new: u32, old: u32) -> Range<u32> {
    let place = |at: u32| {
        u32::try_from(u64::from(at) * u64::from(old) / u64::from(new.max(1))).unwrap_or(old)
    };
    let from = place(at).min(old.saturating_sub(1));
    from..place(at + 1).clamp(from + 1, old.max(from + 1))
}

#[cfg(test)]
pub fn encode(pixels: &Pixels) -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels.rgb).unwrap();
    writer.finish().unwrap();
    png
}

#[cfg(test)]
mod tests {
    use super::{Pixels, decode, encode};

    #[test]
    fn a_png_comes_back_as_it_was() {
        let rgb = (0..4 * 3 * 3).map(|n| n as u8 * 7).collect();
        let pixels = Pixels { width: 4, height: 3, rgb };
        assert_eq!(decode(&encode(&pixels)), Some(pixels));
        assert_eq!(decode(b"no picture"), None);
    }

    #[test]
    fn halves_are_means() {
        let rgb = [[0, 0, 0], [100, 200, 40], [10, 10, 10], [30, 30, 30]].concat();
        let pixels = Pixels { width: 4, height: 1, rgb }.narrowed(2);
        assert_eq!(pixels, Pixels { width: 2, height: 1, rgb: vec![50, 100, 20, 20, 20, 20] });
    }

    #[test]
    fn any_width_covers_every_place() {
        let rgb = vec![9; 101 * 7 * 3];
        for width in [1, 3, 50, 100] {
            let small = Pixels { width: 101, height: 7, rgb: rgb.clone() }.narrowed(width);
            assert!(small.width == width && small.rgb.iter().all(|part| *part == 9));
        }
    }
}
