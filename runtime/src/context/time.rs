//! Time and chance as programs see them: the session's clock and seed.
//!
//! Never: the operating system's clock, or its entropy. What a program sees of either passes the door of effects.

use crate::builtin::declare::Outcome;
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::Faulted;
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::sched::timer::Action;
use serde_json::json;
use std::sync::Arc;

impl Cx {
    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.world.clock().now_ns()
    }

    /// Waits for `duration_ns` of the session's clock.
    pub fn sleep_ns(&mut self, duration_ns: u64) -> Result<(), Faulted> {
        let until = self.world.clock().monotonic_ns().saturating_add(duration_ns);
        self.sleep_until(until)
    }

    /// Waits for a moment of the clock's `monotonic_ns`.
    pub fn sleep_until(&mut self, until_ns: u64) -> Result<(), Faulted> {
        let world = Arc::clone(&self.world);
        let mut timer = None;
        let slept = self.poll_until(|waker| {
            if world.clock().monotonic_ns() >= until_ns {
                return Some(());
            }
            timer.get_or_insert_with(|| {
                world.scheduler().set_timer(until_ns, Action::Wake(waker.clone()))
            });
            None
        });
        if let Some(timer) = timer {
            world.scheduler().timers().cancel(timer);
        }
        slept
    }

    /// `@now`.
    pub fn program_time(&mut self) -> Outcome<i64> {
        match self.begin("clock", Fingerprint::of_text("now"))? {
            Begun::Given(line) => {
                let value = self.given(*line)?;
                value.as_i64().ok_or_else(|| self.unfit("clock", &["no time"]))
            }
            Begun::Live(pending) => {
                let now = i64::try_from(self.now_ns()).unwrap_or(i64::MAX);
                pending.done(Payload::free(json!(now)));
                Ok(now)
            }
        }
    }

    /// `@random`.
    pub fn program_random(&mut self) -> Outcome<f64> {
        match self.begin("random", Fingerprint::of_text("random"))? {
            Begun::Given(line) => {
                let value = self.given(*line)?;
                value.as_f64().ok_or_else(|| self.unfit("random", &["no number"]))
            }
            Begun::Live(pending) => {
                let number = self.world.random();
                pending.done(Payload::free(json!(number)));
                Ok(number)
            }
        }
    }

    /// `@sleep`. A negative duration is none. A replay sleeps, too: what is raced with it must not win.
    pub fn pass_time(&mut self, duration_ns: i64) -> Result<(), Faulted> {
        let print = Fingerprint::of_json(&json!({ "sleep": duration_ns }));
        let begun = self.begin("clock", print)?;
        let slept = self.sleep_ns(u64::try_from(duration_ns).unwrap_or(0));
        if let Begun::Live(pending) = begun {
            match slept {
                Ok(()) => pending.done(Payload::free(json!(duration_ns))),
                Err(Faulted) => pending.failed(&"cancelled"),
            };
        }
        slept
    }
}
