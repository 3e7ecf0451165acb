//! What the line editor asks while a person types: is it whole, what may stand here, how does it look.
//!
//! It asks the session's inspector and knows nothing of the language itself.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ag_kernel::render::text::columns;
use ag_kernel::session::inspect::Inspector;
use ag_lang::diag::color::{self, paint};
use rustyline::completion::{Completer, FilenameCompleter};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Context, Helper};

use crate::term::above::Above;
use crate::term::complete::{self, GAP, Listed};
use crate::term::highlight::highlight;
use crate::term::hint::{self, Hint};
use crate::term::keys::Asked;
use crate::term::paint::DEFAULT_WIDTH;
use crate::term::screen::screen;
use crate::term::{indent, paint as terminal};

/// How the line editor begins the prompt of a Ctrl-R that found nothing.
const FAILED_SEARCH: &str = "(failed reverse-i-search)";

#[derive(Helper)]
pub struct AgHelper {
    inspector: Inspector,
    files: FilenameCompleter,
    asked: Asked,
    above: Arc<Above>,
    has_color: bool,
    /// Columns of the prompt as it was drawn last; read and written by the thread that edits.
    prompt: AtomicUsize,
}

impl AgHelper {
    pub fn new(inspector: Inspector, asked: Asked, above: Arc<Above>) -> AgHelper {
        let has_color = terminal::allows_color();
        let (files, prompt) = (FilenameCompleter::new(), AtomicUsize::new(0));
        AgHelper { inspector, files, asked, above, has_color, prompt }
    }

    fn painted<'t>(&self, code: &str, text: &'t str) -> Cow<'t, str> {
        if self.has_color { Cow::Owned(paint(code, text)) } else { Cow::Borrowed(text) }
    }
}

fn window() -> usize {
    screen().map_or(DEFAULT_WIDTH, |screen| screen.columns as usize)
}

impl Completer for AgHelper {
    type Candidate = Listed;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Listed>)> {
        if let Some((start, replacement)) = self.asked.take_line(line, at) {
            return Ok((start, vec![Listed { display: String::new(), replacement }]));
        }
        complete::complete(&self.inspector, &self.files, line, at, window())
    }
}

impl Validator for AgHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match indent::wants_more(&self.inspector, context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Hinter for AgHelper {
    type Hint = Hint;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<Hint> {
        let (prompt, width) = (self.prompt.load(Ordering::Relaxed), window());
        hint::hint(&self.inspector, line, at, context)?.fitted(line, prompt, width)
    }
}

impl Highlighter for AgHelper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.has_color { Cow::Owned(highlight(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        // Moving the cursor changes no colour; everything else may change all of them.
        self.has_color && !matches!(kind, CmdKind::MoveCursor)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        is_own: bool,
    ) -> Cow<'b, str> {
        // Asked for whenever the line is drawn, also after something was printed above it.
        self.above.drawn();
        self.prompt.store(columns(prompt), Ordering::Relaxed);
        self.asked.set_search_failed(!is_own && prompt.starts_with(FAILED_SEARCH));
        self.painted(color::TEAL, prompt)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.has_color {
            true => Cow::Owned(paint(color::GREY, hint)),
            // Faint is no colour; plain it would look like what was typed.
            false => Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")),
        }
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        match candidate.split_once(GAP) {
            Some((name, about)) if self.has_color => {
                Cow::Owned(format!("{name}{GAP}{}", paint(color::GREY, about)))
            }
            _ => Cow::Borrowed(candidate),
        }
    }
}
