//! The door of effects for running code: a replay gives what was recorded, a recording is told what happened.
//!
//! Never: makes an effect happen. A replayed one takes the time it took when it was recorded where time is virtual, so that
//! what waits beside it ends in the same order, and none elsewhere.

use crate::builtin::declare::{Moved, Outcome};
use crate::context::Cx;
use crate::fault::{Fault, Faulted, code};
use crate::journal::effect::Pending;
use crate::journal::fingerprint::Fingerprint;
use crate::journal::line::{Failure, Line};
use crate::journal::tape::{ABSENT_NS, Found, PATIENCE_NS};
use crate::value::json::from_json;
use crate::value::shape::ShapeId;
use serde_json::Value;
use std::sync::Arc;

/// How an effect begins.
pub enum Begun {
    /// It is to happen.
    Live(Pending),
    /// [`Cx::given`] is what it gives.
    Given(Box<Line>),
}

impl Cx {
    /// Announces an effect. R0801 if a replay holds another one here.
    pub fn begin(&mut self, path: &str, fingerprint: Fingerprint) -> Outcome<Begun> {
        let live = self.world.effects().begin(path, fingerprint);
        let Some(track) = &self.audience.track else { return Ok(Begun::Live(live)) };
        match track.find(path, fingerprint) {
            Found::Live => Ok(Begun::Live(live.on(track, self.world.clock()))),
            Found::Given(line) => {
                track.note(path, fingerprint, &line.end, line.took_ns);
                match &line.end {
                    Ok(payload) => live.done(payload.clone()),
                    Err(_) => live.failed(&"as it was recorded"),
                };
                Ok(Begun::Given(line))
            }
            Found::Absent(fault) => {
                let track = Arc::clone(track);
                self.sleep_ns(ABSENT_NS)?;
                track.give_order_up();
                self.refuse(live, fault)
            }
            Found::Differs(fault) => self.refuse(live, fault),
        }
    }

    fn refuse(&mut self, pending: Pending, fault: Box<Fault>) -> Outcome<Begun> {
        pending.failed(&fault);
        self.raise(fault);
        Err(Faulted)
    }

    /// The effect ended with the Fault that waits in the context, or with this coroutine.
    pub fn end_faulted(&self, pending: Pending) {
        match &self.fault {
            Some(fault) if !self.is_cancelled() => pending.faulted(fault),
            _ => pending.failed(&"cancelled"),
        };
    }

    /// What a recorded effect gave; its Fault is raised again.
    pub fn given(&mut self, line: Line) -> Outcome<Value> {
        if self.world.clock().is_virtual() && line.took_ns > 0 {
            self.sleep_ns(line.took_ns)?;
        }
        match line.end {
            Ok(payload) => Ok(payload.value),
            Err(Failure::Cancelled) => {
                self.sleep_ns(PATIENCE_NS)?;
                let message = format!("`{}` was cancelled when it was recorded", line.path);
                self.fail(code::REPLAY, message);
                Err(Faulted)
            }
            Err(failure) => {
                if let Some(fault) = failure.fault() {
                    self.raise(Box::new(fault));
                }
                Err(Faulted)
            }
        }
    }

    /// The same as a value of the language.
    pub fn given_as(&mut self, line: Line, of: ShapeId) -> Outcome<Moved> {
        let path = Arc::clone(&line.path);
        let value = self.given(line)?;
        self.as_given(&path, &value, of)
    }

    /// A value of the language from what was recorded.
    pub fn as_given(&mut self, path: &str, value: &Value, of: ShapeId) -> Outcome<Moved> {
        from_json(value, of).map(Moved).map_err(|errors| self.unfit(path, &errors))
    }

    /// What was recorded is no value of the type wanted.
    pub fn unfit(&mut self, path: &str, errors: &[impl ToString]) -> Faulted {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let message = format!("what was recorded of `{path}` does not fit: {}", errors.join("; "));
        self.fail(code::REPLAY, message);
        Faulted
    }
}
