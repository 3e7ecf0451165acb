//! The one face of all pictures: Hack, which comes with the program, so that a PNG reads the same on a machine without fonts.

use std::sync::OnceLock;

use plotters::style::{FontStyle, register_font};

/// SVG viewers replace it by their own fixed-width face, which has nearly the same advance.
pub const FAMILY: &str = "monospace";

/// Advance of every character of a fixed-width face, as a share of the font size (Hack: 1233 of 2048 units an em).
pub const ADVANCE_PER_SIZE: f64 = 0.602;

/// Plotters takes line heights for sizes and divides by this for SVG.
pub const LINE_PER_SIZE: f64 = 1.24;

/// Whether the face could be registered; it is done once a process.
pub fn register() -> bool {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    *REGISTERED.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, epaint_default_fonts::HACK_REGULAR).is_ok()
    })
}
