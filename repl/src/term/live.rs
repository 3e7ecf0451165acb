//! The part of a terminal that can still be changed: bars that are redrawn, the last display, what a cell has shown.
//!
//! Events in, text to write out; it writes nothing itself. Without a size (a pipe, TERM=dumb) nothing is ever rewritten:
//! updates are told anew with a mark.

use ag_kernel::output::ProgressView;
use ag_kernel::render::text::columns;

/// Bars drawn at a time; more would push everything else away.
const BARS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

#[derive(Default)]
pub struct Live {
    size: Option<Size>,
    /// Bars that are not full, in order of appearance, with their drawing.
    bars: Vec<(String, String)>,
    /// Rows of bars below the text; the cursor is at the end of the last.
    drawn: usize,
    /// Rows the cell has written, and how far the cursor is into the next.
    rows: usize,
    column: usize,
    /// The display that is the last thing written, and its rows.
    last: Option<(String, usize)>,
    is_clear_due: bool,
}

impl Live {
    pub fn resize(&mut self, size: Option<Size>) {
        self.size = size.filter(|size| size.columns > 0 && size.rows > 1);
    }

    pub fn is_mid_line(&self) -> bool {
        self.column > 0
    }

    /// What to write before and after a text. Parts of a line may follow each other; anything else begins a line.
    pub fn around(&mut self, text: &str, is_part: bool) -> (String, String) {
        let mut before = self.erase_bars();
        if std::mem::take(&mut self.is_clear_due) {
            before.push_str(&self.clear_now());
        }
        if self.column > 0 && !is_part {
            before.push_str(&self.newline());
        }
        self.last = None;
        self.track(text);
        (before, self.draw_bars())
    }

    /// A display or its update: in place where it is the last thing written, else as the text with the mark.
    pub fn display(&mut self, id: &str, update: bool, text: &str, marked: &str) -> String {
        let in_place = match (&self.last, self.size) {
            (Some((last, rows)), Some(size)) => update && last == id && *rows < size.rows,
            _ => false,
        };
        if !in_place || self.is_clear_due {
            let text = if update { marked } else { text };
            let (before, after) = self.around(text, false);
            self.remember(id, text);
            return format!("{before}{text}{after}");
        }
        let rows = self.last.take().map_or(0, |(_, rows)| rows);
        let erased = self.erase_bars() + &up(rows);
        self.rows = self.rows.saturating_sub(rows);
        self.track(text);
        self.remember(id, text);
        format!("{erased}{text}{}", self.draw_bars())
    }

    /// A state of a bar with its drawing.
    pub fn progress(&mut self, view: &ProgressView, drawing: String) -> String {
        let mut out = self.erase_bars();
        if std::mem::take(&mut self.is_clear_due) {
            out.push_str(&self.clear_now());
        }
        if self.column > 0 {
            out.push_str(&self.newline());
        }
        let at = self.bars.iter().position(|(id, _)| *id == view.id);
        if view.done >= view.total {
            at.map(|at| self.bars.remove(at));
            self.last = None;
            let line = drawing + "\n";
            self.track(&line);
            out.push_str(&line);
        } else {
            match at.and_then(|at| self.bars.get_mut(at)) {
                Some((_, old)) => *old = drawing,
                None => self.bars.push((view.id.clone(), drawing)),
            }
        }
        out + &self.draw_bars()
    }

    pub fn clear(&mut self, wait: bool) -> String {
        if self.size.is_none() {
            return String::new();
        }
        self.is_clear_due = wait;
        if wait { String::new() } else { self.erase_bars() + &self.clear_now() }
    }

    /// The line the cursor is in was wiped.
    pub fn forget_line(&mut self) {
        self.column = 0;
    }

    /// The person ended a line with Enter.
    pub fn entered(&mut self) {
        self.rows += 1;
        self.column = 0;
    }

    /// The cell ended: what it has shown stays.
    pub fn end(&mut self) -> String {
        let out = if self.drawn > 0 { "\n" } else { "" };
        *self = Live { size: self.size, column: self.column, ..Live::default() };
        out.to_owned()
    }

    fn remember(&mut self, id: &str, text: &str) {
        let Some(size) = self.size.filter(|_| text.ends_with('\n')) else { return };
        let rows = text.lines().map(|line| rows_of(columns(&bare(line)), size.columns)).sum();
        self.last = Some((id.to_owned(), rows));
    }

    fn newline(&mut self) -> String {
        self.track("\n");
        "\n".to_owned()
    }

