//! Time and chance as programs see them: the session's clock and seed.
//!
//! Never: the operating system's clock, or its entropy.

use crate::context::Cx;
use crate::fault::Faulted;
use crate::sched::timer::Action;

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
        let world = std::sync::Arc::clone(&self.world);
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
}
