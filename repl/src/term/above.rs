//! What is printed while a person is typing: it goes above the prompt, by the line editor, which draws the line anew.
//!
//! Whoever prints never waits for the line editor: that one takes a text only while a prompt is shown, and who prints may
//! be what the next cell waits for. So a thread of its own hands texts over, the next when the last was drawn.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustyline::ExternalPrinter;

use crate::term::ask::lock;

#[derive(Default)]
pub struct Above {
    state: Mutex<State>,
    /// A text came, a prompt is shown, or the last text was drawn.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: String,
    is_prompt_shown: bool,
    /// A text was handed over and the prompt not drawn since.
    is_under_way: bool,
    has_printer: bool,
}

impl Above {
    /// Gives the way to write above the prompt.
    pub fn set_printer(self: &Arc<Self>, mut printer: Box<dyn ExternalPrinter + Send>) {
        let above = Arc::clone(self);
        let hand_over = move || {
            loop {
                // After the last prompt the other end is gone, and so is the process soon.
                let _ = printer.print(above.next());
            }
        };
        let thread = std::thread::Builder::new().name("ag-above".to_owned()).spawn(hand_over);
        lock(&self.state).has_printer = thread.is_ok();
    }

    /// Whether there is a way: not in a terminal that cannot move its cursor.
    pub fn has_printer(&self) -> bool {
        lock(&self.state).has_printer
    }

    /// Takes a text to be shown when a prompt is, or when the screen is ours again.
    pub fn push(&self, text: &str) {
        lock(&self.state).waiting.push_str(text);
        self.changed.notify_all();
    }

    pub fn begin_prompt(&self) {
        lock(&self.state).is_prompt_shown = true;
        self.changed.notify_all();
    }

    /// The line editor drew its prompt.
    pub fn drawn(&self) {
        lock(&self.state).is_under_way = false;
        self.changed.notify_all();
    }

    /// The screen is ours again; gives what was not handed over.
    pub fn end_prompt(&self) -> String {
        let mut state = lock(&self.state);
        state.is_prompt_shown = false;
        state.is_under_way = false;
        std::mem::take(&mut state.waiting)
    }

    /// Waits for a text that can be shown above a prompt.
    fn next(&self) -> String {
        let is_none = |state: &mut State| {
            state.is_under_way || !state.is_prompt_shown || state.waiting.is_empty()
        };
        let state = self.changed.wait_while(lock(&self.state), is_none);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.is_under_way = true;
        std::mem::take(&mut state.waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    use rustyline::ExternalPrinter;

    use super::Above;

    struct Told(Sender<String>);

    impl ExternalPrinter for Told {
        fn print(&mut self, text: String) -> rustyline::Result<()> {
            self.0.send(text).unwrap();
            Ok(())
        }
    }

    #[test]
    fn texts_go_one_after_the_other_and_what_is_left_comes_back() {
        let above = Arc::new(Above::default());
        let (sender, told) = channel();
        above.set_printer(Box::new(Told(sender)));
        above.push("before ");
        assert_eq!(above.end_prompt(), "before ", "no prompt, nobody takes it");
        above.begin_prompt();
        above.push("a\n");
        assert_eq!(told.recv().unwrap(), "a\n");
        // The prompt was not drawn again: what comes now waits, whoever prints it does not.
        above.push("b\n");
        above.push("c\n");
        assert!(told.try_recv().is_err());
        above.drawn();
        assert_eq!(told.recv().unwrap(), "b\nc\n");
        above.push("d\n");
        assert_eq!(above.end_prompt(), "d\n");
    }
}
