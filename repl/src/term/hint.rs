//! What is shown greyed behind the cursor: how an earlier entry goes on, or what the call at hand still takes.
//!
//! Only the first can be taken over; the second only informs. Never more than what is left of the line: the rest would push
//! the prompt about.

use ag_kernel::render::text::{clip, columns};
use ag_kernel::session::inspect::Inspector;
use rustyline::Context;
use rustyline::history::SearchDirection;

pub struct Hint {
    display: String,
    completion: Option<String>,
}

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        self.completion.as_deref()
    }
}

/// A hint with less room than this says nothing.
const LEAST: usize = 8;

impl Hint {
    /// What of it has room behind a text: `prompt` columns stand before its first line, and the window has `width`.
    pub fn fitted(mut self, text: &str, prompt: usize, width: usize) -> Option<Hint> {
        let last = text.rsplit('\n').next().unwrap_or_default();
        let before = if text.contains('\n') { 0 } else { prompt };
        let used = (before + columns(last)) % width.max(1);
        // One column stays free: a full line would wrap.
        let room = width.saturating_sub(used + 1);
        self.display = clip(&self.display, room);
        (room >= LEAST).then_some(self)
    }
}

/// The hint for a text with the cursor at its end: directly behind `(` and `,` the parameters, else the history.
pub fn hint(inspector: &Inspector, text: &str, at: usize, context: &Context<'_>) -> Option<Hint> {
    if at < text.len() || text.trim().is_empty() {
        return None;
    }
    let informs = || {
        let display = inspector.hint(text)?;
        Some(Hint { display, completion: None })
    };
    if text.trim_end().ends_with(['(', ',']) {
        return informs().or_else(|| from_history(text, context));
    }
    from_history(text, context).or_else(informs)
}

fn from_history(text: &str, context: &Context<'_>) -> Option<Hint> {
    let history = context.history();
    let last = history.len().checked_sub(1)?;
    let start = context.history_index().min(last);
    let found = history.starts_with(text, start, SearchDirection::Reverse).ok()??;
    let rest = found.entry.get(text.len()..)?;
    // Of several lines the first is enough to recognise them; the others would push the prompt about.
    let display = match rest.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => rest.to_owned(),
    };
    Some(Hint { display, completion: Some(rest.to_owned()) })
}

#[cfg(test)]
mod tests {
    use ag_kernel::render::text::columns;

    use super::Hint;

    fn shown(text: &str, about: &str) -> Option<String> {
        let hint = Hint { display: about.to_owned(), completion: Some(about.to_owned()) };
        let hint = hint.fitted(text, 6, 30)?;
        assert_eq!(hint.completion.as_deref(), Some(about), "what is taken over is whole");
        Some(hint.display)
    }

    #[test]
    fn a_hint_stays_on_its_line() {
        assert_eq!(shown("f(", "n : Int)").as_deref(), Some("n : Int)"));
        let long = "first : List<Float>, second : Text) -> Int";
        for text in ["f(", "let total := f(", "a\nf(", "a text that is longer than its line f("] {
            let before = if text.contains('\n') { 2 } else { 6 + columns(text) };
            let display = shown(text, long).unwrap();
            assert!(display.ends_with('…') && before % 30 + columns(&display) < 30, "{display}");
        }
        assert_eq!(shown("what_leaves_no_roo(", long), None);
    }
}
