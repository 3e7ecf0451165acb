//! The terminal's size, and whether it is one that can be drawn on. Asked anew each time: windows are resized.

use std::io::{IsTerminal, stdout};

use rustix::termios::{Winsize, tcgetwinsize};

/// A cell of a terminal that does not tell its pixels.
const USUAL_CELL: (u32, u32) = (8, 16);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    pub columns: u32,
    /// Pixels of one cell.
    pub cell: (u32, u32),
}

/// What stdout is shown on; none for a pipe or a file.
pub fn screen() -> Option<Screen> {
    if !stdout().is_terminal() {
        return None;
    }
    tcgetwinsize(stdout()).ok().and_then(of)
}

fn of(size: Winsize) -> Option<Screen> {
    let (columns, rows) = (u32::from(size.ws_col), u32::from(size.ws_row));
    if columns == 0 {
        return None;
    }
    let wide = u32::from(size.ws_xpixel).checked_div(columns).filter(|pixels| *pixels > 0);
    let high = u32::from(size.ws_ypixel).checked_div(rows).filter(|pixels| *pixels > 0);
    Some(Screen { columns, cell: wide.zip(high).unwrap_or(USUAL_CELL) })
}

#[cfg(test)]
mod tests {
    use rustix::termios::Winsize;

    use super::{Screen, of};

    fn size(columns: u16, rows: u16, wide: u16, high: u16) -> Option<Screen> {
        of(Winsize { ws_row: rows, ws_col: columns, ws_xpixel: wide, ws_ypixel: high })
    }

    #[test]
    fn pixels_are_told_or_guessed() {
        assert_eq!(size(80, 24, 0, 0), Some(Screen { columns: 80, cell: (8, 16) }));
        assert_eq!(size(100, 50, 1800, 1750), Some(Screen { columns: 100, cell: (18, 35) }));
        assert_eq!(size(0, 0, 0, 0), None);
    }
}
