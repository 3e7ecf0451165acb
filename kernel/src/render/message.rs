//! The small outputs: notes, pages, progress, and content the program made itself.

use serde_json::{Value, json};

use super::bundle::Bundle;
use super::number::share;
use super::text::{Ink, bar, lines_of, one_line};
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

/// One line without its end: the terminal rewrites it in place.
pub fn progress_terminal(view: &ProgressView, style: &Style) -> String {
    let filled = format!("{:<20}", bar(share(view.done as f64, view.total as f64), 20));
    format!("{} ▕{}▏", one_line(&progress_text(view)), style.ink(Ink::Accent, &filled))
}

pub fn html_mime(html: &str) -> MimeBundle {
    Bundle::new(text_of_html(html)).trusted_html(html.to_owned()).done()
}

pub fn svg_mime(svg: &str) -> MimeBundle {
    Bundle::new("a picture (SVG)").form("image/svg+xml", svg.into()).done()
}

pub fn markdown_mime(text: &str) -> MimeBundle {
    Bundle::new(text).form("text/markdown", text.into()).done()
}

pub fn latex_mime(text: &str) -> MimeBundle {
    Bundle::new(text).form("text/latex", text.into()).done()
}

pub fn vega_mime(spec: &Value) -> MimeBundle {
    Bundle::new(vega_text(spec)).form("application/vnd.vegalite.v5+json", spec.clone()).done()
}

pub fn vega_text(spec: &Value) -> String {
    let rows = spec.pointer("/data/values").and_then(Value::as_array).map_or(0, Vec::len);
    let title = spec.get("title").filter(|title| title.is_string()).cloned();
    format!("a chart of {rows} rows: {}", title.unwrap_or(json!("untitled")))
}

/// The words of a piece of HTML: tags dropped, the five entities of XML resolved.
pub fn text_of_html(html: &str) -> String {
    let mut out = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match (in_tag, c) {
            (false, '<') => in_tag = true,
            (true, '>') => in_tag = false,
            (false, c) => out.push(c),
            (true, _) => {}
        }
    }
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(out, |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::{progress_terminal, text_of_html};
    use crate::output::ProgressView;
    use crate::render::Style;

    #[test]
    fn words_of_html() {
        assert_eq!(text_of_html("<p style=\"a\">1 &lt; 2 &amp;lt;</p>"), "1 < 2 &lt;");
    }

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
