//! The router's formula and the estimates it works on. Pure arithmetic: the same inputs give the same choice.

use crate::ledger::money::MicroUsd;
use std::sync::Arc;

/// Weights of L-127.
const COST: f64 = 0.4;
const LATENCY: f64 = 0.4;
const AVAILABILITY: f64 = 0.2;
/// A lane of no cost or no latency would score without bound.
const FLOOR: f64 = 0.01;
/// How much of an estimate one new measurement replaces.
const ALPHA: f64 = 0.2;

/// What is expected of a lane, learned from its calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub latency_ns: f64,
    pub tokens_out: f64,
    /// Share of the calls that were answered.
    pub availability: f64,
    pub calls: u64,
}

impl Estimate {
    /// What the catalogue says before the first call.
    #[must_use]
    pub fn prior(latency_ns: u64) -> Self {
        Self { latency_ns: latency_ns as f64, tokens_out: 128.0, availability: 1.0, calls: 0 }
    }

    pub fn answered(&mut self, latency_ns: u64, tokens_out: u64) {
        blend(&mut self.latency_ns, latency_ns as f64);
        blend(&mut self.tokens_out, tokens_out as f64);
        blend(&mut self.availability, 1.0);
        self.calls += 1;
    }

    pub fn failed(&mut self) {
        blend(&mut self.availability, 0.0);
        self.calls += 1;
    }
}

fn blend(old: &mut f64, new: f64) {
    *old += ALPHA * (new - *old);
}

/// A lane as the formula sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub lane: Arc<str>,
    pub cost: MicroUsd,
    pub latency_ns: f64,
    pub availability: f64,
}

/// The parts of a lane's score; they add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    pub cost: f64,
    pub latency: f64,
    pub availability: f64,
}

impl Terms {
    #[must_use]
    pub fn score(&self) -> f64 {
        self.cost + self.latency + self.availability
    }
}

/// What is left of a deadline and what there was of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deadline {
    pub remaining_ns: u64,
    pub total_ns: u64,
}

/// The terms of each candidate. Near a deadline weight moves from cost to latency.
#[must_use]
pub fn terms(options: &[Candidate], deadline: Option<Deadline>) -> Vec<Terms> {
    let largest_cost = options.iter().map(|o| o.cost.micros()).max().unwrap_or(0) as f64;
    let largest_latency = options.iter().map(|o| o.latency_ns).fold(0.0, f64::max);
    let urgency = deadline.map_or(0.0, urgency);
    options
        .iter()
        .map(|option| Terms {
            cost: (COST - urgency) / share(option.cost.micros() as f64, largest_cost),
            latency: (LATENCY + urgency) / share(option.latency_ns, largest_latency),
            availability: AVAILABILITY * option.availability,
        })
        .collect()
}

fn urgency(deadline: Deadline) -> f64 {
    if deadline.total_ns == 0 {
        return 0.3;
    }
    let left = deadline.remaining_ns as f64 / deadline.total_ns as f64;
    (1.0 - left).clamp(0.0, 0.3)
}

fn share(part: f64, largest: f64) -> f64 {
    if largest > 0.0 { (part / largest).max(FLOOR) } else { FLOOR }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Deadline, Estimate, terms};
    use crate::ledger::money::MicroUsd;

    fn option(lane: &str, cost: i64, latency_ms: f64) -> Candidate {
        let latency_ns = latency_ms * 1e6;
        Candidate { lane: lane.into(), cost: MicroUsd(cost), latency_ns, availability: 1.0 }
    }

    #[test]
    fn the_formula_is_the_languages() {
        let options = [option("slow", 100, 1_000.0), option("dear", 1_000, 200.0)];
        let scores: Vec<f64> = terms(&options, None).iter().map(|t| t.score()).collect();
        assert!((scores[0] - (0.4 / 0.1 + 0.4 + 0.2)).abs() < 1e-12);
        assert!((scores[1] - (0.4 + 0.4 / 0.2 + 0.2)).abs() < 1e-12);
    }

    #[test]
    fn near_a_deadline_the_fast_lane_wins() {
        let options = [option("cheap", 300, 1_000.0), option("fast", 1_000, 300.0)];
        let best = |deadline| {
            let terms = terms(&options, deadline);
            if terms[0].score() > terms[1].score() { "cheap" } else { "fast" }
        };
        let options_equal = terms(&options, None);
        assert!((options_equal[0].score() - options_equal[1].score()).abs() < 1e-9);
        assert_eq!(best(Some(Deadline { remaining_ns: 1, total_ns: 10 })), "fast");
        assert_eq!(best(Some(Deadline { remaining_ns: 0, total_ns: 0 })), "fast");
    }

    #[test]
    fn a_free_lane_has_a_finite_score() {
        let free = [option("local", 0, 0.0)];
        assert!((terms(&free, None)[0].score() - 80.2).abs() < 1e-9);
    }

    #[test]
    fn estimates_follow_what_happens() {
        let mut estimate = Estimate::prior(1_000);
        for _ in 0..100 {
            estimate.answered(9_000, 7);
        }
        assert!((estimate.latency_ns - 9_000.0).abs() < 1.0);
        estimate.failed();
        assert!((estimate.availability - 0.8).abs() < 1e-6);
    }
}