    /// Where the cursor is after a text.
    fn track(&mut self, text: &str) {
        let text = bare(text);
        let width = self.size.map_or(usize::MAX, |size| size.columns);
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.rows += rows_of(self.column, width);
                self.column = 0;
            }
            self.column += columns(line);
        }
    }

    fn clear_now(&mut self) -> String {
        let Some(size) = self.size else { return String::new() };
        let rows = self.rows + self.column / size.columns;
        let is_empty = rows == 0 && self.column == 0;
        *self = Live { size: self.size, ..Live::default() };
        match rows {
            _ if is_empty => String::new(),
            rows if rows < size.rows => up(rows),
            _ => "\x1b[2J\x1b[H".to_owned(),
        }
    }

    fn erase_bars(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            rows => up(rows - 1),
        }
    }

    fn draw_bars(&mut self) -> String {
        if self.size.is_none() || self.column > 0 {
            return String::new();
        }
        let first = self.bars.len().saturating_sub(BARS);
        let drawings = self.bars.iter().skip(first).map(|(_, drawing)| drawing.as_str());
        let drawings: Vec<&str> = drawings.collect();
        self.drawn = drawings.len();
        drawings.join("\n")
    }
}

/// To the start of the line so many rows above, and nothing left from there on.
fn up(rows: usize) -> String {
    match rows {
        0 => "\r\x1b[J".to_owned(),
        rows => format!("\r\x1b[{rows}A\x1b[J"),
    }
}

fn rows_of(line: usize, width: usize) -> usize {
    line.div_ceil(width).max(1)
}

/// Without the codes that colour.
fn bare(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use ag_kernel::output::ProgressView;

    use super::{Live, Size};

    fn terminal() -> Live {
        let mut live = Live::default();
        live.resize(Some(Size { columns: 20, rows: 10 }));
        live
    }

    fn write(live: &mut Live, text: &str) -> String {
        let (before, after) = live.around(text, true);
        before + text + &after
    }

    fn bar(live: &mut Live, id: &str, done: u64) -> String {
        let label = String::new();
        let view = ProgressView { id: id.into(), label, done, total: 9, update: done > 0 };
        live.progress(&view, format!("{id} {done}"))
    }

    #[test]
    fn a_bar_is_redrawn_below_what_is_printed() {
        let mut live = terminal();
        assert_eq!(bar(&mut live, "a", 0), "a 0");
        assert_eq!(bar(&mut live, "a", 1), "\r\x1b[Ja 1");
        assert_eq!(write(&mut live, "x\n"), "\r\x1b[Jx\na 1");
        assert_eq!(bar(&mut live, "b", 1), "\r\x1b[Ja 1\nb 1");
        assert_eq!(bar(&mut live, "a", 9), "\r\x1b[1A\x1b[Ja 9\nb 1");
        assert_eq!(live.end(), "\n");
        assert_eq!(live.end(), "");
    }

    #[test]
    fn the_last_display_is_replaced_in_place() {
        let mut live = terminal();
        assert_eq!(live.display("d", false, "one\n", "updated: one\n"), "one\n");
        assert_eq!(live.display("d", true, "1\n2\n", "m"), "\r\x1b[1A\x1b[J1\n2\n");
        // A line of 30 columns takes two rows of this terminal.
        let long = "x".repeat(30) + "\n";
        assert_eq!(live.display("d", true, &long, "m"), format!("\r\x1b[2A\x1b[J{long}"));
        assert_eq!(live.display("d", true, "1\n", "m"), "\r\x1b[2A\x1b[J1\n");
        write(&mut live, "other\n");
        assert_eq!(live.display("d", true, "2\n", "updated: 2\n"), "updated: 2\n");
    }

    #[test]
    fn a_cell_takes_back_what_it_has_shown() {
        let mut live = terminal();
        assert_eq!(live.clear(false), "");
        write(&mut live, "a\nb\n\x1b[31mc\x1b[0m");
        assert_eq!(live.clear(false), "\r\x1b[2A\x1b[J");
        write(&mut live, "a\n");
        assert_eq!(live.clear(true), "");
        assert_eq!(write(&mut live, "b\n"), "\r\x1b[1A\x1b[Jb\n");
        (0..10).for_each(|_| drop(write(&mut live, "a\n")));
        assert_eq!(live.clear(false), "\x1b[2J\x1b[H");
        live.end();
        assert_eq!(live.clear(false), "");
    }

    #[test]
    fn without_a_terminal_nothing_is_rewritten() {
        let mut live = Live::default();
        assert_eq!(live.display("d", false, "1\n", "m"), "1\n");
        assert_eq!(live.display("d", true, "2\n", "updated: 2\n"), "updated: 2\n");
        assert_eq!(live.clear(false) + &live.clear(true), "");
        assert_eq!(write(&mut live, "x"), "x");
        assert_eq!(live.around("y\n", false).0, "\n");
    }
}
