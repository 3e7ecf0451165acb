//! Keys that mean more than the line editor's own: what each does depends on the text and the place in it.
//!
//! A handler decides and gives one of the line editor's commands; what it must tell the prompt's owner is in [`Asked`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use ag_kernel::session::inspect::Inspector;
use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, EventHandler, Helper, KeyCode, KeyEvent,
    Modifiers, RepeatCount,
};

use crate::term::indent::{self, Enter, INDENT};

/// What keys asked of the prompt's owner. Written by the handlers, taken by the editor when the prompt ends: one thread.
#[derive(Clone, Default)]
pub struct Asked(Arc<State>);

#[derive(Default)]
struct State {
    /// The closing bracket, or [`NO_BRACKET`], that waits to be put in place of a line's indentation.
    bracket: AtomicU8,
    wants_editor: AtomicBool,
    has_search_failed: AtomicBool,
    is_dropped: AtomicBool,
}

impl Asked {
    /// Of the editor's commands only completion replaces text and leaves the cursor behind what it put there; so a line that
    /// moves out goes in as the one candidate for itself: its start, and what it becomes.
    pub fn take_line(&self, text: &str, at: usize) -> Option<(usize, String)> {
        let bracket = self.0.bracket.swap(0, Ordering::Relaxed);
        let line = indent::indentation(text, at).filter(|_| bracket != 0)?;
        let mut moved = indent::outer(line).to_owned();
        if bracket != NO_BRACKET {
            moved.push(char::from(bracket));
        }
        Some((at - line.len(), moved))
    }

    /// Whether the text is to go to the person's own editor instead of being run.
    pub fn take_editor(&self) -> bool {
        self.0.wants_editor.swap(false, Ordering::Relaxed)
    }

    /// Whether the prompt is that of a search which found nothing: what stands behind it is an earlier match.
    pub fn set_search_failed(&self, has_failed: bool) {
        self.0.has_search_failed.store(has_failed, Ordering::Relaxed);
    }

    /// Whether Ctrl-C dropped the text.
    pub fn take_dropped(&self) -> bool {
        self.0.is_dropped.swap(false, Ordering::Relaxed)
    }
}

const NO_BRACKET: u8 = 1;

/// Binds all of them.
pub fn bind<H: Helper, I: rustyline::history::History>(
    editor: &mut rustyline::Editor<H, I>,
    inspector: &Inspector,
    asked: &Asked,
) {
    let mut bind = |keys: &[KeyEvent], action: Action| {
        let handler = Key { action, inspector: inspector.clone(), asked: asked.clone() };
        let handler = EventHandler::Conditional(Box::new(handler));
        editor.bind_sequence(Event::KeySeq(keys.to_vec()), handler);
    };
    let key = |code, modifiers| KeyEvent(code, modifiers);
    let (none, alt, ctrl) = (Modifiers::NONE, Modifiers::ALT, Modifiers::CTRL);
    bind(&[key(KeyCode::Enter, none)], Action::Enter);
    bind(&[key(KeyCode::Enter, alt)], Action::NewLine);
    bind(&[key(KeyCode::Tab, none)], Action::Tab);
    bind(&[key(KeyCode::Backspace, none)], Action::MoveOut(NO_BRACKET));
    for bracket in *b"})]" {
        bind(&[KeyEvent::from(char::from(bracket))], Action::MoveOut(bracket));
    }
    bind(&[KeyEvent::ctrl('C')], Action::Interrupt);
    bind(&[KeyEvent::ctrl('X'), KeyEvent::ctrl('E')], Action::Editor);
    bind(&[key(KeyCode::End, none)], Action::TakeHint);
    bind(&[KeyEvent::ctrl('E')], Action::TakeHint);
    bind(&[KeyEvent::ctrl('F')], Action::TakeHint);
    bind(&[key(KeyCode::Right, ctrl)], Action::TakeWord);
    bind(&[key(KeyCode::Right, alt)], Action::TakeWord);
    bind(&[KeyEvent::alt('f')], Action::TakeWord);
    editor.bind_sequence(key(KeyCode::PageUp, none), Cmd::HistorySearchBackward);
    editor.bind_sequence(key(KeyCode::PageDown, none), Cmd::HistorySearchForward);
}

#[derive(Clone, Copy)]
enum Action {
    /// Submits a whole text, else adds a line. Ends a search that found nothing: the text is as it was before.
    Enter,
    /// Adds a line in any case.
    NewLine,
    /// Indents where nothing could be completed.
    Tab,
    /// Where a line begins, Backspace and a closing bracket move it one level out.
    MoveOut(u8),
    /// Drops what was typed, and keeps it for Up.
    Interrupt,
    Editor,
    TakeHint,
    TakeWord,
}

struct Key {
    action: Action,
    inspector: Inspector,
    asked: Asked,
}

impl ConditionalEventHandler for Key {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let (text, at) = (context.line(), context.pos());
        let add_line = |indent: String| Cmd::Insert(1, format!("\n{indent}"));
        match self.action {
            Action::Enter if self.asked.0.has_search_failed.load(Ordering::Relaxed) => {
                Some(Cmd::Abort)
            }
            Action::Enter => match indent::enter(&self.inspector, text, at) {
                Enter::Submit => Some(Cmd::AcceptLine),
                Enter::Continue(indent) => Some(add_line(indent)),
            },
            Action::NewLine => Some(add_line(indent::indent_after(&self.inspector, text, at))),
            Action::Tab => {
                indent::indentation(text, at)?;
                Some(Cmd::Insert(1, " ".repeat(INDENT)))
            }
            Action::MoveOut(bracket) => {
                indent::indentation(text, at).filter(|line| !line.is_empty())?;
                self.asked.0.bracket.store(bracket, Ordering::Relaxed);
                Some(Cmd::Complete)
            }
            Action::Interrupt => {
                self.asked.0.is_dropped.store(true, Ordering::Relaxed);
                // Interrupting would leave the hint on the screen, where it looks like text.
                Some(Cmd::AcceptLine)
            }
            Action::Editor => {
                self.asked.0.wants_editor.store(true, Ordering::Relaxed);
                Some(Cmd::AcceptLine)
            }
            Action::TakeHint => at_hint(context).map(|_| Cmd::CompleteHint),
            Action::TakeWord => Some(Cmd::Insert(1, first_word(at_hint(context)?).to_owned())),
        }
    }
}

/// What the hint would add, if the cursor is where it would go.
fn at_hint<'c>(context: &'c EventContext<'_>) -> Option<&'c str> {
    context.hint_text().filter(|_| context.pos() == context.line().len())
}

/// Up to the end of the first word.
fn first_word(text: &str) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let begins = text.find(is_word).unwrap_or(0);
    let rest = text.get(begins..).unwrap_or_default();
    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    text.get(..begins + length.max(1)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn a_hint_is_taken_word_by_word() {
        assert_eq!(first_word("llo_1(world)"), "llo_1");
        assert_eq!(first_word("(world)"), "(world");
        assert_eq!(first_word(")"), ")");
        assert_eq!(first_word(" := é1 + 2"), " := é1");
    }
}
