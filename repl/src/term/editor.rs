//! The line editor of a person's session: history, completion, several lines at a prompt.

use std::path::PathBuf;

use ag_kernel::session::Session;
use rustyline::error::ReadlineError;
use rustyline::hint::HistoryHinter;
use rustyline::history::FileHistory;
use rustyline::{
    ColorMode, CompletionType, Config, EventHandler, ExternalPrinter, KeyCode, KeyEvent, Modifiers,
};

use crate::term::helper::{AgHelper, Closing, OnClosing, OnEnter};
use crate::term::paint;

/// What came from the prompt.
pub enum Entered {
    Text(String),
    /// Ctrl-C: what was typed is dropped, the session goes on.
    Nothing,
    /// Ctrl-D.
    End,
}

pub struct Editor {
    inner: rustyline::Editor<AgHelper, FileHistory>,
    history: PathBuf,
}

/// Entries the terminal remembers across sessions.
const HISTORY_LIMIT: usize = 10_000;

impl Editor {
    pub fn open(session: &Session, history: PathBuf) -> rustyline::Result<Editor> {
        let has_color = paint::allows_color();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY_LIMIT)?
            .auto_add_history(true)
            .color_mode(if has_color { ColorMode::Enabled } else { ColorMode::Disabled })
            .bracketed_paste(true)
            .build();
        let mut inner = rustyline::Editor::with_config(config)?;
        let inspector = session.inspector();
        let closing = Closing::default();
        inner.set_helper(Some(AgHelper {
            inspector: inspector.clone(),
            hinter: HistoryHinter::new(),
            has_color,
            closing: closing.clone(),
        }));
        let enter = KeyEvent(KeyCode::Enter, Modifiers::NONE);
        inner.bind_sequence(enter, EventHandler::Conditional(Box::new(OnEnter { inspector })));
        for bracket in *b"})]" {
            let on_closing = OnClosing { bracket, closing: closing.clone() };
            let handler = EventHandler::Conditional(Box::new(on_closing));
            inner.bind_sequence(KeyEvent::from(char::from(bracket)), handler);
        }
        // No file yet: the first session of this home.
        let _ = inner.load_history(&history);
        Ok(Editor { inner, history })
    }

    /// Shows the prompt with the number that the cell will have.
    pub fn read(&mut self, count: u32) -> Entered {
        match self.inner.readline(&format!("ag {count}> ")) {
            Ok(text) => {
                // At once and not at the end: a killed terminal loses nothing.
                let _ = self.inner.append_history(&self.history);
                Entered::Text(text)
            }
            Err(ReadlineError::Interrupted) => Entered::Nothing,
            Err(_) => Entered::End,
        }
    }

    pub fn columns(&mut self) -> Option<usize> {
        self.inner.dimensions().map(|(columns, _)| usize::from(columns))
    }

    /// Writes above a shown prompt; none where the terminal cannot move its cursor.
    pub fn printer(&mut self) -> Option<Box<dyn ExternalPrinter + Send>> {
        let printer = self.inner.create_external_printer().ok()?;
        Some(Box::new(printer))
    }
}
