//! What a Fault does to the agent it happened in (L-76).
//!
//! Never: acts; it only decides. Restart intensity as in OTP: more than `max` restarts within a time is not a hiccup.

use std::collections::VecDeque;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Supervise {
    /// The message ends, the agent goes on.
    #[default]
    Escalate,
    Stop,
    /// The initialisers run again; the mailbox is kept.
    Restart {
        max: u32,
        within_ns: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    GoOn,
    Stop,
    Restart,
}

/// The recent restarts of an agent.
#[derive(Default)]
pub struct Restarts {
    times_ns: VecDeque<u64>,
}

impl Restarts {
    /// What to do after a Fault at `now_ns` that the agent itself is to blame for.
    pub fn decide(&mut self, supervise: Supervise, now_ns: u64) -> Verdict {
        let Supervise::Restart { max, within_ns } = supervise else {
            return if supervise == Supervise::Stop { Verdict::Stop } else { Verdict::GoOn };
        };
        let oldest = now_ns.saturating_sub(within_ns);
        while self.times_ns.front().is_some_and(|&time| time < oldest) {
            self.times_ns.pop_front();
        }
        if self.times_ns.len() >= max as usize {
            return Verdict::Stop;
        }
        self.times_ns.push_back(now_ns);
        Verdict::Restart
    }
}

#[cfg(test)]
mod tests {
    use super::{Restarts, Supervise, Verdict};

    #[test]
    fn too_many_restarts_within_the_time_stop_the_agent() {
        let supervise = Supervise::Restart { max: 2, within_ns: 100 };
        let mut restarts = Restarts::default();
        assert_eq!(restarts.decide(supervise, 0), Verdict::Restart);
        assert_eq!(restarts.decide(supervise, 50), Verdict::Restart);
        assert_eq!(restarts.decide(supervise, 100), Verdict::Stop);
        assert_eq!(restarts.decide(supervise, 101), Verdict::Restart, "the first one is forgotten");
    }

    #[test]
    fn the_other_policies_do_not_depend_on_time() {
        let mut restarts = Restarts::default();
        assert_eq!(restarts.decide(Supervise::Escalate, 0), Verdict::GoOn);
        assert_eq!(restarts.decide(Supervise::Stop, 0), Verdict::Stop);
    }
}
