//! The colours of a terminal, in one place: diagnostics, panels and the text being typed use these and no others.
//!
//! A terminal does not say whether its ground is light or dark, and the sixteen named colours are only sure on one of
//! them (yellow on white, blue on black). These are mid-tones of the 256-colour table with a contrast of at least four to
//! white and to black alike; a test computes it.

/// What comes between `ESC [` and `m`.
pub const RED: &str = "38;5;161";
pub const ORANGE: &str = "38;5;130";
pub const GREEN: &str = "38;5;28";
pub const TEAL: &str = "38;5;30";
pub const BLUE: &str = "38;5;63";
pub const MAGENTA: &str = "38;5;133";
pub const GREY: &str = "38;5;243";

/// What stands out without a colour.
pub const BOLD: &str = "1";

pub const RESET: &str = "\x1b[0m";

/// Text in a colour.
pub fn paint(code: &str, text: &str) -> String {
    format!("\x1b[{code}m{text}{RESET}")
}

#[cfg(test)]
mod tests {
    use super::{BLUE, GREEN, GREY, MAGENTA, ORANGE, RED, TEAL};

    /// The share of the light that one channel of the 256-colour table gives.
    fn light(level: u32) -> f64 {
        let share = f64::from(level) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    }

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(code: &str) -> f64 {
        let number: u32 = code.strip_prefix("38;5;").unwrap().parse().unwrap();
        let [red, green, blue] = match number {
            232..=255 => [8 + 10 * (number - 232); 3],
            16..=231 => [36, 6, 1]
                .map(|place| [0, 95, 135, 175, 215, 255][((number - 16) / place % 6) as usize]),
            _ => panic!("{code}: what it looks like is the theme's choice"),
        };
        0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue)
    }

    #[test]
    fn every_colour_reads_on_white_and_on_black() {
        for code in [RED, ORANGE, GREEN, TEAL, BLUE, MAGENTA, GREY] {
            let luminance = luminance(code);
            let (to_black, to_white) = ((luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05));
            assert!(to_black >= 4.0 && to_white >= 4.0, "{code}: {to_black:.2}, {to_white:.2}");
        }
    }
}
