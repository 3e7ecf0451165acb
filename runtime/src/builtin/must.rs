//! What numbers given to builtins, and written in the sections of an agent, must be to mean anything.
//!
//! One table for both sides: a constant is refused where it is written (E0305), a computed value when it arrives (R0103). Never:
//! changes a value to one that would do.

use crate::builtin::declare::Outcome;
use crate::context::Cx;
use crate::fault::{Faulted, code};

/// Numbers are Int, nanoseconds of a Duration, micro-dollars of Money, or a Float.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Must {
    AtLeast(i64),
    Within(i64, i64),
    /// A Duration longer than none.
    Last,
    /// A Duration; none is none.
    NotRunBackwards,
    /// Money.
    NotBeOwed,
}

impl Must {
    #[must_use]
    pub fn allows(self, number: f64) -> bool {
        match self {
            Self::AtLeast(least) => number >= least as f64,
            Self::Within(least, most) => (least as f64..=most as f64).contains(&number),
            Self::Last => number > 0.0,
            Self::NotRunBackwards | Self::NotBeOwed => number >= 0.0,
        }
    }

    /// What it must be, in words.
    #[must_use]
    pub fn wanted(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {least}"),
            Self::Within(least, most) => format!("from {least} to {most}"),
            Self::Last => "longer than 0s".to_owned(),
            Self::NotRunBackwards => "at least 0s".to_owned(),
            Self::NotBeOwed => "at least $0".to_owned(),
        }
    }
}

/// The row, its parameter, and what that must be if it is a constant.
pub const ARGUMENTS: &[(&str, &str, Must)] = &[
    ("with_time_limit", "limit", Must::Last),
    ("with_token_limit", "n", Must::AtLeast(0)),
    ("with_cost_limit", "limit", Must::NotBeOwed),
    ("auto_lane_select", "latency_budget", Must::Last),
    ("auto_lane_select", "cost_budget", Must::NotBeOwed),
    ("llm_call", "max_tokens", Must::AtLeast(1)),
    ("llm_call", "temperature", Must::Within(0, 2)),
    ("llm_call", "repair", Must::Within(0, 16)),
    ("llm_call", "retries", Must::Within(0, 16)),
    ("llm_call", "max_steps", Must::Within(0, 1_000)),
    ("llm_call", "timeout", Must::Last),
    ("llm_call", "max_cost", Must::NotBeOwed),
    ("sleep", "d", Must::NotRunBackwards),
    ("recall", "limit", Must::AtLeast(0)),
    ("channel", "capacity", Must::AtLeast(1)),
    ("parallel", "limit", Must::AtLeast(1)),
    ("with_lease", "ttl", Must::Last),
    ("with_lease", "wait", Must::NotRunBackwards),
    ("shard", "count", Must::AtLeast(0)),
    ("quorum", "threshold", Must::AtLeast(1)),
    ("quorum", "timeout", Must::Last),
    ("broadcast", "fanout", Must::AtLeast(1)),
    (RESTART, "max", Must::AtLeast(0)),
    (RESTART, "within", Must::Last),
];

/// The variant, as the checker names it.
const RESTART: &str = "Supervise.Restart";

/// What this parameter must be.
#[must_use]
pub fn argument(row: &str, parameter: &str) -> Option<Must> {
    let found = ARGUMENTS.iter().find(|(of, name, _)| *of == row && *name == parameter);
    found.map(|(_, _, must)| *must)
}

/// How often an agent may begin anew, and within which time (L-76).
pub fn check_restart(cx: &mut Cx, max: i64, within_ns: i64) -> Outcome<()> {
    for (name, is) in [("max", max), ("within", within_ns)] {
        if let Some(must) = argument(RESTART, name).filter(|must| !must.allows(is as f64)) {
            let message = format!("`{name}` of `restart` must be {}", must.wanted());
            cx.fail(code::INVALID_CONVERSION, message);
            return Err(Faulted);
        }
    }
    Ok(())
}

/// R0103 if a value that was computed does not do.
pub(crate) fn check(cx: &mut Cx, row: &str, parameter: &str, number: f64) -> Outcome<()> {
    match argument(row, parameter).filter(|must| !must.allows(number)) {
        None => Ok(()),
        Some(must) => {
            let message = format!("`{parameter}` of `@{row}` must be {}", must.wanted());
            cx.fail(code::INVALID_CONVERSION, message);
            Err(Faulted)
        }
    }
}

/// The keys of an agent's sections (L-79), by their path in the record of all sections.
pub const SECTIONS: &[(&str, Must)] = &[
    ("/memory/short_term/capacity", Must::AtLeast(1)),
    ("/memory/short_term/ttl", Must::Last),
    ("/memory/long_term/index/m", Must::AtLeast(2)),
    ("/memory/long_term/index/ef_construction", Must::AtLeast(1)),
    ("/memory/long_term/index/ef", Must::AtLeast(1)),
    ("/memory/long_term/decay/half_life", Must::Last),
    ("/cost_policy/max_cost_per_decision", Must::NotBeOwed),
    ("/cost_policy/latency_budget", Must::Last),
    ("/cost_policy/quota/hourly", Must::NotBeOwed),
    ("/cost_policy/quota/daily", Must::NotBeOwed),
    ("/cost_policy/quota/total", Must::NotBeOwed),
];

#[cfg(test)]
mod tests {
    use super::{ARGUMENTS, Must, RESTART};
    use crate::builtin::intrinsic;

    #[test]
    fn every_row_and_parameter_exists() {
        for (row, parameter, _) in ARGUMENTS {
            if *row == RESTART {
                continue;
            }
            let found = intrinsic(row).and_then(|id| id.get()).expect(row);
            let signature = found.signature.replace(['(', ','], " ");
            let has = signature.split_whitespace().any(|word| word == format!("{parameter}:"));
            assert!(has, "{row} {parameter}: {}", found.signature);
        }
    }

    #[test]
    fn ends_are_allowed_and_what_is_beyond_is_not() {
        for (must, least) in [
            (Must::AtLeast(1), 1.0),
            (Must::Within(0, 2), 0.0),
            (Must::NotBeOwed, 0.0),
            (Must::NotRunBackwards, 0.0),
        ] {
            assert!(must.allows(least) && !must.allows(least - 0.5), "{must:?}");
        }
        assert!(Must::Within(0, 2).allows(2.0) && !Must::Within(0, 2).allows(2.5));
        assert!(!Must::Within(0, 2).allows(f64::NAN));
        assert!(Must::Last.allows(1.0) && !Must::Last.allows(0.0));
    }
}
