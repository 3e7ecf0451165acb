//! A small sixel encoder: a palette by median cut, then bands of six rows, each colour on its own.
//!
//! Own, because the pictures are flat colours with smoothed edges, which need nothing finer, and the crates that do it bring
//! twenty others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::pixels::Pixels;

/// Terminals have at least this many registers.
const COLORS: usize = 255;
/// Rows that one character shows.
const BAND: u32 = 6;

/// The picture as one sequence.
pub fn encode(pixels: &Pixels) -> String {
    let palette = Palette::of(pixels);
    let mut out = format!("\x1bPq\"1;1;{};{}", pixels.width, pixels.height);
    for (number, [red, green, blue]) in palette.colors.iter().enumerate() {
        let percent = |part: &u8| (u32::from(*part) * 100 + 127) / 255;
        let _ = write!(out, "#{number};2;{};{};{}", percent(red), percent(green), percent(blue));
    }
    for top in (0..pixels.height).step_by(BAND as usize) {
        band(&mut out, pixels, &palette, top);
        out.push('-');
    }
    out.push_str("\x1b\\");
    out
}

/// Up to six rows: for each colour among them, which of the six each column has in it.
fn band(out: &mut String, pixels: &Pixels, palette: &Palette, top: u32) {
    let width = pixels.width as usize;
    let mut columns: Vec<(usize, Vec<u8>)> = Vec::new();
    for row in 0..BAND.min(pixels.height - top) {
        for x in 0..pixels.width {
            let number = palette.number(pixels.at(x, top + row));
            let at = columns.iter().position(|(known, _)| *known == number).unwrap_or_else(|| {
                columns.push((number, vec![0; width]));
                columns.len() - 1
            });
            if let Some(bits) = columns.get_mut(at).and_then(|(_, bits)| bits.get_mut(x as usize)) {
                *bits |= 1 << row;
            }
        }
    }
    for (number, bits) in columns {
        let _ = write!(out, "#{number}");
        runs(out, &bits);
        // Back to the left: the next colour goes over the same band.
        out.push('$');
    }
}

/// `!n` repeats the character after it.
fn runs(out: &mut String, bits: &[u8]) {
    for run in bits.chunk_by(|a, b| a == b) {
        let c = char::from(b'?' + run.first().copied().unwrap_or_default());
        match run.len() {
            length @ 1..=3 => out.extend(std::iter::repeat_n(c, length)),
            length => {
                let _ = write!(out, "!{length}{c}");
            }
        }
    }
}

struct Palette {
    colors: Vec<[u8; 3]>,
    /// The colour of each kind of pixel.
    numbers: HashMap<u16, usize>,
}

/// Pixels so alike that they are always drawn alike: their mean colour, and how many there are.
#[derive(Clone, Copy)]
struct Alike {
    kind: u16,
    color: [u8; 3],
    count: u64,
}

impl Palette {
    fn of(pixels: &Pixels) -> Palette {
        let mut groups = vec![alike(pixels)];
        while groups.len() < COLORS {
            let widths = groups.iter().map(|group| widest(group).1).enumerate();
            let Some((at, width)) = widths.max_by_key(|(at, width)| (*width, Reverse(*at))) else {
                break;
            };
            if width == 0 {
                break;
            }
            let (one, other) = halves(groups.swap_remove(at));
            groups.extend([one, other]);
        }
        let numbered = groups.iter().enumerate();
        let numbers = numbered.flat_map(|(at, group)| group.iter().map(move |one| (one.kind, at)));
        Palette {
            numbers: numbers.collect(),
            colors: groups.iter().map(|group| mean(group)).collect(),
        }
    }

    fn number(&self, pixel: [u8; 3]) -> usize {
        self.numbers.get(&kind(pixel)).copied().unwrap_or(0)
    }
}

/// All kinds of pixels, by kind, so that equal pictures are equal texts.
fn alike(pixels: &Pixels) -> Vec<Alike> {
    let mut kinds: BTreeMap<u16, ([u64; 3], u64)> = BTreeMap::new();
    for pixel in pixels.rgb.chunks_exact(3).filter_map(|pixel| <[u8; 3]>::try_from(pixel).ok()) {
        let (sums, count) = kinds.entry(kind(pixel)).or_default();
        sums.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += u64::from(part));
        *count += 1;
    }
    let one = |(kind, (sums, count)): (u16, ([u64; 3], u64))| Alike {
        kind,
        color: sums.map(|sum| (sum / count.max(1)) as u8),
        count,
    };
    kinds.into_iter().map(one).collect()
}

fn part(color: [u8; 3], channel: usize) -> u8 {
    color.get(channel).copied().unwrap_or_default()
}

