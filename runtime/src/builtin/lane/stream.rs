//! The pieces of a reply on their way from a lane to the program that reads along (`stream: f`).
//!
//! The lane writes on the executor, `f` runs on the coroutine that made the call. Never: a piece lost, or `f` on another thread.

use crate::builtin::declare::Outcome;
use crate::context::Cx;
use crate::context::wait::Completer;
use crate::fault::Faulted;
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use crate::value::text::TextBuf;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a round has told so far and the coroutine has not heard.
#[derive(Default)]
pub struct Feed {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<String>,
    /// The round is over, one way or another.
    is_over: bool,
    listener: Option<Completer<()>>,
}

impl Feed {
    pub fn piece(&self, text: &str) {
        self.change(|state| state.pieces.push_back(text.to_owned()));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let listener = {
            let mut state = self.state.lock();
            change(&mut state);
            state.listener.take()
        };
        if let Some(listener) = listener {
            listener.complete(());
        }
    }

    /// A round begins. Its end is told when the guard is dropped, also if the round is cut off.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> RoundGuard {
        self.state.lock().is_over = false;
        RoundGuard(Arc::clone(self))
    }

    /// Completes at once if there is something to hear.
    pub fn listen(&self, listener: Completer<()>) {
        let mut state = self.state.lock();
        if state.is_over || !state.pieces.is_empty() {
            drop(state);
            return listener.complete(());
        }
        state.listener = Some(listener);
    }

    /// Hands what has come to `reader`. True once the round is over and all of it was heard.
    pub fn hear(&self, cx: &mut Cx, reader: Option<&Owned>) -> Outcome<bool> {
        loop {
            let (piece, is_over) = {
                let mut state = self.state.lock();
                (state.pieces.pop_front(), state.is_over)
            };
            match (piece, reader) {
                (None, _) => return Ok(is_over),
                (Some(text), Some(reader)) => read(cx, reader, text)?,
                (Some(_), None) => {}
            }
        }
    }
}

fn read(cx: &mut Cx, reader: &Owned, text: String) -> Result<(), Faulted> {
    let text = TextBuf::from(text).into_word();
    let given = cx.call_function(reader, &[text])?;
    debug_assert_eq!(given.shape(), ShapeId::UNIT);
    Ok(())
}

/// Tells the end of a round.
pub struct RoundGuard(Arc<Feed>);

impl Drop for RoundGuard {
    fn drop(&mut self) {
        self.0.change(|state| state.is_over = true);
    }
}
