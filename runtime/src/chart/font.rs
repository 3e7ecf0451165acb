//! The faces that come with the program, so that a PNG reads the same on a machine without fonts: Hack for its own pictures,
//! and Ubuntu Light for the texts of SVG that asks for no fixed-width face.

use std::sync::OnceLock;

use ab_glyph::FontRef;

/// SVG viewers replace it by their own fixed-width face, which has nearly the same advance.
pub const FAMILY: &str = "monospace";

/// Advance of every character of a fixed-width face, as a share of the font size (Hack: 1233 of 2048 units an em).
pub const ADVANCE_PER_SIZE: f64 = 0.602;

/// Height of small letters, which viewers of SVG take for `ex` (Hack: 1120 of 2048 units an em).
pub const X_HEIGHT_PER_SIZE: f64 = 0.547;

/// Plotters takes line heights for sizes and divides by this for SVG.
pub const LINE_PER_SIZE: f64 = 1.24;

/// The face, read once a process; none if it is not readable.
pub fn face() -> Option<&'static FontRef<'static>> {
    static FACE: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    FACE.get_or_init(|| FontRef::try_from_slice(epaint_default_fonts::HACK_REGULAR).ok()).as_ref()
}

/// The face of proportional texts; none if it is not readable.
pub fn proportional() -> Option<&'static FontRef<'static>> {
    static FACE: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    FACE.get_or_init(|| FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).ok()).as_ref()
}
