//! Why a call to a lane gives no answer. Every case has a code of the language's table.

use crate::fault::{Fault, code};
use crate::lane::request::Problem;
use crate::ledger::error::LedgerError;
use serde_json::json;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum LaneError {
    /// A limit or the journal refused.
    Ledger(LedgerError),
    /// No lane may take the call; the text says which were looked at and the ways out.
    NoLane(String),
    /// No lane answered.
    Unavailable { lane: Arc<str>, reason: String },
    /// A model on this machine is missing or damaged.
    Model { lane: Arc<str>, reason: String },
    /// No reply was a value of the type wanted.
    RepairExhausted { lane: Arc<str>, replies: Vec<Rejected> },
    /// The model went on asking for tools.
    TooManySteps { lane: Arc<str>, most: u32 },
    /// What a replay says: the Fault of the recording, or R0801.
    Recorded(Box<Fault>),
}

/// A reply that did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub text: String,
    pub problems: Vec<Problem>,
}

impl LaneError {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ledger(error) => error.code(),
            Self::NoLane(_) => code::NO_LANE,
            Self::Unavailable { .. } => code::LANE_UNAVAILABLE,
            Self::Model { .. } => code::MODEL,
            Self::RepairExhausted { .. } => code::REPAIR,
            Self::TooManySteps { .. } => code::TOOL_STEPS,
            Self::Recorded(fault) => fault.code,
        }
    }

    /// The Fault a program sees; its data carries every reply of a repair that failed.
    #[must_use]
    pub fn to_fault(&self) -> Fault {
        let fault = Fault::new(self.code(), self.to_string());
        match self {
            Self::RepairExhausted { lane, replies } => {
                let replies: Vec<_> = replies
                    .iter()
                    .map(|reply| {
                        let problems: Vec<_> = reply.problems.iter().map(problem_text).collect();
                        json!({"text": reply.text, "problems": problems})
                    })
                    .collect();
                fault.with_data(json!({"lane": &**lane, "replies": replies}))
            }
            Self::Recorded(fault) => Fault::clone(fault),
            _ => fault,
        }
    }
}

fn problem_text(problem: &Problem) -> String {
    format!("{}: {}", problem.path, problem.message)
}

impl fmt::Display for LaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(f),
            Self::NoLane(text) => f.write_str(text),
            Self::Recorded(fault) => f.write_str(&fault.message),
            Self::Unavailable { lane, reason } => write!(f, "lane {lane} gave no answer: {reason}"),
            Self::Model { lane, reason } => write!(f, "lane {lane} has no model: {reason}"),
            Self::TooManySteps { lane, most } => {
                write!(f, "lane {lane} asked for tools in more than {most} rounds (`max_steps`)")
            }
            Self::RepairExhausted { lane, replies } => {
                let last = replies.last();
                let problems =
                    last.map(|r| r.problems.iter().map(problem_text).collect::<Vec<_>>());
                write!(
                    f,
                    "lane {lane} gave {} replies and none fits the type; the last: {}",
                    replies.len(),
                    problems.unwrap_or_default().join("; ")
                )
            }
        }
    }
}

impl std::error::Error for LaneError {}

impl From<LedgerError> for LaneError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}
