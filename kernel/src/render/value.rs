//! A value of the language: its `show` text, and a table where that reads better.

use serde_json::{Value, json};

use super::bundle::Bundle;
use super::html;
use super::media;
use super::table::{self, VALUES};
use super::text::{Ink, lines_of, one_line};
use super::{MimeBundle, Style};
use crate::output::table::{TableView, ValueView};

/// Longer texts are cut with a count: a screen is not a file.
const TEXT_CHARS: usize = 10_000;
/// A list that is longer is cut in a terminal: some ten lines.
const SCREEN_CHARS: usize = 800;
/// Data beyond this stays out of the notebook file.
const JSON_BYTES: usize = 256 * 1024;

pub fn mime(view: &ValueView) -> MimeBundle {
    if let Some(media) = &view.media {
        return media::mime(view, media);
    }
    let mut bundle = Bundle::new(plain(view));
    if let Some(table) = &view.table {
        let notes: String =
            view.notes.iter().map(|note| html::text("div", html::WARN, note)).collect();
        bundle = bundle.html(table::to_html(table, VALUES) + &notes);
    } else if !view.notes.is_empty() {
        let text = html::text("pre", "margin:0;white-space:pre-wrap;", &cut(&view.text));
        let notes: String =
            view.notes.iter().map(|note| html::text("div", html::WARN, note)).collect();
        bundle = bundle.html(text + &notes);
    }
    bundle.facts("value", facts(view)).done()
}

pub fn terminal(view: &ValueView, style: &Style) -> String {
    let mut out = match (&view.media, &view.table) {
        (Some(media), _) => media::terminal(media, style),
        (None, Some(table)) => table::to_text(table, style, VALUES),
        (None, None) => lines_of(&screenful(&view.text)) + "\n",
    };
    for note in &view.notes {
        out.push_str(&style.ink(Ink::Warning, &one_line(note)));
        out.push('\n');
    }
    out
}

pub fn table_mime(table: &TableView) -> MimeBundle {
    let plain = table::to_text(table, &Style::PLAIN, table::PANELS);
    let facts = serde_json::to_value(table).unwrap_or(Value::Null);
    Bundle::new(plain).html(table::to_html(table, table::PANELS)).facts("table", facts).done()
}

fn plain(view: &ValueView) -> String {
    let mut out = cut(&view.text);
    for note in &view.notes {
        out.push_str("\n// ");
        out.push_str(&one_line(note));
    }
    out
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS) {
        None => text.to_owned(),
        Some((at, _)) => {
            let (kept, rest) = text.split_at(at);
            format!("{kept}… {} more characters", rest.chars().count())
        }
    }
}

/// A long list or map, cut behind an element: a terminal is read from its last line. What does not look like elements is
/// cut as everywhere.
fn screenful(text: &str) -> String {
    let Some((at, _)) = text.char_indices().nth(SCREEN_CHARS) else { return text.to_owned() };
    let is_list = text.starts_with(['[', '{']) && text.ends_with([']', '}']);
    let commas = elements(text).filter(|_| is_list);
    let ends: Vec<usize> = commas.into_iter().flatten().collect();
    let kept = ends.iter().filter(|end| **end <= at).count();
    match ends.get(kept.wrapping_sub(1)) {
        Some(end) if kept < ends.len() => {
            let more = ends.len() + 1 - kept;
            let close = text.chars().last().unwrap_or(']');
            format!("{}, … {more} more{close} (`print` shows all)", text.get(..*end).unwrap_or(""))
        }
        _ => cut(text),
    }
}

/// Where the elements of the outermost bracket end, but the last; none if the brackets do not fit.
fn elements(text: &str) -> Option<Vec<usize>> {
    let (mut depth, mut in_text, mut escaped) = (0_i32, false, false);
    let mut ends = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            ',' if depth == 1 => ends.push(at),
            _ => {}
        }
    }
    (depth == 0).then_some(ends)
}

fn facts(view: &ValueView) -> Value {
    let mut facts = json!({ "type": view.type_name, "text": cut(&view.text) });
    if let (Some(map), Some(value)) = (facts.as_object_mut(), &view.json) {
        if value.to_string().len() <= JSON_BYTES {
            map.insert("value".to_owned(), value.clone());
        } else {
            map.insert("value_left_out".to_owned(), json!("too large for a notebook"));
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::{mime, terminal};
    use crate::output::table::ValueView;
    use crate::render::Style;

    #[test]
    fn a_plain_value_is_plain_text() {
        let view = ValueView { text: "Decision.Hold".into(), ..ValueView::default() };
        let bundle = mime(&view);
        assert_eq!(bundle.data["text/plain"], "Decision.Hold");
        assert!(!bundle.data.contains_key("text/html"));
        assert_eq!(terminal(&view, &Style::PLAIN), "Decision.Hold\n");
    }

    #[test]
    fn a_stale_value_says_so() {
        let notes = vec!["stale: `price` changed".to_owned()];
        let view = ValueView { text: "1".into(), notes, ..ValueView::default() };
        assert_eq!(mime(&view).data["text/plain"], "1\n// stale: `price` changed");
        assert_eq!(terminal(&view, &Style::PLAIN), "1\nstale: `price` changed\n");
    }

    #[test]
    fn long_lists_are_cut_behind_an_element_in_a_terminal() {
        let all: Vec<String> = (0..2000).map(|n| format!("[{n}, \"a,{n}]\"]")).collect();
        let text = format!("[{}]", all.join(", "));
        let view = ValueView { text: text.clone(), ..ValueView::default() };
        let shown = terminal(&view, &Style::PLAIN);
        let kept = shown.matches("a,").count();
        let end = format!("\"a,{}]\"], … {} more] (`print` shows all)\n", kept - 1, 2000 - kept);
        assert!(shown.ends_with(&end) && shown.len() < 900, "{shown}");
        let short = ValueView { text: text[..8].to_owned() + "]", ..ValueView::default() };
        assert!(!terminal(&short, &Style::PLAIN).contains('…'));
    }

    #[test]
    fn endless_texts_are_cut_with_a_count() {
        let view = ValueView { text: "é".repeat(10_005), ..ValueView::default() };
        assert!(terminal(&view, &Style::PLAIN).ends_with("é… 5 more characters\n"));
    }
}
