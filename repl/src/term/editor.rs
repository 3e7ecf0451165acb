//! The line editor of a person's session: history, completion, several lines at a prompt.

use std::sync::Arc;

use ag_kernel::session::Session;
use ag_kernel::session::history::HistoryQuery;
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::history::History;
use rustyline::{ColorMode, CompletionType, Config, ExternalPrinter};

use crate::term::above::Above;
use crate::term::helper::AgHelper;
use crate::term::history::Entries;
use crate::term::keys::{self, Asked};

/// What came from the prompt.
#[derive(Debug, PartialEq, Eq)]
pub enum Entered {
    Text(String),
    /// The text is to go to the person's own editor.
    Edit(String),
    /// Ctrl-C on a text: it is dropped, and is one Up away.
    Dropped,
    /// Ctrl-C on nothing: somebody wants to leave.
    Nothing,
    /// Ctrl-D.
    End,
}

pub struct Editor {
    inner: rustyline::Editor<AgHelper, Entries>,
    asked: Asked,
}

/// Entries of earlier sessions that the terminal can go back to.
const HISTORY_LIMIT: usize = 10_000;

impl Editor {
    pub fn open(session: &Session, above: &Arc<Above>) -> rustyline::Result<Editor> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .auto_add_history(true)
            // Whether there are colours the helper decides; it must be asked in any case, to know what was drawn.
            .color_mode(ColorMode::Enabled)
            .bell_style(BellStyle::None)
            .bracketed_paste(true)
            .build();
        let mut entries = Entries::default();
        for entry in session.history(&HistoryQuery::Tail { n: HISTORY_LIMIT }) {
            entries.push(&entry.input);
        }
        let mut inner = rustyline::Editor::with_history(config, entries)?;
        let inspector = session.inspector();
        let asked = Asked::default();
        keys::bind(&mut inner, &inspector, &asked);
        inner.set_helper(Some(AgHelper::new(inspector, asked.clone(), Arc::clone(above))));
        Ok(Editor { inner, asked })
    }

    /// Shows the prompt, with a text to begin with.
    pub fn read(&mut self, prompt: &str, initial: &str) -> Entered {
        match self.inner.readline_with_initial(prompt, (initial, "")) {
            Ok(text) if self.asked.take_editor() => Entered::Edit(text),
            Ok(text) if self.asked.take_dropped() => match text.trim().is_empty() {
                true => Entered::Nothing,
                false => Entered::Dropped,
            },
            Ok(text) => Entered::Text(text),
            // A signal that no key sent.
            Err(ReadlineError::Interrupted) => Entered::Dropped,
            Err(_) => Entered::End,
        }
    }

    /// Makes a text that did not come from the prompt one that Up finds.
    pub fn remember(&mut self, text: &str) {
        // It only adds to a list.
        let _ = self.inner.history_mut().add(text);
    }

    /// Writes above a shown prompt; none where the terminal cannot move its cursor.
    pub fn printer(&mut self) -> Option<Box<dyn ExternalPrinter + Send>> {
        let printer = self.inner.create_external_printer().ok()?;
        Some(Box::new(printer))
    }
}
