//! What is shown greyed behind the cursor: how an earlier entry goes on, or what the call at hand still takes.
//!
//! Only the first can be taken over; the second only informs.

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
