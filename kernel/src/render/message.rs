//! The small outputs: notes, pages, progress.

use serde_json::Value;

use super::bundle::Bundle;
use super::number::share;
use super::text::{Ink, bar, clip, lines_of, one_line};
use super::{MimeBundle, Style, html};
use crate::output::{Note, NoteLevel, Page, ProgressView};

pub fn note_mime(note: &Note) -> MimeBundle {
    let style = match note.level {
        NoteLevel::Info => html::MUTED,
        NoteLevel::Warning | NoteLevel::Alert => html::WARN,
    };
    let html = html::text("div", &format!("{style}white-space:pre-wrap;"), &note_text(note));
    let facts = serde_json::to_value(note).unwrap_or(Value::Null);
    Bundle::new(note_text(note)).html(html).facts("note", facts).done()
}

pub fn note_terminal(note: &Note, style: &Style) -> String {
    let ink = match note.level {
        NoteLevel::Info => Ink::Muted,
        NoteLevel::Warning | NoteLevel::Alert => Ink::Warning,
    };
    style.ink(ink, &lines_of(&note_text(note))) + "\n"
}

fn note_text(note: &Note) -> String {
    match note.level {
        NoteLevel::Alert => format!("alert: {}", note.text),
        NoteLevel::Info | NoteLevel::Warning => note.text.clone(),
    }
}

pub fn page_mime(page: &Page) -> MimeBundle {
    Bundle::new(page.text.clone()).markdown(&page.markdown).done()
}

pub fn progress_mime(view: &ProgressView) -> MimeBundle {
    let filled = share(view.done as f64, view.total as f64);
    let label = html::text("div", "font-size:90%;", &progress_text(view));
    let bar = html::element("div", "max-width:30em;", &html::bar(&[(filled, "#4c8ed9")], 8));
    let facts = serde_json::to_value(view).unwrap_or(Value::Null);
    Bundle::new(progress_text(view)).html(label + &bar).facts("progress", facts).done()
}

fn progress_text(view: &ProgressView) -> String {
    let label = if view.label.is_empty() { "progress" } else { &view.label };
    format!("{label}: {} of {}", view.done, view.total)
}

/// Columns of a bar.
const BAR: usize = 20;

/// One line without its end: the terminal rewrites it in place.
pub fn progress_terminal(view: &ProgressView, style: &Style) -> String {
    let filled = bar(share(view.done as f64, view.total as f64), BAR);
    let filled = format!("{filled:<BAR$}");
    // More than a line could not be rewritten.
    let words = clip(&one_line(&progress_text(view)), style.width.saturating_sub(BAR + 4));
    format!("{words} ▕{}▏", style.ink(Ink::Accent, &filled))
}

#[cfg(test)]
mod tests {
    use super::progress_terminal;
    use crate::output::ProgressView;
    use crate::render::Style;

    #[test]
    fn progress_of_nothing_is_empty() {
        let view =
            ProgressView { id: "p".into(), label: String::new(), done: 0, total: 0, update: false };
        assert_eq!(
            progress_terminal(&view, &Style::PLAIN),
            "progress: 0 of 0 ▕                    ▏"
        );
    }
}
