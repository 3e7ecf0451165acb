//! Colours of pictures.

use std::fmt;

/// Red, green, blue, and how opaque it is, from 0.0 to 1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
    pub alpha: f64,
}

impl Color {
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Color {
        Color { red, green, blue, alpha: 1.0 }
    }

    pub const fn hex(code: u32) -> Color {
        Color::rgb((code >> 16) as u8, (code >> 8) as u8, code as u8)
    }

    pub const fn with_alpha(self, alpha: f64) -> Color {
        Color { alpha, ..self }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}
