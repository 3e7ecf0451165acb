//! `:record`, `:replay`.

use super::Refusal;
use crate::output::Output;
use crate::session::options::Taping;
use crate::session::state::{Request, State};

pub fn record(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    state.request(Request::Tape(&Taping::Record(rest.to_owned())))
}

pub fn replay(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    state.request(Request::Tape(&Taping::Replay(rest.to_owned())))
}
