//! What the line editor asks while a person types: is it whole, what may stand here.
//!
//! It asks the session's inspector and knows nothing of the language itself.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ag_kernel::session::inspect::Inspector;
use ag_kernel::session::request::{Completeness, Completion};
use ag_lang::diag::color::{self, paint};
use rustyline::completion::{Candidate, Completer};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Cmd, ConditionalEventHandler, Context, Event, EventContext, Helper, RepeatCount};

use crate::term::highlight::highlight;

#[derive(Helper)]
pub struct AgHelper {
    pub inspector: Inspector,
    pub hinter: HistoryHinter,
    pub has_color: bool,
    pub closing: Closing,
}

/// The closing bracket that waits to be put in place of a line's indentation. Of the editor's commands only completion
/// replaces text and leaves the cursor behind what it put there; so a bracket goes in as the one candidate of its line.
#[derive(Clone, Default)]
pub struct Closing(Arc<AtomicU8>);

impl Closing {
    fn set(&self, bracket: u8) {
        self.0.store(bracket, Ordering::Relaxed);
    }

    /// The line's start, and the line with the bracket, one level further out.
    fn take(&self, text: &str, at: usize) -> Option<(usize, String)> {
        let bracket = self.0.swap(0, Ordering::Relaxed);
        let line = indentation(text, at).filter(|_| bracket != 0)?;
        let kept = line.get(INDENT..).unwrap_or_default();
        Some((at - line.len(), format!("{kept}{}", char::from(bracket))))
    }
}

/// One candidate with what it is, as the list shows it.
pub struct Listed {
    display: String,
    replacement: String,
}

impl Candidate for Listed {
    fn display(&self) -> &str {
        &self.display
    }

    fn replacement(&self) -> &str {
        &self.replacement
    }
}

impl Completer for AgHelper {
    type Candidate = Listed;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Listed>)> {
        if let Some((start, replacement)) = self.closing.take(line, at) {
            return Ok((start, vec![Listed { display: String::new(), replacement }]));
        }
        let found = self.inspector.complete(line, at);
        Ok((found.start, found.items.into_iter().map(listed).collect()))
    }
}

fn listed(item: Completion) -> Listed {
    let about = if item.signature.is_empty() { &item.kind } else { &item.signature };
    let display =
        if about.is_empty() { item.text.clone() } else { format!("{}  {about}", item.text) };
    Listed { display, replacement: item.text }
}

impl Validator for AgHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let wants_more = indent_of_next_line(&self.inspector, context.input()).is_some();
        Ok(if wants_more { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for AgHelper {
    type Hint = String;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<String> {
        // A hint over several lines would hide what is being written.
        self.hinter.hint(line, at, context).filter(|hint| !hint.contains('\n'))
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

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.has_color { Cow::Owned(paint(color::TEAL, prompt)) } else { Cow::Borrowed(prompt) }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.has_color { Cow::Owned(paint(color::GREY, hint)) } else { Cow::Borrowed(hint) }
    }
}

/// Enter: a new, indented line while the text is not whole, else the text is submitted.
pub struct OnEnter {
    pub inspector: Inspector,
}

impl ConditionalEventHandler for OnEnter {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        match indent_of_next_line(&self.inspector, context.line()) {
            Some(indent) => Some(Cmd::Insert(1, format!("\n{indent}"))),
            None => Some(Cmd::AcceptOrInsertLine { accept_in_the_middle: true }),
        }
    }
}

/// A closing bracket that begins its line moves back by the indentation that was put there for it.
pub struct OnClosing {
    pub bracket: u8,
    pub closing: Closing,
}

/// What the language indents by.
const INDENT: usize = 2;

impl ConditionalEventHandler for OnClosing {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        indentation(context.line(), context.pos())?;
        self.closing.set(self.bracket);
        Some(Cmd::Complete)
    }
}

/// The line up to the cursor, if it is nothing but indentation below another line.
fn indentation(text: &str, at: usize) -> Option<&str> {
    let (above, line) = text.get(..at)?.rsplit_once('\n')?;
    let is_indented = line.len() >= INDENT && line.chars().all(|c| c == ' ');
    (is_indented && !above.trim_end().is_empty()).then_some(line)
}

/// The indentation of the line that is wanted next; none if the text can be submitted. An empty last line submits
/// whatever there is: the way out for somebody who does not see what is missing.
fn indent_of_next_line(inspector: &Inspector, text: &str) -> Option<String> {
    let gives_up =
        text.contains('\n') && text.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
    match inspector.is_complete(text) {
        Completeness::Incomplete { indent } if !gives_up => Some(indent),
        _ => None,
    }
}
