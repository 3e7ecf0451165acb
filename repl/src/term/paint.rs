//! What the terminal can show, and lines that are the command's own.

use std::io::{IsTerminal, Write, stderr, stdout};

use ag_kernel::render::Style;
use ag_lang::diag::color::{self, paint};

use crate::term::screen::screen;

/// Outputs are laid out for this width unless the terminal says another.
pub const DEFAULT_WIDTH: usize = 80;
/// Wider than this a table is harder to read, not easier.
const WIDTH_LIMIT: usize = 160;

/// How to render for stdout as it is now: as wide as the window, in colours only on a terminal that has them and if
/// nobody declined them.
pub fn style() -> Style {
    let window = screen().map(|screen| screen.columns as usize);
    let columns = || std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let width = window.or_else(columns).unwrap_or(DEFAULT_WIDTH);
    Style { width: width.clamp(20, WIDTH_LIMIT), color: stdout().is_terminal() && allows_color() }
}

/// NO_COLOR (any text but the empty one) and TERM=dumb decline colours.
pub fn allows_color() -> bool {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !declined && !is_dumb()
}

/// A terminal without cursor movement: lines are read plainly.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// `error: ...` on stderr. A closed stderr is no reason to fail.
pub fn error_line(message: &str) {
    let is_painted = stderr().is_terminal() && allows_color();
    let word = if is_painted { paint(color::RED, "error") } else { "error".to_owned() };
    let _ = writeln!(stderr(), "{word}: {message}");
}

/// Lines as they are.
pub fn text(text: &str) {
    let _ = write!(stdout(), "{text}");
}

/// A line on stdout. A reader that went away (`ag ... | head`) is no failure.
pub fn line(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
