//! Time, taken from outside: nothing in the runtime asks the operating system for it directly.
//!
//! Never: timers. Waiting for a moment is the scheduler's business; a clock only tells and passes time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time of a session. Production uses [`SystemClock`], tests and replay [`VirtualClock`]; both run the same code.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Nanoseconds since the Unix epoch.
    fn now_ns(&self) -> u64;

    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_ns(&self) -> u64;

    /// Lets `ns` pass for the caller, who began waiting at `since_ns` of [`Clock::monotonic_ns`].
    /// Blocks on the system clock; a virtual clock jumps, and callers who wait side by side do not add up.
    fn pass_ns(&self, since_ns: u64, ns: u64);

    /// True if time moves only when it is told to.
    fn is_virtual(&self) -> bool;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ns(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        saturating_ns(since)
    }

    fn monotonic_ns(&self) -> u64 {
        saturating_ns(self.start.elapsed())
    }

    fn pass_ns(&self, since_ns: u64, ns: u64) {
        let end = since_ns.saturating_add(ns);
        let left = end.saturating_sub(self.monotonic_ns());
        if left > 0 {
            std::thread::sleep(Duration::from_nanos(left));
        }
    }

    fn is_virtual(&self) -> bool {
        false
    }
}

fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A clock that stands still until it is moved: the clock of tests and replay.
#[derive(Debug)]
pub struct VirtualClock {
    epoch_ns: u64,
    // Writers: `advance` and `advance_to`, from any thread. It guards no other memory, so it is relaxed.
    elapsed_ns: AtomicU64,
}

impl VirtualClock {
    /// A clock that shows `epoch_ns` until it is advanced.
    #[must_use]
    pub fn new(epoch_ns: u64) -> Self {
        Self { epoch_ns, elapsed_ns: AtomicU64::new(0) }
    }

    pub fn advance(&self, ns: u64) {
        self.elapsed_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Moves to `monotonic_ns` unless the clock is already past it.
    pub fn advance_to(&self, monotonic_ns: u64) {
        self.elapsed_ns.fetch_max(monotonic_ns, Ordering::Relaxed);
    }
}

impl Default for VirtualClock {
    /// Begins at 2026-01-01T00:00:00Z, so that dates in examples look like dates.
    fn default() -> Self {
        Self::new(1_767_225_600_000_000_000)
    }
}

impl Clock for VirtualClock {
    fn now_ns(&self) -> u64 {
        self.epoch_ns.saturating_add(self.elapsed_ns.load(Ordering::Relaxed))
    }

    fn monotonic_ns(&self) -> u64 {
        self.elapsed_ns.load(Ordering::Relaxed)
    }

    fn pass_ns(&self, since_ns: u64, ns: u64) {
        self.advance_to(since_ns.saturating_add(ns));
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, SystemClock, VirtualClock};

    #[test]
    fn a_virtual_clock_moves_only_when_told() {
        let clock = VirtualClock::new(1_000);
        assert_eq!((clock.now_ns(), clock.monotonic_ns()), (1_000, 0));
        clock.advance(5);
        assert_eq!((clock.now_ns(), clock.monotonic_ns()), (1_005, 5));
        clock.advance_to(3);
        assert_eq!(clock.monotonic_ns(), 5, "time never goes back");
    }

    #[test]
    fn waits_side_by_side_on_a_virtual_clock_do_not_add_up() {
        let clock = VirtualClock::new(0);
        let since = clock.monotonic_ns();
        clock.pass_ns(since, 5);
        clock.pass_ns(since, 5);
        assert_eq!(clock.monotonic_ns(), 5);
    }

    #[test]
    fn the_system_clock_passes_at_least_what_was_asked() {
        let clock = SystemClock::new();
        let since = clock.monotonic_ns();
        clock.pass_ns(since, 2_000_000);
        assert!(clock.monotonic_ns() >= since + 2_000_000);
        assert!(clock.now_ns() > 1_500_000_000_000_000_000);
    }
}