/// The channel in which a group differs most, and by how much.
fn widest(group: &[Alike]) -> (usize, u8) {
    let width = |channel: usize| {
        let parts = || group.iter().map(|one| part(one.color, channel));
        parts().max().unwrap_or(0) - parts().min().unwrap_or(0)
    };
    (0..3)
        .map(|channel| (channel, width(channel)))
        .max_by_key(|(_, width)| *width)
        .unwrap_or((0, 0))
}

/// Cut where half of the pixels are on each side, both sides with something.
fn halves(mut group: Vec<Alike>) -> (Vec<Alike>, Vec<Alike>) {
    let (channel, _) = widest(&group);
    group.sort_by_key(|one| (part(one.color, channel), one.kind));
    let all: u64 = group.iter().map(|one| one.count).sum();
    let mut seen = 0;
    let middle = group.iter().position(|one| {
        seen += one.count;
        seen * 2 >= all
    });
    let cut = middle.map_or(1, |at| at + 1).clamp(1, group.len().saturating_sub(1).max(1));
    let other = group.split_off(cut);
    (group, other)
}

fn mean(group: &[Alike]) -> [u8; 3] {
    let count: u64 = group.iter().map(|one| one.count).sum();
    [0, 1, 2].map(|channel| {
        let sum: u64 =
            group.iter().map(|one| u64::from(part(one.color, channel)) * one.count).sum();
        (sum / count.max(1)) as u8
    })
}

/// Pixels that differ in the last three bits of a channel only are one kind.
fn kind([red, green, blue]: [u8; 3]) -> u16 {
    u16::from(red >> 3) << 10 | u16::from(green >> 3) << 5 | u16::from(blue >> 3)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::iter::Peekable;
    use std::str::Chars;

    use super::encode;
    use crate::term::image::pixels::Pixels;

    fn numbers(rest: &mut Peekable<Chars<'_>>) -> Vec<u32> {
        let is_part = |c: &char| c.is_ascii_digit() || *c == ';';
        let text: String = std::iter::from_fn(|| rest.next_if(is_part)).collect();
        text.split(';').map(|part| part.parse().unwrap()).collect()
    }

    /// Draws a sequence as a terminal does.
    fn draw(text: &str, width: u32, height: u32) -> Vec<[u8; 3]> {
        let body = text.strip_prefix("\x1bPq").unwrap().strip_suffix("\x1b\\").unwrap();
        let body = body.strip_prefix(&format!("\"1;1;{width};{height}")).unwrap();
        let mut drawn = vec![[1, 2, 3]; (width * height) as usize];
        let mut colors = HashMap::new();
        let (mut color, mut x, mut top) = (0, 0, 0);
        let mut rest = body.chars().peekable();
        while let Some(c) = rest.next() {
            let (count, c) = match c {
                '!' => (numbers(&mut rest)[0], rest.next().unwrap()),
                c => (1, c),
            };
            match c {
                '#' => {
                    let parts = numbers(&mut rest);
                    color = parts[0];
                    if let [_, 2, red, green, blue] = parts[..] {
                        colors.insert(color, [red, green, blue].map(|p| (p * 255 / 100) as u8));
                    }
                }
                '$' => x = 0,
                '-' => (x, top) = (0, top + 6),
                _ => {
                    let bits = c as u8 - b'?';
                    for column in x..x + count {
                        for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                            drawn[((top + row) * width + column) as usize] = colors[&color];
                        }
                    }
                    x += count;
                }
            }
        }
        drawn
    }

    #[test]
    fn what_is_drawn_is_the_picture() {
        let (width, height) = (37, 20);
        let color = |x: u32, y: u32| match (x / 9 + y / 5) % 3 {
            0 => [255, 0, 0],
            1 => [16, 128, 240],
            _ => [0, 0, 0],
        };
        let all = (0..height).flat_map(|y| (0..width).map(move |x| color(x, y)));
        let rgb: Vec<u8> = all.clone().flatten().collect();
        let drawn = draw(&encode(&Pixels { width, height, rgb }), width, height);
        for (shown, wanted) in drawn.iter().zip(all) {
            let near = shown.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4);
            assert!(near, "{shown:?} for {wanted:?}");
        }
    }

    #[test]
    fn more_colours_than_registers_become_the_nearest() {
        let (width, height) = (64, 64);
        let pixel = |at: u32| [(at % 64 * 4) as u8, (at / 64 * 4) as u8, (at % 64 * 2) as u8];
        let rgb: Vec<u8> = (0..width * height).flat_map(pixel).collect();
        let drawn = draw(&encode(&Pixels { width, height, rgb }), width, height);
        for (at, shown) in drawn.iter().enumerate() {
            let near = shown.iter().zip(pixel(at as u32)).all(|(a, b)| a.abs_diff(b) <= 48);
            assert!(near, "{shown:?} for {:?}", pixel(at as u32));
        }
    }
}
